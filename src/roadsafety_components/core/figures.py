"""Figures of a classifier from the true classes and its probabilities, with weights of the rows for the bootstrap."""

from typing import Any

import numpy as np
import numpy.typing as npt

BINS = 10
# Of a forest's 0 and 1 the logit would be infinite.
_LEAST = 1e-6

_Floats = npt.NDArray[np.float64]


def figures(
    truth: npt.NDArray[Any],
    given: _Floats,
    weights: _Floats | None = None,
    positive: int = -1,
    answers: npt.NDArray[Any] | None = None,
) -> dict[str, float]:
    """Figures by the names of ``evaluate.DEFINITIONS``, those that can be told.

    Rows of weight 0 count as absent, and means over classes are over those present. Of one class alone there is no
    balanced accuracy, macro-F1, ROC-AUC or average precision. Rows sorted by probability are quicker.

    Args:
        truth: true class of each row, as its position among the classes.
        given: rows by classes, probabilities.
        weights: of the rows, e.g. how often each was drawn; None for 1.
        positive: class whose probabilities are judged, against all others; -1 for the mean over the classes.
        answers: class that each row is given, as its position; None for the likeliest.

    Returns:
        Finite floats by name. Recall, precision and calibration slope need a positive class.
    """
    weights = np.ones(len(truth)) if weights is None else weights
    answers = given.argmax(axis=1) if answers is None else answers
    drawn = weights > 0
    truth, given, weights, answers = truth[drawn], given[drawn], weights[drawn], answers[drawn]
    total, classes = weights.sum(), given.shape[1]
    confusion = np.bincount(truth * classes + answers, weights, classes**2).reshape(classes, classes)
    hits, rows, called = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    there = rows > 0
    own = given[np.arange(len(truth)), truth]
    found: dict[str, Any] = {
        "accuracy": hits.sum() / total,
        "micro_f1": hits.sum() / total,
        "log_loss": -weights @ np.log(own.clip(np.finfo(float).eps, 1)) / total,
        "brier": weights @ ((given**2).sum(axis=1) - 2 * own + 1) / total,
    }
    if there.sum() > 1:
        found["balanced_accuracy"] = (hits[there] / rows[there]).mean()
        found["macro_f1"] = (2 * hits / (rows + called).clip(np.finfo(float).tiny))[there].mean()
    scored = np.flatnonzero(there) if positive < 0 else [positive]
    each = [_of_class(truth == c, given[:, c], weights) for c in scored]
    found |= {n: np.mean([e[n] for e in each]) for n in each[0]}
    if positive >= 0:
        found["brier"] = weights @ (given[:, positive] - (truth == positive)) ** 2 / total
        found["recall"] = hits[positive] / rows[positive] if there[positive] else np.nan
        found["precision"] = hits[positive] / (called[positive] or 1)
        found["calibration_slope"] = _slope(truth == positive, given[:, positive], weights)
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}


def calibration(
    is_class: npt.NDArray[Any], given: _Floats, weights: _Floats | None = None
) -> tuple[_Floats, _Floats, _Floats]:
    """Mean probability, observed share and weight of ``BINS`` bins of equal weight.

    Rows of one probability share a bin: there are fewer bins where many do.
    """
    weights = np.ones(len(given)) if weights is None else weights
    limits = np.quantile(given, np.arange(1, BINS) / BINS, weights=weights, method="inverted_cdf")
    at = np.searchsorted(np.unique(limits), given)
    rows, mean, share = (np.bincount(at, v) for v in (weights, weights * given, weights * is_class))
    held = rows > 0
    return mean[held] / rows[held], share[held] / rows[held], np.asarray(rows[held], np.float64)


def _of_class(is_class: Any, given: Any, weights: Any) -> dict[str, Any]:
    mean, share, rows = calibration(is_class, given, weights)
    found = {"calibration_error": rows @ abs(mean - share) / rows.sum()}
    order = np.argsort(-given, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(given[order])), len(order) - 1)  # rows of one probability go together
    called = np.cumsum(weights[order])[ends]
    hits = np.cumsum((weights * is_class)[order])[ends]
    missed = called - hits
    if hits[-1] > 0 and missed[-1] > 0:
        gain = np.diff(hits, prepend=0)
        found["average_precision"] = gain @ (hits / called) / hits[-1]
        below = missed[-1] - missed + np.diff(missed, prepend=0) / 2
        found["roc_auc"] = gain @ below / (hits[-1] * missed[-1])
    return found


def _slope(is_class: Any, given: Any, weights: Any) -> float:
    """Slope of a logistic regression of the truth on the probability's logit (Cox 1958), by Newton's method.

    Returns:
        The slope; nan where there is none: one probability only, or classes that a limit separates wholly.
    """
    p = given.clip(_LEAST, 1 - _LEAST)
    x = np.stack([np.ones(len(p)), np.log(p / (1 - p))])
    at = np.zeros(2)
    for _ in range(30):
        fitted = (1 + np.tanh(at @ x / 2)) / 2  # the logistic function without its overflow
        curvature = x * (weights * fitted * (1 - fitted)) @ x.T
        if np.linalg.det(curvature) <= 1e-9 * curvature[0, 0] * curvature[1, 1]:
            break
        step = np.linalg.solve(curvature, x @ (weights * (is_class - fitted)))
        at += step
        if abs(step).max() < 1e-8:
            return float(at[1])
    return float("nan")
