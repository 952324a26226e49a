"""The engineered features as a table of data: docs/features.md is written from it, tests hold it to the code.

It stands apart from ``engineer`` because the meanings would not fit in the source that a step carries.
"""

from dataclasses import dataclass

# ruff: noqa: E501  (a table, one line a feature)
# name | units (c collision, v vehicle, p casualty) | known | source columns | meaning
_FEATURES = """
[moment]
hour_sin | cvp | before | time | sine of the time of day, with its minutes
hour_cos | cvp | before | time | its cosine
month_sin | cvp | before | date | sine of the month; January is 0
month_cos | cvp | before | date | its cosine
weekend | cvp | before | date | Saturday or Sunday
bank_holiday | cvp | before | date, police_force | a bank holiday of Scotland (forces 91 to 99) or of England and Wales
rush_hour | cvp | before | date, time | 7:00 to 9:29 or 16:00 to 18:29 on a weekday that is no bank holiday
school_run | cvp | before | date, time, police_force | 8:00 to 8:59 or 15:00 to 15:59 on a school day
night_out | cvp | before | date, time | Friday or Saturday from 22:00, Saturday or Sunday until 4:59
sun_elevation | cvp | before | date, time, longitude, latitude, location_easting_osgr, location_northing_osgr | degrees of the sun above the horizon
dark | cvp | before | light_conditions, date, time, longitude, latitude, location_easting_osgr, location_northing_osgr | recorded as dark; without that code, the sun lower than -2 degrees
[road]
road_classes | cvp | before | first_road_class, second_road_class | class of the first and of the second road
surface_and_weather | cvp | before | road_surface_conditions, weather_conditions | dry, wet, icy or slippery, and fine, rain, snow, fog or other
cell | cvp | before | location_easting_osgr, location_northing_osgr | square of the national grid, east/north, only if cell_km is above 0
[all vehicles of the collision]
vehicles | cvp | involved | vehicle_reference | how many vehicles
vehicles_cycle | cvp | involved | vehicle_type | how many pedal cycles
vehicles_motorcycle | cvp | involved | vehicle_type | how many motorcycles
vehicles_other | cvp | involved | vehicle_type | how many horses, trams, tractors, mobility scooters and others
vehicles_car | cvp | involved | vehicle_type | how many cars and taxis
vehicles_van | cvp | involved | vehicle_type | how many vans up to 3.5 t
vehicles_bus | cvp | involved | vehicle_type | how many buses, coaches and minibuses
vehicles_hgv | cvp | involved | vehicle_type | how many goods vehicles over 3.5 t or of unknown weight
single_vehicle | cvp | involved | vehicle_reference | one vehicle only
worst_pair | cvp | involved | vehicle_type | groups of the lightest and the heaviest vehicle; none for a single one
youngest_driver | cvp | involved | age_of_driver | lowest age of a driver
oldest_driver | cvp | involved | age_of_driver | highest age of a driver
young_driver | cvp | involved | age_of_driver | a driver under 25
old_driver | cvp | involved | age_of_driver | a driver over 70
male_driver_share | cvp | involved | sex_of_driver | men among the drivers of known sex
largest_engine_cc | cvp | involved | engine_capacity_cc | largest engine
oldest_vehicle | cvp | involved | age_of_vehicle | age of the oldest vehicle
any_escooter | cvp | involved | escooter_flag | a vehicle was an e-scooter
[own vehicle and the other]
vehicle_group | vp | involved | vehicle_type | group of the own vehicle (a pedestrian's: the one that hit)
manoeuvre_group | vp | involved | vehicle_manoeuvre | group of its manoeuvre
other_group | vp | involved | vehicle_type | group of the heaviest other vehicle; none if there is none
other_manoeuvre | vp | involved | vehicle_manoeuvre | group of that vehicle's manoeuvre
vehicle_pair | vp | involved | vehicle_type | groups of the own and of that vehicle
other_driver_age | vp | involved | age_of_driver | age of its driver
other_driver_sex | vp | involved | sex_of_driver | sex of its driver (1 male, 2 female, 3 not known)
other_engine_cc | vp | involved | engine_capacity_cc | its engine
other_vehicle_age | vp | involved | age_of_vehicle | its age in years
heading_difference | vp | involved | vehicle_direction_to | degrees between where the two were heading, 0 to 180
[casualty]
road_user | p | involved | casualty_type | pedestrian, or group of the vehicle
opponent | p | involved | casualty_class, vehicle_type | what the person met: the vehicle that hit a pedestrian, the heaviest other for the rest
user_and_opponent | p | involved | casualty_type, casualty_class, vehicle_type | both
is_driver | p | involved | casualty_class | driver or rider
"""
_UNITS = {"c": "collision", "v": "vehicle", "p": "casualty"}


@dataclass(frozen=True)
class Feature:
    """One engineered feature; ``known`` is the strictest ``known_at`` that has it."""

    name: str
    section: str
    units: tuple[str, ...]
    known: str
    sources: tuple[str, ...]
    meaning: str


def _parse() -> dict[str, Feature]:
    features, section = {}, ""
    for line in _FEATURES.strip().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
            continue
        name, units, known, sources, meaning = line.split(" | ")
        of = tuple(_UNITS[u] for u in units)
        features[name] = Feature(name, section, of, known, tuple(sources.split(", ")), meaning)
    return features


FEATURES = _parse()
