"""How good the models are on real records: `make figures` writes docs/figures.md from what is measured here.

Killed or seriously injured, of casualties; what was involved is known; no place. Five folds that keep collisions whole,
the same for every model; then models of Great Britain 2015 on West Yorkshire 2024.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline

from roadsafety_components.core.class_shares import corrected, estimated_shares, learned_shares
from roadsafety_components.core.clean import preprocess
from roadsafety_components.core.datasets import read_dataset
from roadsafety_components.core.distance import open_dataset
from roadsafety_components.core.drift import Limits, detect_drift, model_facts
from roadsafety_components.core.engineer import engineer
from roadsafety_components.core.estimators import Settings, build
from roadsafety_components.core.explain import explain_classifier
from roadsafety_components.core.figures import figures
from roadsafety_components.core.folds import grouped_folds
from roadsafety_components.core.frame import to_frame
from roadsafety_components.core.harmonise import harmonise
from roadsafety_components.core.inspection import inspect_answers
from roadsafety_components.core.intervals import bootstrap, interval
from roadsafety_components.core.model import read_model
from roadsafety_components.core.model_writer import write_model
from roadsafety_components.core.predict import probabilities
from roadsafety_components.core.predict_batch import predict_batch
from roadsafety_components.core.read import load_tables
from roadsafety_components.core.split import split
from roadsafety_components.core.store import write_datasets
from roadsafety_components.core.train import train_classifier
from roadsafety_components.core.training_rows import rows_of
from roadsafety_components.core.words import stats19_groups

pytestmark = [pytest.mark.benchmark, pytest.mark.figures, pytest.mark.real_data]
PAGE = Path(__file__).parents[2] / "docs" / "figures.md"
DATA = {"Great Britain 2015": "stats19_great_britain_2015", "West Yorkshire 2024": "stats19_west_yorkshire_2024"}
MEASURES = ("roc_auc", "average_precision", "brier", "calibration_slope")
ROAD_NUMBERS = ["first_road_number", "second_road_number"]
Predict = Callable[[pa.Table], Any]


def _table(folder: str, features: bool = True) -> pa.Table:
    tables = load_tables(str(Path(os.environ["ROADSAFETY_REAL_DATA"], folder)), {}, unknown_codes="null")
    tables = harmonise(tables, None)
    rows = preprocess(tables, unit="casualty", target="ksi", known_at="involved", keep_constant=True)
    return engineer(rows, tables["collision"], tables["vehicle"]) if features else rows


def _ours(table: pa.Table) -> Predict:
    """The default settings of train_classifier."""
    model, facts, _ = train_classifier(table, "ksi", exclude_columns=ROAD_NUMBERS)
    return lambda other: probabilities(model, facts, other)[:, 0]


def _logistic(table: pa.Table) -> Predict:
    model, facts, _ = train_classifier(table, "ksi", Settings("logistic_regression"), ROAD_NUMBERS, folds=0)
    return lambda other: probabilities(model, facts, other)[:, 0]


def _plain(classify: Any) -> Callable[[pa.Table], Predict]:
    """A classifier of scikit-learn with its own settings, on the same columns; text as codes."""

    def train(table: pa.Table) -> Predict:
        rows, columns, _ = rows_of(table, "ksi", ROAD_NUMBERS)
        encode = build(Settings("random_forest"), columns)["encode"]
        model = make_pipeline(encode, classify()).fit(rows.x, rows.y)
        return lambda other: model.predict_proba(to_frame(other, columns.features))[:, 0]

    return train


MODELS: dict[str, Callable[[pa.Table], Predict]] = {
    "train_classifier, default settings": _ours,
    "logistic regression": _logistic,
    "scikit-learn's default forest": _plain(lambda: RandomForestClassifier(random_state=0, n_jobs=-1)),
    "scikit-learn's default boosting": _plain(lambda: HistGradientBoostingClassifier(random_state=0)),
    "always the share of the training rows": _plain(lambda: DummyClassifier(strategy="prior")),
}


def _judged(table: pa.Table, given: Any) -> dict[str, tuple[float, float, float]]:
    """Figure with its interval, by a bootstrap over collisions."""
    order = np.argsort(given, kind="stable")
    truth = (table["ksi"].to_numpy() != "ksi").astype(int)[order]  # 0 is ksi, as sorted
    both = np.stack([given, 1 - given], axis=1)[order]
    groups = np.unique(table["collision_index"].to_numpy(), return_inverse=True)[1][order]
    draws = bootstrap(groups, lambda weights: figures(truth, both, weights, 0))
    found = figures(truth, both, None, 0)
    if len(np.unique(given)) < 10:  # a share for each fold: nothing to fit a slope on
        found.pop("calibration_slope", None)
    return {name: (found[name], *interval(draws[name])) for name in MEASURES if name in found}


def _lines(results: dict[str, dict[str, tuple[float, float, float]]]) -> list[str]:
    head = "| model | ROC-AUC | average precision | Brier | calibration slope |"
    lines = [head, "| --- | --- | --- | --- | --- |"]
    for name, found in results.items():
        cells = ["{:.4f} ({:.4f} to {:.4f})".format(*found[m]) if m in found else "none" for m in MEASURES]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _cross_validated(table: pa.Table, train: Callable[[pa.Table], Predict]) -> Any:
    rows = rows_of(table, "ksi", group_column="collision_index")[0]
    given = np.zeros(len(rows.y))
    for others, held in grouped_folds(rows.y, rows.groups, 5, 1):
        given[held] = train(table.take(others))(table.take(held))
    return given


def test_figures() -> None:
    """Ours is at least as good as each plain model on all three measures, where the data are a national year."""
    tables = {name: _table(folder) for name, folder in DATA.items()}
    text = [_HEAD]
    within = {}
    for name, table in tables.items():
        within[name] = {m: _judged(table, _cross_validated(table, train)) for m, train in MODELS.items()}
        share = np.mean(table["ksi"].to_numpy() == "ksi")
        text += [f"## {name}: {table.num_rows:,} casualties, {share:.1%} killed or seriously injured", ""]
        text += _lines(within[name])
        print("\n".join(text[-2 - len(MODELS) - 2 :]), flush=True)
    past, later = tables.values()
    across = {m: _judged(later, train(past)(later)) for m, train in MODELS.items()}
    raw_past, raw_later = (_table(folder, features=False) for folder in DATA.values())
    across["scikit-learn's default boosting, recorded columns alone"] = _judged(
        raw_later, _plain(lambda: HistGradientBoostingClassifier(random_state=0))(raw_past)(raw_later)
    )
    text += ["## Trained on Great Britain 2015, judged on West Yorkshire 2024", "", *_lines(across), _AFTER]
    PAGE.write_text("\n".join(text), encoding="utf-8")
    print("\n".join(_lines(across)))
    ours, *plain = within["Great Britain 2015"].values()
    for other in plain:
        assert ours["roc_auc"][0] >= other["roc_auc"][0]
        assert ours["average_precision"][0] >= other["average_precision"][0]
        assert ours["brier"][0] <= other["brier"][0]


def test_one_model_at_length(tmp_path: Path) -> None:
    """What recall costs, what the model goes by, shares estimated, drift; of 70 % of Great Britain 2015."""
    past, later = (_table(folder) for folder in DATA.values())
    parts = split(past, "ksi", "collision_index", test_share=0.3)
    # As the steps hand them on: with digests.
    paths = {name: tmp_path / f"{name}.parquet" for name in ("train", "test", "later")}
    write_datasets([parts["train"], parts["test"], later], list(paths.values()))
    train, test, later = (read_dataset(path) for path in paths.values())
    model, facts, _ = train_classifier(train, "ksi", exclude_columns=ROAD_NUMBERS)
    text = ["", "## One model at length", "", _ONE_MODEL.format(train=train.num_rows, test=test.num_rows)]
    inspected = inspect_answers(model, facts, test)
    text += [
        "### What recall costs",
        "",
        "| aim | threshold | recall | precision | flagged | false alarms for one found |",
    ]
    text += ["| --- | --- | --- | --- | --- | --- |"]
    text += [f"| {n} | " + " | ".join(f"{v:.3f}" for v in found) + " |" for n, found in inspected.thresholds.items()]
    explained = explain_classifier(model, facts, test, groups=stats19_groups(), repeats=3, top=1, max_rows=10_000)
    text += ["", "### What the model goes by", "", "| group | loss of average precision | lowest | highest |"]
    text += ["| --- | --- | --- | --- |"]
    for row in explained.importance[:8]:
        text.append("| {column} | {importance:.3f} | {low:.3f} | {high:.3f} |".format(**row).replace("_", " "))
    text += ["", "### Shares of the classes, estimated from unlabelled rows", "", _SHARES]
    text += ["| rows | KSI | estimated | log loss as it is | with the estimate | with the true share |"]
    text += ["| --- | --- | --- | --- | --- | --- |"]
    ksi, third = test["ksi"].to_numpy() == "ksi", np.arange(test.num_rows) % 3 == 0
    for name, rows in {
        "the other 30 %": test,
        "the same, two thirds of the slight left out": test.filter(pa.array(ksi | third)),
        "the same, two thirds of the KSI left out": test.filter(pa.array(~ksi | third)),
        "West Yorkshire 2024": later,
    }.items():
        text.append(f"| {name} | " + " | ".join(_shares(model, facts, rows)) + " |")
    write_model(model, facts, tmp_path / "model")
    text += ["", "### Drift", "", "| against the other 30 % | decision | columns drifted | ROC-AUC before | after |"]
    text += ["| --- | --- | --- | --- | --- |"]
    halves = [paths["test"], tmp_path / "half.parquet"]
    months = test["month"].to_numpy() <= 6
    write_datasets([test.filter(pa.array(months)), test.filter(pa.array(~months))], [tmp_path / "first", halves[1]])
    for name, a, b in (
        ("West Yorkshire 2024", paths["test"], paths["later"]),
        ("second half of the year against the first", tmp_path / "first", halves[1]),
    ):
        found = _drift(tmp_path, a, b)
        auc = found.figures["roc_auc"]
        text.append(f"| {name} | {found.decision} | {found.drifted_share:.0%} | {auc.reference[0]:.3f} | "
                    f"{auc.current[0]:.3f} |")  # fmt: skip
    PAGE.write_text(PAGE.read_text(encoding="utf-8").partition("\n## One model")[0] + "\n".join(text) + "\n")
    print("\n".join(text))


def _shares(model: Any, facts: Any, table: pa.Table) -> list[str]:
    given, truth = probabilities(model, facts, table), (table["ksi"].to_numpy() != "ksi").astype(int)
    learned, true = learned_shares(facts), np.array([np.mean(truth == 0), np.mean(truth == 1)])
    estimated = estimated_shares(given, learned)
    losses = [log_loss(truth, corrected(given, learned, shares)) for shares in (learned, estimated, true)]
    return [f"{true[0]:.1%}", f"{estimated[0]:.1%}", *(f"{loss:.3f}" for loss in losses)]


def _drift(folder: Path, *paths: Path) -> Any:
    model, predictions = read_model(folder / "model"), [folder / "predictions-0", folder / "predictions-1"]
    for path, target in zip(paths, predictions, strict=True):
        predict_batch(*model, path, target)
    opened = [open_dataset(p, n) for p, n in zip(paths, ("reference", "current"), strict=True)]
    scored = [
        open_dataset(p, n) for p, n in zip(predictions, ("reference_predictions", "current_predictions"), strict=True)
    ]
    return detect_drift(*opened, Limits(), model_facts(folder / "model"), scored)


def test_the_training_pipeline_at_national_size(tmp_path: Path) -> None:
    """Time by step and the largest step's memory, on Great Britain 2015 split by collision; a small search."""
    source = Path(os.environ["ROADSAFETY_REAL_DATA"], DATA["Great Britain 2015"])
    began = time.perf_counter()
    subprocess.run(
        [Path(sys.executable).with_name("roadsafety"), "run", "severity_training_pipeline", "--data", source,
         "--param", "split_method=group", "--param", "candidates=4", "--param", "folds=3",
         "--output", tmp_path / "run"],
        check=True,
    )  # fmt: skip
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"\nseverity_training_pipeline, Great Britain 2015: {time.perf_counter() - began:.0f} s, "
          f"largest step {peak:.2f} GB")  # fmt: skip
    assert peak < 6


_HEAD = """# Figures

Written by `make figures` (real records in the folder of ROADSAFETY_REAL_DATA). Killed or seriously injured, of
casualties; the model may know who was involved (`known_at=involved`) and no place. All models get the same columns,
those of `preprocess_collisions` and `engineer_features` without the numbers of the roads, and the same five folds,
which keep collisions whole. In brackets 95 % intervals by a bootstrap over collisions (200 draws). The calibration
slope is 1 where probabilities come true, below 1 where they are too extreme.
"""
_ONE_MODEL = """`train_classifier` with its defaults on 70 % of the collisions of Great Britain 2015 ({train:,}
casualties), judged on the others ({test:,}). [Evaluation](evaluation.md), [explanation](explanation.md),
[prediction](prediction.md) and [drift](drift.md) say what each table means.
"""
_SHARES = """From 2016 on police forces moved to reporting by injuries, which records as serious what was slight before:
the casualties are of the same kind and their class is another. Nothing in the features tells that, so no estimate can
find it.
"""
_AFTER = """In West Yorkshire 2024 a quarter of the casualties are recorded as killed or seriously injured, in Great
Britain 2015 an eighth: the police record severity by injuries since, and the region differs. Ranking survives that
better than probabilities do; `predict_batch` corrects them for shares that somebody has counted (`class_shares`).
"""
