"""Batches of a dataset, one after the other, are the dataset."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from roadsafety_components.core import batches
from roadsafety_components.core.batches import count_rows, read_batches
from roadsafety_components.core.datasets import read_dataset
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.merge import merge_datasets
from roadsafety_components.core.store import IDENTIFIER, mark_columns, marked, with_facts, write_dataset

TABLE = mark_columns(
    pa.table({
        "key": [f"20{i:02}" for i in range(10)],
        "year": pa.array([2023] * 4 + [2024] * 6, pa.int16()),
        "speed": pa.array([30, None] * 5, pa.int32()),
        "place": pa.array(["town", None, "village", "a", "b"] * 2).dictionary_encode(),
    }),
    {"key": IDENTIFIER, "year": IDENTIFIER},
)  # fmt: skip


def folder_by_year(path: Path) -> Path:
    """The table as merge_datasets leaves it."""
    write_dataset(TABLE, path.with_name("whole"))
    merge_datasets([path.with_name("whole")], path)
    return path


@pytest.mark.parametrize("rows", [1, 3, 4, 10, 11])
@pytest.mark.parametrize("row_group", [2, 3, 10])
def test_batches_are_the_rows_in_their_order(tmp_path, rows, row_group):
    """At most so many at a time, however the file is cut."""
    pq.write_table(TABLE, tmp_path / "t", row_group_size=row_group)
    read = list(read_batches(tmp_path / "t", "data", TABLE.column_names, rows))
    assert all(0 < b.num_rows <= rows for b in read)
    assert pa.concat_tables(read).to_pydict() == TABLE.to_pydict()


@pytest.mark.parametrize("rows", [3, 100])
def test_a_folder_by_year_is_one_table(tmp_path, rows):
    """With its year, which stands in the names of the parts only, and its marks."""
    folder = folder_by_year(tmp_path / "folder")
    whole = pa.concat_tables(read_batches(folder, "data", TABLE.column_names, rows))
    assert whole.to_pydict() == TABLE.to_pydict()
    assert whole.to_pydict() == read_dataset(folder).to_pydict()
    assert marked(whole, IDENTIFIER) == ["key", "year"]
    assert count_rows(folder, "data") == 10


def test_only_the_columns_asked_for_are_there(tmp_path):
    """In the order of the dataset."""
    folder = folder_by_year(tmp_path / "folder")
    for path in (folder, tmp_path / "whole"):
        names = [b.column_names for b in read_batches(path, "data", {"speed", "year"}, 100)]
        assert set(map(tuple, names)) == {("year", "speed")}


def test_string_views_come_as_strings(tmp_path):
    """Which all of Arrow's functions take."""
    pq.write_table(pa.table({"x": pa.array(["a", None, "b"], pa.string_view())}), tmp_path / "t")
    (batch,) = read_batches(tmp_path / "t", "data", ["x"], 10)
    assert (batch["x"].type, batch["x"].to_pylist()) == (pa.string(), ["a", None, "b"])


def test_an_empty_part_is_passed_over(tmp_path):
    """A year without rows gives no batch; the file as a whole must have some."""
    pq.write_table(with_facts(TABLE.slice(0, 0), {}), tmp_path / "none")
    assert list(read_batches(tmp_path / "none", "data", ["key"], 5)) == []
    with pytest.raises(InputError, match=r"^data: .*none has columns but no rows\.$"):
        count_rows(tmp_path / "none", "data")


def test_a_damaged_part_is_told(tmp_path):
    """The file is named, when it is counted and when it is read."""
    folder = folder_by_year(tmp_path / "folder")
    part = folder / "year=2024" / "part-0.parquet"
    whole = part.read_bytes()
    part.write_bytes(whole[:40])
    for work in (lambda: count_rows(folder, "data"), lambda: list(read_batches(folder, "data", ["key"], 5))):
        with pytest.raises(
            InputError, match=r"data: .*part-0\.parquet cannot be read .* it is damaged\. Make it again"
        ):
            work()
    part.write_bytes(whole[:20] + bytes(60) + whole[80:])
    with pytest.raises(InputError, match=r"data: .*part-0\.parquet cannot be read"):
        list(read_batches(folder, "data", TABLE.column_names, 5))


@pytest.mark.parametrize(("rows", "groups"), [(1, [[0], [1], [2], [3]]), (5, [[0, 1], [2, 3]]), (7, [[0, 1, 2], [3]])])
def test_row_groups_are_read_so_many_that_a_batch_is_full(tmp_path, rows, groups):
    """Not all at once, because the reader lets go of none before the last; these have 3, 3, 3 and 1 rows."""
    pq.write_table(TABLE, tmp_path / "t", row_group_size=3)
    assert list(batches._row_groups(pq.read_metadata(tmp_path / "t"), rows)) == groups
