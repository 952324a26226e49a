"""One feature that tells the class is found, whatever its kind; an ordinary one, or one of names, is not."""

import numpy as np
import pandas as pd
import pytest

from roadsafety_components.core.folds import Rows
from roadsafety_components.core.leaks import SUSPECT_AUC, leak_warnings, single_feature_auc

NUMBER = 2000
RNG = np.random.default_rng(0)
Y = np.array(["fatal", "serious", "slight"], dtype=object)[RNG.integers(3, size=NUMBER)]


def alone(values, y=Y, groups=None, category: bool = False) -> float:
    """The feature's ROC-AUC by itself."""
    rows = Rows(pd.DataFrame({"x": values}), y, np.arange(len(y)) if groups is None else groups)
    return single_feature_auc(rows, ["x"] if category else [])["x"]


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(Y).map({"fatal": 1.0, "serious": 2.0, "slight": 3.0}),
        pd.Series(Y).map({"fatal": 3.0, "serious": 1.0, "slight": 2.0}),  # in no order
        pd.Series(Y).map({"fatal": np.nan, "serious": 1.0, "slight": 1.0}),  # told by being missing
        (Y == "serious") * 50.0 + RNG.normal(size=NUMBER),  # a quantity
        RNG.uniform(5, 9, NUMBER) * (Y == "fatal"),  # 0 for all others, such as the days until death
    ],
    ids=["codes", "codes in no order", "missing", "quantity", "one class only"],
)
def test_the_target_under_another_name_is_found(values):
    """One class told apart is enough."""
    assert alone(np.asarray(values)) > SUSPECT_AUC


def test_text_that_is_the_target_is_found():
    """Also where each class has many names."""
    assert alone([f"{y} {i % 40}" for i, y in enumerate(Y)], category=True) > SUSPECT_AUC


def test_an_ordinary_feature_is_not():
    """Even a strong one: ROC-AUC of about 0.92 by construction (two normals two deviations apart)."""
    assert 0.85 < alone((Y == "fatal") * 2.0 + RNG.normal(size=NUMBER)) < 0.97


def test_a_name_of_its_own_in_every_row_is_not():
    """It tells the class of the rows that it was counted on, and of no other."""
    assert alone([f"row {i}" for i in range(NUMBER)], category=True) < 0.6


def test_a_name_for_every_group_is_not():
    """Rows of one group share name and class; the halves share no group."""
    groups = np.arange(NUMBER) // 2
    assert alone([f"group {g}" for g in groups], np.repeat(Y[::2], 2), groups, category=True) < 0.6


@pytest.mark.parametrize("groups", [2, 4, 20])
def test_a_constant_column_tells_nothing(groups):
    """However different the halves of few groups are by chance."""
    y = np.where(np.arange(200) % groups < groups // 2, "ksi", "slight").astype(object)
    y[:20] = "ksi"
    assert alone(np.ones(200), y, np.arange(200) % groups) == 0.5


def test_the_highest_comes_first():
    """Of all features."""
    x = pd.DataFrame({"noise": RNG.normal(size=NUMBER), "leak": (Y == "slight") * 1.0})
    assert list(single_feature_auc(Rows(x, Y, np.arange(NUMBER)), [])) == ["leak", "noise"]


def test_of_one_group_nothing_can_be_said():
    """There is no other half."""
    assert single_feature_auc(Rows(pd.DataFrame({"x": [1.0, 2.0]}), Y[:2], np.zeros(2, int)), []) == {}


def test_of_one_class_nothing_can_be_said():
    """A sample of 50,000 rows may miss a class of a few."""
    one = Rows(pd.DataFrame({"x": np.arange(6.0)}), np.array(["slight"] * 6, dtype=object), np.arange(6))
    assert single_feature_auc(one, []) == {}


def test_the_warning_names_the_feature_and_what_to_do():
    """Only of those above 0.99."""
    assert leak_warnings({"death_date": 0.9951, "age": 0.99}) == [
        "POSSIBLE LEAK: death_date alone tells the class (ROC-AUC 0.995). Is it the outcome under another name, or "
        "known only after it? Leave it out with exclude_columns."
    ]
