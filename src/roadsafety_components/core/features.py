"""Columns of a table as features: which ones, and as what scikit-learn gets them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.store import IDENTIFIER, OUTCOME, is_text, marked


def choose_features(
    table: pa.Table, target_column: str, exclude_columns: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """Names of the feature columns, and every other column with the reason it is none."""
    if wrong := [c for c in exclude_columns if not isinstance(c, str)]:
        raise InputError(f"exclude_columns holds {wrong[0]!r}; it is a list of column names.")
    if unknown := set(exclude_columns) - set(table.column_names):
        raise InputError(f"exclude_columns names {', '.join(sorted(unknown))}, which the table does not have.")
    identifiers, outcomes = set(marked(table, IDENTIFIER)), set(marked(table, OUTCOME))
    features, left_out = [], {}
    for field in table.schema:
        number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type) or pa.types.is_boolean(field.type)
        if field.name == target_column:
            continue
        if field.name in identifiers:
            left_out[field.name] = "an identifier"
        elif field.name in outcomes:
            left_out[field.name] = "derived from the outcome, or known only after it"
        elif field.name.startswith("__index_level_"):
            left_out[field.name] = "the index that pandas stored"
        elif field.name in exclude_columns:
            left_out[field.name] = "excluded by parameter"
        elif not (number or is_text(field.type)):
            left_out[field.name] = f"of type {field.type}: neither number nor text"
        elif table[field.name].null_count == table.num_rows:
            left_out[field.name] = "empty in every training row"
        else:
            features.append(field.name)
    if not features:
        raise InputError(f"no feature column is left: {left_out}.")
    return features, left_out


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
                raise InputError(f"feature {name} holds infinite numbers, or such as float32 has no room for; make "
                                 "them missing, or leave the column out with exclude_columns.")  # fmt: skip
    return pd.DataFrame(frame)
