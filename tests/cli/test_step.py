"""`roadsafety step`: one step with plain files."""

import json
import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from roadsafety_components import components, containers


def test_the_published_three_stages_run_with_plain_files(roadsafety, sample, tmp_path):
    """Load, preprocess, split, train and evaluate chain by file names alone."""
    steps = [
        f"load_stats19 --source {sample} --collisions c.parquet --vehicles v.parquet --casualties k.parquet",
        "preprocess_collisions --collisions c.parquet --vehicles v.parquet --clean-data clean.parquet",
        "split_dataset --data clean.parquet --target-column severity --group-column collision_index "
        "--train-data train.parquet --validation-data validation.parquet --test-data test.parquet",
        "train_classifier --train-data train.parquet --target-column severity --n-estimators 5 --model m.skops",
        "evaluate_classifier --model m.skops --test-data test.parquet --metrics metrics.json "
        "--classification-metrics matrix.json --report report.html",
    ]
    for step in steps:
        done = roadsafety("step", *step.split())
        assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-3:] == ["metrics: metrics.json", "classification_metrics: matrix.json",
                                             "report: report.html"]  # fmt: skip
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert 0 < metrics["balanced_accuracy"] < 1
    categories = json.loads((tmp_path / "matrix.json").read_text())["confusionMatrix"]["annotationSpecs"]
    assert [c["displayName"] for c in categories] == ["fatal", "serious", "slight"]
    assert (tmp_path / "report.html").read_text().lower().startswith("<!doctype html>")


def test_an_executor_input_stands_for_the_flags(roadsafety, tables, tmp_path):
    """What KFP passes is enough, and its executor output lists every artifact with metadata."""
    artifact = {"name": "x", "type": {"schemaTitle": "system.Dataset"}, "metadata": {}}
    given = {
        "inputs": {
            "artifacts": {
                name: {"artifacts": [{**artifact, "uri": str(tables / file)}]}
                for name, file in (("collisions", "collision.parquet"), ("vehicles", "vehicle.parquet"))
            },
            "parameterValues": {"unit": "vehicle", "target": "ksi"},
        },
        "outputs": {
            "artifacts": {"clean_data": {"artifacts": [{**artifact, "uri": str(tmp_path / "deep/er/clean")}]}},
            "outputFile": str(tmp_path / "executor_output.json"),
        },
    }
    done = roadsafety("step", "preprocess_collisions", "--clean-data", "x", "--executor-input", json.dumps(given))
    assert done.returncode == 0, done.stderr
    output = json.loads((tmp_path / "executor_output.json").read_text())["artifacts"]["clean_data"]["artifacts"][0]
    assert output["metadata"]["target"] == "ksi"
    assert output["metadata"]["rows"] == pq.read_metadata(tmp_path / "deep/er/clean").num_rows


@pytest.mark.parametrize("name", components.STEPS)
def test_help_is_the_steps_own_docstring(roadsafety, name):
    """Every flag with its description, its type, its default."""
    from roadsafety_components.packaging.interface import interface_of

    done = roadsafety("step", name, "--help")
    text = " ".join(done.stdout.replace("│", " ").split())
    assert done.returncode == 0
    for port in (*interface_of(components.STEPS[name]).inputs, *interface_of(components.STEPS[name]).outputs):
        assert "--" + port.name.replace("_", "-") in text
        assert port.description in text
    assert "(default: 0)" in text or name not in ("train_classifier", "split_dataset")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("preprocess_collisions --clean-data x", "--collisions must be given"),
        ("preprocess_collisions --collisions no.parquet --clean-data x", "collision: there is no file at"),
        ("preprocess_collisions --collisions {t}/collision.parquet --clean-data x", "the vehicle table is needed"),
        (
            "preprocess_collisions --collisions {t}/collision.parquet --vehicles {t}/vehicle.parquet --clean-data x "
            "--keep-location perhaps",
            "--keep-location: 'perhaps' is not of type bool",
        ),
        ("preprocess_collisions --collisions {t}/collision.parquet --unit collision --clean-data /dev/null/x",
         "cannot write to /dev/null"),
        ("generate_stats19_sample --collision-file a --vehicle-file b --casualty-file c --collisions 0", "collisions"),
        ("generate_stats19_sample --collision-file a --vehicle-file b --casualty-file c --years 2024",
         "--years: '2024' is not of type list"),
        ("train_classifier --train-data {t}/collision.parquet --target-column severity --model m",
         "there is no target column 'severity'. Nearest name: collision_severity."),
        ("split_dataset --data {t}/collision.parquet --target-column collision_severity --group-column collision_index "
         "--test-share 1.5 --train-data a --validation-data b --test-data c", "test_share is 1.5"),
        ("evaluate_classifier --model {t}/collision.parquet --test-data {t}/collision.parquet --metrics m "
         "--classification-metrics c --report r", "is not a skops file"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_exit_code_2_and_leaves_nothing(roadsafety, tables, tmp_path, words, message):
    """The message says what is wrong; no output, not even half of one."""
    done = roadsafety("step", *words.format(t=tables).split())
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("Input error: ")
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_a_value_may_have_a_bare_name(roadsafety, tmp_path):
    """In the folder one is in, as every other output; outputs that are not named are not kept."""
    done = roadsafety("step", "sample_candidates", "--number", "2", "--candidates", "c.json")
    assert done.returncode == 0, done.stderr
    assert [c["id"] for c in json.loads((tmp_path / "c.json").read_text())] == [0, 1]
    done = roadsafety("step", "sample_candidates", "--number", "2")
    assert (done.returncode, done.stderr) == (
        2, "Input error: step sample_candidates: --candidates must be given; see --help.\n",
    )  # fmt: skip


def test_a_spec_of_other_code_is_refused(roadsafety):
    """The container packaging names the code that it was compiled from; the right name is accepted."""
    words = containers.STEPS["choose_champion"].component_spec.implementation.container.args
    code = words[words.index("--code") + 1]
    done = roadsafety("step", "choose_champion", "--code", code, "--uri", "u")
    assert (done.returncode, done.stderr.count("compiled from other code")) == (2, 0)  # only an input is missing
    done = roadsafety("step", "choose_champion", "--code", "0123456789abcdef", "--uri", "u")
    assert done.returncode == 2
    assert done.stderr.startswith("Input error: the spec of choose_champion was compiled from other code (01234567")


def test_kfps_runtime_is_enough_of_kfp(tables, tmp_path):
    """With _KFP_RUNTIME=true, as in the image, a step runs without the SDK's compiler and its dependencies."""
    blocked = "import sys\nfor name in ('kubernetes', 'google.protobuf', 'docstring_parser', 'yaml', 'kfp.compiler'):\n"
    blocked += "    sys.modules[name] = None\n"
    script = blocked + "from roadsafety_components.cli import main\nmain()\n"
    done = subprocess.run(
        [sys.executable, "-c", script, "step", "preprocess_collisions", "--unit", "collision",
         "--collisions", tables / "collision.parquet", "--clean-data", tmp_path / "clean.parquet"],
        env={**os.environ, "_KFP_RUNTIME": "true"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "clean.parquet").exists()


def test_the_commands_own_name_may_come_first(roadsafety):
    """Where an image's entry point stays in force, a container component's command names it once more."""
    assert roadsafety("roadsafety", "--version").stdout == roadsafety("--version").stdout != ""
