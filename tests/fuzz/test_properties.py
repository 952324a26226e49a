"""What holds for every STATS19 file, damaged or not: examples are drawn by hypothesis, the same in every run."""

import csv
import datetime
import gzip
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadsafety_components.core import schema
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.read import load_tables
from roadsafety_components.core.store import facts_of

from ..core.make import published
from .corpus import TABLES

GENERATIONS = st.sampled_from(schema.GENERATIONS)
Tables = dict[str, pa.Table]


def examples(number: int) -> settings:
    """So many examples, the same in every run, however slow the machine."""
    return settings(max_examples=number, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="session")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, bytes]], Tables]:
    """Return a function that reads three files from their content."""
    folder = tmp_path_factory.mktemp("files")

    def load(files: dict[str, bytes]) -> Tables:
        for table, content in files.items():
            (folder / table).write_bytes(content)
        return load_tables("", {table: folder / table for table in TABLES})

    return load


def outcome(load: Callable, files: dict[str, bytes]) -> Tables | str:
    """The tables, or the message; any other exception is a failure."""
    try:
        return load(files)
    except InputError as error:
        assert str(error).isprintable()
        assert len(str(error)) < 600
        return str(error)


# Tables of every kind

NEVER_MISSING = ("collision_severity", "casualty_severity", "vehicle_reference", "casualty_reference")


def fields(column: schema.Column) -> st.SearchStrategy[tuple[str, Any]]:
    """A text in the file and the value that it is."""
    if column.codes:
        values = st.sampled_from(sorted(column.codes - {column.missing})).map(lambda code: (str(code), code))
    elif column.kind == "float":
        values = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: (repr(number), number))
    elif column.kind == "time":
        minutes = st.integers(0, 24 * 60 - 1).map(lambda m: datetime.time(m // 60, m % 60))
        values = minutes.map(lambda minute: (minute.strftime("%H:%M"), minute))
    elif column.kind == "text":
        letters = st.characters(exclude_categories=["Cc", "Cs"])
        texts = st.text(letters, min_size=1).filter(lambda t: t not in ("-1", "NULL") and not t.startswith(" "))
        values = texts.map(lambda text: (text, text))
    else:
        largest = 2 ** (15 if column.kind == "code" else 31) - 1
        numbers = st.integers(0, largest).filter(lambda number: number not in column.unknown)
        values = numbers.map(lambda number: (str(number), number))
    gaps = ["", "NULL"] if column.missing is None else ["", "NULL", str(column.missing)]
    return values if column.name in NEVER_MISSING else values | st.sampled_from(gaps).map(lambda gap: (gap, None))


@st.composite
def a_row(draw: st.DrawFn, table: str, year: int, reference: str) -> dict[str, tuple[str, Any]]:
    """Text and value of every column of one row: any, but for the key and the day, which belong together."""
    day = draw(st.dates(datetime.date(year, 1, 1), datetime.date(year, 12, 31)))
    bound = {
        "collision_index": (f"{year}{reference}",) * 2,
        "collision_year": (str(year), year),
        "collision_ref_no": (reference, reference),
        "date": (day.strftime("%d/%m/%Y"), day),
        "day_of_week": (str(day.isoweekday() % 7 + 1), day.isoweekday() % 7 + 1),
    }
    return {name: bound[name] if name in bound else draw(fields(c)) for name, c in schema.columns(table).items()}


@st.composite
def files(draw: st.DrawFn) -> tuple[dict[str, bytes], dict[str, dict[str, list[Any]]]]:
    """Three files of a generation, of any values and in any usual form; and the columns that they are."""
    generation, year = draw(GENERATIONS), draw(st.integers(1979, 2030))
    contents, expected = {}, {}
    for table in TABLES:
        references = draw(st.lists(st.from_regex("[0-9A-Z]{9}", fullmatch=True), min_size=1, max_size=4, unique=True))
        rows = [draw(a_row(table, year, reference)) for reference in references]
        there = {n: c.names[generation] for n, c in schema.columns(table).items() if generation in c.names}
        order = draw(st.permutations(list(there)))
        header = [there[name] for name in order]
        contents[table] = draw(packed(header, [[row[name][0] for name in order] for row in rows]))
        expected[table] = {
            name: [row[name][1] for row in rows]
            for name in schema.columns(table)
            if name in there or name in ("collision_year", "collision_ref_no")  # the key holds them
        }
    return contents, expected


@st.composite
def packed(draw: st.DrawFn, header: list[str], rows: list[list[str]]) -> bytes:
    """Header and rows as CSV in one of its usual forms."""
    text = io.StringIO(newline="")
    form = {"lineterminator": draw(st.sampled_from(["\n", "\r\n"])), "quoting": draw(st.sampled_from([0, 1]))}
    change = draw(st.sampled_from([str, str.upper, str.lower]))
    csv.writer(text, **form).writerows([[change(name) for name in header], *rows])
    content = draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.getvalue().encode()
    return draw(st.sampled_from([bytes, gzip.compress, zipped]))(content)


def zipped(content: bytes) -> bytes:
    """As the one file of a zip."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", content)
    return whole.getvalue()


@given(files())
@examples(40)
def test_what_is_written_is_read(load, case) -> None:
    """Any values, generation, order of columns, quoting, line ends and packing: the same table, to the letter."""
    contents, expected = case
    assert {name: table.to_pydict() for name, table in load(contents).items()} == expected


# One damage to a good file


def good(generation: str) -> dict[str, list[bytes]]:
    """The three files as lines: six rows each, some with a quoted field."""
    lines = {}
    for table in TABLES:
        usual = published(table, generation)
        rows = [usual.copy() for _ in range(6)]
        for number, row in enumerate(rows):
            key = next(iter(row))
            row[key] = f"{row[key][:4]}{number:09}"
            if number % 2 and "generic_make_model" in row:
                row["generic_make_model"] = f'"ROVER, {number}"'
        lines[table] = [",".join(fields).encode() + b"\n" for fields in (usual, *(row.values() for row in rows))]
    return lines


LINES = {generation: good(generation) for generation in schema.GENERATIONS}
FILES = {generation: {t: b"".join(ls) for t, ls in lines.items()} for generation, lines in LINES.items()}
LETTERS = st.sampled_from([bytes([b]) for b in b'"",,\n\r\0 -1.;\t\'E\xff\xc3']) | st.binary(min_size=1, max_size=1)
ONE_FILE = {"generation": GENERATIONS, "table": st.sampled_from(TABLES)}


@pytest.fixture(scope="session")
def undamaged(load: Callable) -> dict[str, Tables]:
    """What the good files are, by generation."""
    return {generation: load(files) for generation, files in FILES.items()}


@st.composite
def edits(draw: st.DrawFn) -> Callable[[bytes], tuple[int, int, bytes]]:
    """A byte changed, put in or lost, a block lost or doubled: where it begins and ends, and the new content."""
    kind = draw(st.sampled_from(["change", "insert", "delete", "cut", "double"]))
    place, length = draw(st.floats(0, 1)), draw(st.integers(1, 40) | st.integers(1, 2000))
    letter = draw(LETTERS)

    def edit(content: bytes) -> tuple[int, int, bytes]:
        start = int(place * (len(content) - 1))
        end = start + {"insert": 0, "change": 1, "delete": 1}.get(kind, length)
        part = content[start:end]
        new = {"cut": b"", "delete": b"", "double": part * 2}.get(kind, letter)
        return start, start + len(part), content[:start] + new + content[end:]

    return edit


@given(**ONE_FILE, edit=edits())
@examples(300)
def test_one_damage_is_refused_or_stays_where_it_was_done(load, undamaged, generation, table, edit) -> None:
    """No row of the lines that it does not touch is another, and none of them is lost."""
    content = FILES[generation][table]
    start, end, damaged = edit(content)
    result = outcome(load, FILES[generation] | {table: damaged})
    if isinstance(result, str):
        return
    assert all(result[t].equals(undamaged[generation][t]) for t in TABLES if t != table)
    first, last = content.count(b"\n", 0, start), content.count(b"\n", 0, end)  # lines that were touched, from 0
    now, then = result[table], undamaged[generation][table]
    if first > 0:
        assert now.column_names == then.column_names
    kept = [name for name in then.column_names if name in now.column_names]
    now, then = now.select(kept), then.select(kept)
    above, below = max(first - 1, 0), max(then.num_rows - last, 0)
    assert now.slice(0, above).equals(then.slice(0, above))
    assert now.slice(now.num_rows - below).equals(then.slice(then.num_rows - below))


@given(**ONE_FILE, junk=st.lists(LETTERS | st.binary(max_size=20) | st.sampled_from([b"\xef\xbb\xbf", b"\x1f\x8b"])))
@examples(100)
def test_bytes_in_front_or_behind_change_no_row(load, undamaged, generation, table, junk) -> None:
    """Whatever it is: refused, or every row is there as it was."""
    then, content = undamaged[generation][table], FILES[generation][table]
    for damaged in (b"".join(junk) + content, content + b"".join(junk)):
        result = outcome(load, FILES[generation] | {table: damaged})
        if not isinstance(result, str):
            now = result[table]
            assert now.slice(0, then.num_rows).equals(then.select(now.column_names))


@given(**ONE_FILE, edit=edits(), pack=st.sampled_from([gzip.compress, zipped]))
@examples(200)
def test_a_damaged_archive_is_refused_or_the_same(load, undamaged, generation, table, edit, pack) -> None:
    """A checksum stands behind every byte that counts."""
    *_, damaged = edit(pack(FILES[generation][table]))
    result = outcome(load, FILES[generation] | {table: damaged})
    assert isinstance(result, str) or result[table].equals(undamaged[generation][table])


@given(**ONE_FILE, content=st.binary())
@examples(100)
def test_what_is_no_table_is_refused(load, generation, table, content) -> None:
    """Any bytes in place of a file, or behind its header."""
    for damaged in (content, LINES[generation][table][0] + content):
        assert isinstance(outcome(load, FILES[generation] | {table: damaged}), str)


# What makes no difference


@given(**ONE_FILE, data=st.data())
@examples(40)
def test_the_order_of_rows_and_columns_makes_no_difference(load, undamaged, generation, table, data) -> None:
    """Rows come in the order of the file, columns in that of the schema."""
    fields = list(csv.reader(line.decode() for line in LINES[generation][table]))
    columns = data.draw(st.permutations(range(len(fields[0]))))
    rows = data.draw(st.permutations(range(len(fields) - 1)))
    text = io.StringIO(newline="")
    csv.writer(text).writerows([fields[row][c] for c in columns] for row in (0, *(r + 1 for r in rows)))
    now = load(FILES[generation] | {table: text.getvalue().encode()})[table]
    assert now.equals(undamaged[generation][table].take(rows))


@given(**ONE_FILE, edit=edits())
@examples(60)
def test_reading_again_gives_the_same(load, generation, table, edit) -> None:
    """The same tables and facts, or the same words."""
    *_, damaged = edit(FILES[generation][table])
    one, other = (outcome(load, FILES[generation] | {table: damaged}) for _ in range(2))
    if isinstance(one, str):
        assert one == other
    else:
        assert all(one[t].equals(other[t], check_metadata=True) for t in TABLES)
        assert facts_of(one[table]) == facts_of(other[table])
