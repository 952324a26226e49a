"""Probabilities under other class shares, worked out by hand."""

import numpy as np
import pytest

from roadsafety_components.core.class_shares import (
    Shift,
    check_shares,
    corrected,
    estimated_shares,
    learned_shares,
    shifted_answers,
)
from roadsafety_components.core.errors import InputError

TWO = {"classes": ["ksi", "slight"], "class_counts": {"ksi": 20, "slight": 80}, "parameters": {}}


# Correction


def test_two_classes():
    """A fifth in training, a half to expect: the odds are 4 times as high (Elkan 2001, theorem 2)."""
    right = corrected(np.array([[0.5, 0.5], [0.2, 0.8], [0.0, 1.0]]), np.array([0.2, 0.8]), np.array([0.5, 0.5]))
    assert right == pytest.approx(np.array([[0.8, 0.2], [0.5, 0.5], [0.0, 1.0]]))


def test_three_classes():
    """Each is weighed by the ratio of its shares: 0.1 * 5, 0.4 * 0.5 and 0.5 * 1 are 0.5, 0.2 and 0.5."""
    right = corrected(np.array([[0.1, 0.4, 0.5]]), np.array([0.1, 0.8, 0.1]), np.array([0.5, 0.4, 0.1]))
    assert right == pytest.approx(np.array([[0.5, 0.2, 0.5]]) / 1.2)


def test_the_shares_of_training_change_nothing():
    """But for the last digit."""
    given = np.random.default_rng(0).dirichlet([1, 2, 3], 50)
    assert corrected(given, np.array([0.2, 0.3, 0.5]), np.array([0.2, 0.3, 0.5])) == pytest.approx(given, abs=1e-15)


def test_a_correction_can_be_undone():
    """There and back is the same."""
    given, one, other = np.array([[0.3, 0.7]]), np.array([0.1, 0.9]), np.array([0.6, 0.4])
    assert corrected(corrected(given, one, other), other, one) == pytest.approx(given)


# Estimation


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9])
def test_two_classes_that_a_flag_tells_apart_in_part(share):
    """Of ksi 0.8 are flagged, of slight 0.3: the flagged rows tell the share exactly."""
    flagged = round(10_000 * (share * 0.8 + (1 - share) * 0.3))
    given = np.array([[0.8 / 1.1, 0.3 / 1.1]] * flagged + [[0.2 / 0.9, 0.7 / 0.9]] * (10_000 - flagged))
    assert estimated_shares(given, np.array([0.5, 0.5])) == pytest.approx([share, 1 - share], abs=1e-4)


def test_three_classes_that_a_colour_tells_apart_in_part():
    """Each class has its own colour in 0.8 of its rows, the two others in 0.1 each; shares 0.6, 0.3 and 0.1."""
    chance = np.full((3, 3), 0.1) + 0.7 * np.eye(3)  # class by colour; equal shares in training
    rows = np.round(1000 * np.array([0.6, 0.3, 0.1]) @ chance).astype(int)
    assert rows.tolist() == [520, 310, 170]
    given = np.repeat(chance.T, rows, axis=0)
    assert estimated_shares(given, np.full(3, 1 / 3)) == pytest.approx([0.6, 0.3, 0.1], abs=1e-5)


def test_rows_as_in_training_have_its_shares():
    """Probabilities that come true and a mean that is the learned share: nothing to correct."""
    given = np.array([[0.1, 0.9]] * 60 + [[0.6, 0.4]] * 40)
    assert estimated_shares(given, np.array([0.3, 0.7])) == pytest.approx([0.3, 0.7], abs=1e-6)


def test_a_class_that_no_row_seems_to_be_of_stays_possible():
    """Its share is tiny, not 0: no probability of another row becomes 0 / 0."""
    shares = estimated_shares(np.array([[0.0, 1.0]] * 10), np.array([0.5, 0.5]))
    assert 0 < shares[0] < 1e-8
    assert corrected(np.array([[1.0, 0.0]]), np.array([0.5, 0.5]), shares).tolist() == [[1.0, 0.0]]


# Learned shares


def test_learned_shares_are_those_of_training():
    """Balanced weights make them equal, unless a calibration came after."""
    balanced = TWO | {"parameters": {"class_weight": "balanced"}}
    assert learned_shares(TWO).tolist() == [0.2, 0.8]
    assert learned_shares(balanced).tolist() == [0.5, 0.5]
    assert learned_shares(balanced | {"calibration": "none"}).tolist() == [0.5, 0.5]
    assert learned_shares(balanced | {"calibration": "sigmoid"}).tolist() == [0.2, 0.8]


def test_a_model_of_weighted_rows_cannot_be_corrected():
    """The facts count rows; what they weighed is not told."""
    with pytest.raises(InputError, match=r"trained with weights \(weight_column km\).* Take a model trained without"):
        learned_shares(TWO | {"parameters": {"weight_column": "km"}})


# Thresholds


GIVEN = np.array([[0.15, 0.85], [0.2, 0.8], [0.6, 0.4]])
SHIFT = Shift(np.array([0.2, 0.8]), np.array([0.5, 0.5]), "given")


def with_threshold(value: float, chosen_for: str) -> dict:
    """Facts of a model that answers ksi from that probability on."""
    threshold = {"positive_class": "ksi", "value": value, "chosen_for": chosen_for, "recall": 0.7, "precision": 0.4}
    return TWO | {"threshold": threshold}


def test_a_threshold_for_recall_moves_with_the_probabilities():
    """The same rows reach it as without a shift; precision is no longer known."""
    facts = with_threshold(0.2, "recall of 0.7")
    right = corrected(GIVEN, SHIFT.learned, SHIFT.expected)
    assert shifted_answers(GIVEN, right, facts).tolist() == [1, 0, 0]
    told = SHIFT.told(facts)["threshold"]
    assert told.pop("value") == pytest.approx(0.5)
    assert told == {"positive_class": "ksi", "chosen_for": "recall of 0.7", "recall": 0.7}


def test_a_threshold_for_recall_may_be_about_the_second_class():
    """Its own probability is what moves: slight from 0.8 on is slight from 0.5 on."""
    facts = with_threshold(0.8, "recall of 0.7")
    facts["threshold"]["positive_class"] = "slight"
    assert SHIFT.told(facts)["threshold"]["value"] == pytest.approx(0.5)


def test_a_threshold_for_a_cost_stays():
    """It is held against right probabilities, so that other rows reach it: 0.41, 0.5 and 0.86."""
    facts = with_threshold(0.45, "a miss that costs 5 false alarms")
    right = corrected(GIVEN, SHIFT.learned, SHIFT.expected)
    assert shifted_answers(GIVEN, right, facts).tolist() == [1, 0, 0]
    assert shifted_answers(GIVEN, GIVEN, facts).tolist() == [1, 1, 0]
    assert SHIFT.told(facts)["threshold"] == {
        "positive_class": "ksi", "value": 0.45, "chosen_for": "a miss that costs 5 false alarms",
    }  # fmt: skip


def test_without_a_threshold_the_likeliest_class_is_the_answer():
    """By the right probabilities."""
    right = corrected(GIVEN, SHIFT.learned, SHIFT.expected)
    assert shifted_answers(GIVEN, right, TWO).tolist() == [1, 0, 0]
    assert SHIFT.told(TWO) == {
        "class_shares": {"learned": {"ksi": 0.2, "slight": 0.8}, "expected": {"ksi": 0.5, "slight": 0.5},
                         "origin": "given"},
        "threshold": {},
    }  # fmt: skip


# Shares that are given


def test_shares_come_in_the_order_of_the_classes():
    """Rounded ones are made to add up."""
    assert check_shares({"slight": 0.75, "ksi": 0.25}, ["ksi", "slight"]).tolist() == [0.25, 0.75]
    thirds = check_shares(dict.fromkeys("abc", 0.3333), ["a", "b", "c"])
    assert thirds.tolist() == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ({"ksi": 0.2}, "class_shares has ksi; give a share of every class: ksi, slight."),
        ({"ksi": 0.2, "minor": 0.8}, "class_shares has ksi, minor; give a share of every class: ksi, slight."),
        ({"ksi": 20, "slight": 80}, "class_shares has ksi 20, slight 80; shares are above 0 and add up to 1."),
        ({"ksi": 0.0, "slight": 1.0}, "class_shares has ksi 0, slight 1; shares are above 0 and add up to 1."),
        ({"ksi": float("nan"), "slight": 1}, "class_shares has ksi nan, slight 1; shares are above 0 and add up to 1."),
    ],
)  # fmt: skip
def test_shares_that_are_none_are_told(shares, told):
    """With the classes there are."""
    with pytest.raises(InputError) as error:
        check_shares(shares, ["ksi", "slight"])
    assert str(error.value) == told
