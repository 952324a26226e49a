"""A classifier judged on rows it has not seen."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from sklearn import metrics as sk
from sklearn.pipeline import Pipeline

from roadsafety_components.core import predict
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.store import Facts, facts_of

DEFINITIONS = {
    "balanced_accuracy": "mean of the classes' recall, the share of their rows that is found",
    "macro_f1": "mean of the classes' F1, 2 * precision * recall / (precision + recall)",
    "roc_auc": "chance that a row of the class gets a higher probability of it than a row of another class; of the "
    "positive class where there are two, else the mean over the classes",
    "average_precision": "area under precision and recall: the sum of precision * gain in recall; of the positive "
    "class where there are two, else the mean over the classes",
    "accuracy": "share of rows answered rightly",
    "micro_f1": "F1 of all classes pooled, which is the accuracy",
    "log_loss": "mean of -log(probability given to the true class); lower is better",
    "brier": "mean squared error of the positive class's probability where there are two, else the sum of that of "
    "every class; lower is better",
}


@dataclass(frozen=True)
class Evaluation:
    """Plain values, floats finite. Means over classes are over those in the test."""

    target_column: str
    classes: list[str]
    positive_class: str  # or ""
    majority_class: str  # the test's
    metrics: dict[str, float]  # DEFINITIONS, majority_accuracy, majority_macro_f1, rows
    baseline: dict[str, float]  # DEFINITIONS where each row is given the test's class shares
    per_class: dict[str, dict[str, float]]  # support, precision, recall, f1, roc_auc, average_precision
    confusion: list[list[int]]  # true classes by answers
    curves: dict[str, dict[str, list[float]]]  # fpr, tpr, threshold; recall, precision
    calibration: dict[str, list[tuple[float, float, int]]]  # bins: mean probability, observed share, rows
    model_facts: Facts
    data_facts: Facts
    warnings: list[str]
    notes: list[str]


class _Metrics(Protocol):
    def log_metric(self, metric: str, value: float, /) -> None: ...


class _ClassMetrics(Protocol):
    def log_confusion_matrix(self, categories: list[str], matrix: list[list[int]], /) -> None: ...
    def log_roc_curve(self, fpr: list[float], tpr: list[float], threshold: list[float], /) -> None: ...


def evaluate_classifier(
    model: Pipeline, facts: Facts, table: pa.Table, target_column: str = "", positive_class: str = ""
) -> Evaluation:
    """Compare a model's answers (the likeliest classes) with the truth.

    Args:
        model: from ``read_model``.
        facts: the model's.
        table: test rows.
        target_column: "" for the model's own.
        positive_class: of two, "" for the rarer in the test; of more, whose ROC curve to log.

    Returns:
        The evaluation. A class absent from the test has no score but precision.

    Raises:
        InputError: a feature missing or of another type; the target missing, null, of one or unknown classes;
            positive_class no class.
    """
    data, classes, target_column = facts_of(table), facts["classes"], target_column or facts["target_column"]
    truth = _truth(table, target_column, classes)
    predict.check_features(facts, table.schema, "test table")
    if positive_class not in ["", *classes]:
        raise InputError(f"positive_class is {positive_class!r}; the classes are {', '.join(classes)}.")
    counts, labels = np.bincount(truth, minlength=len(classes)), range(len(classes))
    notes, per_class, curves, calibration = [], {}, {}, {}
    if len(classes) == 2 and not positive_class:
        positive_class = classes[counts.argmin()]
        notes.append(f"The positive class is {positive_class}, the rarer in the test.")
    given = predict.probabilities(model, facts, table)
    answers = predict.answers(given, facts)
    precision, recall, f1, _ = sk.precision_recall_fscore_support(truth, answers, labels=labels, zero_division=0)
    for i, name in enumerate(classes):
        scores = {"support": counts[i], "precision": precision[i]}
        if counts[i]:
            rows = truth == i, given[:, i]
            scores |= {"recall": recall[i], "f1": f1[i], "roc_auc": sk.roc_auc_score(*rows)}
            scores["average_precision"] = sk.average_precision_score(*rows)
            curves[name], calibration[name] = _curves(*rows), _calibration(*rows)
        else:
            notes.append(f"The test holds no {name}: all scores but precision are left out.")
        if i not in answers:
            notes.append(f"The model never answers {name}: its precision counts as 0.")
        per_class[name] = {n: float(v) for n, v in scores.items()}
    scored = [classes.index(positive_class)] if len(classes) == 2 else np.unique(truth)
    blind = _figures(truth, np.tile(counts / len(truth), (len(truth), 1)), scored)
    metrics = _figures(truth, given, scored) | {f"majority_{n}": blind[n] for n in ("accuracy", "macro_f1")}
    return Evaluation(
        target_column, classes, positive_class, classes[counts.argmax()], metrics, blind, per_class,
        sk.confusion_matrix(truth, answers, labels=labels).tolist(), curves, calibration, facts, data,
        _warnings(facts, data), notes,
    )  # fmt: skip


def log_evaluation(evaluation: Evaluation, metrics: _Metrics, classification_metrics: _ClassMetrics) -> None:
    """Log figures (classes' as ``recall_<class>``), confusion matrix and the positive class's ROC curve."""
    figures = dict(evaluation.metrics)
    for name, scores in evaluation.per_class.items():
        end = re.sub(r"\W", "_", name, flags=re.ASCII)
        while f"precision_{end}" in figures:
            end += "_"
        figures |= {f"{n}_{end}": scores[n] for n in ("precision", "recall", "f1") if n in scores}
    for name, value in figures.items():
        metrics.log_metric(name, value)
    classification_metrics.log_confusion_matrix(evaluation.classes, evaluation.confusion)
    if curve := evaluation.curves.get(evaluation.positive_class):
        classification_metrics.log_roc_curve(curve["fpr"], curve["tpr"], curve["threshold"])


def _truth(table: pa.Table, target_column: str, classes: list[str]) -> Any:
    where = f"test table: target column {target_column}"
    if target_column not in table.column_names:
        raise InputError(f"{where} is missing; there are {', '.join(table.column_names)}.")
    values = table[target_column].cast(pa.string()).to_pylist()
    counts = Counter(values)
    if nulls := counts[None]:
        raise InputError(f"{where} is null in {nulls} of {len(values)} rows; drop or label them.")
    if unknown := [f"{name} ({n} rows)" for name, n in counts.most_common() if name not in classes]:
        known = f"It knows {', '.join(classes)}; test on the same target, or train with all."
        raise InputError(f"{where} has classes unknown to the model: {', '.join(unknown)}. {known}")
    if len(counts) < 2:
        raise InputError(f"{where} has one class only ({', '.join(counts)}); use more rows.")
    return np.array(list(map(classes.index, values)))


def _warnings(model: Facts, data: Facts) -> list[str]:
    told, both = [], (model, data)
    if any(f.get("synthetic") for f in both):
        told.append("SYNTHETIC DATA: rows are generated. The figures are not about the world.")
    if leaks := [f["split"] for f in both if f.get("split", {}).get("method") == "row_leaky"]:
        told.append("LEAKING SPLIT (row_leaky): {shared_groups} values of {group_column} are on both sides. "
                    "The figures are too good.".format(**leaks[0]))  # fmt: skip
    if data.get("sha256", 0) == model.get("training_data"):
        told.append("TRAINING DATA: the figures say what the model remembers.")
    return told


def _figures(truth: Any, given: Any, scored: Any) -> dict[str, float]:
    answers, labels, is_class = given.argmax(axis=1), range(given.shape[1]), truth[:, None] == scored
    means = {"labels": np.unique(truth), "average": "macro", "zero_division": 0}
    figures = {
        # balanced_accuracy_score without its warning
        "balanced_accuracy": sk.recall_score(truth, answers, **means),
        "macro_f1": sk.f1_score(truth, answers, **means),
        "roc_auc": sk.roc_auc_score(is_class, given[:, scored]),
        "average_precision": sk.average_precision_score(is_class, given[:, scored]),
        "accuracy": sk.accuracy_score(truth, answers),
        "micro_f1": sk.f1_score(truth, answers, average="micro"),
        "log_loss": sk.log_loss(truth, given, labels=labels),
        "brier": sk.brier_score_loss(truth, given, labels=labels),  # of two classes half the sum
        "rows": len(truth),
    }
    return {n: float(v) for n, v in figures.items()}


def _curves(is_class: Any, given: Any) -> dict[str, list[float]]:
    fpr, tpr, threshold = sk.roc_curve(is_class, given)
    precision, recall, _ = sk.precision_recall_curve(is_class, given, drop_intermediate=True)
    # The first threshold is infinite.
    curves = {"fpr": fpr, "tpr": tpr, "threshold": threshold.clip(max=1), "recall": recall, "precision": precision}
    return {n: v[np.unique(np.linspace(0, len(v) - 1, 100).astype(int))].tolist() for n, v in curves.items()}


def _calibration(is_class: Any, given: Any) -> list[tuple[float, float, int]]:
    # Deciles; fewer bins where rows share a probability.
    at = np.searchsorted(np.unique(np.quantile(given, np.linspace(0.1, 0.9, 9))), given)
    bins = (at == i for i in np.unique(at))
    return [(float(given[b].mean()), float(is_class[b].mean()), int(b.sum())) for b in bins]
