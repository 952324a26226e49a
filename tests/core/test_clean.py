"""Joined tables by unit, targets, what a model may know, and what is counted as left out."""

from datetime import date, time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from roadsafety_components.core import datasets, files, schema, store
from roadsafety_components.core.clean import preprocess
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.features import choose_features

from .make import canonical, csv_text

# A Saturday in 2024 with two vehicles and two casualties; a Sunday without a time; the Sunday that ended 2023.
COLLISION = {
    "collision_index": ["2024A", "2024B", "2023C"],
    "collision_year": [2024, 2024, 2023],
    "collision_ref_no": ["A", "B", "C"],
    "police_force": [1, 13, 13],
    "collision_severity": [1, 3, 2],
    "number_of_casualties": [2, 1, 1],
    "date": [date(2024, 1, 6), date(2024, 1, 7), date(2023, 12, 31)],
    "day_of_week": [7, 1, 1],
    "time": [time(8, 15), None, time(23, 59)],
    "road_type": [6, 3, None],
    "speed_limit": [30, 60, 60],
}
VEHICLE = {
    "collision_index": ["2024A", "2023C", "2024A", "2024B"],
    "collision_year": [2024, 2023, 2024, 2024],
    "collision_ref_no": ["A", "C", "A", "B"],
    "vehicle_reference": [1, 1, 2, 1],
    "vehicle_type": [9, 1, 11, None],
    "first_point_of_impact": [1, 2, 3, 4],
    "age_of_driver": [40, None, 50, 60],
}
CASUALTY = {
    "collision_index": ["2024A", "2024A", "2024B", "2023C"],
    "collision_year": [2024, 2024, 2024, 2023],
    "collision_ref_no": ["A", "A", "B", "C"],
    "vehicle_reference": [2, 1, 1, 1],
    "casualty_reference": [1, 2, 1, 1],
    "casualty_class": [1, 2, 3, 1],
    "age_of_casualty": [50, 7, None, 33],
    "casualty_severity": [1, 3, 3, 2],
}


def tables(**changed: dict[str, list]) -> dict[str, pa.Table]:
    """The three tables, with columns of some changed."""
    usual = {"collision": COLLISION, "vehicle": VEHICLE, "casualty": CASUALTY}
    return {name: canonical(columns | changed.get(name, {})) for name, columns in usual.items()}


def without(columns: dict[str, list], *names: str) -> dict[str, list]:
    """The columns but those."""
    return {n: v for n, v in columns.items() if n not in names}


# The join


def test_one_row_a_collision() -> None:
    """Key, year, target, calendar, features; the hour is null where the time is, and a Sunday is weekday 1."""
    assert preprocess(tables(), "collision").to_pydict() == {
        "collision_index": ["2024A", "2024B", "2023C"],
        "year": [2024, 2024, 2023],
        "severity": ["fatal", "slight", "serious"],
        "month": [1, 1, 12],
        "weekday": [7, 1, 1],
        "hour": [8, None, 23],
        "road_type": [6, 3, None],
        "speed_limit": [30, 60, 60],
    }


def test_one_row_a_vehicle() -> None:
    """In the order of the vehicles, each with its collision's columns and severity; none is multiplied or lost."""
    assert preprocess(tables(), "vehicle").to_pydict() == {
        "collision_index": ["2024A", "2023C", "2024A", "2024B"],
        "vehicle_reference": [1, 1, 2, 1],
        "year": [2024, 2023, 2024, 2024],
        "severity": ["fatal", "serious", "fatal", "slight"],
        "month": [1, 12, 1, 1],
        "weekday": [7, 1, 7, 1],
        "hour": [8, 23, 8, None],
        "road_type": [6, None, 6, 3],
        "speed_limit": [30, 60, 30, 60],
        "vehicle_type": [9, 1, 11, None],
        "age_of_driver": [40, None, 50, 60],
    }


def test_one_row_a_casualty() -> None:
    """In the order of the casualties, each with its own severity, its own vehicle and its collision."""
    assert preprocess(tables(), "casualty").to_pydict() == {
        "collision_index": ["2024A", "2024A", "2024B", "2023C"],
        "vehicle_reference": [2, 1, 1, 1],
        "casualty_reference": [1, 2, 1, 1],
        "year": [2024, 2024, 2024, 2023],
        "severity": ["fatal", "slight", "slight", "serious"],
        "month": [1, 1, 1, 12],
        "weekday": [7, 7, 1, 1],
        "hour": [8, 8, None, 23],
        "road_type": [6, 6, 3, None],
        "speed_limit": [30, 30, 60, 60],
        "vehicle_type": [11, 9, None, 1],
        "age_of_driver": [50, 40, 60, None],
        "casualty_class": [1, 2, 3, 1],
        "age_of_casualty": [50, 7, None, 33],
    }


@pytest.mark.parametrize(
    ("unit", "severity", "ksi"),
    [
        ("collision", ["fatal", "slight", "serious"], ["ksi", "slight", "ksi"]),
        ("vehicle", ["fatal", "serious", "fatal", "slight"], ["ksi", "ksi", "ksi", "slight"]),
        ("casualty", ["fatal", "slight", "slight", "serious"], ["ksi", "slight", "slight", "ksi"]),
    ],
)
def test_the_target_is_severity_or_ksi(unit: str, severity: list[str], ksi: list[str]) -> None:
    """A column of that name, and never both."""
    by_severity, by_ksi = preprocess(tables(), unit), preprocess(tables(), unit, "ksi")
    assert by_severity["severity"].to_pylist() == severity
    assert by_ksi["ksi"].to_pylist() == ksi
    assert "ksi" not in by_severity.column_names
    assert "severity" not in by_ksi.column_names
    assert by_ksi.drop_columns("ksi").to_pydict() == by_severity.drop_columns("severity").to_pydict()


def test_weekday_1_is_sunday() -> None:
    """A week in March 2024, from Sunday the 3rd."""
    week = tables(
        collision={
            name: [values[0]] * 7 for name, values in COLLISION.items()
        } | {"collision_index": list("abcdefg"), "date": [date(2024, 3, 3 + i) for i in range(7)]}
    )  # fmt: skip
    assert preprocess(week, "collision")["weekday"].to_pylist() == [1, 2, 3, 4, 5, 6, 7]


def test_only_the_tables_of_the_unit_are_needed() -> None:
    """Vehicles are not needed for collisions, casualties not for vehicles; giving them changes nothing."""
    three = tables()
    for unit, needed in (("collision", ["collision"]), ("vehicle", ["collision", "vehicle"])):
        some = {name: three[name] for name in needed}
        assert preprocess(some, unit).equals(preprocess(three, unit), check_metadata=True)


def test_tables_in_pieces_give_the_same() -> None:
    """How a table is cut in chunks does not matter."""
    pieces = {n: pa.concat_tables([t.slice(i, 1) for i in range(t.num_rows)]) for n, t in tables().items()}
    for unit in ("collision", "vehicle", "casualty"):
        assert preprocess(pieces, unit).to_pydict() == preprocess(tables(), unit).to_pydict()


# What a model may know. Typed out from the reference's table of availability classes, not from core.schema.


def words(text: str) -> list[str]:
    """A long list of names, readable."""
    return text.split()


PRE = words("""first_road_class first_road_number road_type speed_limit junction_detail_historic junction_detail
    junction_control second_road_class second_road_number pedestrian_crossing_human_control_historic
    pedestrian_crossing_physical_facilities_historic pedestrian_crossing light_conditions weather_conditions
    road_surface_conditions special_conditions_at_site carriageway_hazards_historic carriageway_hazards
    urban_or_rural_area trunk_road_flag""")
CALENDAR = ["date", "day_of_week", "time"]
INVOLVED = words("""vehicle_type towing_and_articulation vehicle_manoeuvre_historic vehicle_manoeuvre
    vehicle_direction_from vehicle_direction_to vehicle_location_restricted_lane_historic
    vehicle_location_restricted_lane junction_location vehicle_left_hand_drive journey_purpose_of_driver_historic
    journey_purpose_of_driver sex_of_driver age_of_driver age_band_of_driver engine_capacity_cc propulsion_code
    age_of_vehicle generic_make_model vehicle_make vehicle_model driver_imd_decile driver_home_area_type
    vehicle_imd_decile escooter_flag driver_distance_banding""")
IMPACT_OF_COLLISION = ["number_of_vehicles"]
IMPACT_OF_VEHICLE = words("""skidding_and_overturning hit_object_in_carriageway vehicle_leaving_carriageway
    hit_object_off_carriageway first_point_of_impact""")
PLACE_OF_COLLISION = words("""location_easting_osgr location_northing_osgr longitude latitude local_authority_district
    local_authority_ons_district local_authority_highway local_authority_highway_current lsoa_of_accident_location
    police_force""")
PLACE_OF_VEHICLE = ["lsoa_of_driver"]
PLACE_OF_CASUALTY = ["lsoa_of_casualty"]
CASUALTY_S_OWN = words("""casualty_class sex_of_casualty age_of_casualty age_band_of_casualty pedestrian_location
    pedestrian_movement car_passenger bus_or_coach_passenger pedestrian_road_maintenance_worker casualty_type
    casualty_home_area_type casualty_imd_decile casualty_distance_banding""")
# Never a feature, whatever is chosen.
FORBIDDEN = words("""collision_severity enhanced_severity_collision collision_adjusted_severity_serious
    collision_adjusted_severity_slight casualty_severity enhanced_casualty_severity casualty_adjusted_severity_serious
    casualty_adjusted_severity_slight collision_injury_based casualty_injury_based number_of_casualties
    did_police_officer_attend_scene_of_accident""")
KEYS = ["collision_index", "collision_year", "collision_ref_no", "vehicle_reference", "casualty_reference"]

MAY_KNOW = {
    ("collision", "before"): PRE,
    ("collision", "involved"): PRE,
    ("collision", "impact"): PRE + IMPACT_OF_COLLISION,
    ("vehicle", "before"): PRE,
    ("vehicle", "involved"): PRE + INVOLVED,
    ("vehicle", "impact"): PRE + IMPACT_OF_COLLISION + INVOLVED + IMPACT_OF_VEHICLE,
    ("casualty", "before"): PRE,
    ("casualty", "involved"): PRE + INVOLVED + CASUALTY_S_OWN,
    ("casualty", "impact"): PRE + IMPACT_OF_COLLISION + INVOLVED + IMPACT_OF_VEHICLE + CASUALTY_S_OWN,
}
PLACES = {
    "collision": PLACE_OF_COLLISION,
    "vehicle": PLACE_OF_COLLISION + PLACE_OF_VEHICLE,
    "casualty": PLACE_OF_COLLISION + PLACE_OF_VEHICLE + PLACE_OF_CASUALTY,
}


def every_column(table: str) -> dict[str, list]:
    """Three rows with a value of its own in every column that any generation has."""
    usual = {"collision": COLLISION, "vehicle": VEHICLE, "casualty": CASUALTY}[table]
    text = {n for n, c in schema.columns(table).items() if c.kind == "text"}
    made = {n: ["a", "b", "c"] if n in text else [1, 2, 3] for n in schema.columns(table)}
    return made | {n: usual[n][:3] for n in made if n in [*KEYS, *CALENDAR, "collision_severity"]}


def full() -> dict[str, pa.Table]:
    """Three tables with every column."""
    keys = {"collision_index": ["2024A", "2024B", "2023C"], "vehicle_reference": [1, 1, 1]}
    return {
        name: canonical({n: keys.get(n, v) for n, v in every_column(name).items()})
        for name in ("collision", "vehicle", "casualty")
    }


def test_every_column_of_the_schema_is_in_these_lists() -> None:
    """A column that is new in the schema must be put in one of them by hand."""
    listed = [*KEYS, *CALENDAR, *PRE, *INVOLVED, *IMPACT_OF_COLLISION, *IMPACT_OF_VEHICLE, *PLACES["casualty"]]
    listed += [*CASUALTY_S_OWN, *FORBIDDEN]
    assert len(listed) == len(set(listed))
    assert set(listed) == {n for t in ("collision", "vehicle", "casualty") for n in schema.columns(t)}


@pytest.mark.parametrize("keep_location", [False, True])
@pytest.mark.parametrize(("unit", "known_at"), list(MAY_KNOW))
def test_the_features_are_what_the_model_may_know(unit: str, known_at: str, keep_location: bool) -> None:
    """Exactly those; every other column is named with a reason, and nothing is in both lists."""
    result = preprocess(full(), unit, "severity", known_at, keep_location)
    keys = {"collision": KEYS[:1], "vehicle": [KEYS[0], KEYS[3]], "casualty": [KEYS[0], KEYS[3], KEYS[4]]}[unit]
    first = [*keys, "year", "severity", "month", "weekday", "hour"]
    assert result.column_names[: len(first)] == first
    features = result.column_names[len(first) :]
    assert sorted(features) == sorted(MAY_KNOW[unit, known_at] + (PLACES[unit] if keep_location else []))
    left_out = store.facts_of(result)["columns_left_out"]
    given = {n for t in schema.TABLES[: schema.TABLES.index(unit) + 1] for n in schema.columns(t)}
    assert set(left_out) == given - set(features) - set(KEYS)
    assert all(left_out.values())


def test_labels_in_place_of_codes_are_refused() -> None:
    """With the way back."""
    labelled = {n: store.with_facts(t, {"table": n, "labelled_columns": ["road_type"]}) for n, t in tables().items()}
    with pytest.raises(InputError, match="label_stats19 with direction=codes undoes it"):
        preprocess(labelled)


@pytest.mark.parametrize(("unit", "known_at"), list(MAY_KNOW))
def test_harmonised_tables_have_one_column_a_fact(unit: str, known_at: str) -> None:
    """The older codes beside the newer, and the name that was split, would say the same thing twice."""
    tables = {n: store.with_facts(t, {"table": n, "codes": "2024"}) for n, t in full().items()}
    result = preprocess(tables, unit, "severity", known_at)
    twice = {n for n in MAY_KNOW[unit, known_at] if n.endswith("_historic")}
    twice |= {"special_conditions_at_site", "generic_make_model"}
    assert not twice & set(result.column_names)
    assert {"junction_detail", "carriageway_hazards", "pedestrian_crossing"} <= set(result.column_names)
    assert store.facts_of(result)["codes"] == "2024"


@pytest.mark.parametrize(
    "facts",
    [
        [{"generation": "2024 and legacy"}, {"generation": "2024 and legacy"}],
        [{"generation": "legacy"}, {"generation": "2025"}],
        [{"generation": "2024", "codes": "2024"}, {"generation": "2024"}],
    ],
)
def test_codes_of_two_lists_in_one_table_are_refused(facts: list[dict[str, str]]) -> None:
    """As long as nobody brought them to one list."""
    pair = {
        n: store.with_facts(t, {"table": n, **f})
        for (n, t), f in zip(list(tables().items())[:2], facts, strict=True)
    }  # fmt: skip
    with pytest.raises(InputError, match="Bring all to one code list first, with harmonise_stats19"):
        preprocess(pair)


@pytest.mark.parametrize("keep_location", [False, True])
@pytest.mark.parametrize("target", ["severity", "ksi"])
@pytest.mark.parametrize(("unit", "known_at"), list(MAY_KNOW))
def test_nothing_that_the_outcome_is_in_is_ever_a_feature(
    unit: str, known_at: str, target: str, keep_location: bool
) -> None:
    """By name, and by the schema's own classes; a casualty's attributes are known for that casualty only."""
    result = preprocess(full(), unit, target, known_at, keep_location)
    assert not set(result.column_names) & set(FORBIDDEN)
    outcome = {"target", "target_derived", "reporting_process", "post_outcome"}
    for table in schema.TABLES:
        for column in schema.columns(table).values():
            if column.availability in outcome and not (unit == "casualty" and table == "casualty"):
                assert column.name not in result.column_names
    if unit != "casualty":
        assert not set(result.column_names) & {*CASUALTY_S_OWN, *PLACE_OF_CASUALTY, "casualty_reference"}


def test_each_left_out_column_has_its_reason() -> None:
    """The reason says which choice would keep it, where one would."""
    left_out = store.facts_of(preprocess(full(), "casualty", known_at="before"))["columns_left_out"]
    assert {n: left_out[n] for n in (
        "collision_severity", "casualty_severity", "collision_injury_based", "number_of_casualties",
        "number_of_vehicles", "vehicle_type", "age_of_casualty", "longitude", "lsoa_of_casualty", "police_force",
        "date", "time", "day_of_week",
    )} == {
        "collision_severity": "it is the target, or the same fact for the whole collision",
        "casualty_severity": "it was derived from the severity",
        "collision_injury_based": "it tells how severity was recorded, not what happened",
        "number_of_casualties": "it is known only after the injuries are",
        "number_of_vehicles": "it is a consequence of the impact (known_at=impact keeps it)",
        "vehicle_type": "it tells who was involved (known_at=involved keeps it)",
        "age_of_casualty": "it tells who was involved (known_at=involved keeps it)",
        "longitude": "it is a shortcut to the place (keep_location=True keeps it)",
        "lsoa_of_casualty": "it is a shortcut to the place (keep_location=True keeps it)",
        "police_force": "it stands for the force's way of recording severity (keep_location=True keeps it)",
        "date": "year, month and weekday stand for it",
        "time": "hour stands for it",
        "day_of_week": "weekday, from the date, stands for it",
    }  # fmt: skip


def test_keys_and_year_are_identifiers_and_codes_are_categories() -> None:
    """Marked in the file, so that no later step takes the one for a feature or the other for a quantity."""
    result = preprocess(full(), "casualty", keep_location=True)
    keys = ["collision_index", "vehicle_reference", "casualty_reference", "year"]
    assert store.marked(result, store.IDENTIFIER) == keys
    categories = set(store.marked(result, store.CATEGORY))
    assert {"road_type", "first_road_number", "police_force", "vehicle_type", "casualty_class"} <= categories
    quantities = {"speed_limit", "age_of_driver", "driver_imd_decile", "longitude", "month", "weekday", "hour"}
    assert not categories & quantities


# Empty and constant columns


def test_empty_and_constant_columns_are_left_out_and_named() -> None:
    """One value in every row, or none; a value here and a gap there is a feature."""
    changed = {"road_type": [None] * 3, "speed_limit": [30] * 3, "light_conditions": [4, None, None]}
    result = preprocess(tables(collision=changed), "collision")
    assert "light_conditions" in result.column_names
    left_out = store.facts_of(result)["columns_left_out"]
    assert left_out["road_type"] == "it is empty in every row"
    assert left_out["speed_limit"] == "it has one value only"
    assert not {"road_type", "speed_limit"} & set(result.column_names)


def test_a_calendar_column_that_tells_nothing_is_left_out_too() -> None:
    """All on one day, and without a time."""
    changed = {"date": [date(2024, 1, 6)] * 3, "time": [None] * 3}
    three = tables(collision=changed)
    three["collision"] = three["collision"].set_column(
        three["collision"].column_names.index("time"), "time", pa.array([None] * 3, pa.time32("s"))
    )
    result = preprocess(three, "collision")
    assert result.column_names == ["collision_index", "year", "severity", "road_type", "speed_limit"]
    left_out = store.facts_of(result)["columns_left_out"]
    assert {n: left_out[n] for n in ("month", "weekday", "hour")} == {
        "month": "it has one value only",
        "weekday": "it has one value only",
        "hour": "it is empty in every row",
    }


def test_kept_constant_columns_are_the_same_for_every_dataset() -> None:
    """One collision alone has the columns of all; one that the tables do not have is null and of its type."""
    whole = preprocess(tables(), "vehicle", keep_constant=True)
    alone = {n: t.filter(pc.field("collision_index") == "2024B") for n, t in tables().items()}
    alone["vehicle"] = alone["vehicle"].drop_columns("vehicle_type")
    one = preprocess(alone, "vehicle", keep_constant=True)
    assert one.schema.remove_metadata().equals(whole.schema.remove_metadata(), check_metadata=True)
    assert one.select(["hour", "speed_limit", "vehicle_type", "vehicle_make", "trunk_road_flag"]).to_pydict() == {
        "hour": [None], "speed_limit": [60], "vehicle_type": [None], "vehicle_make": [None], "trunk_road_flag": [None],
    }  # fmt: skip
    assert whole.schema.field("vehicle_make").type == pa.string()
    reasons = set(store.facts_of(one)["columns_left_out"].values())
    assert not reasons & {"it is empty in every row", "it has one value only"}
    assert "casualty_type" not in one.column_names
    assert "number_of_casualties" not in one.column_names


def test_what_leaks_is_called_so_even_where_it_is_constant() -> None:
    """The reason that matters comes first."""
    left_out = store.facts_of(preprocess(tables(collision={"number_of_casualties": [1, 1, 1]}), "collision"))
    assert left_out["columns_left_out"]["number_of_casualties"] == "it is known only after the injuries are"


# Columns for reports


@pytest.mark.parametrize("unit", ["collision", "vehicle", "casualty"])
def test_report_columns_are_kept_and_are_no_features(unit: str) -> None:
    """Marked so, with the reason in the facts; codes become text; the features and all else stay as they are."""
    names = ["police_force", "longitude", "number_of_casualties"]
    result, plain = preprocess(full(), unit, report_columns=names), preprocess(full(), unit)
    assert store.marked(result, store.REPORT_ONLY) == ["longitude", "police_force", "number_of_casualties"]
    assert result.select(names).to_pydict() == {
        "police_force": ["1", "2", "3"], "longitude": [1, 2, 3], "number_of_casualties": [1, 2, 3],
    }  # fmt: skip
    assert result.drop_columns(names).to_pydict() == plain.to_pydict()
    facts, usual = store.facts_of(result), store.facts_of(plain)
    assert facts["report_columns"] == {n: usual["columns_left_out"][n] for n in names}
    assert facts["columns_left_out"] == {n: r for n, r in usual["columns_left_out"].items() if n not in names}
    assert choose_features(result, "severity", [])[0] == choose_features(plain, "severity", [])[0]


def test_a_feature_named_for_reports_stays_one() -> None:
    """Reports use it as it is; where it is constant it is kept, for reports only."""
    changed = {"road_type": [6, 6, 6], "date": [date(2024, 1, 6)] * 3}
    result = preprocess(tables(collision=changed), "collision", report_columns=["speed_limit", "road_type", "month"])
    assert result.select(["month", "road_type", "speed_limit"]).to_pydict() == {
        "month": [1, 1, 1], "road_type": ["6", "6", "6"], "speed_limit": [30, 60, 60],
    }  # fmt: skip
    assert store.facts_of(result)["report_columns"] == {
        "month": "it has one value only", "road_type": "it has one value only",
    }  # fmt: skip
    assert store.marked(result, store.REPORT_ONLY) == ["month", "road_type"]


@pytest.mark.parametrize("known_at", ["before", "involved"])
def test_what_the_model_may_not_know_is_for_reports(known_at: str) -> None:
    """The same column is a feature or not, as known_at says; it is there either way."""
    result = preprocess(tables(), "casualty", known_at=known_at, report_columns=["casualty_class"])
    assert (store.marked(result, store.REPORT_ONLY) == ["casualty_class"]) == (known_at == "before")
    assert list(map(str, result["casualty_class"].to_pylist())) == ["1", "2", "3", "1"]


def test_a_report_column_that_no_table_has_is_empty_with_keep_constant() -> None:
    """So that every dataset has the same columns."""
    result = preprocess(tables(), "collision", keep_constant=True, report_columns=["lsoa_of_accident_location"])
    assert result["lsoa_of_accident_location"].to_pylist() == [None] * 3
    assert result.schema.field("lsoa_of_accident_location").type == pa.string()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "police_farce",
            "report_columns has 'police_farce', which a collision row does not have. Nearest name: police_",
        ),
        ("age_of_casualty", "report_columns has 'age_of_casualty', which a collision row does not have."),
        (
            "collision_severity",
            "report_columns has collision_severity: it is the target, or the same fact for the whole",
        ),
        ("enhanced_severity_collision", "enhanced_severity_collision: it was derived from the severity. Take it out"),
        ("latitude", "report_columns has latitude, which the tables do not have. Take it out, or keep it empty with"),
    ],
)
def test_a_report_column_that_cannot_be_kept_is_told(name: str, told: str) -> None:
    """Unknown, of another unit, from the outcome, or not in the tables."""
    with pytest.raises(InputError) as error:
        preprocess(tables(), "collision", report_columns=[name])
    assert told in str(error.value)


# Rows that nobody has judged yet


@pytest.mark.parametrize("keep_constant", [False, True])
@pytest.mark.parametrize("unit", ["collision", "vehicle", "casualty"])
def test_without_a_target_everything_else_is_the_same(unit: str, keep_constant: bool) -> None:
    """Whether the severities are in the tables or not; no column and no fact tells them."""
    judged = preprocess(tables(), unit, "ksi", keep_constant=keep_constant)
    bare = tables()
    for name in ("collision", "casualty"):
        bare[name] = bare[name].drop_columns(f"{name}_severity")
    for given in (tables(), bare):
        result = preprocess(given, unit, "none", keep_constant=keep_constant)
        assert result.equals(store.with_facts(judged.drop_columns("ksi"), store.facts_of(result)), check_metadata=True)
        facts, usual = store.facts_of(result), store.facts_of(judged)
        assert facts["target"] == "none"
        del facts["columns_left_out"], usual["columns_left_out"]
        assert facts | {"target": "ksi"} == usual


def test_a_missing_severity_is_no_matter_without_a_target() -> None:
    """Null severities are not read."""
    given = tables(collision={"collision_severity": [None, 3, None]})
    assert preprocess(given, "collision", "none").num_rows == 3


# Orphans


def many(vehicles: int, orphans: int) -> dict[str, pa.Table]:
    """One vehicle a collision; the collisions of the last ones are not there."""
    there = vehicles - orphans
    collision = {n: (v * vehicles)[:there] for n, v in COLLISION.items()}
    collision["collision_index"] = [f"2024{i:04}" for i in range(there)]
    vehicle = {n: (v * vehicles)[:vehicles] for n, v in VEHICLE.items()}
    vehicle["collision_index"] = [f"2024{i:04}" for i in range(vehicles)]
    return {"collision": canonical(collision), "vehicle": canonical(vehicle)}


def test_orphans_up_to_the_share_are_dropped_and_counted(capsys) -> None:
    """Two of 200 are one in a hundred: dropped, in the facts and in the log."""
    result = preprocess(many(200, 2))
    assert result["collision_index"].to_pylist() == [f"2024{i:04}" for i in range(198)]
    facts = store.facts_of(result)
    assert facts["rows_dropped"] == {"vehicle rows without their collision": 2}
    assert facts["rows_in"] == {"collision": 198, "vehicle": 200}
    assert capsys.readouterr().out == (
        "dropped: 2 of 200 vehicle rows have no collision, e.g. collision_index 20240198\n"
    )


def test_orphans_above_the_share_are_an_error() -> None:
    """Three of 200 are more: the tables may not belong together."""
    with pytest.raises(
        InputError,
        match=r"3 of 200 vehicle rows have no collision, e\.g\. collision_index 20240197\. That is more than "
        r"max_orphan_share=0\.01: the tables may be of different years or regions",
    ):
        preprocess(many(200, 3))
    assert preprocess(many(200, 3), max_orphan_share=0.015).num_rows == 197


def test_no_orphan_is_allowed_at_share_0() -> None:
    """And with none the facts say that nothing was dropped."""
    with pytest.raises(InputError, match="1 of 200 vehicle rows"):
        preprocess(many(200, 1), max_orphan_share=0.0)
    assert store.facts_of(preprocess(many(200, 0), max_orphan_share=0.0))["rows_dropped"] == {}


def test_a_casualty_without_its_vehicle_is_an_orphan() -> None:
    """The collision alone is not enough."""
    orphan = {"vehicle_reference": [2, 1, 7, 1]}
    with pytest.raises(InputError, match=r"1 of 4 casualty rows have no vehicle, e\.g\. collision_index 2024B"):
        preprocess(tables(casualty=orphan), "casualty")
    result = preprocess(tables(casualty=orphan), "casualty", max_orphan_share=0.25)
    assert result["collision_index"].to_pylist() == ["2024A", "2024A", "2023C"]
    assert store.facts_of(result)["rows_dropped"] == {"casualty rows without their vehicle": 1}


def test_a_casualty_without_its_collision_is_counted_as_that() -> None:
    """Once, and not again as one without a vehicle."""
    orphan = {"collision_index": ["2024A", "2024A", "2024X", "2023C"]}
    result = preprocess(tables(casualty=orphan), "casualty", max_orphan_share=0.25)
    assert store.facts_of(result)["rows_dropped"] == {"casualty rows without their collision": 1}


def test_a_collision_without_vehicles_is_counted() -> None:
    """It has no row at the unit vehicle, and the facts say so."""
    lone = {n: [v for v, key in zip(vs, VEHICLE["collision_index"], strict=True) if key != "2024B"]
            for n, vs in VEHICLE.items()}  # fmt: skip
    with pytest.raises(
        InputError, match=r"1 of 3 collisions have no vehicle\. That is more than max_orphan_share=0\.01"
    ):
        preprocess(tables(vehicle=lone), "vehicle")
    result = preprocess(tables(vehicle=lone), "vehicle", max_orphan_share=0.5)
    assert result["collision_index"].to_pylist() == ["2024A", "2023C", "2024A"]
    assert store.facts_of(result)["rows_dropped"] == {"collisions without any vehicle": 1}


# Facts


def test_facts_say_what_the_table_is(tmp_path: Path) -> None:
    """Unit, target, what the model may know, origin and counts; the digests are those of the files read."""
    read = {}
    for name, table in tables().items():
        told = {"generation": "2024", "years": [2023, 2024], "synthetic": True, "table": name}
        store.write_dataset(store.with_facts(table, told), tmp_path / name)
        read[name] = datasets.read_dataset(tmp_path / name, name)
    facts = store.facts_of(preprocess(read, "vehicle", "ksi", "impact"))
    assert without(facts, "columns_left_out") == {
        "unit": "vehicle",
        "target": "ksi",
        "known_at": "impact",
        "codes": "as published",
        "group_column": "collision_index",
        "generation": "2024",
        "years": [2023, 2024],
        "synthetic": True,
        "schema_version": "1",
        "made_from": {n: files.digest(tmp_path / n) for n in ("collision", "vehicle")},
        "rows_in": {"collision": 3, "vehicle": 4},
        "rows_dropped": {},
        "report_columns": {},
    }


def test_tables_without_facts_are_taken_as_they_are() -> None:
    """A table made by hand has no history."""
    facts = store.facts_of(preprocess(tables(), "collision"))
    assert (facts["generation"], facts["years"], facts["synthetic"]) == ("unknown", [], False)
    assert facts["made_from"] == {"collision": ""}


# What is refused


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"unit": "driver"}, "unit is 'driver'; it can be vehicle, collision, casualty."),
        ({"target": "fatal"}, "target is 'fatal'; it can be severity, ksi, none."),
        ({"known_at": "after"}, "known_at is 'after'; it can be before, involved, impact."),
        ({"max_orphan_share": 1.5}, "max_orphan_share is 1.5; it is a share, 0 to 1."),
        ({"max_orphan_share": -0.1}, "max_orphan_share is -0.1; it is a share, 0 to 1."),
        ({"max_orphan_share": float("nan")}, "max_orphan_share is nan; it is a share, 0 to 1."),
    ],
)
def test_a_parameter_out_of_range_is_told(given: dict, told: str) -> None:
    """With what it can be."""
    with pytest.raises(InputError) as error:
        preprocess(tables(), **given)
    assert str(error.value) == told


@pytest.mark.parametrize(
    ("unit", "lost"),
    [("collision", "collision"), ("vehicle", "vehicle"), ("casualty", "vehicle"), ("casualty", "casualty")],
)
def test_a_table_that_the_unit_needs_is_named(unit: str, lost: str) -> None:
    """A casualty needs all three."""
    some = tables()
    del some[lost]
    with pytest.raises(InputError, match=f"the {lost} table is needed for this unit and was not given"):
        preprocess(some, unit)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("collision", "collision_index"),
        ("collision", "collision_severity"),
        ("collision", "date"),
        ("collision", "time"),
        ("vehicle", "vehicle_reference"),
        ("casualty", "casualty_severity"),
    ],
)
def test_a_table_without_its_key_or_target_is_told(table: str, column: str) -> None:
    """With what to give instead."""
    some = tables()
    some[table] = some[table].drop_columns(column)
    with pytest.raises(
        InputError, match=rf"{table} table: no column {column}\. Give the {table} output of load_stats19"
    ):
        preprocess(some, "casualty")


def raw_parquet(folder: Path, table: str, generation: str) -> pa.Table:
    """A published CSV as pandas reads it, stored as Parquet."""
    (folder / "raw.csv").write_text(csv_text(table, generation))
    pd.read_csv(folder / "raw.csv").to_parquet(folder / "raw.parquet")
    return datasets.read_dataset(folder / "raw.parquet")


@pytest.mark.parametrize("table", ["collision", "vehicle", "casualty"])
@pytest.mark.parametrize(
    ("generation", "told"), [("legacy", "no column collision_index"), ("2024", "collision_index is int64")]
)
def test_a_raw_csv_s_parquet_is_told(tmp_path: Path, table: str, generation: str, told: str) -> None:
    """Its names, or the types of its key, dates and times, are not those of load_stats19."""
    some = tables()
    some[table] = raw_parquet(tmp_path, table, generation)
    with pytest.raises(InputError, match=rf"{table} table: .*{told}.* Give the {table} output of load_stats19"):
        preprocess(some, "casualty")


@pytest.mark.parametrize(("column", "values"), [("date", ["06/01/2024"] * 3), ("time", ["08:15"] * 3)])
def test_dates_and_times_as_text_are_told(column: str, values: list[str]) -> None:
    """They were not read by load_stats19."""
    with pytest.raises(InputError, match=rf"collision table: .*{column} is string.* Give the collision output"):
        preprocess(tables(collision={column: values}), "collision")


def test_a_table_in_anothers_place_is_told() -> None:
    """KFP cannot tell one Dataset from another; the facts of load_stats19 can."""
    given = tables()
    given["vehicle"] = store.with_facts(given["casualty"], {"table": "casualty"})
    with pytest.raises(InputError, match="the casualty table was given where the vehicle table belongs"):
        preprocess(given, "vehicle")
