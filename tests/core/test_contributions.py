"""Single probabilities taken apart, against values worked out by hand."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from roadsafety_components.core.contributions import explain_predictions, shapley_values
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.store import IDENTIFIER, mark_columns, with_facts

BACKGROUND = pd.DataFrame({"x": [0.0, 1.0], "y": [0.0, 0.5], "user": ["car", "cycle"]})
ALONE = {"x": ["x"], "y": ["y"], "user": ["user"]}


def additive(frame):
    """0.1 + 0.2 x + 0.4 y, and 0.1 for cyclists."""
    return 0.1 + 0.2 * frame["x"].to_numpy() + 0.4 * frame["y"].to_numpy() + 0.1 * (frame["user"] == "cycle").to_numpy()


def test_an_additive_model_is_taken_apart_exactly():
    """A column's part is its term less the mean of its term over the background, whatever the orders."""
    rows = pd.DataFrame({"x": [1.0, 0.0], "y": [1.0, 0.25], "user": ["cycle", "car"]})
    found = shapley_values(additive, rows, BACKGROUND, ALONE, 3)
    assert found == pytest.approx(np.array([[0.2 - 0.1, 0.4 - 0.1, 0.1 - 0.05], [-0.1, 0.0, -0.05]]))


def test_columns_that_work_together_share():
    """Of x times y, from 0 and 0 to 1 and 1, each order gives all to the last; half of the orders are backwards."""
    rows, none = pd.DataFrame({"x": [1.0], "y": [1.0]}), pd.DataFrame({"x": [0.0] * 4, "y": [0.0] * 4})
    groups = {"x": ["x"], "y": ["y"]}
    assert shapley_values(lambda f: (f["x"] * f["y"]).to_numpy(), rows, none, groups, 0).tolist() == [[0.5, 0.5]]


def test_a_group_is_changed_together():
    """Both columns are one: all of the product is theirs, and no row has one without the other."""
    rows, none = pd.DataFrame({"x": [1.0], "y": [1.0], "z": [1.0]}), pd.DataFrame({n: [0.0] * 3 for n in "xyz"})

    def ask(frame):
        assert (frame["x"] == frame["y"]).all()
        return (frame["x"] * frame["y"]).to_numpy()

    assert shapley_values(ask, rows, none, {"both": ["x", "y"], "z": ["z"]}, 0).tolist() == [[1.0, 0.0]]


def test_contributions_add_up_for_any_model():
    """To the probability less the mean of the background, missing values and odd numbers of rows included."""
    rng = np.random.default_rng(0)
    rows, others = (pd.DataFrame(rng.normal(size=(n, 5)), columns=list("abcde")) for n in (3, 7))
    others.loc[2, "a"] = np.nan

    def ask(frame):
        return 1 / (1 + np.exp(-(frame["a"].fillna(2) * frame["b"] + np.maximum(frame["c"], frame["d"] * frame["e"]))))

    found = shapley_values(lambda f: ask(f).to_numpy(), rows, others, {n: [n] for n in "abcde"}, 1)
    assert found.sum(axis=1) == pytest.approx((ask(rows) - ask(others).mean()).to_numpy(), abs=1e-12)


class Model:
    """Answers 0.1 + 0.2 x + 0.4 dark for b."""

    def predict_proba(self, frame):
        """The probabilities of a and of b."""
        given = 0.1 + 0.2 * frame["x"].to_numpy(np.float64) + 0.4 * frame["dark"].to_numpy(np.float64)
        return np.column_stack([1 - given, given])


FACTS = {
    "classes": ["a", "b"], "class_counts": {"a": 9, "b": 1}, "features": ["x", "dark"], "text_features": [],
    "sha256": "m",
}  # fmt: skip
TABLE = with_facts(
    mark_columns(
        pa.table({"id": ["p", "q", "r", "s"], "x": [0, 1, 2, 0], "dark": [False, False, True, True]}),
        {"id": IDENTIFIER},
    ),
    {"sha256": "d"},
)


def test_rows_from_the_highest_to_the_lowest():
    """Probabilities 0.1, 0.3, 0.9 and 0.5, their mean 0.45; with keys and words."""
    found = explain_predictions(Model(), FACTS, TABLE, labels={"x": {"2": "two"}}, rows=2)
    assert found.facts["positive_class"] == "b"
    assert found.facts["mean_probability"] == pytest.approx(0.45)
    assert found.table().to_pylist() == [
        {"id": "r", "row": 2, "probability": pytest.approx(0.9), "column": "x", "value": "two",
         "contribution": pytest.approx(0.25)},
        {"id": "r", "row": 2, "probability": pytest.approx(0.9), "column": "dark", "value": "yes",
         "contribution": pytest.approx(0.2)},
        {"id": "p", "row": 0, "probability": pytest.approx(0.1), "column": "x", "value": "0",
         "contribution": pytest.approx(-0.15)},
        {"id": "p", "row": 0, "probability": pytest.approx(0.1), "column": "dark", "value": "no",
         "contribution": pytest.approx(-0.2)},
    ]  # fmt: skip


def test_the_rows_asked_for_are_evenly_spaced_by_rank():
    """Both ends are among them; all rows where there are no more."""
    assert explain_predictions(Model(), FACTS, TABLE, rows=1).rows == [2]
    assert explain_predictions(Model(), FACTS, TABLE, rows=3).rows == [2, 3, 0]
    assert explain_predictions(Model(), FACTS, TABLE, rows=9).rows == [2, 3, 1, 0]


def test_a_group_has_the_value_of_its_first():
    """And the parts of all."""
    found = explain_predictions(Model(), FACTS, TABLE, groups={"light": ["dark", "x"]}, rows=1)
    assert found.values == {"light": ["yes"]}
    assert found.parts == {"light": [pytest.approx(0.45)]}


def test_the_other_class_is_the_mirror():
    """What raises b lowers a."""
    found = explain_predictions(Model(), FACTS, TABLE, "a", rows=1)
    assert found.rows == [0]
    assert found.parts == {"x": [pytest.approx(0.15)], "dark": [pytest.approx(0.2)]}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"table": TABLE.slice(0, 1)}, "data: there is one row only, and nothing to hold it against"),
        ({"table": TABLE.drop_columns(["dark"])}, "data: no feature dark"),
        ({"rows": 0}, "rows is 0; it is a whole number, 1 or more"),
        ({"orders": 1}, "orders is 1; it is a whole number, 2 or more"),
        ({"positive_class": "ksi"}, "positive_class is 'ksi'"),
    ],
)
def test_what_is_refused(changed, told):
    """With what to do."""
    with pytest.raises(InputError, match=told):
        explain_predictions(Model(), FACTS, **{"table": TABLE} | changed)
