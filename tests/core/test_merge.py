"""Datasets to one folder by year, and reading it by column and year."""

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from roadsafety_components.core import files, store
from roadsafety_components.core.datasets import dataset_files, read_dataset
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.merge import merge_datasets
from roadsafety_components.core.years import tables_by_year

from .make import canonical


def part(path: Path, years: list[int], facts: dict | None = None, **columns: list) -> Path:
    """A dataset with a row a year, as a step writes it."""
    table = canonical({"collision_index": [f"{y}{i}" for i, y in enumerate(years)], "collision_year": years, **columns})
    table = store.mark_columns(table, {"collision_index": store.IDENTIFIER, "collision_year": store.IDENTIFIER})
    store.write_dataset(store.with_facts(table, {"table": "collision", "codes": "2024", **(facts or {})}), path)
    return path


@pytest.fixture
def merged(tmp_path: Path) -> Path:
    """2015 and 2024, each with a column that the other has not."""
    parts = [
        part(
            tmp_path / "new",
            [2024, 2024],
            {"generation": "2024", "years": [2024]},
            speed_limit=[30, 60],
            flag=[1, None],
        ),
        part(tmp_path / "old", [2015], {"generation": "legacy", "years": [2015]}, speed_limit=[40], home=["E0"]),
    ]
    merge_datasets(parts, tmp_path / "merged")
    return tmp_path / "merged"


def test_years_stand_in_order_each_with_every_column(merged: Path) -> None:
    """What a year has not is null; the order of the parts does not matter."""
    assert read_dataset(merged).to_pydict() == {
        "collision_index": ["20150", "20240", "20241"],
        "collision_year": [2015, 2024, 2024],
        "speed_limit": [40, 30, 60],
        "flag": [None, 1, None],
        "home": ["E0", None, None],
    }
    assert sorted(p.relative_to(merged).as_posix() for p in merged.rglob("*") if p.is_file()) == [
        "_common_metadata",
        "collision_year=2015/part-0.parquet",
        "collision_year=2024/part-0.parquet",
    ]


def test_facts_of_the_whole_travel_with_the_folder(merged: Path) -> None:
    """Years, rows by year, generations, marks, a digest that depends on every part."""
    table = read_dataset(merged)
    facts = store.facts_of(table)
    digests = facts.pop("parts")
    assert facts == {
        "table": "collision", "codes": "2024", "generation": "2024 and legacy", "synthetic": False,
        "years": [2015, 2024],
        "rows": 3, "columns": 5, "rows_by_year": {"2015": 1, "2024": 2}, "partitioned_by": "collision_year",
        "sha256": files.digest(merged / "_common_metadata"),
    }  # fmt: skip
    assert digests == {
        f"collision_year={y}/part-0.parquet": files.digest(merged / f"collision_year={y}/part-0.parquet")
        for y in (2015, 2024)
    }
    assert store.marked(table, store.IDENTIFIER) == ["collision_index", "collision_year"]


def test_columns_and_years_are_read_alone(merged: Path) -> None:
    """Only those; a column that is not there is left out, a year that is not there is told."""
    one = read_dataset(merged, columns=["speed_limit", "nothing"], years=[2024])
    assert one.to_pydict() == {"speed_limit": [30, 60]}
    with pytest.raises(InputError, match=r"records of 2016; it has the years 2015, 2024\."):
        read_dataset(merged, years=[2016])


def test_years_one_after_the_other(merged: Path, tmp_path: Path) -> None:
    """From a folder and from a single file alike."""
    single = part(tmp_path / "both", [2024, 2015, 2024], speed_limit=[30, 40, 60])
    for path in (merged, single):
        years = {
            y: t["speed_limit"].to_pylist() for y, t in tables_by_year(path, "collision_year", "x", ["speed_limit"])
        }
        assert years == {2015: [40], 2024: [30, 60]}


def test_other_tools_read_the_folder(merged: Path) -> None:
    """Those of pandas, and Arrow's own datasets, with the year as a number."""
    frame = pd.read_parquet(merged)
    assert frame["collision_year"].astype(int).tolist() == [2015, 2024, 2024]
    assert frame["speed_limit"].tolist() == [40, 30, 60]
    found = ds.dataset(merged, partitioning="hive").to_table(filter=ds.field("collision_year") == 2015)
    assert found["collision_index"].to_pylist() == ["20150"]


def test_a_year_may_come_in_parts_and_a_folder_is_a_part(merged: Path, tmp_path: Path) -> None:
    """Two regions of a year stand side by side; what was merged can be merged again."""
    more = part(tmp_path / "more", [2024], speed_limit=[70], key=["x"])
    table = read_dataset(more)
    changed = table.set_column(0, table.schema.field(0), pa.array(["2024other"]))
    store.write_dataset(changed, more)
    facts = merge_datasets([merged, more], tmp_path / "again")
    assert facts["rows_by_year"] == {"2015": 1, "2024": 3}
    assert read_dataset(tmp_path / "again", years=[2024])["speed_limit"].to_pylist() == [30, 60, 70]
    assert [(y, f.name) for y, f in dataset_files(tmp_path / "again")] == [
        (2015, "part-0.parquet"), (2024, "part-0.parquet"), (2024, "part-1.parquet")
    ]  # fmt: skip


def test_the_same_record_twice_is_refused(merged: Path, tmp_path: Path) -> None:
    """With an example, and nothing is left."""
    again = part(tmp_path / "again", [2024], speed_limit=[30])
    with pytest.raises(InputError, match=r"1 rows of 2024 come in two parts, e\.g\. collision_index 20240"):
        merge_datasets([merged, again], tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again", "merged", "new", "old"]


@pytest.mark.parametrize(
    ("facts", "columns", "message"),
    [
        ({"table": "vehicle"}, {}, r"the parts differ in table: collision \(a\), vehicle \(b\)"),
        ({"codes": "as published"}, {}, r"differ in codes: .* Bring all to one code list with harmonise_stats19"),
        ({"schema_version": "2"}, {}, r"differ in schema_version"),
        ({}, {"speed_limit": ["fast"]}, r"have a column of different types: .*speed_limit"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(
    tmp_path: Path, facts: dict, columns: dict, message: str
) -> None:
    """Other tables, other codes, other types."""
    paths = [part(tmp_path / "a", [2015], speed_limit=[30]), part(tmp_path / "b", [2016], facts, **columns)]
    with pytest.raises(InputError, match=message):
        merge_datasets(paths, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_no_part_no_year_column_and_no_folder_are_told(tmp_path: Path) -> None:
    """Each with what to do."""
    with pytest.raises(InputError, match="there are no parts to merge"):
        merge_datasets([], tmp_path / "out")
    store.write_dataset(pa.table({"x": [1]}), tmp_path / "a")
    with pytest.raises(InputError, match="not every part has a column collision_year or year; name the year_column"):
        merge_datasets([tmp_path / "a"], tmp_path / "out")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="is no dataset by year"):
        merge_datasets([tmp_path / "folder"], tmp_path / "out")


def test_a_row_without_a_year_is_refused(tmp_path: Path) -> None:
    """It would be lost."""
    part(tmp_path / "a", [2015, 2016])
    table = read_dataset(tmp_path / "a")
    store.write_dataset(table.set_column(1, table.schema.field(1), pa.array([2015, None], pa.int16())), tmp_path / "a")
    with pytest.raises(InputError, match=r"a: collision_year is missing in 1 row"):
        merge_datasets([tmp_path / "a"], tmp_path / "out")


def test_counts_of_what_was_changed_are_added_up(tmp_path: Path) -> None:
    """So that the whole says what its parts say."""
    counts = [
        {"unlisted_codes_made_missing": {"collision.road_type": 2}, "recoded": {"junction_detail": {"filled": 1}}},
        {"unlisted_codes_made_missing": {"collision.road_type": 1, "collision.x": 5}, "recoded": {}},
    ]
    parts = [part(tmp_path / str(y), [y], facts) for y, facts in zip((2015, 2016), counts, strict=True)]
    facts = merge_datasets(parts, tmp_path / "merged")
    assert facts["unlisted_codes_made_missing"] == {"collision.road_type": 3, "collision.x": 5}
    assert facts["recoded"] == {"junction_detail": {"filled": 1}}
    assert "revised" not in facts


def test_facts_are_plain_json(merged: Path) -> None:
    """As metadata of an artifact must be."""
    facts = store.facts_of(pq.read_schema(merged / "_common_metadata"))
    assert json.loads(json.dumps(facts)) == facts
    assert "null" not in json.dumps(facts)
