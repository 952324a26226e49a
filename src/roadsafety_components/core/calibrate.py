"""Probabilities that come true, and the threshold from which a row counts as positive, from out-of-fold rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn import metrics as sk
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from roadsafety_components.core.calibrated import CalibratedClassifier, correct, scaled
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.markdown import plain, table
from roadsafety_components.core.store import Facts, facts_of

CALIBRATIONS = ("none", "sigmoid", "isotonic")
Numbers = npt.NDArray[np.float64]


def calibrators(
    given: Numbers, y: npt.NDArray[Any], classes: Sequence[str], method: str, weights: Numbers | None = None
) -> list[Any]:
    """Fitted curves for ``calibrated.correct``: one for the second of two classes, or one for each of more.

    scikit-learn's own calibration would fit the model again to get held-out probabilities; here they are known already,
    and no row was held out without its group.

    Args:
        given: probabilities of held-out rows, by classes (sorted).
        y: the class of each row.
        classes: all of them, sorted.
        method: ``sigmoid``, a logistic regression on the log-odds (Platt 1999; Cox 1958), or ``isotonic``, the best
            rising curve (Zadrozny and Elkan 2002), which takes some thousands of rows.
        weights: of the rows.
    """
    fitted = []
    for at, name in list(enumerate(classes))[len(classes) == 2 :]:
        curve = LogisticRegression(C=np.inf) if method == "sigmoid" else IsotonicRegression(out_of_bounds="clip")
        fitted.append(curve.fit(scaled(given[:, at], method), y == name, sample_weight=weights))
        if method == "sigmoid" and fitted[-1].coef_[0, 0] < 0:
            print(f"WARNING: on held-out rows {name} is the rarer the higher its probability; calibration turns the "
                  "ranking round. The model knows nothing about it.")  # fmt: skip
    return fitted


def recalibrated(
    given: Numbers, fold: Any, y: Any, classes: Sequence[str], method: str, weights: Numbers | None = None
) -> Numbers:
    """Out-of-fold probabilities corrected by what the other folds teach, as a calibrated model corrects new rows."""
    if method == "none":
        return given
    result = np.zeros_like(given)
    for number in np.unique(fold):
        out = fold == number
        curves = calibrators(given[~out], y[~out], classes, method, None if weights is None else weights[~out])
        result[out] = correct(given[out], curves, method)
    return result


def choose_threshold(
    given: Numbers, is_positive: npt.NDArray[np.bool_], miss_cost: float, target_recall: float,
    weights: Numbers | None = None,
) -> tuple[float, str]:  # fmt: skip
    """The probability from which rows count as positive, and what it was chosen for.

    Args:
        given: out-of-fold probability of the positive class.
        is_positive: whether the row is of it.
        miss_cost: what a missed positive costs, in false alarms: the threshold with the least cost on these rows.
        target_recall: else, the highest threshold that finds this share of the positives.
        weights: of the rows.
    """
    fpr, tpr, threshold = sk.roc_curve(is_positive, given, sample_weight=weights, drop_intermediate=False)
    if target_recall:
        at = int(np.argmax(tpr >= target_recall - 1e-12))
        return float(threshold[at]), f"recall of {target_recall:g}"
    share = np.average(is_positive, weights=weights)
    cost = miss_cost * share * (1 - tpr) + (1 - share) * fpr
    return float(
        min(threshold[int(np.argmin(cost))], np.nextafter(1, 2))
    ), f"a miss that costs {miss_cost:g} false alarms"


def calibrate_classifier(
    model: Any, facts: Facts, held: pa.Table, calibration: str = "sigmoid", positive_class: str = "",
    miss_cost: float = 0.0, target_recall: float = 0.0,
) -> tuple[Any, Facts]:  # fmt: skip
    """Correct a model's probabilities and choose its threshold, by rows that it has not seen.

    Args:
        model: from ``train.train_classifier``.
        facts: the model's.
        held: the rows out of fold that came with it: target, ``fold``, ``probability_<class>``.
        calibration: ``none``, ``sigmoid`` or ``isotonic``, see ``calibrators``.
        positive_class: of two, "" for the rarer.
        miss_cost: what a missed positive costs in false alarms, see ``choose_threshold``; 0 for no threshold by cost.
        target_recall: the share of the positives to find; 0 for no threshold by recall. 0 and 0 answers the likeliest.

    Returns:
        The model, in a ``CalibratedClassifier`` unless ``none``, and its facts with ``calibration``, ``threshold`` and
        in ``calibrated_out_of_fold`` figures before and after, each row corrected by other folds.

    Raises:
        InputError: a parameter out of range, rows that are not of this model, or none.
    """
    classes = facts["classes"]
    _check(calibration, positive_class, classes, miss_cost, target_recall)
    given, y, fold, weights = _rows(facts, held)
    if facts.get("calibration", "none") != "none":
        raise InputError("the model is calibrated already; give the one that train_classifier wrote.")
    fixed = recalibrated(given, fold, y, classes, calibration, weights)
    counts = facts["class_counts"]
    positive = positive_class or (min(classes, key=lambda c: counts[c]) if len(classes) == 2 else "")
    threshold: Facts = {}
    if miss_cost or target_recall:
        is_positive, score = y == positive, fixed[:, classes.index(positive)]
        value, chosen_for = choose_threshold(score, is_positive, miss_cost, target_recall, weights)
        how = {"sample_weight": weights, "zero_division": 0}
        threshold = {
            "positive_class": positive, "value": value, "chosen_for": chosen_for,
            "recall": float(sk.recall_score(is_positive, score >= value, **how)),
            "precision": float(sk.precision_score(is_positive, score >= value, **how)),
        }  # fmt: skip
    result = model
    if calibration != "none":
        result = CalibratedClassifier(model, calibrators(given, y, classes, calibration, weights), calibration)
    told = _figures("before", given, y, classes, weights) | _figures("after", fixed, y, classes, weights)
    return result, facts | {"calibration": calibration, "threshold": threshold, "calibrated_out_of_fold": told}


def _rows(facts: Facts, held: pa.Table) -> tuple[Numbers, Any, Any, Any]:
    """Probabilities, classes, folds and weights of the rows out of fold."""
    columns = [f"probability_{c}" for c in facts["classes"]]
    if lost := {facts["target_column"], "fold", *columns} - {*held.column_names}:
        raise InputError(f"out_of_fold: no column {min(lost)}; give the out_of_fold output of train_classifier.")
    told = facts_of(held).get("made_from", {}).get("data", "")
    if told != facts["training_data"]:
        raise InputError(f"out_of_fold is of other training data ({told}) than the model ({facts['training_data']}); "
                         "give both outputs of one run of train_classifier.")  # fmt: skip
    if differs := [n for n in ("algorithm", "parameters", "features", "classes") if facts_of(held).get(n) != facts[n]]:
        raise InputError(f"out_of_fold is of a model with other {differs[0]}; give both outputs of one run of "
                         "train_classifier.")  # fmt: skip
    weight_column = facts["parameters"].get("weight_column", "")
    weights = held[weight_column].cast(pa.float64()).to_numpy() if weight_column else None
    y = held[facts["target_column"]].cast(pa.string()).to_pandas().to_numpy(dtype=object)
    return np.stack([held[c].to_numpy() for c in columns], axis=1), y, held["fold"].to_numpy(), weights


def _figures(when: str, given: Numbers, y: Any, classes: list[str], weights: Numbers | None) -> Facts:
    how = {"labels": classes, "sample_weight": weights}
    return {
        f"brier_{when}": float(sk.brier_score_loss(y, given, **how)),
        f"log_loss_{when}": float(sk.log_loss(y, given, **how)),
    }


def _check(calibration: str, positive_class: str, classes: list[str], miss_cost: float, target_recall: float) -> None:
    if calibration not in CALIBRATIONS:
        raise InputError(f"calibration is {calibration!r}; it can be {', '.join(CALIBRATIONS)}.")
    if positive_class not in ("", *classes):
        raise InputError(f"positive_class is {positive_class!r}; the classes are {', '.join(classes)}.")
    if miss_cost and target_recall:
        raise InputError("give miss_cost or target_recall, not both: each decides the threshold.")
    if not 0 <= miss_cost < np.inf:
        raise InputError(f"miss_cost is {miss_cost}; it is what a miss costs in false alarms, or 0.")
    if not 0 <= target_recall <= 1:
        raise InputError(f"target_recall is {target_recall}; it is a share, or 0.")
    if (miss_cost or target_recall) and len(classes) != 2:
        raise InputError(f"a threshold is for two classes; there are {', '.join(classes)}.")


def calibration_report(facts: Facts) -> str:
    """A calibrated model's facts as Markdown: what became of its probabilities, and from where on a row is flagged."""
    told = facts["calibrated_out_of_fold"]
    blocks = [
        f"# Calibration: {plain(facts['target_column'])} by {facts['algorithm'].replace('_', ' ')}",
        f"Method: {facts['calibration']}. Each row below was judged by a model, and corrected by a curve, that had not "
        "seen its fold. Lower is better; figures that only rank rows, such as ROC-AUC, hardly change.",
        table(
            ("figure", "before", "after"),
            [
                (n.replace("_", " "), f"{told[n + '_before']:.5f}", f"{told[n + '_after']:.5f}")
                for n in ("brier", "log_loss")
            ],
        ),
    ]
    if t := facts["threshold"]:
        blocks.append(
            f"A row counts as {plain(t['positive_class'])} from a probability of {t['value']:.4f}, chosen for "
            f"{t['chosen_for']}: out of fold that finds {t['recall']:.1%} of them, and {t['precision']:.1%} of the "
            "rows that it flags are such."
        )
    else:
        blocks.append("No threshold was asked for: the answer is the likeliest class.")
    return "\n\n".join(blocks) + "\n"
