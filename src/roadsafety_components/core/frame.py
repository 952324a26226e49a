"""A table as numpy and pandas for scikit-learn: features, and the groups of the rows."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.store import is_text, plain_type


def to_frame(table: pa.Table, columns: list[str]) -> pd.DataFrame:
    """Chosen columns as pandas, ready for scikit-learn.

    Returns:
        Numbers and booleans as float32 (missing is NaN), also those marked CATEGORY; text as objects (missing is NaN).
    """
    frame = {}
    for name in columns:
        column = table[name].cast(plain_type(table[name].type))
        if is_text(column.type):
            frame[name] = column.to_pandas().astype(object).where(lambda s: s.notna(), np.nan)
        else:
            frame[name] = column.cast(pa.float32(), safe=False).to_pandas()
            if np.isinf(frame[name]).any():
                raise InputError(f"feature {name} holds infinite numbers, or such as float32 has no room for; "
                                 "make them missing.")  # fmt: skip
    return pd.DataFrame(frame)


def group_codes(table: pa.Table, group_column: str = "") -> npt.NDArray[np.int64]:
    """Each row's group as a number, from 0 in the order in which they come; missing comes last.

    Every row is its own group where no column is named.
    """
    if not group_column:
        return np.arange(table.num_rows)
    values = table[group_column].cast(plain_type(table[group_column].type))
    known = pc.unique(values).drop_null()
    return np.asarray(pc.index_in(values, value_set=known).fill_null(len(known)).to_numpy(), np.int64)
