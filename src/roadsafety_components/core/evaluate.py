"""A classifier judged on rows it has not seen."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from sklearn import metrics as sk

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.figures import calibration, figures
from roadsafety_components.core.intervals import bootstrap, choose_groups, interval
from roadsafety_components.core.predict import answers, check_features, probabilities
from roadsafety_components.core.results import Estimate, results_table
from roadsafety_components.core.store import Facts, facts_of
from roadsafety_components.core.truth import doubts, true_classes

DEFINITIONS = {
    "balanced_accuracy": "mean recall of the classes",
    "macro_f1": "mean F1 of the classes",
    "roc_auc": "chance that a row of the class is ranked above another",
    "average_precision": "precision, averaged over recall",
    "recall": "share of the positive rows found",
    "precision": "share right of the rows called positive",
    "accuracy": "share of rows answered rightly",
    "micro_f1": "F1 of all classes pooled",
    "log_loss": "mean of -log(probability of the true class); low is good",
    "brier": "mean squared error of the probability; low is good",
    "calibration_slope": "below 1 probabilities are too extreme",
    "calibration_error": "mean distance of probability and observed share; low is good",
}
DIFFERENCE = "model minus baseline"


@dataclass(frozen=True)
class Evaluation:
    """Plain values, floats finite. Means over classes are over those in the test.

    Attributes:
        positive_class: or empty.
        majority_class: the test's.
        figures: by name of ``DEFINITIONS``, of the model, the baseline if there is one, "no skill" (each row is given
            the test's class shares) and DIFFERENCE.
        per_class: support, precision, recall, f1, roc_auc, average_precision.
        confusion: true classes by answers.
        curves: by class fpr, tpr, threshold; recall, precision.
        calibration: by class bins: mean probability, observed share, rows.
        histogram: by class rows in twenty equal steps of its probability.
    """

    target_column: str
    classes: list[str]
    positive_class: str
    majority_class: str
    rows: int
    figures: dict[str, dict[str, Estimate]]
    per_class: dict[str, dict[str, float]]
    confusion: list[list[int]]
    curves: dict[str, dict[str, list[float]]]
    calibration: dict[str, list[tuple[float, float, int]]]
    histogram: dict[str, list[int]]
    model_facts: Facts
    data_facts: Facts
    warnings: list[str]
    notes: list[str]

    @property
    def metrics(self) -> dict[str, float]:
        """The model's figures without intervals, ``rows``, and what its accuracy and macro-F1 are without skill."""
        blind = self.figures["no skill"]
        return {n: v[0] for n, v in self.figures["model"].items()} | {
            "majority_accuracy": blind["accuracy"][0],
            "majority_macro_f1": blind["macro_f1"][0],
            "rows": float(self.rows),
        }

    def results(self) -> pa.Table:
        """The figures of model, baseline and no skill as a dataset; see ``results_table``."""
        facts = {"model": self.model_facts.get("sha256", ""), "test_data": self.data_facts.get("sha256", "")}
        return results_table(
            (("test", "", model, name, value, *(limits or (None, None)), self.rows)
             for model, found in self.figures.items() if model != DIFFERENCE
             for name, (value, *limits) in found.items()),
            {"made_from": facts, "target_column": self.target_column, "positive_class": self.positive_class},
        )  # fmt: skip


def evaluate_classifier(
    model: Any,
    facts: Facts,
    table: pa.Table,
    target_column: str = "",
    positive_class: str = "",
    baseline: tuple[Any, Facts] | None = None,
    group_column: str = "",
    resamples: int = 200,
) -> Evaluation:
    """Compare a model's answers with the truth.

    Args:
        model: from ``read_model``.
        facts: the model's.
        table: test rows.
        target_column: "" for the model's own.
        positive_class: of two, "" for the rarer in the test; of more, whose ROC curve to log.
        baseline: another model of the same classes, with its facts, to judge on the same rows.
        group_column: rows of one value are drawn together for the intervals; "" for the table's own.
        resamples: draws for the intervals; 0 for none.

    Returns:
        The evaluation. A class absent from the test has no score but precision.

    Raises:
        InputError: a feature missing or of another type; the target missing, null, of one or unknown classes;
            positive_class no class; a baseline of other classes; resamples no whole number from 0 on.
    """
    data, classes, target_column = facts_of(table), facts["classes"], target_column or facts["target_column"]
    truth = true_classes(table, target_column, classes)
    if positive_class not in ["", *classes]:
        raise InputError(f"positive_class is {positive_class!r}; the classes are {', '.join(classes)}.")
    groups, how = choose_groups(table, group_column, resamples, facts.get("group_column", ""))
    models, warnings, notes = {"model": _ask(model, facts, table, "test table")}, doubts(facts, data), [how] * bool(how)
    if baseline:
        if (others := baseline[1]["classes"]) != classes:
            raise InputError(f"baseline has the classes {', '.join(others)}, the model {', '.join(classes)}.")
        models["baseline"] = _ask(*baseline, table, "test table, for the baseline")
        notes.append("Baseline: {algorithm}, {training_rows} training rows.".format(**baseline[1]).replace("_", " "))
        warnings += [f"BASELINE: {w}" for w in doubts(baseline[1], data) if w not in warnings]
    counts, two, (given, called) = np.bincount(truth, minlength=len(classes)), len(classes) == 2, models["model"]
    if two and not positive_class:
        positive_class = classes[counts.argmin()]
        notes.append(f"The positive class is {positive_class}, the rarer in the test.")
    positive = classes.index(positive_class) if two else -1
    per_class, curves, bins, histogram = {}, {}, {}, {}
    for i, name in enumerate(classes):
        found = figures(truth, given, None, i, called)
        scores = per_class[name] = {"support": float(counts[i]), "precision": found["precision"]}
        if counts[i]:
            scores |= {n: found[n] for n in ("recall", "roc_auc", "average_precision")}
            scores["f1"] = float(2 * found["recall"] * counts[i] / (counts[i] + (called == i).sum()))
            rows = truth == i, given[:, i]
            curves[name], histogram[name] = _curves(*rows), np.histogram(rows[1], 20, (0, 1))[0].tolist()
            bins[name] = list(zip(*(v.tolist() for v in calibration(*rows)), strict=True))
        else:
            notes.append(f"The test holds no {name}: all scores but precision are left out.")
        if i not in called:
            notes.append(f"The model never answers {name}: its precision counts as 0.")
    return Evaluation(
        target_column, classes, positive_class, classes[counts.argmax()], len(truth),
        _estimates(truth, models, positive, groups, int(resamples)), per_class,
        sk.confusion_matrix(truth, called, labels=range(len(classes))).tolist(), curves, bins, histogram,
        facts, data, warnings, notes,
    )  # fmt: skip


def log_evaluation(evaluation: Evaluation, metrics: Any, classification_metrics: Any) -> None:
    """Log figures (classes' as ``recall_<class>``), confusion matrix and the positive class's ROC curve."""
    found = evaluation.metrics
    for name, scores in evaluation.per_class.items():
        end = re.sub(r"\W", "_", name, flags=re.ASCII)
        while f"precision_{end}" in found:
            end += "_"
        found |= {f"{n}_{end}": scores[n] for n in ("precision", "recall", "f1") if n in scores}
    for name, value in found.items():
        metrics.log_metric(name, value)
    classification_metrics.log_confusion_matrix(evaluation.classes, evaluation.confusion)
    if curve := evaluation.curves.get(evaluation.positive_class):
        classification_metrics.log_roc_curve(curve["fpr"], curve["tpr"], curve["threshold"])


def _ask(model: Any, facts: Facts, table: pa.Table, name: str) -> tuple[Any, Any]:
    check_features(facts, table.schema, name)
    given = probabilities(model, facts, table)
    return given, answers(given, facts)


def _estimates(
    truth: Any, models: dict[str, tuple[Any, Any]], positive: int, groups: Any, resamples: int
) -> dict[str, dict[str, Estimate]]:
    classes = models["model"][0].shape[1]

    def judge(weights: Any) -> dict[str, dict[str, float]]:
        counts = np.bincount(truth, weights, classes).astype(np.float64)
        found = {name: figures(truth, given, weights, positive, called) for name, (given, called) in models.items()}
        found["no skill"] = figures(np.arange(classes), np.tile(counts / counts.sum(), (classes, 1)), counts, positive)
        if other := found.get("baseline"):
            found[DIFFERENCE] = {n: v - other[n] for n, v in found["model"].items() if n in other}
        return found

    # The error of calibration only grows by drawing, even of probabilities that are right: it has no interval.
    drawn = bootstrap(groups, lambda weights: {
        f"{model}/{name}": value for model, found in judge(weights).items()
        for name, value in found.items() if name != "calibration_error"
    }, resamples)  # fmt: skip
    return {
        model: {n: (v, *(interval(drawn[f"{model}/{n}"]) if f"{model}/{n}" in drawn else ())) for n, v in found.items()}
        for model, found in judge(np.ones(len(truth))).items()
    }


def _curves(is_class: Any, given: Any) -> dict[str, list[float]]:
    fpr, tpr, threshold = sk.roc_curve(is_class, given)
    precision, recall, _ = sk.precision_recall_curve(is_class, given, drop_intermediate=True)
    # The first threshold is infinite.
    curves = {"fpr": fpr, "tpr": tpr, "threshold": threshold.clip(max=1), "recall": recall, "precision": precision}
    return {n: v[np.unique(np.linspace(0, len(v) - 1, 100).astype(int))].tolist() for n, v in curves.items()}
