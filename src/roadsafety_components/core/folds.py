"""Cross-validation that keeps groups whole: folds, fitting, and probabilities of rows that a model has not seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold
from sklearn.pipeline import Pipeline

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.estimators import Columns, Folds, Settings, build
from roadsafety_components.core.ordinal import OrdinalClassifier

_INNER_FOLDS = 5


@dataclass(frozen=True)
class Rows:
    """Rows to learn from.

    Attributes:
        x: features, from ``features.to_frame``.
        y: class of each row, text.
        groups: of each row, from 0.
        weights: of each row, or None for equal ones.
    """

    x: pd.DataFrame
    y: npt.NDArray[Any]
    groups: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64] | None = None

    def take(self, at: npt.NDArray[np.int64]) -> "Rows":
        """Some of the rows."""
        weights = None if self.weights is None else self.weights[at]
        return Rows(self.x.iloc[at], self.y[at], self.groups[at], weights)


@dataclass(frozen=True)
class OutOfFold:
    """What held-out rows got.

    Attributes:
        probabilities: rows by classes (sorted), each row's from the model that was fitted without its fold.
        fold: of each row.
        rounds: of boosting, with the least mean log loss on held-out rows; 0 for an algorithm without rounds.
    """

    probabilities: npt.NDArray[np.float64]
    fold: npt.NDArray[np.int64]
    rounds: int


def grouped_folds(y: npt.NDArray[Any], groups: npt.NDArray[np.int64], number: int, seed: int) -> Folds:
    """Rows to fit on and rows to hold out, ``number`` times: each group in one fold, classes spread evenly.

    Raises:
        InputError: fewer than 2 folds, or a class in fewer groups than folds.
    """
    if number < 2 or number != int(number):
        raise InputError(f"folds is {number}; it is a whole number, 2 or more.")
    for name in sorted(set(y)):
        if (held := len(np.unique(groups[y == name]))) < number:
            raise InputError(f"class {name} occurs in {held} groups; {number} folds need at least as many. Use fewer "
                             "folds, or more rows.")  # fmt: skip
    return list(StratifiedGroupKFold(int(number), shuffle=True, random_state=seed).split(y, y, groups))


def fit(rows: Rows, settings: Settings, columns: Columns, order: Sequence[str] = ()) -> Pipeline:
    """A fitted pipeline; the class shares of ``columns.many`` come from grouped folds of the same rows.

    Columns without any value in the rows are left out: boosting cannot be fitted on them.
    """
    columns = columns.only(set(rows.x.columns[rows.x.notna().any()]))
    inner: Folds = ()
    if columns.many:
        if (number := min(_INNER_FOLDS, len(np.unique(rows.groups)))) < 2:
            raise InputError(f"all rows are of one group, so that {columns.many[0]}, which has many values, cannot be "
                             "told by other groups; leave it out, or group by another column.")  # fmt: skip
        inner = list(GroupKFold(number, shuffle=True, random_state=settings.seed).split(rows.x, groups=rows.groups))
    model = build(settings, columns, order, inner)
    encode, classify = model["encode"], model["classify"]
    x = encode.fit_transform(rows.x, rows.y)
    rank = np.array([order.index(name) for name in rows.y]) if order else rows.y
    fitted = [
        clone(classify).fit(x, rank > step if order else rank, sample_weight=rows.weights)
        for step in range(max(len(order) - 1, 1))
    ]
    for each in fitted:
        _forget_machine(each)
    model.steps[-1] = ("classify", OrdinalClassifier(fitted, order) if order else fitted[0])
    if columns.many:  # the rows of the folds have served; they are no part of the model
        encode.set_params(shares__cv=None)
        encode.named_transformers_["shares"].cv = None
    return model


def out_of_fold(rows: Rows, settings: Settings, columns: Columns, order: Sequence[str], folds: Folds) -> OutOfFold:
    """Fit each fold's other rows and give the fold's rows their probabilities.

    Boosting goes through ``settings.n_estimators`` rounds in each fold; the number of rounds with the least log loss,
    pooled over all held-out rows, is chosen once for all folds and the probabilities are those after it.

    Args:
        rows: to fit and to hold out.
        settings: of the algorithm.
        columns: what the features hold.
        order: classes in their order, or empty.
        folds: from ``grouped_folds``.
    """
    staged = settings.algorithm == "hist_gradient_boosting"
    fitted, losses, fold = [], [], np.zeros(len(rows.y), np.int64)
    classes = sorted(set(rows.y))
    for number, (others, at) in enumerate(folds):
        fold[at] = number
        held, rest = rows.take(at), rows.take(others)
        if lost := {*classes} - {*rest.y}:
            raise InputError(f"class {min(lost)} is in one of {len(folds)} folds only; use fewer folds, or more rows.")
        model = fit(rest, settings, columns, order)
        classify, x = model["classify"], model["encode"].transform(held.x)
        fitted.append((classify, x, at))
        if staged:
            weights = class_weighted(held, rest.y, settings.class_weight)
            told = {"labels": classes, "sample_weight": weights, "normalize": False}
            losses.append([log_loss(held.y, p, **told) for p in _stages(classify, x)])
    rounds = int(np.argmin(np.sum(losses, axis=0))) + 1 if staged else 0
    given = np.zeros((len(rows.y), len(classes)))
    for classify, x, at in fitted:
        if staged:
            given[at] = next(islice(_stages(classify, x), rounds - 1, None))
        else:
            given[at] = classify.predict_proba(x)
    return OutOfFold(given, fold, rounds)


def class_weighted(held: Rows, y: npt.NDArray[Any], class_weight: str) -> npt.NDArray[np.float64]:
    """Weights to judge held-out rows by: those that fitting on rows of the classes ``y`` gives them.

    Raises:
        InputError: they are all 0.
    """
    weights = np.ones(len(held.y)) if held.weights is None else held.weights
    if class_weight == "balanced":
        names, counts = np.unique(y.astype(str), return_counts=True)
        weights = weights * (len(y) / len(names) / counts)[np.searchsorted(names, held.y.astype(str))]
    if not weights.any():
        raise InputError("all rows of a fold have the weight 0; use fewer folds.")
    return weights


def _stages(classify: Any, x: Any) -> Iterator[Any]:
    """Probabilities after each round of boosting."""
    if not isinstance(classify, OrdinalClassifier):
        return iter(classify.staged_predict_proba(x))
    each = zip(*(e.staged_predict_proba(x) for e in classify.estimators), strict=True)
    return (classify.joined(steps) for steps in each)


def _forget_machine(classify: Any) -> None:
    """Leave no trace of how many processors fitted it: the same data make the same model everywhere."""
    if hasattr(classify, "_bin_mapper"):
        classify._bin_mapper.n_threads = 1
    if hasattr(classify, "n_jobs"):
        classify.n_jobs = None  # trees that vote side by side add up in any order
