"""The three STATS19 tables: canonical columns, their names in every generation, codes, missing codes.

Canonical names are those of the 2024 release. Source: DfT open-dataset data guides 2023 and 2024, the legacy
lookup, and headers of opened files (Open Government Licence v3.0).
"""

from dataclasses import dataclass
from functools import cache

SCHEMA_VERSION = "1"
TABLES = ("collision", "vehicle", "casualty")
GENERATIONS = ("legacy", "accident", "2024", "2025")
# Synthetic records say so in their own key (year, then this), wherever they go. No police reference begins so.
SYNTHETIC_PREFIX = "SYN"

# One line a column: canonical name, name in the 2005-2019 files (= as canonical, With_Capitals), name in the
# 2020-2023 files (= as canonical, - not there), kind, availability class, code for missing, codes for "recorded as unknown", all legal codes.
# kind: text; int, float (quantities); code (no order); ordinal; nominal (a number that is a name); date; time.
# casualty_type 33 (e-scooter) and junction_detail 19 are in the published files but in no guide.
_COLUMNS = """
[collision]
collision_index Accident_Index accident_index text identifier - - -
collision_year - accident_year int identifier - - -
collision_ref_no - accident_reference text identifier - - -
location_easting_osgr = = float location - - -
location_northing_osgr = = float location - - -
longitude = = float location - - -
latitude = = float location - - -
police_force = = code group - - 1,3-7,10-14,16-17,20-23,30-37,40-48,50,52-55,60-63,91-99
collision_severity Accident_Severity accident_severity ordinal target - - 1-3
number_of_vehicles = = int post_impact - - -
number_of_casualties = = int post_outcome - - -
date = = date pre - - -
day_of_week = = code pre - - 1-7
time = = time pre - - -
local_authority_district Local_Authority_(District) = code location -1 - -
local_authority_ons_district - = text location -1 - -
local_authority_highway Local_Authority_(Highway) = text location -1 - -
local_authority_highway_current - - text location - - -
first_road_class 1st_Road_Class = code pre -1 - 1-6
first_road_number 1st_Road_Number = nominal pre -1 - -
road_type = = code pre -1 9 1-3,6-7,9,12
speed_limit = = int pre -1 99 -
junction_detail_historic Junction_Detail junction_detail code pre -1 99 0-3,5-9,99
junction_detail - - code pre -1 99 0,13,16-19,99
junction_control = = code pre -1 9 0-4,9
second_road_class 2nd_Road_Class = code pre -1 9 0-6,9
second_road_number 2nd_Road_Number = nominal pre -1 - -
pedestrian_crossing_human_control_historic Pedestrian_Crossing-Human_Control pedestrian_crossing_human_control code pre -1 9 0-2,9
pedestrian_crossing_physical_facilities_historic Pedestrian_Crossing-Physical_Facilities pedestrian_crossing_physical_facilities code pre -1 9 0-1,4-5,7-9
pedestrian_crossing - - code pre -1 99 0,11-17,99
light_conditions = = code pre -1 7 1,4-7
weather_conditions = = code pre -1 9 1-9
road_surface_conditions = = code pre -1 9 1-7,9
special_conditions_at_site = = code pre -1 9 0-7,9
carriageway_hazards_historic Carriageway_Hazards carriageway_hazards code pre -1 9 0-7,9
carriageway_hazards - - code pre -1 99 0,11-21,99
urban_or_rural_area = = code pre -1 - 1-3
did_police_officer_attend_scene_of_accident = = code post_outcome -1 - 1-3
trunk_road_flag - = code pre -1 - 1-2
lsoa_of_accident_location = = text location -1 - -
enhanced_severity_collision - = code target_derived -1 - 1,3,5-7
collision_injury_based - - code reporting_process -1 - 0-1
collision_adjusted_severity_serious - - float target_derived - - -
collision_adjusted_severity_slight - - float target_derived - - -
[vehicle]
collision_index Accident_Index accident_index text identifier - - -
collision_year - accident_year int identifier - - -
collision_ref_no - accident_reference text identifier - - -
vehicle_reference = = int identifier - - -
vehicle_type = = code involved_party -1 97,98,99 1-5,8-11,16-23,90,97-99,103-106,108-110,113
towing_and_articulation = = code involved_party -1 9 0-5,9
vehicle_manoeuvre_historic Vehicle_Manoeuvre vehicle_manoeuvre code involved_party -1 99 1-18,99
vehicle_manoeuvre - - code involved_party -1 99 1-15,19-20,99
vehicle_direction_from - = code involved_party -1 9 0-9
vehicle_direction_to - = code involved_party -1 9 0-9
vehicle_location_restricted_lane_historic Vehicle_Location-Restricted_Lane vehicle_location_restricted_lane code involved_party -1 99 0-10,99
vehicle_location_restricted_lane - - code involved_party -1 99 0-2,4-6,9,99
junction_location = = code involved_party -1 9 0-9
skidding_and_overturning = = code post_impact -1 9 0-5,9
hit_object_in_carriageway = = code post_impact -1 99 0-2,4-12,99
vehicle_leaving_carriageway = = code post_impact -1 9 0-9
hit_object_off_carriageway = = code post_impact -1 99 0-11,99
first_point_of_impact 1st_Point_of_Impact = code post_impact -1 9 0-4,9
vehicle_left_hand_drive Was_Vehicle_Left_Hand_Drive? = code involved_party -1 9 1-2,9
journey_purpose_of_driver_historic Journey_Purpose_of_Driver journey_purpose_of_driver code involved_party -1 6,15 1-6,15
journey_purpose_of_driver - - code involved_party -1 6 1-2,6-9
sex_of_driver = = code involved_party -1 3 1-3
age_of_driver = = int involved_party -1 - -
age_band_of_driver = = code involved_party -1 - 1-11
engine_capacity_cc Engine_Capacity_(CC) = int involved_party -1 - -
propulsion_code = = code involved_party -1 - 1-12
age_of_vehicle = = int involved_party -1 - -
generic_make_model - = text involved_party -1 - -
vehicle_make - - text involved_party -1 - -
vehicle_model - - text involved_party -1 - -
driver_imd_decile = = ordinal involved_party -1 - 1-10
driver_home_area_type = = code involved_party -1 - 1-3
vehicle_imd_decile = - ordinal involved_party -1 - 1-10
lsoa_of_driver - = text location -1 - -
escooter_flag - = code involved_party - - 0-1
driver_distance_banding - = ordinal involved_party -1 - 1-5
[casualty]
collision_index Accident_Index accident_index text identifier - - -
collision_year - accident_year int identifier - - -
collision_ref_no - accident_reference text identifier - - -
vehicle_reference = = int identifier - - -
casualty_reference = = int identifier - - -
casualty_class = = code post_outcome - - 1-3
sex_of_casualty = = code post_outcome -1 9 1-2,9
age_of_casualty = = int post_outcome -1 - -
age_band_of_casualty = = code post_outcome -1 - 1-11
casualty_severity = = ordinal target_derived - - 1-3
pedestrian_location = = code post_outcome -1 10 0-10
pedestrian_movement = = code post_outcome -1 9 0-9
car_passenger = = code post_outcome -1 9 0-2,9
bus_or_coach_passenger = = code post_outcome -1 9 0-4,9
pedestrian_road_maintenance_worker = = code post_outcome -1 2 0-3
casualty_type = = code post_outcome -1 97,98,99 0-5,8-11,16-23,33,90,97-99,103-106,108-110,113
casualty_home_area_type = = code post_outcome -1 - 1-3
casualty_imd_decile = = ordinal post_outcome -1 - 1-10
lsoa_of_casualty - = text post_outcome -1 - -
enhanced_casualty_severity - = code target_derived -1 - 1,3,5-7
casualty_injury_based - - code reporting_process - - 0-1
casualty_adjusted_severity_serious - - float target_derived - - -
casualty_adjusted_severity_slight - - float target_derived - - -
casualty_distance_banding - = ordinal post_outcome -1 - 1-5
"""

# Columns that some published files of a generation do not have: absence is noted, not refused.
_SOMETIMES_ABSENT = {
    "legacy": {"age_of_driver", "age_of_casualty", "driver_imd_decile", "vehicle_imd_decile",
               "casualty_imd_decile", "casualty_home_area_type", "driver_home_area_type"},
    "accident": {"enhanced_severity_collision", "enhanced_casualty_severity", "escooter_flag",
                 "driver_distance_banding", "casualty_distance_banding", "driver_home_area_type",
                 "casualty_home_area_type", "lsoa_of_driver", "lsoa_of_casualty", "generic_make_model"},
    "2024": {"local_authority_highway_current"},
    "2025": {"local_authority_highway_current"},
}  # fmt: skip
# Columns that no file has: harmonise makes them.
_DERIVED = {"vehicle_make", "vehicle_model"}
# Columns that ended before the 2024 release.
_ENDED = {"driver_home_area_type", "casualty_home_area_type", "vehicle_imd_decile"}
# Names seen in the wild for a column that has another name in the list above.
_ALIASES = {"acc_index": "collision_index"}


@dataclass(frozen=True)
class Column:
    """One canonical column.

    Attributes:
        names: its name in the files, by generation; a generation without the column is not there.
        kind: text, int, float, code, ordinal, nominal, date or time.
        availability: when its value is known (see ``clean.KNOWN_AT``).
        missing: the code that means "data missing or out of range", or None.
        unknown: codes that mean "recorded as unknown"; they are values, not missing.
        codes: every legal code (empty where any number is legal).
    """

    name: str
    names: dict[str, str]
    kind: str
    availability: str
    missing: int | None
    unknown: frozenset[int]
    codes: frozenset[int]

    def required(self, generation: str) -> bool:
        """Whether every file of the generation has the column."""
        return generation in self.names and self.name not in _SOMETIMES_ABSENT[generation]


@cache
def columns(table: str) -> dict[str, Column]:
    """The canonical columns of a table by name, in the order of the 2024 release."""
    return _parse()[table]


def canonical_name(table: str, generation: str, name: str) -> str | None:
    """The canonical name of a file's column, without regard to case; None for a column nobody knows."""
    return _lookup(table, generation).get(name.strip().lower())


@cache
def _lookup(table: str, generation: str) -> dict[str, str]:
    known = {c.names[generation].lower(): c.name for c in columns(table).values() if generation in c.names}
    return known | {alias: name for alias, name in _ALIASES.items() if generation == "legacy"}


@cache
def _parse() -> dict[str, dict[str, Column]]:
    tables: dict[str, dict[str, Column]] = {}
    for line in _COLUMNS.strip().splitlines():
        if line.startswith("["):
            tables[line.strip("[]")] = current = {}
            continue
        name, legacy, accident, kind, availability, missing, unknown, codes = line.split()
        names = {"legacy": name.title() if legacy == "=" else legacy, "accident": name if accident == "=" else accident}
        if name not in _ENDED | _DERIVED:
            renamed_2025 = "collision_reference" if name == "collision_ref_no" else name
            names |= {"2024": name, "2025": renamed_2025}
        current[name] = Column(
            name=name,
            names={generation: n for generation, n in names.items() if n != "-"},
            kind=kind,
            availability=availability,
            missing=None if missing == "-" else int(missing),
            unknown=_codes(unknown),
            codes=_codes(codes),
        )
    return tables


def _codes(text: str) -> frozenset[int]:
    """``"1-3,9"`` as {1, 2, 3, 9}; ``"-"`` as the empty set."""
    codes: set[int] = set()
    for part in [] if text == "-" else text.split(","):
        first, _, last = part.partition("-")
        codes.update(range(int(first), int(last or first) + 1))
    return frozenset(codes)
