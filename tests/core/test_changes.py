"""Each kind of change from two tiny tables, what chance does, and what is refused."""

import datetime
import inspect
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kfp.dsl import HTML, Dataset, Metrics

from roadsafety_components.components.profile_changes import profile_changes
from roadsafety_components.core import changes, distance, read, store
from roadsafety_components.core.changes import (
    KINDS,
    REFUSE_ON,
    Comparison,
    Limits,
    compare_datasets,
    log_comparison,
)
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.sample import write_sample
from roadsafety_components.core.schema import TABLES


@pytest.fixture
def compare(tmp_path: Path):
    """Write two tables (or columns of literal values) and compare them: ``compare(old, new, max_psi=0.3)``."""

    def written(name: str, data: pa.Table | dict, marks: dict, facts: dict) -> Path:
        table = data if isinstance(data, pa.Table) else pa.table(data)
        if marks:
            table = store.mark_columns(table, marks)
        store.write_dataset(store.with_facts(table, facts) if facts else table, tmp_path / name)
        return tmp_path / name

    def run(old, new, marks: dict | None = None, facts: tuple[dict, dict] = ({}, {}), **limits) -> Comparison:
        paths = [written(n, d, marks or {}, f) for n, d, f in zip("ab", (old, new), facts, strict=True)]
        return compare_datasets(*paths, Limits(**limits))

    return run


def told(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Column, kind and level of each change."""
    return [(c.column, c.change, c.level) for c in comparison.changes]


def shown(comparison: Comparison) -> tuple:
    """Everything but the explanation of the one change."""
    (change,) = comparison.changes
    return tuple(asdict(change).values())[:-1]


SEVERAL = {
    "code": [1, 2, 3] * 40,
    "name": ["a", "b"] * 60,
    "size": [i / 7 for i in range(120)],
    "yes": [True, False, None] * 40,
    "day": [datetime.date(2023, 1 + i % 12, 1) for i in range(120)],
    "hour": [datetime.time(i % 24, 30) for i in range(120)],
    "none": pa.nulls(120, pa.int16()),
}


# Nothing changed


def test_identical_datasets_are_accepted_without_a_change(compare):
    """No rows in the table of changes, which keeps its columns; PSI 0 everywhere."""
    found = compare(SEVERAL, SEVERAL)
    assert found.decision == "accept"
    assert found.changes == []
    assert {c.name: c.compared_as for c in found.columns} == {
        "code": "codes", "name": "codes", "size": "quantity", "yes": "codes", "day": "month", "hour": "hour",
        "none": "presence",
    }  # fmt: skip
    assert all(c.psi == pytest.approx(0, abs=1e-12) and c.distance == 0 for c in found.columns)
    table = found.table()
    assert (table.num_rows, table.column_names) == (0, list(changes.Change.__dataclass_fields__))


def test_order_and_width_are_no_change(compare):
    """Rows and columns in another order, wider numbers, dictionaries, large text."""
    old = pa.table({"code": pa.array([1, 2] * 20, pa.int16()), "name": ["a", "b"] * 20, "x": pa.array([0.5] * 40)})
    new = pa.table({
        "x": pa.array([0.5] * 40, pa.float32()),
        "name": pa.array(["b"] * 20 + ["a"] * 20, pa.large_string()).dictionary_encode(),
        "code": pa.array([2, 1] * 20, pa.int64()),
    })  # fmt: skip
    assert told(compare(old, new)) == []


def test_a_new_year_has_new_dates_and_keys(compare):
    """Neither is a change: months are compared, keys only for what repeats."""
    old, new = (
        {"key": [f"{y}{i:03}" for i in range(120)], "day": [datetime.date(y, 1 + i % 12, 3) for i in range(120)]}
        for y in (2023, 2024)
    )
    assert told(compare(old, new, {"key": store.IDENTIFIER})) == []


# Each kind of change


def test_rows(compare):
    """More than the ratio allows, either way."""
    few, many = {"x": [1, 2] * 20}, {"x": [1, 2] * 40}
    assert shown(compare(few, many)) == ("", "rows", "refuse", "40", "80", 2.0, 1.5, 80)
    assert shown(compare(many, few)) == ("", "rows", "refuse", "80", "40", 0.5, 1.5, 40)
    assert told(compare(few, many, max_rows_ratio=2)) == []


@pytest.mark.parametrize("fact", ["schema_version", "unit", "target", "synthetic"])
def test_facts(compare, fact):
    """Those that say what a row is refuse where they differ; what is not told differs too."""
    table = {"x": [1, 2]}
    found = compare(table, table, facts=({fact: "1", "years": [2023]}, {fact: "2", "years": [2024]}))
    assert shown(found) == ("", fact, "refuse", "1", "2", 0.0, 0.0, 2)
    assert shown(compare(table, table, facts=({fact: True}, {})))[3:5] == ("True", "not told")


def test_another_generation_is_noted(compare):
    """The loader makes their columns alike."""
    found = compare({"x": [1]}, {"x": [1]}, facts=({"generation": "legacy"}, {"generation": "2024"}))
    assert shown(found)[:5] == ("", "generation", "note", "legacy", "2024")


def test_columns_added_and_removed(compare):
    """One is noted, the other refused."""
    found = compare({"x": [1, 1], "old": ["a", "b"]}, {"new": [0.5, 0.5], "x": [1, 1]})
    assert told(found) == [("old", "removed_column", "refuse"), ("new", "added_column", "note")]
    assert [(c.reference, c.current) for c in found.changes] == [("text", "none"), ("none", "number")]


@pytest.mark.parametrize(
    ("new", "name"),
    [
        (["1", "2"], "text"),
        ([1.0, 2.0], "number"),
        ([True, False], "boolean"),
        ([datetime.date(2024, 1, 1)] * 2, "date"),
        ([datetime.time(1)] * 2, "time"),
        ([[1], [2]], "list<element: int64>"),
    ],
)
def test_type(compare, new, name):
    """Another family of values; they are not compared further."""
    assert shown(compare({"x": [1, 2]}, {"x": new})) == ("x", "type", "refuse", "whole number", name, 0.0, 0.0, 2)


def test_nested_values_are_compared_for_presence_only(compare):
    """Nothing is said of what is in a list."""
    found = compare({"x": [[1]] * 30}, {"x": [[2]] * 30}, {"x": store.IDENTIFIER})
    assert told(found) == []
    assert told(compare({"x": [[1]] * 30}, {"x": [None] * 15 + [[2]] * 15}))[0] == ("x", "missing_rose", "refuse")


def test_empty(compare):
    """A column that had values; whatever the type of the empty one."""
    found = compare({"x": [1, None, 2, 3]}, {"x": pa.nulls(4)})
    assert shown(found) == ("x", "empty", "refuse", "25.0% missing", "100% missing", 0.0, 0.0, 4)
    assert told(compare({"x": pa.nulls(4)}, {"x": pa.nulls(4, pa.int8())})) == []


def test_constant(compare):
    """One value left where the reference would have shown others; a sample too small to tell is none."""
    old = {"x": ["a", "b"] * 50}
    found = compare(old, {"x": ["b"] * 100})
    assert ("x", "constant", "refuse") in told(found)
    assert [(c.reference, c.current) for c in found.changes if c.change == "constant"] == [("2 values", "only b")]
    assert told(compare({"x": ["a"] + ["b"] * 99}, {"x": ["b"] * 100})) == []


def test_missing_rose_and_fell(compare):
    """By more than is allowed; the fall is noted."""
    full, half = {"x": [1, 2] * 200}, {"x": [1, None, 2, None] * 100}
    rose, fell = compare(full, half), compare(half, full)
    assert shown(rose)[:5] == ("x", "missing_rose", "refuse", "0.0% missing", "50.0% missing")
    assert shown(rose)[5:] == (0.5, pytest.approx(4 * (0.25 * 0.75 / 200) ** 0.5), 200)
    assert shown(fell)[:3] == ("x", "missing_fell", "note")
    assert shown(fell)[5:] == (-0.5, pytest.approx(4 * (0.25 * 0.75 / 200) ** 0.5), 0)
    assert told(compare(full, half, max_missing_rise=0.5)) == []


def test_what_is_no_finite_number_is_missing(compare):
    """Not a value that spoils the mean."""
    strange = [float("nan"), float("inf"), -float("inf"), None]
    found = compare({"x": [0.5, 0.25] * 100}, {"x": [0.5, 0.25] * 80 + strange * 10})
    assert found.columns[0].missing == (0, pytest.approx(0.2))
    assert told(found) == [("x", "missing_rose", "refuse")]


def test_new_code(compare):
    """Refused from the count on that chance does not explain, below it noted; of numbers, marked ones and text."""
    old = {"n": [1, 2] * 500, "t": ["a", "b"] * 500}
    few = {"n": [1, 2] * 498 + [7] * 3 + [8], "t": ["a", "b"] * 498 + ["c"] * 4}
    assert told(compare(old, few)) == [("n", "new_code", "note"), ("t", "new_code", "note")]
    many = {"n": [1, 2] * 494 + [7] * 12, "t": ["a", "b"] * 494 + ["c"] * 12}
    found = compare(old, many)
    assert told(found) == [("n", "new_code", "refuse"), ("t", "new_code", "refuse")]
    # 0.5 ** 12 is below 0.001 / 3
    expected = ("n", "new_code", "refuse", "none", "7 (12)", 12.0, 12.0, 12)
    assert tuple(asdict(found.changes[0]).values())[:-1] == expected
    assert compare(old, few).changes[0].current == "7 (3); 8 (1)"


def test_a_code_that_is_gone_is_noted_beyond_chance(compare):
    """A rare one may be missing from any sample."""
    old = {"n": [1, 2] * 485 + [7] * 28 + [8, 9]}
    found = compare(old, {"n": [1, 2] * 500}, max_psi=0.5)
    assert told(found) == [("n", "gone_code", "note"), ("n", "distribution", "note")]
    assert tuple(asdict(found.changes[0]).values())[:-1] == (
        "n",
        "gone_code",
        "note",
        "7 (28); 8 (1); 9 (1)",
        "none",
        28.0,
        13.0,
        30,
    )
    assert told(compare({"n": [1, 2] * 498 + [7] * 4}, {"n": [1, 2] * 500})) == []


def test_names_without_end_are_not_listed(compare):
    """Of a column with many values a new one is told only if it is common."""
    old, new = {"street": [f"s{i}" for i in range(400)]}, {"street": [f"t{i}" for i in range(400)]}
    assert told(compare(old, new)) == []
    new = {"street": [f"t{i}" for i in range(360)] + ["u"] * 40}
    assert told(compare(old, new))[0] == ("street", "new_code", "refuse")


def test_a_marked_number_is_a_code_however_many_there_are(compare):
    """Road numbers have no mean; unmarked ones of more than 50 values do."""
    old, new = {"road": list(range(100)) * 4}, {"road": [i + 1000 for i in range(100)] * 4}
    kinds = {c.name: c.compared_as for c in compare(old, new, {"road": store.CATEGORY}).columns}
    assert kinds == {"road": "codes"}
    assert compare(old, new).columns[0].compared_as == "quantity"


def test_distribution_of_codes(compare):
    """PSI and total variation of 80/20 against 20/80, the codes that moved most first."""
    old, new = {"x": ["a", "b", "b", "b", "b"] * 200}, {"x": ["a", "a", "a", "a", "b"] * 200}
    found = compare(old, new)
    psi = found.columns[0].psi
    assert psi == pytest.approx(2 * 0.6 * np.log(4), rel=0.01)
    assert found.columns[0].chance == pytest.approx(1 / 1000 + 1 / 1000)
    assert found.columns[0].distance == pytest.approx(0.6)
    assert found.columns[0].shares == [("a", 0.2, 0.8), ("b", 0.8, 0.2)]
    assert shown(found) == (
        "x", "distribution", "refuse", "a: 20.0%; b: 80.0%", "a: 80.0%; b: 20.0%", psi, pytest.approx(0.252), 1000,
    )  # fmt: skip


def test_a_moderate_shift_is_noted(compare):
    """PSI from 0.1 on; a higher limit takes the refusal away, not the note."""
    old, new = {"x": ["a", "b"] * 500}, {"x": ["a", "a", "a", "b", "b"] * 200}
    assert told(compare(old, new)) == []  # 0.041
    new = {"x": ["a", "a", "b"] * 400}
    assert told(compare(old, new)) == [("x", "distribution", "note")]  # 0.116
    assert told(compare(old, new, max_psi=0.11)) == [("x", "distribution", "refuse")]


def test_distribution_of_a_quantity(compare):
    """A shift of all values: PSI over the reference's deciles, Kolmogorov-Smirnov, quantiles, mean."""
    old, new = {"x": [float(i) for i in range(1000)]}, {"x": [float(i + 250) for i in range(1000)]}
    found = compare(old, new)
    assert told(found) == [("x", "distribution", "refuse"), ("x", "mean", "note")]
    (pair,) = found.columns
    assert pair.distance == pytest.approx(0.25)
    assert pair.quantiles[9] == (499, 749)
    assert pair.chance == pytest.approx(9 * 2 / 1000)
    distribution, mean = found.changes
    assert distribution.reference == "5% below 49; 25% below 249; 50% below 499; 75% below 749; 95% below 949"
    assert (mean.reference, mean.current, mean.rows) == ("499.5", "749.5", 1000)
    assert mean.value == pytest.approx(250 / np.std(range(1000)))
    assert (mean.threshold, mean.explanation) == (0.2, "The mean moved by +0.87 standard deviations; 0.20 is allowed.")


def test_half_a_year_is_no_release(compare):
    """Months of which there are none; but a reference of half a year says nothing about months."""
    year = {"day": [datetime.date(2023, 1 + i % 12, 1) for i in range(240)]}
    half = {"day": [datetime.datetime(2024, 1 + i % 6, 1) for i in range(240)]}
    found = compare(year, half)
    assert told(found) == [("day", "distribution", "refuse"), ("day", "gone_code", "note")]
    assert found.changes[1].reference == "7 (20); 8 (20); 9 (20); 10 (20); 11 (20); 1 more"
    assert told(compare(half, year)) == []


def test_times_are_compared_by_hour(compare):
    """A clock that was an hour late is seen."""
    old, new = ({"time": [datetime.time(h, i) for h in (8, h2) for i in range(60)]} for h2 in (9, 10))
    found = compare(old, new)
    assert ("time", "new_code", "refuse") in told(found)
    assert [label for label, *_ in found.columns[0].shares] == ["8", "9", "10"]


# Keys


KEYED = {"key": [f"2024{i}" for i in range(50)], "part": [1, 2] * 25, "x": [0.5, 1.5, None, 3.0, 4.5] * 10}
MARKS = {"key": store.IDENTIFIER, "part": store.IDENTIFIER}


def test_the_same_records_twice(compare):
    """Told by key and values, in any order of rows and columns and in any width."""
    table = pa.table(KEYED)
    again = table.take(list(range(49, -1, -1))).select(["x", "part", "key"])
    again = again.set_column(1, "part", again["part"].cast(pa.int8()))
    assert shown(compare(table, again, MARKS)) == (
        "", "same_records", "refuse", "50 rows", "50 of 50 rows", 1.0, 0.0, 50,
    )  # fmt: skip
    some = pa.concat_tables(
        [table.slice(40), table.slice(0, 40).set_column(0, "key", pa.array([f"n{i}" for i in range(40)]))]
    )
    assert shown(compare(table, some, MARKS))[4:] == ("10 of 50 rows", 0.2, 0.0, 10)


def test_the_same_keys_with_other_values_are_other_records(compare):
    """As in two synthetic samples, or a revised release."""
    assert told(compare(KEYED, KEYED | {"x": [1.5, None, 3.0, 4.5, 0.5] * 10}, MARKS)) == []


def test_a_key_is_its_parts_in_their_order(compare):
    """1 and 2 is not 2 and 1."""
    old, new = {"key": [1, 2], "part": [2, 3]}, {"key": [2, 3], "part": [1, 2]}
    assert told(compare(old, new, MARKS)) == []
    assert told(compare(old, old, MARKS)) == [("", "same_records", "refuse")]


def test_repeated_keys(compare):
    """A key that was unique; all identifiers together are one."""
    new = KEYED | {"key": ["n1"] * 4 + [f"n{i}" for i in range(4, 50)]}
    assert shown(compare(KEYED, new, MARKS)) == ("", "repeated_keys", "refuse", "0 rows", "2 rows", 2.0, 0.0, 2)
    assert told(compare(new, KEYED, MARKS)) == []


def test_of_identifiers_no_values_are_compared(compare):
    """Nor are they keys where they repeat in the reference."""
    old, new = {"year": [2023] * 40}, {"year": [2024] * 40}
    assert told(compare(old, new, {"year": store.IDENTIFIER})) == []
    assert told(compare(old, old, {"year": store.IDENTIFIER})) == []
    assert compare(old, new, {"year": store.IDENTIFIER}).columns[0].compared_as == "key"


# Chance


def mixed(seed: int, rows: int, alike: int = 1) -> dict:
    """Codes, rare codes, names and quantities; every value stands in ``alike`` rows that follow each other."""
    rng = np.random.default_rng(seed)
    whole = -(-rows // alike)
    drawn = {
        "even": rng.integers(0, 12, whole),
        "rare": rng.choice(20, whole, p=np.array([0.9, *[0.1 / 19] * 19])),
        "hour": rng.integers(0, 24, whole),
        "name": rng.choice([f"n{i}" for i in range(300)], whole),
        "age": rng.integers(0, 90, whole),
        "far": rng.lognormal(size=whole),
        "gaps": np.where(rng.random(whole) < 0.3, np.nan, rng.normal(size=whole)),
    }
    return {name: np.repeat(values, alike)[:rows] for name, values in drawn.items()}


@pytest.mark.parametrize("seed", range(0, 40, 2))
def test_two_samples_of_200_rows_are_accepted(compare, seed):
    """Their PSI is inflated, for some column above 0.25, and chance explains it."""
    assert compare(mixed(seed, 200), mixed(seed + 1, 200)).refusals == []


def test_two_samples_of_100_000_rows_are_accepted_without_a_note(compare):
    """Differences that a test would call significant are none."""
    found = compare(mixed(0, 100_000), mixed(1, 100_000))
    assert found.changes == []
    assert max(c.psi for c in found.columns) < 0.01


@pytest.mark.parametrize("seed", range(0, 20, 2))
def test_rows_of_one_event_are_one_observation(compare, seed):
    """Four vehicles of a collision share its weather: 800 rows vary as 200 do."""
    tables = [mixed(s, 800, alike=4) for s in (seed, seed + 1)]
    for table, year in zip(tables, (2023, 2024), strict=True):
        table["event"] = [f"{year}{i // 4}" for i in range(800)]
        table["vehicle"] = [i % 4 for i in range(800)]
    found = compare(*tables, {"event": store.IDENTIFIER, "vehicle": store.IDENTIFIER})
    assert found.refusals == []
    assert {c.name: c.chance for c in found.columns}["even"] == pytest.approx(11 * 2 / 200)


def test_a_real_move_of_200_rows_is_refused(compare):
    """The guard is no blindness."""
    new = mixed(1, 200)
    new["far"] = new["far"] * 2
    new["hour"] = new["hour"] // 2
    refused = {c.column for c in compare(mixed(0, 200), new).refusals if c.change == "distribution"}
    assert refused == {"far", "hour"}


def test_two_synthetic_samples_are_accepted(tmp_path):
    """Same kind, other seeds, the same keys: every table."""
    for seed in (0, 1):
        paths = {table: tmp_path / str(seed) / f"{table}.csv" for table in TABLES}
        write_sample(300, paths, seed)
        for name, table in read.load_tables(str(tmp_path / str(seed)), {}).items():
            store.write_dataset(table, tmp_path / f"{name}{seed}")
    for name in TABLES:
        found = compare_datasets(tmp_path / f"{name}0", tmp_path / f"{name}1", Limits())
        assert found.refusals == []
        assert found.decision == "accept"


# What is allowed, and what is refused


def test_the_kinds_to_refuse_are_a_choice(compare):
    """None: everything is noted and accepted. Others: they refuse."""
    old, new = {"x": [1, 2], "gone": [1, 2]}, {"x": [1, 2], "new": [1, 2]}
    assert compare(old, new, refuse_on=[]).decision == "accept"
    assert told(compare(old, new, refuse_on=["added_column"])) == [
        ("new", "added_column", "refuse"), ("gone", "removed_column", "note"),
    ]  # fmt: skip


def test_ignored_columns_are_not_compared(compare):
    """Neither their values nor their presence."""
    old, new = {"x": [1] * 90, "y": [1, 2] * 45, "z": [1] * 90}, {"x": [5] * 90, "y": [1, 2] * 45}
    found = compare(old, new, ignore_columns=["x", "z"])
    assert found.changes == []
    assert [c.name for c in found.columns] == ["y"]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"max_psi": 0}, "max_psi is 0; it can be 0.001 to 100."),
        ({"max_psi": float("nan")}, "max_psi is nan; it can be 0.001 to 100."),
        ({"max_missing_rise": 1.5}, "max_missing_rise is 1.5; it can be 0 to 1."),
        ({"max_missing_rise": -0.1}, "max_missing_rise is -0.1; it can be 0 to 1."),
        ({"max_rows_ratio": 0.5}, "max_rows_ratio is 0.5; it can be 1 to 1000."),
        (
            {"refuse_on": ["new_codes"]},
            "refuse_on has 'new_codes', which is no kind of change. Nearest name: new_code. There are rows, ",
        ),
        ({"ignore_columns": ["y"]}, "ignore_columns has 'y', which neither dataset has."),
    ],
)
def test_bad_parameters(compare, limits, message):
    """One sentence with the value and what it can be."""
    with pytest.raises(InputError) as error:
        compare({"x": [1]}, {"x": [1]}, **limits)
    assert str(error.value).startswith(message)


def test_files_that_are_none(tmp_path):
    """The message says which of the two it was."""
    good, text = tmp_path / "good", tmp_path / "a.csv"
    store.write_dataset(pa.table({"x": [1]}), good)
    text.write_text("x\n1\n")
    for old, new, message in [
        (tmp_path / "none", good, "reference: there is no file at"),
        (good, text, f"current: {text} is not a Parquet file"),
    ]:
        with pytest.raises(InputError, match=message):
            compare_datasets(old, new, Limits())


def test_two_columns_of_one_name(tmp_path):
    """Which of them is meant cannot be told."""
    path = tmp_path / "twice"
    pq.write_table(pa.table([[1], [2]], names=["x", "x"]), path)
    with pytest.raises(InputError, match=f"reference: {path} has two columns x; rename one"):
        compare_datasets(path, path, Limits())


# Folders, memory, outputs


def test_a_folder_by_year_compares_as_a_file(tmp_path):
    """Whichever side it is on."""
    marks = {"key": store.IDENTIFIER, "year": store.IDENTIFIER}
    table = store.mark_columns(pa.table({"key": list(range(80)), "year": [2022, 2023] * 40, "x": ["a"] * 80}), marks)
    store.write_dataset(table, tmp_path / "file")
    for year in (2022, 2023):
        part = tmp_path / "folder" / f"year={year}" / "part-0.parquet"
        part.parent.mkdir(parents=True)
        pq.write_table(table.filter(pa.array([y == year for y in table["year"].to_pylist()])), part)
    pq.write_metadata(table.schema, tmp_path / "folder" / store.FOLDER_FACTS)
    for old, new in (("file", "folder"), ("folder", "file")):
        found = compare_datasets(tmp_path / old, tmp_path / new, Limits())
        assert [(c.change, c.value) for c in found.changes] == [("same_records", 1.0)]


def test_columns_are_read_a_few_at_a_time(compare, monkeypatch):
    """One at a time gives what all at once do, and no more than one is asked for."""
    whole = compare(SEVERAL, SEVERAL | {"code": [4, 5, 6] * 40})
    asked = []

    def reading(path, name, columns):
        asked.append(len(columns))
        return read_dataset(path, name, columns)

    read_dataset = distance.read_dataset
    monkeypatch.setattr(distance, "read_dataset", reading)
    monkeypatch.setattr(distance, "_CELLS", 2 * 120 - 1)
    assert compare(SEVERAL, SEVERAL | {"code": [4, 5, 6] * 40}).changes == whole.changes
    assert asked == [1] * (2 + 2 * len(SEVERAL))


def test_the_table_of_changes(compare):
    """Refusals first; plain types; facts that a file can hold."""
    found = compare({"x": ["a", "b"] * 200, "old": [1] * 400}, {"x": ["a"] * 200 + ["c"] * 200, "new": [1] * 400})
    table = found.table()
    assert table["level"].to_pylist() == ["refuse"] * 3 + ["note"] * 2
    assert [str(t) for t in table.schema.types] == [*["string"] * 5, "double", "double", "int64", "string"]
    assert table.schema.names == [
        "column", "change", "level", "reference", "current", "value", "threshold", "rows", "explanation",
    ]  # fmt: skip
    facts = store.facts_of(table)
    assert facts["decision"] == "refuse"
    assert facts["limits"]["refuse_on"] == list(REFUSE_ON)
    assert sorted(facts["made_from"]) == ["current", "reference"]
    assert all(digest.startswith("sha256:") for digest in facts["made_from"].values())
    assert "null" not in json.dumps(facts)
    assert set(table["change"].to_pylist()) <= set(KINDS)


def test_the_figures(compare):
    """Plain numbers; the counts are of PSI beyond chance."""
    old, new = {"x": ["a", "b"] * 200, "y": [1] * 400}, {"x": ["a", "a", "a", "b"] * 100, "y": [1] * 400}
    figures = compare(old, new).metrics()
    psi = 0.5 * np.log(3) / 2
    assert figures == {
        "rows_reference": 400, "rows_current": 400, "columns_compared": 2, "columns_changed": 1, "refusals": 1,
        "largest_psi": pytest.approx(psi, rel=0.02), "largest_psi_by_chance": 0.005, "columns_psi_above_0_1": 1,
        "columns_psi_above_0_25": 1,
    }  # fmt: skip
    assert {type(v) for v in figures.values()} == {int, float}


def test_a_line_for_each_refusal(compare, capsys):
    """None for what is only noted."""
    log_comparison(compare({"x": [1, 2], "y": [1, 2]}, {"x": ["a", "b"], "z": [1, 2]}), Metrics())
    assert capsys.readouterr().out.splitlines() == [
        "WARNING: refused for type of x: The values are of another type. (reference whole number; current text)",
        "WARNING: refused for removed_column of y: The column is gone. (reference whole number; current none)",
    ]


@pytest.mark.parametrize(("second", "expected"), [("a", "accept"), ("z", "refuse")])
def test_the_step_ends_well_either_way(tmp_path, second, expected):
    """Decision as text, the table, the page and the figures."""
    for name, value in (("old", "a"), ("new", second)):
        store.write_dataset(pa.table({"x": ["b", value] * 50}), tmp_path / name)
    table, figures, page = Dataset(), Metrics(), HTML()
    table.path, page.path = str(tmp_path / "out" / "changes"), str(tmp_path / "out" / "report")
    profile_changes.python_func(
        Dataset(uri=str(tmp_path / "old")), Dataset(uri=str(tmp_path / "new")), table, figures, page,
        str(tmp_path / "out" / "decision"),
    )  # fmt: skip
    assert (tmp_path / "out" / "decision").read_text() == expected
    assert pq.read_table(table.path).num_rows == table.metadata["rows"] == (0 if expected == "accept" else 3)
    assert table.metadata["decision"] == expected
    assert figures.metadata["rows_reference"] == 100
    assert (tmp_path / "out" / "report").read_text().startswith("<!DOCTYPE html>")


def test_the_step_refuses_what_core_does():
    """Defaults stand in two places, because KFP reads signatures."""
    defaults = {n: p.default for n, p in inspect.signature(profile_changes.python_func).parameters.items()}
    for name, value in asdict(Limits()).items():
        assert defaults[name] == (list(value) if isinstance(value, tuple) else value)


@pytest.mark.real_data
def test_one_county_is_not_the_country(great_britain, west_yorkshire, tmp_path):
    """West Yorkshire 2024 in place of Great Britain is refused for what it is; half of the country is not."""
    old, new = (read.load_tables(str(folder), {})["collision"] for folder in (great_britain, west_yorkshire))
    order = np.random.default_rng(0).permutation(old.num_rows)
    halves = [old.take(order[::2]), old.take(order[1::2])]
    paths = [tmp_path / name for name in ("old", "new", "half", "other")]
    store.write_datasets([old, new, *halves], paths)
    found = {(c.column, c.change) for c in compare_datasets(paths[0], paths[1], Limits()).refusals}
    assert found >= {
        ("", "rows"), ("police_force", "constant"), ("latitude", "distribution"), ("junction_detail_historic", "empty"),
    }  # fmt: skip
    assert compare_datasets(paths[2], paths[3], Limits()).refusals == []
