"""Intervals: what is drawn together, that draws repeat, and that they are as wide as they should be."""

import numpy as np
import pyarrow as pa
import pytest

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.frame import group_codes
from roadsafety_components.core.intervals import bootstrap, choose_groups, interval
from roadsafety_components.core.store import with_facts

TABLE = pa.table({"collision_index": ["a", "a", None, "b", None], "speed": [1, 2, 3, 4, 5]})


def test_groups_are_numbered_from_0():
    """Rows without a value are one group."""
    assert group_codes(TABLE, "collision_index").tolist() == [0, 0, 2, 1, 2]
    assert group_codes(TABLE).tolist() == [0, 1, 2, 3, 4]


def test_a_part_of_a_table_has_no_empty_groups():
    """Its dictionary has values that none of its rows has."""
    column = pa.array(["a", "b", "c", "b"]).dictionary_encode()
    assert group_codes(pa.table({"key": column}).slice(1), "key").tolist() == [0, 1, 0]


def test_the_groups_are_those_that_the_facts_name():
    """Unless another column is named; the sentence counts them."""
    table = with_facts(TABLE, {"group_column": "collision_index"})
    groups, told = choose_groups(table, resamples=50)
    assert groups.tolist() == [0, 0, 2, 1, 2]
    assert told == "95 % intervals: 50 draws of whole groups, 3 values of collision_index."
    assert choose_groups(table, "speed", 50)[1] == "95 % intervals: 50 draws of whole groups, 5 values of speed."


@pytest.mark.parametrize("facts", [{}, {"group_column": "lsoa"}])
def test_without_groups_rows_are_drawn(facts):
    """Also where the table no longer has the column that its facts name."""
    groups, told = choose_groups(with_facts(TABLE, facts), resamples=50)
    assert groups.tolist() == [0, 1, 2, 3, 4]
    assert told == "95 % intervals: 50 draws of single rows."
    assert choose_groups(TABLE, resamples=0)[1] == ""


def test_the_group_column_must_be_there():
    """The message names the nearest."""
    with pytest.raises(
        InputError, match=r"^there is no group_column 'colision_index'\. Nearest name: collision_index\.$"
    ):
        choose_groups(TABLE, "colision_index")


@pytest.mark.parametrize("resamples", [-1, 2.5])
def test_draws_are_counted_in_whole_numbers(resamples):
    """The message says which."""
    with pytest.raises(InputError, match=rf"^resamples is {resamples}; it is a whole number, 0 \(no intervals\) or"):
        choose_groups(TABLE, "", resamples)


def test_rows_of_a_group_are_drawn_together():
    """Each draw has as many groups as there are, and a group's rows the same weight."""
    groups, seen = np.array([0, 0, 1, 2, 2, 2]), []
    bootstrap(groups, lambda w: seen.append(w) or {}, 30)
    assert len(seen) == 30
    for weights in seen:
        assert weights[0] == weights[1]
        assert weights[3] == weights[4] == weights[5]
        assert weights[0] + weights[2] + weights[3] == 3
    assert len({tuple(w) for w in seen}) > 5


def test_the_same_seed_draws_the_same():
    """Two models are compared on the same draws."""
    groups = np.arange(10)
    one, same, other = (
        bootstrap(groups, lambda w: {"x": w @ groups}, 5, seed)["x"].tolist() for seed in (0, 0, 1)
    )  # fmt: skip
    assert one == same != other


def test_a_figure_that_a_draw_lacks_has_fewer_values():
    """Those that are absent, or no number."""
    found = bootstrap(np.arange(2), lambda w: {"a": w[0], "b": 1.0 if w[0] else np.nan}, 40)
    assert len(found["a"]) == 40
    assert len(found["b"]) == np.count_nonzero(found["a"]) < 40


def test_the_interval_of_a_mean_is_that_of_its_standard_error():
    """1.96 standard errors either way, for rows on their own and for four rows that are always alike."""
    values = np.random.default_rng(0).normal(size=400)
    for groups, rows in ((np.arange(400), values), (np.repeat(np.arange(400), 4), np.repeat(values, 4))):
        low, high = interval(bootstrap(groups, lambda w, r=rows: {"mean": w @ r / w.sum()}, 2000)["mean"])
        error = values.std() / np.sqrt(400)
        assert (high - low) / 2 == pytest.approx(1.96 * error, rel=0.06)
        assert (high + low) / 2 == pytest.approx(values.mean(), abs=0.1 * error)


def test_an_interval_holds_the_middle():
    """Of 0 to 100 the limits are 2.5 and 97.5."""
    assert interval(np.arange(101)) == pytest.approx((2.5, 97.5))
    assert interval(np.arange(101), 0.5) == pytest.approx((25, 75))
