"""Which columns are features, and as what scikit-learn gets them."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.features import choose_features
from roadsafety_components.core.frame import to_frame
from roadsafety_components.core.store import OUTCOME, REPORT_ONLY, mark_columns


def test_numbers_become_float32_and_text_objects() -> None:
    """Missing is NaN in both; dictionaries are text; booleans are 0 and 1."""
    table = pa.table(
        {
            "int": pa.array([1, None, 3], pa.int16()),
            "big": pa.array([2**40, None, -1], pa.int64()),
            "float": [0.5, None, -1.0],
            "bool": [True, None, False],
            "text": ["a", None, "b"],
            "large": pa.array(["a", None, "b"], pa.large_string()),
            "category": pa.array(["a", None, "b"]).dictionary_encode(),
        }
    )
    frame = to_frame(table, ["int", "big", "float", "bool", "text", "large", "category"])
    assert [str(t) for t in frame.dtypes] == ["float32"] * 4 + ["object"] * 3
    assert frame.iloc[[0, 2]].to_dict("list") == {
        "int": [1.0, 3.0],
        "big": [float(2**40), -1.0],
        "float": [0.5, -1.0],
        "bool": [1.0, 0.0],
        "text": ["a", "b"],
        "large": ["a", "b"],
        "category": ["a", "b"],
    }
    assert [v is None or not np.isnan(v) for v in frame.iloc[1]] == [False] * 7


def test_columns_come_in_the_order_asked_for() -> None:
    """The model's order, not the table's."""
    assert list(to_frame(pa.table({"code": [1], "share": [0.5]}), ["share", "code"]).columns) == ["share", "code"]


@pytest.mark.parametrize("value", [float("inf"), -float("inf"), 1e300])
def test_an_infinite_number_is_told(value: float) -> None:
    """Also one that float32 has no room for."""
    with pytest.raises(InputError, match="feature x holds infinite numbers"):
        to_frame(pa.table({"x": [1.0, value]}), ["x"])


def test_columns_marked_as_outcomes_are_no_features() -> None:
    """What load_stats19 marks as derived from the severity stays out of a model that is trained on its table."""
    table = pa.table({"speed_limit": [30, 60], "enhanced": [5, 3], "y": ["a", "b"]})
    table = mark_columns(table, {"enhanced": OUTCOME})
    assert choose_features(table, "y", []) == (
        ["speed_limit"],
        {"enhanced": "derived from the outcome, or known only after it"},
    )


def test_columns_for_reports_are_no_features() -> None:
    """They are there to look at results by subgroup."""
    table = pa.table({"speed_limit": [30, 60], "police_force": ["1", "13"], "y": ["a", "b"]})
    table = mark_columns(table, {"police_force": REPORT_ONLY})
    assert choose_features(table, "y", []) == (["speed_limit"], {"police_force": "for reports only"})


def test_the_index_of_a_pandas_file_is_no_feature() -> None:
    """A table that pandas stored with its index has a column more than its author sees."""
    frame = pd.DataFrame({"x": [1, 2, 3], "y": ["a", "b", "a"]}).iloc[[2, 0, 1]]
    table = pa.Table.from_pandas(frame)
    assert table.column_names == ["x", "y", "__index_level_0__"]
    assert choose_features(table, "y", []) == (["x"], {"__index_level_0__": "the index that pandas stored"})
