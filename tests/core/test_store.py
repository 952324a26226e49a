"""Parquet between steps: what survives, what is refused, and nothing half written."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from roadsafety_components.core.datasets import read_dataset
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.files import digest, replacing
from roadsafety_components.core.store import (
    CATEGORY,
    IDENTIFIER,
    facts_of,
    is_text,
    mark_columns,
    marked,
    with_facts,
    write_dataset,
    write_datasets,
    write_text,
)

TABLE = pa.table(
    {
        "key": ["a", "b", None],
        "code": pa.array([1, None, 3], pa.int16()),
        "share": [0.5, None, -1.0],
        "day": pa.array([date(2024, 2, 29), None, date(2015, 1, 1)], pa.date32()),
        "hour": pa.array([time(23, 59), None, time(0, 1)], pa.time32("s")),
    }
)


def names(folder: Path) -> list[str]:
    """What is in a folder, hidden files too."""
    return sorted(p.name for p in folder.iterdir())


# Whole or not at all


def test_a_file_has_its_name_only_when_the_block_has_ended_well(tmp_path: Path) -> None:
    """Until then it is a hidden draft beside it; folders are made on the way."""
    target = tmp_path / "new" / "folder" / "out.txt"
    with replacing(target) as (draft,):
        draft.write_text("done")
        assert names(target.parent) == [".out.txt.partial"]
    assert names(target.parent) == ["out.txt"]
    assert target.read_text() == "done"


def test_a_failure_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    """Two outputs, one of them there before: no draft, no half file, the old one untouched."""
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_text("before")
    with pytest.raises(ZeroDivisionError), replacing(old, new) as (first, second):
        first.write_text("half")
        second.write_text("half")
        _ = 1 / 0
    assert names(tmp_path) == ["old.txt"]
    assert old.read_text() == "before"


def test_a_draft_that_was_never_written_is_no_trouble_on_failure(tmp_path: Path) -> None:
    """The error of the block is the one that is seen."""
    with pytest.raises(KeyError, match="lost"), replacing(tmp_path / "a", tmp_path / "b") as _:
        raise KeyError("lost")
    assert names(tmp_path) == []


@pytest.mark.parametrize("below", ["out.parquet", "deeper/out.parquet"])
def test_a_path_under_a_regular_file_is_an_input_error(tmp_path: Path, below: str) -> None:
    """No folder can be made there."""
    (tmp_path / "file").write_text("I am no folder")
    with pytest.raises(InputError, match=r"cannot write .*/file.* Choose an output folder that is writable"):
        write_dataset(TABLE, tmp_path / "file" / below)
    assert (tmp_path / "file").read_text() == "I am no folder"


@pytest.mark.parametrize("path", ["/proc/out.txt", "/proc/nowhere/out.txt"])
def test_a_folder_that_cannot_be_written_to_is_an_input_error(path: str) -> None:
    """Even for root, nothing can be made in /proc."""
    with pytest.raises(InputError, match=r"cannot write /proc/.* Choose an output folder that is writable"):
        write_text("text", path)


def test_a_folder_in_the_place_of_the_file_is_an_input_error(tmp_path: Path) -> None:
    """The folder stays as it is."""
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match=r"cannot write .*out.*: Is a directory"):
        write_text("text", tmp_path / "out")
    assert names(tmp_path) == ["out"]


@contextmanager
def full_disk(most: int) -> Iterator[None]:
    """No file of this process can grow beyond ``most`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_room_left_is_an_input_error(tmp_path: Path) -> None:
    """A write that the system breaks off names the output and what to do; nothing is left of it."""
    noise = pa.table({"x": np.random.default_rng(0).random(100_000)})
    for write in (lambda p: write_dataset(noise, p), lambda p: write_text("x" * 100_000, p)):
        with (
            full_disk(10_000),
            pytest.raises(InputError, match=r"cannot write .*/out: .*File too large.* writable and has space"),
        ):
            write(tmp_path / "out")
        assert names(tmp_path) == []


def test_trouble_elsewhere_is_not_called_trouble_with_the_output(tmp_path: Path) -> None:
    """A file that the block cannot read is the block's own error."""
    with pytest.raises(FileNotFoundError, match="other"), replacing(tmp_path / "out"):
        open(tmp_path / "other").close()


def test_text_is_written_as_utf_8(tmp_path: Path) -> None:
    """Whatever the locale."""
    write_text("Citroën\n", tmp_path / "a.html")
    assert (tmp_path / "a.html").read_bytes() == b"Citro\xc3\xabn\n"


# Facts and marks


def test_facts_and_marks_survive_the_round_trip(tmp_path: Path) -> None:
    """With every type, every gap, and the digest of the file for the next step."""
    table = with_facts(mark_columns(TABLE, {"key": IDENTIFIER, "code": CATEGORY}), {"unit": "vehicle", "years": [2024]})
    shown = write_dataset(table, tmp_path / "a.parquet")
    assert shown == {"unit": "vehicle", "years": [2024], "rows": 3, "columns": 5}
    back = read_dataset(tmp_path / "a.parquet")
    assert back.to_pydict() == TABLE.to_pydict()
    types = [str(t) for t in back.schema.types]
    assert types == ["string", "int16", "double", "date32[day]", "time32[ms]"]  # Parquet knows no whole seconds
    assert facts_of(back) == {**shown, "sha256": digest(tmp_path / "a.parquet")}
    assert (marked(back, IDENTIFIER), marked(back, CATEGORY)) == (["key"], ["code"])


def test_marks_survive_facts_and_filters() -> None:
    """Rows may be taken and facts replaced; the columns stay marked."""
    table = mark_columns(TABLE, {"key": IDENTIFIER})
    table = with_facts(table, {"a": 1}).filter(pa.array([True, False, True]))
    assert (marked(table, IDENTIFIER), facts_of(table)) == (["key"], {"a": 1})


def test_new_marks_replace_the_old_ones() -> None:
    """A column that is not named has no mark any more."""
    table = mark_columns(mark_columns(TABLE, {"key": IDENTIFIER}), {"code": CATEGORY})
    assert (marked(table, IDENTIFIER), marked(table, CATEGORY)) == ([], ["code"])


def test_the_digest_of_the_file_read_is_not_written_on(tmp_path: Path) -> None:
    """A table that was read and written again does not carry the older file's digest."""
    write_dataset(TABLE, tmp_path / "a.parquet")
    shown = write_dataset(read_dataset(tmp_path / "a.parquet").slice(1), tmp_path / "b.parquet")
    assert shown == {"rows": 2, "columns": 5}
    stored = pq.read_schema(tmp_path / "b.parquet").metadata[b"roadsafety"]
    assert b"sha256" not in stored


def test_a_table_from_elsewhere_has_no_facts(tmp_path: Path) -> None:
    """The notes that pandas makes are not taken for ours, and are gone after the first step."""
    pd.DataFrame({"a": [1, 2]}).to_parquet(tmp_path / "a.parquet")
    assert facts_of(pq.read_table(tmp_path / "a.parquet")) == {}
    back = read_dataset(tmp_path / "a.parquet")
    assert list(facts_of(back)) == ["sha256"]
    assert back.to_pydict() == {"a": [1, 2]}
    assert list(back.schema.metadata) == [b"roadsafety"]


def test_the_same_table_gives_the_same_bytes(tmp_path: Path) -> None:
    """Whatever the order in which its facts were put together."""
    write_dataset(with_facts(TABLE, {"a": 1, "b": 2}), tmp_path / "a.parquet")
    write_dataset(with_facts(TABLE, {"b": 2, "a": 1}), tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_several_tables_are_written_all_or_none(tmp_path: Path) -> None:
    """Each with its own facts; where one cannot be written, no other is left either."""
    tables = [with_facts(TABLE.slice(0, n), {"table": n}) for n in (1, 2, 3)]
    paths = [tmp_path / f"{n}.parquet" for n in (1, 2, 3)]
    assert write_datasets(tables, paths) == [{"table": n, "rows": n, "columns": 5} for n in (1, 2, 3)]
    assert [read_dataset(p).to_pydict() for p in paths] == [t.to_pydict() for t in tables]
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot write .*/file"):
        write_datasets(tables, [tmp_path / "a.parquet", tmp_path / "file" / "b.parquet", tmp_path / "c.parquet"])
    assert names(tmp_path) == ["1.parquet", "2.parquet", "3.parquet", "file"]


def test_digest_is_sha256_of_the_content(tmp_path: Path) -> None:
    """The well-known digest of abc."""
    (tmp_path / "abc").write_bytes(b"abc")
    known = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest(tmp_path / "abc") == known


# What is refused


def test_no_file_is_told(tmp_path: Path) -> None:
    """With the name of the input; a folder of something else is no dataset either."""
    with pytest.raises(InputError, match=r"train_data: there is no file at /"):
        read_dataset(tmp_path / "nowhere.parquet", "train_data")
    with pytest.raises(InputError, match=r"train_data: the folder /.* is no dataset by year"):
        read_dataset(tmp_path, "train_data")


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"", b"PAR1 but not really PAR1"], ids=["csv", "empty", "junk"])
def test_what_is_no_parquet_is_told(tmp_path: Path, content: bytes) -> None:
    """The message says what to give instead of a CSV."""
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(
        InputError, match=r"data: .*a\.parquet is not a Parquet file .* give the output of load_stats19"
    ):
        read_dataset(tmp_path / "a.parquet", "data")


def test_a_damaged_parquet_is_told(tmp_path: Path) -> None:
    """Cut short, or with a damaged page."""
    path = tmp_path / "a.parquet"
    write_dataset(pa.table({"x": list(range(50_000))}), path)
    whole = path.read_bytes()
    for damaged in (whole[:-100], whole[:4] + b"\xff" * 60 + whole[64:]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="is not a Parquet file that can be read"):
            read_dataset(path)


def test_a_table_without_rows_is_told(tmp_path: Path) -> None:
    """It can be written (an empty validation part), and not worked on."""
    assert write_dataset(TABLE.slice(0, 0), tmp_path / "a.parquet")["rows"] == 0
    with pytest.raises(InputError, match=r"validation: .* has columns but no rows"):
        read_dataset(tmp_path / "a.parquet", "validation")


# Ready for scikit-learn


def test_what_counts_as_text() -> None:
    """Strings of every width, and dictionaries of them."""
    text = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
    other = [pa.int8(), pa.bool_(), pa.date32(), pa.binary(), pa.dictionary(pa.int8(), pa.int64())]
    assert [is_text(t) for t in text + other] == [True] * 4 + [False] * 5
