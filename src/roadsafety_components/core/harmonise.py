"""Tables of any generation in the terms of the 2024 release: one code list, make and model apart, revisions applied.

What stands in the ``*_historic`` columns (the 2011 specification's codes) is brought to the columns of the 2024
specification where DfT's code list allows it; the older columns stay beside them.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from roadsafety_components.core import schema
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.make_model import make_and_model
from roadsafety_components.core.revisions import Revisions, apply_revisions
from roadsafety_components.core.store import CATEGORY, IDENTIFIER, OUTCOME, facts_of, mark_columns, marked, with_facts

Codes = npt.NDArray[np.int16]

# New column: each older column with its codes, old:new. Equal or merged labels in the code list of the 2024 guide;
# junction_detail as in published rows that have both codes (roundabouts and slip roads become 0: road_type has them).
# Not in any list: journey purpose 5 (other) and 15 (other or not known), lane 10 (not on carriageway).
RECODES = {
    "collision": {
        "junction_detail": {"junction_detail_historic": "0:0 1:0 2:0 5:0 3:13 6:16 7:17 8:18 9:19 99:99"},
        "pedestrian_crossing": {
            "pedestrian_crossing_human_control_historic": "0:0 1:11 2:12 9:99",
            "pedestrian_crossing_physical_facilities_historic": "0:0 1:13 4:14 5:15 7:16 8:17 9:99",
        },
        "carriageway_hazards": {
            "carriageway_hazards_historic": "0:0 1:16 2:17 3:18 4:20 5:20 6:19 7:20 9:99",
            "special_conditions_at_site": "0:0 1:11 2:11 3:12 4:13 5:21 6:14 7:15 9:99",
        },
    },
    "vehicle": {
        "vehicle_manoeuvre": {
            "vehicle_manoeuvre_historic": "1:1 2:2 3:3 4:4 5:5 6:6 7:7 8:8 9:9 10:10 11:11 12:12 13:13 14:14 15:15 "
            "16:19 17:19 18:19 99:99",
        },
        "vehicle_location_restricted_lane": {
            "vehicle_location_restricted_lane_historic": "0:0 1:1 2:2 3:2 4:4 5:5 6:6 7:6 8:6 9:9 99:99",
        },
        "journey_purpose_of_driver": {"journey_purpose_of_driver_historic": "1:1 2:2 3:7 4:7 6:6"},
    },
    "casualty": {},
}
_NONE, _NOTHING, _UNKNOWN = -1, 0, 99  # no value; "none" or "not at junction"; recorded as unknown


def harmonise(tables: Mapping[str, pa.Table], revisions: Revisions | None = None) -> dict[str, pa.Table]:
    """Bring tables to the codes of the 2024 release.

    Args:
        tables: any of collision, vehicle and casualty, as ``read.load_tables`` returns them.
        revisions: DfT's historical revisions, from ``revisions.read_revisions``.

    Returns:
        The tables by name, columns in the order of the schema. Columns of the 2024 specification are filled from the
        older ones where they are null; a code of the older list that has none in the newer, and two older columns
        that name different things, leave null. vehicle_make and vehicle_model are split from generic_make_model.
        Facts hold ``codes`` ("2024") and, in ``recoded``, the counts by column: filled, without a code in the 2024
        list, and (where a file has both codes) in disagreement, in which case the newer code stays.

    Raises:
        InputError: a table that load_stats19 did not make, or that is harmonised already.
    """
    changed = {}
    for name, table in tables.items():
        facts = facts_of(table)
        if facts.get("table") != name:
            raise InputError(f"the {facts.get('table', 'other')} table was given where the {name} table belongs.")
        if "codes" in facts:
            raise InputError(f"the {name} table is harmonised already.")
        if facts.get("labelled_columns"):
            raise InputError(f"the {name} table has labels in place of codes; harmonise before label_stats19.")
        changed[name] = table
    if revisions is not None:
        changed = apply_revisions(changed, revisions)
    return {name: _one_table(name, table) for name, table in changed.items()}


def _one_table(name: str, table: pa.Table) -> pa.Table:
    columns = {n: table[n] for n in table.column_names}
    recoded = {}
    for new, sources in RECODES[name].items():
        given = {old: codes for old, codes in sources.items() if old in columns}
        if not any(columns[old].null_count < table.num_rows for old in given):
            continue
        older, lost = _combine([_recode(columns[old], codes) for old, codes in given.items()])
        newer = _numbers(columns[new]) if new in columns else np.full(table.num_rows, _NONE, np.int16)
        empty = newer == _NONE
        counts = {
            "filled": int((empty & (older != _NONE)).sum()),
            "without_code_in_2024_list": int((empty & lost).sum()),
            "in_disagreement": int((~empty & (older != _NONE) & (older != newer)).sum()),
        }
        recoded[new] = counts
        result = np.where(empty, older, newer)
        columns[new] = pa.chunked_array([pa.array(result, pa.int16(), mask=result == _NONE)])
        if counts["without_code_in_2024_list"]:
            print(f"{name}.{new}: {counts['without_code_in_2024_list']} of {table.num_rows} values of the older list "
                  f"have no code in the 2024 list and are missing; they stay in {', '.join(given)}")  # fmt: skip
    if "generic_make_model" in columns:
        columns |= make_and_model(columns["generic_make_model"])
    order = [n for n in schema.columns(name) if n in columns]
    result = pa.table({n: columns[n] for n in order})
    marks = {n: mark for mark in (IDENTIFIER, CATEGORY, OUTCOME) for n in marked(table, mark)}
    marks |= {new: CATEGORY for new in recoded}
    facts = {k: v for k, v in facts_of(table).items() if k != "sha256"}
    facts |= {"codes": "2024", "recoded": recoded, "made_from": {name: facts_of(table).get("sha256", "")}}
    return with_facts(mark_columns(result, marks), facts)


def _numbers(codes: pa.ChunkedArray) -> Codes:
    return np.asarray(codes.fill_null(_NONE).to_numpy(), np.int16)


def _recode(codes: pa.ChunkedArray, pairs: str) -> tuple[Codes, npt.NDArray[np.bool_]]:
    """The newer codes, and where there was an older code that has none."""
    to = np.full(1 << 8, _NONE, np.int16)  # codes end at 113; -1 stands at the end, and stays
    for pair in pairs.split():
        old, new = map(int, pair.split(":"))
        to[old] = new
    older = _numbers(codes)
    newer = to[older]
    return newer, (older != _NONE) & (newer == _NONE)


def _combine(sources: list[tuple[Codes, npt.NDArray[np.bool_]]]) -> tuple[Codes, npt.NDArray[np.bool_]]:
    """One code of several: the one that names something; two that differ are lost; then unknown, missing, none."""
    result = np.full(len(sources[0][0]), _NOTHING, np.int16)
    lost = np.zeros(len(result), bool)
    missing, unknown, clash = lost.copy(), lost.copy(), lost.copy()
    for codes, without in sources:
        named = ~np.isin(codes, (_NONE, _NOTHING, _UNKNOWN))
        clash |= named & (result != _NOTHING) & (result != codes)
        result = np.where(named, codes, result)
        missing |= (codes == _NONE) & ~without
        unknown |= codes == _UNKNOWN
        lost |= without
    nothing = result == _NOTHING
    result[nothing & missing] = _NONE
    result[nothing & unknown] = _UNKNOWN
    lost = clash | (lost & nothing)
    result[lost] = _NONE
    return result, lost
