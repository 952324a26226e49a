"""Columns of a table as scikit-learn gets them."""

import numpy as np
import pandas as pd
import pyarrow as pa

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.store import is_text


def to_frame(table: pa.Table, columns: list[str]) -> pd.DataFrame:
    """Chosen columns as pandas, ready for scikit-learn.

    Returns:
        Numbers and booleans as float32 (missing is NaN), also those marked CATEGORY; text as objects (missing is NaN).
    """
    frame = {}
    for name in columns:
        column = table[name]
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if is_text(column.type):
            frame[name] = column.to_pandas().astype(object).where(lambda s: s.notna(), np.nan)
        else:
            frame[name] = column.cast(pa.float32(), safe=False).to_pandas()
            if np.isinf(frame[name]).any():
                raise InputError(f"feature {name} holds infinite numbers, or such as float32 has no room for; "
                                 "make them missing.")  # fmt: skip
    return pd.DataFrame(frame)
