"""A candidate judged by cross-validation on a share of the groups."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn import metrics as sk

from roadsafety_components.core import folds as cv
from roadsafety_components.core.candidates import DIRECTIONS, Score
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.estimators import Settings
from roadsafety_components.core.frame import group_codes
from roadsafety_components.core.store import Facts, facts_of
from roadsafety_components.core.training_rows import check_target, group_column_of, rows_of

_FEWEST_GROUPS = 500  # of fewer no ranking means much, and all of them are fitted in no time


def score_candidate(
    table: pa.Table,
    target_column: str,
    candidate: Mapping[str, float],
    settings: Settings | None = None,
    exclude_columns: Sequence[str] = (),
    group_column: str = "",
    figure: str = "log_loss",
    share: float = 1.0,
    folds: int = 5,
) -> tuple[Score, Facts]:
    """Fit a candidate in grouped folds as ``train_classifier`` would, and judge it on the rows held out.

    The groups and the folds follow from the seed alone: candidates are judged on the same rows, and a larger share
    holds the groups of a smaller one.

    Args:
        table: training rows, see ``train.train_classifier``; so are target_column, exclude_columns and group_column.
        target_column: the classes.
        candidate: ``id``, and settings by name.
        settings: what the candidate does not name; defaults if None.
        exclude_columns: no features.
        group_column: "" for the one that the facts of the data name.
        figure: one of ``DIRECTIONS``; of the rarer of two classes, of more the mean over the classes.
        share: of the groups; never fewer than 500 of them, and of each class no fewer than folds.
        folds: how many.

    Returns:
        The score; if fitting raises, one that failed, with the message. And the facts that scores of one search share.

    Raises:
        InputError: a parameter or setting out of range; a table that no candidate could be fitted on.
    """
    if figure not in DIRECTIONS:
        raise InputError(f"figure is {figure!r}; it can be {', '.join(DIRECTIONS)}.")
    if not 0 < share <= 1:
        raise InputError(f"share is {share}; it is above 0 and at most 1.")
    parameters = {name: value for name, value in candidate.items() if name != "id"}
    settings = (settings or Settings()).replaced(parameters)
    classes = check_target(table, target_column)
    column = group_column_of(table, group_column)
    y = table[target_column].cast(pa.string()).to_pandas().to_numpy(dtype=object)
    part = table.filter(pa.array(_draw(y, group_codes(table, column), share, folds, settings.seed)))
    rows, columns, _ = rows_of(part, target_column, exclude_columns, column)
    sides = cv.grouped_folds(rows.y, rows.groups, folds, settings.seed)
    score = Score(int(candidate.get("id", 0)), float(share), len(np.unique(rows.groups)), len(rows.y))
    facts = {
        "algorithm": settings.algorithm, "class_weight": settings.class_weight, "figure": figure, "folds": int(folds),
        "share": float(share), "seed": settings.seed, "target_column": target_column, "group_column": column,
        "synthetic": bool(facts_of(table).get("synthetic")),
        "made_from": {"train_data": facts_of(table).get("sha256", "")},
    }  # fmt: skip
    began = time.monotonic()
    try:
        held = cv.out_of_fold(rows, settings, columns, (), sides)
        by_fold = [_figure(rows, held.probabilities, *side, classes, figure, settings.class_weight) for side in sides]
        score = replace(score, mean=float(np.mean(by_fold)), by_fold=by_fold, rounds=held.rounds)
        facts["mean"] = score.mean
    except Exception as error:  # whatever a fit raises: the others of the search go on
        told = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        score = replace(score, status="failed", message=told)
    facts["status"] = score.status
    used = settings.told()
    settled = {name: used.get(name, value) for name, value in sorted(parameters.items())}
    return replace(score, seconds=time.monotonic() - began, parameters=settled), facts


def _figure(
    rows: cv.Rows, given: npt.NDArray[np.float64], others: Any, at: Any, classes: list[str], figure: str,
    class_weight: str,
) -> float:  # fmt: skip
    """Of the rows held out ``at``, weighted as those fitted on: of balanced classes the loss is balanced, too."""
    true, given, labels = np.searchsorted(classes, rows.y[at].astype(str)), given[at], range(len(classes))
    how = {"sample_weight": cv.class_weighted(rows.take(at), rows.y[others], class_weight)}
    if figure == "log_loss":
        return float(sk.log_loss(true, given, labels=labels, **how))
    if figure == "brier":
        return float(sk.brier_score_loss(true, given, labels=labels, **how))
    if len(np.unique(true)) < len(classes):
        raise ValueError(f"a fold has no rows of a class, so that it has no {figure}; use fewer folds")
    # Of two classes the rarer is judged, as evaluate_classifier does.
    truth = np.searchsorted(classes, rows.y.astype(str))
    scored = [int(np.bincount(truth).argmin())] if len(classes) == 2 else labels
    judge = sk.roc_auc_score if figure == "roc_auc" else sk.average_precision_score
    return float(judge(true[:, None] == scored, given[:, scored]))


def _draw(
    y: npt.NDArray[Any], groups: npt.NDArray[np.int64], share: float, fewest: int, seed: int
) -> npt.NDArray[np.bool_]:
    """Which rows are of the groups drawn, by strata of the rarest class in a group.

    Each stratum's groups stand in an order of chance and the first of them are taken, so that a larger share only adds.
    """
    _, code, counts = np.unique(y.astype(str), return_inverse=True, return_counts=True)
    number = int(groups.max()) + 1
    stratum = np.full(number, len(counts))
    np.minimum.at(stratum, groups, counts.argsort().argsort()[code])
    share = max(share, min(1.0, _FEWEST_GROUPS / number))
    order = np.random.default_rng(seed).permutation(number)
    drawn = np.zeros(number, bool)
    for rank in range(len(counts)):
        members = order[stratum[order] == rank]
        drawn[members[: max(math.ceil(share * len(members)), int(fewest))]] = True
    return np.asarray(drawn[groups])
