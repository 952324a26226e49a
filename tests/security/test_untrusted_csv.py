"""CSV and archives that somebody else made: bounded, refused with the place, never run."""

import ast
import gzip
import io
import pickle
import resource
import subprocess
import sys
import textwrap
import time
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from roadsafety_components.core import by_year, datasets, fetch, read, resume
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.schema import TABLES
from roadsafety_components.core.sources import read_bytes

from ..core.make import csv_text
from ..core.site import File, Portal

HUGE = 300_000_000


def zipped(content: bytes) -> bytes:
    """A zip with one CSV."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", content)
    return file.getvalue()


BOMBS = {"gzip": gzip.compress(bytes(HUGE), 9), "zip": zipped(bytes(HUGE))}


@pytest.mark.parametrize("packing", BOMBS)
def test_an_archive_that_would_fill_the_memory_is_not_unpacked(tmp_path: Path, packing: str) -> None:
    """300 MB of zeros in 300 kB: refused in a process that may use little more than Python itself."""
    (tmp_path / "a").write_bytes(BOMBS[packing])
    script = f"""
        import re
        from pathlib import Path
        from roadsafety_components.core.errors import InputError
        from roadsafety_components.core.sources import read_bytes
        peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
        before = peak()
        try:
            read_bytes(Path({str(tmp_path / "a")!r}))
        except InputError as error:
            print(peak() - before, error)
        """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    grown, _, told = done.stdout.partition(" ")
    assert "unpacks to over 50 times its size" in told
    assert int(grown) < 150_000  # kB


@pytest.mark.parametrize("packing", BOMBS)
def test_an_archive_that_would_fill_the_disk_is_not_kept(tmp_path: Path, packing: str) -> None:
    """A download is looked through, block by block, before a row of it is written."""
    (tmp_path / "a").write_bytes(BOMBS[packing])
    with pytest.raises(InputError, match="unpacks to over 50 times its size"):
        by_year.refuse_bad(tmp_path / "a", "http://host/a", None)


@pytest.mark.parametrize("how", ["fetch", "bring"])
def test_a_file_without_end_is_not_fetched_to_the_end(tmp_path: Path, monkeypatch, how: str) -> None:
    """Beyond what any published file has, the download stops, and nothing of it is left."""
    monkeypatch.setattr(fetch, "_LARGEST", 1_000_000)
    with Portal() as portal:
        portal.files["/a.csv"] = File(b"2024," * 100_000, times=10)
        with pytest.raises(InputError, match=r"gives over 0 GB; that is no STATS19 file"):
            if how == "fetch":
                fetch.fetch(f"{portal.url}/a.csv", tmp_path / "a.csv", allow_private_addresses=True)
            else:
                resume.bring(f"{portal.url}/a.csv", tmp_path / "draft", 2, 5.0, 0.0, allow_private_addresses=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("column", ["date", "collision_index"])
def test_a_field_of_many_megabytes_is_refused(tmp_path: Path, column: str) -> None:
    """With its row."""
    for table in TABLES:
        (tmp_path / f"{table}.csv").write_text(csv_text(table))
    header, row = csv_text("collision").splitlines()
    cells = row.split(",")
    cells[header.split(",").index(column)] = "9" * 20_000_000
    (tmp_path / "collision.csv").write_text(f"{header}\n{','.join(cells)}\n")
    with pytest.raises(InputError, match=r"collision\.csv: row \d+"):
        read.load_tables(str(tmp_path), {})


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda text: text[:200] + b"\0" + text[200:], "header is not text|NUL bytes"),
        (lambda text: text + b"\0" * 50, "NUL bytes"),
        (lambda text: text.decode().encode("utf-16"), "is UTF-16; save it as UTF-8"),
        (lambda text: text.decode().encode("utf-32"), "is UTF-16|not text"),
        (lambda text: text.replace(b"\n", b"\n\xff\xfe", 1), r"row 2|not UTF-8"),
        (lambda text: b"\x1b[2J" + text, "header is not text"),
    ],
    ids=["NUL in the header", "NUL in a row", "UTF-16", "UTF-32", "no UTF-8", "terminal codes"],
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, damage, told: str) -> None:
    """NUL bytes, other encodings, codes that steer a terminal."""
    for table in TABLES:
        (tmp_path / f"{table}.csv").write_bytes(csv_text(table).encode())
    (tmp_path / "collision.csv").write_bytes(damage(csv_text("collision").encode()))
    with pytest.raises(InputError, match=told) as caught:
        read.load_tables(str(tmp_path), {})
    assert str(caught.value).isprintable()


def test_a_header_of_a_million_columns_is_refused_soon(tmp_path: Path) -> None:
    """Names are looked at, not searched for in each other."""
    for table in TABLES:
        (tmp_path / f"{table}.csv").write_text(csv_text(table))
    (tmp_path / "collision.csv").write_text(",".join(f"c{i}" for i in range(1_000_000)) + "\n1\n")
    began = time.process_time()
    with pytest.raises(InputError, match="no collision table was given"):
        read.load_tables(str(tmp_path), {})
    assert time.process_time() - began < 10


@pytest.mark.parametrize("line", ['"' * 1_000_000, ',"' * 500_000, ',""' * 300_000, '"",' * 300_000 + '"a"b'])
def test_no_arrangement_of_quotes_takes_long(line: str) -> None:
    """The one pattern that is held against data takes a time that grows with the line alone."""
    began = time.process_time()
    read._bad_line(line.encode())
    assert time.process_time() - began < 10


def test_memory_is_bounded_by_the_size_of_the_file(tmp_path: Path) -> None:
    """A plain CSV is read as it is: what it takes is told by its size, which a cluster's limits bound."""
    (tmp_path / "a.csv").write_bytes(b"a,b\n" * 1_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(read_bytes(tmp_path / "a.csv")) == 4_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kB


# Parquet, which steps hand each other


class Bomb:
    """What a pickle does when it is opened."""

    def __reduce__(self) -> tuple:
        """Ask for a file to be made."""
        return (Path.touch, (Path("exploded"),))


def test_a_pickle_in_the_schema_of_a_parquet_file_is_not_opened(tmp_path: Path, monkeypatch) -> None:
    """Arrow's extension types were such pickles once (CVE-2023-47248)."""
    monkeypatch.chdir(tmp_path)
    notes = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": pickle.dumps(Bomb())}
    table = pa.table([pa.array([1, 2])], schema=pa.schema([pa.field("a", pa.int64(), metadata=notes)]))
    pq.write_table(table, tmp_path / "data.parquet")
    assert datasets.read_dataset(tmp_path / "data.parquet")["a"].to_pylist() == [1, 2]
    assert [p.name for p in tmp_path.iterdir()] == ["data.parquet"]


# Formulas


def test_no_step_writes_data_as_csv_for_a_spreadsheet(checkout: Path) -> None:
    """Steps hand on Parquet; CSV is what the publisher wrote (cut, byte for byte) and the synthetic sample."""
    writers = {"to_csv", "write_csv", "CSVWriter", "DictWriter", "writer", "to_excel"}
    found = {
        file.name
        for file in (checkout / "src").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in writers
    }
    assert found <= {"sample.py"}


@pytest.mark.parametrize("formula", ["=1+1", "@SUM(A1)", "-cmd|' /C calc'!A0"])
def test_a_formula_in_a_code_column_is_refused(tmp_path: Path, formula: str) -> None:
    """Codes are numbers; what is not one is named with its row."""
    for table in TABLES:
        (tmp_path / f"{table}.csv").write_text(csv_text(table))
    header, row = csv_text("collision").splitlines()
    cells = row.split(",")
    cells[header.split(",").index("weather_conditions")] = formula
    (tmp_path / "collision.csv").write_text(f"{header}\n{','.join(cells)}\n")
    with pytest.raises(InputError, match=r"row 2, column weather_conditions"):
        read.load_tables(str(tmp_path), {})
