"""What every step takes, for the profiles of roadsafety_components.kubernetes: `make profiles`, an hour of a core.

Each step runs as its compiled command does in a pod, but for pip, on one thread; its process tree is watched. What is
measured is written to kubernetes/measured.json and docs/kubernetes.md. Needs the real records and 15 GB of disk.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, List  # noqa: UP035

import pytest
import yaml
from kfp import dsl
from kfp.dsl import Dataset, Markdown, Model

from roadsafety_components import components, spec_path
from roadsafety_components.core.estimators import Settings
from roadsafety_components.core.model_writer import write_model
from roadsafety_components.core.schema import TABLES
from roadsafety_components.core.train import train_classifier
from roadsafety_components.core.words import stats19_groups, stats19_labels
from roadsafety_components.kubernetes import profiles
from roadsafety_components.packaging import local, specs

from ..core.registry_api import Registry
from .test_prediction import _data
from .test_prediction import model as model_of_rows  # noqa: F401
from .test_scale import FILE, _serve
from .test_serving import LEFT_OUT, training_rows

pytestmark = [pytest.mark.benchmark, pytest.mark.scale]
CHECKOUT = Path(__file__).parents[2]
MEASURED = CHECKOUT / "src/roadsafety_components/kubernetes/measured.json"
PAGE, BEGIN, END = CHECKOUT / "docs/kubernetes.md", "<!-- measured: make profiles -->\n", "<!-- end -->\n"
YEARS = list(range(1979, 2025))
# Small itself: what a process is started from counts in its peak. Seconds are those in which it was not kept waiting
# for a core by others; memory is that of the whole tree.
_WATCH = """
import json, os, resource, subprocess, sys, time

def tree(pid):
    try:
        below = open(f"/proc/{pid}/task/{pid}/children").read().split()
        for thread in os.listdir(f"/proc/{pid}/task"):
            kept = waited if thread == str(pid) else waited_beside
            kept[thread] = int(open(f"/proc/{pid}/task/{thread}/schedstat").read().split()[1])
        pages = int(open(f"/proc/{pid}/statm").read().split()[1])
    except OSError:  # it has just ended
        return 0
    return pages + sum(map(tree, below))

began, waited, waited_beside, most = time.perf_counter(), {}, {"none": 0}, 0
step = subprocess.Popen(sys.argv[2:])
while step.poll() is None:
    most = max(most, tree(step.pid))
    time.sleep(0.05)
# Threads beside the main one work side by side while that one sleeps.
seconds = time.perf_counter() - began - (sum(waited.values()) + max(waited_beside.values())) / 1e9
used = resource.getrusage(resource.RUSAGE_CHILDREN)
memory = max(most * resource.getpagesize(), used.ru_maxrss * 1024)
with open(sys.argv[1], "a") as file:
    print(json.dumps([memory, used.ru_utime + used.ru_stime, seconds]), file=file)
sys.exit(step.returncode)
"""
_NAME = re.compile(r"--function_to_execute\n(\w+)")


@dsl.pipeline(name="all-the-others")
def the_others(
    table: str,
    model: str,
    card: str,
    test_data: str,
    folder: str,
    collisions: int,
    years: List[int],  # noqa: UP006
) -> None:
    """Run the steps that the other pipelines do not have, or have behind a condition, at their defaults."""
    rows = dsl.importer(artifact_uri=table, artifact_class=Dataset).output
    held = dsl.importer(artifact_uri=test_data, artifact_class=Dataset).output
    fitted = dsl.importer(artifact_uri=model, artifact_class=Model).output
    components.generate_stats19_sample(collisions=collisions, years=years)
    components.profile_changes(reference=rows, current=rows)
    components.label_stats19(data=rows)
    components.inspect_answers(model=fitted, test_data=held, labels=stats19_labels())
    components.explain_predictions(model=fitted, data=held, groups=stats19_groups(), labels=stats19_labels())
    page = dsl.importer(artifact_uri=card, artifact_class=Markdown).output
    components.promote_model(model=fitted, card=page, folder=folder)


@dsl.pipeline(name="sample")
def sample(collisions: int, years: List[int]) -> None:  # noqa: UP006
    """Make the synthetic history."""
    components.generate_stats19_sample(collisions=collisions, years=years)


@dsl.pipeline(name="changes")
def changes(table: str) -> None:
    """Compare the merged vehicles, the largest table, with themselves."""
    rows = dsl.importer(artifact_uri=table, artifact_class=Dataset).output
    components.profile_changes(reference=rows, current=rows)


@dsl.pipeline(name="prediction")
def prediction(model: str, data: str) -> None:
    """Score many rows."""
    rows = dsl.importer(artifact_uri=data, artifact_class=Dataset).output
    components.predict_batch(model=dsl.importer(artifact_uri=model, artifact_class=Model).output, data=rows)


class Watched:
    """Pipelines run in a folder with every step watched; what the largest of a step's processes took, by step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.few_rounds = False
        self.steps: dict[str, dict[str, float]] = {}

    def run(self, pipeline: Any, **arguments: Any) -> Mapping[str, Any]:
        """Run a pipeline (an object, or the name of a compiled one); return the paths of its artifacts."""
        spec = pipeline if isinstance(pipeline, str) else pipeline.name
        path = self.folder / f"{spec}.yaml"
        text = spec_path(spec).read_text() if isinstance(pipeline, str) else specs.compile_readable(pipeline)
        path.write_text(_with_few_rounds(text) if self.few_rounds else text)
        run = local.run_pipeline(path, arguments, self.folder / spec, self.folder / "log", ended=print)
        assert run.failed is None, run.failed
        return {name: artifact["uri"] for name, artifact in run.artifacts.items()}

    def step(self, command: list[str], **options: Any) -> Any:
        """Run a step's process in place of subprocess.run."""
        # Rounds of a loop run side by side.
        name, file = _NAME.search("\n".join(command))[1], self.folder / f"{os.urandom(8).hex()}.json"
        done = subprocess.run([sys.executable, "-ISc", _WATCH, str(file), *command], **options)  # noqa: PLW1510
        memory, cpu, seconds = json.loads(file.read_text())
        most = self.steps.setdefault(name, {"memory_bytes": 0, "cpu_seconds": 0.0, "seconds": 0.0})
        most["memory_bytes"] = max(most["memory_bytes"], memory)
        if cpu > most["cpu_seconds"]:
            most |= {"cpu_seconds": round(cpu, 2), "seconds": round(seconds, 2)}
        return done

    def write(self, profile: str, data: str) -> None:
        """Put what was measured into the file, in the order of the library; other steps of the profile stay."""
        steps = _there().get(profile, {}).get("steps", {}) | self.steps
        _write(profile, {"data": data, "steps": {n: steps[n] for n in components.STEPS if n in steps}})


def _there() -> dict[str, Any]:
    return json.loads(MEASURED.read_text()) if MEASURED.is_file() else {}


def _write(name: str, found: dict[str, Any]) -> None:
    there = _there() | {name: found}
    order = ("install", *profiles.PROFILES)
    MEASURED.write_text(json.dumps({n: there[n] for n in order if n in there}, indent=2) + "\n")
    profiles.measured.cache_clear()


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """Return what runs pipelines: one thread a step."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # OpenMP, OpenBLAS and pyarrow keep to it
    watched = Watched(tmp_path)
    monkeypatch.setattr(local, "subprocess", SimpleNamespace(run=watched.step, STDOUT=subprocess.STDOUT))
    yield watched
    subprocess.run(["rm", "-rf", tmp_path], check=True)


def _with_few_rounds(text: str) -> str:
    """A spec whose boosting has a fifth of its rounds where nobody says how many: they take time, not memory."""
    for default in ("n_estimators: int = 500", "defaultValue: 500.0"):
        text = text.replace(default, default.replace("500", "100"))
    return text


def _one_year(watched: Watched, folder: Path, year: int, collisions: int, **files: Any) -> None:
    """Every step but the serving ones on one year: as in the pipelines, but one candidate, the defaults, not nine."""
    server = _serve(folder)
    base_url = f"http://127.0.0.1:{server.server_port}/"
    watched.run(
        "stats19_history_pipeline", releases=[str(year)], years=[year], base_url=base_url,
        allow_private_addresses=True, **files,
    )  # fmt: skip
    server.shutdown()
    server.server_close()
    trained = watched.run("severity_training_pipeline", source=str(folder), split_method="group", candidates=1)
    model, held = trained["calibrate-classifier.calibrated_model"], trained["split-dataset.test_data"]
    watched.run("severity_monitoring_pipeline", source=str(folder), model=model, reference=held)
    watched.run(
        the_others,
        table=trained["engineer-features.features"],
        model=trained["train-classifier-2.model"],
        card=trained["build-model-card.card"],
        test_data=held,
        folder=str(watched.folder / "champion"),
        collisions=collisions,
        years=[year],
    )


def test_install(tmp_path: Path) -> None:
    """The pip install that a lightweight step begins with, of train_classifier, into an empty environment."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    spec = yaml.safe_load(spec_path("train_classifier").read_text())
    command = spec["deploymentSpec"]["executors"]["exec-train-classifier"]["container"]["command"]
    here = {**os.environ, "PATH": f"{tmp_path / 'venv/bin'}:{os.environ['PATH']}"}
    watch = [sys.executable, "-ISc", _WATCH, str(tmp_path / "found.json"), *command[:3], "true"]
    subprocess.run(watch, env=here, check=True)
    memory, cpu, seconds = json.loads((tmp_path / "found.json").read_text())
    _write("install", {"memory_bytes": memory, "cpu_seconds": round(cpu, 2), "seconds": round(seconds, 2)})


def test_small(watched: Watched, west_yorkshire: Path) -> None:
    """All steps on West Yorkshire 2024."""
    _one_year(watched, west_yorkshire, 2024, 5_000)
    watched.write("small", "West Yorkshire 2024")


def test_national_year(watched: Watched, great_britain: Path) -> None:
    """All steps on Great Britain 2015; boosting of 100 rounds in place of 500, see the test of memory by rounds."""
    watched.few_rounds = True
    names = {"collision": "Accidents", "vehicle": "Vehicles", "casualty": "Casualties"}
    name = "RoadSafetyData_{table}_{release}.zip"
    _one_year(watched, great_britain, 2015, 140_000, file_name=name, table_names=names)
    watched.write("national-year", "Great Britain 2015")


def test_full_history(watched: Watched, tmp_path: Path, model_of_rows: Path) -> None:  # noqa: F811
    """The steps that are made for many years, on nine million synthetic collisions and on ten million rows."""
    made = watched.run(sample, collisions=9_000_000, years=YEARS)
    for table in TABLES:
        os.link(made[f"generate-stats19-sample.{table}_file"], tmp_path / FILE.format(table=table))
    subprocess.run(["rm", "-rf", tmp_path / "sample"], check=True)
    server = _serve(tmp_path)
    merged = watched.run(
        "stats19_history_pipeline", releases=["1979-latest"], years=YEARS,
        base_url=f"http://127.0.0.1:{server.server_port}/", allow_private_addresses=True,
    )  # fmt: skip
    server.shutdown()
    server.server_close()
    watched.run(changes, table=merged["merge-datasets-2.merged"])
    watched.run(prediction, model=str(model_of_rows), data=str(_data(tmp_path, 10_000_000)))
    watched.write("full-history", "synthetic 1979-2024, 9 million collisions; predict_batch 10 million rows")


@pytest.mark.parametrize("profile", ["small", "national-year"])
def test_serving(profile: str, watched: Watched, request: pytest.FixtureRequest) -> None:
    """A boosting of 500 rounds exported, entered in a registry on this machine, and its manifest written."""
    folder, data = {
        "small": ("west_yorkshire", "West Yorkshire 2024"),
        "national-year": ("great_britain", "Great Britain 2015"),
    }[profile]
    rows = training_rows(request.getfixturevalue(folder))
    # In a pod folds would choose fewer rounds: these are the most that there can be.
    write_model(*train_classifier(rows, "ksi", Settings(), LEFT_OUT, folds=0)[:2], watched.folder / "model.skops")
    registry = Registry()
    registry.start()
    watched.run(
        "serve_model_pipeline", model=str(watched.folder / "model.skops"), name="severity", namespace="models",
        model_uri="s3://models/severity", registry=registry.url,
    )  # fmt: skip
    registry.stop()
    assert set(watched.steps) == {"export_model", "register_model", "deploy_kserve"}
    watched.write(profile, data)


def test_memory_does_not_depend_on_rounds(watched: Watched, west_yorkshire: Path) -> None:
    """What allows test_national_year its few."""
    peaks = []
    for watched.few_rounds in (False, True):
        watched.run("severity_training_pipeline", source=str(west_yorkshire), split_method="group", candidates=1)
        peaks.append({name: watched.steps[name]["memory_bytes"] for name in ("score_candidate", "train_classifier")})
        watched.steps.clear()
    for name, most in peaks[0].items():
        print(f"\n  {name}: 500 rounds {most / 1e6:.0f} MB, 100 rounds {peaks[1][name] / 1e6:.0f} MB")
        assert peaks[1][name] > 0.95 * most


def test_page() -> None:
    """docs/kubernetes.md shows what was measured."""
    begin, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(begin + BEGIN + profiles.table() + END + rest.partition(END)[2])
