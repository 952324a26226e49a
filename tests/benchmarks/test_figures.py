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
from sklearn.pipeline import make_pipeline

from roadsafety_components.core.clean import preprocess
from roadsafety_components.core.engineer import engineer
from roadsafety_components.core.estimators import Settings, build
from roadsafety_components.core.figures import figures
from roadsafety_components.core.folds import grouped_folds
from roadsafety_components.core.frame import to_frame
from roadsafety_components.core.harmonise import harmonise
from roadsafety_components.core.intervals import bootstrap, interval
from roadsafety_components.core.predict import probabilities
from roadsafety_components.core.read import load_tables
from roadsafety_components.core.store import with_facts
from roadsafety_components.core.train import train_classifier
from roadsafety_components.core.training_rows import rows_of

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
    raw_past, raw_later = (
        with_facts(_table(folder, features=False).drop_columns(ROAD_NUMBERS), {}) for folder in DATA.values()
    )
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


def test_the_training_pipeline_at_national_size(tmp_path: Path) -> None:
    """Time by step and the largest step's memory, on Great Britain 2015 split by collision."""
    source = Path(os.environ["ROADSAFETY_REAL_DATA"], DATA["Great Britain 2015"])
    began = time.perf_counter()
    subprocess.run(
        [Path(sys.executable).with_name("roadsafety"), "run", "severity_training_pipeline", "--data", source,
         "--param", "split_method=group", "--output", tmp_path / "run"],
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
_AFTER = """In West Yorkshire 2024 a quarter of the casualties are recorded as killed or seriously injured, in Great
Britain 2015 an eighth: the police record severity by injuries since, and the region differs. Ranking survives that
better than probabilities do; `predict_batch` corrects them for shares that are known (`class_shares`) or estimated.
"""
