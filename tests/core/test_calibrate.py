"""Calibration and threshold, each on probabilities of rows that the model has not seen."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from roadsafety_components.core import calibrate
from roadsafety_components.core.calibrated import CalibratedClassifier, correct
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.estimators import Settings
from roadsafety_components.core.frame import to_frame
from roadsafety_components.core.model import read_model
from roadsafety_components.core.model_writer import write_model
from roadsafety_components.core.store import with_facts
from roadsafety_components.core.train import train_classifier

CLASSES = ["ksi", "slight"]


class Given(ClassifierMixin, BaseEstimator):
    """Answers its feature as the probability of ksi."""

    classes_ = np.array(CLASSES, dtype=object)

    def fit(self, x, y):
        """Nothing to learn."""
        return self

    def predict_proba(self, x):
        """Of ksi, of slight."""
        return np.stack([x[:, 0], 1 - x[:, 0]], axis=1)

    def predict(self, x):
        """The likelier."""
        return self.classes_[self.predict_proba(x).argmax(axis=1)]


def overconfident(rows: int = 20_000):
    """Probabilities twice too large in log-odds, and the classes that truly came of it."""
    rng = np.random.default_rng(0)
    logit = rng.normal(-1, 1, rows)
    y = np.where(rng.random(rows) < 1 / (1 + np.exp(-logit)), "ksi", "slight").astype(object)
    told = 1 / (1 + np.exp(-2 * logit))
    return np.stack([told, 1 - told], axis=1), y, logit


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_overconfident_probabilities_come_true_after_calibration(method):
    """The calibrated model gives the true probabilities, within what 20,000 rows can tell."""
    given, y, logit = overconfident()
    model = CalibratedClassifier(Given(), calibrate.calibrators(given, y, CLASSES, method), method)
    fixed = model.predict_proba(given[:, :1])[:, 0]
    true = 1 / (1 + np.exp(-logit))
    assert np.mean(abs(given[:, 0] - true)) > 0.08
    assert np.mean(abs(fixed - true)) < 0.02
    assert model.classes_.tolist() == CLASSES


def test_isotonic_keeps_the_order_of_rows():
    """A row with a higher probability never gets a lower one."""
    given, y, _ = overconfident(2000)
    model = CalibratedClassifier(Given(), calibrate.calibrators(given, y, CLASSES, "isotonic"), "isotonic")
    fixed = model.predict_proba(np.linspace(0, 1, 101)[:, None])[:, 0]
    assert (np.diff(fixed) >= 0).all()


def test_out_of_fold_rows_are_calibrated_by_other_folds():
    """Folds of opposite truth: what one teaches is wrong for the other, so nothing fits better than by chance."""
    given = np.array([[0.2, 0.8], [0.8, 0.2]] * 100)
    fold = np.repeat([0, 1], 100)
    y = np.array(["slight", "ksi"] * 50 + ["ksi", "slight"] * 50, dtype=object)
    fixed = calibrate.recalibrated(given, fold, y, CLASSES, "sigmoid")
    assert (fixed[:100, 0] > 0.5).tolist() == [True, False] * 50  # as the second fold has it
    assert (fixed[100:, 0] > 0.5).tolist() == [False, True] * 50
    assert calibrate.recalibrated(given, fold, y, CLASSES, "none") is given


def test_three_classes_are_corrected_each_and_sum_to_one():
    """Of rows that all get the same probabilities, the corrected ones are the shares seen."""
    given = np.array([[0.5, 0.25, 0.25]] * 10)
    y = np.array(["a"] * 2 + ["b"] * 3 + ["c"] * 5, dtype=object)
    fixed = correct(given[:1], calibrate.calibrators(given, y, ["a", "b", "c"], "isotonic"), "isotonic")
    assert fixed[0].tolist() == pytest.approx([0.2, 0.3, 0.5])


def test_a_row_for_which_no_class_is_possible_gets_equal_shares():
    """Each class was never seen at its probability."""
    given = np.array([[0.6, 0.4, 0.0], [0.0, 0.6, 0.4], [0.4, 0.0, 0.6], [0.2, 0.2, 0.2]])
    curves = calibrate.calibrators(given, np.array(["a", "b", "c", "a"], dtype=object), ["a", "b", "c"], "isotonic")
    assert correct(np.array([[0.0, 0.0, 0.0]]), curves, "isotonic")[0].tolist() == pytest.approx([1 / 3] * 3)


TRUE = np.array([True, False, True, False, False])
SCORE = np.array([0.9, 0.8, 0.6, 0.4, 0.2])


@pytest.mark.parametrize(
    ("miss_cost", "target_recall", "threshold"),
    [
        (0.0, 0.5, 0.9),  # the first positive is half of them
        (0.0, 0.6, 0.6),  # the next is needed
        (0.0, 1.0, 0.6),
        (0.5, 0.0, 0.9),  # flagged from 0.9: one miss of 0.5; from 0.6: one false alarm of 1
        (3.0, 0.0, 0.6),  # the miss would cost 3, the false alarm 1
    ],
)
def test_the_threshold_by_hand(miss_cost, target_recall, threshold):
    """Positives at 0.9 and 0.6, a negative between them."""
    value, _ = calibrate.choose_threshold(SCORE, TRUE, miss_cost, target_recall)
    assert value == threshold


def test_a_threshold_by_cost_is_near_the_theory():
    """With true probabilities the best threshold is 1 / (1 + cost) (Elkan 2001)."""
    _, y, logit = overconfident(200_000)
    value, told = calibrate.choose_threshold(1 / (1 + np.exp(-logit)), y == "ksi", 4.0, 0.0)
    assert value == pytest.approx(0.2, abs=0.02)
    assert told == "a miss that costs 4 false alarms"


def test_misses_that_cost_nothing_flag_no_one():
    """The threshold is just above 1, not infinite: a probability of 1 does not reach it."""
    value, _ = calibrate.choose_threshold(np.array([0.3, 0.2]), np.array([False, True]), 0.001, 0.0)
    assert 1 < value < 1.0001


def held(rows: int = 3000, digest: str = "sha256:abc", **more) -> pa.Table:
    """Rows out of fold of an overconfident model, in three folds."""
    given, y, _ = overconfident(rows)
    table = pa.table({"ksi": y.astype(str), "fold": np.arange(rows) % 3, "probability_ksi": given[:, 0],
                      "probability_slight": given[:, 1]} | more)  # fmt: skip
    told = {n: FACTS[n] for n in ("algorithm", "parameters", "features", "classes")}
    return with_facts(table, {"made_from": {"data": digest}} | told)


FACTS = {"classes": CLASSES, "target_column": "ksi", "training_data": "sha256:abc", "parameters": {}, "features": ["x"],
         "class_counts": {"ksi": 30, "slight": 70}, "algorithm": "random_forest"}  # fmt: skip


def test_a_model_gets_its_calibration_and_its_threshold():
    """Out of fold the Brier score falls, and the threshold finds the share that was asked for."""
    model, facts = calibrate.calibrate_classifier(Given(), FACTS, held(), "sigmoid", target_recall=0.7)
    told = facts["calibrated_out_of_fold"]
    assert told["brier_after"] < told["brier_before"] - 0.005
    assert facts["calibration"] == "sigmoid"
    assert facts["threshold"]["positive_class"] == "ksi"
    assert facts["threshold"]["recall"] == pytest.approx(0.7, abs=0.01)
    assert isinstance(model, CalibratedClassifier)
    text = calibrate.calibration_report(facts)
    assert f"| brier | {told['brier_before']:.5f} | {told['brier_after']:.5f} |" in text
    assert "chosen for recall of 0.7: out of fold that finds 70.0% of them" in text


def test_no_calibration_leaves_the_model_as_it_is():
    """A threshold may be chosen all the same, and without one the report says so."""
    model = Given()
    same, facts = calibrate.calibrate_classifier(model, FACTS, held(), "none", miss_cost=3.0)
    assert same is model
    assert facts["threshold"]["chosen_for"] == "a miss that costs 3 false alarms"
    assert facts["calibrated_out_of_fold"]["brier_before"] == facts["calibrated_out_of_fold"]["brier_after"]
    _, facts = calibrate.calibrate_classifier(model, FACTS, held(), "none")
    assert facts["threshold"] == {}
    assert "No threshold was asked for: the answer is the likeliest class." in calibrate.calibration_report(facts)


def test_a_calibrated_model_is_read_back_from_its_file(tmp_path):
    """Nothing in it that is not trusted; the same probabilities to the last bit."""
    rng = np.random.default_rng(0)
    table = pa.table({"x": rng.normal(size=400), "ksi": np.where(rng.random(400) < 0.3, "ksi", "slight")})
    fitted, facts, out = train_classifier(table, "ksi", Settings(n_estimators=5), folds=3)
    for method in ("sigmoid", "isotonic"):
        model, told = calibrate.calibrate_classifier(fitted, facts, out, method, miss_cost=2.0)
        write_model(model, told, tmp_path / method)
        back, facts_back = read_model(tmp_path / method)
        x = to_frame(table, told["features"])
        assert np.array_equal(back.predict_proba(x), model.predict_proba(x))
        assert facts_back["threshold"] == told["threshold"]
        with pytest.raises(InputError, match="the model is calibrated already"):
            calibrate.calibrate_classifier(back, facts_back, out)


def test_rows_of_another_model_are_told():
    """By the digest of the training data."""
    with pytest.raises(InputError, match=r"out_of_fold is of other training data \(sha256:other\) than the model"):
        calibrate.calibrate_classifier(Given(), FACTS, held(digest="sha256:other"))
    with pytest.raises(
        InputError, match="out_of_fold: no column fold; give the out_of_fold output of train_classifier"
    ):
        calibrate.calibrate_classifier(Given(), FACTS, held().drop_columns(["fold"]))


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"calibration": "platt"}, "calibration is 'platt'; it can be none, sigmoid, isotonic."),
        ({"positive_class": "dead"}, "positive_class is 'dead'; the classes are ksi, slight."),
        (
            {"miss_cost": 1.0, "target_recall": 0.5},
            "give miss_cost or target_recall, not both: each decides the thresh",
        ),
        ({"miss_cost": -1.0}, "miss_cost is -1.0; it is what a miss costs in false alarms, or 0."),
        ({"target_recall": 1.5}, "target_recall is 1.5; it is a share, or 0."),
    ],
)
def test_what_cannot_be_chosen_is_told(how, told):
    """Before anything is fitted."""
    with pytest.raises(InputError) as error:
        calibrate.calibrate_classifier(Given(), FACTS, held(), **how)
    assert str(error.value).startswith(told)


def test_probabilities_that_rank_backwards_are_told(capsys):
    """Calibration would turn the ranking round without a word."""
    given, y, _ = overconfident(500)
    calibrate.calibrators(1 - given, y, CLASSES, "sigmoid")
    assert "WARNING: on held-out rows slight is the rarer the higher its probability" in capsys.readouterr().out


def test_a_threshold_is_for_two_classes():
    """With the classes there are."""
    with pytest.raises(InputError, match="a threshold is for two classes; there are a, b, c"):
        calibrate.calibrate_classifier(Given(), FACTS | {"classes": ["a", "b", "c"]}, held(), target_recall=0.5)
