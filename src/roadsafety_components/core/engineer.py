"""Features of a severity model beside the columns of ``clean.preprocess``, each from the rows of one collision alone.

Every feature stands in ``feature_list.FEATURES`` with its meaning; tests hold that the two agree.
"""

import pyarrow as pa
import pyarrow.compute as pc

from roadsafety_components.core import derive
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.store import (
    CATEGORY,
    IDENTIFIER,
    OUTCOME,
    REPORT_ONLY,
    facts_of,
    is_text,
    mark_columns,
    marked,
    with_facts,
)

_KEYS = {"collision": ["collision_index"], "vehicle": ["collision_index", "vehicle_reference"]}
_NEEDED = {"collision": {"collision_index", "date", "time"}, "vehicle": {*_KEYS["vehicle"]}}


def engineer(data: pa.Table, collision: pa.Table, vehicle: pa.Table | None = None, cell_km: float = 0.0) -> pa.Table:
    """Add the features of ``feature_list.FEATURES`` that the unit has and that the model may know.

    Features come from ``collision`` and ``vehicle`` by key, so that it does not matter which columns ``data`` has.
    Only those of a casualty come from its row in ``data`` (the other casualties are outcome): they are null where
    ``casualty_type`` or ``casualty_class`` was left out there, as ``preprocess`` does with a constant column unless
    ``keep_constant``. A feature whose source no table has is null.

    Args:
        data: what ``clean.preprocess`` made of harmonised tables. Its facts tell the unit and what may be known.
        collision: the harmonised table that ``data`` was made of; it may have more rows.
        vehicle: likewise; not needed where ``known_at`` was ``before``.
        cell_km: above 0, a column ``cell`` names the square of the national grid of that width (kilometres).

    Returns:
        The rows and columns of ``data`` as they are, then the features. Which, and of what type, depends on the
        unit, ``known_at`` and ``cell_km`` alone. Text is marked CATEGORY. The facts are those of ``data``, with
        ``cell_km``, the names in ``columns_engineered`` and the digests of what was read added to ``made_from``.

    Raises:
        InputError: a cell_km out of range, a table missing or not harmonised, rows whose key is in no table.
    """
    if not 0 <= cell_km <= 1000:
        raise InputError(f"cell_km is {cell_km}; it is a width in kilometres, up to 1000, or 0 for no cells.")
    facts = facts_of(data)
    if not {"unit", "known_at", "codes"} <= facts.keys():
        raise InputError("the facts of data do not tell its unit and what may be known. Give the output of "
                         "preprocess_collisions (or a part of it, as split_dataset writes).")  # fmt: skip
    _check_codes("data", data)
    _check_table("collision", collision)
    made = derive.moment(collision) | derive.road(collision) | derive.cell(collision, cell_km)
    own: derive.Columns = {}
    read = {"data": data, "collision": collision}
    if facts["known_at"] != "before":
        if vehicle is None:
            raise InputError(f"the vehicle table is needed where known_at is {facts['known_at']} and was not given.")
        _check_table("vehicle", vehicle)
        own, together = derive.vehicles(vehicle, collision)
        made |= together
        read["vehicle"] = vehicle
    added = _beside(data, "collision", collision, made)
    if own and facts["unit"] != "collision":
        added |= _beside(data, "vehicle", vehicle, own)
    if own and facts["unit"] == "casualty":
        added |= derive.casualty(data, added)
    if there := [n for n in added if n in data.column_names]:
        raise InputError(f"data has the column {there[0]} already; give the output of preprocess_collisions, once.")
    added = {n: c.cast(pa.string()) if is_text(c.type) else c for n, c in added.items()}
    marks = {n: mark for mark in (IDENTIFIER, CATEGORY, OUTCOME, REPORT_ONLY) for n in marked(data, mark)}
    marks |= {n: CATEGORY for n, c in added.items() if is_text(c.type)}
    facts |= {
        "cell_km": float(cell_km),
        "columns_engineered": list(added),
        "made_from": facts.get("made_from", {}) | {n: facts_of(t).get("sha256", "") for n, t in read.items()},
    }
    return with_facts(mark_columns(derive.with_columns(data, added), marks), facts)


def _check_table(name: str, table: pa.Table) -> None:
    if (told := facts_of(table).get("table", name)) != name:
        raise InputError(f"the {told} table was given where the {name} table belongs.")
    if lost := _NEEDED[name] - {*table.column_names}:
        raise InputError(f"{name} table: no column {min(lost)}. Give the {name} output of harmonise_stats19.")
    _check_codes(f"the {name} table", table)


def _check_codes(what: str, table: pa.Table) -> None:
    if facts_of(table).get("codes") != "2024":
        raise InputError(f"{what} is not harmonised: codes may mean other things in other years. Bring the tables to "
                         "one code list with harmonise_stats19, then preprocess those.")  # fmt: skip
    if facts_of(table).get("labelled_columns"):
        raise InputError(f"{what} has labels in place of codes; label_stats19 with direction=codes undoes it.")


def _beside(data: pa.Table, name: str, parent: pa.Table, columns: derive.Columns) -> derive.Columns:
    """Columns of a table's rows at the rows of data that have their key."""
    at = pc.index_in(_key(data, name), value_set=_key(parent, name).combine_chunks())
    if lost := at.null_count:
        example = _key(data, name)[pc.index(at.is_null(), True).as_py()]
        raise InputError(f"{lost} of {data.num_rows} rows of data are not in the {name} table, e.g. "
                         f"{'/'.join(_KEYS[name])} {example}. Give the table that data was made of.")  # fmt: skip
    at = at.combine_chunks()
    return {n: column.take(at) for n, column in columns.items()}


def _key(table: pa.Table, name: str) -> pa.ChunkedArray:
    parts = [table[n].cast(pa.string()) for n in _KEYS[name]]
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "/")
