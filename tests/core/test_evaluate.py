"""Figures against values worked out by hand, and what is refused."""

import json
from math import log

import numpy as np
import pyarrow as pa
import pytest
from kfp.dsl import ClassificationMetrics, Metrics

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.evaluate import DEFINITIONS, Evaluation, evaluate_classifier, log_evaluation
from roadsafety_components.core.model import read_model, write_model
from roadsafety_components.core.store import with_facts
from roadsafety_components.core.train import ALGORITHMS, train_classifier


class Oracle:
    """A model whose features are the probabilities that it answers, one column a class."""

    def predict_proba(self, frame):
        """The columns; features come as float32, so their sum is made 1 again."""
        given = frame.to_numpy(np.float64)
        return given / given.sum(axis=1, keepdims=True)


def judged(truth: list[str], probabilities: dict[str, list[float]], positive_class: str = "", **facts) -> Evaluation:
    """Evaluate an Oracle; the facts are the model's."""
    classes = sorted(probabilities)
    facts = {
        "classes": classes, "features": [f"p_{c}" for c in classes], "text_features": [], "target_column": "outcome",
    } | facts  # fmt: skip
    table = pa.table({"outcome": truth} | {f"p_{c}": probabilities[c] for c in classes})
    return evaluate_classifier(Oracle(), facts, table, positive_class=positive_class)


TWO = (["b", "b", "a", "a", "a"], {"a": [0.1, 0.6, 0.4, 0.8, 0.9], "b": [0.9, 0.4, 0.6, 0.2, 0.1]})
THREE = (
    ["a", "a", "b", "c"],
    {"a": [0.7, 0.2, 0.1, 0.3], "b": [0.2, 0.5, 0.8, 0.3], "c": [0.1, 0.3, 0.1, 0.4]},
)


# Figures


def test_two_classes():
    """The positive class is the rarer, b; answers are b, a, b, a, a."""
    found = judged(*TWO)
    assert found.positive_class == "b"
    assert found.notes == ["The positive class is b, the rarer in the test."]
    assert found.confusion == [[2, 1], [1, 1]]
    assert found.metrics == pytest.approx(
        {
            "balanced_accuracy": (2 / 3 + 1 / 2) / 2,
            "macro_f1": (2 / 3 + 1 / 2) / 2,
            "roc_auc": 5 / 6,  # of the six pairs of a b and an a only 0.4 and 0.6 stand the wrong way round
            "average_precision": 1 / 2 * 1 + 1 / 2 * 2 / 3,
            "accuracy": 3 / 5,
            "micro_f1": 3 / 5,
            "log_loss": -(2 * log(0.9) + 2 * log(0.4) + log(0.8)) / 5,
            "brier": (0.01 + 0.36 + 0.36 + 0.04 + 0.01) / 5,
            "majority_accuracy": 3 / 5,
            "majority_macro_f1": (3 / 4 + 0) / 2,
            "rows": 5,
        },
        abs=1e-6,
    )


def test_two_classes_answered_blindly():
    """The baseline gives every row the shares 0.6 and 0.4, so it answers a."""
    found = judged(*TWO)
    assert found.majority_class == "a"
    assert found.baseline == pytest.approx(
        {
            "balanced_accuracy": 1 / 2,
            "macro_f1": 3 / 8,
            "roc_auc": 1 / 2,
            "average_precision": 2 / 5,
            "accuracy": 3 / 5,
            "micro_f1": 3 / 5,
            "log_loss": -(0.6 * log(0.6) + 0.4 * log(0.4)),
            "brier": 0.6 * 0.4,
            "rows": 5,
        }
    )


def test_the_positive_class_can_be_chosen():
    """Average precision and Brier score are then about it, and nothing needs a note."""
    found = judged(*TWO, positive_class="a")
    assert found.positive_class == "a"
    assert found.notes == []
    # Rows by falling probability of a: a, a, b, a, b.
    assert found.metrics["average_precision"] == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert found.metrics["brier"] == pytest.approx(0.156, abs=1e-6)


def test_three_classes():
    """Ranking figures are means over the classes; the Brier score is the sum over them."""
    found = judged(*THREE)
    assert found.positive_class == ""
    assert found.confusion == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert found.metrics == pytest.approx(
        {
            "balanced_accuracy": (1 / 2 + 1 + 1) / 3,
            "macro_f1": (2 / 3 + 2 / 3 + 1) / 3,
            "roc_auc": (3 / 4 + 1 + 1) / 3,
            "average_precision": (5 / 6 + 1 + 1) / 3,
            "accuracy": 3 / 4,
            "micro_f1": 3 / 4,
            "log_loss": -(log(0.7) + log(0.2) + log(0.8) + log(0.4)) / 4,
            "brier": (0.14 + 0.98 + 0.06 + 0.54) / 4,
            "majority_accuracy": 1 / 2,
            "majority_macro_f1": 2 / 3 / 3,
            "rows": 4,
        },
        abs=1e-6,
    )
    assert found.baseline["brier"] == pytest.approx(1 - (1 / 4 + 1 / 16 + 1 / 16))
    assert found.baseline["average_precision"] == pytest.approx(1 / 3)


def test_each_class():
    """Precision, recall and F1 of a class, and how well its probability ranks the rows."""
    found = judged(*THREE)
    assert found.per_class["a"] == pytest.approx(
        {"support": 2, "precision": 1, "recall": 1 / 2, "f1": 2 / 3, "roc_auc": 3 / 4, "average_precision": 5 / 6}
    )
    assert found.per_class["b"] == pytest.approx(
        {"support": 1, "precision": 1 / 2, "recall": 1, "f1": 2 / 3, "roc_auc": 1, "average_precision": 1}
    )


def test_a_class_absent_from_the_test():
    """It is named, has no score but precision, and no part in the means."""
    found = judged(["a", "b"], {"a": [0.6, 0.2], "b": [0.3, 0.7], "c": [0.1, 0.1]})
    assert found.per_class["c"] == {"support": 0, "precision": 0}
    assert set(found.curves) == set(found.calibration) == {"a", "b"}
    assert found.notes == [
        "The test holds no c: all scores but precision are left out.",
        "The model never answers c: its precision counts as 0.",
    ]
    assert found.metrics["balanced_accuracy"] == found.metrics["macro_f1"] == found.metrics["roc_auc"] == 1
    assert found.baseline["balanced_accuracy"] == 1 / 2


def test_every_value_is_plain():
    """KFP fails on NumPy's scalars and JSON has no infinity: the whole evaluation goes through json."""
    for found in (judged(*TWO), judged(*THREE)):
        assert json.loads(json.dumps(vars(found), allow_nan=False))
        assert {type(v) for v in found.metrics.values()} == {float}
        assert {type(n) for row in found.confusion for n in row} == {int}
        assert set(found.metrics) == {*DEFINITIONS, "majority_accuracy", "majority_macro_f1", "rows"}


# Curves


def test_curves():
    """Of b: thresholds 0.9, 0.6, 0.4 and 0.1; scikit-learn's infinite first one is 1."""
    curve = judged(*TWO).curves["b"]
    assert curve["fpr"] == pytest.approx([0, 0, 1 / 3, 1 / 3, 1])
    assert curve["tpr"] == pytest.approx([0, 1 / 2, 1 / 2, 1, 1])
    assert curve["threshold"] == pytest.approx([1, 0.9, 0.6, 0.4, 0.1])
    assert curve["recall"][0] == 1
    assert (curve["recall"][-1], curve["precision"][-1]) == (0, 1)


def test_long_curves_are_thinned():
    """At most 100 points, from one end to the other."""
    rng = np.random.default_rng(0)
    chance = rng.random(5000)
    truth = np.where(rng.random(5000) < chance, "b", "a").tolist()
    curve = judged(truth, {"a": (1 - chance).tolist(), "b": chance.tolist()}).curves["a"]
    assert len(curve["fpr"]) == len(curve["tpr"]) == len(curve["threshold"]) == 100
    assert (curve["fpr"][0], curve["tpr"][0], curve["fpr"][-1], curve["tpr"][-1]) == (0, 0, 1, 1)
    assert len(curve["recall"]) == len(curve["precision"]) == 100
    assert (curve["recall"][0], curve["recall"][-1]) == (1, 0)


def test_calibration():
    """Rows of one probability share a bin: mean probability, observed share, rows."""
    truth = ["b", *["a"] * 4, *["b"] * 3, "a", "a"]
    found = judged(truth, {"a": [0.75] * 5 + [0.25] * 5, "b": [0.25] * 5 + [0.75] * 5})
    assert found.calibration["b"] == [(0.25, 0.2, 5), (0.75, pytest.approx(0.6), 5)]


def test_calibration_has_ten_bins_at_most():
    """Each of about a tenth of the rows."""
    chance = [i / 200 for i in range(200)]
    found = judged(["a", "b"] * 100, {"a": [1 - c for c in chance], "b": chance})
    assert [rows for *_, rows in found.calibration["b"]] == [20] * 10


# With a real model


def separable(rows: int = 40, **columns) -> pa.Table:
    """The outcome is what ``surface`` says; ``speed`` tells nothing."""
    surface = ["wet" if i % 4 == 0 else "dry" for i in range(rows)]
    data = {"surface": surface, "speed": [30.0] * rows, "outcome": ["ksi" if s == "wet" else "slight" for s in surface]}
    return pa.table(data | columns)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_trained_model_from_its_file(tmp_path, algorithm):
    """A model that can know everything scores 1, also after it was stored and read."""
    model, facts = train_classifier(separable(), "outcome", algorithm, n_estimators=20, min_samples_leaf=5)
    write_model(model, facts, tmp_path / "model.skops")
    found = evaluate_classifier(*read_model(tmp_path / "model.skops"), separable(20))
    assert found.metrics["balanced_accuracy"] == found.metrics["roc_auc"] == 1
    assert found.metrics["majority_accuracy"] == 3 / 4
    assert found.model_facts["sha256"].startswith("sha256:")


@pytest.mark.parametrize("outcomes", [[True, False, False], [1, 2, 2]])
def test_classes_need_not_be_text(outcomes):
    """Booleans and whole numbers are classes under the names that training gave them."""
    table = pa.table({"outcome": outcomes * 10, "speed": outcomes * 10})
    model, facts = train_classifier(table, "outcome", n_estimators=5)
    found = evaluate_classifier(model, facts, table)
    assert found.metrics["accuracy"] == 1
    assert found.classes == facts["classes"]


def test_another_target_column():
    """The truth may have another name in the test table."""
    model, facts = train_classifier(separable(), "outcome", n_estimators=5)
    table = separable(20).rename_columns(["surface", "speed", "officer_said"])
    assert evaluate_classifier(model, facts, table, "officer_said").target_column == "officer_said"


# What is told


def test_warnings_come_from_the_facts():
    """Generated rows, a leaking split and training rows are told, whichever side's facts say it."""
    leaky = {"split": {"method": "row_leaky", "group_column": "collision_index", "shared_groups": 7}}
    assert judged(*TWO, synthetic=True).warnings == [
        "SYNTHETIC DATA: rows are generated. The figures are not about the world."
    ]
    assert judged(*TWO, **leaky).warnings == [
        "LEAKING SPLIT (row_leaky): 7 values of collision_index are on both sides. The figures are too good."
    ]
    model, facts = train_classifier(separable(), "outcome", n_estimators=5)
    table = with_facts(separable(), {"sha256": "sha256:1", "synthetic": True} | leaky)
    told = evaluate_classifier(model, facts | {"training_data": "sha256:1"}, table).warnings
    assert [w.split(":")[0] for w in told] == ["SYNTHETIC DATA", "LEAKING SPLIT (row_leaky)", "TRAINING DATA"]


def test_an_honest_test_warns_of_nothing():
    """Real rows, split by group, of another file than the training data."""
    honest = {"split": {"method": "group", "group_column": "collision_index", "shared_groups": 0}, "synthetic": False}
    assert judged(*TWO, training_data="", **honest).warnings == []


# What is refused


def refusal(table: pa.Table, **options) -> str:
    """Evaluate a model of ``separable`` on a table; the message with which it is refused."""
    with pytest.raises(InputError) as caught:
        evaluate_classifier(*train_classifier(separable(), "outcome", n_estimators=2), table, **options)
    return str(caught.value)


def test_the_target_must_be_there():
    """The message names the columns that are."""
    assert refusal(separable().drop_columns("outcome")) == (
        "test table: target column outcome is missing; there are surface, speed."
    )


def test_the_target_must_be_complete():
    """The message counts the rows without it."""
    told = refusal(separable(4, outcome=["ksi", None, "slight", None]))
    assert told == "test table: target column outcome is null in 2 of 4 rows; drop or label them."


def test_the_target_must_have_two_classes():
    """One class leaves nothing to tell apart."""
    told = refusal(separable(4, outcome=["ksi"] * 4))
    assert told == "test table: target column outcome has one class only (ksi); use more rows."


def test_the_model_must_know_the_classes():
    """The message counts those it does not know, and names those it does."""
    assert refusal(separable(5, outcome=["ksi", "fatal", "minor", "fatal", "slight"])) == (
        "test table: target column outcome has classes unknown to the model: fatal (2 rows), minor (1 rows). "
        "It knows ksi, slight; test on the same target, or train with all."
    )


def test_the_positive_class_must_be_a_class():
    """The message names the classes."""
    assert refusal(separable(), positive_class="fatal") == "positive_class is 'fatal'; the classes are ksi, slight."


def test_features_must_be_there():
    """The message names those that are not."""
    assert refusal(separable().drop_columns(["surface", "speed"])) == (
        "test table: no feature surface, speed; make it as the training table was made."
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("surface", [1, 2, 3, 4], "feature surface is int64, in training text;"),
        ("speed", ["30", "40", "50", "60"], "feature speed is string, in training number;"),
    ],
)
def test_features_must_be_of_the_type_that_was_learned(algorithm, column, values, told):
    """A code read as text in one table and as a number in the other would be nonsense, not a score."""
    model, facts = train_classifier(separable(), "outcome", algorithm, n_estimators=2)
    with pytest.raises(InputError, match=f"^test table: {told} read both tables alike.$"):
        evaluate_classifier(model, facts, separable(4, **{column: values}))


def test_a_model_without_text_is_checked_too():
    """Its encoder has learned no category at all."""
    table = separable().drop_columns("surface").append_column("lanes", pa.array([1, 2] * 20))
    model, facts = train_classifier(table, "outcome", n_estimators=5)
    wrong = table.set_column(0, "speed", pa.array(["fast"] * 40))
    with pytest.raises(InputError, match="feature speed is string, in training number"):
        evaluate_classifier(model, facts, wrong)


# What is logged


def logged(evaluation: Evaluation) -> tuple[dict, dict]:
    """Metadata of KFP's own artifacts."""
    metrics, classification = Metrics(metadata={}), ClassificationMetrics(metadata={})
    log_evaluation(evaluation, metrics, classification)
    return metrics.metadata, classification.metadata


def test_two_classes_are_logged():
    """Figures as plain floats, the confusion matrix, and the ROC curve of the positive class."""
    found = judged(*TWO)
    metrics, classification = logged(found)
    assert {type(v) for v in metrics.values()} == {float}
    assert metrics["recall_b"] == 1 / 2
    assert metrics == found.metrics | {
        f"{score}_{c}": found.per_class[c][score] for c in "ab" for score in ("precision", "recall", "f1")
    }
    assert classification["confusionMatrix"] == {
        "annotationSpecs": [{"displayName": "a"}, {"displayName": "b"}],
        "rows": [{"row": [2, 1]}, {"row": [1, 1]}],
    }
    assert classification["confidenceMetrics"][0] == {"confidenceThreshold": 1, "recall": 0, "falsePositiveRate": 0}
    assert len(classification["confidenceMetrics"]) == 5


def test_more_classes_log_a_curve_when_one_is_chosen():
    """Without a positive class there is no curve to log."""
    assert "confidenceMetrics" not in logged(judged(*THREE))[1]
    assert "confidenceMetrics" in logged(judged(*THREE, positive_class="c"))[1]


def test_names_of_metrics():
    """Letters, digits and underscores; classes that then look alike stay apart; absent figures are not logged."""
    third = [1 / 3, 1 / 3]
    metrics, _ = logged(judged(["a b", "a-b"], {"a b": third, "a-b": third, "\u00e4": third}))
    assert sorted(n for n in metrics if n.startswith(("recall", "precision"))) == [
        "precision__", "precision_a_b", "precision_a_b_", "recall_a_b", "recall_a_b_",
    ]  # fmt: skip
