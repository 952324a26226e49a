"""Three canonical tables to one table of a chosen unit, with nothing in it that the model may not know."""

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from roadsafety_components.core import schema
from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.store import (
    CATEGORY,
    IDENTIFIER,
    REPORT_ONLY,
    facts_of,
    is_text,
    mark_columns,
    with_facts,
)

UNITS = ("vehicle", "collision", "casualty")
TARGETS = {
    "severity": {1: "fatal", 2: "serious", 3: "slight"},
    "ksi": {1: "ksi", 2: "ksi", 3: "slight"},
}
NO_TARGET = "none"  # rows that nobody has judged yet
# What a model may know, from the strictest: the place and time; also who was involved; also what the impact showed.
KNOWN_AT = {
    "before": {"pre"},
    "involved": {"pre", "involved_party"},
    "impact": {"pre", "involved_party", "post_impact"},
}
_WHY_LEFT_OUT = {
    "target": "it is the target, or the same fact for the whole collision",
    "target_derived": "it was derived from the severity",
    "reporting_process": "it tells how severity was recorded, not what happened",
    "post_outcome": "it is known only after the injuries are",
    "post_impact": "it is a consequence of the impact (known_at=impact keeps it)",
    "involved_party": "it tells who was involved (known_at=involved keeps it)",
    "location": "it is a shortcut to the place (keep_location=True keeps it)",
    "group": "it stands for the force's way of recording severity (keep_location=True keeps it)",
}
_TYPES = {"text": pa.string(), "int": pa.int32(), "nominal": pa.int32(), "float": pa.float64()}  # others int16
_SEVERITIES = ("collision_severity", "casualty_severity")
_OUTCOME = ("target", "target_derived")
_CALENDAR = ("month", "weekday", "hour")
_PARTS = {
    "day_of_week": "weekday, from the date, stands for it",
    "date": "year, month and weekday stand for it",
    "time": "hour stands for it",
}
_HARMONISED = {
    "special_conditions_at_site": "carriageway_hazards stands for it",
    "generic_make_model": "vehicle_make and vehicle_model stand for it",
}


def preprocess(
    tables: Mapping[str, pa.Table],
    unit: str = "vehicle",
    target: str = "severity",
    known_at: str = "involved",
    keep_location: bool = False,
    max_orphan_share: float = 0.01,
    keep_constant: bool = False,
    report_columns: Sequence[str] = (),
) -> pa.Table:
    """Join the tables at a unit of analysis, derive the calendar columns, leave out what would leak.

    Args:
        tables: collision, vehicle and (for the unit casualty) casualty, as ``read.load_tables`` returns them.
        unit: one row a vehicle, a collision or a casualty. The target is the collision's severity for the first
            two, the casualty's own for the third.
        target: ``severity`` (fatal, serious, slight) or ``ksi`` (ksi: killed or seriously injured; slight); ``none``
            for rows that nobody has judged yet: no severity is read.
        known_at: what the model may know: ``before``, ``involved`` or ``impact``; see ``KNOWN_AT``. A casualty's
            own attributes (age, class, movement) count as ``involved`` at the unit casualty. At the unit collision
            no vehicle stands in the row: ``involved`` adds nothing there.
        keep_location: keep coordinates, area codes and police force as features.
        max_orphan_share: share of vehicles (casualties) without their collision, or of collisions without a vehicle,
            above which this is an error; below it they are dropped and counted.
        keep_constant: keep columns that are empty or have one value, and make those that the tables do not have
            (null), so that every dataset has the same columns.
        report_columns: columns to keep whatever the model may know. Those that are no feature are marked REPORT_ONLY
            (codes as text, so that nobody takes them for quantities).

    Returns:
        Identifiers (key and year, marked IDENTIFIER), the target column (text, named as ``target``), then features:
        month 1-12, weekday 1 (Sunday) to 7, hour 0-23 or null, and the columns that are left. Facts name every
        column left out, and those for reports only, with the reason, and the rows dropped.

    Raises:
        InputError: a parameter out of range, a table missing or not of load_tables, too many orphans; a report column
            that there is not, or that was derived from the outcome.
    """
    _check_choices(unit, target, known_at, max_orphan_share)
    needed = {"collision": ["collision"], "vehicle": ["collision", "vehicle"], "casualty": list(schema.TABLES)}[unit]
    for name in needed:
        _check_table(name, tables.get(name), target)
    columns = {
        name: column
        for name, column in _all_columns(unit).items()
        if column.availability != "identifier"
        and (keep_constant or any(name in tables[t].column_names for t in needed))
    }
    _check_report_columns(report_columns, unit, columns)
    harmonised = _check_codes({n: tables[n] for n in needed})
    left_out = {
        name: reason for name, c in columns.items() if (reason := _reason(c, unit, known_at, keep_location, harmonised))
    }  # fmt: skip
    dropped: dict[str, int] = {}
    unneeded = (set(left_out) | {"collision_year", "collision_ref_no"}) - {"date", "time", *report_columns}
    if target != NO_TARGET:
        unneeded -= {*_SEVERITIES}
    slim = {t: tables[t].drop_columns([n for n in tables[t].column_names if n in unneeded]) for t in needed}
    joined = _join(slim, unit, max_orphan_share, dropped)
    if joined.num_rows == 0:
        raise InputError(f"no {unit} row is left: none has its collision. Give tables that belong together.")
    out = {name: joined[name] for name in _identifiers(unit)}
    out["year"] = pc.year(joined["date"]).cast(pa.int16())
    if target != NO_TARGET:
        severity = joined["casualty_severity" if unit == "casualty" else "collision_severity"]
        out[target] = _label(severity, TARGETS[target])
    made = _calendar(joined) | {
        n: _column(joined, c) for n, c in columns.items() if n not in left_out or n in report_columns
    }
    if not keep_constant:
        features = [n for n in made if n not in left_out]
        left_out |= {name: reason for name in features if (reason := _empty_or_constant(made[name]))}
    for_reports = {name: left_out.pop(name) for name in made if name in left_out and name in report_columns}
    out |= {name: values for name, values in made.items() if name not in left_out}
    marks = {n: IDENTIFIER for n in [*_identifiers(unit), "year"]}
    marks |= {n: CATEGORY for n in out if n in columns and columns[n].kind in ("code", "nominal")}
    out |= {n: out[n].cast(pa.string()) for n in for_reports if n in marks}
    marks |= dict.fromkeys(for_reports, REPORT_ONLY)
    result = mark_columns(pa.table(out), marks)
    return with_facts(result, _facts(tables, needed, unit, target, known_at, left_out, for_reports, dropped))


def _check_choices(unit: str, target: str, known_at: str, max_orphan_share: float) -> None:
    for name, value, choices in (
        ("unit", unit, UNITS),
        ("target", target, (*TARGETS, NO_TARGET)),
        ("known_at", known_at, tuple(KNOWN_AT)),
    ):
        if value not in choices:
            raise InputError(f"{name} is {value!r}; it can be {', '.join(choices)}.")
    if not 0 <= max_orphan_share <= 1:
        raise InputError(f"max_orphan_share is {max_orphan_share}; it is a share, 0 to 1.")


def _check_report_columns(names: Sequence[str], unit: str, there: Collection[str]) -> None:
    """Refuse what is no column, tells the outcome, or is in no table (``there`` are those that are)."""
    known = {n: c for n, c in _all_columns(unit).items() if c.availability != "identifier"}
    for name in names:
        if name not in known and name not in _CALENDAR:
            raise InputError(f"report_columns has {name!r}, which a {unit} row does not have."
                             f"{nearest(str(name), known)}")  # fmt: skip
        if name in known and (availability := known[name].availability) in _OUTCOME:
            raise InputError(f"report_columns has {name}: {_WHY_LEFT_OUT[availability]}. Take it out; results by "
                             "severity are in the evaluation.")  # fmt: skip
        if name not in there and name not in _CALENDAR:
            raise InputError(f"report_columns has {name}, which the tables do not have. Take it out, or keep it "
                             "empty with keep_constant=True.")  # fmt: skip


def _check_table(name: str, table: pa.Table | None, target: str) -> None:
    if table is None:
        raise InputError(f"the {name} table is needed for this unit and was not given.")
    if (told := facts_of(table).get("table", name)) != name:
        raise InputError(f"the {told} table was given where the {name} table belongs.")
    if facts_of(table).get("labelled_columns"):
        raise InputError(
            f"the {name} table has labels in place of codes; label_stats19 with direction=codes undoes it."
        )
    must = {
        "collision": ["collision_index", "date", "time", "collision_severity"],
        "vehicle": ["collision_index", "vehicle_reference"],
        "casualty": ["collision_index", "vehicle_reference", "casualty_reference", "casualty_severity"],
    }[name]
    if target == NO_TARGET:
        must = [n for n in must if n not in _SEVERITIES]
    right = {"collision_index": is_text, "date": pa.types.is_date, "time": pa.types.is_time}
    if wrong := [f"no column {c}" for c in must if c not in table.column_names] or [
        f"{c} is {table[c].type}" for c in must if c in right and not right[c](table[c].type)
    ]:
        raise InputError(f"{name} table: {', '.join(wrong)}. Give the {name} output of load_stats19; the "
                         f"file has {', '.join(table.column_names[:6])}, ...")  # fmt: skip


def _check_codes(tables: Mapping[str, pa.Table]) -> bool:
    """Whether the tables are harmonised; refuses generations whose codes mean different things in one table."""
    harmonised = {facts_of(t).get("codes") == "2024" for t in tables.values()}
    generations = {g for t in tables.values() for g in str(facts_of(t).get("generation", "")).split(" and ")}
    mixed = bool(generations & {"legacy", "accident"}) and bool(generations & {"2024", "2025"})
    if harmonised == {True, False} or (mixed and harmonised == {False}):
        told = ", ".join(sorted(generations))
        raise InputError(f"the tables are of generations with different codes ({told}). Bring "
                         "all to one code list first, with harmonise_stats19.")  # fmt: skip
    return harmonised == {True}


def _join(tables: Mapping[str, pa.Table], unit: str, max_orphan_share: float, dropped: dict[str, int]) -> pa.Table:
    """Rows of the unit with the columns of their collision (and a casualty's vehicle) beside them."""
    collision = tables["collision"]
    if unit == "collision":
        return collision
    rows = _beside(unit, tables[unit], "collision", collision, ["collision_index"], max_orphan_share, dropped)
    if unit == "casualty":
        key = ["collision_index", "vehicle_reference"]
        return _beside(unit, rows, "vehicle", tables["vehicle"], key, max_orphan_share, dropped)
    if lone := collision.num_rows - pc.count_distinct(rows["collision_index"]).as_py():
        told = f"{lone} of {collision.num_rows} collisions have no vehicle"
        _refuse_above(max_orphan_share, lone, collision.num_rows, told)
        dropped["collisions without any vehicle"] = lone
    return rows


def _refuse_above(max_share: float, number: int, of: int, told: str) -> None:
    if number > max_share * of:
        raise InputError(f"{told}. That is more than max_orphan_share={max_share:g}: the tables may be of different "
                         "years or regions. Give tables that belong together, or raise it.")  # fmt: skip
    print(f"dropped: {told}")


def _beside(
    unit: str, rows: pa.Table, what: str, parent: pa.Table, key: list[str], max_share: float, dropped: dict[str, int]
) -> pa.Table:
    """``rows`` with the other columns of their parent beside them; rows without one are dropped and counted."""
    at = pc.index_in(_key(rows, key), value_set=_key(parent, key).combine_chunks())
    if at.null_count:
        example = rows["collision_index"][pc.index(at.is_null(), True).as_py()].as_py()
        told = f"{at.null_count} of {rows.num_rows} {unit} rows have no {what}, e.g. collision_index {example}"
        _refuse_above(max_share, at.null_count, rows.num_rows, told)
        dropped[f"{unit} rows without their {what}"] = at.null_count
        rows, at = rows.filter(at.is_valid()), at.drop_null()
    new = [n for n in parent.column_names if n not in rows.column_names]
    beside = parent.select(new).take(at)
    return pa.table([*rows.columns, *beside.columns], names=[*rows.column_names, *new])


def _key(table: pa.Table, names: list[str]) -> pa.ChunkedArray:
    parts = [table[n].cast(pa.string()) for n in names]
    return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "/")


def _identifiers(unit: str) -> list[str]:
    return {
        "collision": ["collision_index"],
        "vehicle": ["collision_index", "vehicle_reference"],
        "casualty": ["collision_index", "vehicle_reference", "casualty_reference"],
    }[unit]


def _all_columns(unit: str) -> dict[str, schema.Column]:
    """Canonical columns that a joined row can have: the collision's, then the vehicle's, then the casualty's."""
    last = schema.TABLES.index(unit)
    return {n: c for t in schema.TABLES[: last + 1] for n, c in schema.columns(t).items()}


def _reason(column: schema.Column, unit: str, known_at: str, keep_location: bool, harmonised: bool) -> str | None:
    """Why a column is left out, or None to keep it."""
    if column.name in _PARTS:
        return _PARTS[column.name]
    if harmonised and (column.name in _HARMONISED or column.name.endswith("_historic")):
        return _HARMONISED.get(column.name, "the column of the 2024 release stands for it")
    availability = column.availability
    if unit == "casualty" and column.name in schema.columns("casualty") and availability == "post_outcome":
        availability = "location" if column.name.startswith("lsoa") else "involved_party"
    if availability in ("location", "group"):
        return None if keep_location else _WHY_LEFT_OUT[availability]
    return None if availability in KNOWN_AT[known_at] else _WHY_LEFT_OUT[availability]


def _calendar(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    return {
        "month": pc.month(table["date"]).cast(pa.int8()),
        "weekday": pc.day_of_week(table["date"], count_from_zero=False, week_start=7).cast(pa.int8()),
        "hour": pc.hour(table["time"]).cast(pa.int8()),
    }


def _column(table: pa.Table, column: schema.Column) -> pa.ChunkedArray:
    """The column, null where the table does not have it."""
    if column.name in table.column_names:
        return table[column.name]
    return pa.chunked_array([pa.nulls(table.num_rows, _TYPES.get(column.kind, pa.int16()))])


def _empty_or_constant(values: pa.ChunkedArray) -> str | None:
    if values.null_count == len(values):
        return "it is empty in every row"
    return "it has one value only" if pc.count_distinct(values, mode="all").as_py() == 1 else None


def _label(codes: pa.ChunkedArray, labels: dict[int, str]) -> pa.ChunkedArray:
    at = pc.index_in(codes, value_set=pa.array(list(labels), codes.type))
    return pc.take(pa.array(list(labels.values())), at)


def _facts(
    tables: Mapping[str, pa.Table],
    needed: list[str],
    unit: str,
    target: str,
    known_at: str,
    left_out: dict[str, str],
    for_reports: dict[str, str],
    dropped: dict[str, int],
) -> dict[str, object]:
    collision = facts_of(tables["collision"])
    return {
        "unit": unit,
        "target": target,
        "known_at": known_at,
        "group_column": "collision_index",
        "generation": collision.get("generation", "unknown"),
        "codes": collision.get("codes", "as published"),
        "years": collision.get("years", []),
        "synthetic": bool(collision.get("synthetic", False)),
        "schema_version": schema.SCHEMA_VERSION,
        "made_from": {n: facts_of(tables[n]).get("sha256", "") for n in needed},
        "rows_in": {n: tables[n].num_rows for n in needed},
        "rows_dropped": dropped,
        "columns_left_out": left_out,
        "report_columns": for_reports,
    }
