"""Figures with weights: against scikit-learn, and against values worked out by hand."""

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression

from roadsafety_components.core.evaluate import DEFINITIONS
from roadsafety_components.core.figures import calibration, figures

RNG = np.random.default_rng(1)


def drawn(rows: int, classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth, probabilities with ties, and weights as a bootstrap draws them."""
    given = RNG.dirichlet(np.ones(classes), rows).round(2) + 0.001
    given /= given.sum(axis=1, keepdims=True)
    truth = np.array([RNG.choice(classes, p=p) for p in given])
    return truth, given, RNG.integers(0, 4, rows).astype(float)


@pytest.mark.parametrize("weighted", [True, False])
def test_of_two_classes_the_figures_are_scikit_learns(weighted):
    """With and without weights of rows, zeros among them."""
    truth, given, weights = drawn(400, 2)
    found = figures(truth, given, weights if weighted else None, 1)
    answers, p, options = given.argmax(axis=1), given[:, 1], {"sample_weight": weights if weighted else None}
    assert found == pytest.approx(
        {
            "balanced_accuracy": sk.balanced_accuracy_score(truth, answers, **options),
            "macro_f1": sk.f1_score(truth, answers, average="macro", **options),
            "roc_auc": sk.roc_auc_score(truth, p, **options),
            "average_precision": sk.average_precision_score(truth, p, **options),
            "recall": sk.recall_score(truth, answers, **options),
            "precision": sk.precision_score(truth, answers, **options),
            "accuracy": sk.accuracy_score(truth, answers, **options),
            "micro_f1": sk.f1_score(truth, answers, average="micro", **options),
            "log_loss": sk.log_loss(truth, given, **options),
            "brier": sk.brier_score_loss(truth, p, **options),
            "calibration_slope": found["calibration_slope"],
            "calibration_error": found["calibration_error"],
        }
    )
    assert set(found) == set(DEFINITIONS)


def test_of_three_classes_the_figures_are_scikit_learns():
    """Ranking figures are means over the classes, the Brier score is the sum; what needs a positive class is absent."""
    truth, given, weights = drawn(400, 3)
    found = figures(truth, given, weights)
    answers, one_hot, options = given.argmax(axis=1), truth[:, None] == range(3), {"sample_weight": weights}
    assert found == pytest.approx(
        {
            "balanced_accuracy": sk.balanced_accuracy_score(truth, answers, **options),
            "macro_f1": sk.f1_score(truth, answers, average="macro", **options),
            "roc_auc": sk.roc_auc_score(one_hot, given, **options),
            "average_precision": sk.average_precision_score(one_hot, given, **options),
            "accuracy": sk.accuracy_score(truth, answers, **options),
            "micro_f1": sk.f1_score(truth, answers, average="micro", **options),
            "log_loss": sk.log_loss(truth, given, **options),
            "brier": sk.brier_score_loss(truth, given, labels=range(3), **options),
            "calibration_error": found["calibration_error"],
        }
    )


def test_a_positive_class_of_three_is_judged_against_the_others():
    """Ranking, Brier score, recall and precision are about it alone."""
    truth, given, weights = drawn(400, 3)
    found, options = figures(truth, given, weights, 2), {"sample_weight": weights}
    assert found["roc_auc"] == pytest.approx(sk.roc_auc_score(truth == 2, given[:, 2], **options))
    assert found["brier"] == pytest.approx(sk.brier_score_loss(truth == 2, given[:, 2], **options))
    assert found["recall"] == pytest.approx(sk.recall_score(truth == 2, given.argmax(axis=1) == 2, **options))


@pytest.mark.parametrize("weighted", [True, False])
def test_the_calibration_slope_is_that_of_a_logistic_regression_without_penalty(weighted):
    """Of the truth on the logit, by another solver."""
    truth, given, weights = drawn(400, 2)
    weights = weights if weighted else np.ones(400)
    logit = np.log(given[:, 1] / given[:, 0])[:, None]
    expected = LogisticRegression(C=np.inf, tol=1e-10).fit(logit, truth, sample_weight=weights).coef_[0, 0]
    assert figures(truth, given, weights, 1)["calibration_slope"] == pytest.approx(expected, rel=1e-4)


def test_probabilities_twice_as_far_apart_have_half_the_slope():
    """The slope says by what to multiply the logits."""
    truth, given, _ = drawn(400, 2)
    odds = (given[:, 1] / given[:, 0]) ** 2
    apart = np.column_stack([1 / (1 + odds), odds / (1 + odds)])
    once, twice = (figures(truth, p, None, 1)["calibration_slope"] for p in (given, apart))
    assert twice == pytest.approx(once / 2)


@pytest.mark.parametrize("given", [[0.3] * 6, [0.1, 0.1, 0.2, 0.7, 0.8, 0.9], [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]])
def test_where_there_is_no_slope_none_is_told(given):
    """One probability has none, and of classes that a limit separates it is infinite."""
    p = np.array(given)
    found = figures(np.array([0, 0, 0, 1, 1, 1]), np.column_stack([1 - p, p]), None, 1)
    assert set(DEFINITIONS) - set(found) == {"calibration_slope"}


def test_probabilities_of_0_and_1_count_as_a_millionth_away():
    """Their logits are infinite; here one in four is wrong on each side: the logit of 3/4 over that of the limit."""
    p = np.array([0.0] * 4 + [1.0] * 4)
    found = figures(np.array([0, 0, 0, 1, 1, 1, 1, 0]), np.column_stack([1 - p, p]), None, 1)
    assert found["calibration_slope"] == pytest.approx(np.log(3) / np.log((1 - 1e-6) / 1e-6))


def test_a_weight_of_two_is_a_row_given_twice():
    """All figures."""
    truth, given, weights = drawn(60, 3)
    copies = np.repeat(np.arange(60), weights.astype(int))
    assert figures(truth, given, weights, 1) == pytest.approx(figures(truth[copies], given[copies], None, 1))


def test_the_order_of_the_rows_does_not_matter():
    """Of ties neither."""
    truth, given, weights = drawn(100, 2)
    order = np.argsort(given[:, 0])
    assert figures(truth[order], given[order], weights[order], 1) == pytest.approx(figures(truth, given, weights, 1))


def test_answers_by_a_threshold():
    """Recall 2 of 2, precision 2 of 3; what does not depend on answers stays."""
    truth, p = np.array([1, 1, 0, 0]), np.array([0.4, 0.3, 0.3, 0.1])
    given = np.column_stack([1 - p, p])
    found = figures(truth, given, None, 1, np.array([1, 1, 1, 0]))
    assert (found["recall"], found["precision"], found["accuracy"]) == (1, pytest.approx(2 / 3), 3 / 4)
    assert found["roc_auc"] == figures(truth, given, None, 1)["roc_auc"] == 7 / 8


@pytest.mark.parametrize(("positive", "recall"), [(0, {"recall": 1 / 2}), (1, {})])
def test_a_draw_of_one_class(positive, recall):
    """Nothing is told that needs two, and no warning is given."""
    given = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]])
    found = figures(np.array([0, 0, 1]), given, np.array([1.0, 1.0, 0.0]), positive)
    told = {"accuracy": 1 / 2, "micro_f1": 1 / 2, "log_loss": -(np.log(0.9) + np.log(0.4)) / 2}
    told |= {"brier": (0.01 + 0.36) / 2, "precision": float(positive == 0), "calibration_error": (0.1 + 0.6) / 2}
    assert found == pytest.approx(told | recall)


def test_a_class_that_a_draw_leaves_out_has_no_part_in_the_means():
    """Of three classes the third is not drawn."""
    given = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7]])
    found = figures(np.array([0, 1, 2]), given, np.array([2.0, 1.0, 0.0]))
    assert found["balanced_accuracy"] == found["macro_f1"] == found["roc_auc"] == 1


def test_calibration_bins_are_of_equal_weight():
    """Twenty rows of weight 1 and ten of weight 2 make ten bins of weight 4."""
    given = np.arange(30) / 30
    mean, share, rows = calibration(np.arange(30) % 2 == 0, given, np.array([1.0] * 20 + [2.0] * 10))
    assert rows.tolist() == [4.0] * 10
    assert mean[0] == pytest.approx((0 + 1 + 2 + 3) / 4 / 30)
    assert mean[-1] == pytest.approx((28 + 29) / 2 / 30)
    assert share.tolist() == [0.5] * 10


def test_calibration_error():
    """Two bins: 0.2 for what happens 1 time in 4, and 0.6 for what happens 3 times in 4, twice the weight."""
    p = np.array([0.2] * 4 + [0.6] * 4)
    found = figures(np.array([1, 0, 0, 0, 1, 1, 1, 0]), np.column_stack([1 - p, p]), np.array([1.0] * 4 + [2.0] * 4), 1)
    assert found["calibration_error"] == pytest.approx((0.05 + 2 * 0.15) / 3)


def test_a_probability_of_0_for_what_happened_is_a_large_loss_and_no_infinity():
    """As scikit-learn does: the smallest step of a float."""
    found = figures(np.array([1, 0]), np.array([[1.0, 0.0], [0.5, 0.5]]), None, 1)
    assert found["log_loss"] == pytest.approx((-np.log(np.finfo(float).eps) - np.log(0.5)) / 2)
