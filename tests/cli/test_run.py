"""`roadsafety run`: a pipeline on this machine."""

import json
import re

import pytest

from roadsafety_components.core.model import read_model


def _run(roadsafety, *words):
    return roadsafety("run", "--output", "out", "--param", "n_estimators=5", *words)


def test_the_main_job_on_a_folder(roadsafety, sample, tmp_path):
    """One line a step, headline metrics, the report's path, the log's path; all in the output folder."""
    done = _run(roadsafety, "--data", sample)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [re.sub(r" +\d+\.\d s$", "", line) for line in lines[:6]] == [
        "ok    load_stats19",
        "ok    harmonise_stats19",
        "ok    preprocess_collisions",
        "ok    split_dataset",
        "ok    train_classifier",
        "ok    evaluate_classifier",
    ]
    assert re.search(r"balanced_accuracy +0\.\d{3}", done.stdout)
    assert "Report: out/evaluate-classifier-report.html" in lines
    assert "Report: out/train-classifier-report.md" in lines
    (model,) = (line.removeprefix("Model: ") for line in lines if line.startswith("Model: "))
    assert read_model(model)[1]["target_column"] == "severity"
    assert (tmp_path / "out/train-classifier-report.md").read_text().startswith("# Training: severity by random forest")
    page = (tmp_path / "out/evaluate-classifier-report.html").read_text()
    assert "SYNTHETIC" in page
    assert "load_stats19" in (tmp_path / "out/steps.log").read_text()


def test_without_data_a_sample_is_made(roadsafety, tmp_path):
    """--sample N makes N synthetic collisions first."""
    done = _run(roadsafety, "--sample", 400)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("ok    sample of 400 synthetic collisions")
    assert len((tmp_path / "out/sample/synthetic-collision.csv").read_text().splitlines()) == 401


def test_a_step_that_refuses_its_input_fails_the_run_with_its_own_message(roadsafety, sample):
    """Exit code 2, the step's line, its message, the log; nothing after it runs."""
    done = _run(roadsafety, "--data", sample, "--param", "unit=lorry")
    assert done.returncode == 2
    assert re.sub(r" +\d+\.\d s", "", done.stdout).splitlines() == [
        "ok    load_stats19",
        "ok    harmonise_stats19",
        "FAIL  preprocess_collisions",
        "Input error: unit is 'lorry'; it can be vehicle, collision, casualty.",
        "Full log: out/steps.log",
    ]


def test_a_step_that_breaks_fails_the_run_with_code_1(roadsafety, tmp_path):
    """A bug in a user's own step: exit code 1, the end of its traceback, nothing installed."""
    pipeline = tmp_path / "broken_pipeline.py"
    pipeline.write_text(
        "from kfp import dsl\n\n@dsl.component(base_image='python:3.11-slim')\ndef broken_step():\n"
        "    raise KeyError('lost')\n\n@dsl.pipeline(name='broken')\ndef broken_pipeline():\n    broken_step()\n"
    )
    done = roadsafety("run", pipeline, "--output", "out")
    assert done.returncode == 1
    assert "FAIL  broken_step" in done.stdout
    assert "KeyError: 'lost'" in done.stdout
    assert "Traceback" in (tmp_path / "out/steps.log").read_text()


def test_warnings_of_a_step_are_shown_under_its_line(roadsafety, sample):
    """A leaking split says so where the scores are read."""
    done = _run(roadsafety, "--data", sample, "--param", "split_method=row_leaky")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if "split_dataset" in line)
    assert lines[at + 1].strip().startswith("WARNING: row_leaky puts rows of one group on both sides.")


def test_a_failed_run_leaves_no_report_of_an_earlier_one(roadsafety, sample, tmp_path):
    """What lies in the folder is of the run that was asked for."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out/my-report.html").write_text("mine")
    assert _run(roadsafety, "--data", sample).returncode == 0
    assert len(list((tmp_path / "out").glob("*.html"))) == 2
    assert _run(roadsafety, "--data", sample, "--param", "unit=lorry").returncode == 2
    assert [p.name for p in (tmp_path / "out").iterdir() if p.suffix in (".html", ".md")] == ["my-report.html"]


def test_the_readmes_own_pipeline_runs(roadsafety, sample, checkout, tmp_path):
    """The example is taken from the README; its file may have any name."""
    code = (checkout / "README.md").read_text().split("```python\n")[1].split("```")[0]
    (tmp_path / "readme.py").write_text(code)
    done = roadsafety("run", "readme.py", "--data", sample, "--output", "out")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok    evaluate_classifier" in done.stdout


def test_loops_and_steps_without_artifacts(roadsafety, sample, tmp_path):
    """Both evaluations of a loop are shown, each under its own name; a step may return a plain value."""
    (tmp_path / "loop.py").write_text(
        "from kfp import dsl\n"
        "from roadsafety_components import *\n\n"
        "@dsl.component(base_image='python:3.11-slim')\n"
        "def note(text: str) -> str:\n    return text\n\n"
        "@dsl.pipeline(name='loop')\n"
        "def loop(source: str):\n"
        "    note(text='a')\n"
        "    loaded = load_stats19(source=source)\n"
        "    clean = preprocess_collisions(collisions=loaded.outputs['collisions'], unit='collision', target='ksi')\n"
        "    parts = split_dataset(data=clean.outputs['clean_data'], target_column='ksi',\n"
        "                          group_column='collision_index')\n"
        "    with dsl.ParallelFor(['random_forest', 'hist_gradient_boosting']) as algorithm:\n"
        "        trained = train_classifier(train_data=parts.outputs['train_data'], target_column='ksi',\n"
        "                                   algorithm=algorithm, n_estimators=5)\n"
        "        evaluate_classifier(model=trained.outputs['model'], test_data=parts.outputs['test_data'])\n"
    )
    done = roadsafety("run", "loop.py", "--data", sample, "--output", "out")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("balanced_accuracy") == 2
    assert len(list((tmp_path / "out").glob("*-report.html"))) == 2


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("broken.py", "def (", "broken.py cannot be compiled: SyntaxError"),
        ("empty.py", "x = 1\n", "empty.py cannot be compiled: it defines no pipeline"),
        ("broken.yaml", "a: [1\n", "broken.yaml is not a compiled pipeline"),
        ("other.yaml", "a: 1\n", "other.yaml is not a compiled pipeline"),
    ],
)
def test_a_file_that_is_no_pipeline_is_said(roadsafety, tmp_path, name, text, message):
    """A mistake in a user's file is no bug of the command: one line, exit code 2."""
    (tmp_path / name).write_text(text)
    done = roadsafety("run", name, "--sample", 5)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_package_that_is_not_here_is_named_and_not_installed(roadsafety, tmp_path):
    """A laptop run never changes the environment."""
    pipeline = tmp_path / "needy_pipeline.py"
    pipeline.write_text(
        "from kfp import dsl\n\n"
        "@dsl.component(base_image='python:3.11-slim',\n"
        "               packages_to_install=['no-such-thing==1.0', 'git+https://example.org/x'])\n"
        "def needy_step():\n    pass\n\n@dsl.pipeline(name='needy')\ndef needy_pipeline():\n    needy_step()\n"
    )
    done = roadsafety("run", pipeline)
    assert done.returncode == 2
    assert "no-such-thing==1.0 (not installed)" in done.stderr
    assert "git+https://example.org/x (not a name with a version: it cannot be checked here)" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere_pipeline"], "there is no pipeline 'nowhere_pipeline'; there are breast_cancer_pipeline, "),
        (["nowhere.yaml"], "there is no file nowhere.yaml"),
        (["--data", "nowhere"], "--data nowhere: there is no such folder"),
        (["--data", ".", "--sample", 5], "give --data or --sample, not both"),
        (["--runner", "podman"], "--runner is 'podman'"),
        (["--param", "unit"], "write it as name=value"),
        (["--param", "n_estimators=many"], "parameter n_estimators: 'many' is not of type int"),
        (["--param", "colour=red", "--sample", 5], "the pipeline has no parameter colour; it has "),
        (["breast_cancer_pipeline", "--sample", 5], "for a pipeline with a parameter source"),
        (["road_safety_container_pipeline", "--sample", 5], "this pipeline runs containers"),
        (["--output", "/dev/null/x"], "cannot write to /dev/null/x"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line_and_exit_code_2(roadsafety, words, message):
    """Nothing is run; the message says what is wrong."""
    done = roadsafety("run", *words)
    assert done.returncode == 2, done.stdout
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_list_shows_every_step_and_pipeline(roadsafety, checkout):
    """Names, types, defaults and descriptions, from the catalogue."""
    catalog = json.loads((checkout / "component_specs/catalog.json").read_text())
    text = roadsafety("list").stdout
    for step in catalog["steps"]:
        assert f"{step['name']}  {step['version']}, {step['stability']}" in text
    assert "-> clean_data: Dataset  Identifiers, the target column and the features, Parquet." in text
    assert all(p["name"] in text for p in catalog["pipelines"])
