"""DfT's historical revisions: values of published records that were corrected later."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from roadsafety_components.core import schema
from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.files import digest
from roadsafety_components.core.store import facts_of, with_facts

_REFERENCES = ("vehicle_reference", "casualty_reference")
_COLUMNS = ("variable", "previously_published_value", "replacement_value")


@dataclass(frozen=True)
class Revisions:
    """The file, read: one row a corrected value, all text (null where empty).

    Attributes:
        rows: collision_index, vehicle_reference, casualty_reference, table, column (canonical names),
            previously_published_value, replacement_value.
    """

    rows: pa.Table
    sha256: str


def read_revisions(path: Path) -> Revisions:
    """Read ``dft-road-casualty-statistics-historical-revisions-data.csv``, or revisions.csv in a folder.

    Raises:
        InputError: no such file, another file, or a variable that no table has.
    """
    path = path / "revisions.csv" if path.is_dir() else path
    if not path.is_file():
        raise InputError(f"revisions: there is no file {path}; download_stats19 with revisions=True fetches it.")
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    header = [h.strip().strip('"').lower() for h in content.partition(b"\n")[0].decode("utf-8", "replace").split(",")]
    key = next((k for k in ("collision_index", "accident_index") if k in header), "")
    if lost := [c for c in (*_COLUMNS, *_REFERENCES) if c not in header] or ([] if key else ["accident_index"]):
        raise InputError(f"revisions {path.name}: no column {', '.join(lost)}; it has {', '.join(header)[:200]}.")
    try:
        rows = pyarrow.csv.read_csv(
            pa.BufferReader(content),
            read_options=pyarrow.csv.ReadOptions(column_names=header, skip_rows=1),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), include_columns=[key, *_REFERENCES, *_COLUMNS],
                null_values=["", "NULL", "NA", "-1"], strings_can_be_null=True,
            ),
        )  # fmt: skip
    except pa.ArrowInvalid as error:
        raise InputError(f"revisions {path.name}: {error}") from error
    generation = "2024" if key == "collision_index" else "accident"
    known = {
        text: _column_of(text, generation, path.name) for text in pc.unique(rows["variable"].drop_null()).to_pylist()
    }
    text = rows["variable"].to_pylist()
    return Revisions(
        pa.table({
            "collision_index": rows[key],
            **{name: rows[name] for name in (*_REFERENCES, *_COLUMNS[1:])},
            "table": pa.array([known[t][0] if t else None for t in text], pa.string()),
            "column": pa.array([known[t][1] if t else None for t in text], pa.string()),
        }),
        digest(path),
    )  # fmt: skip


def _column_of(variable: str, generation: str, where: str) -> tuple[str, str]:
    """Table and canonical column that a variable is in the files of a generation."""
    for table in schema.TABLES:
        for g in (generation, "2024", "legacy"):
            if name := schema.canonical_name(table, g, variable):
                return table, name
    names = [n for t in schema.TABLES for n in schema.columns(t)]
    raise InputError(f"revisions {where}: no table has the variable {variable!r}.{nearest(variable, names)}")


def apply_revisions(tables: Mapping[str, pa.Table], revisions: Revisions) -> dict[str, pa.Table]:
    """Replace the values that still are as they were published before.

    Returns:
        The tables. Facts hold ``revised``, the counts by table: applied; already (the value is the new one); other (it
        is neither the old nor the new one, and stays); and the digest of the revisions. Revisions of records that the
        tables do not have are left aside.

    Raises:
        InputError: a value that the column cannot hold.
    """
    result = {}
    for name, table in tables.items():
        mine = revisions.rows.filter(pc.equal(revisions.rows["table"], name))
        counts = {"applied": 0, "already": 0, "other": 0}
        for column in pc.unique(mine["column"]).to_pylist():
            if column in table.column_names:
                wanted = mine.filter(pc.equal(mine["column"], column))
                table = _revise(name, table, column, wanted, counts)  # noqa: PLW2901
        print(f"{name}: revisions {', '.join(f'{n} {how}' for how, n in counts.items())}")
        result[name] = with_facts(table, facts_of(table) | {"revised": counts, "revisions": revisions.sha256})
    return result


def _revise(name: str, table: pa.Table, column: str, wanted: pa.Table, counts: dict[str, int]) -> pa.Table:
    key = {"collision": [], "vehicle": ["vehicle_reference"], "casualty": ["casualty_reference"]}[name]
    at = pc.index_in(_key(wanted, key), value_set=_key(table, key).combine_chunks())
    wanted = wanted.filter(at.is_valid())
    rows = at.drop_null().to_numpy()
    old, new = (_typed(wanted[n], table[column].type, f"{name}.{column}") for n in _COLUMNS[1:])
    values = table[column].combine_chunks()
    # A value that was revised twice is so in the order of the file: first every record's first revision, and so on.
    nth = np.zeros(len(rows), int)
    for row in np.unique(rows[np.bincount(rows, minlength=1)[rows] > 1]):
        nth[rows == row] = np.arange((rows == row).sum())
    for turn in np.unique(nth):
        now = values.take(rows)
        is_old, is_new, mine = _same(now, old), _same(now, new), nth == turn
        change = np.flatnonzero(is_old & ~is_new & mine)
        change = change[np.argsort(rows[change])]
        counts["applied"] += len(change)
        counts["already"] += int((is_new & mine).sum())
        counts["other"] += int((~is_old & ~is_new & mine).sum())
        mask = np.zeros(table.num_rows, bool)
        mask[rows[change]] = True
        values = pc.replace_with_mask(values, pa.array(mask), new.take(change).combine_chunks())
    field = table.schema.field(column)
    return table.set_column(table.column_names.index(column), field, pa.chunked_array([values]))


def _key(table: pa.Table, more: list[str]) -> pa.ChunkedArray:
    parts = [table[n].cast(pa.string()) for n in ("collision_index", *more)]
    return pc.binary_join_element_wise(*parts, "|") if more else parts[0]


def _typed(values: pa.ChunkedArray, kind: pa.DataType, where: str) -> pa.ChunkedArray:
    try:
        if pa.types.is_date(kind):
            return pc.strptime(values, format="%d/%m/%Y", unit="s").cast(kind)
        if pa.types.is_time(kind):
            return pc.strptime(values, format="%H:%M", unit="s").cast(pa.time32("s")).cast(kind)
        return values.cast(kind)
    except pa.ArrowInvalid as error:
        raise InputError(f"revisions of {where}: {str(error).splitlines()[0]}. The column holds {kind}.") from error


def _same(one: pa.ChunkedArray, other: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Where two columns are equal; null equals null."""
    equal = pc.fill_null(pc.equal(one, other), False)
    return np.asarray(pc.or_(equal, pc.and_(one.is_null(), other.is_null())).to_numpy())
