"""A table as rows to learn from: classes, groups, weights, and features by what they hold."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.estimators import Columns
from roadsafety_components.core.features import choose_features
from roadsafety_components.core.folds import Rows
from roadsafety_components.core.frame import group_codes, to_frame
from roadsafety_components.core.store import CATEGORY, facts_of, is_text, marked

# A category of more values is given as the class shares of its rows; boosting has 255 bins for codes.
_MOST_CODES = 100


def rows_of(
    table: pa.Table,
    target_column: str,
    exclude_columns: Sequence[str] = (),
    group_column: str = "",
    weight_column: str = "",
) -> tuple[Rows, Columns, dict[str, str]]:
    """The rows, what their features hold, and the columns left out with the reason.

    Args:
        table: features are all columns of numbers, booleans or text but the target, the groups, the weights, those
            marked IDENTIFIER or such in the file and ``exclude_columns``.
        target_column: the classes; text, booleans or whole numbers.
        exclude_columns: no features.
        group_column: "" for every row on its own; see ``group_column_of``.
        weight_column: "" for equal weights.

    Raises:
        InputError: see ``check_target``; no feature, an infinite number, weights that are none.
    """
    check_target(table, target_column)
    weights = _weights(table, weight_column)
    aside = [c for c in dict.fromkeys([weight_column, group_column]) if c and c not in exclude_columns]
    features, left_out = choose_features(table, target_column, [*exclude_columns, *aside])
    y = table[target_column].cast(pa.string()).to_pandas().to_numpy(dtype=object)
    rows = Rows(to_frame(table, features), y, group_codes(table, group_column), weights)
    if weights is not None and (lost := {*y} - {*y[weights > 0]}):
        raise InputError(f"weight_column {weight_column} is 0 in every row of class {min(lost)}.")
    text = [n for n in features if is_text(table.schema.field(n).type)]
    names = {*text, *marked(table, CATEGORY)}
    categories = [n for n in features if n in names]
    many = [n for n in categories if len(pc.unique(table[n])) > _MOST_CODES]
    return rows, Columns(features, text, categories, many), left_out


def group_column_of(table: pa.Table, named: str = "") -> str:
    """The column whose groups stay whole: the one named, else the one that the facts tell, if the table has it.

    Raises:
        InputError: the one named is missing, or has missing values.
    """
    told = str(facts_of(table).get("group_column", ""))
    column = named or (told if told in table.column_names else "")
    if column:
        _there(table, "group_column", column)
        if pa.types.is_nested(kind := table[column].type) or pa.types.is_floating(kind):
            raise InputError(f"group_column {column} is {kind}; groups are named by text, whole numbers or dates.")
        if lost := table[column].null_count:
            raise InputError(f"group_column {column} is missing in {lost} of {table.num_rows} rows; fill or drop them.")
    return column


def check_target(table: pa.Table, target_column: str) -> list[str]:
    """The classes of the target, sorted.

    Raises:
        InputError: no such column, values missing, not classes, or only one.
    """
    _there(table, "target column", target_column)
    values, where = table[target_column], f"target column {target_column}"
    if values.null_count:
        raise InputError(f"{where} is missing in {values.null_count} of {len(values)} rows; drop or label them first.")
    if pa.types.is_floating(values.type) or pa.types.is_nested(values.type) or pa.types.is_binary(values.type):
        raise InputError(f"{where} is of type {values.type}; a classifier needs classes as text, booleans or whole "
                         "numbers.")  # fmt: skip
    classes = sorted(pc.unique(values.cast(pa.string())).to_pylist())
    if len(classes) < 2:
        held = f"one class only ({classes[0]})" if classes else "no rows"
        raise InputError(f"{where} has {held}; there is nothing to learn.")
    if len(classes) > 100:
        raise InputError(f"{where} has {len(classes)} classes; is it an identifier?")
    return classes


def _there(table: pa.Table, what: str, name: str) -> None:
    if name not in table.column_names:
        raise InputError(f"there is no {what} {name!r}.{nearest(name, table.column_names)} The table has "
                         f"{', '.join(table.column_names)}.")  # fmt: skip


def _weights(table: pa.Table, column: str) -> npt.NDArray[np.float64] | None:
    if not column:
        return None
    _there(table, "weight_column", column)
    kind = table[column].type
    if not any(is_kind(kind) for is_kind in (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)):
        raise InputError(f"weight_column {column} is {kind}; a weight is a number.")
    weights = np.asarray(table[column].cast(pa.float64()).to_numpy())
    if wrong := int((~(np.isfinite(weights) & (weights >= 0))).sum()) or len(weights) * (not weights.any()):
        raise InputError(f"weight_column {column} is missing, negative or infinite, or 0 throughout, in {wrong} rows.")
    return weights
