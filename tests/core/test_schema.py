"""The table of columns against headers as published and facts typed out from the data guides."""

import pytest

from roadsafety_components.core import schema

from .make import published

TABLES = ("collision", "vehicle", "casualty")
GENERATIONS = ("legacy", "accident", "2024", "2025")
EVERY = [(t, g) for t in TABLES for g in GENERATIONS]


def test_there_are_three_tables_and_four_generations() -> None:
    """In the order in which a newcomer meets them."""
    assert (schema.TABLES, schema.GENERATIONS) == (TABLES, GENERATIONS)


@pytest.mark.parametrize("table", TABLES)
def test_canonical_names_and_order_are_those_of_the_2024_files(table: str) -> None:
    """Columns that ended before 2024, and those that are made of others, stand between them."""
    others = {
        "driver_home_area_type", "casualty_home_area_type", "vehicle_imd_decile", "vehicle_make", "vehicle_model"
    }  # fmt: skip
    assert [n for n in schema.columns(table) if n not in others] == list(published(table, "2024"))


@pytest.mark.parametrize(("table", "generation"), EVERY)
def test_every_published_column_has_one_canonical_name(table: str, generation: str) -> None:
    """No two columns of a file share one, and each is a column of the table."""
    names = [schema.canonical_name(table, generation, n) for n in published(table, generation)]
    assert None not in names
    assert len(set(names)) == len(names)
    assert set(names) <= set(schema.columns(table))


@pytest.mark.parametrize(("table", "generation"), EVERY)
def test_a_required_column_is_in_the_published_file(table: str, generation: str) -> None:
    """And what a generation's header lists beyond it may be absent."""
    names = set(published(table, generation))
    columns = schema.columns(table).values()
    required = {c.names[generation].lower() for c in columns if c.required(generation)}
    known = {c.names[generation].lower() for c in columns if generation in c.names}
    assert required <= {name.lower() for name in names} <= known


@pytest.mark.parametrize(
    ("table", "generation", "lost"),
    [
        ("vehicle", "legacy", ["Age_of_Driver", "Vehicle_IMD_Decile"]),
        ("casualty", "legacy", ["Age_of_Casualty", "Casualty_IMD_Decile"]),
        ("collision", "accident", ["enhanced_severity_collision"]),
        ("vehicle", "accident", ["escooter_flag", "driver_distance_banding"]),
        ("casualty", "accident", ["enhanced_casualty_severity", "casualty_distance_banding"]),
    ],
)
def test_what_earlier_years_of_a_generation_lack_is_not_required(table: str, generation: str, lost: list[str]) -> None:
    """1979 to 2004 have no ages, 2005 to 2014 no deciles of casualties, 2020 to 2022 no enhanced severity."""
    by_name = {c.names[generation].lower(): c for c in schema.columns(table).values() if generation in c.names}
    assert [by_name[name.lower()].required(generation) for name in lost] == [False] * len(lost)


@pytest.mark.parametrize(
    ("table", "generation", "name", "canonical"),
    [
        ("collision", "legacy", "Accident_Index", "collision_index"),
        ("collision", "legacy", "1st_Road_Class", "first_road_class"),
        ("collision", "legacy", "Local_Authority_(District)", "local_authority_district"),
        ("collision", "legacy", "Pedestrian_Crossing-Human_Control", "pedestrian_crossing_human_control_historic"),
        ("collision", "legacy", "Accident_Severity", "collision_severity"),
        ("collision", "legacy", "Junction_Detail", "junction_detail_historic"),
        ("collision", "legacy", "Speed_limit", "speed_limit"),
        ("collision", "legacy", "SPEED_LIMIT", "speed_limit"),
        ("collision", "legacy", " Speed_limit ", "speed_limit"),
        ("vehicle", "legacy", "Acc_Index", "collision_index"),
        ("vehicle", "legacy", "Was_Vehicle_Left_Hand_Drive?", "vehicle_left_hand_drive"),
        ("vehicle", "legacy", "Engine_Capacity_(CC)", "engine_capacity_cc"),
        ("vehicle", "legacy", "Vehicle_Location-Restricted_Lane", "vehicle_location_restricted_lane_historic"),
        ("collision", "accident", "accident_reference", "collision_ref_no"),
        ("collision", "accident", "junction_detail", "junction_detail_historic"),
        ("vehicle", "accident", "vehicle_manoeuvre", "vehicle_manoeuvre_historic"),
        ("vehicle", "accident", "journey_purpose_of_driver", "journey_purpose_of_driver_historic"),
        ("collision", "accident", "Acc_Index", None),
        ("collision", "2024", "junction_detail", "junction_detail"),
        ("collision", "2024", "junction_detail_historic", "junction_detail_historic"),
        ("collision", "2024", "collision_ref_no", "collision_ref_no"),
        ("collision", "2024", "collision_reference", None),
        ("collision", "2024", "accident_index", None),
        ("collision", "2024", "enhanced_severity_collision", "enhanced_severity_collision"),
        (
            "collision",
            "2024",
            "did_police_officer_attend_scene_of_accident",
            "did_police_officer_attend_scene_of_accident",
        ),
        ("vehicle", "2024", "driver_home_area_type", None),
        ("vehicle", "2025", "collision_reference", "collision_ref_no"),
        ("vehicle", "2025", "collision_ref_no", None),
        ("casualty", "legacy", "status", None),
    ],
)
def test_a_name_means_what_it_means_in_its_generation(
    table: str, generation: str, name: str, canonical: str | None
) -> None:
    """Whatever its case; a name of another generation is nobody's."""
    assert schema.canonical_name(table, generation, name) == canonical


@pytest.mark.parametrize("table", TABLES)
def test_codes_are_consistent(table: str) -> None:
    """What is unknown is a code of the list, what is missing is not; only codes and ordinals have lists."""
    for column in schema.columns(table).values():
        assert column.missing in (None, -1)
        assert -1 not in column.codes
        if column.codes:
            assert column.unknown <= column.codes
            assert column.kind in ("code", "ordinal")
        assert column.kind in ("text", "int", "float", "code", "ordinal", "nominal", "date", "time")


def test_columns_that_are_never_missing_have_no_missing_code() -> None:
    """-1 in them would be a value, or a code that nobody knows."""
    assert {n for t in TABLES for n, c in schema.columns(t).items() if c.missing is None} == {
        "collision_index", "collision_year", "collision_ref_no", "vehicle_reference", "casualty_reference",
        "location_easting_osgr", "location_northing_osgr", "longitude", "latitude", "police_force",
        "collision_severity", "number_of_vehicles", "number_of_casualties", "date", "day_of_week", "time",
        "local_authority_highway_current", "collision_adjusted_severity_serious",
        "collision_adjusted_severity_slight", "escooter_flag", "casualty_class", "casualty_severity",
        "casualty_injury_based", "casualty_adjusted_severity_serious", "casualty_adjusted_severity_slight",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("table", "column", "codes", "unknown"),
    [
        ("collision", "collision_severity", {1, 2, 3}, set()),
        ("collision", "day_of_week", {1, 2, 3, 4, 5, 6, 7}, set()),
        ("collision", "road_type", {1, 2, 3, 6, 7, 9, 12}, {9}),
        ("collision", "light_conditions", {1, 4, 5, 6, 7}, {7}),
        ("collision", "junction_detail_historic", {0, 1, 2, 3, 5, 6, 7, 8, 9, 99}, {99}),
        ("collision", "junction_detail", {0, 13, 16, 17, 18, 19, 99}, {99}),
        ("collision", "speed_limit", set(), {99}),
        ("collision", "enhanced_severity_collision", {1, 3, 5, 6, 7}, set()),
        ("vehicle", "vehicle_manoeuvre_historic", {*range(1, 19), 99}, {99}),
        ("vehicle", "vehicle_manoeuvre", {*range(1, 16), 19, 20, 99}, {99}),
        ("vehicle", "journey_purpose_of_driver", {1, 2, 6, 7, 8, 9}, {6}),
        ("vehicle", "sex_of_driver", {1, 2, 3}, {3}),
        ("vehicle", "age_of_driver", set(), set()),
        ("casualty", "sex_of_casualty", {1, 2, 9}, {9}),
        ("casualty", "pedestrian_location", set(range(11)), {10}),
        ("casualty", "pedestrian_road_maintenance_worker", {0, 1, 2, 3}, {2}),
    ],
)
def test_code_lists_are_those_of_the_guides(table: str, column: str, codes: set[int], unknown: set[int]) -> None:
    """One example of each shape."""
    found = schema.columns(table)[column]
    assert (found.codes, found.unknown) == (codes, unknown)


def test_99_is_police_scotland_and_2_is_no_force() -> None:
    """Every force of Great Britain, and none besides."""
    forces = schema.columns("collision")["police_force"].codes
    assert {1, 13, 48, 63, 91, 98, 99} <= forces
    assert not {0, 2, 8, 9, 15, 49, 51, 56, 64, 90, 100} & forces
    assert len(forces) == 52


def test_vehicle_and_casualty_types_differ_in_pedestrian_and_scooter() -> None:
    """0 is a pedestrian, who has no vehicle; 33 is in casualty files alone."""
    vehicle, casualty = schema.columns("vehicle")["vehicle_type"], schema.columns("casualty")["casualty_type"]
    assert casualty.codes - vehicle.codes == {0, 33}
    assert vehicle.codes - casualty.codes == set()
