"""Features by literal tables; what they never use; the same columns for every year."""

from datetime import date, time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from roadsafety_components.core import schema, store
from roadsafety_components.core.clean import preprocess
from roadsafety_components.core.datasets import read_dataset
from roadsafety_components.core.engineer import engineer
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.feature_list import FEATURES
from roadsafety_components.core.harmonise import harmonise
from roadsafety_components.core.read import load_tables

from .make import canonical

UNITS = ("collision", "vehicle", "casualty")
# A: a motorcyclist and a pedestrian-hitting HGV on a school morning; B: a cyclist alone, Easter Monday in Scotland.
COLLISION = {
    "collision_index": ["A", "B"],
    "police_force": [13, 95],
    "collision_severity": [1, 3],
    "date": [date(2024, 9, 18), date(2024, 4, 1)],
    "time": [time(8, 30), None],
    "longitude": [-1.5, None],
    "latitude": [53.8, None],
    "location_easting_osgr": [433000.0, None],
    "location_northing_osgr": [433500.0, None],
    "first_road_class": [3, 6],
    "second_road_class": [0, None],
    "road_surface_conditions": [4, 2],
    "weather_conditions": [1, 9],
    "light_conditions": [1, None],
    "speed_limit": [30, 30],
}
VEHICLE = {
    "collision_index": ["A", "B", "A", "A"],
    "vehicle_reference": [2, 1, 1, 3],
    "vehicle_type": [21, 1, 5, 9],
    "vehicle_manoeuvre": [9, 19, 13, None],
    "sex_of_driver": [1, 3, 1, 2],
    "age_of_driver": [71, None, 24, 40],
    "engine_capacity_cc": [9000, None, 600, 1600],
    "age_of_vehicle": [3, None, 12, None],
    "vehicle_direction_to": [1, 1, 6, 0],
}
CASUALTY = {
    "collision_index": ["A", "A", "B"],
    "vehicle_reference": [1, 2, 1],
    "casualty_reference": [1, 2, 1],
    "casualty_class": [1, 3, 1],
    "casualty_type": [5, 0, 1],
    "age_of_casualty": [24, 8, None],
    "casualty_severity": [1, 3, 3],
}


def tables(**changed: dict[str, list]) -> dict[str, pa.Table]:
    """The three tables as harmonise_stats19 leaves them, with columns of some changed."""
    usual = {"collision": COLLISION, "vehicle": VEHICLE, "casualty": CASUALTY}
    made = {name: canonical(columns | changed.get(name, {})) for name, columns in usual.items()}
    return {name: store.with_facts(table, {"table": name, "codes": "2024"}) for name, table in made.items()}


def featured(
    given: dict[str, pa.Table], unit: str = "casualty", known_at: str = "involved", cell_km: float = 0.0
) -> pa.Table:
    """Preprocessed as a pipeline does, with the features."""
    data = preprocess(given, unit, "ksi", known_at, keep_constant=True)
    return engineer(data, given["collision"], given["vehicle"], cell_km)


def harmonised(folder: Path) -> dict[str, pa.Table]:
    """Real tables in the codes of 2024."""
    return harmonise(load_tables(str(folder), {}))


# Values


def test_a_casualty_meets_its_own_vehicle_and_the_heaviest_other() -> None:
    """The motorcyclist against the HGV, the pedestrian against the HGV that hit; the cyclist alone."""
    rows = featured(tables(), "casualty").select(
        ["road_user", "opponent", "user_and_opponent", "is_driver", "vehicle_pair", "other_manoeuvre",
         "other_driver_age", "heading_difference"]
    ).to_pydict()  # fmt: skip
    assert rows == {
        "road_user": ["motorcycle", "pedestrian", "cycle"],
        "opponent": ["hgv", "hgv", "none"],
        "user_and_opponent": ["motorcycle/hgv", "pedestrian/hgv", "cycle/none"],
        "is_driver": [True, False, True],
        "vehicle_pair": ["motorcycle/hgv", "hgv/car", "cycle/none"],
        "other_manoeuvre": ["right", None, "none"],
        "other_driver_age": [71.0, 40.0, None],
        "heading_difference": [135.0, None, None],
    }


def test_a_collision_has_all_its_vehicles() -> None:
    """Counts by group, the lightest against the heaviest, ages; null where nobody knows."""
    rows = featured(tables(), "collision")
    columns = [n for n, f in FEATURES.items() if f.section == "all vehicles of the collision"]
    first, second = rows.select(columns).to_pylist()
    share = first.pop("male_driver_share")
    assert share == pytest.approx(2 / 3)
    assert first == {
        "vehicles": 3, "vehicles_cycle": 0, "vehicles_motorcycle": 1, "vehicles_other": 0, "vehicles_car": 1,
        "vehicles_van": 0, "vehicles_bus": 0, "vehicles_hgv": 1, "single_vehicle": False,
        "worst_pair": "motorcycle/hgv", "youngest_driver": 24, "oldest_driver": 71, "young_driver": True,
        "old_driver": True, "largest_engine_cc": 9000, "oldest_vehicle": 12, "any_escooter": None,
    }  # fmt: skip
    assert (second["vehicles"], second["worst_pair"], second["single_vehicle"]) == (1, "cycle/none", True)
    assert {second[n] for n in ("youngest_driver", "old_driver", "male_driver_share", "largest_engine_cc")} == {None}


def test_one_known_vehicle_of_several_is_no_pair() -> None:
    """Where two of three types are missing nobody knows the lightest and the heaviest."""
    rows = featured(tables(vehicle={"vehicle_type": [21, 1, None, None]}), "collision")
    assert rows["worst_pair"].to_pylist() == [None, "cycle/none"]
    assert rows["vehicles"].to_pylist() == [3, 1]


def test_moment_and_road() -> None:
    """A school morning in Leeds; without a time, light and place only the calendar is left."""
    rows = featured(tables(), "collision", known_at="before", cell_km=5)
    first, second = rows.to_pylist()
    assert first["sun_elevation"] == pytest.approx(14.7, abs=0.5)
    told = ("hour", "weekend", "bank_holiday", "rush_hour", "school_run", "night_out", "dark", "cell", "road_classes",
            "surface_and_weather")  # fmt: skip
    assert [first[n] for n in told] == [8, False, False, True, True, False, False, "86/86", "A/none", "icy/fine"]
    assert [second[n] for n in told] == [None, False, False, None, None, None, None, None, None, None]
    assert (second["month"], second["weekday"]) == (4, 2)


def test_the_clock_is_read_in_any_unit() -> None:
    """Parquet keeps times in milliseconds; they are the same times."""
    given = tables()
    in_ms = given["collision"].set_column(
        given["collision"].column_names.index("time"), "time", given["collision"]["time"].cast(pa.time32("ms"))
    )
    again = given | {"collision": store.with_facts(in_ms, store.facts_of(given["collision"]))}
    assert featured(again).equals(featured(given))


def test_dark_follows_the_code_then_the_sun() -> None:
    """Midnight recorded as daylight stays light; without a code the sun tells."""
    midnight = {"time": [time(0, 0), time(0, 0)], "light_conditions": [1, None]}
    assert featured(tables(collision=midnight), "collision")["dark"].to_pylist() == [False, True]


# Stateless


@pytest.mark.parametrize("unit", UNITS)
def test_a_row_is_the_same_alone_and_among_others(unit: str) -> None:
    """The features of one collision do not change with the other collisions, nor with the order of rows."""
    together = featured(tables(), unit).filter(pc.field("collision_index") == "A")
    alone = {n: t.filter(pc.field("collision_index") == "A") for n, t in tables().items()}
    backwards = {n: t.take(list(range(t.num_rows))[::-1]) for n, t in alone.items()}
    order = [(n, "ascending") for n in together.column_names if n.endswith(("_index", "_reference"))]
    assert featured(alone, unit).to_pydict() == together.to_pydict()
    assert featured(backwards, unit).sort_by(order).to_pydict() == together.sort_by(order).to_pydict()


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("known_at", ["before", "involved", "impact"])
def test_columns_are_those_of_the_list(unit: str, known_at: str) -> None:
    """What is added are the features of the list that are known, all of them and in its order."""
    made = store.facts_of(featured(tables(), unit, known_at=known_at, cell_km=1))["columns_engineered"]
    listed = [n for n, f in FEATURES.items() if unit in f.units and (f.known == "before" or known_at != "before")]
    assert made == listed
    sources = {n for t in schema.TABLES for n in schema.columns(t)}
    assert all(set(f.sources) <= sources for f in FEATURES.values())


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("known_at", ["before", "involved", "impact"])
def test_nothing_tells_the_outcome(unit: str, known_at: str) -> None:
    """With every column of the outcome set to the outcome, and the other casualty gone, no feature changes."""
    outcome = {
        "collision": {"collision_severity": [3, 1], "enhanced_severity_collision": [1, 3],
                      "collision_adjusted_severity_serious": [1.0, 0.5],
                      "collision_adjusted_severity_slight": [0.5, 1.0],
                      "collision_injury_based": [1, 0], "number_of_casualties": [9, 1],
                      "did_police_officer_attend_scene_of_accident": [1, 3]},
        "casualty": {"casualty_severity": [3, 1, 1], "enhanced_casualty_severity": [1, 3, 5],
                     "casualty_adjusted_severity_serious": [1.0, 0.5, 0.25],
                     "casualty_adjusted_severity_slight": [0.5, 1.0, 0.75], "casualty_injury_based": [1, 0, 1]},
    }  # fmt: skip
    told, plain = featured(tables(**outcome), unit, known_at=known_at), featured(tables(), unit, known_at=known_at)
    assert told.drop_columns("ksi").to_pydict() == plain.drop_columns("ksi").to_pydict()
    assert told["ksi"].to_pylist() != plain["ksi"].to_pylist()
    fewer = tables()
    fewer["casualty"] = fewer["casualty"].slice(1)
    rest = plain.slice(1) if unit == "casualty" else plain
    assert featured(fewer, unit, known_at=known_at).to_pydict() == rest.to_pydict()


@pytest.mark.parametrize("unit", UNITS)
def test_before_a_collision_nothing_of_vehicles_is_used(unit: str) -> None:
    """Neither their number nor their kinds: the table may be there or not."""
    given = tables()
    data = preprocess(given, unit, "ksi", "before", keep_constant=True)
    assert engineer(data, given["collision"], given["vehicle"]).equals(engineer(data, given["collision"]))


def test_data_stays_as_it_is() -> None:
    """Its rows in their order, its columns, marks and facts; text that is added is a category, a number is none."""
    data = preprocess(tables(), "casualty", "ksi", keep_constant=True)
    rows = engineer(data, tables()["collision"], tables()["vehicle"])
    kept = rows.select(data.column_names)
    assert kept.to_pydict() == data.to_pydict()
    assert kept.schema.remove_metadata().equals(data.schema.remove_metadata(), check_metadata=True)
    text = ["road_classes", "surface_and_weather", "worst_pair", "vehicle_group", "manoeuvre_group", "other_group",
            "other_manoeuvre", "vehicle_pair", "road_user", "opponent", "user_and_opponent"]  # fmt: skip
    assert store.marked(rows, store.CATEGORY) == store.marked(data, store.CATEGORY) + text
    told, plain = store.facts_of(rows), store.facts_of(data)
    assert told.pop("cell_km") == 0.0
    assert told.pop("columns_engineered") == rows.column_names[data.num_columns :]
    assert told.pop("made_from") == plain.pop("made_from") | {"data": ""}
    assert told == plain


def test_columns_for_reports_stay_so() -> None:
    """Their mark and values are those of the data."""
    given = tables()
    data = preprocess(given, "casualty", "ksi", keep_constant=True, report_columns=["police_force"])
    rows = engineer(data, given["collision"], given["vehicle"])
    assert store.marked(rows, store.REPORT_ONLY) == ["police_force"]
    assert rows["police_force"].to_pylist() == ["13", "13", "95"]


@pytest.mark.parametrize("unit", UNITS)
def test_rows_that_nobody_has_judged_have_the_same_features(unit: str) -> None:
    """Without a target, from tables without severities."""
    given = tables()
    bare = given | {n: given[n].drop_columns(f"{n}_severity") for n in ("collision", "casualty")}
    judged = featured(given, unit)
    rows = engineer(preprocess(bare, unit, "none", keep_constant=True), bare["collision"], bare["vehicle"])
    assert rows.to_pydict() == judged.drop_columns("ksi").to_pydict()
    assert store.facts_of(rows)["target"] == "none"


def test_a_part_of_the_data_in_another_order_has_the_same_features() -> None:
    """Each row is looked up by its key, in tables that hold more."""
    given = tables()
    data = preprocess(given, "vehicle", "ksi", keep_constant=True)
    part = engineer(data.take([3, 1]), given["collision"], given["vehicle"])
    assert part.to_pydict() == engineer(data, given["collision"], given["vehicle"]).take([3, 1]).to_pydict()


def test_only_a_casualty_s_own_columns_must_be_in_the_data() -> None:
    """Without them its features are null; those of the tables do not need the data's columns."""
    given = tables()
    data = preprocess(given, "casualty", "ksi", keep_constant=True)
    whole = engineer(data, given["collision"], given["vehicle"])
    keys = ["collision_index", "vehicle_reference", "casualty_reference"]
    bare = engineer(data.select(keys), given["collision"], given["vehicle"])
    casualty = [n for n, f in FEATURES.items() if f.section == "casualty"]
    assert {v for n in casualty for v in bare[n].to_pylist()} == {None}
    others = [n for n in bare.column_names if n not in casualty]
    assert bare.select(others).to_pydict() == whole.select(others).to_pydict()
    assert bare.select(casualty).schema.equals(whole.select(casualty).schema)


# Refused


@pytest.mark.parametrize("cell_km", [-1.0, 1001.0, float("nan")])
def test_a_cell_of_no_width_is_refused(cell_km: float) -> None:
    """With what it can be."""
    with pytest.raises(InputError, match=rf"cell_km is {cell_km}; it is a width in kilometres, up to 1000"):
        featured(tables(), cell_km=cell_km)


@pytest.mark.parametrize(
    ("which", "told"), [("data", "data"), ("collision", "the collision table"), ("vehicle", "the vehicle table")]
)
def test_what_is_not_harmonised_is_refused(which: str, told: str) -> None:
    """With the step that mends it."""
    given = tables() | {"data": preprocess(tables(), "vehicle")}
    published = {"codes": "as published", "labelled_columns": []}
    given[which] = store.with_facts(given[which], store.facts_of(given[which]) | published)
    with pytest.raises(InputError, match=rf"{told} is not harmonised: .*harmonise_stats19, then preprocess"):
        engineer(given["data"], given["collision"], given["vehicle"])


def test_labels_in_place_of_codes_are_refused() -> None:
    """With the step that undoes them."""
    given = tables()
    data = preprocess(given, "vehicle")
    labelled = store.with_facts(data, store.facts_of(data) | {"labelled_columns": ["road_type"]})
    with pytest.raises(InputError, match="data has labels in place of codes; label_stats19"):
        engineer(labelled, given["collision"], given["vehicle"])


def test_data_of_another_step_is_refused() -> None:
    """Without the facts of preprocess nobody knows the unit, nor what may be used."""
    given = tables()
    with pytest.raises(InputError, match=r"do not tell its unit .* Give the output of preprocess_collisions"):
        engineer(given["casualty"], given["collision"], given["vehicle"])


def test_features_are_added_once() -> None:
    """A second time they would stand there twice."""
    given = tables()
    with pytest.raises(InputError, match="data has the column hour_sin already"):
        engineer(featured(given), given["collision"], given["vehicle"])


def test_vehicles_are_needed_unless_nothing_of_them_is_known() -> None:
    """The counts come from the vehicle table, also for a collision."""
    given = tables()
    for known_at in ("involved", "impact"):
        data = preprocess(given, "collision", "ksi", known_at)
        with pytest.raises(InputError, match=f"the vehicle table is needed where known_at is {known_at}"):
            engineer(data, given["collision"])


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("collision", "1 of 4 rows of data are not in the collision table, e.g. collision_index B. Give"),
        ("vehicle", "3 of 4 rows of data are not in the vehicle table, e.g. collision_index/vehicle_reference A/2. "),
    ],
)
def test_rows_of_other_tables_are_refused(table: str, told: str) -> None:
    """With how many, and one of them."""
    given = tables()
    data = preprocess(given, "vehicle")
    given[table] = given[table].filter(pc.field("collision_index") == {"collision": "A", "vehicle": "B"}[table])
    with pytest.raises(InputError, match=told):
        engineer(data, given["collision"], given["vehicle"])


def test_a_table_in_anothers_place_or_without_its_columns_is_refused() -> None:
    """KFP cannot tell one Dataset from another."""
    given = tables()
    data = preprocess(given, "vehicle")
    with pytest.raises(InputError, match="the vehicle table was given where the collision table belongs"):
        engineer(data, given["vehicle"], given["collision"])
    with pytest.raises(InputError, match=r"collision table: no column date\. Give the collision output of harmonise"):
        engineer(data, given["collision"].drop_columns("date"), given["vehicle"])


# Real records


@pytest.mark.real_data
def test_every_year_has_the_same_columns(great_britain: Path, west_yorkshire: Path) -> None:
    """2015 as published and 2024: names, types, marks."""
    older, newer = harmonised(great_britain), harmonised(west_yorkshire)
    for unit in UNITS:
        one, other = featured(older, unit), featured(newer, unit)
        assert one.schema.remove_metadata().equals(other.schema.remove_metadata(), check_metadata=True)


@pytest.mark.real_data
def test_from_parquet_as_from_memory(west_yorkshire: Path, tmp_path: Path) -> None:
    """What a step reads gives the same features."""
    given = harmonised(west_yorkshire)
    for name, table in given.items():
        store.write_dataset(table, tmp_path / name)
    read = {name: read_dataset(tmp_path / name) for name in given}
    assert featured(read).to_pydict() == featured(given).to_pydict()
