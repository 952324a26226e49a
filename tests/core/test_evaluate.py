"""Figures against values worked out by hand, and what is refused."""

import json
from math import log
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from kfp.dsl import ClassificationMetrics, Metrics

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.estimators import ALGORITHMS, Settings
from roadsafety_components.core.evaluate import DEFINITIONS, Evaluation, evaluate_classifier, log_evaluation
from roadsafety_components.core.model import read_model
from roadsafety_components.core.model_writer import write_model
from roadsafety_components.core.store import facts_of, with_facts
from roadsafety_components.core.train import train_classifier


class Oracle:
    """A model whose features are the probabilities that it answers, one column a class."""

    def predict_proba(self, frame):
        """The columns; features come as float32, so their sum is made 1 again."""
        given = frame.to_numpy(np.float64)
        return given / given.sum(axis=1, keepdims=True)


def judged(
    truth: list[str], probabilities: dict[str, list[float]], positive_class: str = "", resamples: int = 0, **facts
) -> Evaluation:
    """Evaluate an Oracle; the facts are the model's."""
    classes = sorted(probabilities)
    facts = {
        "classes": classes, "features": [f"p_{c}" for c in classes], "text_features": [], "target_column": "outcome",
    } | facts  # fmt: skip
    table = pa.table({"outcome": truth} | {f"p_{c}": probabilities[c] for c in classes})
    return evaluate_classifier(Oracle(), facts, table, positive_class=positive_class, resamples=resamples)


def blind(found: Evaluation) -> dict[str, float]:
    """Return the figures without skill."""
    return {name: value for name, (value,) in found.figures["no skill"].items()}


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
            "recall": 1 / 2,
            "precision": 1 / 2,
            "accuracy": 3 / 5,
            "micro_f1": 3 / 5,
            "log_loss": -(2 * log(0.9) + 2 * log(0.4) + log(0.8)) / 5,
            "brier": (0.01 + 0.36 + 0.36 + 0.04 + 0.01) / 5,
            "calibration_slope": found.metrics["calibration_slope"],  # held against scikit-learn in test_figures
            "calibration_error": (0.1 + 0.2 + 0.6 + 0.6 + 0.1) / 5,  # a bin for each of the five
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
    assert blind(found) == pytest.approx(
        {
            "balanced_accuracy": 1 / 2,
            "macro_f1": 3 / 8,
            "roc_auc": 1 / 2,
            "average_precision": 2 / 5,
            "recall": 0,
            "precision": 0,
            "accuracy": 3 / 5,
            "micro_f1": 3 / 5,
            "log_loss": -(0.6 * log(0.6) + 0.4 * log(0.4)),
            "brier": 0.6 * 0.4,
            "calibration_error": 0,
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
            # Bins of one row; of a those of 0.1 (not a), 0.2 (a), 0.3 (not a), 0.7 (a).
            "calibration_error": ((0.1 + 0.8 + 0.3 + 0.3) / 4 + (0.2 + 0.3 + 0.2 + 0.5) / 4 + (0.6 + 0.5) / 4) / 3,
            "majority_accuracy": 1 / 2,
            "majority_macro_f1": 2 / 3 / 3,
            "rows": 4,
        },
        abs=1e-6,
    )
    assert blind(found)["brier"] == pytest.approx(1 - (1 / 4 + 1 / 16 + 1 / 16))
    assert blind(found)["average_precision"] == pytest.approx(1 / 3)


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
    assert blind(found)["balanced_accuracy"] == 1 / 2


def test_every_value_is_plain():
    """KFP fails on NumPy's scalars and JSON has no infinity: the whole evaluation goes through json."""
    for found in (judged(*TWO, resamples=20), judged(*THREE, resamples=20)):
        assert json.loads(json.dumps(vars(found), allow_nan=False))
        assert {type(v) for v in found.metrics.values()} == {float}
        assert {type(n) for row in found.confusion for n in row} == {int}
        needs_positive = {"recall", "precision", "calibration_slope"} if len(found.classes) > 2 else set()
        told = {*DEFINITIONS, "majority_accuracy", "majority_macro_f1", "rows"}
        assert set(found.metrics) == told - needs_positive


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


def test_histogram():
    """Rows in steps of 0.05 of the probability."""
    found = judged(["a", "b", "a"], {"a": [0.88, 0.37, 0.89], "b": [0.12, 0.63, 0.11]}).histogram["b"]
    assert found == [0, 0, 2, *[0] * 9, 1, *[0] * 7]


def test_the_models_own_threshold_decides_its_answers():
    """The confusion, balanced accuracy and recall; the ranking stays."""
    truth, p = ["b"] * 5 + ["a"] * 5, [0.9, 0.8, 0.7, 0.45, 0.2, 0.75, 0.4, 0.3, 0.1, 0.1]
    given, own = {"a": [1 - v for v in p], "b": p}, {"positive_class": "b", "value": 0.25}
    found = judged(truth, given, "b", threshold=own)
    assert found.confusion == [[2, 3], [1, 4]]
    assert found.metrics["balanced_accuracy"] == pytest.approx((2 / 5 + 4 / 5) / 2)
    assert found.metrics["recall"] == found.per_class["b"]["recall"] == 4 / 5
    assert found.metrics["roc_auc"] == judged(truth, given, "b").metrics["roc_auc"]


# Intervals, and a baseline


def noisy(rows: int = 300, **columns) -> pa.Table:
    """A third of the rows is b; p_a and p_b tell it partly, q_a and q_b hardly; two rows a collision."""
    rng = np.random.default_rng(0)
    is_b = np.arange(rows) % 3 == 0
    p, q = (np.clip(0.3 + gain * is_b + rng.normal(0, 0.15, rows), 0.01, 0.99) for gain in (0.25, 0.05))
    data = {"collision_index": [str(i // 2) for i in range(rows)], "outcome": np.where(is_b, "b", "a")}
    return pa.table(data | {"p_a": 1 - p, "p_b": p, "q_a": 1 - q, "q_b": q} | columns)


def oracle(letter: str, **facts) -> tuple[Oracle, dict]:
    """Return a model that answers the columns of a letter, and its facts."""
    features = [f"{letter}_a", f"{letter}_b"]
    return Oracle(), {
        "classes": ["a", "b"], "features": features, "text_features": [], "target_column": "outcome",
        "algorithm": "logistic_regression", "training_rows": 600,
    } | facts  # fmt: skip


def test_a_figure_lies_within_its_interval():
    """All that depend on chance have one, but the error of calibration: draws only make it larger."""
    found = evaluate_classifier(*oracle("p"), noisy(), resamples=100).figures["model"]
    assert set(found) == set(DEFINITIONS)
    assert len(found.pop("calibration_error")) == 1
    for name, (value, low, high) in found.items():
        assert low < value < high, name
        assert high - low < 0.3 or name == "calibration_slope"


def test_without_draws_there_are_no_intervals():
    """And no word of them."""
    found = evaluate_classifier(*oracle("p"), noisy(), resamples=0)
    assert {len(e) for figures in found.figures.values() for e in figures.values()} == {1}
    assert found.notes == ["The positive class is b, the rarer in the test."]


def test_collisions_are_drawn_whole():
    """Rows that are alike within a collision tell less than as many that are not: intervals are wider."""
    once = noisy(100)
    table = pa.concat_tables([once] * 4)
    one, whole = (
        evaluate_classifier(*oracle("p"), table, group_column=column, resamples=100).figures["model"]["roc_auc"]
        for column in ("", "collision_index")
    )
    assert one[0] == whole[0]
    assert whole[2] - whole[1] > 1.5 * (one[2] - one[1])


def test_the_same_evaluation_gives_the_same_intervals():
    """The draws are seeded."""
    one, again = (evaluate_classifier(*oracle("p"), noisy(60), resamples=20).figures for _ in range(2))
    assert one == again


def test_a_baseline_is_judged_on_the_same_rows():
    """With its own features; the difference has an interval of its own, which the draws in common make narrow."""
    found = evaluate_classifier(*oracle("p"), noisy(), baseline=oracle("q"), resamples=100)
    assert list(found.figures) == ["model", "baseline", "no skill", "model minus baseline"]
    model, base, difference = (found.figures[n]["roc_auc"] for n in ("model", "baseline", "model minus baseline"))
    assert base[0] == evaluate_classifier(*oracle("q"), noisy(), resamples=0).metrics["roc_auc"]
    assert difference[0] == pytest.approx(model[0] - base[0])
    assert difference[1] > 0
    assert "Baseline: logistic regression, 600 training rows." in found.notes
    same = evaluate_classifier(*oracle("p"), noisy(60), baseline=oracle("p"), resamples=10)
    assert set(same.figures["model minus baseline"].values()) == {(0, 0, 0), (0,)}


def test_a_draw_without_a_class_gives_fewer_figures():
    """One b among nine rows: a third of the draws have none."""
    table = noisy(9, outcome=["b"] + ["a"] * 8)
    found = evaluate_classifier(*oracle("p"), table, baseline=oracle("q"), resamples=50)
    assert {n for n, e in found.figures["model"].items() if len(e) == 3} >= {"roc_auc", "accuracy", "balanced_accuracy"}


def test_results_are_a_table_for_other_steps():
    """A row a figure of each model; null where there is no interval."""
    found = evaluate_classifier(*oracle("p", sha256="sha256:1"), noisy(), baseline=oracle("q"), resamples=20).results()
    assert found.column_names == ["part", "group", "model", "figure", "value", "low", "high", "rows"]
    rows = {(r["model"], r["figure"]): r for r in found.to_pylist()}
    assert {m for m, _ in rows} == {"model", "baseline", "no skill"}
    assert {r["part"] for r in rows.values()} == {"test"}
    assert {r["group"] for r in rows.values()} == {""}
    assert {r["rows"] for r in rows.values()} == {300}
    assert rows["no skill", "average_precision"]["value"] == pytest.approx(1 / 3)
    assert rows["model", "roc_auc"]["low"] < rows["model", "roc_auc"]["value"] < rows["model", "roc_auc"]["high"]
    assert rows["model", "calibration_error"]["low"] is None
    assert facts_of(found) == {
        "made_from": {"model": "sha256:1", "test_data": ""}, "target_column": "outcome", "positive_class": "b",
    }  # fmt: skip


def test_a_baseline_must_know_the_same_classes():
    """The message names both."""
    with pytest.raises(InputError, match=r"^baseline has the classes no, yes, the model a, b\."):
        evaluate_classifier(*oracle("p"), noisy(9), baseline=oracle("q", classes=["no", "yes"]))


def test_a_baseline_needs_its_features_too():
    """The message says whose they are."""
    table = noisy(9).drop_columns("q_a")
    with pytest.raises(InputError, match=r"^test table, for the baseline: no feature q_a; make it as"):
        evaluate_classifier(*oracle("p"), table, baseline=oracle("q"))


def test_what_speaks_against_the_baseline_is_told():
    """Once, where it speaks against the model as well."""
    found = evaluate_classifier(
        *oracle("p", synthetic=True), noisy(9), baseline=oracle("q", synthetic=True), resamples=0
    )
    assert [w[:9] for w in found.warnings] == ["SYNTHETIC"]
    table = with_facts(noisy(9), {"sha256": "sha256:2"})
    found = evaluate_classifier(*oracle("p"), table, baseline=oracle("q", training_data="sha256:2"), resamples=0)
    assert found.warnings == ["BASELINE: TRAINING DATA: the figures say what the model remembers."]


# With a real model


def separable(rows: int = 40, **columns) -> pa.Table:
    """The outcome is what ``surface`` says; ``speed`` tells nothing."""
    surface = ["wet" if i % 4 == 0 else "dry" for i in range(rows)]
    data = {"surface": surface, "speed": [30.0] * rows, "outcome": ["ksi" if s == "wet" else "slight" for s in surface]}
    return pa.table(data | columns)


def trained(table: pa.Table, algorithm: str = "random_forest", **settings) -> tuple[Any, dict]:
    """Return a small model of the outcome that knows its rows by heart, and its facts."""
    settings = Settings(algorithm, n_estimators=20, min_samples_leaf=1).replaced(settings)
    model, facts, *_ = train_classifier(table, "outcome", settings, folds=0)
    return model, facts


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_trained_model_from_its_file(tmp_path, algorithm):
    """A model that can know everything scores 1, also after it was stored and read."""
    write_model(*trained(separable(), algorithm), tmp_path / "model.skops")
    found = evaluate_classifier(*read_model(tmp_path / "model.skops"), separable(20))
    assert found.metrics["balanced_accuracy"] == found.metrics["roc_auc"] == 1
    assert found.metrics["majority_accuracy"] == 3 / 4
    assert found.model_facts["sha256"].startswith("sha256:")


@pytest.mark.parametrize("outcomes", [[True, False, False], [1, 2, 2]])
def test_classes_need_not_be_text(outcomes):
    """Booleans and whole numbers are classes under the names that training gave them."""
    table = pa.table({"outcome": outcomes * 10, "speed": outcomes * 10})
    model, facts = trained(table)
    found = evaluate_classifier(model, facts, table)
    assert found.metrics["accuracy"] == 1
    assert found.classes == facts["classes"]


def test_another_target_column():
    """The truth may have another name in the test table."""
    model, facts = trained(separable())
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
    model, facts = trained(separable())
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
        evaluate_classifier(*trained(separable()), table, **options)
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
    model, facts = trained(separable(), algorithm)
    with pytest.raises(InputError, match=f"^test table: {told} read both tables alike.$"):
        evaluate_classifier(model, facts, separable(4, **{column: values}))


def test_a_model_without_text_is_checked_too():
    """Its encoder has learned no category at all."""
    table = separable().drop_columns("surface").append_column("lanes", pa.array([1, 2] * 20))
    model, facts = trained(table)
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
