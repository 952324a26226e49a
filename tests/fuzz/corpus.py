"""Damaged STATS19 files, one line each: what was done to which file, and what must come of it.

Three outcomes. ``read``: the table is that of the undamaged file. ``refused``: an InputError with these words in it.
``validate``: every value is possible, so the file is read as it stands; a rule of validate_stats19 finds it.
``python -m tests.fuzz.corpus`` writes docs/damaged_input.md from these lines.
"""

import bz2
import datetime
import gzip
import io
import lzma
import os
import random
import re
import shutil
import socket
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from roadsafety_components.core.sample import write_sample

from ..core.make import csv_text, published, write_tables

TABLES = ("collision", "vehicle", "casualty")
PAGE = Path(__file__).parents[2] / "docs/damaged_input.md"

Edit = Callable[[bytes], bytes]  # what is done to a file's content
Fields = list[str]


@dataclass(frozen=True)
class Case:
    """One damage.

    Attributes:
        edit: what is done to the table's file, or to the folder.
        told: refused: words of the message; validate: the group of rules that finds it.
        touched: validate: the columns that differ; ``*`` where rows are lost.
        row, values: validate, in one row: its line in the file, and what its columns are read as.
        base: whose undamaged files.
        artifacts: the three files are given one by one, not as a folder.
        as_nobody: read by a user without rights.
    """

    what: str
    outcome: str
    table: str
    edit: Edit | Callable[[Path], None]
    told: str = ""
    touched: tuple[str, ...] = ()
    row: int = 0
    values: Mapping[str, object] = field(default_factory=dict)
    base: str = "2024"
    artifacts: bool = False
    as_nobody: bool = False

    def damage(self, folder: Path) -> None:
        """Do it to the files in the folder."""
        if self.table == "folder":
            self.edit(folder)
        else:
            path = folder / f"{self.table}.csv"
            path.write_bytes(self.edit(path.read_bytes()))


def write_base(folder: Path, name: str) -> None:
    """Undamaged files: 120 invented collisions of 2024, or a few of an older generation with keys of every look."""
    if name == "2024":
        folder.mkdir(parents=True)
        write_sample(120, {table: folder / f"{table}.csv" for table in TABLES}, years=(2024,))
    elif name == "accident":
        references = ("010352073", "01E035207", "123456789")
        keys = [{"accident_index": f"2022{r}", "accident_reference": r} for r in references]
        write_tables(folder, name, **dict.fromkeys(TABLES, keys))
    else:
        keys = [{"Accident_Index": f"2015{r}"} for r in ("01BS70001", "06E098757", "000000001", "123456789")]
        write_tables(folder, name, **dict.fromkeys(TABLES, keys))


# What can be done to a file


def rows(change: Callable[[Fields], Fields], only: Callable[[int], bool] = lambda number: number > 1) -> Edit:
    """Change the fields of the rows whose number (the header's is 1) is one of ``only``."""

    def edit(content: bytes) -> bytes:
        lines = [line.split(",") for line in content.decode().splitlines()]
        return "".join(",".join(change(f) if only(i) else f) + "\n" for i, f in enumerate(lines, 1)).encode()

    return edit


def everywhere(change: Callable[[Fields], Fields]) -> Edit:
    """Change the fields of all rows and of the header."""
    return rows(change, lambda number: True)


def row(number: int, change: Callable[[Fields], Fields]) -> Edit:
    """Change the fields of one row."""
    return rows(change, lambda i: i == number)


def lines(change: Callable[[list[bytes]], list[bytes]]) -> Edit:
    """Change the list of lines."""
    return lambda content: b"\n".join(change(content.splitlines())) + b"\n"


def text(old: str, new: str, count: int = -1) -> Edit:
    """Replace a text."""
    return lambda content: content.replace(old.encode(), new.encode(), count)


def values(
    change: Callable[[dict[str, str]], dict[str, str]], only: Callable[[int], bool] = lambda number: number > 1
) -> Edit:
    """Change the values of rows by the names of their columns."""

    def edit(content: bytes) -> bytes:
        names = content.decode().splitlines()[0].split(",")

        def of_row(fields: Fields) -> Fields:
            known = dict(zip(names, fields, strict=True))
            return list((known | change(known)).values())

        return rows(of_row, only)(content)

    return edit


def put(number: int, **new: str) -> Edit:
    """Set values of one row."""
    return values(lambda row: new, lambda i: i == number)


def swap(one: str, other: str) -> Edit:
    """Exchange two columns' values in all rows."""
    return values(lambda row: {one: row[other], other: row[one]})


def encoded(name: str) -> Edit:
    """Write the text in another encoding."""
    return lambda content: content.decode().encode(name)


def us_order(date: str) -> str:
    """Day and month exchanged."""
    return "/".join([date[3:5], date[:2], date[6:]])


def us_order_if_both(date: str) -> str:
    """Day and month exchanged where the result is a date."""
    return us_order(date) if int(date[:2]) <= 12 else date


def shift(fields: Fields) -> Fields:
    """A field lost before the eleventh, the others moved up, an empty one at the end."""
    return [*fields[:10], *fields[11:], ""]


def shift_down(fields: Fields) -> Fields:
    """An empty field in front, the last one lost."""
    return ["", *fields[:-1]]


def merge(content: bytes) -> bytes:
    """A line end lost."""
    lines = content.split(b"\n")
    return b"\n".join([*lines[:3], lines[3] + lines[4], *lines[5:]])


def zipped(*names: str, method: int = zipfile.ZIP_DEFLATED) -> Edit:
    """Pack the file under each of the names."""

    def edit(content: bytes) -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", method) as archive:
            for name in names:
                archive.writestr(name, content)
        return packed.getvalue()

    return edit


def patched(pack: Edit, *changes: tuple[bytes, int, bytes]) -> Edit:
    """The packed file with bytes written over its own, so far behind a mark."""

    def edit(content: bytes) -> bytes:
        packed = bytearray(pack(content))
        for mark, distance, new in changes:
            at = packed.index(mark) + distance
            packed[at : at + len(new)] = new
        return bytes(packed)

    return edit


def spoilt(pack: Edit, at: float = 0.5) -> Edit:
    """One byte of the packed file changed."""

    def edit(content: bytes) -> bytes:
        packed = bytearray(pack(content))
        packed[int(len(packed) * at)] ^= 0x55
        return bytes(packed)

    return edit


def cut(pack: Edit) -> Edit:
    """The packed file without its last quarter."""
    return lambda content: (whole := pack(content))[: len(whole) * 3 // 4]


def tarred(content: bytes) -> bytes:
    """A tar with the file in it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("vehicle.csv")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def parquet(content: bytes) -> bytes:
    """A Parquet file."""
    packed = io.BytesIO()
    pq.write_table(pa.table({"collision_index": ["2024130000001"]}), packed)
    return packed.getvalue()


def gzip_bomb(content: bytes) -> bytes:
    """3 MB of gzip that unpack to 3 GB of zeros behind the file itself."""
    return gzip.compress(content) + gzip.compress(b"0" * (1 << 20)) * 3000


def zip_bomb(content: bytes) -> bytes:
    """The same as a zip, made by hand: what is stored is said to be packed."""
    deflate = zlib.compressobj(9, wbits=-15)
    million = deflate.compress(b"0" * (1 << 20)) + deflate.flush(zlib.Z_FULL_FLUSH)  # may be repeated
    method, size = zipfile.ZIP_DEFLATED.to_bytes(2, "little"), (3000 << 20).to_bytes(4, "little")
    local, central = b"PK\3\4", b"PK\1\2"
    stored = zipped("vehicle.csv", method=zipfile.ZIP_STORED)
    said = patched(stored, (local, 8, method), (local, 22, size), (central, 10, method), (central, 24, size))
    return said(million * 3000 + deflate.flush())


def instead(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Put something else in the place of the vehicle file."""

    def damage(folder: Path) -> None:
        path = folder / "vehicle.csv"
        path.rename(folder / "moved.txt")
        make(path)

    return damage


def listen(path: Path) -> None:
    """A socket at the path."""
    here = os.open(".", os.O_RDONLY)
    os.chdir(path.parent)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as new:
        new.bind(path.name)
    os.fchdir(here)
    os.close(here)


def exchange(folder: Path) -> None:
    """Vehicle and casualty file under each other's name."""
    (folder / "vehicle.csv").rename(folder / "x")
    (folder / "casualty.csv").rename(folder / "vehicle.csv")
    (folder / "x").rename(folder / "casualty.csv")


def read(what: str, table: str, edit: Edit | Callable[[Path], None], **more) -> Case:
    """Read as if nothing had happened."""
    return Case(what, "read", table, edit, **more)


def refused(what: str, table: str, edit: Edit | Callable[[Path], None], told: str, **more) -> Case:
    """Refused in these words."""
    return Case(what, "refused", table, edit, told, **more)


def validate(what: str, table: str, edit: Edit, group: str, touched: str, **more) -> Case:
    """Read as it stands: only these columns differ ("*": rows are lost); validate_stats19 has a rule in the group."""
    return Case(what, "validate", table, edit, group, tuple(touched.split()), **more)


def validate_in(number: int, what: str, table: str, group: str, **cells: tuple[str, object]) -> Case:
    """Read as it stands: in one row, text and value of columns."""
    edit = put(number, **{column: text for column, (text, _) in cells.items()})
    return Case(what, "validate", table, edit, group, row=number, values={n: v for n, (_, v) in cells.items()})


CASES = {
    "Rows and fields": [
        refused("a field too many in one row", "vehicle", row(4, lambda f: [*f, "1"]), "vehicle.csv: row 4 has 33 fields; the header has 32."),
        refused("a field too few in one row", "vehicle", row(4, lambda f: f[:-1]), "vehicle.csv: row 4 has 31 fields; the header has 32."),
        refused("a field too many in every row", "casualty", rows(lambda f: [*f, "1"]), "casualty.csv: row 2 has 24 fields; the header has 23."),
        refused("200 fields in one row", "vehicle", row(4, lambda f: f * 7), "vehicle.csv: row 4 has 224 fields"),
        refused("a row of a million commas", "vehicle", row(4, lambda f: f + [""] * 1_000_000), "vehicle.csv: row 4 has 1000032 fields"),
        refused("a header of a million commas", "vehicle", row(1, lambda f: f + [""] * 1_000_000), "vehicle.csv (not recognised: collision_index)"),
        refused("a line of 10 MB", "vehicle", row(4, lambda f: [*f[:27], "X" * 10_000_000, *f[28:]]), "vehicle.csv: row 4 holds NUL bytes or is longer than 4 MB"),
        refused("a field of 50 MB", "vehicle", row(4, lambda f: [*f[:27], "X" * 50_000_000, *f[28:]]), "vehicle.csv: row 4 holds NUL bytes or is longer than 4 MB"),
        refused("a number of 3 MB", "vehicle", put(4, age_of_driver="3" * 3_000_000), "vehicle.csv: row 4, column age_of_driver: '3333"),
        read("a comma at the end of every line, the header too", "collision", everywhere(lambda f: [*f, ""])),
        read("empty columns at the end, as spreadsheets add them", "collision", everywhere(lambda f: [*f, "", "", ""])),
        refused("a comma at the end of every row, not of the header", "collision", rows(lambda f: [*f, ""]), "collision.csv: row 2 has 45 fields; the header has 44."),
        refused("columns moved up by one in some rows", "collision", row(4, shift), "collision.csv: row 4, column number_of_casualties: '25/12/2024' is not a whole number"),
        refused("columns moved up by one in all rows", "collision", rows(shift), "collision.csv: row 2, column number_of_casualties: '20/09/2024' is not a whole number"),
        refused("columns moved down by one in some rows", "collision", row(4, shift_down), "collision.csv: row 4, column collision_year: '2024SYN000002' is not a whole number"),
        refused("columns moved down by one in all rows", "vehicle", rows(shift_down), "vehicle.csv: row 2, column collision_year: '2024SYN000000' is not a whole number"),
        refused("two rows in one line", "vehicle", merge, "vehicle.csv: row 4 has 63 fields"),
        refused("cut short within a row", "vehicle", lambda c: c[:-40], "fields; the header has 32."),
        validate("cut short at the end of a row", "vehicle", lines(lambda ls: ls[:100]), "links", "*"),
        refused("a row doubled", "casualty", lines(lambda ls: [*ls, ls[5]]), "casualty table: the key (collision_index, vehicle_reference, casualty_reference) is not unique"),
        refused("rows of commas at the end, as spreadsheets add them", "vehicle", lines(lambda ls: [*ls, b"," * 31, b"," * 31]), "vehicle.csv: collision_index is missing in 2 rows (first: row 210)."),
        refused("two tables in one file", "vehicle", lambda c: c + csv_text("casualty").encode(), "vehicle.csv: row 210 has 23 fields; the header has 32."),
        refused("two years in one file, no line end between", "vehicle", lambda c: c.rstrip() + c, "vehicle.csv: row 209 has 63 fields; the header has 32."),
        refused("a line of totals at the end", "collision", lines(lambda ls: [*ls, b"Total,120"]), "collision.csv: row 122 has 2 fields"),
        refused("a database's last words at the end", "collision", lines(lambda ls: [*ls, b"(120 rows affected)"]), "collision.csv: row 122 has 1 fields"),
        read("blank lines in the middle", "vehicle", lines(lambda ls: [*ls[:4], b"", b"", *ls[4:]])),
        read("blank lines at the end", "vehicle", lambda c: c + b"\n\r\n\n"),
        refused("blank lines at the top", "vehicle", lambda c: b"\n\n" + c, "no vehicle table was given"),
    ],
    "Quotes": [
        read("every field in quotes", "collision", everywhere(lambda f: [f'"{v}"' for v in f])),
        refused("every line in quotes", "vehicle", everywhere(lambda f: ['"' + f[0], *f[1:-1], f[-1] + '"']), "vehicle.csv: row 2 has 1 fields"),
        validate_in(4, "a comma in a quoted field", "vehicle", "", generic_make_model=('"ROVER, 75"', "ROVER, 75")),
        refused("a line break in a quoted field", "vehicle", put(4, generic_make_model='"ROVER\n75"'), "vehicle.csv: row 4: a quote stands within a field, or without its partner."),
        refused("a quote without its partner", "vehicle", put(4, generic_make_model='"ROVER'), "vehicle.csv: row 4: a quote stands within a field, or without its partner."),
        refused("a quote without its partner in the last column", "collision", row(3, lambda f: [*f[:-1], '"' + f[-1]]), "collision.csv: row 3: a quote stands within a field, or without its partner."),
        refused("a quote without its partner in the last column of text", "collision", row(3, lambda f: [*f[:-1], '"' + f[-1]]), "collision.csv: row 3: a quote stands within a field, or without its partner.", base="legacy"),
        refused("two quotes in different rows that make one field of all between", "vehicle", values(lambda r: {"generic_make_model": '"A' if r["vehicle_reference"] == "1" else 'B"'}), "a quote stands within a field, or without its partner."),
        refused("two stray quotes in a row that has a quoted field below it", "vehicle", lambda c: put(4, generic_make_model='ROVER"', driver_imd_decile='"7')(put(9, driver_imd_decile='"7"')(c)), "vehicle.csv: row 4: a quote stands within a field, or without its partner."),
        refused("quotes within a field", "vehicle", put(4, generic_make_model='ROVER "75"'), "vehicle.csv: row 4: a quote stands within a field, or without its partner."),
        validate_in(4, "doubled quotes in a quoted field", "vehicle", "", generic_make_model=('"ROVER ""75"""', 'ROVER "75"')),
        refused("quotes with a backslash", "vehicle", put(4, generic_make_model=r'"ROVER \"75\""'), "vehicle.csv: row 4: a quote stands within a field, or without its partner."),
        refused("blanks in front of quotes", "vehicle", put(4, generic_make_model=' "ROVER"'), "vehicle.csv: row 4: a quote stands within a field, or without its partner."),
        refused("single quotes", "vehicle", everywhere(lambda f: [f"'{v}'" for v in f]), "no vehicle table was given"),
    ],
    "Encoding": [
        read("a byte-order mark", "vehicle", lambda c: b"\xef\xbb\xbf" + c),
        read("two byte-order marks", "vehicle", lambda c: b"\xef\xbb\xbf" * 2 + c),
        refused("UTF-16 LE with a mark", "vehicle", lambda c: b"\xff\xfe" + encoded("utf-16-le")(c), "vehicle.csv is UTF-16"),
        refused("UTF-16 BE with a mark", "vehicle", lambda c: b"\xfe\xff" + encoded("utf-16-be")(c), "vehicle.csv is UTF-16"),
        refused("UTF-16 LE without a mark", "vehicle", encoded("utf-16-le"), "vehicle.csv: its header is not"),
        refused("UTF-16 BE without a mark", "vehicle", encoded("utf-16-be"), "vehicle.csv: its header is not"),
        refused("UTF-32", "vehicle", encoded("utf-32"), "vehicle.csv is UTF-16"),
        refused("UTF-32 BE", "vehicle", lambda c: b"\0\0\xfe\xff" + encoded("utf-32-be")(c), "vehicle.csv: its header is not"),
        refused("UTF-32 without a mark", "vehicle", encoded("utf-32-le"), "vehicle.csv: its header is not"),
        refused("EBCDIC", "vehicle", encoded("cp037"), "vehicle.csv: its header is not"),
        refused("Windows-1252", "vehicle", lambda c: encoded("cp1252")(put(4, generic_make_model="CITRO\xcbN C3")(c)), "vehicle.csv: row 4 is not UTF-8 text (perhaps Windows-1252)"),
        refused("Mac Roman", "vehicle", lambda c: encoded("mac-roman")(put(4, generic_make_model="CITRO\xcbN C3")(c)), "vehicle.csv: row 4 is not UTF-8 text"),
        refused("half a character", "vehicle", lambda c: put(4, generic_make_model="CITRO\xcbN C3")(c).replace(b"\xc3\x8b", b"\xc3"), "vehicle.csv: row 4 is not UTF-8 text"),
        refused("a NUL byte in a key", "vehicle", put(4, collision_index="2024\0SYN0001"), "vehicle.csv: row 4 holds NUL bytes"),
        refused("a NUL byte in a number", "vehicle", put(4, age_of_driver="3\0"), "vehicle.csv: row 4 holds NUL bytes"),
        refused("a NUL byte in a text", "vehicle", put(4, generic_make_model="FORD\0KA"), "vehicle.csv: row 4 holds NUL bytes"),
        refused("a block of NUL bytes", "vehicle", lambda c: c[:8192] + bytes(4096) + c[12288:], "holds NUL bytes"),
        refused("a block of NUL bytes at the end", "vehicle", lambda c: c + bytes(4096), "vehicle.csv: row 210 holds NUL bytes"),
        refused("an end-of-file character", "vehicle", lambda c: c + b"\x1a", "vehicle.csv: row 210 has 1 fields"),
    ],
    "Line ends": [
        read("CRLF", "vehicle", lambda c: c.replace(b"\n", b"\r\n")),
        read("CR CR LF", "vehicle", lambda c: c.replace(b"\n", b"\r\r\n")),
        read("CRLF in some rows", "vehicle", lambda c: c.replace(b"\n", b"\r\n", 50)),
        read("CR in some rows", "vehicle", lambda c: (h := c.index(b"\n") + 1) and c[:h] + c[h:].replace(b"\n", b"\r", 50)),
        refused("CR everywhere", "vehicle", lambda c: c.replace(b"\n", b"\r"), "vehicle.csv: its header is not"),
        read("LF CR", "vehicle", lambda c: c.replace(b"\n", b"\n\r")),
        read("no line end after the last row", "vehicle", lambda c: c.rstrip(b"\n")),
    ],
    "Separators and numbers": [
        refused("semicolons for commas", "vehicle", lambda c: c.replace(b",", b";"), "no vehicle table was given"),
        refused("semicolons and decimal commas", "collision", lambda c: c.replace(b",", b";").replace(b".", b","), "no collision table was given"),
        refused("tabs for commas", "vehicle", lambda c: c.replace(b",", b"\t"), "vehicle.csv: its header is not"),
        refused("bars for commas", "vehicle", lambda c: c.replace(b",", b"|"), "no vehicle table was given"),
        refused("columns of fixed width", "vehicle", lambda c: c.replace(b",", b"    "), "no vehicle table was given"),
        refused("decimal commas", "collision", values(lambda r: {"longitude": r["longitude"].replace(".", ",")}), "collision.csv: row 2 has 45 fields"),
        refused("decimal commas in quotes", "collision", values(lambda r: {"longitude": '"' + r["longitude"].replace(".", ",") + '"'}), "collision.csv: row 2, column longitude: '-1,54706' is not a number."),
        refused("thousands separated", "vehicle", put(4, engine_capacity_cc='"1,598"'), "vehicle.csv: row 4, column engine_capacity_cc: '1,598' is not a whole number"),
        refused("thousands separated, no quotes", "vehicle", put(4, engine_capacity_cc="1,598"), "vehicle.csv: row 4 has 33 fields"),
        read("blanks after the commas", "collision", lambda c: c.replace(b",", b", ")),
        refused("blanks before the commas", "collision", lambda c: c.replace(b",", b" ,"), "collision.csv: row 2: the key '2024SYN000000 '"),
        read("blanks after the commas of legacy files", "collision", lambda c: c.replace(b",", b", "), base="legacy"),
        read("numbers with a leading zero", "vehicle", values(lambda r: {"vehicle_type": r["vehicle_type"].zfill(3)})),
        refused("a trailing .0, as from a table with gaps", "vehicle", put(4, age_of_driver="35.0"), "vehicle.csv: row 4, column age_of_driver: '35.0' is not a whole number"),
        read("a number in hexadecimal", "vehicle", put(4, age_of_driver="0x23")),
        refused("99999999999999999999", "vehicle", put(4, age_of_driver="9" * 20), "vehicle.csv: row 4, column age_of_driver: '99999999999999999999' is not a whole number in range"),
        refused("1e999", "collision", put(4, longitude="1e999"), "collision.csv: longitude holds nan or inf; where a value is missing the field is empty. First: row 4."),
        refused("nan", "collision", put(4, latitude="nan"), "collision.csv: latitude holds nan or inf; where a value is missing the field is empty. First: row 4."),
        refused("NaN for a whole number", "vehicle", put(4, age_of_driver="NaN"), "vehicle.csv: row 4, column age_of_driver: 'NaN' is not a whole number"),
        refused("a spreadsheet's #N/A", "vehicle", put(4, age_of_driver="#N/A"), "vehicle.csv: row 4, column age_of_driver: '#N/A' is not a whole number"),
        refused("a typographic minus", "vehicle", put(4, age_of_driver="\u22121"), "vehicle.csv: row 4, column age_of_driver: '\u22121' is not a whole number"),
        refused("a blank for a number", "vehicle", put(4, age_of_driver=" "), "vehicle.csv: row 4, column age_of_driver: '' is not a whole number"),
    ],
    "Header": [
        read("in capitals", "vehicle", row(1, lambda f: [n.upper() for n in f])),
        read("in small letters", "vehicle", row(1, lambda f: [n.lower() for n in f]), base="legacy"),
        read("blanks around its names", "vehicle", row(1, lambda f: [f" {n} " for n in f])),
        read("its names in quotes", "vehicle", row(1, lambda f: [f'"{n}"' for n in f])),
        refused("its names with blanks for underscores", "vehicle", row(1, lambda f: [n.replace("_", " ") for n in f]), "no vehicle table was given"),
        refused("missing", "vehicle", lines(lambda ls: ls[1:]), "no vehicle table was given; all three are needed. Files seen: casualty.csv (casualty), collision.csv (collision), vehicle.csv (not recognised: 2024SYN000000)"),
        refused("alone", "vehicle", lines(lambda ls: ls[:1]), "vehicle.csv has a header and no rows."),
        refused("twice at the top", "vehicle", lines(lambda ls: [ls[0], *ls]), "vehicle.csv: row 2, column collision_year: 'collision_year' is not a whole number"),
        refused("twice at the top of a legacy file", "vehicle", lines(lambda ls: [ls[0], *ls]), "vehicle.csv: row 2, column Vehicle_Reference", base="legacy"),
        refused("again in the middle", "collision", lines(lambda ls: [*ls[:50], ls[0], *ls[50:]]), "collision.csv: row 51, column collision_year"),
        refused("under a title", "vehicle", lambda c: b"Road safety data 2024\n" + c, "vehicle.csv (not recognised: Road safety data 2024)"),
        refused("under sep=,", "vehicle", lambda c: b"sep=,\n" + c, "vehicle.csv (not recognised: sep=)"),
        refused("cut to eight letters", "vehicle", row(1, lambda f: [n[:8] for n in f]), "no vehicle table was given"),
        refused("a column renamed", "collision", text("speed_limit", "limit_mph"), "collision.csv: the collision table has no column speed_limit"),
        validate("a column renamed that some files do not have", "vehicle", text("Age_of_Driver", "Driver_Age"), "", "age_of_driver", base="legacy"),
        refused("a column left out", "collision", everywhere(lambda f: [*f[:11], *f[12:]]), "collision.csv: the collision table has no column date"),
        refused("a column twice", "collision", everywhere(lambda f: [*f, f[11]]), "collision.csv: the column date stands in the header twice"),
        read("an unknown column more", "collision", everywhere(lambda f: ["status", *f])),
        read("an unknown column twice", "collision", everywhere(lambda f: ["note", "note", *f])),
        read("columns in another order", "collision", everywhere(lambda f: f[::-1])),
        refused("that of the casualty table", "vehicle", lambda c: b"collision_index,vehicle_reference,casualty_reference\n" + c.partition(b"\n")[2], "vehicle.csv (casualty)"),
        refused("that of an older release", "vehicle", lambda c: (",".join(published("vehicle", "accident")) + "\n").encode() + c.partition(b"\n")[2], "vehicle.csv: row 2 has 32 fields; the header has 28."),
        refused("with a letter changed in the key", "vehicle", text("collision_index", "collision_indes", 1), "vehicle.csv: the vehicle table has no column collision_index. Nearest name: collision_indes."),
    ],
    "Keys": [
        read("that look like numbers (201506E098757)", "vehicle", lambda c: c, base="legacy"),
        refused("2.02412E+12", "vehicle", put(4, collision_index="2.02412E+12"), "vehicle.csv: row 4: the key 2.02412E+12 was turned into a number"),
        refused("2.00512e12 in a legacy file", "vehicle", put(4, Accident_Index="2.00512e12"), "vehicle.csv: row 4: the key 2.00512e12 was turned into a number", base="legacy"),
        refused("2e12", "vehicle", put(4, collision_index="2e12"), "vehicle.csv: row 4: the key '2e12'"),
        refused("2024123456789.0", "vehicle", put(4, collision_index="2024123456789.0"), "vehicle.csv: row 4: the key 2024123456789.0 was turned into a number"),
        refused("2,024,123,456,789", "vehicle", put(4, collision_index='"2,024,123,456,789"'), "vehicle.csv: row 4: the key '2,024,123,456,789'"),
        refused("with an apostrophe in front", "vehicle", values(lambda r: {"collision_index": "'" + r["collision_index"]}), "vehicle.csv: row 2: the key \"'2024SYN000000\""),
        refused("with an equals sign in front", "vehicle", values(lambda r: {"collision_index": f'="{r["collision_index"]}"'}), "vehicle.csv: row 2: a quote stands within a field, or without its partner."),
        read("with a blank in front", "vehicle", values(lambda r: {"collision_index": " " + r["collision_index"]})),
        refused("with a blank behind", "vehicle", put(4, collision_index="2024SYN000001 "), "vehicle.csv: row 4: the key '2024SYN000001 '"),
        refused("with a no-break space behind", "vehicle", put(4, collision_index="2024SYN000001\xa0"), "vehicle.csv: row 4: the key '2024SYN000001\\xa0'"),
        refused("without their year", "vehicle", values(lambda r: {"collision_index": r["collision_ref_no"]}), "vehicle.csv: row 2: the key 'SYN000000'"),
        refused("without their year in a legacy file", "vehicle", put(4, Accident_Index="01BS70001"), "vehicle.csv: row 4: the key '01BS70001' does not begin with a year.", base="legacy"),
        refused("of another year than the record", "collision", put(4, collision_year="2023"), "collision.csv: row 4: the date 2024-12-25 is not in the record's year 2023."),
        refused("missing", "vehicle", put(4, collision_index=""), "vehicle.csv: collision_index is missing in 1 rows (first: row 4)."),
        refused("-1", "vehicle", put(4, collision_index="-1"), "vehicle.csv: collision_index is missing in 1 rows (first: row 4)."),
        refused("#REF!", "vehicle", put(4, collision_index="#REF!"), "vehicle.csv: row 4: the key '#REF!'"),
        validate("leading zeros of the reference lost", "vehicle", values(lambda r: {"accident_reference": r["accident_reference"].lstrip("0")}), "codes", "collision_ref_no", base="accident"),
        refused("a year that is missing", "vehicle", put(4, collision_year=""), "vehicle.csv: collision_year is missing in 1 rows (first: row 4)."),
        refused("a year with two digits", "vehicle", values(lambda r: {"collision_year": "24"}), "the tables are of different years (collision 2024; vehicle 24; casualty 2024)."),
        refused("a vehicle number that is missing", "vehicle", put(4, vehicle_reference=""), "vehicle.csv: vehicle_reference is missing in 1 rows (first: row 4)."),
        refused("a vehicle number with .0", "casualty", put(4, vehicle_reference="1.0"), "casualty.csv: row 4, column vehicle_reference: '1.0' is not a whole number"),
        refused("a vehicle number of another vehicle", "vehicle", put(5, vehicle_reference="1"), "vehicle table: the key (collision_index, vehicle_reference) is not unique: 1 rows repeat one, e.g. collision_index 2024SYN000001, vehicle_reference 1."),
        validate_in(4, "a vehicle number that no vehicle has", "casualty", "links", vehicle_reference=("9", 9)),
        validate_in(4, "a vehicle number below zero", "vehicle", "ranges", vehicle_reference=("-7", -7)),
        validate_in(4, "of another collision of the year", "vehicle", "links", collision_index=("2024SYN999999", "2024SYN999999")),
    ],
    "Dates and times": [
        refused("day and month swapped in all rows", "collision", values(lambda r: {"date": us_order(r["date"])}), "is not a date as dd/mm/yyyy"),
        refused("day and month swapped where both may be", "collision", values(lambda r: {"date": us_order_if_both(r["date"])}), "dates are not on their day_of_week; are day and month swapped?"),
        validate_in(6, "day and month swapped in one row", "collision", "calendar", date=("09/01/2024", datetime.date(2024, 1, 9))),
        refused("ISO dates", "collision", values(lambda r: {"date": "-".join(r["date"].split("/")[::-1])}), "collision.csv: row 2, column date: '2024-09-20' is not a date as dd/mm/yyyy."),
        refused("years of two digits", "collision", values(lambda r: {"date": r["date"][:6] + r["date"][8:]}), "collision.csv: row 2, column date: '20/09/24' is not a date"),
        refused("a date as a spreadsheet's number", "collision", put(4, date="45651"), "collision.csv: row 4, column date: '45651' is not a date"),
        refused("a date with a time", "collision", put(4, date="25/12/2024 00:00"), "collision.csv: row 4, column date: '25/12/2024 00:00' is not a date"),
        read("days and months without their zeros", "collision", values(lambda r: {"date": "/".join(p.lstrip("0") for p in r["date"].split("/"))})),
        refused("31/02", "collision", put(4, date="31/02/2024"), "collision.csv: row 4, column date: '31/02/2024' is not a date"),
        refused("29/02 of a year without", "collision", put(2, Date="29/02/2015"), "collision.csv: row 2, column date: '29/02/2015' is not a date", base="legacy"),
        refused("00/00/0000", "collision", put(4, date="00/00/0000"), "collision.csv: row 4, column date: '00/00/0000' is not a date"),
        refused("of another year", "collision", put(4, date="25/12/2023"), "collision.csv: row 4: the date 2023-12-25 is not in the record's year 2024."),
        refused("a date that is missing", "collision", put(4, date=""), "collision.csv: date is missing in 1 rows (first: row 4)."),
        validate_in(4, "another day of the week", "collision", "calendar", day_of_week=("5", 5)),
        *(
            refused(time, "collision", put(4, time=time), f"collision.csv: row 4, column time: {time!r} is not a time of day as HH:MM.")
            for time in ("25:61", "24:00", "9:5", "9:15", "0915", "09.15", "-1", "09:15 pm", "0.6243")
        ),
        read("times with seconds", "collision", values(lambda r: {"time": r["time"] and r["time"] + ":00"})),
        validate_in(4, "a time that is missing", "collision", "calendar", time=("", None)),
    ],
    "Values that cannot be": [
        refused("a code out of its list", "vehicle", put(4, vehicle_type="77"), "vehicle.csv: codes that the code list does not have. vehicle_type: code 77 in 1 row."),
        refused("a code that is a word", "vehicle", put(4, vehicle_type="Car"), "vehicle.csv: row 4, column vehicle_type: 'Car' is not a whole number"),
        refused("a severity of 0", "collision", put(4, collision_severity="0"), "collision_severity: code 0 in 1 row"),
        refused("a severity of 4", "casualty", put(4, casualty_severity="4"), "casualty_severity: code 4 in 1 row"),
        refused("a severity that is missing", "collision", put(4, collision_severity=""), "collision.csv: collision_severity is missing in 1 rows (first: row 4)."),
        refused("an age of 34.5", "vehicle", put(4, age_of_driver="34.5"), "vehicle.csv: row 4, column age_of_driver: '34.5' is not a whole number"),
        validate_in(4, "an age below zero", "casualty", "ranges", age_of_casualty=("-5", -5)),
        validate_in(4, "an age of 999", "casualty", "ranges", age_of_casualty=("999", 999)),
        validate_in(4, "a speed limit in km/h", "collision", "ranges", speed_limit=("48", 48)),
        validate_in(4, "coordinates of 0", "collision", "geography", location_easting_osgr=("0", 0.0), location_northing_osgr=("0", 0.0)),
        validate_in(4, "coordinates of -1", "collision", "geography", location_easting_osgr=("-1", -1.0), location_northing_osgr=("-1", -1.0)),
        validate("easting and northing swapped", "collision", swap("location_easting_osgr", "location_northing_osgr"), "geography", "location_easting_osgr location_northing_osgr"),
        validate("longitude and latitude swapped", "collision", swap("longitude", "latitude"), "geography", "longitude latitude"),
        validate("coordinates in kilometres", "collision", values(lambda r: {n: r[n] and f"{float(r[n]) / 1000}" for n in ("location_easting_osgr", "location_northing_osgr")}), "geography", "location_easting_osgr location_northing_osgr"),
        validate_in(4, "coordinates rounded by a spreadsheet", "collision", "geography", location_easting_osgr=("5.1E+05", 510_000.0)),
        validate_in(4, "another severity than the casualties'", "collision", "severity", collision_severity=("1", 1)),
        validate("two columns of numbers exchanged", "collision", swap("number_of_vehicles", "number_of_casualties"), "counts", "number_of_vehicles number_of_casualties"),
        validate("two columns of codes exchanged", "vehicle", swap("vehicle_direction_from", "vehicle_direction_to"), "", "vehicle_direction_from vehicle_direction_to"),
        validate("a collision's casualties lost", "casualty", lines(lambda ls: [*ls[:3], *ls[4:]]), "links", "*"),
        validate_in(4, "another number of vehicles than there are", "collision", "counts", number_of_vehicles=("7", 7)),
    ],
    "Archives": [
        read("gzip", "vehicle", gzip.compress),
        read("gzip in two pieces", "vehicle", lambda c: gzip.compress(c[:5000]) + gzip.compress(c[5000:])),
        refused("gzip cut short", "vehicle", cut(gzip.compress), "vehicle.csv: the archive is damaged or cut short"),
        refused("gzip with a byte changed", "vehicle", spoilt(gzip.compress), "vehicle.csv: the archive is damaged or cut short"),
        refused("gzip with something behind it", "vehicle", lambda c: gzip.compress(c) + b"garbage", "vehicle.csv: the archive is damaged or cut short"),
        refused("gzip of a gzip", "vehicle", lambda c: gzip.compress(gzip.compress(c)), "vehicle.csv: its header is not"),
        refused("gzip of nothing", "vehicle", lambda c: gzip.compress(b""), "vehicle.csv is empty"),
        refused("gzip of 3 MB that unpacks to 3 GB", "vehicle", gzip_bomb, "vehicle.csv: the archive unpacks to over 50 times its size; give the CSV itself."),
        read("zip", "vehicle", zipped("a.csv")),
        *(read(f"zip packed with {name}", "vehicle", zipped("a.csv", method=m)) for name, m in (("bzip2", zipfile.ZIP_BZIP2), ("LZMA", zipfile.ZIP_LZMA))),
        *(
            refused(f"zip packed with {name}, a byte changed", "vehicle", spoilt(zipped("a.csv", method=m)), "vehicle.csv: the archive is damaged or cut short")
            for name, m in (("deflate", zipfile.ZIP_DEFLATED), ("bzip2", zipfile.ZIP_BZIP2), ("LZMA", zipfile.ZIP_LZMA))
        ),
        refused("zip cut short", "vehicle", cut(zipped("a.csv")), "vehicle.csv: the archive is damaged or cut short"),
        refused("zip whose name for the file is too long", "vehicle", patched(zipped("a.csv"), (b"PK\3\4", 27, b"\2")), "vehicle.csv: the archive is damaged or cut short (File name in directory"),
        refused("zip of files with long names", "vehicle", zipped(*(f"{i}{'x' * 9999}" for i in range(5))), "vehicle.csv: a zip with one CSV was expected; it holds ['0xxx"),
        refused("zip with a password", "vehicle", patched(zipped("a.csv"), (b"PK\3\4", 6, b"\1"), (b"PK\1\2", 8, b"\1")), "vehicle.csv: the archive is damaged or cut short (File 'a.csv' is encrypted"),
        refused("zip of two tables", "vehicle", zipped("a.csv", "b.csv"), "vehicle.csv: a zip with one CSV was expected; it holds ['a.csv', 'b.csv']."),
        refused("zip of nothing", "vehicle", zipped(), "vehicle.csv: a zip with one CSV was expected; it holds []."),
        refused("zip of a zip", "vehicle", lambda c: zipped("a.zip")(zipped("a.csv")(c)), "vehicle.csv: a zip with one CSV was expected; it holds ['a.zip']."),
        read("zip whose file is named ../../outside.csv", "vehicle", zipped("../../outside.csv")),
        read("zip whose file is named /tmp/outside.csv", "vehicle", zipped("/tmp/outside.csv")),
        refused("zip of 3 MB that unpacks to 3 GB", "vehicle", zip_bomb, "vehicle.csv: the archive unpacks to over 50 times its size; give the CSV itself."),
        refused("tar", "vehicle", tarred, "vehicle.csv: its header is not"),
        refused("gzip of a tar", "vehicle", lambda c: gzip.compress(tarred(c)), "vehicle.csv: its header is not"),
        refused("bzip2", "vehicle", bz2.compress, "vehicle.csv: its header is not"),
        refused("xz", "vehicle", lzma.compress, "vehicle.csv: its header is not"),
    ],
    "Something else": [
        refused("nothing", "vehicle", lambda c: b"", "vehicle.csv is empty"),
        refused("white space", "vehicle", lambda c: b" \r\n\t\n", "vehicle.csv is empty"),
        refused("a byte-order mark alone", "vehicle", lambda c: b"\xef\xbb\xbf", "vehicle.csv is empty"),
        refused("NUL bytes", "vehicle", lambda c: bytes(len(c)), "vehicle.csv: its header is not"),
        refused("a spreadsheet (xlsx)", "vehicle", zipped("[Content_Types].xml", "xl/workbook.xml"), "vehicle.csv: a zip with one CSV was expected; it holds ['[Content_Types].xml', 'xl/workbook.xml']."),
        refused("a Parquet file", "vehicle", parquet, "vehicle.csv: its header is not"),
        refused("a PDF", "vehicle", lambda c: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "vehicle.csv (not recognised: %PDF-1.7)"),
        refused("a PNG", "vehicle", lambda c: b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "vehicle.csv: its header is not"),
        refused("a web page", "vehicle", lambda c: b"<!DOCTYPE html><html><body>Moved</body></html>", "vehicle.csv is a web page, not a CSV"),
        refused("a storage's answer in XML", "vehicle", lambda c: b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "vehicle.csv is a web page, not a CSV"),
        refused("JSON", "vehicle", lambda c: b'{"collision_index": "2024SYN000001", "collision_year": 2024}', "no vehicle table was given"),
        refused("a pointer of Git LFS", "vehicle", lambda c: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "vehicle.csv (not recognised: version https://git-lfs"),
        refused("random bytes", "vehicle", lambda c: random.Random(0).randbytes(len(c)), "vehicle.csv: its header is not"),
    ],
    "Places": [
        refused("a file that is not there", "folder", instead(lambda path: None), "no vehicle table was given; all three are needed. Files seen: casualty.csv (casualty), collision.csv (collision)."),
        refused("a folder by the file's name", "folder", instead(Path.mkdir), "there is no file at"),
        refused("a link that leads nowhere", "folder", instead(lambda path: path.symlink_to("nowhere")), "there is no file at"),
        refused("a link to itself", "folder", instead(lambda path: path.symlink_to(path)), "there is no file at"),
        read("a link to the file", "folder", instead(lambda path: path.symlink_to(path.parent / "moved.txt"))),
        refused("a pipe that nobody writes to", "folder", instead(os.mkfifo), "there is no file at"),
        refused("a pipe for an artifact", "folder", instead(os.mkfifo), "vehicle: there is no file at", artifacts=True),
        refused("a socket", "folder", instead(listen), "there is no file at"),
        refused("a device", "folder", instead(lambda path: path.symlink_to("/dev/zero")), "there is no file at"),
        refused("a file that may not be read", "folder", lambda folder: (folder / "vehicle.csv").chmod(0), "vehicle.csv may not be read by this user", as_nobody=True),
        refused("a folder that may be listed and not entered", "folder", lambda folder: folder.chmod(0o444), "there is no file at", as_nobody=True),
        refused("a folder for an artifact", "folder", instead(Path.mkdir), "vehicle: there is no file at", artifacts=True),
    ],
    "Files together": [
        refused("the same file under two names", "folder", lambda folder: shutil.copy(folder / "vehicle.csv", folder / "vehicle (1).csv"), "vehicle table: the key (collision_index, vehicle_reference) is not unique: 208 rows repeat one"),
        refused("a whole and its part", "folder", lambda folder: (folder / "z.csv").write_bytes(b"".join((folder / "vehicle.csv").read_bytes().splitlines(True)[:20])), "vehicle table: the key (collision_index, vehicle_reference) is not unique: 19 rows repeat one"),
        refused("vehicles of another year", "vehicle", text("2024", "2023"), "the tables are of different years (collision 2024; vehicle 2023; casualty 2024)."),
        refused("vehicles of another generation and year", "vehicle", lambda c: csv_text("vehicle", "legacy").encode(), "the tables are of different years (collision 2024; vehicle 2015; casualty 2024)."),
        read("two tables under each other's name", "folder", exchange),
        refused("two tables exchanged as artifacts", "folder", exchange, "vehicle file vehicle.csv holds the casualty table; the vehicle table was expected there.", artifacts=True),
        refused("one table twice as artifacts", "folder", lambda folder: shutil.copy(folder / "collision.csv", folder / "vehicle.csv"), "vehicle file vehicle.csv holds the collision table; the vehicle table was expected there.", artifacts=True),
        refused("something else for an artifact", "vehicle", lambda c: b"a,b\n1,2\n", "vehicle file vehicle.csv: its header is not that of a STATS19 vehicle table: a, b, ...", artifacts=True),
        read("another CSV beside them", "folder", lambda folder: (folder / "codes.csv").write_text("table,variable,code\n")),
    ],
}  # fmt: skip


def cases() -> list[Case]:
    """All of them."""
    return [case for group in CASES.values() for case in group]


def page() -> str:
    """docs/damaged_input.md."""
    counts = {outcome: sum(c.outcome == outcome for c in cases()) for outcome in ("read", "refused", "validate")}
    text = f"""# Damaged input, and what becomes of it

What `load_stats19` does with {len(cases())} damaged inputs, each tried by the tests (`tests/fuzz/corpus.py`, from which this
page is made). Nothing else may happen: no guess, no traceback, no half output.

- **read** ({counts["read"]}): the tables are those of the undamaged files.
- **refused** ({counts["refused"]}): exit code 2, these words in one line, no output.
- **validate** ({counts["validate"]}): every value is possible, so it is read as it stands; `validate_stats19` finds it by
  the group of rules that is named. Where none is, no rule can tell, or nothing is wrong.
"""
    for group, found in CASES.items():
        text += f"\n## {group}\n\n| damage | outcome |\n| --- | --- |\n"
        for case in found:
            where = "" if case.table == "folder" else f" ({case.table})"
            text += f"| {_cell(case.what)}{where} | {_outcome(case)} |\n"
    return text


def _outcome(case: Case) -> str:
    if case.outcome == "refused":
        return f"refused: {_cell(case.told)}"
    return "read" if case.outcome == "read" else f"validate: {case.told}" if case.told else "read as it stands"


def _cell(text: str) -> str:
    return re.sub(r"([|<>*_`\\\[\]#])", r"\\\1", text)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
