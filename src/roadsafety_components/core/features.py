"""Columns of a table as features: which ones, and why not the others."""

from collections.abc import Sequence

import pyarrow as pa

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.store import IDENTIFIER, OUTCOME, REPORT_ONLY, is_text, marked

_NEVER = {
    IDENTIFIER: "an identifier",
    OUTCOME: "derived from the outcome, or known only after it",
    REPORT_ONLY: "for reports only",
}


def choose_features(
    table: pa.Table, target_column: str, exclude_columns: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """Names of the feature columns, and every other column with the reason it is none."""
    if wrong := [c for c in exclude_columns if not isinstance(c, str)]:
        raise InputError(f"exclude_columns holds {wrong[0]!r}; it is a list of column names.")
    if unknown := set(exclude_columns) - set(table.column_names):
        raise InputError(f"exclude_columns names {', '.join(sorted(unknown))}, which the table does not have.")
    never = {name: reason for mark, reason in _NEVER.items() for name in marked(table, mark)}
    features, left_out = [], {}
    for field in table.schema:
        number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type) or pa.types.is_boolean(field.type)
        if field.name == target_column:
            continue
        if field.name in never:
            left_out[field.name] = never[field.name]
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
