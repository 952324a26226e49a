"""Raw files of each generation to canonical tables, and every way in which a file can be wrong."""

import gzip
import json
import re
import zipfile
from datetime import date, time
from pathlib import Path

import pyarrow as pa
import pytest

from roadsafety_components.core import files, store
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.read import load_tables

from .make import Answer, csv_text, published, rewrite, write_tables

TABLES = ("collision", "vehicle", "casualty")
# Name of the key column by generation.
KEY = {"legacy": "Accident_Index", "accident": "accident_index", "2024": "collision_index", "2025": "collision_index"}

LEGACY = {
    "collision": {
        "collision_index": ["201501BS70001"], "collision_year": [2015], "collision_ref_no": ["01BS70001"],
        "location_easting_osgr": [525130.0], "location_northing_osgr": [180050.0], "longitude": [-0.198465],
        "latitude": [51.505538], "police_force": [1], "collision_severity": [3], "number_of_vehicles": [1],
        "number_of_casualties": [1], "date": [date(2015, 1, 12)], "day_of_week": [2], "time": [time(18, 45)],
        "local_authority_district": [12], "local_authority_highway": ["E09000020"], "first_road_class": [5],
        "first_road_number": [0], "road_type": [6], "speed_limit": [30], "junction_detail_historic": [3],
        "junction_control": [4], "second_road_class": [6], "second_road_number": [0],
        "pedestrian_crossing_human_control_historic": [0], "pedestrian_crossing_physical_facilities_historic": [0],
        "light_conditions": [4], "weather_conditions": [1], "road_surface_conditions": [1],
        "special_conditions_at_site": [0], "carriageway_hazards_historic": [0], "urban_or_rural_area": [1],
        "did_police_officer_attend_scene_of_accident": [1], "lsoa_of_accident_location": ["E01002825"],
    },
    "vehicle": {
        "collision_index": ["201501BS70001"], "collision_year": [2015], "collision_ref_no": ["01BS70001"],
        "vehicle_reference": [1], "vehicle_type": [9], "towing_and_articulation": [0],
        "vehicle_manoeuvre_historic": [18], "vehicle_location_restricted_lane_historic": [0],
        "junction_location": [8], "skidding_and_overturning": [0], "hit_object_in_carriageway": [0],
        "vehicle_leaving_carriageway": [0], "hit_object_off_carriageway": [0], "first_point_of_impact": [3],
        "vehicle_left_hand_drive": [1], "journey_purpose_of_driver_historic": [6], "sex_of_driver": [1],
        "age_of_driver": [45], "age_band_of_driver": [7], "engine_capacity_cc": [1794], "propulsion_code": [1],
        "age_of_vehicle": [11], "driver_imd_decile": [None], "driver_home_area_type": [1],
        "vehicle_imd_decile": [None],
    },
    "casualty": {
        "collision_index": ["201501BS70001"], "collision_year": [2015], "collision_ref_no": ["01BS70001"],
        "vehicle_reference": [1], "casualty_reference": [1], "casualty_class": [3], "sex_of_casualty": [2],
        "age_of_casualty": [75], "age_band_of_casualty": [10], "casualty_severity": [3],
        "pedestrian_location": [5], "pedestrian_movement": [1], "car_passenger": [0],
        "bus_or_coach_passenger": [0], "pedestrian_road_maintenance_worker": [2], "casualty_type": [0],
        "casualty_home_area_type": [3], "casualty_imd_decile": [None],
    },
}  # fmt: skip
ACCIDENT = {
    "collision": {
        "collision_index": ["2022010352073"], "collision_year": [2022], "collision_ref_no": ["010352073"],
        "location_easting_osgr": [521508.0], "location_northing_osgr": [193079.0], "longitude": [-0.246102],
        "latitude": [51.623425], "police_force": [1], "collision_severity": [2], "number_of_vehicles": [2],
        "number_of_casualties": [1], "date": [date(2022, 1, 5)], "day_of_week": [4], "time": [time(16, 40)],
        "local_authority_district": [None], "local_authority_ons_district": ["E09000003"],
        "local_authority_highway": ["E09000003"], "first_road_class": [3], "first_road_number": [1],
        "road_type": [6], "speed_limit": [30], "junction_detail_historic": [9], "junction_control": [2],
        "second_road_class": [3], "second_road_number": [598],
        "pedestrian_crossing_human_control_historic": [None],
        "pedestrian_crossing_physical_facilities_historic": [1], "light_conditions": [1],
        "weather_conditions": [1], "road_surface_conditions": [1], "special_conditions_at_site": [0],
        "carriageway_hazards_historic": [0], "urban_or_rural_area": [1],
        "did_police_officer_attend_scene_of_accident": [3], "trunk_road_flag": [2],
        "lsoa_of_accident_location": ["E01000319"], "enhanced_severity_collision": [6],
    },
    "vehicle": {
        "collision_index": ["2022010352073"], "collision_year": [2022], "collision_ref_no": ["010352073"],
        "vehicle_reference": [1], "vehicle_type": [9], "towing_and_articulation": [0],
        "vehicle_manoeuvre_historic": [17], "vehicle_direction_from": [7], "vehicle_direction_to": [3],
        "vehicle_location_restricted_lane_historic": [4], "junction_location": [2],
        "skidding_and_overturning": [1], "hit_object_in_carriageway": [0], "vehicle_leaving_carriageway": [7],
        "hit_object_off_carriageway": [0], "first_point_of_impact": [1], "vehicle_left_hand_drive": [1],
        "journey_purpose_of_driver_historic": [15], "sex_of_driver": [3], "age_of_driver": [34],
        "age_band_of_driver": [6], "engine_capacity_cc": [1984], "propulsion_code": [8], "age_of_vehicle": [None],
        "generic_make_model": ["TOYOTA PRIUS"], "driver_imd_decile": [3], "driver_home_area_type": [1],
        "lsoa_of_driver": ["E01000320"],
    },
    "casualty": {
        "collision_index": ["2022010352073"], "collision_year": [2022], "collision_ref_no": ["010352073"],
        "vehicle_reference": [1], "casualty_reference": [1], "casualty_class": [2], "sex_of_casualty": [9],
        "age_of_casualty": [99], "age_band_of_casualty": [11], "casualty_severity": [2],
        "pedestrian_location": [0], "pedestrian_movement": [0], "car_passenger": [2],
        "bus_or_coach_passenger": [0], "pedestrian_road_maintenance_worker": [0], "casualty_type": [9],
        "casualty_home_area_type": [2], "casualty_imd_decile": [None], "lsoa_of_casualty": [None],
        "enhanced_casualty_severity": [5], "casualty_distance_banding": [1],
    },
}  # fmt: skip
FROM_2024 = {
    "collision": {
        "collision_index": ["2024130352073"], "collision_year": [2024], "collision_ref_no": ["130352073"],
        "location_easting_osgr": [414393.0], "location_northing_osgr": [422878.0], "longitude": [-1.78346],
        "latitude": [53.70214], "police_force": [13], "collision_severity": [3], "number_of_vehicles": [1],
        "number_of_casualties": [1], "date": [date(2024, 5, 21)], "day_of_week": [3], "time": [time(15, 30)],
        "local_authority_district": [None], "local_authority_ons_district": ["E08000033"],
        "local_authority_highway": ["E08000034"], "local_authority_highway_current": ["E08000035"],
        "first_road_class": [6], "first_road_number": [0], "road_type": [9], "speed_limit": [30],
        "junction_detail_historic": [None], "junction_detail": [19], "junction_control": [4],
        "second_road_class": [9], "second_road_number": [0],
        "pedestrian_crossing_human_control_historic": [None],
        "pedestrian_crossing_physical_facilities_historic": [None], "pedestrian_crossing": [11],
        "light_conditions": [7], "weather_conditions": [9], "road_surface_conditions": [9],
        "special_conditions_at_site": [None], "carriageway_hazards_historic": [None], "carriageway_hazards": [21],
        "urban_or_rural_area": [1], "did_police_officer_attend_scene_of_accident": [2], "trunk_road_flag": [2],
        "lsoa_of_accident_location": ["E01010949"], "enhanced_severity_collision": [3],
        "collision_injury_based": [1], "collision_adjusted_severity_serious": [0.0],
        "collision_adjusted_severity_slight": [1.0],
    },
    "vehicle": {
        "collision_index": ["2024130352073"], "collision_year": [2024], "collision_ref_no": ["130352073"],
        "vehicle_reference": [1], "vehicle_type": [9], "towing_and_articulation": [0],
        "vehicle_manoeuvre_historic": [None], "vehicle_manoeuvre": [19], "vehicle_direction_from": [1],
        "vehicle_direction_to": [5], "vehicle_location_restricted_lane_historic": [None],
        "vehicle_location_restricted_lane": [9], "junction_location": [8], "skidding_and_overturning": [0],
        "hit_object_in_carriageway": [10], "vehicle_leaving_carriageway": [0], "hit_object_off_carriageway": [4],
        "first_point_of_impact": [3], "vehicle_left_hand_drive": [9], "journey_purpose_of_driver_historic": [None],
        "journey_purpose_of_driver": [7], "sex_of_driver": [3], "age_of_driver": [44], "age_band_of_driver": [7],
        "engine_capacity_cc": [1591], "propulsion_code": [12], "age_of_vehicle": [5],
        "generic_make_model": ["HYUNDAI TUCSON"], "driver_imd_decile": [7], "lsoa_of_driver": ["E01011942"],
        "escooter_flag": [0], "driver_distance_banding": [5],
    },
    "casualty": {
        "collision_index": ["2024130352073"], "collision_year": [2024], "collision_ref_no": ["130352073"],
        "vehicle_reference": [1], "casualty_reference": [1], "casualty_class": [2], "sex_of_casualty": [1],
        "age_of_casualty": [35], "age_band_of_casualty": [6], "casualty_severity": [3],
        "pedestrian_location": [0], "pedestrian_movement": [0], "car_passenger": [1],
        "bus_or_coach_passenger": [0], "pedestrian_road_maintenance_worker": [None], "casualty_type": [33],
        "casualty_imd_decile": [4], "lsoa_of_casualty": ["E01011447"], "enhanced_casualty_severity": [3],
        "casualty_injury_based": [1], "casualty_adjusted_severity_serious": [0.0],
        "casualty_adjusted_severity_slight": [1.0], "casualty_distance_banding": [1],
    },
}  # fmt: skip


def load(folder: Path, unknown_codes: str = "error") -> dict[str, pa.Table]:
    """Read a folder."""
    return load_tables(str(folder), {}, unknown_codes)


def load_one(folder: Path, table: str, generation: str = "2024", **row: str) -> pa.Table:
    """The table, read from a folder in which one row of it has the changes."""
    return load(write_tables(folder, generation, **{table: [row]}))[table]


def refused(folder: Path, told: str, unknown_codes: str = "error") -> None:
    """Reading the folder fails with these very words in its message."""
    with pytest.raises(InputError, match=re.escape(told)):
        load(folder, unknown_codes)


# What comes out


@pytest.mark.parametrize(
    ("generation", "expected"),
    [("legacy", LEGACY), ("accident", ACCIDENT), ("2024", FROM_2024), ("2025", FROM_2024)],
)
def test_each_generation_gives_the_canonical_table(tmp_path: Path, generation: str, expected: dict) -> None:
    """Names of the 2024 release, in its order, from each generation's own; codes of the older lists in *_historic."""
    tables = load(write_tables(tmp_path, generation))
    assert {n: t.to_pydict() for n, t in tables.items()} == expected
    assert {n: t.column_names for n, t in tables.items()} == {n: list(columns) for n, columns in expected.items()}
    for table in tables.values():
        facts = store.facts_of(table)
        assert (facts["generation"], facts["years"]) == (generation, [expected["collision"]["collision_year"][0]])


def test_columns_have_the_types_that_the_reader_promises(tmp_path: Path) -> None:
    """Codes int16, quantities int32 or float64, date32, time32 in seconds, keys and area codes text."""
    tables = load(write_tables(tmp_path))
    assert {n: str(tables["collision"][n].type) for n in (
        "collision_index", "collision_ref_no", "local_authority_ons_district", "collision_year", "longitude",
        "location_easting_osgr", "speed_limit", "police_force", "collision_severity", "first_road_number", "date",
        "time", "number_of_vehicles", "collision_adjusted_severity_slight",
    )} == {
        "collision_index": "string", "collision_ref_no": "string", "local_authority_ons_district": "string",
        "collision_year": "int32", "longitude": "double", "location_easting_osgr": "double", "speed_limit": "int32",
        "police_force": "int16", "collision_severity": "int16", "first_road_number": "int32", "date": "date32[day]",
        "time": "time32[s]", "number_of_vehicles": "int32", "collision_adjusted_severity_slight": "double",
    }  # fmt: skip


def test_identifiers_and_categories_are_marked(tmp_path: Path) -> None:
    """Keys are identifiers; codes and road numbers are categories; deciles, severity and quantities are neither."""
    tables = load(write_tables(tmp_path))
    keys = ["collision_index", "collision_year", "collision_ref_no"]
    assert store.marked(tables["collision"], store.IDENTIFIER) == keys
    assert store.marked(tables["vehicle"], store.IDENTIFIER) == [*keys, "vehicle_reference"]
    assert store.marked(tables["casualty"], store.IDENTIFIER) == [*keys, "vehicle_reference", "casualty_reference"]
    categories = store.marked(tables["collision"], store.CATEGORY) + store.marked(tables["vehicle"], store.CATEGORY)
    assert {"road_type", "first_road_number", "police_force", "vehicle_type"} <= set(categories)
    assert not {"speed_limit", "collision_severity", "driver_imd_decile", "age_of_driver"} & set(categories)


def test_facts_say_what_the_tables_were_made_from(tmp_path: Path) -> None:
    """Table, unit, generation, years, schema version and the digest of each file of the table."""
    tables = load(write_tables(tmp_path))
    assert store.facts_of(tables["vehicle"]) == {
        "table": "vehicle",
        "unit": "vehicle",
        "generation": "2024",
        "years": [2024],
        "synthetic": False,
        "schema_version": "1",
        "unlisted_codes_made_missing": {},
        "made_from": {"vehicle.csv": files.digest(tmp_path / "vehicle.csv")},
    }


def test_synthetic_records_are_told_from_their_key(tmp_path: Path) -> None:
    """A police reference that begins with SYN marks all three tables."""
    row = {"collision_index": "2024SYN000001", "collision_ref_no": "SYN000001"}
    tables = load(write_tables(tmp_path, collision=[row], vehicle=[row], casualty=[row]))
    assert [store.facts_of(t)["synthetic"] for t in tables.values()] == [True, True, True]


# Missing, unknown, and values that look like either


@pytest.mark.parametrize(
    ("table", "column", "text", "value"),
    [
        ("collision", "speed_limit", "-1", None),
        ("collision", "speed_limit", "99", None),
        ("collision", "speed_limit", "", None),
        ("collision", "police_force", "99", 99),
        ("collision", "road_type", "9", 9),
        ("collision", "road_type", "-1", None),
        ("collision", "junction_control", "9", 9),
        ("collision", "junction_control", "-1", None),
        ("collision", "junction_detail", "99", 99),
        ("collision", "junction_detail", "19", 19),
        ("collision", "first_road_number", "0", 0),
        ("collision", "first_road_number", "99", 99),
        ("collision", "first_road_number", "-1", None),
        ("collision", "longitude", "-1", -1.0),
        ("collision", "longitude", "9", 9.0),
        ("collision", "longitude", "", None),
        ("collision", "longitude", "NULL", None),
        ("collision", "location_easting_osgr", "", None),
        ("collision", "location_easting_osgr", "525130.5", 525130.5),
        ("collision", "time", "", None),
        ("collision", "time", "NULL", None),
        ("collision", "time", "00:00", time(0, 0)),
        ("collision", "local_authority_district", "-1", None),
        ("collision", "local_authority_district", "9", 9),
        ("collision", "local_authority_ons_district", "-1", None),
        ("collision", "local_authority_highway", "EHEATHROW", "EHEATHROW"),
        ("collision", "lsoa_of_accident_location", "", None),
        ("collision", "lsoa_of_accident_location", "-1", None),
        ("collision", "collision_injury_based", "-1", None),
        ("collision", "collision_adjusted_severity_serious", "", None),
        ("vehicle", "vehicle_type", "9", 9),
        ("vehicle", "vehicle_type", "99", 99),
        ("vehicle", "vehicle_type", "-1", None),
        ("vehicle", "age_of_driver", "99", 99),
        ("vehicle", "age_of_driver", "9", 9),
        ("vehicle", "age_of_driver", "-1", None),
        ("vehicle", "age_of_driver", "NULL", None),
        ("vehicle", "engine_capacity_cc", "-1", None),
        ("vehicle", "sex_of_driver", "3", 3),
        ("vehicle", "journey_purpose_of_driver", "6", 6),
        ("vehicle", "generic_make_model", "-1", None),
        ("vehicle", "generic_make_model", "-10", "-10"),
        ("vehicle", "generic_make_model", "NA", "NA"),
        ("vehicle", "vehicle_reference", "227", 227),
        ("casualty", "sex_of_casualty", "9", 9),
        ("casualty", "casualty_type", "9", 9),
        ("casualty", "casualty_type", "33", 33),
        ("casualty", "pedestrian_location", "10", 10),
        ("casualty", "pedestrian_road_maintenance_worker", "2", 2),
        ("casualty", "age_of_casualty", "-1", None),
    ],
)
def test_what_is_missing_is_known_by_column(tmp_path: Path, table: str, column: str, text: str, value: object) -> None:
    """-1, empty, NULL, 9 and 99 mean something else in each column; only a code can say unknown, a quantity cannot."""
    assert load_one(tmp_path, table, **{column: text})[column].to_pylist() == [value]


def test_a_missing_time_stays_missing_beside_one_that_is_there(tmp_path: Path) -> None:
    """It is not midnight, and the row is kept."""
    rows = [{"Accident_Index": f"201501BS7000{i}", "Time": t} for i, t in enumerate(["00:01", "", "23:59"])]
    tables = load(write_tables(tmp_path, "legacy", collision=rows))
    assert tables["collision"]["time"].to_pylist() == [time(0, 1), None, time(23, 59)]


def test_one_name_has_other_codes_in_another_generation(tmp_path: Path) -> None:
    """A T-junction is 3 in the older junction_detail, which is the historic column, and 13 in the new one."""
    old = load_one(tmp_path / "old", "collision", "accident", junction_detail="3")
    assert "junction_detail" not in old.column_names
    assert old["junction_detail_historic"].to_pylist() == [3]
    new = load_one(tmp_path / "new", "collision", "2024", junction_detail="13", junction_detail_historic="-1")
    assert (new["junction_detail"].to_pylist(), new["junction_detail_historic"].to_pylist()) == ([13], [None])
    refused(write_tables(tmp_path / "mixed", collision=[{"junction_detail": "3"}]), "junction_detail: code 3 in 1 row.")


# Keys are text


def test_a_key_that_looks_like_a_number_is_kept_to_the_letter(tmp_path: Path) -> None:
    """201506E098757 is a police reference, not 2015.06 times ten to something."""
    tables = load(write_tables(tmp_path, "legacy", **{t: [{"Accident_Index": "201506E098757"}] for t in TABLES}))
    for table in tables.values():
        assert table["collision_index"].to_pylist() == ["201506E098757"]
        assert table["collision_ref_no"].to_pylist() == ["06E098757"]
        assert table["collision_year"].to_pylist() == [2015]


def test_leading_zeros_of_the_reference_are_kept(tmp_path: Path) -> None:
    """A reference read as a number would be another one."""
    row = {"accident_index": "2020010352073", "accident_reference": "010352073"}
    tables = load(write_tables(tmp_path, "accident", **{t: [row] for t in TABLES}))
    assert [t["collision_ref_no"].to_pylist() for t in tables.values()] == [["010352073"]] * 3


@pytest.mark.parametrize("generation", ["legacy", "accident", "2024"])
@pytest.mark.parametrize("key", ["2.00512E+12", "2.02413e+12", "2.0151E12"])
def test_a_key_that_a_spreadsheet_made_a_number_is_refused(tmp_path: Path, generation: str, key: str) -> None:
    """Also where it is still unique: what it was is lost."""
    rows = [{}, {KEY[generation]: key}]
    refused(
        write_tables(tmp_path, generation, vehicle=rows),
        f"vehicle.csv: row 3: the key {key} was turned into a number by a spreadsheet",
    )


def test_a_legacy_key_begins_with_its_year(tmp_path: Path) -> None:
    """The year of a legacy record stands nowhere else."""
    refused(
        write_tables(tmp_path, "legacy", casualty=[{}, {"Accident_Index": "01BS70001"}]),
        "casualty.csv: row 3: the key '01BS70001' does not begin with a year.",
    )


@pytest.mark.parametrize(
    ("table", "column", "other", "key"),
    [
        ("collision", "collision_index", "2024130000001", "collision_index"),
        ("vehicle", "vehicle_reference", "2", "collision_index, vehicle_reference"),
        ("casualty", "vehicle_reference", "2", "collision_index, vehicle_reference, casualty_reference"),
        ("casualty", "casualty_reference", "2", "collision_index, vehicle_reference, casualty_reference"),
    ],
)
def test_a_key_that_is_not_unique_is_refused(tmp_path: Path, table: str, column: str, other: str, key: str) -> None:
    """A join on it would multiply rows; rows that differ in one part of the key are fine."""
    assert load(write_tables(tmp_path / "fine", **{table: [{}, {column: other}]}))[table].num_rows == 2
    refused(
        write_tables(tmp_path / "twice", **{table: [{}, {column: other}, {}]}),
        f"{table} table: the key ({key}) is not unique: 1 rows repeat one, e.g. collision_index 2024130352073",
    )


def test_the_message_on_a_doubled_key_gives_an_example(tmp_path: Path) -> None:
    """The first key that is repeated, with all its parts."""
    rows = [{"vehicle_reference": r} for r in ("1", "7", "3", "7", "7")]
    refused(
        write_tables(tmp_path, vehicle=rows),
        "2 rows repeat one, e.g. collision_index 2024130352073, vehicle_reference 7.",
    )


@pytest.mark.parametrize(
    "keys",
    [
        [("2024A", "1"), ("2024A", "2"), ("2024B", "1"), ("2024B", "2")],
        [("2024A", "100003"), ("2024B", "0"), ("2024C", "-100003")],
        [("2024A1", "1"), ("2024A", "11")],
    ],
)
def test_keys_that_differ_in_any_part_are_different(tmp_path: Path, keys: list[tuple[str, str]]) -> None:
    """The parts are compared as they are, whatever their size and however they would look side by side."""
    rows = [{"collision_index": index, "vehicle_reference": reference} for index, reference in keys]
    assert load(write_tables(tmp_path, vehicle=rows))["vehicle"].num_rows == len(keys)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("collision", "collision_index"),
        ("collision", "date"),
        ("collision", "collision_severity"),
        ("vehicle", "vehicle_reference"),
        ("casualty", "casualty_reference"),
        ("casualty", "casualty_severity"),
    ],
)
def test_what_is_never_missing_must_be_there(tmp_path: Path, table: str, column: str) -> None:
    """A row without its key, date or severity is the sign of a damaged file."""
    rows = [{}, {column: ""}]
    refused(write_tables(tmp_path, **{table: rows}), f"{table}.csv: {column} is missing in 1 rows (first: row 3).")


# Codes that nobody knows


def test_an_unknown_code_is_an_error_with_column_code_and_count(tmp_path: Path) -> None:
    """Every column with such codes is in the message, the commonest code first."""
    codes = ["77", "77", "88", "1", "77"]
    rows = [{"vehicle_reference": str(i), "vehicle_type": c, "sex_of_driver": "5"} for i, c in enumerate(codes)]
    refused(
        write_tables(tmp_path, vehicle=rows),
        "vehicle.csv: codes that the code list does not have. vehicle_type: code 77 in 3 rows, code 88 in 1 row; "
        "sex_of_driver: code 5 in 5 rows. If the file is right, run with unknown_codes=null",
    )


def test_an_unknown_code_can_be_made_missing_and_is_counted(tmp_path: Path, capsys) -> None:
    """unknown_codes=null: null in the table, a count in the facts of all three tables, a line in the log."""
    rows = [{"vehicle_reference": str(i), "vehicle_type": c} for i, c in enumerate(["77", "9", "88", "-1", "77"])]
    tables = load(write_tables(tmp_path, vehicle=rows, casualty=[{"casualty_class": "4"}]), "null")
    assert tables["vehicle"]["vehicle_type"].to_pylist() == [None, 9, None, None, None]
    assert tables["casualty"]["casualty_class"].to_pylist() == [None]
    for table in tables.values():
        counted = store.facts_of(table)["unlisted_codes_made_missing"]
        assert counted == {"vehicle.vehicle_type": 3, "casualty.casualty_class": 1}
    assert "vehicle_type: code 77 in 2 rows, code 88 in 1 row" in capsys.readouterr().out


def test_counts_of_unknown_codes_add_up_over_files(tmp_path: Path) -> None:
    """Two files of one table, one count."""
    for year in ("2023", "2024"):
        row = {"collision_index": f"{year}130000001", "collision_year": year, "road_type": "55"}
        row["date"] = f"21/05/{year}"
        (tmp_path / f"collision-{year}.csv").write_text(csv_text("collision", "2024", [row]))
    for table in ("vehicle", "casualty"):
        rows = [{"collision_index": f"{year}130000001", "collision_year": year} for year in ("2023", "2024")]
        (tmp_path / f"{table}.csv").write_text(csv_text(table, "2024", rows))
    facts = store.facts_of(load(tmp_path, "null")["collision"])
    assert facts["unlisted_codes_made_missing"] == {"collision.road_type": 2}


def test_a_severity_that_nobody_knows_is_never_made_missing(tmp_path: Path) -> None:
    """The outcome is not a thing to drop."""
    refused(write_tables(tmp_path, collision=[{"collision_severity": "4"}]), "collision_severity is missing", "null")


def test_a_code_list_is_the_columns_own(tmp_path: Path) -> None:
    """19 is a new junction code and an old manoeuvre is none; 33 is a casualty's type and no vehicle's."""
    refused(write_tables(tmp_path / "a", vehicle=[{"vehicle_type": "33"}]), "vehicle_type: code 33")
    refused(write_tables(tmp_path / "b", vehicle=[{"vehicle_manoeuvre": "16"}]), "vehicle_manoeuvre: code 16")
    refused(write_tables(tmp_path / "c", collision=[{"police_force": "2"}]), "police_force: code 2 in 1 row")
    refused(write_tables(tmp_path / "d", collision=[{"police_force": "-1"}]), "police_force: code -1 in 1 row")


# Text that is no value


@pytest.mark.parametrize(
    "text", ["31/02/2024", "05/21/2024", "2024-05-21", "21/05/24", "00/01/2024", "21.05.2024", "soon", "21/05/1066"]
)
def test_a_date_is_day_first_and_in_the_calendar(tmp_path: Path, text: str) -> None:
    """Swapped day and month, other formats and impossible days are refused, with the row and the text."""
    rows = [{"collision_index": "2024130000001"}, {"date": text}]
    refused(
        write_tables(tmp_path, collision=rows),
        f"collision.csv: row 3, column date: '{text}' is not a date as dd/mm/yyyy.",
    )


def test_29_february_is_a_date_in_leap_years_only(tmp_path: Path) -> None:
    """2024 is one, 2023 is not."""
    assert load_one(tmp_path / "a", "collision", date="29/02/2024")["date"].to_pylist() == [date(2024, 2, 29)]
    refused(write_tables(tmp_path / "b", collision=[{"date": "29/02/2023"}]), "'29/02/2023' is not a date")


@pytest.mark.parametrize(
    ("table", "column", "text", "what"),
    [
        ("collision", "time", "25:61", "a time of day as HH:MM"),
        ("collision", "time", "noon", "a time of day as HH:MM"),
        ("collision", "longitude", "west", "a number"),
        ("collision", "speed_limit", "thirty", "a whole number"),
        ("collision", "road_type", "Dual carriageway", "a whole number"),
        ("collision", "collision_year", "MMXXIV", "a whole number"),
        ("vehicle", "age_of_driver", "44.5", "a whole number"),
        ("vehicle", "vehicle_type", "N/A", "a whole number"),
        ("vehicle", "vehicle_type", "40000", "a whole number"),
        ("casualty", "casualty_class", "driver", "a whole number"),
    ],
)
def test_text_that_is_no_value_is_told_with_its_row_and_column(
    tmp_path: Path, table: str, column: str, text: str, what: str
) -> None:
    """The row is the line in the file, the header being line 1."""
    reference = f"{table}_reference" if table != "collision" else "collision_index"
    rows = [{}, {reference: "2024130000001" if table == "collision" else "2"}, {reference: "3", column: text}]
    refused(write_tables(tmp_path, **{table: rows}), f"{table}.csv: row 4, column {column}: '{text}' is not {what}")


def test_the_file_s_own_name_of_a_column_is_told(tmp_path: Path) -> None:
    """A user looks for Speed_limit in the file, not for its canonical name."""
    rows = [{"Accident_Index": "201501BS70009", "Engine_Capacity_(CC)": "big"}]
    refused(
        write_tables(tmp_path, "legacy", vehicle=rows),
        "vehicle.csv: row 2, column Engine_Capacity_(CC): 'big' is not a whole number",
    )


def test_the_column_is_told_where_others_are_left_aside(tmp_path: Path) -> None:
    """A column that nobody knows does not shift the names."""
    write_tables(tmp_path)
    header, row = csv_text("casualty").replace("2024130352073,2024", "2024130352073,MM").splitlines()
    (tmp_path / "casualty.csv").write_text(f"status,{header}\nUnvalidated,{row}\n")
    refused(tmp_path, "casualty.csv: row 2, column collision_year: 'MM' is not a whole number")


@pytest.mark.parametrize(("end", "fields"), [(",0.0", 43), (",0.0,1.0,7,7", 46)])
def test_a_row_with_too_few_or_too_many_fields_is_told(tmp_path: Path, end: str, fields: int) -> None:
    """Nothing is shifted or filled up."""
    path = write_tables(tmp_path, collision=[{"collision_index": "2024130000001"}, {}]) / "collision.csv"
    path.write_text(path.read_text().removesuffix(",0.0,1.0\n") + end + "\n")
    refused(tmp_path, f"collision.csv: row 3 has {fields} fields; the header has 44.")


def test_a_row_is_told_though_the_file_is_long(tmp_path: Path) -> None:
    """Blocks are read side by side; the row in the message is still the file's."""
    text = csv_text("vehicle", "2024", ({"vehicle_reference": str(i)} for i in range(60_000)))
    lines = text.splitlines(keepends=True)
    lines[50_000] = lines[50_000].replace("HYUNDAI TUCSON,7", "HYUNDAI TUCSON,seven")
    write_tables(tmp_path)
    (tmp_path / "vehicle.csv").write_text("".join(lines))
    refused(tmp_path, "vehicle.csv: row 50001, column driver_imd_decile: 'seven' is not a whole number")


def test_blocks_make_no_difference_to_the_table(tmp_path: Path) -> None:
    """A file of several blocks comes out row for row, with dates, codes and gaps in their places."""
    size = 40_000
    rows = (
        {
            "collision_index": f"2024{i:09}",
            "date": f"{i % 28 + 1:02}/{i % 12 + 1:02}/2024",
            "day_of_week": str(date(2024, i % 12 + 1, i % 28 + 1).isoweekday() % 7 + 1),
            "road_type": "-1" if i % 3 else "6",
            "time": f"{i % 24:02}:30" if i % 5 else "",
        }
        for i in range(size)
    )
    write_tables(tmp_path, collision=rows)
    assert (tmp_path / "collision.csv").stat().st_size > 1 << 22
    table = load(tmp_path)["collision"]
    assert table["collision_index"].to_pylist() == [f"2024{i:09}" for i in range(size)]
    assert table["date"].to_pylist() == [date(2024, i % 12 + 1, i % 28 + 1) for i in range(size)]
    assert table["road_type"].to_pylist() == [None if i % 3 else 6 for i in range(size)]
    assert table["time"].to_pylist() == [time(i % 24, 30) if i % 5 else None for i in range(size)]


# Files that are not what they should be


@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
def test_a_coordinate_that_is_no_number_is_told(tmp_path: Path, text: str) -> None:
    """What a program writes for a missing or divided value is neither a place nor missing."""
    write_tables(tmp_path, collision=[{"longitude": text}])
    refused(tmp_path, "collision.csv: longitude holds nan or inf; where a value is missing the field is empty.")


def test_windows_1252_is_told(tmp_path: Path) -> None:
    """An accented letter in a make or model, saved by a spreadsheet."""
    write_tables(tmp_path, vehicle=[{"generic_make_model": "CITROËN C3"}])
    path = tmp_path / "vehicle.csv"
    assert load(tmp_path)["vehicle"]["generic_make_model"].to_pylist() == ["CITROËN C3"]
    path.write_bytes(path.read_text().encode("cp1252"))
    refused(tmp_path, "vehicle.csv: row 2 is not UTF-8 text (perhaps Windows-1252); save it as CSV in UTF-8.")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf_16_is_told(tmp_path: Path, encoding: str) -> None:
    """What a spreadsheet calls Unicode text."""
    path = write_tables(tmp_path) / "vehicle.csv"
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    path.write_bytes(mark + path.read_text().encode(encoding))
    refused(tmp_path, "vehicle.csv is UTF-16; save it as UTF-8.")


@pytest.mark.parametrize("content", ["", "\n", "  \r\n"])
def test_an_empty_file_is_told(tmp_path: Path, content: str) -> None:
    """No header, no rows."""
    write_tables(tmp_path)
    (tmp_path / "casualty.csv").write_text(content)
    refused(tmp_path, "casualty.csv is empty.")


def test_a_header_alone_is_told(tmp_path: Path) -> None:
    """A table without rows is not passed on."""
    refused(write_tables(tmp_path, casualty=[]), "casualty.csv has a header and no rows.")


@pytest.mark.parametrize("page", ["<!DOCTYPE html>\n<html>Moved</html>\n", "\n<html>\n<body>Log in</body></html>"])
def test_a_web_page_in_place_of_a_csv_is_told(tmp_path: Path, page: str) -> None:
    """What a moved address gives."""
    write_tables(tmp_path)
    (tmp_path / "casualty.csv").write_text(page)
    refused(tmp_path, "casualty.csv is a web page, not a CSV: the address may have moved")


def test_a_web_page_from_a_url_is_told(serve, tmp_path: Path) -> None:
    """Status 200 and HTML: nothing that the download could notice."""
    site = serve({f"/{t}.csv": [Answer(csv_text(t).encode())] for t in TABLES})
    assert (
        load_tables(f"{site.url}/{{table}}.csv", {}, allow_private_addresses=True)["casualty"].to_pydict()
        == FROM_2024["casualty"]
    )
    site.answers["/casualty.csv"] = [Answer(b"<html><body>This page has moved.</body></html>")]
    with pytest.raises(InputError, match=r"casualty\.csv is a web page, not a CSV"):
        load_tables(f"{site.url}/{{table}}.csv", {}, allow_private_addresses=True)


@pytest.mark.parametrize(
    ("generation", "table", "column", "renamed", "hint"),
    [
        ("2024", "collision", "road_type", "roadtype", " Nearest name: roadtype."),
        ("legacy", "vehicle", "1st_Point_of_Impact", "First_Point_of_Impact", " Nearest name: First_Point"),
        ("accident", "casualty", "casualty_class", "xyz", ""),
    ],
)
def test_a_column_that_is_not_there_is_named_with_the_nearest(
    tmp_path: Path, generation: str, table: str, column: str, renamed: str, hint: str
) -> None:
    """The name is the one that the generation's files have."""
    rewrite(write_tables(tmp_path, generation) / f"{table}.csv", column, renamed)
    refused(tmp_path, f"{table}.csv: the {table} table has no column {column}.{hint}")


@pytest.mark.parametrize(
    ("generation", "table", "column"),
    [
        ("legacy", "vehicle", "Age_of_Driver"),
        ("legacy", "vehicle", "Vehicle_IMD_Decile"),
        ("legacy", "casualty", "Casualty_IMD_Decile"),
        ("accident", "collision", "enhanced_severity_collision"),
        ("accident", "vehicle", "lsoa_of_driver"),
        ("accident", "casualty", "casualty_distance_banding"),
        ("2024", "collision", "local_authority_highway_current"),
    ],
)
def test_a_column_that_some_files_of_a_generation_lack_may_be_absent(
    tmp_path: Path, generation: str, table: str, column: str
) -> None:
    """The table is read without it."""
    kept = [n for n in published(table, generation) if n != column]
    row = [published(table, generation)[n] for n in kept]
    write_tables(tmp_path, generation)
    (tmp_path / f"{table}.csv").write_text(",".join(kept) + "\n" + ",".join(row) + "\n")
    whole = {"legacy": LEGACY, "accident": ACCIDENT, "2024": FROM_2024}[generation][table]
    lost = {"Age_of_Driver": "age_of_driver", "Vehicle_IMD_Decile": "vehicle_imd_decile"}.get(column, column).lower()
    assert load(tmp_path)[table].to_pydict() == {n: v for n, v in whole.items() if n != lost}


@pytest.mark.parametrize(
    ("new", "told"), [("road_type,road_type", "road_type"), ("road_type,Road_Type", "Road_Type")], ids=["same", "case"]
)
def test_a_doubled_column_is_named(tmp_path: Path, new: str, told: str) -> None:
    """Which of the two is right cannot be guessed, whatever the case of its name."""
    rewrite(write_tables(tmp_path) / "collision.csv", "road_type", new)
    rewrite(tmp_path / "collision.csv", ",9,30,", ",9,9,30,")
    refused(tmp_path, f"collision.csv: the column {told} stands in the header twice.")


def test_two_names_of_one_column_are_refused(tmp_path: Path) -> None:
    """Acc_Index beside Accident_Index."""
    rewrite(write_tables(tmp_path, "legacy") / "vehicle.csv", "Vehicle_Reference", "Acc_Index,Vehicle_Reference")
    rewrite(tmp_path / "vehicle.csv", "201501BS70001,", "201501BS70001,201501BS70001,")
    refused(tmp_path, "vehicle.csv: the column Acc_Index stands in the header twice.")


def test_a_column_that_nobody_knows_is_left_aside_and_said(tmp_path: Path, capsys) -> None:
    """The provisional files begin with a status column."""
    write_tables(tmp_path)
    header, row = csv_text("casualty").splitlines()
    (tmp_path / "casualty.csv").write_text(f"status,{header}\nUnvalidated,{row}\n")
    assert load(tmp_path)["casualty"].to_pydict() == FROM_2024["casualty"]
    assert "casualty.csv: unknown columns left aside: status\n" in capsys.readouterr().out


@pytest.mark.parametrize("lost", TABLES)
def test_a_table_that_is_not_there_is_named(tmp_path: Path, lost: str) -> None:
    """With what was seen in its place."""
    (write_tables(tmp_path) / f"{lost}.csv").unlink()
    seen = ", ".join(f"{t}.csv ({t})" for t in sorted(TABLES) if t != lost)
    refused(tmp_path, f"no {lost} table was given; all three are needed. Files seen: {seen}.")


def test_a_file_that_is_no_stats19_table_is_left_aside_and_said(tmp_path: Path, capsys) -> None:
    """A lookup beside the tables does no harm."""
    (write_tables(tmp_path) / "lookup.csv").write_text("table,variable,code,label,note\nvehicle,a,1,b,\n")
    assert load(tmp_path)["vehicle"].num_rows == 1
    assert capsys.readouterr().out == ("WARNING: lookup.csv is not a STATS19 table (header table ...): left aside\n")


# Packing and line ends


@pytest.mark.parametrize("packed", ["gzip", "zip"])
@pytest.mark.parametrize("name", ["{table}.csv", "{table}.zip", "{table}.gz"])
def test_packed_tables_are_read_under_any_name(tmp_path: Path, packed: str, name: str) -> None:
    """The first bytes tell, not the ending."""
    for table in TABLES:
        path = tmp_path / name.format(table=table)
        if packed == "gzip":
            path.write_bytes(gzip.compress(csv_text(table).encode()))
        else:
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("inner.csv", csv_text(table))
    assert {n: t.to_pydict() for n, t in load(tmp_path).items()} == FROM_2024


@pytest.mark.parametrize("damage", ["gzip", "zip", "two"])
def test_an_archive_that_cannot_be_read_is_named(tmp_path: Path, damage: str) -> None:
    """Damaged, cut short, or with two tables in it."""
    path = write_tables(tmp_path) / "vehicle.csv"
    text = path.read_bytes()
    if damage == "gzip":
        path.write_bytes(gzip.compress(text)[:-9])
        refused(tmp_path, "vehicle.csv: the archive is damaged or cut short")
        return
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", text)
        if damage == "two":
            archive.writestr("b.csv", text)
    if damage == "zip":
        path.write_bytes(path.read_bytes()[:-40])
    told = {"zip": "the archive is damaged or cut short", "two": "a zip with one CSV was expected"}[damage]
    refused(tmp_path, f"vehicle.csv: {told}")


def as_published(text: str) -> bytes:
    """Unchanged."""
    return text.encode()


def with_bom(text: str) -> bytes:
    """With a byte-order mark, as in 2017 to 2019."""
    return b"\xef\xbb\xbf" + text.encode()


def with_crlf(text: str) -> bytes:
    """With the line ends of 2015."""
    return text.replace("\n", "\r\n").encode()


def with_both(text: str) -> bytes:
    """Byte-order mark and CRLF."""
    return b"\xef\xbb\xbf" + with_crlf(text)


def without_last_line_end(text: str) -> bytes:
    """The last row ends with the file."""
    return text.rstrip("\n").encode()


def quoted(text: str) -> bytes:
    """Every field in quotes."""
    return "".join('"' + line.replace(",", '","') + '"\n' for line in text.splitlines()).encode()


def in_capitals(text: str) -> bytes:
    """The header in capitals, as some databases export it."""
    header, rest = text.split("\n", 1)
    return f"{header.upper()}\n{rest}".encode()


@pytest.mark.parametrize("generation", ["legacy", "2024"])
@pytest.mark.parametrize(
    "form", [as_published, with_bom, with_crlf, with_both, without_last_line_end, quoted, in_capitals]
)
def test_the_form_of_the_text_makes_no_difference(tmp_path: Path, form, generation: str) -> None:
    """Byte-order mark, line ends, quotes and the header's case change nothing in the tables."""
    for table in TABLES:
        (tmp_path / f"{table}.csv").write_bytes(form(csv_text(table, generation)))
    expected = {"legacy": LEGACY, "2024": FROM_2024}[generation]
    assert {n: t.to_pydict() for n, t in load(tmp_path).items()} == expected


def test_a_comma_or_line_end_within_quotes_is_part_of_the_text(tmp_path: Path) -> None:
    """CSV as it is meant."""
    make = 'ROVER "MINI", 1.3'
    assert load_one(tmp_path, "vehicle", generic_make_model=make)["generic_make_model"].to_pylist() == [make]


def test_acc_index_is_the_key_in_some_legacy_files(tmp_path: Path) -> None:
    """Yearly issues of 2005 to 2014 call it so in vehicle and casualty files."""
    folder = write_tables(tmp_path, "legacy")
    for table in ("vehicle", "casualty"):
        rewrite(folder / f"{table}.csv", "Accident_Index", "Acc_Index")
    assert {n: t.to_pydict() for n, t in load(folder).items()} == LEGACY


# Several files, several generations


def test_years_of_one_generation_are_joined(tmp_path: Path) -> None:
    """In the order of the files' names; facts name both years and both files."""
    for year in ("2016", "2015"):
        rows = {t: {"Accident_Index": f"{year}01BS70001"} for t in TABLES}
        rows["collision"]["Date"] = f"12/01/{year}"
        write_tables(tmp_path / year, "legacy", **{t: [row] for t, row in rows.items()})
        for table in TABLES:
            (tmp_path / year / f"{table}.csv").rename(tmp_path / f"{table}-{year}.csv")
    tables = load(tmp_path)
    for name, table in tables.items():
        assert table["collision_index"].to_pylist() == ["201501BS70001", "201601BS70001"]
        facts = store.facts_of(table)
        assert facts["years"] == [2015, 2016]
        assert sorted(facts["made_from"]) == [f"{name}-2015.csv", f"{name}-2016.csv"]


def test_the_same_file_twice_is_refused(tmp_path: Path) -> None:
    """Its keys are not unique any more."""
    write_tables(tmp_path)
    (tmp_path / "vehicle-copy.csv").write_text(csv_text("vehicle"))
    refused(tmp_path, "The same records may have been given twice.")


def test_years_with_and_without_a_column_are_joined_in_canonical_order(tmp_path: Path) -> None:
    """Files of 2022 lack a column of 2023: null there, and the order of columns is still the promised one."""
    write_tables(tmp_path, "accident")
    absent = {
        "collision": "enhanced_severity_collision", "vehicle": "generic_make_model", "casualty": "lsoa_of_casualty"
    }  # fmt: skip
    for table, lost in absent.items():
        old = published(table, "accident") | {"accident_index": "2021010000001", "accident_year": "2021"}
        old |= {"date": "05/01/2021"} if table == "collision" else {}
        del old[lost]
        (tmp_path / f"a-{table}-2021.csv").write_text(",".join(old) + "\n" + ",".join(old.values()) + "\n")
    tables = load(tmp_path)
    assert tables["collision"].column_names == list(ACCIDENT["collision"])
    assert tables["collision"]["enhanced_severity_collision"].to_pylist() == [None, 6]
    assert tables["vehicle"].column_names == list(ACCIDENT["vehicle"])
    assert tables["vehicle"]["generic_make_model"].to_pylist() == [None, "TOYOTA PRIUS"]


def test_2024_and_2025_may_be_joined(tmp_path: Path) -> None:
    """They differ in one name only."""
    write_tables(tmp_path)
    for table in TABLES:
        row = {"collision_index": "2025130000001", "collision_year": "2025", "collision_reference": "130000001"}
        row |= {"date": "21/05/2025"} if table == "collision" else {}
        (tmp_path / f"{table}-2025.csv").write_text(csv_text(table, "2025", [row]))
    tables = load(tmp_path)
    assert tables["collision"]["collision_ref_no"].to_pylist() == ["130000001", "130352073"]
    assert store.facts_of(tables["collision"])["generation"] == "2024 and 2025"
    assert store.facts_of(tables["collision"])["years"] == [2024, 2025]


@pytest.mark.parametrize("older", ["legacy", "accident"])
def test_generations_may_be_mixed_and_codes_are_not(tmp_path: Path, older: str) -> None:
    """Each year's codes stand under the name of their own list; the facts name both generations."""
    write_tables(tmp_path)
    for table in TABLES:
        (tmp_path / f"{table}-old.csv").write_text(csv_text(table, older))
    tables = load(tmp_path)
    codes = [tables["collision"][n].to_pylist() for n in ("junction_detail_historic", "junction_detail")]
    assert codes == [[{"legacy": 3, "accident": 9}[older], None], [None, 19]]
    facts = store.facts_of(tables["collision"])
    assert facts["generation"] == f"2024 and {older}"
    assert facts["years"] == [{"legacy": 2015, "accident": 2022}[older], 2024]


def test_tables_of_different_years_are_refused(tmp_path: Path) -> None:
    """Vehicles of another year have no collision here."""
    write_tables(tmp_path)
    (tmp_path / "vehicle.csv").write_text(csv_text("vehicle", "legacy"))
    refused(tmp_path, "the tables are of different years (collision 2024; vehicle 2015; casualty 2024).")


# A folder a year


def test_raw_files_are_read_by_year(tmp_path: Path) -> None:
    """All years, or one of them, whatever their generations."""
    for year, generation in (("2015", "legacy"), ("2024", "2024")):
        (tmp_path / year).mkdir()
        write_tables(tmp_path / year, generation)
    (tmp_path / "revisions.csv").write_text("collision_index,variable\n")
    both, one = (load_tables("", {"raw_files": tmp_path}, year=year)["collision"] for year in (0, 2015))
    assert both["collision_year"].to_pylist() == [2015, 2024]
    assert one.to_pydict() == LEGACY["collision"]


@pytest.mark.parametrize(
    ("files", "year", "message"),
    [
        ({"raw_files": "."}, 2016, "has no year 2016; it has [2015]. Give the output of download_stats19."),
        ({"raw_files": "2015"}, 0, "has no year at all; it has []."),
        ({"collision": "2015/collision.csv"}, 2015, "year=2015 chooses from raw_files, which were not given."),
    ],
)
def test_a_year_that_is_not_there_is_told(tmp_path: Path, files: dict, year: int, message: str) -> None:
    """With the years that there are."""
    (tmp_path / "2015").mkdir()
    write_tables(tmp_path / "2015", "legacy")
    with pytest.raises(InputError) as told:
        load_tables("", {name: tmp_path / path for name, path in files.items()}, year=year)
    assert message in str(told.value)


# Three files instead of a source


def three(folder: Path) -> dict[str, Path]:
    """The files by table."""
    return {t: folder / f"{t}.csv" for t in TABLES}


def test_three_files_are_as_good_as_a_folder(tmp_path: Path) -> None:
    """Also without an ending, as artifacts have none."""
    for table, path in three(write_tables(tmp_path)).items():
        path.rename(tmp_path / table)
    tables = load_tables("", {t: tmp_path / t for t in TABLES})
    assert {n: t.to_pydict() for n, t in tables.items()} == FROM_2024


def test_a_file_given_for_another_table_is_told(tmp_path: Path) -> None:
    """By its header, not by its name."""
    files = three(write_tables(tmp_path))
    files["vehicle"], files["casualty"] = files["casualty"], files["vehicle"]
    with pytest.raises(InputError, match=r"vehicle file casualty\.csv holds the casualty table; the vehicle table was"):
        load_tables("", files)


def test_a_given_file_that_is_no_table_or_not_there_is_told(tmp_path: Path) -> None:
    """With the beginning of its header, or its path."""
    files = three(write_tables(tmp_path))
    files["vehicle"].write_text("a,b,c\n1,2,3\n")
    with pytest.raises(
        InputError, match=r"vehicle file vehicle\.csv: its header is not that of a STATS19 vehicle table"
    ):
        load_tables("", files)
    files["vehicle"].unlink()
    with pytest.raises(InputError, match=r"vehicle: there is no file at .*vehicle\.csv"):
        load_tables("", files)


def test_two_of_three_files_are_not_enough(tmp_path: Path) -> None:
    """The message names the third."""
    files = three(write_tables(tmp_path))
    del files["casualty"]
    with pytest.raises(InputError, match="no casualty table was given"):
        load_tables("", files)


def test_source_and_files_exclude_each_other(tmp_path: Path) -> None:
    """One or the other, never both or neither."""
    files = three(write_tables(tmp_path))
    for source, given in ((str(tmp_path), files), ("", {})):
        with pytest.raises(InputError, match="give one of source"):
            load_tables(source, given)


def test_unknown_codes_has_two_values(tmp_path: Path) -> None:
    """A slip is not taken for one of them."""
    refused(write_tables(tmp_path), "unknown_codes is 'drop'; it can be 'error' or 'null'.", "drop")


def test_facts_are_plain_json(tmp_path: Path) -> None:
    """They can be stored and shown as they are."""
    facts = store.facts_of(load(write_tables(tmp_path))["collision"])
    assert json.loads(json.dumps(facts)) == facts


# Dates that contradict their record


def test_a_date_of_another_year_is_told(tmp_path: Path) -> None:
    """The record's year is in its key; a split by year would go by the date."""
    message = "collision.csv: row 2: the date 1999-05-21 is not in the record's year 2024."
    refused(write_tables(tmp_path, collision=[{"date": "21/05/1999"}]), message)


def test_days_and_months_swapped_by_a_spreadsheet_are_told(tmp_path: Path) -> None:
    """Where the day is 12 or less nothing but the weekday tells."""
    days = [date(2024, month, day) for month in (1, 2, 3) for day in (4, 5, 6, 7)]

    def rows(form: str) -> list[dict[str, str]]:
        return [
            {"collision_index": f"2024{i:09}", "date": d.strftime(form), "day_of_week": str(d.isoweekday() % 7 + 1)}
            for i, d in enumerate(days)
        ]

    assert load(write_tables(tmp_path / "a", collision=rows("%d/%m/%Y")))["collision"].num_rows == 12
    message = "dates are not on their day_of_week; are day and month swapped?"
    refused(write_tables(tmp_path / "b", collision=rows("%m/%d/%Y")), message)
