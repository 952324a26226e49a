"""Figures as pages show them and as other steps read them."""

import pyarrow as pa
import pytest

from roadsafety_components.core.code_words import in_words
from roadsafety_components.core.results import results_table, shown
from roadsafety_components.core.store import facts_of


def test_a_results_table():
    """Its columns and their types, and null where there is no interval."""
    rows = [("test", "", "model", "brier", 0.125, None, None, 9), ("sex", "male", "model", "roc_auc", 0.5, 0.25, 1, 4)]
    table = results_table(rows, {"unit": "casualty"})
    assert table.schema.names == ["part", "group", "model", "figure", "value", "low", "high", "rows"]
    assert table.schema.types == [pa.string()] * 4 + [pa.float64()] * 3 + [pa.int64()]
    assert [tuple(row.values()) for row in table.to_pylist()] == rows
    assert facts_of(table) == {"unit": "casualty"}


@pytest.mark.parametrize(
    ("estimate", "signed", "lines"),
    [
        ((), False, []),
        ((0.5,), False, ["0.500"]),
        ((0.5, 0.25, 0.7516), False, ["0.500", "0.250\xa0to\xa00.752"]),
        ((0.5, 0.5, 0.5), False, ["0.500"]),  # always so: no interval to show
        ((0.01, -0.02, 0.04), True, ["+0.010", "-0.020\xa0to\xa0+0.040"]),
        ((-0.0001, -0.0002, 0.001), True, ["+0.000", "+0.000\xa0to\xa0+0.001"]),
    ],
)
def test_a_figure_and_its_limits(estimate, signed, lines):
    """A line each; 0 has no minus."""
    assert shown(estimate, signed) == lines


@pytest.mark.parametrize(
    ("value", "text"), [(4, "darkness"), (4.0, "darkness"), (1, "1"), (0.25, "0.25"), ("M1", "M1"), (None, "missing")]
)
def test_values_in_words(value, text):
    """A code without words stays as it is."""
    assert in_words(value, {"4": "darkness"}) == text
