"""Features from the rows of one table: the moment and the road, the vehicles of a collision, the casualty.

Nothing here joins tables at a unit or knows what may be used; ``engineer`` does. Functions take tables in the codes
of 2024; a column that a table does not have counts as missing in every row.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from roadsafety_components.core.daylight import sun_elevation
from roadsafety_components.core.holidays import is_bank_holiday, is_school_day

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Columns = dict[str, pa.Array]

# Groups, each with its codes; vehicles from the lightest to the heaviest.
VEHICLES = {
    "cycle": (1,), "motorcycle": (2, 3, 4, 5, 23, 97, 103, 104, 105, 106), "other": (16, 17, 18, 22, 90, 99),
    "car": (8, 9, 108, 109), "van": (19,), "bus": (10, 11, 110), "hgv": (20, 21, 98, 113),
}  # fmt: skip
USERS = VEHICLES | {"other": (*VEHICLES["other"], 33), "pedestrian": (0,)}
MANOEUVRES = {
    "reversing": (1,), "parked": (2, 20), "waiting": (3, 8, 10), "slow": (4, 5), "u-turn": (6,), "left": (7,),
    "right": (9,), "lane": (11, 12), "overtaking": (13, 14, 15), "ahead": (16, 17, 18, 19),
}  # fmt: skip
CLASSES = {name: (code,) for code, name in enumerate(("none", "motorway", "A(M)", "A", "B", "C", "unclassified"))}
SURFACES = {"dry": (1,), "wet": (2, 5), "icy": (3, 4), "slippery": (6, 7)}
WEATHERS = {"fine": (1, 4), "rain": (2, 5), "snow": (3, 6), "fog": (7,), "other": (8,)}
OTHERS = {**VEHICLES, "none": ()}  # groups of another vehicle, if there is one
_NONE = len(VEHICLES)
_DARK = -2  # degrees of the sun below which Great Britain 2015 was recorded as dark (95.6 % agree)


def moment(collision: pa.Table) -> Columns:
    """Calendar, clock and sun; places without coordinates are at the centre of Britain."""
    days = collision["date"].cast(pa.int32()).to_numpy().astype(np.int64)
    month = pc.month(collision["date"]).to_numpy()
    weekday = (days + 4) % 7 + 1
    # In this way and not by a cast, because Parquet turns seconds into milliseconds.
    hours, minutes = (f(collision["time"]).cast(pa.float64()).to_numpy() for f in (pc.hour, pc.minute))
    hour = hours + minutes / 60
    untimed = np.isnan(hour)
    force = _codes(collision, "police_force")
    scotland = (force >= 91) & (force <= 99)
    holiday, school = is_bank_holiday(days, scotland), is_school_day(days, scotland)
    weekend = (weekday == 1) | (weekday == 7)
    rush = ((hour >= 7) & (hour < 9.5)) | ((hour >= 16) & (hour < 18.5))
    to_school = ((hour >= 8) & (hour < 9)) | ((hour >= 15) & (hour < 16))
    night = (weekend & (hour < 5)) | ((weekday > 5) & (hour >= 22))
    east, north, longitude, latitude = (
        _numbers(collision, n) for n in ("location_easting_osgr", "location_northing_osgr", "longitude", "latitude")
    )
    # The national grid's origin is 49 N 2 W less 400 km east, 100 km south: within a few kilometres on a sphere.
    latitude = np.where(np.isnan(latitude), 49 + (north + 1e5) / 111200, latitude)
    longitude = np.where(np.isnan(longitude), (east - 4e5) / 111320 / np.cos(np.radians(latitude)) - 2, longitude)
    nowhere = np.isnan(longitude + latitude)
    sun = sun_elevation(days, hour * 60, np.where(nowhere, -2.5, longitude), np.where(nowhere, 54, latitude))
    light = _codes(collision, "light_conditions")
    day, year = hour / 24 * 2 * np.pi, (month - 1) / 12 * 2 * np.pi
    return {
        "hour_sin": _number(np.sin(day)),
        "hour_cos": _number(np.cos(day)),
        "month_sin": _number(np.sin(year)),
        "month_cos": _number(np.cos(year)),
        "weekend": _flag(weekend),
        "bank_holiday": _flag(holiday),
        "rush_hour": _flag(rush & ~weekend & ~holiday, untimed),
        "school_run": _flag(to_school & school, untimed),
        "night_out": _flag(night, untimed),
        "sun_elevation": _number(sun),
        "dark": _flag(np.where(light < 0, sun < _DARK, light > 1), (light < 0) & untimed),
    }


def road(collision: pa.Table) -> Columns:
    """Classes of the two roads; surface and weather."""
    first, second = (_group(collision, f"{n}_road_class", CLASSES) for n in ("first", "second"))
    surface = _group(collision, "road_surface_conditions", SURFACES)
    weather = _group(collision, "weather_conditions", WEATHERS)
    return {
        "road_classes": _pair(first, CLASSES, second, CLASSES),
        "surface_and_weather": _pair(surface, SURFACES, weather, WEATHERS),
    }


def cell(collision: pa.Table, km: float) -> Columns:
    """The square of the national grid of a width in kilometres; no column for 0."""
    if not km:
        return {}
    names = (f"location_{n}_osgr" for n in ("easting", "northing"))
    cell = [pa.array(np.floor(_numbers(collision, n) / km / 1000), from_pandas=True).cast(pa.int64()) for n in names]
    return {"cell": pc.binary_join_element_wise(*(c.cast(pa.string()) for c in cell), "/")}


def vehicles(vehicle: pa.Table, collision: pa.Table) -> tuple[Columns, Columns]:
    """Columns of each vehicle, and of each collision by its vehicles (null where it has none)."""
    at = pc.index_in(vehicle["collision_index"], value_set=collision["collision_index"].combine_chunks())
    at = at.fill_null(-1).to_numpy()  # vehicles without a collision come first, as if of one
    group = _group(vehicle, "vehicle_type", VEHICLES)
    manoeuvre = _group(vehicle, "vehicle_manoeuvre", MANOEUVRES)
    sex = _codes(vehicle, "sex_of_driver")
    age, engine, old, scooter = (
        _numbers(vehicle, n) for n in ("age_of_driver", "engine_capacity_cc", "age_of_vehicle", "escooter_flag")
    )
    # Heaviest first within a collision: the other one is the first, and for the first the second.
    order = np.lexsort((_codes(vehicle, "vehicle_reference"), -group, at))
    starts = np.flatnonzero(np.diff(at[order], prepend=-2))
    size = np.diff(starts, append=len(at))
    first = np.repeat(starts, size)
    other = np.empty(len(at), np.int64)
    other[order] = order[np.minimum(np.where(np.arange(len(at)) == first, first + 1, first), len(at) - 1)]
    alone = np.empty(len(at), bool)
    alone[order] = np.repeat(size == 1, size)

    def of_other(values: npt.NDArray[Any], none: float) -> npt.NDArray[Any]:
        return np.where(alone, none, values[other]).astype(values.dtype)

    heading = _numbers(vehicle, "vehicle_direction_to")
    heading[(heading < 1) | (heading > 8)] = np.nan
    turn = abs(heading - of_other(heading, np.nan)) * 45
    other_group, other_sex = of_other(group, _NONE), of_other(sex, -1)
    own = {
        "vehicle_group": _names(group, VEHICLES),
        "manoeuvre_group": _names(manoeuvre, MANOEUVRES),
        "other_group": _names(other_group, OTHERS),
        "other_manoeuvre": _names(of_other(manoeuvre, len(MANOEUVRES)), [*MANOEUVRES, "none"]),
        "vehicle_pair": _pair(group, VEHICLES, other_group, OTHERS),
        "other_driver_age": _number(of_other(age, np.nan)),
        "other_driver_sex": pa.array(other_sex, pa.int16(), mask=other_sex < 0),
        "other_engine_cc": _number(of_other(engine, np.nan)),
        "other_vehicle_age": _number(of_other(old, np.nan)),
        "heading_difference": _number(np.minimum(turn, 360 - turn)),
    }
    found = at[order][starts]

    def over(choose: np.ufunc, values: Numbers) -> Numbers:
        result = np.full(collision.num_rows + 1, np.nan)
        result[found] = choose.reduceat(values[order], starts)
        return result[:-1]

    def count(of: Flags) -> Numbers:
        return np.nan_to_num(over(np.add, of.astype(float))) + np.where(empty, np.nan, 0)

    empty = np.isnan(over(np.add, np.ones(len(at))))
    total = count(np.ones(len(at), bool))
    heavy = np.nan_to_num(over(np.fmax, np.where(group < 0, np.nan, group)), nan=-1).astype(np.int64)
    light = np.nan_to_num(over(np.fmin, np.where(group < 0, np.nan, group)), nan=-1).astype(np.int64)
    heavy = np.where(total == 1, _NONE, np.where(count(group >= 0) < 2, -1, heavy))  # one known of several is no pair
    youngest, oldest = over(np.fmin, age), over(np.fmax, age)
    men, women = count(sex == 1), count(sex == 2)
    scooters = over(np.fmax, scooter)
    with np.errstate(invalid="ignore"):
        share = men / (men + women)
    return own, {
        "vehicles": _number(total),
        **{f"vehicles_{name}": _number(count(group == rank)) for rank, name in enumerate(VEHICLES)},
        "single_vehicle": _flag(total == 1, empty),
        "worst_pair": _pair(light, VEHICLES, heavy, OTHERS),
        "youngest_driver": _number(youngest),
        "oldest_driver": _number(oldest),
        "young_driver": _flag(youngest < 25, np.isnan(youngest)),
        "old_driver": _flag(oldest > 70, np.isnan(oldest)),
        "male_driver_share": _number(share),
        "largest_engine_cc": _number(over(np.fmax, engine)),
        "oldest_vehicle": _number(over(np.fmax, old)),
        "any_escooter": _flag(scooters > 0, np.isnan(scooters)),
    }


def casualty(rows: pa.Table, own_vehicle: Columns) -> Columns:
    """Columns of each casualty, from its own row and those of its vehicle; the other casualties are outcome."""
    user = _group(rows, "casualty_type", USERS)
    role = _codes(rows, "casualty_class")
    names = pa.array(list(OTHERS))
    groups = (own_vehicle[n].cast(pa.string()) for n in ("vehicle_group", "other_group"))
    own, other = (pc.index_in(g, value_set=names).fill_null(-1).to_numpy() for g in groups)
    opponent = np.where(role < 0, -1, np.where(role == 3, own, other))
    return {
        "road_user": _names(user, USERS),
        "opponent": _names(opponent, OTHERS),
        "user_and_opponent": _pair(user, USERS, opponent, OTHERS),
        "is_driver": _flag(role == 1, role < 0),
    }


def with_columns(table: pa.Table, columns: Columns) -> pa.Table:
    """The table with columns added at its end."""
    return pa.table([*table.columns, *columns.values()], names=[*table.column_names, *columns])


def _codes(table: pa.Table, name: str) -> Codes:
    """Codes, -1 for missing."""
    return np.nan_to_num(_numbers(table, name), nan=-1).astype(np.int64)


def _numbers(table: pa.Table, name: str) -> Numbers:
    """Numbers, NaN for missing and where there is no such column."""
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    return np.array(table[name].cast(pa.float64()).to_numpy())


def _group(table: pa.Table, name: str, groups: Mapping[str, tuple[int, ...]]) -> Codes:
    """Rank of each code's group, -1 for missing and for codes of none."""
    to = np.full(256, -1)
    for rank, codes in enumerate(groups.values()):
        to[list(codes)] = rank
    return to[_codes(table, name)]


def _names(ranks: Codes, names: Iterable[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(ranks, pa.int32(), mask=ranks < 0), list(names))


def _pair(first: Codes, names: Iterable[str], second: Codes, others: Iterable[str]) -> pa.Array:
    """``first/second``; null where either is missing."""
    both = [f"{a}/{b}" for a in names for b in others]
    return _names(np.where((first < 0) | (second < 0), -1, first * len(list(others)) + second), both)


def _number(values: Numbers) -> pa.Array:
    return pa.array(values, pa.float32(), from_pandas=True)


def _flag(values: Flags, missing: Flags | None = None) -> pa.Array:
    return pa.array(values, pa.bool_(), mask=missing)
