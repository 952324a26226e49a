"""Speed and memory, as ratios within one run: `make benchmark` prints them beside their targets.

They need the real records and are no part of `make test`; only a gross loss fails.
"""

import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from roadsafety_components import components, containers, spec_path
from roadsafety_components.core import clean, datasets, evaluate, model, model_writer, read, split, store, train
from roadsafety_components.core.estimators import Settings
from roadsafety_components.packaging import local, specs

from .baselines import floor, original_forest, original_matrix, original_preprocess
from .timing import best_seconds

pytestmark = [pytest.mark.benchmark, pytest.mark.real_data]


def _forest(table, trees: int = 100):
    """Fit the published pipeline's forest; return the model and its facts."""
    settings = Settings("random_forest", n_estimators=trees, min_samples_leaf=1)
    return train.train_classifier(table, "severity", settings, folds=0)[:2]


def _tell(text: str) -> None:
    print(f"\n  {text}")


@pytest.fixture(scope="module")
def unpacked(great_britain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the three tables of Great Britain 2015 as plain CSV."""
    folder = tmp_path_factory.mktemp("gb2015")
    for path in great_britain.glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
    return folder


def _load_and_preprocess(source: Path, folder: Path) -> None:
    """Do what the two steps do: three typed, checked tables written, read again, joined, written."""
    tables = read.load_tables(str(source), {})
    store.write_datasets(list(tables.values()), [folder / f"{name}.parquet" for name in tables])
    again = {name: datasets.read_dataset(folder / f"{name}.parquet") for name in ("collision", "vehicle")}
    store.write_dataset(clean.preprocess(again), folder / "clean.parquet")


def test_load_and_preprocess_against_the_original_and_the_floor(unpacked, great_britain, tmp_path):
    """At least 6 times faster than the original, within 2 times of the floor."""
    pair = unpacked / "Accidents_2015.csv", unpacked / "Vehicles_2015.csv"
    ours = best_seconds(lambda: _load_and_preprocess(unpacked, tmp_path))
    zipped = best_seconds(lambda: _load_and_preprocess(great_britain, tmp_path))
    least = best_seconds(lambda: floor(*pair, tmp_path / "floor.parquet"))
    _tell(f"load and preprocess, Great Britain 2015: {ours:.2f} s; from the published zips {zipped:.2f} s")
    _tell(f"floor {least:.2f} s: {ours / least:.2f} times the floor (target: at most 2)")
    assert ours < 4 * least
    original = best_seconds(lambda: original_preprocess(*pair, tmp_path / "original.joblib"), repeats=1)
    _tell(f"the original's way {original:.2f} s: {original / ours:.1f} times faster (target: at least 6)")
    assert original > 4 * ours


def _scores(table, method: str) -> tuple[float, float, float]:
    parts = split.split(table, "severity", "collision_index", method)
    fitted, facts = _forest(parts["train"])
    result = evaluate.evaluate_classifier(fitted, facts, parts["test"])
    return result.metrics["macro_f1"], result.metrics["balanced_accuracy"], result.metrics["accuracy"]


@pytest.mark.parametrize("place", ["west_yorkshire", "great_britain"])
def test_scores_of_the_forest_by_group_and_by_row(place, request):
    """The split by row flatters; the difference is leakage."""
    table = clean.preprocess(read.load_tables(str(request.getfixturevalue(place)), {}))
    group, row = _scores(table, "group"), _scores(table, "row_leaky")
    for name, (macro_f1, balanced, accuracy) in (("by group", group), ("by row", row)):
        _tell(f"{place}, split {name}: macro-F1 {macro_f1:.3f}, balanced accuracy {balanced:.3f}, "
              f"accuracy {accuracy:.3f}")  # fmt: skip
    assert row[0] > group[0]


def test_training_against_the_original_forest(unpacked, tmp_path):
    """All cores against the original's one, at equal accuracy."""
    original_preprocess(unpacked / "Accidents_2015.csv", unpacked / "Vehicles_2015.csv", tmp_path / "o.joblib")
    x, y = original_matrix(tmp_path / "o.joblib")
    rows = np.random.default_rng(0).permutation(len(x))
    x, y, cut = x[rows], y[rows], int(len(x) * 0.7)
    began = time.perf_counter()
    forest = original_forest(x[:cut], y[:cut])
    original = time.perf_counter() - began
    parts = split.split(clean.preprocess(read.load_tables(str(unpacked), {})), "severity", "collision_index")
    ours = best_seconds(lambda: _forest(parts["train"]), repeats=1)
    fitted, facts = _forest(parts["train"])
    result = evaluate.evaluate_classifier(fitted, facts, parts["test"])
    _tell(f"forest, {os.cpu_count()} cores: {ours:.1f} s, accuracy {result.metrics['accuracy']:.3f}; the original on "
          f"one core: {original:.1f} s, accuracy {accuracy_score(y[cut:], forest.predict(x[cut:])):.3f}: "
          f"{original / ours:.1f} times faster (target on four cores: 3.5)")  # fmt: skip
    began = time.perf_counter()
    model_writer.write_model(fitted, facts, tmp_path / "m.skops")
    wrote = time.perf_counter() - began
    size = (tmp_path / "m.skops").stat().st_size / 1e6
    _tell(f"skops file {size:.0f} MB: written in {wrote:.1f} s, "
          f"read in {best_seconds(lambda: model.read_model(tmp_path / 'm.skops'), 1):.1f} s")  # fmt: skip
    assert original > ours


def test_overhead_of_a_local_run_against_one_process(west_yorkshire, tmp_path):
    """At most 0.5 s a step beside the imports."""

    def in_one_process() -> None:
        _load_and_preprocess(west_yorkshire, tmp_path)
        parts = split.split(datasets.read_dataset(tmp_path / "clean.parquet"), "severity", "collision_index")
        store.write_datasets(list(parts.values()), [tmp_path / f"{name}.parquet" for name in parts])
        fitted, facts = _forest(datasets.read_dataset(tmp_path / "train.parquet"), 10)
        model_writer.write_model(fitted, facts, tmp_path / "m.skops")
        fitted, facts = model.read_model(tmp_path / "m.skops")
        result = evaluate.evaluate_classifier(fitted, facts, datasets.read_dataset(tmp_path / "test.parquet"))
        from roadsafety_components.core.report import evaluation_report

        store.write_text(evaluation_report(result), tmp_path / "report.html")

    def local_run() -> None:
        arguments = {"source": str(west_yorkshire), "n_estimators": 10}
        run = local.run_pipeline(spec_path("road_safety_pipeline"), arguments, tmp_path / "a", tmp_path / "log")
        assert run.failed is None

    imports = {
        "load_stats19": "read, store", "harmonise_stats19": "harmonise, store",
        "preprocess_collisions": "clean, store", "split_dataset": "split, store",
        "train_classifier": "train, model", "evaluate_classifier": "evaluate, model, report",
    }  # fmt: skip
    importing = sum(
        best_seconds(lambda modules=modules: subprocess.run(
            [sys.executable, "-c", f"from roadsafety_components.core import {modules}; "
             + ("from matplotlib.backends import backend_svg" if "report" in modules else "import pandas")],
            check=True), 3)
        for modules in imports.values()
    )  # fmt: skip
    one, run = best_seconds(in_one_process, 3), best_seconds(local_run, 3)
    overhead = (run - one - importing) / len(imports)
    _tell(f"West Yorkshire, 5 steps: roadsafety run {run:.1f} s, core in one process {one:.1f} s, starting Python and "
          f"importing five times {importing:.1f} s: {overhead:.2f} s a step (target: at most 0.5)")  # fmt: skip
    assert overhead < 1.5


def test_a_million_synthetic_collisions(tmp_path):
    """Under a minute, under 4 GB."""
    script = (
        "import re, sys, time\nfrom pathlib import Path\n"
        "from roadsafety_components.core.sample import write_sample\n"
        "began = time.perf_counter()\n"
        "write_sample(1_000_000, {t: Path(sys.argv[1], t + '.csv') for t in ('collision', 'vehicle', 'casualty')})\n"
        "seconds = time.perf_counter() - began\n"
        "print(seconds, int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]) / 1e6)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=True)
    seconds, gigabytes = map(float, done.stdout.split())
    _tell(f"a million collisions: {seconds:.0f} s, {gigabytes:.2f} GB at most (targets: 60 s, 4 GB)")
    assert seconds < 120
    assert gigabytes < 4


def test_size_of_the_sources_and_time_to_compile(tmp_path):
    """Each step's source under 48,000 bytes JSON-escaped; all specs in seconds."""
    for name in components.STEPS:
        size = specs.source_bytes(spec_path(name).read_text())
        _tell(f"{name}: {size} bytes of 48000")
        assert size <= 48_000
    library = specs.Library(components.STEPS, containers.STEPS, components.STABILITY)
    seconds = best_seconds(lambda: specs.write_specs(tmp_path, library))
    _tell(f"compiling all {len(list(tmp_path.rglob('*.yaml')))} specs: {seconds:.1f} s")
    assert seconds < 30
