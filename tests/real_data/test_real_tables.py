"""The real records, read and cut by the library, against the same files read by the csv module alone."""

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from roadsafety_components.core import store
from roadsafety_components.core.clean import preprocess
from roadsafety_components.core.read import load_tables
from roadsafety_components.core.split import split

pytestmark = pytest.mark.real_data

Raw = dict[str, tuple[str, ...]]
TABLES = ("collision", "vehicle", "casualty")
UNITS = ("collision", "vehicle", "casualty")

# Names of 2015 whose canonical name is not their own in small letters.
RENAMED = {
    "Accident_Index": "collision_index",
    "Accident_Severity": "collision_severity",
    "Local_Authority_(District)": "local_authority_district",
    "Local_Authority_(Highway)": "local_authority_highway",
    "1st_Road_Class": "first_road_class",
    "1st_Road_Number": "first_road_number",
    "2nd_Road_Class": "second_road_class",
    "2nd_Road_Number": "second_road_number",
    "Junction_Detail": "junction_detail_historic",
    "Pedestrian_Crossing-Human_Control": "pedestrian_crossing_human_control_historic",
    "Pedestrian_Crossing-Physical_Facilities": "pedestrian_crossing_physical_facilities_historic",
    "Carriageway_Hazards": "carriageway_hazards_historic",
    "Vehicle_Manoeuvre": "vehicle_manoeuvre_historic",
    "Vehicle_Location-Restricted_Lane": "vehicle_location_restricted_lane_historic",
    "1st_Point_of_Impact": "first_point_of_impact",
    "Was_Vehicle_Left_Hand_Drive?": "vehicle_left_hand_drive",
    "Journey_Purpose_of_Driver": "journey_purpose_of_driver_historic",
    "Engine_Capacity_(CC)": "engine_capacity_cc",
}
FRACTIONS = (
    "location_easting_osgr", "location_northing_osgr", "longitude", "latitude", "collision_adjusted_severity_serious",
    "collision_adjusted_severity_slight", "casualty_adjusted_severity_serious", "casualty_adjusted_severity_slight",
)  # fmt: skip
TEXT = (
    "collision_index", "collision_ref_no", "local_authority_ons_district", "local_authority_highway",
    "local_authority_highway_current", "lsoa_of_accident_location", "lsoa_of_driver", "lsoa_of_casualty",
    "generic_make_model",
)  # fmt: skip


def missing(column: str) -> set[str]:
    """The texts that stand for nothing in a column."""
    if column in FRACTIONS or column in ("date", "time"):
        return {"", "NULL"}
    return {"", "NULL", "-1", "99"} if column == "speed_limit" else {"", "NULL", "-1"}


def value_of(column: str) -> Callable[[str], Any]:
    """How a column's text is read."""
    if column in FRACTIONS:
        return float
    if column == "date":
        return lambda text: datetime.strptime(text, "%d/%m/%Y").date()
    if column == "time":
        return time.fromisoformat
    return str if column in TEXT else int


def columns_of(lines: Iterator[str] | io.TextIOBase) -> Raw:
    """A CSV as text by canonical column name."""
    rows = csv.reader(lines)
    names = [RENAMED.get(name, name.lower()) for name in next(rows)]
    return dict(zip(names, zip(*rows, strict=True), strict=True))


@pytest.fixture(scope="module")
def raw_2015(great_britain: Path) -> dict[str, Raw]:
    """The text of Great Britain 2015."""
    tables = {}
    for table, name in zip(TABLES, ("Accidents", "Vehicles", "Casualties"), strict=True):
        with zipfile.ZipFile(great_britain / f"RoadSafetyData_{name}_2015.zip") as archive:
            (inner,) = archive.namelist()
            with archive.open(inner) as file:
                tables[table] = columns_of(io.TextIOWrapper(file, "ascii", newline=""))
    return tables


@pytest.fixture(scope="module")
def raw_2024(west_yorkshire: Path) -> dict[str, Raw]:
    """The text of West Yorkshire 2024."""
    tables = {}
    for table in TABLES:
        path = west_yorkshire / f"dft-road-casualty-statistics-{table}-2024.csv"
        with path.open(encoding="utf-8", newline="") as file:
            tables[table] = columns_of(file)
    return tables


@pytest.fixture(scope="module")
def tables_2015(great_britain: Path) -> dict[str, pa.Table]:
    """Great Britain 2015 as the library reads it."""
    return load_tables(str(great_britain), {})


@pytest.fixture(scope="module")
def tables_2024(west_yorkshire: Path) -> dict[str, pa.Table]:
    """West Yorkshire 2024 as the library reads it."""
    return load_tables(str(west_yorkshire), {})


@pytest.fixture(params=["2015", "2024"])
def year(request: pytest.FixtureRequest) -> str:
    """Each of the two."""
    return request.param


@pytest.fixture
def raw(year: str, request: pytest.FixtureRequest) -> dict[str, Raw]:
    """The text of one of the two."""
    return request.getfixturevalue(f"raw_{year}")


@pytest.fixture
def tables(year: str, request: pytest.FixtureRequest) -> dict[str, pa.Table]:
    """One of the two as the library reads it."""
    return request.getfixturevalue(f"tables_{year}")


def counts(table: pa.Table, column: str) -> dict[Any, int]:
    """Rows by value."""
    return dict(Counter(table[column].to_pylist()))


def test_rows_and_severities_are_the_published_ones(year: str, tables: dict[str, pa.Table]) -> None:
    """As counted in the data's own notes."""
    assert {name: table.num_rows for name, table in tables.items()} == {
        "2015": {"collision": 140_056, "vehicle": 257_845, "casualty": 186_189},
        "2024": {"collision": 4_060, "vehicle": 7_355, "casualty": 5_240},
    }[year]
    assert (
        counts(tables["collision"], "collision_severity")
        == {
            "2015": {1: 1_616, 2: 20_038, 3: 118_402},
            "2024": {1: 35, 2: 1_164, 3: 2_861},
        }[year]
    )
    assert year == "2015" or counts(tables["casualty"], "casualty_severity") == {1: 40, 2: 1_278, 3: 3_922}


def test_generation_and_year_are_told(year: str, tables: dict[str, pa.Table]) -> None:
    """From the header and the records; real records are not called synthetic, and no code is unknown."""
    for table in tables.values():
        facts = store.facts_of(table)
        assert facts["generation"] == {"2015": "legacy", "2024": "2024"}[year]
        assert facts["years"] == [int(year)]
        assert facts["synthetic"] is False
        assert facts["unlisted_codes_made_missing"] == {}
        assert [digest[:7] for digest in facts["made_from"].values()] == ["sha256:"]


def test_times_and_places_are_missing_where_they_were(tables_2015: dict[str, pa.Table]) -> None:
    """18 collisions of 2015 have no time, 27 no coordinates, 8,897 no LSOA; nobody's midnight was made up."""
    collision = tables_2015["collision"]
    assert {n: collision[n].null_count for n in ("time", "longitude", "location_easting_osgr")} == {
        "time": 18,
        "longitude": 27,
        "location_easting_osgr": 27,
    }
    assert collision["lsoa_of_accident_location"].null_count == 8_897
    assert time(0, 0) not in counts(collision, "time")


def test_deciles_of_2015_are_empty_columns(tables_2015: dict[str, pa.Table]) -> None:
    """-1 in every row of the vehicle table, and filled in the casualty table."""
    vehicle = tables_2015["vehicle"]
    assert (vehicle["driver_imd_decile"].null_count, vehicle["vehicle_imd_decile"].null_count) == (257_845, 257_845)
    assert tables_2015["casualty"]["casualty_imd_decile"].null_count < 186_189


def test_keys_are_kept_byte_for_byte(raw: dict[str, Raw], tables: dict[str, pa.Table]) -> None:
    """In every table and row; those of 2015 that look like numbers too."""
    for name, table in tables.items():
        assert table["collision_index"].to_pylist() == list(raw[name]["collision_index"])
        year, rest = zip(*((key[:4], key[4:]) for key in raw[name]["collision_index"]), strict=True)
        assert table["collision_ref_no"].to_pylist() == list(raw[name].get("collision_ref_no", rest))
        assert table["collision_year"].to_pylist() == [int(y) for y in year]


def test_keys_that_look_like_numbers_are_there(tables_2015: dict[str, pa.Table]) -> None:
    """923 keys of 2015 are a number in scientific notation to a reader that guesses."""
    keys = tables_2015["collision"]["collision_index"].to_pylist()
    assert sum(key.count("E") == 1 and key.replace("E", "").isdigit() for key in keys) == 923


def test_keys_are_unique_and_belong_together(tables: dict[str, pa.Table]) -> None:
    """One collision a key, every vehicle with its collision, every casualty with its vehicle; counted afresh."""
    keys = {
        "collision": ["collision_index"],
        "vehicle": ["collision_index", "vehicle_reference"],
        "casualty": ["collision_index", "vehicle_reference", "casualty_reference"],
    }
    found = {
        name: [tuple(row) for row in zip(*(tables[name][part].to_pylist() for part in parts), strict=True)]
        for name, parts in keys.items()
    }
    for name, rows in found.items():
        assert len(set(rows)) == len(rows) == tables[name].num_rows
    assert {row[:1] for row in found["vehicle"]} == set(found["collision"])
    assert {row[:2] for row in found["casualty"]} <= set(found["vehicle"])


def test_what_is_missing_is_counted_as_in_the_file(raw: dict[str, Raw], tables: dict[str, pa.Table]) -> None:
    """Column by column: as many gaps as the text has -1, empty fields or unknown speed limits."""
    for name, table in tables.items():
        assert set(raw[name]) | {"collision_year", "collision_ref_no"} == set(table.column_names)
        expected = {column: sum(texts.count(gap) for gap in missing(column)) for column, texts in raw[name].items()}
        assert {column: table[column].null_count for column in raw[name]} == expected


@pytest.mark.parametrize("name", TABLES)
def test_every_value_is_the_file_s(raw: dict[str, Raw], tables: dict[str, pa.Table], name: str) -> None:
    """Each field of each row and column, read again by Python's own int, float and datetime."""
    for column, texts in raw[name].items():
        read, gaps = value_of(column), missing(column)
        values = {text: None if text in gaps else read(text) for text in set(texts)}
        assert tables[name][column].to_pylist() == [values[text] for text in texts], column


@pytest.mark.parametrize("unit", UNITS)
def test_no_row_is_dropped_or_multiplied_by_a_join(tables: dict[str, pa.Table], unit: str) -> None:
    """As many rows as the unit's table, in its order, each with its collision's or its own severity."""
    result = preprocess(tables, unit, max_orphan_share=0.0)
    facts = store.facts_of(result)
    assert facts["rows_dropped"] == {}
    assert result["collision_index"].equals(tables[unit]["collision_index"])
    labels = {1: "fatal", 2: "serious", 3: "slight"}
    own = tables["casualty"]["casualty_severity"] if unit == "casualty" else None
    keys = tables["collision"]["collision_index"].to_pylist()
    worst = dict(zip(keys, tables["collision"]["collision_severity"].to_pylist(), strict=True))
    severity = own.to_pylist() if own else [worst[key] for key in result["collision_index"].to_pylist()]
    assert result["severity"].to_pylist() == [labels[code] for code in severity]


def test_hours_and_weekdays_are_those_of_the_clock(year: str, tables: dict[str, pa.Table]) -> None:
    """No time, no hour; and the weekday from the date is the recorded one but for two slips of 2015."""
    result = preprocess(tables, "collision")
    times, days = (tables["collision"][n].to_pylist() for n in ("time", "day_of_week"))
    assert result["hour"].to_pylist() == [None if t is None else t.hour for t in times]
    differ = sum(a != b for a, b in zip(result["weekday"].to_pylist(), days, strict=True))
    assert differ == {"2015": 2, "2024": 0}[year]


def test_nothing_of_the_outcome_is_a_feature(tables: dict[str, pa.Table]) -> None:
    """Whatever the model may know; the reason for each is in the facts."""
    leaks = {
        "collision_severity", "casualty_severity", "enhanced_severity_collision", "enhanced_casualty_severity",
        "collision_adjusted_severity_serious", "collision_adjusted_severity_slight", "collision_injury_based",
        "casualty_adjusted_severity_serious", "casualty_adjusted_severity_slight", "casualty_injury_based",
        "number_of_casualties", "did_police_officer_attend_scene_of_accident",
    }  # fmt: skip
    for unit in UNITS:
        result = preprocess(tables, unit, known_at="impact", keep_location=True)
        assert not leaks & set(result.column_names)
        present = {name for table in TABLES[: TABLES.index(unit) + 1] for name in tables[table].column_names}
        assert leaks & present <= set(store.facts_of(result)["columns_left_out"])


@pytest.mark.parametrize("unit", UNITS)
def test_a_split_by_collision_shares_no_key(tables: dict[str, pa.Table], unit: str) -> None:
    """Counted afresh; every row on one side, the sides as large as asked for, and alike in their classes."""
    whole = preprocess(tables, unit)
    parts = split(whole, "severity", "collision_index", test_share=0.3, validation_share=0.1, seed=1)
    keys = {name: set(part["collision_index"].to_pylist()) for name, part in parts.items()}
    assert not keys["train"] & keys["test"]
    assert not keys["train"] & keys["validation"]
    assert not keys["test"] & keys["validation"]
    assert sum(part.num_rows for part in parts.values()) == whole.num_rows
    collisions = len(set(whole["collision_index"].to_pylist()))
    for name, share in {"train": 0.6, "validation": 0.1, "test": 0.3}.items():
        assert abs(len(keys[name]) - share * collisions) <= 3
        assert store.facts_of(parts[name])["split"]["shared_groups"] == 0
    shares = {name: store.facts_of(part)["target_shares"] for name, part in parts.items()}
    tolerance = 0.005 if whole.num_rows > 100_000 else 0.03
    for label in ("fatal", "serious", "slight"):
        assert abs(shares["train"][label] - shares["test"][label]) < tolerance
