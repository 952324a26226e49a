"""Words for the columns of a severity model, to pass to steps that know nothing about roads.

A pipeline takes them when it is compiled: ``explain_classifier(groups=stats19_groups(), labels=stats19_labels(), ...)``.
"""

from roadsafety_components.core import schema
from roadsafety_components.core.code_list import code_lists
from roadsafety_components.core.feature_list import FEATURES

# ruff: noqa: E501  (a table, one line a group)
# name | its columns, the one that tells most first | meaning. A column is in one group: that of what it is made of.
_GROUPS = """
time_of_day | hour rush_hour night_out school_run hour_sin hour_cos | hour, rush hour, school run, night out
month | month month_sin month_cos | month of the year
day_of_week | weekday weekend bank_holiday | day of the week, weekend, bank holiday
light | light_conditions dark sun_elevation | light, street lighting, height of the sun
weather_and_surface | surface_and_weather weather_conditions road_surface_conditions | weather and state of the road
road_class | first_road_class road_classes first_road_number trunk_road_flag | class and number of the road
road_type | road_type | roundabout, one way, dual or single carriageway, slip road
speed_limit | speed_limit | speed limit in mph
junction | junction_detail junction_control second_road_class second_road_number junction_location junction_detail_historic | kind and control of the junction, the other road, the vehicle's place in it
pedestrian_crossing | pedestrian_crossing pedestrian_crossing_physical_facilities_historic pedestrian_crossing_human_control_historic | crossing within 50 metres
hazards | carriageway_hazards special_conditions_at_site carriageway_hazards_historic | objects, animals, roadworks and defects on the road
urban_or_rural_area | urban_or_rural_area | urban or rural
place | police_force local_authority_district local_authority_ons_district local_authority_highway local_authority_highway_current lsoa_of_accident_location cell longitude latitude location_easting_osgr location_northing_osgr | where: coordinates, authority, police force
vehicles_involved | vehicles worst_pair single_vehicle vehicles_cycle vehicles_motorcycle vehicles_car vehicles_van vehicles_bus vehicles_hgv vehicles_other number_of_vehicles | how many vehicles, and of which kinds
vehicle | vehicle_type vehicle_pair vehicle_group escooter_flag any_escooter | kind of the own vehicle (a pedestrian's: the one that hit), and its pair with the other
vehicle_make | vehicle_make vehicle_model generic_make_model | make and model
engine | engine_capacity_cc largest_engine_cc propulsion_code | size of the engine, and fuel
age_of_vehicle | age_of_vehicle oldest_vehicle | age of the vehicle, and of the oldest one
towing_and_articulation | towing_and_articulation | towing, articulated
vehicle_left_hand_drive | vehicle_left_hand_drive | left-hand drive
manoeuvre | vehicle_manoeuvre manoeuvre_group vehicle_manoeuvre_historic | what the own vehicle was doing
direction | vehicle_direction_to vehicle_direction_from heading_difference | where the vehicles were heading
lane | vehicle_location_restricted_lane vehicle_location_restricted_lane_historic | main carriageway, bus lane, cycle lane, footway
journey_purpose | journey_purpose_of_driver journey_purpose_of_driver_historic | why the driver was travelling
age_of_drivers | age_of_driver youngest_driver oldest_driver age_band_of_driver young_driver old_driver | age of the own driver, the youngest and the oldest
sex_of_drivers | sex_of_driver male_driver_share | sex of the own driver, and of all
home_of_driver | driver_imd_decile driver_home_area_type driver_distance_banding vehicle_imd_decile lsoa_of_driver | where the driver lives: deprivation, kind of area, distance
other_vehicle | other_group opponent other_manoeuvre other_driver_age other_driver_sex other_engine_cc other_vehicle_age | the heaviest other vehicle and its driver; what the person met
road_user | casualty_type user_and_opponent casualty_class road_user is_driver car_passenger bus_or_coach_passenger | kind of road user, role, seat, and what the person met
age_of_casualty | age_of_casualty age_band_of_casualty | age of the casualty
sex_of_casualty | sex_of_casualty | sex of the casualty
home_of_casualty | casualty_imd_decile casualty_home_area_type casualty_distance_banding lsoa_of_casualty | where the casualty lives: deprivation, kind of area, distance
pedestrian | pedestrian_movement pedestrian_location pedestrian_road_maintenance_worker | what the pedestrian was doing, and where
first_point_of_impact | first_point_of_impact | part of the vehicle that was hit first
skidding_and_overturning | skidding_and_overturning | skidded, jack-knifed, overturned
hit_object | hit_object_off_carriageway hit_object_in_carriageway vehicle_leaving_carriageway | left the carriageway, and what was hit
"""
# Columns that have the codes of another.
_SAME_CODES = {"other_driver_sex": "sex_of_driver"}
# Never a feature unless the place is kept; their lists are long.
_WITHOUT_LABELS = ("location", "group")


def stats19_groups() -> dict[str, list[str]]:
    """The columns of a severity model by what an analyst would call one thing; each in one group.

    Columns of every unit, ``known_at`` and generation are there; a model has some of them.
    """
    return {name: columns for name, columns, _ in _parsed()}


def stats19_meanings() -> dict[str, str]:
    """What a group or an engineered feature is, in words."""
    return {name: f.meaning for name, f in FEATURES.items()} | {name: meaning for name, _, meaning in _parsed()}


def stats19_labels() -> dict[str, dict[str, str]]:
    """Words of codes (as text) by column, of the columns that are in a group; areas and police forces left out."""
    lists = code_lists()
    long = {c.name for t in schema.TABLES for c in schema.columns(t).values() if c.availability in _WITHOUT_LABELS}
    columns = [c for _, columns, _ in _parsed() for c in columns if c not in long]
    coded = {c: lists[_SAME_CODES.get(c, c)] for c in columns if _SAME_CODES.get(c, c) in lists}
    return {column: {str(code): words for code, words in labels.items()} for column, labels in coded.items()}


def _parsed() -> list[tuple[str, list[str], str]]:
    found = []
    for line in _GROUPS.strip().splitlines():
        name, columns, meaning = line.split(" | ")
        found.append((name, columns.split(), meaning))
    return found
