"""Properties of the synthetic STATS19 tables."""

import datetime
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import csv
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from roadsafety_components.core import sample
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.sample import SYNTHETIC_PREFIX, TABLES, generate_sample, write_sample

# The headers of the three files of the 2024 release, as published.
HEADERS = {
    "collision": (
        "collision_index,collision_year,collision_ref_no,location_easting_osgr,location_northing_osgr,longitude,"
        "latitude,police_force,collision_severity,number_of_vehicles,number_of_casualties,date,day_of_week,time,"
        "local_authority_district,local_authority_ons_district,local_authority_highway,"
        "local_authority_highway_current,first_road_class,first_road_number,road_type,speed_limit,"
        "junction_detail_historic,junction_detail,junction_control,second_road_class,second_road_number,"
        "pedestrian_crossing_human_control_historic,pedestrian_crossing_physical_facilities_historic,"
        "pedestrian_crossing,light_conditions,weather_conditions,road_surface_conditions,"
        "special_conditions_at_site,carriageway_hazards_historic,carriageway_hazards,urban_or_rural_area,"
        "did_police_officer_attend_scene_of_accident,trunk_road_flag,lsoa_of_accident_location,"
        "enhanced_severity_collision,collision_injury_based,collision_adjusted_severity_serious,"
        "collision_adjusted_severity_slight"
    ),
    "vehicle": (
        "collision_index,collision_year,collision_ref_no,vehicle_reference,vehicle_type,towing_and_articulation,"
        "vehicle_manoeuvre_historic,vehicle_manoeuvre,vehicle_direction_from,vehicle_direction_to,"
        "vehicle_location_restricted_lane_historic,vehicle_location_restricted_lane,junction_location,"
        "skidding_and_overturning,hit_object_in_carriageway,vehicle_leaving_carriageway,"
        "hit_object_off_carriageway,first_point_of_impact,vehicle_left_hand_drive,"
        "journey_purpose_of_driver_historic,journey_purpose_of_driver,sex_of_driver,age_of_driver,"
        "age_band_of_driver,engine_capacity_cc,propulsion_code,age_of_vehicle,generic_make_model,"
        "driver_imd_decile,lsoa_of_driver,escooter_flag,driver_distance_banding"
    ),
    "casualty": (
        "collision_index,collision_year,collision_ref_no,vehicle_reference,casualty_reference,casualty_class,"
        "sex_of_casualty,age_of_casualty,age_band_of_casualty,casualty_severity,pedestrian_location,"
        "pedestrian_movement,car_passenger,bus_or_coach_passenger,pedestrian_road_maintenance_worker,"
        "casualty_type,casualty_imd_decile,lsoa_of_casualty,enhanced_casualty_severity,casualty_injury_based,"
        "casualty_adjusted_severity_serious,casualty_adjusted_severity_slight,casualty_distance_banding"
    ),
}
HISTORIC = {
    "collision": [
        "junction_detail_historic",
        "pedestrian_crossing_human_control_historic",
        "pedestrian_crossing_physical_facilities_historic",
        "carriageway_hazards_historic",
    ],
    "vehicle": [
        "vehicle_manoeuvre_historic",
        "vehicle_location_restricted_lane_historic",
        "journey_purpose_of_driver_historic",
    ],
}
VEHICLE_KEY = ["collision_index", "vehicle_reference"]
Frames = dict[str, pd.DataFrame]


def paths_in(folder: Path) -> dict[str, Path]:
    """Return a path for each table."""
    return {table: folder / f"{table}.csv" for table in TABLES}


def read(path: Path) -> pa.Table:
    """Read a written table; dates and times stay text."""
    options = csv.ConvertOptions(column_types=dict.fromkeys(("date", "time"), pa.string()))
    return csv.read_csv(path, convert_options=options)


@pytest.fixture(scope="module")
def frames() -> Frames:
    """Return 20,000 collisions with their vehicles and casualties."""
    return {table: rows.to_pandas() for table, rows in generate_sample(20_000, seed=1).items()}


@pytest.fixture(scope="module")
def parties(frames: Frames) -> pd.DataFrame:
    """Return the casualties beside their vehicle and their collision."""
    columns = ["collision_index", "speed_limit", "light_conditions", "number_of_vehicles"]
    with_vehicle = frames["casualty"].merge(frames["vehicle"], on=VEHICLE_KEY, validate="many_to_one")
    return with_vehicle.merge(frames["collision"][columns], on="collision_index", validate="many_to_one")


# What the files look like


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_those_of_the_2024_release_in_order(table: str, frames: Frames, tmp_path: Path) -> None:
    """The table and the first line of the file are the published header."""
    write_sample(3, paths_in(tmp_path))
    assert ",".join(frames[table].columns) == HEADERS[table]
    assert paths_in(tmp_path)[table].read_text().split("\n")[0] == HEADERS[table]


@pytest.mark.parametrize("table", TABLES)
def test_files_have_the_form_of_the_published_ones(table: str, tmp_path: Path) -> None:
    """The text is ASCII without byte-order mark, lines end with LF, and nothing is quoted or empty."""
    counts = write_sample(50, paths_in(tmp_path))
    content = paths_in(tmp_path)[table].read_bytes()
    assert content.isascii()
    assert content.endswith(b"\n")
    assert not re.search(rb'[\r"]|,,|,\n|^,', content)
    lines = content.decode().splitlines()
    assert len(lines) == counts[table] + 1
    assert {line.count(",") for line in lines} == {HEADERS[table].count(",")}


def test_fields_are_written_as_published(tmp_path: Path) -> None:
    """Dates are dd/mm/yyyy, times HH:MM, coordinates metres and degrees, probabilities 1.0 and 0.0."""
    write_sample(300, paths_in(tmp_path))
    forms = {
        "collision_index": r"202[34]SYN[0-9A-Z]{6}",
        "collision_ref_no": r"SYN[0-9A-Z]{6}",
        "location_easting_osgr": r"\d{6}",
        "location_northing_osgr": r"\d{6}",
        "longitude": r"-\d\.\d{1,5}",
        "latitude": r"5\d\.\d{1,5}",
        "date": r"\d\d/\d\d/202[34]",
        "time": r"\d\d:\d\d",
        "local_authority_ons_district": r"[ES]\d{8}",
        "local_authority_highway": r"[ES]\d{8}",
        "local_authority_highway_current": r"[ES]\d{8}",
        "lsoa_of_accident_location": r"E01\d{6}|-1",
        "collision_adjusted_severity_serious": r"[01]\.0",
        "collision_adjusted_severity_slight": r"[01]\.0",
    }
    header, *lines = paths_in(tmp_path)["collision"].read_text().splitlines()
    for line in lines:
        for column, field in zip(header.split(","), line.split(","), strict=True):
            assert re.fullmatch(forms.get(column, r"-?\d+"), field), (column, field)


def test_written_files_hold_the_generated_tables(tmp_path: Path) -> None:
    """What a CSV reader finds is what `generate_sample` returns, types included."""
    counts = write_sample(500, paths_in(tmp_path), seed=7, years=[2024])
    for table, rows in generate_sample(500, seed=7, years=[2024]).items():
        assert read(paths_in(tmp_path)[table]).equals(rows)
        assert counts[table] == rows.num_rows


def test_columns_are_integers_floats_and_text() -> None:
    """Codes and counts are int64; only coordinates in degrees and adjusted severities are floats."""
    tables = generate_sample(20)
    types = {field.name: str(field.type) for rows in tables.values() for field in rows.schema}
    assert set(types.values()) == {"int64", "double", "string"}
    assert {name for name, kind in types.items() if kind == "double"} == {
        "longitude",
        "latitude",
        "collision_adjusted_severity_serious",
        "collision_adjusted_severity_slight",
        "casualty_adjusted_severity_serious",
        "casualty_adjusted_severity_slight",
    }
    assert {name for name, kind in types.items() if kind == "string"} == {
        "collision_index",
        "collision_ref_no",
        "date",
        "time",
        "local_authority_ons_district",
        "local_authority_highway",
        "local_authority_highway_current",
        "lsoa_of_accident_location",
        "generic_make_model",
        "lsoa_of_driver",
        "lsoa_of_casualty",
    }


def test_missing_folders_are_made(tmp_path: Path) -> None:
    """A path into a folder that is not there yet works."""
    assert write_sample(1, paths_in(tmp_path / "new" / "folder"))["collision"] == 1


# The same every time


def test_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    """Two runs write identical files; another seed writes others."""
    contents = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_sample(200, paths_in(tmp_path / name), seed=seed)
        contents.append([path.read_bytes() for path in paths_in(tmp_path / name).values()])
    assert contents[0] == contents[1]
    assert all(one != other for one, other in zip(contents[0], contents[2], strict=True))


def test_files_grow_by_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over several chunks there is one header, no key comes twice, and no chunk repeats another."""
    monkeypatch.setattr(sample, "_CHUNK", 60)
    counts = write_sample(200, paths_in(tmp_path), years=[2024])
    written = {table: read(path) for table, path in paths_in(tmp_path).items()}
    assert {table: rows.num_rows for table, rows in written.items()} == counts
    collision = written["collision"].to_pandas()
    assert collision.collision_index.nunique() == 200
    assert collision.location_easting_osgr[:60].tolist() != collision.location_easting_osgr[60:120].tolist()
    for table, rows in generate_sample(200, years=[2024]).items():
        assert rows.equals(written[table])


# Keys and years


def test_keys_say_that_the_data_are_synthetic() -> None:
    """A reference is SYN and the row's number in six digits of base 36, an index the year before it."""
    assert SYNTHETIC_PREFIX == "SYN"
    collision = generate_sample(1300, years=[2024])["collision"]
    references = collision["collision_ref_no"].to_pylist()
    assert [references[k] for k in (0, 35, 36, 1299)] == ["SYN000000", "SYN00000Z", "SYN000010", "SYN000103"]
    assert collision["collision_index"].to_pylist() == [f"2024{reference}" for reference in references]


def test_nine_million_references_fit() -> None:
    """The nine millionth collision still has a reference of nine characters."""
    rows = sample._collisions(np.random.default_rng(0), np.array([8_999_999]), np.array([2024]))
    assert rows["ref"].tolist() == ["SYN05CWFZ"]


def test_collisions_are_spread_over_the_years_in_order() -> None:
    """Every year has its share, years come in order, and every date lies in the collision's year."""
    collision = generate_sample(10, years=[2024, 1999, 2000])["collision"].to_pandas()
    assert collision.collision_year.tolist() == [1999] * 4 + [2000] * 3 + [2024] * 3
    assert (collision.date.str[-4:].astype(int) == collision.collision_year).all()
    assert (collision.collision_index.str[:4].astype(int) == collision.collision_year).all()


@pytest.mark.parametrize(
    ("collisions", "years", "message"),
    [
        (0, [2024], r"^0 collisions in years \[2024\]: ask for 1 or more, in 1979 to 2100\.$"),
        (-5, [2023, 2024], r"^-5 collisions in years \[2023, 2024\]: ask for 1 or more, in 1979 to 2100\.$"),
        (10, [1978], r"^10 collisions in years \[1978\]: ask for 1 or more, in 1979 to 2100\.$"),
        (10, [2024, 2101], r"^10 collisions in years \[2024, 2101\]: ask for 1 or more, in 1979 to 2100\.$"),
        (10, [], r"^10 collisions in years \[\]: ask for 1 or more, in 1979 to 2100\.$"),
    ],
)
def test_bad_input_is_named(collisions: int, years: list[int], message: str, tmp_path: Path) -> None:
    """The error says what was asked for and what may be, and nothing is written."""
    with pytest.raises(InputError, match=message):
        generate_sample(collisions, years=years)
    with pytest.raises(InputError, match=message):
        write_sample(collisions, paths_in(tmp_path), years=years)
    assert list(tmp_path.iterdir()) == []


# How the tables hang together


def test_keys_are_unique(frames: Frames) -> None:
    """No collision, no vehicle of a collision and no casualty of a collision comes twice."""
    assert frames["collision"].collision_index.is_unique
    assert not frames["vehicle"].duplicated(VEHICLE_KEY).any()
    assert not frames["casualty"].duplicated(["collision_index", "casualty_reference"]).any()


@pytest.mark.parametrize(("table", "count"), [("vehicle", "vehicles"), ("casualty", "casualties")])
def test_counts_and_references_equal_the_rows(table: str, count: str, frames: Frames) -> None:
    """A collision has as many rows as it says, at least one, numbered from 1 in order."""
    by_collision = frames[table].groupby("collision_index", sort=False)
    expected = frames["collision"].set_index("collision_index")[f"number_of_{count}"]
    assert expected.min() == 1
    assert by_collision.size().equals(expected.rename(None))
    assert (frames[table][f"{table}_reference"] == by_collision.cumcount() + 1).all()


def test_casualties_belong_to_a_vehicle_of_their_collision(frames: Frames, parties: pd.DataFrame) -> None:
    """Every casualty, pedestrians included, names a vehicle that is there."""
    assert len(parties) == len(frames["casualty"])


def test_no_vehicle_has_two_drivers(frames: Frames) -> None:
    """A vehicle has one hurt driver at most."""
    drivers = frames["casualty"].query("casualty_class == 1")
    assert not drivers.duplicated(VEHICLE_KEY).any()


def test_a_hurt_driver_is_one_person(parties: pd.DataFrame) -> None:
    """Age, sex and home of a hurt driver agree between the two tables, and are known."""
    drivers = parties.query("casualty_class == 1")
    assert (drivers.age_of_driver >= 16).all()
    for driver, casualty in [
        ("age_of_driver", "age_of_casualty"),
        ("sex_of_driver", "sex_of_casualty"),
        ("lsoa_of_driver", "lsoa_of_casualty"),
        ("driver_imd_decile", "casualty_imd_decile"),
    ]:
        assert (drivers[driver] == drivers[casualty]).all()


def test_road_user_and_vehicle_agree(parties: pd.DataFrame) -> None:
    """A pedestrian has type 0, anybody else the type of the vehicle."""
    pedestrian = parties.casualty_class == 3
    assert (parties.casualty_type == parties.vehicle_type.where(~pedestrian, 0)).all()
    assert ((parties.pedestrian_location > 0) == pedestrian).all()
    assert ((parties.pedestrian_movement > 0) == pedestrian).all()
    assert ((parties.pedestrian_road_maintenance_worker == -1) == pedestrian).all()
    passenger = parties.casualty_class == 2
    assert ((parties.car_passenger != 0) == (passenger & (parties.vehicle_type == 9))).all()
    assert ((parties.bus_or_coach_passenger != 0) == (passenger & (parties.vehicle_type == 11))).all()


def test_collision_severity_is_that_of_the_worst_casualty(frames: Frames) -> None:
    """Severity and enhanced severity of a collision are those of its worst casualty."""
    casualty = frames["casualty"].assign(
        order=frames["casualty"].enhanced_casualty_severity.map({1: 0, 5: 1, 6: 2, 7: 3, 3: 4})
    )
    worst = casualty.sort_values("order").drop_duplicates("collision_index").set_index("collision_index")
    worst = worst.loc[frames["collision"].collision_index]
    assert (frames["collision"].collision_severity.array == worst.casualty_severity.array).all()
    assert (frames["collision"].enhanced_severity_collision.array == worst.enhanced_casualty_severity.array).all()


@pytest.mark.parametrize(
    ("table", "enhanced"), [("collision", "severity_collision"), ("casualty", "casualty_severity")]
)
def test_severities_nest(table: str, enhanced: str, frames: Frames) -> None:
    """Enhanced and adjusted severity follow from severity as where recording is injury-based."""
    columns = [f"{table}_severity", f"enhanced_{enhanced}"]
    columns += [f"{table}_adjusted_severity_serious", f"{table}_adjusted_severity_slight"]
    seen = set(frames[table][columns].drop_duplicates().itertuples(index=False, name=None))
    assert seen == {(1, 1, 0.0, 0.0), (2, 5, 1.0, 0.0), (2, 6, 1.0, 0.0), (2, 7, 1.0, 0.0), (3, 3, 0.0, 1.0)}
    assert (frames[table][f"{table}_injury_based"] == 1).all()


@pytest.mark.parametrize(("table", "who"), [("vehicle", "driver"), ("casualty", "casualty")])
def test_age_bands_agree_with_ages(table: str, who: str, frames: Frames) -> None:
    """Bands are the published ones; an unknown age has no band."""
    age = frames[table][f"age_of_{who}"]
    bands = pd.cut(age, [-2, -1, 5, 10, 15, 20, 25, 35, 45, 55, 65, 75, 120], labels=[-1, *range(1, 12)])
    assert (frames[table][f"age_band_of_{who}"] == bands.astype(int)).all()


def test_unknown_drivers_are_unknown_throughout(frames: Frames) -> None:
    """Where age is missing so are home, deprivation and distance, and sex is missing or not known (3)."""
    unknown = frames["vehicle"][frames["vehicle"].age_of_driver == -1]
    assert set(unknown.sex_of_driver) == {3, -1}
    for column, missing in [("lsoa_of_driver", "-1"), ("driver_imd_decile", -1), ("driver_distance_banding", -1)]:
        assert (unknown[column] == missing).all()


def test_cycles_have_no_engine(frames: Frames) -> None:
    """A cycle or e-scooter has neither engine, fuel, age nor model; an e-scooter has no vehicle type."""
    vehicle = frames["vehicle"]
    cycles = vehicle[vehicle.vehicle_type.isin([1, -1])]
    columns = ["engine_capacity_cc", "propulsion_code", "age_of_vehicle", "generic_make_model"]
    assert set(cycles[columns].itertuples(index=False, name=None)) == {(-1, -1, -1, "-1")}
    assert ((vehicle.escooter_flag == 1) == (vehicle.vehicle_type == -1)).all()


def test_road_fields_agree(frames: Frames) -> None:
    """Unclassified roads have no number, and away from junctions there is no control."""
    collision = frames["collision"]
    assert ((collision.first_road_number == 0) == (collision.first_road_class == 6)).all()
    assert (collision.junction_control[collision.junction_detail == 0] == -1).all()
    assert (collision.junction_control[collision.junction_detail > 0] > 0).all()
    assert (collision.speed_limit[collision.first_road_class == 1] >= 40).all()
    junction = frames["vehicle"].merge(collision[["collision_index", "junction_detail"]])
    assert (junction.junction_location[junction.junction_detail == 0] == 0).all()


@pytest.mark.parametrize("table", HISTORIC)
def test_columns_of_the_old_specification_are_missing(table: str, frames: Frames) -> None:
    """Every column of the 2011 specification is -1 throughout, as in records of 2024."""
    assert [name for name in frames[table] if name.endswith("_historic")] == HISTORIC[table]
    assert (frames[table][HISTORIC[table]] == -1).all(axis=None)


@pytest.mark.parametrize("column", ["local_authority_district", "special_conditions_at_site"])
def test_columns_no_longer_filled_are_missing(column: str, frames: Frames) -> None:
    """Columns that the 2024 files keep but do not fill are -1 throughout."""
    assert (frames["collision"][column] == -1).all()


# When and where


def test_day_of_week_is_that_of_the_date(frames: Frames) -> None:
    """1 is Sunday and 7 Saturday."""
    dates = pd.to_datetime(frames["collision"].date, format="%d/%m/%Y")
    assert (frames["collision"].day_of_week == (dates.dt.day_of_week + 1) % 7 + 1).all()
    assert datetime.date(2024, 1, 7).strftime("%A") == "Sunday"


def test_midnight_is_a_minute_past(frames: Frames) -> None:
    """00:00 does not occur: the published files write 00:01. A time may be missing."""
    times = frames["collision"].time
    assert times[times != ""].min() == "00:01"
    assert times.max() == "23:59"


def test_few_times_are_missing() -> None:
    """About one in five thousand, empty as published."""
    times = generate_sample(50_000)["collision"]["time"].to_pylist()
    assert 2 <= times.count("") <= 25


def test_fridays_have_more_collisions_than_sundays(frames: Frames) -> None:
    """Published: a sixth of the collisions on Fridays, a ninth on Sundays."""
    shares = frames["collision"].day_of_week.value_counts(normalize=True)
    assert 0.145 < shares[6] < 0.185
    assert 0.09 < shares[1] < 0.13


def test_a_negative_seed_is_refused() -> None:
    """The message says what a seed is."""
    with pytest.raises(InputError, match="seed is -1; it is 0 or more"):
        generate_sample(10, seed=-1)


def test_darkness_follows_the_season(frames: Frames) -> None:
    """At five in the afternoon it is dark in December and light in June, noon is light, midnight dark."""
    collision = frames["collision"]
    light = collision.light_conditions == 1
    hour, month = collision.time.str[:2], collision.date.str[3:5]
    assert light[(hour == "17") & (month == "06")].all()
    assert not light[(hour == "17") & (month == "12")].any()
    assert light[hour == "12"].all()
    assert not light[hour == "00"].any()


def grid(longitude: npt.NDArray[np.float64], latitude: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return easting and northing (m) of WGS84 degrees.

    Ordnance Survey, A guide to coordinate systems in Great Britain, annexes B and C, and the Helmert
    transformation of section 6.6.
    """

    def axes(a: float, b: float) -> tuple[float, float, float]:
        return a, b, 1 - (b / a) ** 2

    # Degrees on the GRS80 ellipsoid to metres in space, by Helmert to Airy's, and back to degrees.
    a, _, e2 = axes(6_378_137.0, 6_356_752.3141)
    lon, lat = np.radians(longitude), np.radians(latitude)
    nu = a / np.sqrt(1 - e2 * np.sin(lat) ** 2)
    space = np.array([nu * np.cos(lat) * np.cos(lon), nu * np.cos(lat) * np.sin(lon), nu * (1 - e2) * np.sin(lat)])
    rx, ry, rz = np.radians(np.array([-0.1502, -0.2470, -0.8421]) / 3600)
    turn = np.array([[1, -rz, ry], [rz, 1, -rx], [-ry, rx, 1]])
    shift = np.array([[-446.448], [125.157], [-542.060]])
    x, y, z = shift + (1 + 20.4894e-6) * (np.eye(3) + (turn - np.eye(3))) @ space
    a, b, e2 = axes(6_377_563.396, 6_356_256.909)
    lon, lat = np.arctan2(y, x), np.arctan2(z, np.hypot(x, y) * (1 - e2))
    for _ in range(5):
        nu = a / np.sqrt(1 - e2 * np.sin(lat) ** 2)
        lat = np.arctan2(z + e2 * nu * np.sin(lat), np.hypot(x, y))
    # Transverse Mercator from 49 N 2 W.
    f0, lat0, lon0, n = 0.9996012717, np.radians(49), np.radians(-2), (a - b) / (a + b)
    sin, cos, tan = np.sin(lat), np.cos(lat), np.tan(lat)
    nu = a * f0 / np.sqrt(1 - e2 * sin**2)
    rho = a * f0 * (1 - e2) * (1 - e2 * sin**2) ** -1.5
    eta2 = nu / rho - 1
    less, more = lat - lat0, lat + lat0
    m = (
        b
        * f0
        * (
            (1 + n + 1.25 * n**2 + 1.25 * n**3) * less
            - (3 * n + 3 * n**2 + 21 / 8 * n**3) * np.sin(less) * np.cos(more)
            + 15 / 8 * (n**2 + n**3) * np.sin(2 * less) * np.cos(2 * more)
            - 35 / 24 * n**3 * np.sin(3 * less) * np.cos(3 * more)
        )
    )
    d = lon - lon0
    north = m - 100_000 + nu / 2 * sin * cos * d**2 + nu / 24 * sin * cos**3 * (5 - tan**2 + 9 * eta2) * d**4
    east = 400_000 + nu * cos * d + nu / 6 * cos**3 * (nu / rho - tan**2) * d**3
    return np.array([east, north])


def test_grid_formula_of_this_test() -> None:
    """The Royal Observatory, 51.4778 N 0.0015 W, is at TQ 3888 7732."""
    assert grid(np.array([-0.0015]), np.array([51.4778])).round(-1).tolist() == [[538_880.0], [177_320.0]]


def test_coordinates_name_one_place(frames: Frames) -> None:
    """Easting and northing lie within 150 m of longitude and latitude."""
    collision = frames["collision"]
    east, north = grid(collision.longitude.to_numpy(), collision.latitude.to_numpy())
    off = np.hypot(east - collision.location_easting_osgr, north - collision.location_northing_osgr)
    assert off.max() < 150
    assert off.median() < 70


def test_places_are_areas_of_great_britain(frames: Frames) -> None:
    """Force, district and LSOA belong together, and Scotland has no LSOA."""
    collision = frames["collision"]
    lsoa = collision.lsoa_of_accident_location.str[:3]
    seen = set(zip(collision.police_force, collision.local_authority_ons_district, lsoa, strict=True))
    assert seen == {
        (1, "E09000009", "E01"),
        (13, "E08000035", "E01"),
        (22, "E06000019", "E01"),
        (99, "S12000026", "-1"),
    }
    for name in ("local_authority_highway", "local_authority_highway_current"):
        assert (collision[name] == collision.local_authority_ons_district).all()


# Shares, against what is published or was counted in West Yorkshire 2024


@pytest.mark.parametrize(
    ("table", "column", "codes", "share", "tolerance"),
    [
        ("collision", "collision_severity", [1], 0.014, 0.004),
        ("collision", "collision_severity", [2], 0.24, 0.02),
        ("collision", "number_of_vehicles", [1], 0.31, 0.02),
        ("collision", "number_of_vehicles", [2], 0.59, 0.02),
        ("collision", "number_of_casualties", [1], 0.80, 0.02),
        ("collision", "speed_limit", [20, 30], 0.67, 0.04),
        ("collision", "speed_limit", [60], 0.12, 0.03),
        ("collision", "light_conditions", [1], 0.71, 0.03),
        ("collision", "weather_conditions", [1], 0.79, 0.02),
        ("collision", "road_surface_conditions", [1], 0.70, 0.03),
        ("collision", "urban_or_rural_area", [1], 0.67, 0.03),
        ("collision", "did_police_officer_attend_scene_of_accident", [1], 0.75, 0.04),
        ("vehicle", "vehicle_type", [9], 0.73, 0.04),
        ("vehicle", "vehicle_type", [1], 0.08, 0.03),
        ("vehicle", "vehicle_manoeuvre", [-1], 0.08, 0.02),
        ("vehicle", "skidding_and_overturning", [-1], 0.09, 0.02),
        ("vehicle", "first_point_of_impact", [-1], 0.09, 0.02),
        ("vehicle", "age_of_driver", [-1], 0.21, 0.03),
        ("vehicle", "sex_of_driver", [3], 0.14, 0.03),
        ("vehicle", "engine_capacity_cc", [-1], 0.26, 0.04),
        ("casualty", "casualty_class", [3], 0.14, 0.03),
        ("casualty", "casualty_class", [2], 0.18, 0.04),
        ("casualty", "casualty_type", [9], 0.58, 0.03),
        ("casualty", "sex_of_casualty", [1], 0.63, 0.05),
    ],
)
def test_shares_are_british(
    table: str, column: str, codes: list[int], share: float, tolerance: float, frames: Frames
) -> None:
    """The share of the codes is near the one of Great Britain or West Yorkshire."""
    assert frames[table][column].isin(codes).mean() == pytest.approx(share, abs=tolerance)


def test_sizes_are_british(frames: Frames) -> None:
    """A collision has 1.82 vehicles and 1.27 casualties, as in 2024 and 2025."""
    assert len(frames["vehicle"]) / len(frames["collision"]) == pytest.approx(1.82, abs=0.04)
    assert len(frames["casualty"]) / len(frames["collision"]) == pytest.approx(1.27, abs=0.03)


def test_hours_have_commuter_peaks(frames: Frames) -> None:
    """There are more collisions at eight and at five than between, and few at night."""
    hours = frames["collision"].time.str[:2].value_counts()
    assert hours["08"] > hours["10"] < hours["17"]
    assert hours["04"] < hours["10"] / 3


# What there is to learn


def test_severity_depends_on_what_it_should(parties: pd.DataFrame) -> None:
    """Speed, darkness, old age and being without a car around oneself make injuries worse."""
    severe = parties.casualty_severity < 3
    by_type = severe.groupby(parties.casualty_type).mean()
    assert by_type[5] > by_type[0] > by_type[9]
    assert by_type[1] > by_type[9]
    assert severe[parties.speed_limit >= 60].mean() > 1.3 * severe[parties.speed_limit == 20].mean()
    assert severe[parties.age_of_casualty > 64].mean() > 1.2 * severe[parties.age_of_casualty < 65].mean()
    assert severe[parties.light_conditions > 1].mean() > severe[parties.light_conditions == 1].mean()
    fatal = parties.casualty_severity == 1
    assert fatal[parties.speed_limit >= 60].mean() > 1.5 * fatal[parties.speed_limit <= 30].mean()


def features(frames: Frames) -> pd.DataFrame:
    """Return one row a collision, of what may be known of it and its vehicles, without the outcome."""
    columns = [
        "speed_limit",
        "number_of_vehicles",
        "light_conditions",
        "road_type",
        "first_road_class",
        "urban_or_rural_area",
    ]
    columns += ["junction_detail", "weather_conditions", "day_of_week", "police_force"]
    vehicle = frames["vehicle"].assign(
        cycle=frames["vehicle"].vehicle_type == 1, motorcycle=frames["vehicle"].vehicle_type.isin([3, 5])
    )
    numbers = vehicle.drop(columns="collision_year").select_dtypes(["number", "bool"])
    vehicles = numbers.groupby(vehicle.collision_index, sort=False).agg(["min", "max"])
    vehicles.columns = ["_".join(pair) for pair in vehicles.columns]
    return frames["collision"].set_index("collision_index")[columns].join(vehicles)


def test_a_model_learns_something_but_not_too_much(frames: Frames) -> None:
    """Ranking killed or seriously injured collisions works better than chance and far from perfectly."""
    known, severe = features(frames), frames["collision"].collision_severity.to_numpy() < 3
    cut = 12_000
    forest = RandomForestClassifier(60, min_samples_leaf=10, class_weight="balanced", random_state=0)
    score = forest.fit(known[:cut], severe[:cut]).predict_proba(known[cut:])[:, 1]
    assert 0.65 < roc_auc_score(severe[cut:], score) < 0.74
    assert 0.58 < balanced_accuracy_score(severe[cut:], score > 0.5) < 0.70


def test_no_single_column_gives_severity_away(frames: Frames) -> None:
    """No feature alone ranks severe collisions well: the label leaks nowhere."""
    severe = frames["collision"].collision_severity < 3
    for name, column in features(frames).items():
        assert roc_auc_score(severe, column) == pytest.approx(0.5, abs=0.12), name


# What travels inside a step


def test_the_source_can_travel_inside_a_step() -> None:
    """The text is small, ASCII, and holds nothing that a runner would rewrite."""
    source = Path(sample.__file__).read_bytes()
    assert len(source) <= 16_000
    assert source.isascii()
    for forbidden in (b"'" * 3, b"python" + b"3", b"{{" + b"$"):
        assert forbidden not in source
