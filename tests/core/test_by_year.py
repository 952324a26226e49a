"""Files of many years cut by year, to the byte."""

import csv
import gzip
import io
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadsafety_components.core import by_year
from roadsafety_components.core.by_year import cut
from roadsafety_components.core.errors import InputError

from .site import HEADERS, text, tree, zipped


def test_a_file_is_cut_by_the_year_of_its_keys(tmp_path: Path) -> None:
    """Each year has the header and its rows in their order, wherever they stood."""
    (tmp_path / "a.csv").write_bytes(text("vehicle", 2020, 1979, 2020, 2100))
    assert cut(tmp_path / "a.csv", tmp_path / "cut") == {"vehicle": {2020: 2, 1979: 1, 2100: 1}}
    header = HEADERS["vehicle"].encode()
    assert tree(tmp_path / "cut") == {
        "1979/vehicle-1979.csv": header + b"197901,1979,1\n",
        "2020/vehicle-2020.csv": header + b"202000,2020,1\n202002,2020,1\n",
        "2100/vehicle-2100.csv": header + b"210003,2100,1\n",
    }


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["", "bom"])
@pytest.mark.parametrize("last", [b"", b"\n", b"\r\n"], ids=["no end", "LF", "CRLF"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda body: zipped(a=body)], ids=["plain", "gzip", "zip"])
@pytest.mark.parametrize("key_column", [0, 1])
def test_a_year_that_is_alone_is_the_file_as_published(tmp_path: Path, bom, last, pack, key_column) -> None:
    """Byte-order mark, line ends and a last line without one included, whatever it was packed in."""
    lines = [b"accident_index,x", b"2015A,\xe9", b'2015B,"1,5"', b"201506E098757,"]
    if key_column:
        lines = [b"status," + lines[0], *[b"Unvalidated," + line for line in lines[1:]]]
    body = bom + (last or b"\n").join(lines) + last
    (tmp_path / "a").write_bytes(pack(body))
    assert cut(tmp_path / "a", tmp_path / "cut") == {"collision": {2015: 3}}
    assert tree(tmp_path / "cut") == {"2015/collision-2015.csv": body}


@pytest.mark.parametrize(
    "header",
    [
        "Accident_Index,a",
        "accident_index,a",
        "COLLISION_INDEX,a",
        "Acc_Index,a",
        '"Accident_Index","a"',
        " Acc_Index ,a",
    ],
)
def test_the_key_has_many_names(tmp_path: Path, header: str) -> None:
    """Those of every generation, in any case, with quotes or blanks."""
    (tmp_path / "a.csv").write_text(f'{header}\n"2015BS1",1\n2016BS1,2\n')
    assert cut(tmp_path / "a.csv", tmp_path / "cut") == {"collision": {2015: 1, 2016: 1}}


@pytest.mark.parametrize("header", ["collision_index,note", "status,collision_index,note"])
def test_a_row_may_go_over_several_lines(tmp_path: Path, header: str) -> None:
    """A quoted line break is no end of a row, even if what follows looks like one."""
    first = "x," if header.startswith("status") else ""
    rows = [f'{first}2015A,"one\n2016 two"\n', f'{first}2016B,"a ""b"" c"\n', f'{first}2015C,"\r\n\n"\n']
    (tmp_path / "a.csv").write_bytes((header + "\n" + "".join(rows)).encode())
    assert cut(tmp_path / "a.csv", tmp_path / "cut") == {"collision": {2015: 2, 2016: 1}}
    assert tree(tmp_path / "cut") == {
        "2015/collision-2015.csv": f"{header}\n{rows[0]}{rows[2]}".encode(),
        "2016/collision-2016.csv": f"{header}\n{rows[1]}".encode(),
    }


fields = st.text(st.sampled_from('ab5",\n '), max_size=9)


@given(
    rows=st.lists(st.tuples(st.sampled_from([1979, 2015, 2016]), fields), min_size=1, max_size=30),
    key_first=st.booleans(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
    block=st.integers(60, 200),
)
@settings(max_examples=200, deadline=None)
def test_any_file_is_cut_as_a_reader_of_csv_reads_it(tmp_path_factory, rows, key_first, quoting, end, block) -> None:
    """Whatever the fields hold and wherever a block of text ends: every row's bytes, in the file of its year."""

    def line(*values: object) -> bytes:
        written = io.StringIO()
        csv.writer(written, quoting=quoting, lineterminator=end).writerow(values if key_first else values[::-1])
        return written.getvalue().encode()

    folder = tmp_path_factory.mktemp("cut")
    header = line("collision_index", "note")
    expected = {f"{year}/collision-{year}.csv": header for year, _ in rows}
    with (folder / "a.csv").open("wb") as file:
        file.write(header)
        for i, (year, note) in enumerate(rows):
            file.write(line(f"{year}{i}", note))
            expected[f"{year}/collision-{year}.csv"] += line(f"{year}{i}", note)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_year, "_BLOCK", block)
        counts = cut(folder / "a.csv", folder / "cut")["collision"]
    assert tree(folder / "cut") == expected
    assert sum(counts.values()) == len(rows)


@pytest.mark.parametrize("first", ["", "x,"])
@pytest.mark.parametrize("bad", ["1978A", "2101A", "20x5A", "201", "", "-2015", "2.015E+12", "Total"])
def test_a_key_without_a_year_is_told_with_its_line(tmp_path: Path, first: str, bad: str) -> None:
    """Line number as an editor counts, and the line itself."""
    header = f"{first and 'status,'}collision_index,b"
    (tmp_path / "a.csv").write_text(f"{header}\n{first}2015A,1\n{first}2016A,1\n{first}{bad},1\n{first}2015B,1\n")
    told = rf"x\.csv: line 4: the key does not begin with a year, 1979 to 2100: '{re.escape(first + bad)},1'"
    with pytest.raises(InputError, match=told):
        cut(tmp_path / "a.csv", tmp_path / "cut", name="x.csv")


def test_lines_are_counted_within_rows_too(tmp_path: Path) -> None:
    """A row over two lines before the one that is told."""
    (tmp_path / "a.csv").write_text('collision_index,b\n2015A,"one\ntwo"\n2015B,1\nTotal,2\n')
    with pytest.raises(InputError, match=r"a\.csv: line 5: .*: 'Total,2'"):
        cut(tmp_path / "a.csv", tmp_path / "cut")


@pytest.mark.parametrize("first", ["", "x,"])
@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("20", "line 3: the key does not begin with a year"),
        ("2015B", "ends in the middle of a row, "),
        ("2015B,1", "ends in the middle of a row, "),
    ],
)
def test_a_file_that_was_cut_short_is_told(tmp_path: Path, first: str, last: str, told: str) -> None:
    """As when a server announces fewer bytes than the file has, and sends no more."""
    header = f"{first and 'status,'}collision_index,b,c"
    (tmp_path / "a.csv").write_text(f"{header}\n{first}2015A,1,2\n{first}{last}")
    with pytest.raises(InputError, match=rf"a\.csv:? {told}.*'{first}{last}'"):
        cut(tmp_path / "a.csv", tmp_path / "cut")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a,b\n1,2\n", r"no collision_index or accident_index or acc_index is in the header, which begins b'a,b\\n'"),
        (b"acc_index,vehicle_reference\n", "has a header and no rows"),
        (b"acc_index,vehicle_reference", "has a header and no rows"),
        ("collision_index,b\n2015,1\n".encode("utf-16"), "no collision_index .* is in the header"),
        (text("casualty", 2015), "holds the casualty table, not the vehicle table; see table_names"),
        (text("collision", 2015), "holds the collision table, not the vehicle table; see table_names"),
        (b'vehicle_reference,acc_index\n1,"2015A\n', "line 2: unexpected end of data"),
        (b"acc_index,vehicle_reference\n2015A," + b"1" * 9_000_000, "line 3: the key does not begin with a year"),
    ],
)
def test_what_is_not_the_table_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    """The message names the file."""
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=rf"a\.csv.* {told}|a\.csv: {told}"):
        cut(tmp_path / "a.csv", tmp_path / "cut", "vehicle")


def test_memory_does_not_grow_with_the_file_that_is_cut(tmp_path: Path) -> None:
    """120 MB of twenty years, plain or gzipped, and the peak (VmHWM) grows by less than 50 MB."""
    with (tmp_path / "a.csv").open("wb") as file, gzip.open(tmp_path / "a.gz", "wb", 1) as packed:
        file.write(b"collision_index,b\n")
        packed.write(b"collision_index,b\n")
        for year in range(2000, 2020):
            file.write(b"%d123456789,%s\n" % (year, b"x" * 185) * 30_000)
            packed.write(b"%d123456789,%s\n" % (year, b"x" * 185) * 30_000)
    script = """
        import re
        from pathlib import Path
        from roadsafety_components.core.by_year import cut

        def peak():
            return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

        before = peak()
        for name in ("a.csv", "a.gz"):
            assert cut(Path(name), Path("cut", name))["collision"] == dict.fromkeys(range(2000, 2020), 30_000)
        print(peak() - before)
        """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 50_000
