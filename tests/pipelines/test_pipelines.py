"""The pipelines: compiled as a user compiles them, run, built from YAML alone."""

import functools
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from kfp import compiler, dsl
from kfp.components import load_component_from_file

from roadsafety_components import components, spec_path
from roadsafety_components.core.sample import write_sample
from roadsafety_components.packaging import local

TABLES = ("collision", "vehicle", "casualty")
NAMES = [
    "breast_cancer_pipeline",
    "road_safety_container_pipeline",
    "road_safety_pipeline",
    "road_safety_sample_pipeline",
    "serve_model_pipeline",
    "severity_monitoring_pipeline",
    "severity_training_pipeline",
    "stats19_history_pipeline",
    "tune_classifier_pipeline",
]


def _run(spec, folder, **arguments):
    run = local.run_pipeline(spec, arguments, folder / "artifacts", folder / "steps.log")
    assert run.failed is None, run.failed.message
    return run


@pytest.fixture
def served(tmp_path) -> Iterator[tuple[Path, str]]:
    """Return a folder and the address on this machine at which a web server shows it."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_every_pipeline_is_listed_here(checkout):
    """A new file in pipelines/ is compiled and run by these tests too."""
    assert sorted(p.stem for p in (checkout / "pipelines").glob("*.py")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_kfp_dsl_compile_gives_the_committed_spec(name, checkout, tmp_path):
    """The command of the README, from another folder."""
    target = tmp_path / "x.yaml"
    done = subprocess.run(
        [Path(sys.executable).with_name("kfp"), "dsl", "compile", "--py", checkout / "pipelines" / f"{name}.py",
         "--output", target],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(target.read_text()) == yaml.safe_load(spec_path(name).read_text())


def test_both_packagings_have_the_same_parameters():
    """The container variant is the same pipeline, input for input."""
    light, heavy = (
        yaml.safe_load(spec_path(n).read_text()) for n in ("road_safety_pipeline", "road_safety_container_pipeline")
    )
    types = [
        {
            name: (p["parameterType"], p["defaultValue"])
            for name, p in s["root"]["inputDefinitions"]["parameters"].items()
        }
        for s in (light, heavy)
    ]
    assert types[0] == types[1]
    assert list(light["root"]["dag"]["tasks"]) == list(heavy["root"]["dag"]["tasks"])


def test_the_sample_pipeline_needs_no_data(tmp_path):
    """Synthetic from the first artifact to the report."""
    run = _run(spec_path("road_safety_sample_pipeline"), tmp_path, collisions=500, n_estimators=5)
    assert run.artifacts["generate-stats19-sample.collision_file"]["metadata"]["synthetic"] is True
    assert run.artifacts["load-stats19.collisions"]["metadata"]["rows"] == 500
    assert run.artifacts["train-classifier.model"]["metadata"]["synthetic"] is True
    assert "SYNTHETIC" in Path(run.artifacts["evaluate-classifier.report"]["uri"]).read_text()
    # The cluster's metadata store takes text, numbers, booleans, lists and structs; null is refused.
    assert "null" not in json.dumps([a["metadata"] for a in run.artifacts.values()])


@pytest.mark.parametrize("unit", ["collision", "casualty"])
@pytest.mark.parametrize("target", ["severity", "ksi"])
def test_other_units_and_targets_go_through(sample, tmp_path, unit, target):
    """Every unit and target reaches a report; here by year and with boosting."""
    run = _run(
        spec_path("road_safety_pipeline"), tmp_path, source=str(sample), unit=unit, target=target, split_method="year",
        algorithm="hist_gradient_boosting", class_weight="balanced", n_estimators=5,
    )  # fmt: skip
    parts = {p: run.artifacts[f"split-dataset.{p}_data"]["metadata"] for p in ("train", "test")}
    assert parts["train"]["unit"] == unit
    assert parts["test"]["split"]["shared_groups"] == 0
    metrics = run.artifacts["evaluate-classifier.metrics"]["metadata"]
    assert 0 < metrics["balanced_accuracy"] < 1
    matrix = run.artifacts["evaluate-classifier.classification_metrics"]["metadata"]
    assert ("confidenceMetrics" in matrix) == (target == "ksi")


def test_breast_cancer_reuses_the_generic_steps(tmp_path):
    """Loaded from YAML, on data that has nothing to do with roads; the tumours are told apart well."""
    run = _run(spec_path("breast_cancer_pipeline"), tmp_path)
    metrics = run.artifacts["evaluate-classifier.metrics"]["metadata"]
    assert metrics["roc_auc"] > 0.97
    assert metrics["balanced_accuracy"] > 0.9


# build_model_card knows the limits of STATS19, and tells them where the facts say that the data are such.
GENERIC = [
    n for n in list(components.STEPS)[list(components.STEPS).index("split_dataset") :] if n != "build_model_card"
]


@pytest.mark.parametrize("name", GENERIC)
def test_nothing_about_roads_leaks_into_the_generic_steps(name):
    """Neither interface nor carried source of the generic steps knows STATS19."""
    text = spec_path(name).read_text().lower().replace("roadsafety", "").replace("stats19_sample", "")
    found = [w for w in ("collision", "vehicle", "casualt", "severity", "accident") if w in text]
    assert found == []


def test_a_pipeline_of_the_yaml_files_alone(sample, tmp_path):
    """Another project needs the YAML and nothing else: load, preprocess, split, train, evaluate."""
    names = ("load_stats19", "preprocess_collisions", "split_dataset", "train_classifier", "evaluate_classifier")
    load, preprocess, split, train, evaluate = (load_component_from_file(str(spec_path(n))) for n in names)

    @dsl.pipeline(name="from-yaml")
    def from_yaml(source: str):
        loaded = load(source=source)
        clean = preprocess(collisions=loaded.outputs["collisions"], vehicles=loaded.outputs["vehicles"])
        parts = split(data=clean.outputs["clean_data"], target_column="severity", group_column="collision_index")
        trained = train(train_data=parts.outputs["train_data"], target_column="severity", n_estimators=5)
        evaluate(model=trained.outputs["model"], test_data=parts.outputs["test_data"])

    compiler.Compiler().compile(from_yaml, str(tmp_path / "from_yaml.yaml"))
    run = _run(tmp_path / "from_yaml.yaml", tmp_path, source=str(sample))
    assert [s.name for s in run.steps] == list(names)
    assert json.dumps(run.artifacts["evaluate-classifier.metrics"]["metadata"]["macro_f1"])


def test_engineered_features_reach_a_model(sample, tmp_path):
    """The pipeline of docs/features.md: what is known of the other vehicles stands beside the row, and is learned."""

    @dsl.pipeline(name="engineered")
    def engineered(source: str):
        loaded = components.load_stats19(source=source)
        same = components.harmonise_stats19(
            collisions=loaded.outputs["collisions"],
            vehicles=loaded.outputs["vehicles"],
            casualties=loaded.outputs["casualties"],
        )
        clean = components.preprocess_collisions(
            collisions=same.outputs["harmonised_collisions"],
            vehicles=same.outputs["harmonised_vehicles"],
            casualties=same.outputs["harmonised_casualties"],
            unit="casualty",
            target="ksi",
            keep_constant=True,
        )
        made = components.engineer_features(
            data=clean.outputs["clean_data"],
            collisions=same.outputs["harmonised_collisions"],
            vehicles=same.outputs["harmonised_vehicles"],
        )
        parts = components.split_dataset(
            data=made.outputs["features"], target_column="ksi", group_column="collision_index"
        )
        components.train_classifier(train_data=parts.outputs["train_data"], target_column="ksi", n_estimators=5)

    compiler.Compiler().compile(engineered, str(tmp_path / "engineered.yaml"))
    run = _run(tmp_path / "engineered.yaml", tmp_path, source=str(sample))
    before, after = (
        run.artifacts[n]["metadata"] for n in ("preprocess-collisions.clean_data", "engineer-features.features")
    )
    assert after["rows"] == before["rows"]
    features = run.artifacts["train-classifier.model"]["metadata"]["features"]
    assert {"other_group", "sun_elevation", "youngest_driver"} <= set(features)


def test_tables_imported_as_artifacts(sample, tmp_path):
    """dsl.importer brings files in, from a bucket or (here) a folder, and load_stats19 takes them by name."""
    load = load_component_from_file(str(spec_path("load_stats19")))

    @dsl.pipeline(name="imported")
    def imported(folder: str = "unused"):
        files = {
            f"{table}_file": dsl.importer(
                artifact_uri=str(sample / f"synthetic-{table}.csv"), artifact_class=dsl.Dataset
            ).output
            for table in ("collision", "vehicle", "casualty")
        }
        load(**files)

    compiler.Compiler().compile(imported, str(tmp_path / "imported.yaml"))
    run = _run(tmp_path / "imported.yaml", tmp_path)
    assert run.artifacts["load-stats19.collisions"]["metadata"]["rows"] == 600


def test_a_file_of_many_years_becomes_one_dataset_by_year(served, tmp_path, capsys):
    """Downloaded, cut, loaded year by year, merged and checked; one year of the file is not asked for."""
    folder, address = served
    name = "dft-road-casualty-statistics-{}-1979-latest-published-year.csv"
    write_sample(900, {table: folder / name.format(table) for table in TABLES}, years=[2019, 2020, 2021])
    run = _run(
        spec_path("stats19_history_pipeline"), tmp_path, releases=["1979-latest"], years=[2019, 2021], base_url=address,
        allow_private_addresses=True,
    )  # fmt: skip
    merged = [run.artifacts[f"merge-datasets{end}.merged"] for end in ("", "-2", "-3")]
    assert {a["metadata"]["table"]: a["metadata"]["years"] for a in merged} == {t: [2019, 2021] for t in TABLES}
    collisions = next(a for a in merged if a["metadata"]["table"] == "collision")
    assert collisions["metadata"]["rows_by_year"] == {"2019": 300, "2021": 300}
    assert sorted(p.name for p in Path(collisions["uri"]).glob("*=*")) == ["collision_year=2019", "collision_year=2021"]
    assert [s.name for s in run.steps].count("load_stats19") == 2
    assert Path(run.artifacts["validate-stats19.report"]["uri"]).read_text().startswith("<!DOCTYPE html>")
    # KFP's own talk is not for the screen, nor in the threads of a loop, which race for print to indent it.
    print("as before")
    assert capsys.readouterr().out == "as before\n"


def test_a_broken_link_stops_the_history(served, tmp_path):
    """The vehicles of some collisions are lost in the file: the gate names the rule, and what fail_on says decides."""
    folder, address = served
    name = "dft-road-casualty-statistics-{}-2024.csv"
    write_sample(300, {table: folder / name.format(table) for table in TABLES}, years=[2024])
    path = folder / name.format("vehicle")
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-20]))
    arguments = {"releases": ["2024"], "years": [2024], "base_url": address, "allow_private_addresses": True}
    spec = spec_path("stats19_history_pipeline")
    run = local.run_pipeline(spec, arguments, tmp_path / "artifacts", tmp_path / "log")
    assert (run.failed.name, run.failed.exit_code) == ("validate_stats19", 2)
    assert run.failed.message.startswith("Input error: ")
    assert "vehicle" in run.failed.message
    _run(spec, tmp_path, **arguments, fail_on=[])


@pytest.mark.real_data
def test_both_real_years_become_one_dataset(served, tmp_path, great_britain, west_yorkshire):
    """The published zips of 2015 and the files of 2024, served on this machine: one code list, nothing lost."""
    folder, address = served
    for table, word in zip(TABLES, ("Accidents", "Vehicles", "Casualties"), strict=True):
        shutil.copy(great_britain / f"RoadSafetyData_{word}_2015.zip", folder / f"{table}-2015")
        shutil.copy(west_yorkshire / f"dft-road-casualty-statistics-{table}-2024.csv", folder / f"{table}-2024")
    run = _run(
        spec_path("stats19_history_pipeline"), tmp_path, releases=["2015", "2024"], years=[2015, 2024],
        base_url=address, file_name="{table}-{release}", allow_private_addresses=True,
    )  # fmt: skip
    merged = [run.artifacts[f"merge-datasets{end}.merged"]["metadata"] for end in ("", "-2", "-3")]
    assert {m["table"]: m["rows_by_year"] for m in merged} == {
        "collision": {"2015": 140056, "2024": 4060},
        "vehicle": {"2015": 257845, "2024": 7355},
        "casualty": {"2015": 186189, "2024": 5240},
    }
    assert {m["generation"] for m in merged} == {"2024 and legacy"}
    assert {m["codes"] for m in merged} == {"2024"}


@pytest.mark.real_data
def test_west_yorkshire_from_csv_to_report(west_yorkshire, tmp_path):
    """The real 2024 tables through the compiled pipeline: nothing dropped, nothing shared."""
    run = _run(spec_path("road_safety_pipeline"), tmp_path, source=str(west_yorkshire), n_estimators=20)
    clean = run.artifacts["preprocess-collisions.clean_data"]["metadata"]
    assert (clean["rows"], clean["rows_dropped"], clean["synthetic"]) == (7355, {}, False)
    parts = [run.artifacts[f"split-dataset.{p}_data"]["metadata"]["rows"] for p in ("train", "test")]
    assert sum(parts) == 7355
    assert run.artifacts["split-dataset.test_data"]["metadata"]["split"]["shared_groups"] == 0


def test_the_notebook_runs_up_to_the_submit(checkout, tmp_path, monkeypatch):
    """Every cell executes; the last says how to submit, and does not."""
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.delenv("KFP_HOST", raising=False)
    (tmp_path / "docs").mkdir()
    notebook = nbformat.read(checkout / "docs/road_safety_pipeline.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path / "docs")}})
    client.execute()
    shown = "".join(o["text"] for c in notebook.cells if c.cell_type == "code" for o in c.outputs if "text" in o)
    assert [line.split()[0] for line in shown.splitlines() if line.endswith(" s")] == [
        "load_stats19",
        "preprocess_collisions",
        "split_dataset",
        "train_classifier",
        "evaluate_classifier",
    ]
    assert notebook.cells[-1].outputs[0]["text"] == "Set KFP_HOST to submit.\n"
