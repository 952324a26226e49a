"""Each rule is broken by the record that breaks it and by no other, and what is broken stops whom it should."""

import datetime
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from kfp import dsl

from roadsafety_components.components.validate_stats19 import validate_stats19
from roadsafety_components.core import store
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.merge import merge_datasets
from roadsafety_components.core.quality import Summary
from roadsafety_components.core.read import load_tables
from roadsafety_components.core.validate import (
    by_rule,
    check_words,
    figures,
    findings_table,
    named,
    pass_gate,
    row_schema,
    rules,
    validate,
)

from .make import canonical, write_tables

Rows = dict[str, list[dict[str, Any]]]
TABLES = ("collision", "vehicle", "casualty")
DATE = datetime.date
GONE: dict[str, Any] = {}  # stands for no row

# A rule, its table, what to change in the rows of a collision that breaks none (a list: one row each), and the other
# rules that it must break too. The collision is one of West Yorkshire's kind in 2024: slight, a car, a passenger.
CASES: list[tuple[str, str, dict[str, Any], set[str]]] = [
    ("key_missing", "vehicle",
     {"vehicle": [{}, {"vehicle_reference": None}], "collision": {"number_of_vehicles": 2}}, set()),
    ("key_missing", "casualty",
     {"casualty": [{}, {"casualty_reference": None}], "collision": {"number_of_casualties": 2}}, set()),
    ("key_repeated", "collision", {"collision": [{}, {}]}, set()),
    ("key_repeated", "vehicle", {"vehicle": [{}, {}], "collision": {"number_of_vehicles": 2}}, set()),
    ("key_repeated", "casualty", {"casualty": [{}, {}], "collision": {"number_of_casualties": 2}}, set()),
    ("without_collision", "vehicle", {"collision": [], "casualty": []}, set()),
    ("without_collision", "casualty", {"collision": [], "vehicle": []}, {"without_vehicle"}),
    ("without_vehicle", "casualty", {"casualty": {"vehicle_reference": 2}}, set()),
    ("without_vehicle", "collision", {"vehicle": [], "casualty": []},
     {"number_of_vehicles", "without_casualty", "number_of_casualties"}),
    ("without_casualty", "collision", {"casualty": []}, {"number_of_casualties"}),
    ("number_of_vehicles", "collision", {"collision": {"number_of_vehicles": 2}}, set()),
    ("number_of_casualties", "collision", {"collision": {"number_of_casualties": 3}}, set()),
    ("worst_casualty", "collision", {"casualty": {"casualty_severity": 1, "enhanced_casualty_severity": 1}}, set()),
    ("enhanced_severity", "collision", {"collision": {"enhanced_severity_collision": 7}}, set()),
    ("enhanced_severity", "casualty", {"casualty": {"enhanced_casualty_severity": 1}}, set()),
    ("adjusted_severity", "collision", {"collision": {"collision_adjusted_severity_slight": 0.9}}, set()),
    ("adjusted_severity", "casualty", {"casualty": {"casualty_adjusted_severity_serious": 0.5}}, set()),
    ("date_in_year", "collision", {"collision": {"date": DATE(2023, 5, 23)}}, set()),
    ("day_of_week", "collision", {"collision": {"day_of_week": 4}}, set()),
    ("day_of_week", "collision", {"collision": {"date": DATE(2024, 5, 26), "day_of_week": 7}}, set()),
    ("time_missing", "collision", {"collision": {"time": None}}, set()),
    ("coordinates_disagree", "collision", {"collision": {"longitude": -1.73846}}, set()),
    ("coordinates_incomplete", "collision", {"collision": {"latitude": None}}, set()),
    ("outside_britain", "collision", {"collision": {"location_easting_osgr": 714393.0}}, {"coordinates_disagree"}),
    ("outside_britain", "collision", {"collision": {"location_northing_osgr": 0.0}}, {"coordinates_disagree"}),
    ("lsoa_nation", "collision", {"collision": {"police_force": 62}}, set()),
    ("lsoa_nation", "collision", {"collision": {"police_force": 97}}, set()),
    ("lsoa_nation", "collision", {"collision": {"lsoa_of_accident_location": "W01000001"}}, set()),
    ("speed_limit", "collision", {"collision": {"speed_limit": 0}}, set()),
    ("age_of_driver", "vehicle", {"vehicle": {"age_of_driver": 111, "age_band_of_driver": 11}}, set()),
    ("young_driver", "vehicle", {"vehicle": {"age_of_driver": 5, "age_band_of_driver": 1}}, set()),
    ("age_band_of_driver", "vehicle", {"vehicle": {"age_of_driver": 46}}, set()),
    ("age_of_casualty", "casualty", {"casualty": {"age_of_casualty": 120, "age_band_of_casualty": 11}}, set()),
    ("age_band_of_casualty", "casualty", {"casualty": {"age_band_of_casualty": 11}}, set()),
    ("engine_capacity", "vehicle", {"vehicle": {"engine_capacity_cc": 13}}, set()),
    ("engine_capacity", "vehicle", {"vehicle": {"engine_capacity_cc": 22311}}, set()),
    ("age_of_vehicle", "vehicle", {"vehicle": {"age_of_vehicle": 140}}, set()),
    ("negative", "collision", {"collision": {"second_road_number": -1}}, set()),
    ("negative", "vehicle", {"vehicle": {"age_of_vehicle": -1}}, set()),
    ("negative", "casualty", {"casualty": {"age_of_casualty": -1, "age_band_of_casualty": 1}}, set()),
    ("reference", "collision", {"collision": {"collision_ref_no": "1"}}, set()),
    ("reference", "vehicle", {"vehicle": {"collision_ref_no": "1"}}, set()),
    ("reference", "casualty", {"casualty": {"collision_ref_no": "1"}}, set()),
    ("pedestrian", "casualty", {"casualty": {"pedestrian_location": 5}}, set()),
    ("pedestrian", "casualty", {"casualty": {"pedestrian_movement": 1}}, set()),
    ("pedestrian", "casualty", {"casualty": {"casualty_type": 0}}, set()),
    ("passenger", "casualty", {"casualty": {"casualty_class": 1}}, set()),
]  # fmt: skip
# What is odd and right: none of these breaks a rule.
SOUND: list[dict[str, Any]] = [
    {},
    {"collision": {"date": DATE(2024, 5, 26), "day_of_week": 1}},
    {"collision": {"police_force": 97, "lsoa_of_accident_location": None}},
    {"collision": {"police_force": 60, "lsoa_of_accident_location": "W01000001"}},
    {"collision": dict.fromkeys(("location_easting_osgr", "location_northing_osgr", "longitude", "latitude"))},
    {"collision": {"collision_severity": 2, "enhanced_severity_collision": 6},
     "casualty": {"casualty_severity": 2, "enhanced_casualty_severity": 5}},
    {"collision": {"collision_severity": 1, "enhanced_severity_collision": 1,
                   "collision_adjusted_severity_slight": 0.0},
     "casualty": {"casualty_severity": 1, "enhanced_casualty_severity": 1, "casualty_adjusted_severity_slight": 0.0}},
    {"collision": {"collision_adjusted_severity_serious": 0.1234, "collision_adjusted_severity_slight": 0.8766}},
    {"vehicle": dict.fromkeys(("vehicle_type", "age_of_driver", "age_band_of_driver", "engine_capacity_cc"))},
    {"vehicle": {"vehicle_type": 1, "age_of_driver": 5, "age_band_of_driver": 1}},
    {"vehicle": {"vehicle_type": 21, "engine_capacity_cc": 16353, "age_of_vehicle": 0}},
    {"vehicle": {"age_of_vehicle": 105, "age_of_driver": 76, "age_band_of_driver": 11}},
    {"casualty": {"casualty_class": 3, "casualty_type": 0, "pedestrian_location": 10, "pedestrian_movement": 9,
                  "car_passenger": 0}},
    {"casualty": {"casualty_class": 1, "car_passenger": 9}},
    {"vehicle": [{}, {"vehicle_reference": 227}], "casualty": [{}, {"vehicle_reference": 227}],
     "collision": {"number_of_vehicles": 2, "number_of_casualties": 2}},
]  # fmt: skip


def key_of(number: int) -> str:
    """The key of the collision of a case."""
    return f"2024{number:09}"


def built(usual: dict[str, pa.Table], cases: list[dict[str, Any]]) -> dict[str, pa.Table]:
    """A collision with its vehicle and casualty for each case, changed as it says."""
    rows: Rows = {name: [] for name in TABLES}
    for number, changes in enumerate(cases):
        for name in TABLES:
            given = changes.get(name, {})
            key = {"collision_index": key_of(number), "collision_ref_no": key_of(number)[4:]}
            for change in given if isinstance(given, list) else [given]:
                rows[name].append(usual[name].to_pylist()[0] | key | change)
    return {name: pa.Table.from_pylist(rows[name], usual[name].schema) for name in TABLES}


def written(tables: dict[str, pa.Table], folder: Path) -> dict[str, str]:
    """The tables as files."""
    folder.mkdir(exist_ok=True)
    store.write_datasets(list(tables.values()), [folder / name for name in tables])
    return {name: str(folder / name) for name in tables}


def broken(asked: pd.DataFrame) -> dict[tuple[str, str], tuple[int, list[str]]]:
    """Count and examples of what is broken, by rule and table."""
    found = named(by_rule(asked), ["error", "warning"]).to_dict("records")
    return {(f["rule"], f["table"]): (f["count"], f["examples"]) for f in found}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    """One collision of the 2024 release with its vehicle and its casualty."""
    return load_tables(str(write_tables(tmp_path_factory.mktemp("usual"))), {})


@pytest.fixture(scope="module")
def few(usual: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """The same with few of their columns, and without a generation that has more."""
    columns = {
        "collision": ["collision_index", "collision_year", "number_of_vehicles", "date", "day_of_week", "speed_limit",
                      "location_easting_osgr", "location_northing_osgr"],
        "vehicle": ["collision_index", "collision_year", "vehicle_reference"],
        "casualty": ["collision_index", "collision_year", "vehicle_reference", "casualty_reference"],
    }  # fmt: skip
    return {name: store.with_facts(usual[name].select(columns[name]), {}) for name in TABLES}


@pytest.fixture(scope="module")
def cases(usual: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Every rule as asked of the records of all cases together."""
    tables = built(usual, [changes for _, _, changes, _ in CASES])
    return validate(written(tables, tmp_path_factory.mktemp("cases")))[0]


# Rules


def test_every_rule_has_a_case() -> None:
    """But for those that have a test of their own below."""
    own = {("key_missing", "collision")} | {(r, t) for t in TABLES for r in ("key_year", "missing_jump")}
    assert {(r.rule, r.table) for r in rules()} == {(rule, table) for rule, table, _, _ in CASES} | own


def test_the_documentation_has_the_rules(checkout: Path) -> None:
    """The page's table names every rule with its tables and level, in the order of the groups, and no other."""
    page = (checkout / "docs" / "quality.md").read_text()
    lines = re.findall(r"^\|[^|]*\| `(\w+)` \| (all|[a-z, ]+) \| (error|warning) \|", page, re.M)
    tables: dict[tuple[str, str], list[str]] = {}
    for r in rules():
        tables.setdefault((r.rule, r.level), []).append(r.table)
    expected = [(n, ", ".join(dict.fromkeys(t)), level) for (n, level), t in tables.items()]
    assert lines == [(n, "all" if t == "collision, vehicle, casualty" else t, level) for n, t, level in expected]


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)), ids=[f"{c[0]}-{c[1]}" for c in CASES])
def test_a_record_breaks_its_rule_and_no_other(
    number: int, case: tuple[str, str, dict[str, Any], set[str]], usual: dict[str, pa.Table], cases: pd.DataFrame
) -> None:
    """Of all records together, the rules whose examples name it are those that it was made to break."""
    rule, table, _, also = case
    whole = cases.assign(examples=cases["examples"]).explode("examples").dropna(subset=["examples"])
    mine = whole[whole["examples"].str.startswith(f"{key_of(number)}:")]
    assert (rule, table) in set(zip(mine["rule"], mine["table"], strict=True))
    assert set(mine["rule"]) == {rule} | also


def test_no_more_is_broken_than_the_cases_break(cases: pd.DataFrame) -> None:
    """As many records a rule as there are cases for it; two for a key that two rows have."""
    expected: dict[str, int] = {}
    for rule, _, _, also in CASES:
        for name in {rule} | also:
            expected[name] = expected.get(name, 0) + (2 if rule == "key_repeated" else 1)
    found = by_rule(cases)
    assert found[found["count"] > 0].groupby("rule")["count"].sum().to_dict() == expected


def test_sound_records_break_nothing(usual: dict[str, pa.Table], tmp_path: Path) -> None:
    """However odd they are."""
    asked, summary = validate(written(built(usual, SOUND), tmp_path))
    assert broken(asked) == {}
    assert summary.with_error == 0


def test_examples_name_the_record_and_what_was_compared(cases: pd.DataFrame) -> None:
    """Key, the row's own references, then columns and values; what is missing is said to be."""
    found = {rule: told[0] for (rule, _), (_, told) in broken(cases).items()}
    assert found["speed_limit"].endswith(": speed_limit 0")
    assert found["day_of_week"].endswith(": day_of_week 4, date 2024-05-21")
    assert found["time_missing"].endswith(": time missing")
    assert found["engine_capacity"].endswith(": vehicle_reference 1, engine_capacity_cc 13")


def test_a_rule_is_asked_of_rows_that_have_its_columns(cases: pd.DataFrame) -> None:
    """Rows where one is missing are neither broken nor counted."""
    rows = by_rule(cases).set_index(["rule", "table"])["rows"]
    collisions = sum(len(c["collision"]) if isinstance(c.get("collision"), list) else 1 for _, _, c, _ in CASES)
    assert rows["speed_limit", "collision"] == collisions
    assert rows["time_missing", "collision"] == collisions
    assert rows["coordinates_disagree", "collision"] == collisions - 1


def test_records_with_an_error_are_counted_once(few: dict[str, pa.Table], tmp_path: Path) -> None:
    """A record may break several rules; warnings do not count."""
    changes = [{"collision": {"day_of_week": 1, "date": DATE(2023, 5, 23)}}, {"collision": {"speed_limit": 0}}, {}]
    _, summary = validate(written(built(few, changes), tmp_path))
    assert summary.with_error == 1


@pytest.mark.parametrize("table", TABLES)
def test_a_key_begins_with_its_year(few: dict[str, pa.Table], table: str, tmp_path: Path) -> None:
    """In each table; a key that is mangled or of another year is told with it."""
    tables = built(few, [{}])
    at = tables[table].column_names.index("collision_index")
    tables[table] = tables[table].set_column(at, "collision_index", pa.array(["2.024E+12"]))
    asked, _ = validate(written(tables, tmp_path))
    assert broken(asked)["key_year", table][1][0].startswith("2.024E+12: ")


def test_a_collision_without_key_is_told(few: dict[str, pa.Table], tmp_path: Path) -> None:
    """It is no orphan's collision, and its vehicle and casualty are orphans."""
    tables = built(few, [{}, {}])
    keys = pa.array([key_of(0), None])
    tables["collision"] = tables["collision"].set_column(0, "collision_index", keys)
    asked, _ = validate(written(tables, tmp_path))
    assert broken(asked)["key_missing", "collision"][0] == 1
    assert broken(asked)["without_collision", "vehicle"][0] == 1
    assert ("key_repeated", "collision") not in broken(asked)


def test_a_rule_without_its_column_is_not_asked(usual: dict[str, pa.Table], tmp_path: Path) -> None:
    """Nor is one of its columns missed: generations differ in them."""
    tables = built(usual, [{}])
    tables["collision"] = tables["collision"].drop_columns(["speed_limit", "local_authority_highway_current"])
    asked, _ = validate(written(tables, tmp_path))
    assert broken(asked) == {}
    assert "speed_limit" not in set(asked["rule"])


def test_a_jump_of_what_is_missing_is_told(usual: dict[str, pa.Table], tmp_path: Path) -> None:
    """By more than ten points from one year to the next; not in the first year."""
    gaps = {2020: 0, 2021: 10, 2023: 21}  # of a hundred
    parts = []
    for year, lost in gaps.items():
        rows = [
            {"collision_index": f"{year}{i:09}", "collision_year": year, "speed_limit": None if i < lost else 30}
            for i in range(100)
        ]
        parts.append(
            pa.Table.from_pylist(
                rows,
                pa.schema(
                    [("collision_index", pa.string()), ("collision_year", pa.int16()), ("speed_limit", pa.int32())]
                ),
            )
        )
    asked, _ = validate(written({"collision": pa.concat_tables(parts)}, tmp_path))
    found = asked[asked["rule"] == "missing_jump"].set_index("year")
    assert found["count"].to_dict() == {2020: 0, 2021: 0, 2023: 1}
    assert found["rows"].to_dict() == {2020: 0, 2021: 3, 2023: 3}
    assert found["examples"][2023] == ["speed_limit: missing 0.21, missing_before 0.1"]


def test_the_schema_is_pandera_s(usual: dict[str, pa.Table]) -> None:
    """Types of all columns, and a check a rule that can be used on a frame by itself."""
    schema = row_schema("collision", ["speed_limit", "date", "collision_year"])
    assert [c.name for c in schema.checks if "date" in c.name] == ["date.dt.year == collision_year"]
    assert str(schema.columns["speed_limit"].dtype) == "int32[pyarrow]"
    frame = canonical({"speed_limit": [30, 31, None], "date": [DATE(2024, 1, 1)] * 3, "collision_year": [2024] * 3})
    frame = frame.cast(pa.schema([("speed_limit", pa.int32()), ("date", pa.date32()), ("collision_year", pa.int32())]))
    from pandera.errors import SchemaErrors

    with pytest.raises(SchemaErrors) as errors:
        schema.validate(frame.to_pandas(types_mapper=pd.ArrowDtype), lazy=True)
    (failure,) = errors.value.schema_errors
    assert failure.check_output.tolist() == [True, False, True]


# Tables


def test_without_vehicles_and_casualties_their_rules_are_not_asked(usual: dict[str, pa.Table], tmp_path: Path) -> None:
    """Nor are those that compare with them; nobody is an orphan."""
    paths = written(built(usual, [{"vehicle": [], "casualty": []}, {}]), tmp_path)
    asked, summary = validate({"collision": paths["collision"]})
    assert set(asked["table"]) == {"collision"}
    assert not {"without_vehicle", "without_casualty", "number_of_vehicles", "worst_casualty"} & set(asked["rule"])
    assert broken(asked) == {}
    assert summary.rows == {"collision": {2024: 2}, "vehicle": {}, "casualty": {}}


def two_years(usual: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """2023 and 2024, with something wrong in each."""
    changes = [{"collision": {"speed_limit": 5}}, {"collision": {"day_of_week": 5}}, {}]
    tables = {}
    for name, table in built(usual, changes).items():
        rows = table.to_pylist()
        for row in table.to_pylist():
            earlier = {"collision_index": "2023" + row["collision_index"][4:], "collision_year": 2023}
            rows.append(row | earlier | ({"date": DATE(2023, 5, 23)} if name == "collision" else {}))
        tables[name] = pa.Table.from_pylist(rows, table.schema)
    return tables


def test_two_years_in_a_table_and_in_a_folder_are_the_same(few: dict[str, pa.Table], tmp_path: Path) -> None:
    """Findings, figures and counts; a finding a year."""
    paths = written(two_years(few), tmp_path / "file")
    folders = {name: str(tmp_path / f"{name}s") for name in TABLES}
    for name, path in paths.items():
        merge_datasets([Path(path)], Path(folders[name]))
    one, other = validate(paths), validate(folders)
    assert findings_table(*one).equals(findings_table(*other))
    assert figures(*one) == figures(*other)
    assert findings_table(*one)["year"].to_pylist() == [2023, 2024, 2023, 2024]
    assert findings_table(*one)["rule"].to_pylist() == ["day_of_week", "day_of_week", "speed_limit", "speed_limit"]
    assert broken(one[0])["speed_limit", "collision"] == (2, [f"{y}000000000: speed_limit 5" for y in (2023, 2024)])
    assert (one[1].places == other[1].places).all()


@pytest.mark.parametrize(
    ("lacking", "rule", "of"),
    [("vehicle", "without_vehicle", "collision"), ("collision", "without_collision", "vehicle")],
)
def test_a_year_that_a_table_lacks_is_not_forgotten(
    few: dict[str, pa.Table], lacking: str, rule: str, of: str, tmp_path: Path
) -> None:
    """Its collisions are without vehicles, its vehicles without collisions."""
    tables = two_years(few)
    tables[lacking] = tables[lacking].filter(pc.equal(tables[lacking]["collision_year"], 2024))
    asked, _ = validate(written(tables, tmp_path))
    assert broken(asked)[rule, of][0] == 3


def test_other_widths_of_numbers_and_text_are_read(few: dict[str, pa.Table], tmp_path: Path) -> None:
    """What another tool made of the tables is checked like them."""
    tables = built(few, [{"collision": {"speed_limit": 5}}])
    wide = {pa.int16(): pa.int64(), pa.int32(): pa.int64(), pa.string(): pa.large_string()}
    for name, table in tables.items():
        fields = [f.with_type(wide.get(f.type, f.type)) for f in table.schema]
        tables[name] = table.cast(pa.schema(fields, metadata=table.schema.metadata))
    assert set(broken(validate(written(tables, tmp_path))[0])) == {("speed_limit", "collision")}


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("vehicle_reference", None, "vehicle table: column vehicle_reference is not there. Give the tables of load_st"),
        ("vehicle_reference", ["1"], "vehicle table: column vehicle_reference is string, not int32."),
        ("age_of_driver", [1.5], "vehicle table: column age_of_driver is double, not int32."),
    ],
)
def test_what_is_no_table_of_stats19_is_refused(
    usual: dict[str, pa.Table], column: str, values: list[Any] | None, told: str, tmp_path: Path
) -> None:
    """By table, column and type."""
    tables = dict(usual)
    at = tables["vehicle"].column_names.index(column)
    tables["vehicle"] = (
        tables["vehicle"].drop_columns(column)
        if values is None
        else tables["vehicle"].set_column(at, column, pa.array(values))
    )
    with pytest.raises(InputError) as error:
        validate(written(tables, tmp_path))
    assert str(error.value).startswith(told)


# The gate


@pytest.fixture(scope="module")
def slips(usual: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Every rule as asked of four collisions, three of which break one."""
    changes = [{"collision": {"day_of_week": 5}}, {"collision": {"speed_limit": 5}}, {"collision": {"time": None}}, {}]
    return validate(written(built(usual, changes), tmp_path_factory.mktemp("slips")))[0]


@pytest.mark.parametrize(
    ("fail_on", "stopped"),
    [
        ([], []),
        (["keys", "links"], []),
        (["calendar"], ["day_of_week", "time_missing"]),
        (["day_of_week"], ["day_of_week"]),
        (["error"], ["day_of_week"]),
        (["warning"], ["time_missing", "speed_limit"]),
        (["speed_limit", "calendar"], ["day_of_week", "time_missing", "speed_limit"]),
        (["error", "warning"], ["day_of_week", "time_missing", "speed_limit"]),
    ],
)
def test_rules_groups_and_levels_stop(slips: pd.DataFrame, fail_on: list[str], stopped: list[str], capsys) -> None:
    """All that are broken are printed; those that are named stop, with example, advice and the report's place."""
    check_words(fail_on)
    message = ""
    try:
        pass_gate(slips, fail_on, "/runs/report.html")
    except InputError as error:
        message = str(error)
    printed = capsys.readouterr().out.splitlines()
    assert printed == [
        "WARNING: day_of_week: 1 of 4 collision rows, e.g. 2024000000000: day_of_week 5, date 2024-05-21",
        "WARNING: time_missing: 1 of 4 collision rows, e.g. 2024000000002: time missing",
        "WARNING: speed_limit: 1 of 4 collision rows, e.g. 2024000000001: speed_limit 5",
    ]
    assert [line for line in printed if line.removeprefix("WARNING: ") in message] == [
        line for line in printed if line.split()[1].removesuffix(":") in stopped
    ]
    if stopped:
        assert message.startswith(f"records break rules that fail_on names ({', '.join(fail_on)}). ")
        assert message.endswith(" The report is /runs/report.html.")
        assert ("make the value missing" in message) == ("speed_limit" in stopped)
    else:
        assert message == ""


@pytest.mark.parametrize(
    ("word", "nearest"), [("key", " Nearest name: keys."), ("speed_limits", " Nearest name: speed_limit."), ("xyz", "")]
)
def test_a_word_that_names_nothing_is_refused(word: str, nearest: str) -> None:
    """With the nearest that does, and the groups."""
    with pytest.raises(InputError) as error:
        check_words(["links", word])
    assert str(error.value) == (
        f"fail_on: {word!r} is no rule, group or level.{nearest} The groups are keys, links, counts, severity, "
        "calendar, geography, ranges, codes, missing."
    )


def step(paths: dict[str, str], folder: Path, fail_on: list[str]) -> dict[str, Any]:
    """Run the step's own function on files; its outputs are in the folder even if it fails."""
    inputs = {
        n: dsl.Dataset(uri=paths[t]) for n, t in zip(("collisions", "vehicles", "casualties"), TABLES, strict=True)
    }
    outputs = {
        "findings": dsl.Dataset(uri=str(folder / "findings.parquet")),
        "metrics": dsl.Metrics(uri=str(folder / "metrics.json")),
        "report": dsl.HTML(uri=str(folder / "report.html")),
    }
    validate_stats19.python_func(**inputs, **outputs, fail_on=fail_on)
    return outputs


def test_a_step_that_fails_has_written_its_outputs(few: dict[str, pa.Table], tmp_path: Path) -> None:
    """Findings, figures and report, whole; the message says where the report is."""
    paths = written(built(few, [{"casualty": {"vehicle_reference": 2}}, {}]), tmp_path)
    out = tmp_path / "out"
    with pytest.raises(InputError, match=r"without_vehicle: 1 of 2 casualty rows, e\.g\. 2024000000000: .*") as error:
        step(paths, out, ["keys", "links"])
    assert f"The report is {out / 'report.html'}." in str(error.value)
    assert sorted(p.name for p in out.iterdir()) == ["findings.parquet", "metrics.json", "report.html"]
    table = pq.read_table(out / "findings.parquet")
    assert table.drop_columns(["examples", "explanation"]).to_pylist() == [
        {"rule": "without_vehicle", "group": "links", "table": "casualty", "year": 2024, "level": "error", "count": 1,
         "rows": 2, "share": 0.5}
    ]  # fmt: skip
    assert json.loads((out / "metrics.json").read_text())["findings_links"] == 1
    assert "without vehicle (casualty)" in (out / "report.html").read_text()


def test_a_word_that_names_nothing_stops_the_step_before_it_works(few: dict[str, pa.Table], tmp_path: Path) -> None:
    """There is no half output."""
    with pytest.raises(InputError, match="'kyes' is no rule"):
        step(written(built(few, [{}]), tmp_path), tmp_path / "out", ["kyes"])
    assert not (tmp_path / "out").exists()


def test_findings_of_sound_tables_have_columns_and_no_rows(usual: dict[str, pa.Table], tmp_path: Path) -> None:
    """With the same types as others, and what the records are in their facts."""
    out = step(written(built(usual, [{}]), tmp_path), tmp_path / "out", ["error", "warning"])
    table = pq.read_table(tmp_path / "out" / "findings.parquet")
    assert {f.name: str(f.type) for f in table.schema} == {
        "rule": "string", "group": "string", "table": "string", "year": "int32", "level": "string", "count": "int64",
        "rows": "int64", "share": "double", "examples": "string", "explanation": "string",
    }  # fmt: skip
    assert table.num_rows == 0
    assert out["findings"].metadata == {
        "generation": "2024",
        "synthetic": False,
        "years": [2024],
        "rows": 0,
        "columns": 10,
    }
    assert out["metrics"].metadata == {
        "rows_collision": 1, "rows_vehicle": 1, "rows_casualty": 1, "errors": 0, "warnings": 0, "share_with_error": 0.0,
        **{f"findings_{g}": 0 for g in dict.fromkeys(r.group for r in rules())},
    }  # fmt: skip


def test_figures_are_plain_numbers(cases: pd.DataFrame) -> None:
    """KFP takes no numpy scalars."""
    summary = Summary()
    summary.rows["collision"][2024] = 50
    summary.with_error = 10
    found = figures(cases, summary)
    assert {type(v) for v in found.values()} == {int, float}
    assert found["share_with_error"] == 0.2
    assert found["findings_keys"] == 5
    assert found["errors"] + found["warnings"] == sum(v for k, v in found.items() if k.startswith("findings_"))


# The real records

REAL: dict[str, dict[tuple[str, str], tuple[int, int]]] = {
    "great_britain": {
        ("day_of_week", "collision"): (2, 140_056),
        ("pedestrian", "casualty"): (2, 186_187),
        ("passenger", "casualty"): (3, 185_788),
        ("time_missing", "collision"): (18, 140_056),
        ("lsoa_nation", "collision"): (3, 131_159),
        ("speed_limit", "collision"): (3, 140_056),
        ("young_driver", "vehicle"): (1, 228_012),
        ("engine_capacity", "vehicle"): (5, 185_556),
    },
    "west_yorkshire": {("young_driver", "vehicle"): (1, 5_839)},
}
WITH_ERROR = {"great_britain": 7, "west_yorkshire": 0}


@pytest.mark.real_data
@pytest.mark.parametrize("name", REAL)
def test_what_is_true_of_the_published_records(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Count and rows asked of each rule that they break, and no other."""
    tables = load_tables(str(request.getfixturevalue(name)), {})
    asked, summary = validate(written(tables, tmp_path))
    found = named(by_rule(asked), ["error", "warning"]).set_index(["rule", "table"])
    assert {k: (row["count"], row["rows"]) for k, row in found.iterrows()} == REAL[name]
    assert summary.with_error == WITH_ERROR[name]
    assert summary.strays == []
