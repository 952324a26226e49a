"""Columns read and counted, bins and distances by hand, and what a PSI is."""

import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadsafety_components.core import distance, store
from roadsafety_components.core.distance import (
    ColumnPair,
    compare_values,
    counted,
    family,
    open_dataset,
    population_stability,
)
from roadsafety_components.core.errors import InputError


def measured(before: list, after: list, kind: str, is_category: bool = False, fewest: float = 1000):
    """Measure two lists of values as a column."""
    return compare_values(
        ColumnPair("x"), kind, is_category, *counted(pa.chunked_array([before]), pa.chunked_array([after])), fewest
    )


# Reading


def test_columns_are_read_a_few_at_a_time_and_without_dictionaries(tmp_path, monkeypatch):
    """In the order asked for; no more than the limit allows at once."""
    table = pa.table({"a": [1, 2], "b": pa.array(["x", "y"]).dictionary_encode(), "c": [0.5, 1.5]})
    store.write_dataset(table, tmp_path / "data")
    asked = []
    read = distance.read_dataset
    monkeypatch.setattr(distance, "read_dataset", lambda *given: asked.append(given[2]) or read(*given))
    monkeypatch.setattr(distance, "_CELLS", 4)
    data = open_dataset(tmp_path / "data", "reference")
    assert [c.to_pylist() for c in data.columns(["c", "b", "a"])] == [[0.5, 1.5], ["x", "y"], [1, 2]]
    assert asked == [["a"], ["c", "b"], ["a"]]
    assert data.facts["sha256"].startswith("sha256:")


def test_two_columns_of_one_name(tmp_path):
    """Which of them is meant cannot be told."""
    pq.write_table(pa.table([[1], [2]], names=["x", "x"]), tmp_path / "twice")
    with pytest.raises(InputError, match=f"current: {tmp_path / 'twice'} has two columns x; rename one"):
        open_dataset(tmp_path / "twice", "current")


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (pa.array(["a"], pa.large_string()).dictionary_encode(), "text"),
        (pa.array([1], pa.int8()), "whole number"),
        (pa.array([1.5], pa.float32()), "number"),
        (pa.array([True]), "boolean"),
        (pa.array([datetime.datetime(2024, 5, 1)]), "date"),
        (pa.array([datetime.time(8)]), "time"),
        (pa.array([[1]]), "list<item: int64>"),
        (pa.nulls(1), "null"),
    ],
)
def test_families_of_types(values, name):
    """Whatever the width; a dictionary is what its values are; other types by their own name."""
    assert family(values.type) == name


# Counting and bins


def test_values_are_counted_in_their_order():
    """A row for each dataset, a column for each value that either has; missing ones do not count."""
    values, counts = counted(pa.chunked_array([[3, 1, 1], [None]]), pa.chunked_array([[2, 3]]))
    assert values.to_pylist() == [1, 2, 3]
    assert counts.tolist() == [[2, 0, 1], [0, 1, 1]]


def test_codes_have_shares_and_a_total_variation():
    """0.2 against 0.8 and 0.8 against 0.2."""
    pair, bins = measured(["a", "b", "b", "b", "b"], ["a", "a", "a", "a", "b"], "text")
    assert (pair.compared_as, pair.distance) == ("codes", pytest.approx(0.6))
    assert pair.shares == [("a", 0.2, 0.8), ("b", 0.8, 0.2)]
    assert bins.tolist() == [[1, 4], [4, 1]]


def test_rare_codes_become_one_the_last():
    """Below five rows expected in the smaller dataset: 0.04 of 100 observations here."""
    pair, bins = measured(["a"] * 92 + ["b"] * 4 + ["c"] * 4, ["a"] * 100, "text", fewest=100)
    assert pair.shares == [("a", 0.92, 1.0), ("all others", 0.08, 0.0)]
    assert bins.tolist() == [[92, 8], [100, 0]]


def test_at_most_50_bins():
    """Of 80 codes as common as each other the first 49 are told apart."""
    pair, bins = measured(list(range(80)) * 10, list(range(80)) * 10, "whole number", is_category=True)
    assert [s[0] for s in pair.shares] == [*map(str, range(49)), "all others"]
    assert bins[:, -1].tolist() == [310, 310]


def test_a_quantity_is_cut_at_the_references_deciles():
    """All values moved by a quarter: Kolmogorov-Smirnov 0.25, no row in the lowest bins."""
    old = [float(i) for i in range(1000)]
    pair, bins = measured(old, [x + 250 for x in old], "number")
    assert (pair.compared_as, pair.distance, pair.shares) == ("quantity", pytest.approx(0.25), ())
    assert pair.quantiles[9] == (499.0, 749.0)
    assert bins[0].tolist() == [100] * 10
    assert bins[1].tolist() == [0, 0, 50, 100, 100, 100, 100, 100, 100, 350]


@pytest.mark.parametrize(
    ("values", "is_category", "expected"), [(50, False, "codes"), (51, False, "quantity"), (51, True, "codes")]
)
def test_whole_numbers_of_many_values_are_quantities(values, is_category, expected):
    """Unless they are marked as categories."""
    column = list(range(values)) * 9
    assert measured(column, column, "whole number", is_category)[0].compared_as == expected


# PSI


def test_psi_of_small_samples_is_inflated():
    """Without the correction these would be refused: a quarter of them are above 0.25, and as many as expected."""
    rng = np.random.default_rng(0)
    found = [
        population_stability(*(np.bincount(rng.integers(0, 24, 200), minlength=24) for _ in "ab")) for _ in range(200)
    ]
    assert np.mean(np.array(found) > 0.25) > 0.25
    assert np.mean(found) == pytest.approx(23 * 2 / 200, rel=0.1)


counts = st.lists(st.integers(0, 10_000), min_size=2, max_size=30).filter(any)


@given(st.data())
def test_psi_is_symmetric_and_never_negative(data):
    """For any two rows of counts, with bins that are empty on a side or on both."""
    a = np.array(data.draw(counts))
    b = np.array(data.draw(st.lists(st.integers(0, 10_000), min_size=len(a), max_size=len(a)).filter(any)))
    psi = population_stability(a, b)
    assert psi >= 0
    assert np.isfinite(psi)
    assert population_stability(b, a) == pytest.approx(psi, rel=1e-9)


@given(counts, st.integers(1, 50))
def test_psi_of_equal_shares_is_zero(shares, times):
    """Whatever the number of rows on each side."""
    a = np.array(shares)
    assert population_stability(a, a * times) == pytest.approx(0, abs=1e-9)


def test_psi_is_the_known_formula():
    """Where no bin is empty and rows are many: 0.1 ln(0.6/0.5) + 0.1 ln(0.5/0.4)."""
    a, b = np.array([500_000, 500_000]), np.array([600_000, 400_000])
    assert population_stability(a, b) == pytest.approx(0.1 * np.log(6 / 5) + 0.1 * np.log(5 / 4), rel=1e-4)
