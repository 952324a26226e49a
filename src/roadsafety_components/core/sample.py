"""Invented STATS19 tables in the form of the 2024 release; every police reference begins with SYN.

Shares are rounded from Great Britain 2015 and West Yorkshire 2024 (DfT, OGL v3.0), given one other column at most.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.files import replacing
from roadsafety_components.core.schema import SYNTHETIC_PREFIX, TABLES

_CHUNK = 100_000  # collisions at a time, each chunk with its own seed

Rng = np.random.Generator
Rows = dict[str, Any]  # arrays of one length by name

# The published columns in order, each with the array it is, or the array that groups its rows and the codes to
# draw (code:weight, or weight 1) for group 0|1|... and all above.
_KEYS = "collision_index key\ncollision_year year\ncollision_ref_no ref\n"
_COLUMNS = """location_easting_osgr east
location_northing_osgr north
longitude lon
latitude lat
police_force area 1|13|22|99
collision_severity rank 1|2|2|2|3
number_of_vehicles all 1:32 2:58 3:8 4 5
number_of_casualties all 1:81 2:14 3:3 4 5
date date
day_of_week weekday
time time
local_authority_district none
local_authority_ons_district district
local_authority_highway district
local_authority_highway_current district
first_road_class pace 6:52 3:36 4:12|6:23 3:62 4:14 1|1:55 3:41 2:4
first_road_number first_road_class 0|1 6 62|1|6 38 61 650|4100 6123|0
road_type pace 6:80 3:7 1:6 2:4 9:3|6:66 3:24 1:9 7|3:90 7:6 1:4
speed_limit rural 30:65 20:21 40:9 50:2 60 70:2|60:33 30:24 70:15 40:12 50:12 20:4
junction_detail_historic none
junction_detail pace 0:35 13:31 16:15 19:11 -1:4 18:3 17|0:64 13:18 19:8 16:5 -1:5
junction_control junction_detail -1|4:78 2:20 3 1
second_road_class junction_detail 6:7 -1:2 3|6:82 3:12 4:6
second_road_number second_road_class -1|0|0|6 58|6120|0
pedestrian_crossing_human_control_historic none
pedestrian_crossing_physical_facilities_historic none
pedestrian_crossing all 0:81 15:6 14:5 13:4 12:2 17:2
light_conditions dark 1|4:93 5:2 6 7:4|6:5 4:4 5 7
weather_conditions all 1:79 2:13 9:2 4:2 8:2 5 3
road_surface_conditions weather_conditions 1|1:83 2:15 4:2|2|3 2|1:7 2:3
special_conditions_at_site none
carriageway_hazards_historic none
carriageway_hazards all 0:96 13 17 11 20
urban_or_rural_area rural 1|2
did_police_officer_attend_scene_of_accident rank 1|1:9 2|1:9 2|1:9 2|1:7 2:2 3
trunk_road_flag first_road_class 2|1|1|1 2:8|2
lsoa_of_accident_location home
enhanced_severity_collision rank 1|5|6|7|3
collision_injury_based all 1
collision_adjusted_severity_serious rank 0|1|1|1|0
collision_adjusted_severity_slight rank 0|0|0|0|1

vehicle_reference number
vehicle_type scene 9:72 1:9 19:6 3:5 5:3 11:2 21:2 -1|9:34 3:4 5:4 1:3 11:3 19:2 21|9:42 19:3 11:2 3 1 21
towing_and_articulation all 0:98 1 4
vehicle_manoeuvre_historic none
vehicle_manoeuvre all 19:56 9:11 3:6 4:6 2:5 5:5 7:4 13:3 6 -1:8
vehicle_direction_from all 1:5 5:4 3:3 7:3 2 6 8 4 -1:2
vehicle_direction_to all 1:4 5:4 3:3 7:3 2 6 8 4 -1:2
vehicle_location_restricted_lane_historic none
vehicle_location_restricted_lane all 0:87 9:3 4 -1:9
junction_location junction_detail 0|8:5 1:4 2 6
skidding_and_overturning all 0:82 1:5 5:3 2 -1:9
hit_object_in_carriageway all 0:87 4:2 10 11 -1:9
vehicle_leaving_carriageway scene 0:87 1:3 7:2 -1:8|0:4 1:3 7:2 -1|0:9 -1
hit_object_off_carriageway vehicle_leaving_carriageway 0:95 -1:5|0:2 11 10 4
first_point_of_impact all 1:46 3:15 4:13 2:13 0:4 -1:9
vehicle_left_hand_drive all 1:98 2
journey_purpose_of_driver_historic none
journey_purpose_of_driver all 6:45 9:32 2:10 1:12 7
sex_of_driver sex 3:2 -1|1|2
age_of_driver age
age_band_of_driver band
engine_capacity_cc model -1|125|998|1598|1995
propulsion_code model -1|1|1|2:8 8|2
age_of_vehicle model -1|1 3 5 6 8 9 11 12 15
generic_make_model name
driver_imd_decile imd
lsoa_of_driver home
escooter_flag vehicle_type 1|0
driver_distance_banding far

vehicle_reference vehicle
casualty_reference number
casualty_class role
sex_of_casualty sex
age_of_casualty age
age_band_of_casualty band
casualty_severity rank 1|2|2|2|3
pedestrian_location role 0|0|0|5:3 8:2 10 6 1 9
pedestrian_movement role 0|0|0|1:3 9:2 3:2 7 8 5
car_passenger seat 0|1:61 2:38 -1|0
bus_or_coach_passenger seat 0|0|4:8 3
pedestrian_road_maintenance_worker role 0|0|0|-1
casualty_type type
casualty_imd_decile imd
lsoa_of_casualty home
enhanced_casualty_severity rank 1|5|6|7|3
casualty_injury_based all 1
casualty_adjusted_severity_serious rank 0|1|1|1|0
casualty_adjusted_severity_slight rank 0|0|0|0|1
casualty_distance_banding far"""
_SPEC = [[line.split(" ", 2) for line in (_KEYS + t).split("\n")] for t in _COLUMNS.split("\n\n")]

# Inland districts, highway authorities too: ONS code, first LSOA (none in Scotland), centre, share rural, weight.
_AREAS = [
    ("E09000009", 1213, 516000, 181100, -0.3296, 51.5169, 0, 4),
    ("E08000035", 11265, 429900, 434300, -1.5475, 53.8041, 0.2, 8),
    ("E06000019", 13986, 351200, 240200, -2.7132, 52.058, 0.7, 5),
    ("S12000026", 0, 349300, 636000, -2.8065, 55.6149, 0.7, 1),
]
_DISTRICT, _, _EAST, _NORTH, _LON, _LAT, _RURAL, _WEIGHT = map(np.array, zip(*_AREAS, strict=True))
_CELLS = [f"E01{a[1] + k:06}" if a[1] else "-1" for a in _AREAS for k in range(64)]
_LSOA = np.array([*_CELLS, "-1"])  # squares of 1 km, 8 x 8 in an area; the last is "unknown"
_MODEL = np.array(["-1", "HONDA CBF 125", "FORD FIESTA", "VOLKSWAGEN GOLF", "FORD TRANSIT"])

# Road users: 0 cyclist (e-scooter too, vehicle type -1), 1 motorcyclist, 2 in a car, 3 heavier, 4 no driver.
_USER = np.full(23, 2)
_USER[[1, -1, 3, 5, 11, 19, 21]] = 0, 0, 1, 1, 3, 3, 3
_KSI = np.array([-1.35, -0.4, -2.4, -2.6, -1.05])  # log odds of the hurt
_AGE = np.array([0, 0, 6, 11, 16, 21, 26, 36, 46, 56, 66, 76, 96])  # first age of bands 1..11


def _pick(rng: Rng, weights: Any, size: int) -> Any:
    """Return `size` positions 0.. drawn by weight; a text is a weight a digit."""
    share = np.array(list(weights), float)
    return rng.choice(len(share), size, p=share / share.sum())


def _fill(rng: Rng, table: int, rows: Rows) -> None:
    """Draw every column of the table that is not there yet and whose group is."""
    for column, group, *draw in _SPEC[table]:
        if draw and column not in rows and group in rows:
            drawn = rows[column] = rows["all"] * (1.0 if "adjusted" in column else 1)
            for k, codes in enumerate(shares := draw[0].split("|")):
                code, weight = np.array([f"{c}:1".split(":")[:2] for c in codes.split()], float).T
                at = rows[group].clip(0, len(shares) - 1) == k
                drawn[at] = code[_pick(rng, weight, at.sum())]


def _children(rows: Rows, count: str) -> Rows:
    """Repeat every row `count` times; `of` is its position, `number` counts from 1."""
    of = np.repeat(np.arange(len(rows[count])), rows[count])
    number = np.arange(len(of)) - np.searchsorted(of, of) + 1
    return {name: rows[name][of] for name in rows} | dict(of=of, number=number)


def _people(rng: Rng, user: Any, area: Any, known: Any) -> Rows:
    """Return age, sex and home, -1 where not known."""
    size = len(user)
    band = 1 + np.where(user < 4, _pick(rng, "00036976421", size), _pick(rng, "24456754332", size))
    people = dict(
        band=band,
        age=rng.integers(_AGE[band], _AGE[band + 1]),
        sex=1 + (rng.random(size) > 0.73 - 0.23 * (user > 3)),
        imd=rng.integers(1, 11, size),
        far=1 + _pick(rng, "93211", size),
        home=64 * area + rng.integers(64, size=size),
    )
    return {name: np.where(known, value, -1) for name, value in people.items()}


def _collisions(rng: Rng, number: Any, year: Any) -> Rows:
    """Return the collisions, but for their severity."""
    size = len(year)
    area = _pick(rng, _WEIGHT, size)
    rural = 1 * (rng.random(size) < _RURAL[area])
    east, north = rng.integers(-4000, 4000, (2, size))  # near enough to take grid north for north: 130 m
    # Fridays have most, Sundays fewest; 52 whole weeks of a year, so its last day or two stay empty.
    new_year = (year - 1970).astype("M8[Y]").astype("M8[D]").astype(int) + 4  # day 0 was a Thursday
    day = (_pick(rng, "6888897", size) - new_year) % 7 + 7 * rng.integers(52, size=size)
    hour = _pick(rng, "111111257555666889754322", size)
    minute = np.maximum(hour * 60 + rng.integers(60, size=size), 1)  # midnight is written 00:01
    when = (year - 1970).astype("M8[Y]").astype("M8[s]") + day * 86400 + minute * 60
    ref = np.array([f"{SYNTHETIC_PREFIX}{np.base_repr(n, 36):0>6}" for n in number])
    rows = dict(
        all=year * 0,
        none=year * 0 - 1,
        key=np.char.add(year.astype(str), ref),
        year=year,
        ref=ref,
        area=area,
        district=_DISTRICT[area],
        east=_EAST[area] + east,
        north=_NORTH[area] + north,
        lon=(_LON[area] + east / 111_560 / np.cos(np.radians(_LAT[area]))).round(5),
        lat=(_LAT[area] + north / 111_290).round(5),
        home=area * 64 + east // 1000 * 8 + north // 1000 + 36,
        rural=rural,
        date=np.array(pc.strftime(pa.array(when), "%d/%m/%Y")),
        time=np.where(rng.random(size) < 0.0002, "", np.array(pc.strftime(pa.array(when), "%H:%M"))),
        weekday=(day + new_year) % 7 + 1,
        dark=(abs(minute - 756) > 366 + 132 * np.cos((day - 171) / 58.1)) * (1 + rural),
    )
    _fill(rng, 0, rows)
    speed, alone = rows["speed_limit"], rows["number_of_vehicles"] == 1
    struck = rng.random(size) < np.where(alone, 0.68 - 0.43 * rural, 0.012)
    rows.update(pace=1 * (speed > 30) + (speed > 60), scene=np.where(struck, 2, alone))
    _fill(rng, 0, rows)
    return rows


def _parties(rng: Rng, collision: Rows) -> tuple[Rows, Rows]:
    """Return vehicles and casualties, and rank the collisions' severity."""
    vehicle = _children(collision, "number_of_vehicles")
    casualty = _children(collision, "number_of_casualties")
    _fill(rng, 1, vehicle)
    user = _USER[vehicle["vehicle_type"]]
    size = len(user)
    # Hurt are a struck pedestrian, then drivers, cyclists first, then passengers.
    order = np.lexsort((user + rng.random(size), vehicle["of"]))
    seat = casualty["number"] - 1 - (casualty["scene"] == 2)
    both = (casualty["number_of_vehicles"] > 1) & (rng.random(_CHUNK) < 0.4)[casualty["of"]]
    turn = seat.clip(0) % (1 + both)
    by = order[np.searchsorted(vehicle["of"], casualty["of"]) + turn]
    walks, drives = seat < 0, seat == turn
    known = rng.random(size) < 0.55
    known[by[drives]] = True
    model = (user + (user > 2) + (user == 2) * rng.integers(2, size=size)) * (rng.random(size) < 0.8)
    vehicle.update(model=model, name=_MODEL[model], **_people(rng, user, vehicle["area"], known))
    ride, user = vehicle["vehicle_type"][by], np.where(walks, 4, user[by])
    people = _people(rng, 4 + 0 * by, casualty["area"], True)
    casualty |= {name: np.where(drives, vehicle[name][by], own) for name, own in people.items()}
    odds = _KSI[user] + 0.02 * (casualty["speed_limit"] - 30) + 0.6 * (casualty["age"] > 64)
    odds += 0.3 * (casualty["dark"] > 0) + 0.7 * (casualty["scene"] == 1)
    serious, fatal = rng.random((2, len(by))) < 1 / (1 + np.exp([-odds, 2.35 - odds]))
    rank = np.where(serious, (1 + _pick(rng, "126", len(by))) * ~fatal, 4)  # fatal, 3 serious, slight
    collision["rank"] = np.minimum.reduceat(rank, np.flatnonzero(casualty["number"] == 1))
    casualty.update(
        rank=rank,
        vehicle=vehicle["number"][by],
        role=np.where(walks, 3, 2 - drives),
        type=ride * ~walks,
        seat=(seat > turn) * ((user == 2) + 2 * (ride == 11)),
    )
    return vehicle, casualty


def _chunks(collisions: int, seed: int, years: Sequence[int]) -> Iterator[dict[str, Rows]]:
    if not all(isinstance(year, (int, float)) for year in years):
        raise InputError(f"years is {list(years)}; it is a list of calendar years.")
    years = [int(year) for year in years]
    if collisions < 1 or not years or min(years) < 1979 or max(years) > 2100:
        raise InputError(f"{collisions} collisions in years {list(years)}: ask for 1 or more, in 1979 to 2100.")
    if seed < 0:
        raise InputError(f"seed is {seed}; it is 0 or more.")
    for start in range(0, collisions, _CHUNK):
        rng = np.random.default_rng([seed, start])
        number = np.arange(start, min(start + _CHUNK, collisions))
        collision = _collisions(rng, number, np.sort(years)[number * len(years) // collisions])
        chunk = {}
        for k, rows in enumerate((collision, *_parties(rng, collision))):
            _fill(rng, k, rows)
            rows["home"] = _LSOA[rows["home"]]
            chunk[TABLES[k]] = {column: rows[column if draw else name] for column, name, *draw in _SPEC[k]}
        yield chunk


def generate_sample(collisions: int, seed: int = 0, years: Sequence[int] = (2023, 2024)) -> dict[str, pa.Table]:
    """Return invented tables by name, typed as a CSV reader would: int64, float64, string.

    The collisions are spread evenly over `years`, in order; the same arguments give the same rows.
    Raises InputError for fewer than one collision or a year outside 1979 to 2100.
    """
    chunks = list(_chunks(collisions, seed, years))
    return {table: pa.concat_tables(pa.table(chunk[table]) for chunk in chunks) for table in TABLES}


def write_sample(
    collisions: int, paths: Mapping[str, Path], seed: int = 0, years: Sequence[int] = (2023, 2024)
) -> dict[str, int]:
    """Write what `generate_sample` returns as CSV, as published, to the path of each table.

    Holds a chunk in memory at a time; all files or none. Returns rows by table; raises as `generate_sample`.
    """
    counts = dict.fromkeys(TABLES, 0)
    with replacing(*(paths[table] for table in TABLES)) as drafts:
        for chunk in _chunks(collisions, seed, years):
            for draft, (table, rows) in zip(drafts, chunk.items(), strict=True):
                # Arrow would write 1 for 1.0.
                text = {name: v.astype(str) if "adjusted" in name else v for name, v in rows.items()}
                with draft.open("ab") as file:
                    if not counts[table]:
                        file.write((",".join(rows) + "\n").encode())
                    csv.write_csv(pa.table(text), file, csv.WriteOptions(include_header=False, quoting_style="none"))
                counts[table] += len(rows["collision_index"])
    return counts
