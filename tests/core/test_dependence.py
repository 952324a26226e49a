"""Probabilities along a column's values, against values worked out by hand."""

import numpy as np
import pyarrow as pa
import pytest

from roadsafety_components.core.dependence import Dependence, dependence
from roadsafety_components.core.frame import to_frame
from roadsafety_components.core.store import CATEGORY, mark_columns

LIMITS = pa.table(
    {"limit": pa.array([30, 30, 30, 60], pa.int32()), "base": pa.array([0.1, 0.2, 0.3, 0.4], pa.float32())}
)


def along(ask, rows: pa.Table, features: list[str], labels=None, varied=None) -> Dependence:
    """Vary all rows, unless it is said which."""
    rows_varied = np.arange(rows.num_rows) if varied is None else np.array(varied)
    frame = to_frame(rows, rows.column_names)
    return dependence(ask, frame, rows, ("group" if len(features) > 1 else features[0], features), rows_varied,
                      labels or {}, 0)  # fmt: skip


def by_limit(frame):
    """The base, and 0.005 for each mile per hour."""
    return frame["base"].to_numpy() + 0.005 * frame["limit"].to_numpy()


def test_a_quantity_is_set_for_every_row():
    """The mean base is 0.25; lines are those of the rows."""
    found = along(by_limit, LIMITS, ["limit"])
    assert (found.values, found.at, found.shares) == (["30", "60"], [30.0, 60.0], [0.75, 0.25])
    assert found.mean == pytest.approx([0.40, 0.55])
    assert np.array(found.lines) == pytest.approx(np.array([[0.25, 0.4], [0.35, 0.5], [0.45, 0.6], [0.55, 0.7]]))
    assert found.missing is None


def test_only_the_rows_that_are_varied():
    """Shares are of all rows; means of those that are varied."""
    found = along(by_limit, LIMITS, ["limit"], varied=[3])
    assert found.shares == [0.75, 0.25]
    assert found.mean == pytest.approx([0.55, 0.7])


def test_missing_stands_apart_from_a_quantity():
    """Its mean and share; the model gets NaN."""
    rows = pa.table({"age": pa.array([20.0, None, 40.0, 40.0], pa.float32())})
    found = along(lambda frame: np.where(frame["age"].isna(), 0.9, frame["age"] / 100), rows, ["age"])
    assert (found.values, found.shares) == (["20", "40"], [0.25, 0.5])
    assert found.mean == pytest.approx([0.2, 0.4])
    assert found.missing == pytest.approx((0.9, 0.25))


def test_many_values_are_drawn_at_25_quantiles():
    """The middles of 25 equal parts of the rows, which then share the rows."""
    rows = pa.table({"age": pa.array(np.arange(100), pa.int32())})
    found = along(lambda frame: frame["age"].to_numpy() / 100, rows, ["age"])
    assert len(found.at) == 25
    assert (found.at[0], found.at[-1]) == (2.0, 97.0)
    assert found.mean == pytest.approx([at / 100 for at in found.at])
    assert sum(found.shares) == pytest.approx(1)


def test_each_hour_is_drawn():
    """No quantiles of 24 values."""
    rows = pa.table({"hour": pa.array([*range(24), 0], pa.int8())})
    assert along(lambda frame: frame["hour"].to_numpy() / 24, rows, ["hour"]).values == [str(h) for h in range(24)]


CODES = mark_columns(pa.table({"user": pa.array([1, 1, 0, 9, None], pa.int16())}), {"user": CATEGORY})


def by_user(frame):
    """Pedestrians (0) 0.6, cyclists (1) 0.3, occupants (9) 0.1, others 0.2."""
    return frame["user"].map({0.0: 0.6, 1.0: 0.3, 9.0: 0.1}).fillna(0.2).to_numpy()


def test_codes_stand_by_rising_probability_in_words():
    """Missing is one of them; a code without words stays as it is."""
    found = along(by_user, CODES, ["user"], {"user": {"0": "Pedestrian", "1": "Cyclist"}})
    assert found.values == ["9", "missing", "Cyclist", "Pedestrian"]
    assert found.at == []
    assert found.mean == pytest.approx([0.1, 0.2, 0.3, 0.6])
    assert found.shares == [0.2, 0.2, 0.4, 0.2]
    assert found.missing is None


def test_text_and_flags_are_codes():
    """They have no order of their own."""
    rows = pa.table({"user": ["car", "cycle", "car"], "dark": [True, False, None]})
    found = along(lambda frame: np.where(frame["user"] == "car", 0.5, 0.25), rows, ["user"])
    assert (found.values, found.mean) == (["cycle", "car"], [0.25, 0.5])
    found = along(
        lambda frame: np.where(frame["dark"] == 1, 0.5, np.where(frame["dark"] == 0, 0.75, 0)), rows, ["dark"]
    )
    assert (found.values, found.mean) == (["missing", "yes", "no"], [0.0, 0.5, 0.75])


def test_numbers_with_words_keep_their_order():
    """Days of the week are no category, and their words are in the order of the week."""
    rows = pa.table({"weekday": pa.array([2, 1, 3], pa.int8())})
    labels = {"weekday": {"1": "Sunday", "2": "Monday", "3": "Tuesday"}}
    found = along(lambda frame: 1 / frame["weekday"].to_numpy(), rows, ["weekday"], labels)
    assert found.values == ["Sunday", "Monday", "Tuesday"]
    assert found.mean == pytest.approx([1, 1 / 2, 1 / 3])


def test_of_many_codes_the_commonest_are_drawn():
    """Twelve of them."""
    rows = pa.table({"make": [f"make {i:02}" for i in range(20) for _ in range(20 - i)]})
    found = along(lambda frame: frame["make"].str[5:].astype(float).to_numpy() / 100, rows, ["make"], varied=[0, 5])
    assert found.values == [f"make {i:02}" for i in range(12)]
    assert found.shares[0] == pytest.approx(20 / 210)


def test_the_others_of_a_group_fit_the_value():
    """They come from rows that have it: no hour is asked about with another hour's rush."""
    rows = pa.table({"hour": pa.array([3, 3, 8, 8], pa.int8()), "rush": [False, False, True, True]})
    pairs = set()

    def ask(frame):
        pairs.update(zip(frame["hour"].tolist(), frame["rush"].tolist(), strict=True))
        return frame["rush"].to_numpy(np.float64)

    found = along(ask, rows, ["hour", "rush"])
    assert pairs == {(3.0, 0.0), (8.0, 1.0)}
    assert (found.column, found.feature, found.values, found.mean) == ("group", "hour", ["3", "8"], [0.0, 1.0])
