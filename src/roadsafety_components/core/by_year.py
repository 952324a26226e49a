"""Published CSVs of many years, cut in one file a table and year, byte for byte."""

import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from typing import IO, cast

import numpy as np

from roadsafety_components.core.errors import InputError

YEARS = range(1979, 2101)
# A column that tells the table; a casualty has the reference of its vehicle too, so it comes first.
_TOLD_BY = {"casualty_reference": "casualty", "vehicle_reference": "vehicle"}
_KEYS = ("collision_index", "accident_index", "acc_index")
_BOM = b"\xef\xbb\xbf"
_BLOCK = 1 << 22  # bytes of text at a time


def cut(path: Path, folder: Path, table: str = "", name: str = "") -> dict[str, dict[int, int]]:
    """Cut the CSVs in a file by the year that their keys begin with: ``<folder>/<year>/<table>-<year>.csv``.

    Each new file has the header line (and byte-order mark) and its rows, byte for byte and in their order. Memory does
    not grow with the file.

    Args:
        path: a CSV; plain, gzip or zip.
        folder: where the years go; it has none of these files yet.
        table: the one that it must be; "" to take what the header says.
        name: what to call the file in a message.

    Returns:
        Rows by table and year.

    Raises:
        InputError: no key column, a key that does not begin with a year, another table, no rows, half a row at the
            end, two CSVs of one table and year.
    """
    rows: dict[str, dict[int, int]] = {}
    for place, text in unpacked(path, name or path.name):
        header, told, key = _header(text, place, table)
        counts: dict[int, int] = {}
        with ExitStack() as opened:
            files: dict[int, IO[bytes]] = {}
            for year, number, lines in _runs(text, key, place):
                if year not in files:
                    goal = folder / str(year) / f"{told}-{year}.csv"
                    if goal.exists():
                        raise InputError(f"{place}: there is another CSV of the {told} table of {year}.")
                    goal.parent.mkdir(parents=True, exist_ok=True)
                    files[year] = opened.enter_context(goal.open("wb"))
                    files[year].write(header)
                files[year].write(lines)
                counts[year] = counts.get(year, 0) + number
        if not counts:
            raise InputError(f"{place} has a header and no rows.")
        last = bytes(lines).rpartition(b"\n")[2]  # nothing, or a line without an end
        if last and last.count(b",") < header.count(b","):
            raise InputError(f"{place} ends in the middle of a row, {last[:60].decode('latin-1')!r}: it was cut short.")
        rows[told] = rows.get(told, {}) | counts
    return rows


def refuse_bad(path: Path, url: str, table: str | None) -> None:
    """Raise InputError for what must not be kept: nothing, a web page, a damaged archive, another table.

    Args:
        table: the table that the file must have; "" for any, None for a file that is no table.
    """
    with path.open("rb") as file:
        start = file.read(512)
    if not start.removeprefix(_BOM).strip():
        raise InputError(f"{url} gives an empty file.")
    if start.removeprefix(_BOM).lstrip()[:1] == b"<":
        raise InputError(f"{url} gives a web page, not data: the address may have moved, or needs a login.")
    try:
        for place, text in unpacked(path, url):
            if table is not None:
                _header(text, place, table)
            size = 0
            while _packing(start) and (block := text.read(_BLOCK)):  # to the end, where the checksum is
                size += len(block)
                if size > 50 * path.stat().st_size:
                    raise InputError(f"{url} gives an archive that unpacks to over 50 times its size.")
    except (EOFError, RuntimeError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile) as error:
        raise InputError(f"{url} gives an archive that is damaged or cut short ({error}).") from error


def unpacked(path: Path, name: str) -> Iterator[tuple[str, IO[bytes]]]:
    """Name (for a message) and text of each CSV in a file: itself, or in a gzip or zip, told by the first bytes."""
    with path.open("rb") as file:
        packing = _packing(file.peek(4))
        if packing == "gzip":
            yield name, cast(IO[bytes], gzip.GzipFile(fileobj=file))
        elif packing == "zip":
            with zipfile.ZipFile(file) as archive:
                inside = [n for n in archive.namelist() if n.lower().endswith(".csv") and "__MACOSX" not in n]
                if not inside:
                    raise InputError(f"{name}: there is no CSV in the zip; it holds {archive.namelist()[:5]}.")
                for inner in inside:
                    yield f"{inner} in {name}", archive.open(inner)
        else:
            yield name, file


def _packing(start: bytes) -> str:
    known = {b"\x1f\x8b": "gzip", b"PK\3\4": "zip", b"PK\5\6": "zip"}
    return next((kind for mark, kind in known.items() if start.startswith(mark)), "")


def _header(text: IO[bytes], place: str, table: str) -> tuple[bytes, str, int]:
    """The first line, the table that it is of, and which column is the key."""
    header = text.readline(_BLOCK)
    columns = [c.strip().strip('"').lower() for c in header.removeprefix(_BOM).decode("latin-1").split(",")]
    key = next((i for i, column in enumerate(columns) if column in _KEYS), -1)
    if key < 0:
        raise InputError(f"{place}: no {' or '.join(_KEYS)} is in the header, which begins {header[:60]!r}.")
    told = next((t for column, t in _TOLD_BY.items() if column in columns), "collision")
    if table not in ("", told):
        raise InputError(f"{place} holds the {told} table, not the {table} table; see table_names.")
    return header, told, key


def _runs(text: IO[bytes], key: int, place: str) -> Iterator[tuple[int, int, bytes | memoryview]]:
    """Year, number of rows and text of rows of one year that follow each other, in blocks of whole lines."""
    line = 2
    while block := text.read(_BLOCK):
        block += text.readline(_BLOCK)
        codes = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(codes == ord("\n")) + 1
        if not block.endswith(b"\n"):
            ends = np.append(ends, len(block))
        starts = np.append(0, ends[:-1])
        quotes = np.add.reduceat(codes == ord('"'), starts, dtype=np.int64) if b'"' in block else np.zeros(1, np.int64)
        if key or (quotes % 2).any():  # what a row is, only a reader of CSV can tell
            yield from _runs_by_row(
                chain(io.BytesIO(block), iter(partial(text.readline, _BLOCK), b"")), key, place, line
            )
            return
        at = starts + (codes[starts] == ord('"'))
        digits = codes[np.minimum(at[:, None] + np.arange(4), len(codes) - 1)] - np.uint8(ord("0"))
        years = digits @ np.array([1000, 100, 10, 1])
        good = (digits < 10).all(axis=1) & (at + 4 <= ends) & (years >= YEARS[0]) & (years <= YEARS[-1])
        if not good.all():
            bad = int(good.argmin())
            raise _no_year(place, line + bad, block[starts[bad] : ends[bad]])
        bounds = [0, *(np.flatnonzero(np.diff(years)) + 1).tolist(), len(years)]
        for first, last in pairwise(bounds):
            yield int(years[first]), last - first, memoryview(block)[starts[first] : ends[last - 1]]
        line += len(years)


def _runs_by_row(lines: Iterator[bytes], key: int, place: str, line: int) -> Iterator[tuple[int, int, bytes]]:
    """As ``_runs``, a row at a time: for a key that is not the first column, and for quoted line breaks."""
    taken: list[bytes] = []

    def texts() -> Iterator[str]:
        for text in lines:
            taken.append(text)
            yield text.decode("latin-1")

    try:
        for row in csv.reader(texts(), strict=True):
            year = row[key][:4] if key < len(row) else ""
            if not re.fullmatch("[0-9]{4}", year) or int(year) not in YEARS:
                raise _no_year(place, line, taken[0])
            yield int(year), 1, b"".join(taken)
            line += len(taken)
            taken.clear()
    except csv.Error as error:
        raise InputError(f"{place}: line {line}: {error}.") from error


def _no_year(place: str, line: int, text: bytes) -> InputError:
    shown = text[:60].decode("utf-8", "replace").rstrip()
    return InputError(
        f"{place}: line {line}: the key does not begin with a year, {YEARS[0]} to {YEARS[-1]}: {shown!r}."
    )
