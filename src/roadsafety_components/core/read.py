"""Raw STATS19 files to canonical typed tables: names, types, missing codes, legal codes, unique keys."""

import io
import os
import re
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from roadsafety_components.core import schema
from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.files import digest
from roadsafety_components.core.sources import open_sources, read_bytes
from roadsafety_components.core.store import CATEGORY, IDENTIFIER, OUTCOME, mark_columns, with_facts

_ARROW_TYPES = {
    "text": pa.string(),
    "int": pa.int32(),
    "nominal": pa.int32(),
    "float": pa.float64(),
    "code": pa.int16(),
    "ordinal": pa.int16(),
    "date": pa.dictionary(pa.int32(), pa.string()),  # a year has few dates: each is parsed once
    "time": pa.time32("s"),
}
_BLOCK = 1 << 22  # read at a time
_KEYS = {
    "collision": ["collision_index"],
    "vehicle": ["collision_index", "vehicle_reference"],
    "casualty": ["collision_index", "vehicle_reference", "casualty_reference"],
}


@dataclass(frozen=True)
class RawFile:
    """A file that was opened: which table, in which generation, and its text."""

    name: str
    table: str
    generation: str
    header: list[str]
    content: bytes
    sha256: str


def load_tables(
    source: str,
    files: Mapping[str, Path],
    unknown_codes: str = "error",
    year: int = 0,
    allow_private_addresses: bool = False,
) -> dict[str, pa.Table]:
    """Read the three tables to canonical columns and types.

    Args:
        source: see ``sources.open_sources``; "" to use ``files``.
        files: paths by table (collision, vehicle, casualty), or ``raw_files``: a folder with a folder a year, as
            ``download.download`` leaves it; used when ``source`` is empty.
        unknown_codes: what to do with a code that the code list does not have: ``error`` or ``null``
            (the value becomes missing, and is counted).
        year: of ``raw_files`` only this year; 0 for all.
        allow_private_addresses: whether a URL's server may be in a private network or on this machine.

    Returns:
        Table name to table. Columns are those of ``schema.columns`` that the files have, in that order, and
        the keys' parts; codes int16, quantities int32 or float64 (units: metres, degrees, mph, years, cc),
        date date32, time time32[s], keys and area codes text; missing is null.

    Raises:
        InputError: anything that cannot be read right; see the message.
    """
    if unknown_codes not in ("error", "null"):
        raise InputError(f"unknown_codes is {unknown_codes!r}; it can be 'error' or 'null'.")
    if bool(source) == bool(files):
        raise InputError("give one of source (a folder or URLs), raw_files or the three files.")
    if year and "raw_files" not in files:
        raise InputError(f"year={year} chooses from raw_files, which were not given.")
    if "raw_files" in files:
        raw = _open_years(files["raw_files"], year)
    else:
        raw = (
            _open(source, allow_private_addresses)
            if source
            else [_open_raw(path, expected=table) for table, path in files.items()]
        )
    by_table = {t: [f for f in raw if f.table == t] for t in schema.TABLES}
    if lost := [t for t, found in by_table.items() if not found]:
        seen = ", ".join(f"{f.name} ({f.table or 'not recognised: ' + f.header[0][:50]})" for f in raw) or "none"
        raise InputError(f"no {' and no '.join(lost)} table was given; all three are needed. Files seen: {seen}.")
    generations = {f.generation for f in raw if f.table}
    unlisted: Counter[str] = Counter()
    with ThreadPoolExecutor() as pool:  # the work is in compiled code, which lets the others run
        parsed = pool.map(lambda name: _one_table(name, by_table[name], unknown_codes, unlisted), schema.TABLES)
        tables = dict(zip(schema.TABLES, parsed, strict=True))
    synthetic = bool(pc.any(pc.starts_with(tables["collision"]["collision_ref_no"], schema.SYNTHETIC_PREFIX)).as_py())
    years = _common_years(tables)
    common = {
        "generation": " and ".join(sorted(generations)),
        "years": years,
        "synthetic": synthetic,
        "unlisted_codes_made_missing": dict(unlisted),
    }
    return {name: _finish(name, table, by_table[name], common) for name, table in tables.items()}


def _common_years(tables: Mapping[str, pa.Table]) -> list[int]:
    """The years that all three tables have; refuses those that one of them lacks."""
    years = {name: sorted(pc.unique(table["collision_year"]).to_pylist()) for name, table in tables.items()}
    if len(set(map(tuple, years.values()))) > 1:
        told = "; ".join(f"{name} {', '.join(map(str, of))[:300]}" for name, of in years.items())
        raise InputError(f"the tables are of different years ({told}). Give all three tables of each year.")
    return years["collision"]


def _open(source: str, allow_private_addresses: bool = False) -> list[RawFile]:
    with open_sources(source, allow_private_addresses) as paths_found:
        opened = [_open_raw(path) for path in paths_found]
    for file in opened:
        if file.table == "":
            print(f"WARNING: {file.name} is not a STATS19 table (header {file.header[0][:50]} ...): left aside")
    return opened


def _open_years(folder: Path, year: int) -> list[RawFile]:
    years = sorted(int(p.name) for p in folder.glob("[12][0-9][0-9][0-9]") if p.is_dir())
    if not years or (year and year not in years):
        raise InputError(f"raw_files {folder} has no year {year or 'at all'}; it has {years}. Give the output of "
                         "download_stats19.")  # fmt: skip
    return [f for y in years if year in (0, y) for f in _open(str(folder / str(y)))]


def _open_raw(path: Path, expected: str = "") -> RawFile:
    if not os.path.isfile(path):
        raise InputError(f"{expected or 'input'}: there is no file at {path}.")
    content = read_bytes(path)
    name = f"{expected} file {path.name}" if expected else path.name
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{name} is UTF-16; save it as UTF-8.")
    content = content.lstrip(b"\xef\xbb\xbf")
    if not content or content.isspace():
        raise InputError(f"{name} is empty.")
    first = io.BytesIO(content).readline()
    rest = content[len(first) : len(first) + 4096]  # no copy of it all
    if content[:99].lstrip()[:1] == b"<":
        raise InputError(f"{name} is a web page, not a CSV: the address may have moved, or needs a login.")
    text = first.decode(errors="surrogateescape").strip()
    if not text.isprintable():
        raise InputError(f"{name}: its header is not text with commas; save it as CSV in UTF-8.")
    header = [h.strip().strip('"')[:99] for h in text.split(",", 500)]
    table, generation = _recognise(header)
    if expected and table and table != expected:
        raise InputError(f"{name} holds the {table} table; the {expected} table was expected there.")
    if expected and not table:
        raise InputError(f"{name}: its header is not that of a STATS19 {expected} table: {', '.join(header[:5])}, ...")
    if table and (not rest or rest.isspace()):
        raise InputError(f"{name} has a header and no rows.")
    return RawFile(name, table, generation, header, content, digest(path))


def _recognise(header: list[str]) -> tuple[str, str]:
    """Table and generation by the header alone: the pair that knows most of its names, if at least half."""
    known = {
        (t, g): sum(schema.canonical_name(t, g, h) is not None for h in header)
        for t in schema.TABLES
        for g in schema.GENERATIONS
    }
    best = max(known, key=lambda pair: known[pair])
    return best if known[best] * 2 >= len(header) else ("", "")


def _one_table(name: str, files: list[RawFile], unknown_codes: str, unlisted: Counter[str]) -> pa.Table:
    table = pa.concat_tables([_parse(file, unknown_codes, unlisted) for file in files], promote_options="default")
    _check_key(name, table)
    return table.select([n for n in schema.columns(name) if n in table.column_names])


def _parse(file: RawFile, unknown_codes: str, unlisted: Counter[str]) -> pa.Table:
    names = _canonical_header(file)
    columns = schema.columns(file.table)
    types = {h: _ARROW_TYPES[columns[c].kind] for h, c in names.items()}
    raw = _read_csv(file, types).rename_columns([names[h] for h in names])
    typed: dict[str, pa.ChunkedArray] = {}
    strange: dict[str, Counter[int]] = {}
    for name in raw.column_names:
        column, values = columns[name], raw[name]
        if column.kind == "date":
            values = _dates(file, name, values)
        elif column.kind == "text":
            values = _text_without_missing(values)
        elif column.kind != "time":
            values, unlisted_here = _numbers_without_missing(file.name, column, values)
            if unlisted_here:
                strange[name] = unlisted_here
        typed[name] = values
    if strange:
        told = "; ".join(f"{n}: {_counts(c)}" for n, c in strange.items())
        if unknown_codes == "error":
            raise InputError(f"{file.name}: codes that the code list does not have. {told}. If the file is right, "
                             "run with unknown_codes=null: they become missing, and are counted.")  # fmt: skip
        print(f"WARNING: {file.name}: codes that the code list does not have, now missing. {told}")
        unlisted.update({f"{file.table}.{n}": c.total() for n, c in strange.items()})
    _check_present(file, typed)
    _derive_key_parts(file, typed)
    if "date" in typed:
        _check_calendar(file, typed)
    return pa.table({n: typed[n] for n in columns if n in typed})


def _canonical_header(file: RawFile) -> dict[str, str]:
    """Header name to canonical name of the columns to read; refuses what is lost or doubled."""
    names: dict[str, str | None] = {}
    for h in file.header:
        name = schema.canonical_name(file.table, file.generation, h)
        if name and name in names.values():
            raise InputError(f"{file.name}: the column {h} stands in the header twice.")
        names[h] = name
    found, others = set(names.values()), [h for h, n in names.items() if n is None]
    for column in schema.columns(file.table).values():
        if column.required(file.generation) and column.name not in found:
            wanted = column.names[file.generation]
            raise InputError(f"{file.name}: the {file.table} table has no column {wanted}.{nearest(wanted, others)}")
    if others:
        print(f"WARNING: {file.name}: unknown columns left aside: {', '.join(others)}")
    return {h: n for h, n in names.items() if n is not None}


def _read_csv(file: RawFile, types: dict[str, pa.DataType]) -> pa.Table:
    if (b'"' in file.content or b"\0" in file.content) and (bad := _bad_line(file.content)):
        raise InputError(f"{file.name}: {bad}")
    for threads in (True, False):  # Once more in one thread: only then does the reader know the row.
        try:
            return pyarrow.csv.read_csv(
                pa.BufferReader(file.content),
                # Large blocks: a table in few chunks is what the later steps are fast on.
                read_options=pyarrow.csv.ReadOptions(use_threads=threads, block_size=_BLOCK, column_names=file.header,
                                                     skip_rows=1),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=types, include_columns=list(types), null_values=["", "NULL"],
                    strings_can_be_null=True,
                ),
            )  # fmt: skip
        except pa.ArrowException as error:
            failure = error
    raise InputError(f"{file.name}: {_explain(str(failure), file)}") from failure


def _explain(message: str, file: RawFile) -> str:
    if match := re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", message):
        return f"row {match[1]} has {match[3]} fields; the header has {match[2]}."
    if match := re.search(r"column #(\d+): Row #(\d+): CSV conversion error to (\S+): .*? '(.*)'", message, re.S):
        kind = {"time32[s]": "a time of day as HH:MM", "double": "a number"}.get(match[3], "a whole number in range")
        return f"row {match[2]}, column {file.header[int(match[1])]}: {match[4][:50]!r} is not {kind}."
    return _bad_line(file.content) or message


def _bad_line(content: bytes) -> str:
    """The first line that is no row; a quote without its partner would swallow the rows up to the next."""
    for row, line in enumerate(io.BytesIO(content), 1):
        if b"\0" in line or len(line) > _BLOCK:
            return f"row {row} holds NUL bytes or is longer than 4 MB."
        if b'"' in re.sub(rb'(^|,)"[^"]*(""[^"]*)*"(?=,|\s*$)', b"", line):
            return f"row {row}: a quote stands within a field, or without its partner."
        try:
            line.decode()
        except UnicodeDecodeError:
            return f"row {row} is not UTF-8 text (perhaps Windows-1252); save it as CSV in UTF-8."
    return ""


def _dates(file: RawFile, name: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Day-first text dates (dictionary) to date32."""
    chunks = []
    for chunk in values.unify_dictionaries().chunks:
        parsed = []
        for text in chunk.dictionary.to_pylist():
            try:
                date = datetime.strptime(text.strip(), "%d/%m/%Y").date()
                if not 1926 <= date.year <= 2100:
                    raise ValueError
            except ValueError:
                where = f"{file.name}: row {_first_row(values.cast(pa.string()), text)}, column {name}"
                raise InputError(f"{where}: {text[:50]!r} is not a date as dd/mm/yyyy.") from None
            parsed.append(date)
        chunks.append(pa.array(parsed, pa.date32()).take(chunk.indices))
    return pa.chunked_array(chunks, pa.date32())


def _first_row(values: pa.ChunkedArray, value: object = True) -> int:
    """Line in the file (the header is line 1) where a value stands first; 1 if nowhere."""
    return int(pc.index(values, value).as_py()) + 2


def _text_without_missing(values: pa.ChunkedArray) -> pa.ChunkedArray:
    values = pc.ascii_ltrim(values, " ")  # as numbers are read
    return pc.if_else(pc.is_in(values, pa.array(["", "-1"])), None, values)


def _numbers_without_missing(
    where: str, column: schema.Column, values: pa.ChunkedArray
) -> tuple[pa.ChunkedArray, Counter[int]]:
    """Missing codes to null; for a code column also the count of each value that is not in its list."""
    if column.kind == "float":
        if (row := _first_row(pc.is_finite(values), False)) > 1:
            raise InputError(f"{where}: {column.name} holds nan or inf; where a value is missing the field is empty. "
                             f"First: row {row}.")  # fmt: skip
        return values, Counter()
    lost = set() if column.missing is None else {column.missing}
    if not column.codes:  # a quantity: "recorded as unknown" cannot stay as a number
        lost |= column.unknown
    numbers = values.fill_null(0).to_numpy()
    keep = values.is_valid().to_numpy()
    keep &= ~np.isin(numbers, list(lost))
    unlisted: Counter[int] = Counter()
    if column.codes:
        strange = keep & ~np.isin(numbers, list(column.codes))
        unlisted.update(numbers[strange].tolist())
        keep &= ~strange
    return pa.chunked_array([pa.array(numbers, values.type, mask=~keep)]), unlisted


def _counts(counter: Counter[int]) -> str:
    return ", ".join(f"code {code} in {n} row{'s' * (n > 1)}" for code, n in counter.most_common(5))


def _check_present(file: RawFile, columns: dict[str, pa.ChunkedArray]) -> None:
    """Key parts, date and severity are never missing in STATS19; a file in which they are is damaged."""
    for name in [*_KEYS[file.table], "collision_year", "date", "collision_severity", "casualty_severity"]:
        if name in columns and columns[name].null_count:
            row = _first_row(columns[name].is_null())
            raise InputError(f"{file.name}: {name} is missing in {columns[name].null_count} rows (first: row {row}).")


def _derive_key_parts(file: RawFile, columns: dict[str, pa.ChunkedArray]) -> None:
    """A key is year and police reference; the legacy files have no other columns for them."""
    key = columns["collision_index"]
    for pattern, good, why in (
        ("^[ -~]{0,29}[!-~]$", True, "{!r} ends in a blank or is no text."),
        ("[.+]", False, "{} was turned into a number by a spreadsheet; different collisions now share it. Use the file "
         "as published."),
        ("^(19|20)[0-9]{2}", True, "{!r} does not begin with a year."),
    ):  # fmt: skip
        if (row := _first_row(pc.match_substring_regex(key, pattern), not good)) > 1:
            raise InputError(f"{file.name}: row {row}: the key {why.format(str(key[row - 2])[:30])}")
    columns.setdefault("collision_year", pc.utf8_slice_codeunits(key, 0, 4).cast(pa.int32()))
    columns.setdefault("collision_ref_no", pc.utf8_slice_codeunits(key, 4))


def _check_calendar(file: RawFile, columns: dict[str, pa.ChunkedArray]) -> None:
    """A date of another year than its record's, or of another weekday in many rows, was converted wrongly."""
    date, year = columns["date"], columns["collision_year"]
    if (row := _first_row(pc.not_equal(pc.year(date), pc.cast(year, pa.int64())))) > 1:
        at = f"{file.name}: row {row}"
        raise InputError(f"{at}: the date {date[row - 2]} is not in the record's year {year[row - 2]}.")
    wrong = pc.not_equal(pc.day_of_week(date, count_from_zero=False, week_start=7), columns["day_of_week"])
    if (days := pc.sum(wrong).as_py() or 0) > 5 + len(date) // 20:
        raise InputError(f"{file.name}: {days} dates are not on their day_of_week; are day and month swapped?")


def _check_key(name: str, table: pa.Table) -> None:
    """A key that is not unique would multiply rows in every later join."""
    keys = _KEYS[name]
    codes = np.zeros(table.num_rows, np.int64)
    for part in keys:
        encoded = pc.dictionary_encode(table[part]).unify_dictionaries().combine_chunks()
        codes = codes * len(encoded.dictionary) + encoded.indices.to_numpy()
    ordered = np.sort(codes)
    repeats = int((ordered[1:] == ordered[:-1]).sum())
    if not repeats:
        return
    _, first, counts = np.unique(codes, return_index=True, return_counts=True)
    at = int(first[counts > 1].min())
    example = ", ".join(f"{k} {table[k][at]}" for k in keys)
    raise InputError(f"{name} table: the key ({', '.join(keys)}) is not unique: {repeats} rows "
                     f"repeat one, e.g. {example}. The same records may have been given twice.")  # fmt: skip


def _finish(name: str, table: pa.Table, files: list[RawFile], common: dict[str, object]) -> pa.Table:
    """Marks and facts: what a reader of the file alone should know."""
    marks = {}
    for column in schema.columns(name).values():
        if column.name in table.column_names:
            if column.availability == "identifier":
                marks[column.name] = IDENTIFIER
            elif column.availability in ("target_derived", "post_outcome", "reporting_process"):
                marks[column.name] = OUTCOME
            elif column.kind in ("code", "nominal"):
                marks[column.name] = CATEGORY
    facts = {
        **common,
        "table": name,
        "unit": name,
        "schema_version": schema.SCHEMA_VERSION,
        "made_from": {f.name: f.sha256 for f in files},
    }
    return with_facts(mark_columns(table, marks), facts)
