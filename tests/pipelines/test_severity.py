"""Training and monitoring from records to the decision, each step as its YAML has it."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from roadsafety_components import spec_path
from roadsafety_components.core.model import read_model
from roadsafety_components.core.sample import write_sample
from roadsafety_components.packaging import local

TABLES = ("collision", "vehicle", "casualty")
QUICK = {"candidates": 2, "folds": 2, "target_recall": 0.6}


def _run(name, folder, **arguments):
    run = local.run_pipeline(spec_path(name), arguments, folder / "artifacts", folder / "steps.log")
    assert run.failed is None, run.failed.message
    return run


def _path(run, key) -> Path:
    return Path(run.artifacts[key]["uri"])


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> Path:
    """Synthetic records of two years."""
    folder = tmp_path_factory.mktemp("records")
    write_sample(1200, {t: folder / f"{t}.csv" for t in TABLES}, seed=1, years=[2023, 2024])
    return folder


@pytest.fixture(scope="module")
def trained(records, tmp_path_factory):
    """One run of the training pipeline, by year."""
    return _run("severity_training_pipeline", tmp_path_factory.mktemp("training"), source=str(records), **QUICK)


def test_training_ends_with_a_card_and_a_decision(trained):
    """The last year is the test; the model is calibrated, has a threshold and beats or does not beat the baseline."""
    parts = {p: trained.artifacts[f"split-dataset.{p}_data"]["metadata"] for p in ("train", "test")}
    assert [pq.read_table(_path(trained, f"split-dataset.{p}_data"))["year"].unique().to_pylist() for p in parts] == [
        [2023],
        [2024],
    ]
    _, facts = read_model(_path(trained, "calibrate-classifier.calibrated_model"))
    assert (facts["calibration"], facts["threshold"]["chosen_for"]) == ("sigmoid", "recall of 0.6")
    assert not {"police_force", "first_road_number", "latitude"} & {*facts["features"]}
    figures = trained.artifacts["evaluate-classifier.metrics"]["metadata"]
    assert 0.55 < figures["roc_auc"] < 0.9
    assert figures["recall"] > 0.3
    card = _path(trained, "build-model-card.card").read_text()
    for section in ("## Intended use", "## Training data", "### By subgroup", "police force", "SYNTHETIC"):
        assert section in card
    record = _path(trained, "compare-classifiers.record").read_text()
    assert "logistic_regression" in record
    promoted = "promote-model.champion" in trained.artifacts
    assert promoted == bool(trained.artifacts["compare-classifiers.metrics"]["metadata"]["promoted"])
    assert "null" not in json.dumps([a["metadata"] for a in trained.artifacts.values()])
    assert parts["train"]["unit"] == "casualty"


def test_the_search_sends_its_best_to_training(trained):
    """The settings of select_best's last table stand in the model's facts."""
    _, facts = read_model(_path(trained, "calibrate-classifier.calibrated_model"))
    chosen = pq.read_table(_path(trained, "select-best-2.table")).to_pylist()
    # Two on the first rung, then the best of them and the defaults, which may be one.
    assert [s.name for s in trained.steps].count("score_candidate") == len(chosen)
    best = min((r for r in chosen if r["share"] == 1.0), key=lambda r: r["mean"])
    settings = ("learning_rate", "max_leaf_nodes", "min_samples_leaf", "l2_regularization", "max_features")
    assert {n: facts["parameters"][n] for n in settings} == pytest.approx({n: best[n] for n in settings})


def test_the_model_in_use_stands_in_for_the_baseline(trained, records, tmp_path):
    """Against itself a model gains nothing and is kept; no branch is needed for the first run."""
    model = _path(trained, "calibrate-classifier.calibrated_model")
    run = _run("severity_training_pipeline", tmp_path, source=str(records), champion=str(model), **QUICK)
    figures = run.artifacts["compare-classifiers.metrics"]["metadata"]
    assert figures["gain_average_precision"] == 0  # the same data, the same settings: the same model
    assert figures["promoted"] == 0
    assert "promote-model.champion" not in run.artifacts


def test_monitoring_a_year_that_is_as_before(trained, records, tmp_path):
    """The year that the model was judged on, once more: nothing drifts, and nothing is trained."""
    run = _run(
        "severity_monitoring_pipeline", tmp_path, source=str(records), target="none",
        model=str(_path(trained, "calibrate-classifier.calibrated_model")),
        reference=str(_path(trained, "split-dataset.test_data")),
    )  # fmt: skip
    assert "train_classifier" not in [s.name for s in run.steps]
    predictions = pq.read_table(_path(run, "predict-batch-2.predictions"))
    assert {"probability_ksi", "probability_slight", "prediction"} <= {*predictions.column_names}
    assert predictions.num_rows == pq.read_table(_path(run, "engineer-features.features")).num_rows
    assert run.artifacts["detect-drift.metrics"]["metadata"]["drifted_share"] == 0


def test_monitoring_a_year_that_is_not(trained, tmp_path):
    """Motorcycles alone: features and scores drift, a challenger is trained on the new year and compared."""
    folder = tmp_path / "changed"
    folder.mkdir()
    write_sample(1200, {t: folder / f"{t}.csv" for t in TABLES}, seed=2, years=[2024])
    for table, column, value in (("vehicle", "vehicle_type", "5"), ("casualty", "casualty_type", "5")):
        _overwrite(folder / f"{table}.csv", column, value)
    run = _run(
        "severity_monitoring_pipeline", tmp_path, source=str(folder), max_drifted_share=0.05,
        model=str(_path(trained, "calibrate-classifier.calibrated_model")),
        reference=str(_path(trained, "split-dataset.test_data")),
    )  # fmt: skip
    names = [s.name for s in run.steps]
    assert names[names.index("detect_drift") :][:3] == ["detect_drift", "split_dataset", "train_classifier"]
    assert "compare-classifiers.record" in run.artifacts


def _overwrite(path: Path, column: str, value: str) -> None:
    head, *lines = path.read_text().splitlines()
    at = head.split(",").index(column)
    rows = [line.split(",") for line in lines]
    path.write_text("\n".join([head, *(",".join([*r[:at], value, *r[at + 1 :]]) for r in rows)]) + "\n")


@pytest.mark.real_data
def test_west_yorkshire_goes_all_the_way(real_data, tmp_path):
    """One year, split by collision: the ranking is better than chance, and the mean probability is right."""
    run = _run(
        "severity_training_pipeline", tmp_path, source=str(real_data / "stats19_west_yorkshire_2024"),
        split_method="group", **QUICK,
    )  # fmt: skip
    figures = run.artifacts["evaluate-classifier.metrics"]["metadata"]
    assert figures["roc_auc"] > 0.6
    subgroups = pq.read_table(_path(run, "evaluate-subgroups.results")).to_pylist()
    gap = next(r for r in subgroups if (r["part"], r["figure"]) == ("test", "gap"))
    assert abs(gap["value"]) < 0.05
    assert "Metropolitan Police" not in _path(run, "build-model-card.card").read_text()
