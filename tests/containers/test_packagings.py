"""Both packagings side by side, and a lightweight step as a cluster runs it: its own command in a bare image."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest
from kfp import compiler, dsl

from roadsafety_components import containers, spec_path
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.sample import write_sample
from roadsafety_components.core.schema import TABLES
from roadsafety_components.packaging import local
from roadsafety_components.packaging.images import IMAGE

pytestmark = pytest.mark.container
SMALL = {"n_estimators": 5}


def _run(pipeline, folder, source, runner, **arguments):
    run = local.run_pipeline(
        spec_path(pipeline), {"source": str(source), **SMALL, **arguments}, folder / "artifacts", folder / "steps.log",
        runner, readable=[Path(source)],
    )  # fmt: skip
    return run


def _compare(one, other):
    """Artifacts of two runs: the same Parquet bytes, the same metadata, the same report."""
    assert list(one.artifacts) == list(other.artifacts)
    for name, artifact in one.artifacts.items():
        if name.endswith(".model"):  # a zip keeps times
            assert _without_digest(artifact["metadata"]) == _without_digest(other.artifacts[name]["metadata"])
            continue
        assert artifact["metadata"] == other.artifacts[name]["metadata"], name
        if not name.endswith(".report"):  # it names the model file's digest
            assert _digest(artifact) == _digest(other.artifacts[name]), name


def _without_digest(metadata):
    return {k: v for k, v in metadata.items() if k != "sha256"}


def _digest(artifact):
    path = Path(artifact["uri"])
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


@pytest.fixture(scope="module")
def subprocess_run(sample, tmp_path_factory):
    """Return the lightweight pipeline's run in this Python."""
    run = _run("road_safety_pipeline", tmp_path_factory.mktemp("subprocess"), sample, "subprocess")
    assert run.failed is None
    return run


def test_containers_give_the_same_bytes_and_metrics(image, sample, subprocess_run, tmp_path):
    """The container packaging under DockerRunner against the lightweight one under SubprocessRunner."""
    run = _run("road_safety_container_pipeline", tmp_path, sample, "docker")
    assert run.failed is None, run.failed
    assert [s.name for s in run.steps] == [s.name for s in subprocess_run.steps]
    _compare(subprocess_run, run)


def test_lightweight_steps_run_in_a_bare_image_pip_and_all(base_image, sample, subprocess_run, tmp_path):
    """As on a cluster: the spec's own command, nothing of ours in the image, everything installed by pip."""
    run = _run("road_safety_pipeline", tmp_path, sample, "docker")
    assert run.failed is None, run.failed
    _compare(subprocess_run, run)


@pytest.mark.parametrize("pipeline", ["road_safety_pipeline", "road_safety_container_pipeline"])
def test_a_step_that_fails_in_a_container_fails_the_run(image, base_image, sample, tmp_path, pipeline):
    """KFP's own DockerRunner calls it a success; here it ends the run with the step's message."""
    run = _run(pipeline, tmp_path, sample, "docker", unit="lorry")
    assert [s.name for s in run.steps] == ["load_stats19", "harmonise_stats19", "preprocess_collisions"]
    assert (run.failed.exit_code, run.failed.message) == (
        2,
        "Input error: unit is 'lorry'; it can be vehicle, collision, casualty.",
    )
    assert local.exit_code(run) == 2
    assert run.artifacts == {}


@pytest.mark.real_data
def test_west_yorkshire_goes_through_the_containers(image, west_yorkshire, tmp_path):
    """The real tables, in the container packaging, to a report."""
    run = _run("road_safety_container_pipeline", tmp_path, west_yorkshire, "docker", n_estimators=20)
    assert run.failed is None, run.failed
    assert run.artifacts["preprocess-collisions.clean_data"]["metadata"]["rows"] == 7355
    assert json.dumps(run.artifacts["evaluate-classifier.metrics"]["metadata"]["balanced_accuracy"])
    assert Path(run.artifacts["evaluate-classifier.report"]["uri"]).read_text().lower().startswith("<!doctype html>")


@pytest.mark.parametrize("given", ["--data", "--param"])
def test_the_command_lets_containers_read_the_data(image, sample, tmp_path, given):
    """However the folder is named, it is there in the container, at its own path."""
    words = ["--data", str(sample)] if given == "--data" else ["--param", f"source={sample}"]
    command = [sys.executable, "-m", "roadsafety_components.cli", "run", "road_safety_container_pipeline"]
    done = subprocess.run(
        [*command, "--runner", "docker", "--output", tmp_path / "out", "--param", "n_estimators=5", *words],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok    evaluate_classifier" in done.stdout


def test_lists_folders_and_decisions_go_through_containers(image, tmp_path):
    """A loop's datasets become one folder by year, a step's word decides what runs next."""
    raw = tmp_path / "raw"
    for year in (2023, 2024):
        (raw / str(year)).mkdir(parents=True)
        write_sample(200, {t: raw / str(year) / f"{t}-{year}.csv" for t in TABLES}, years=[year])
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)

    @dsl.pipeline(name="layer")
    def layer(years: List[int] = [2023, 2024]):
        files = dsl.importer(artifact_uri=str(raw), artifact_class=dsl.Dataset)
        with dsl.ParallelFor(years) as year:
            loaded = containers.load_stats19(raw_files=files.output, year=year)
        merged = containers.merge_datasets(parts=dsl.Collected(loaded.outputs["collisions"]))
        containers.validate_stats19(collisions=merged.outputs["merged"])
        compared = containers.profile_changes(
            reference=merged.outputs["merged"], current=merged.outputs["merged"], refuse_on=["rows"]
        )
        with dsl.If(compared.outputs["decision"] == "accept"):
            containers.label_stats19(data=merged.outputs["merged"])
        with dsl.Else():
            containers.generate_stats19_sample()

    compiler.Compiler().compile(layer, str(tmp_path / "layer.yaml"))
    run = local.run_pipeline(
        tmp_path / "layer.yaml", {}, tmp_path / "artifacts", tmp_path / "log", "docker", readable=[raw]
    )
    assert run.failed is None, run.failed
    names = [s.name for s in run.steps]
    assert sorted(names[:2]) == ["load_stats19", "load_stats19"]
    assert names[2] == "merge_datasets"
    assert sorted(names[3:]) == ["label_stats19", "profile_changes", "validate_stats19"]
    assert names.index("label_stats19") > names.index("profile_changes")
    assert run.artifacts["merge-datasets.merged"]["metadata"]["rows_by_year"] == {"2023": 200, "2024": 200}
    labelled = next(a for name, a in run.artifacts.items() if name.endswith("label-stats19.labelled_data"))
    assert labelled["metadata"]["rows"] == 400


def test_an_image_that_is_nowhere_is_said(engine, sample, tmp_path):
    """No traceback of a client library: the image's name and how to get it."""
    spec = tmp_path / "spec.yaml"
    spec.write_text(spec_path("road_safety_container_pipeline").read_text().replace(IMAGE, "no-such-image:0"))
    with pytest.raises(InputError, match=r"the image no-such-image:0 is not on this machine .*`make image`"):
        local.run_pipeline(spec, {"source": str(sample)}, tmp_path / "artifacts", tmp_path / "log", "docker")
