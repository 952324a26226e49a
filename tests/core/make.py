"""Tiny STATS19 files and tables to test with: headers as published, one row of each, written out in full."""

import csv
import datetime
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from roadsafety_components.core.estimators import Settings
from roadsafety_components.core.store import Facts
from roadsafety_components.core.train import train_classifier

# The header as published and one row, by table and generation. Other rows are this one with changes.
_PUBLISHED = {
    ("collision", "legacy"): (
        "Accident_Index,Location_Easting_OSGR,Location_Northing_OSGR,Longitude,Latitude,Police_Force,"
        "Accident_Severity,Number_of_Vehicles,Number_of_Casualties,Date,Day_of_Week,Time,"
        "Local_Authority_(District),Local_Authority_(Highway),1st_Road_Class,1st_Road_Number,Road_Type,"
        "Speed_limit,Junction_Detail,Junction_Control,2nd_Road_Class,2nd_Road_Number,"
        "Pedestrian_Crossing-Human_Control,Pedestrian_Crossing-Physical_Facilities,Light_Conditions,"
        "Weather_Conditions,Road_Surface_Conditions,Special_Conditions_at_Site,Carriageway_Hazards,"
        "Urban_or_Rural_Area,Did_Police_Officer_Attend_Scene_of_Accident,LSOA_of_Accident_Location",
        "201501BS70001,525130,180050,-0.198465,51.505538,1,3,1,1,12/01/2015,2,18:45,12,E09000020,5,0,6,30,3,"
        "4,6,0,0,0,4,1,1,0,0,1,1,E01002825",
    ),
    ("vehicle", "legacy"): (
        "Accident_Index,Vehicle_Reference,Vehicle_Type,Towing_and_Articulation,Vehicle_Manoeuvre,"
        "Vehicle_Location-Restricted_Lane,Junction_Location,Skidding_and_Overturning,"
        "Hit_Object_in_Carriageway,Vehicle_Leaving_Carriageway,Hit_Object_off_Carriageway,"
        "1st_Point_of_Impact,Was_Vehicle_Left_Hand_Drive?,Journey_Purpose_of_Driver,Sex_of_Driver,"
        "Age_of_Driver,Age_Band_of_Driver,Engine_Capacity_(CC),Propulsion_Code,Age_of_Vehicle,"
        "Driver_IMD_Decile,Driver_Home_Area_Type,Vehicle_IMD_Decile",
        "201501BS70001,1,9,0,18,0,8,0,0,0,0,3,1,6,1,45,7,1794,1,11,-1,1,-1",
    ),
    ("casualty", "legacy"): (
        "Accident_Index,Vehicle_Reference,Casualty_Reference,Casualty_Class,Sex_of_Casualty,Age_of_Casualty,"
        "Age_Band_of_Casualty,Casualty_Severity,Pedestrian_Location,Pedestrian_Movement,Car_Passenger,"
        "Bus_or_Coach_Passenger,Pedestrian_Road_Maintenance_Worker,Casualty_Type,Casualty_Home_Area_Type,"
        "Casualty_IMD_Decile",
        "201501BS70001,1,1,3,2,75,10,3,5,1,0,0,2,0,3,-1",
    ),
    ("collision", "accident"): (
        "accident_index,accident_year,accident_reference,location_easting_osgr,location_northing_osgr,"
        "longitude,latitude,police_force,accident_severity,number_of_vehicles,number_of_casualties,date,"
        "day_of_week,time,local_authority_district,local_authority_ons_district,local_authority_highway,"
        "first_road_class,first_road_number,road_type,speed_limit,junction_detail,junction_control,"
        "second_road_class,second_road_number,pedestrian_crossing_human_control,"
        "pedestrian_crossing_physical_facilities,light_conditions,weather_conditions,road_surface_conditions,"
        "special_conditions_at_site,carriageway_hazards,urban_or_rural_area,"
        "did_police_officer_attend_scene_of_accident,trunk_road_flag,lsoa_of_accident_location,"
        "enhanced_severity_collision",
        "2022010352073,2022,010352073,521508,193079,-0.246102,51.623425,1,2,2,1,05/01/2022,4,16:40,-1,"
        "E09000003,E09000003,3,1,6,30,9,2,3,598,-1,1,1,1,1,0,0,1,3,2,E01000319,6",
    ),
    ("vehicle", "accident"): (
        "accident_index,accident_year,accident_reference,vehicle_reference,vehicle_type,"
        "towing_and_articulation,vehicle_manoeuvre,vehicle_direction_from,vehicle_direction_to,"
        "vehicle_location_restricted_lane,junction_location,skidding_and_overturning,"
        "hit_object_in_carriageway,vehicle_leaving_carriageway,hit_object_off_carriageway,"
        "first_point_of_impact,vehicle_left_hand_drive,journey_purpose_of_driver,sex_of_driver,age_of_driver,"
        "age_band_of_driver,engine_capacity_cc,propulsion_code,age_of_vehicle,generic_make_model,"
        "driver_imd_decile,driver_home_area_type,lsoa_of_driver",
        "2022010352073,2022,010352073,1,9,0,17,7,3,4,2,1,0,7,0,1,1,15,3,34,6,1984,8,-1,TOYOTA PRIUS,3,1,E01000320",
    ),
    ("casualty", "accident"): (
        "accident_index,accident_year,accident_reference,vehicle_reference,casualty_reference,casualty_class,"
        "sex_of_casualty,age_of_casualty,age_band_of_casualty,casualty_severity,pedestrian_location,"
        "pedestrian_movement,car_passenger,bus_or_coach_passenger,pedestrian_road_maintenance_worker,"
        "casualty_type,casualty_home_area_type,casualty_imd_decile,lsoa_of_casualty,"
        "enhanced_casualty_severity,casualty_distance_banding",
        "2022010352073,2022,010352073,1,1,2,9,99,11,2,0,0,2,0,0,9,2,-1,-1,5,1",
    ),
    ("collision", "2024"): (
        "collision_index,collision_year,collision_ref_no,location_easting_osgr,location_northing_osgr,"
        "longitude,latitude,police_force,collision_severity,number_of_vehicles,number_of_casualties,date,"
        "day_of_week,time,local_authority_district,local_authority_ons_district,local_authority_highway,"
        "local_authority_highway_current,first_road_class,first_road_number,road_type,speed_limit,"
        "junction_detail_historic,junction_detail,junction_control,second_road_class,second_road_number,"
        "pedestrian_crossing_human_control_historic,pedestrian_crossing_physical_facilities_historic,"
        "pedestrian_crossing,light_conditions,weather_conditions,road_surface_conditions,"
        "special_conditions_at_site,carriageway_hazards_historic,carriageway_hazards,urban_or_rural_area,"
        "did_police_officer_attend_scene_of_accident,trunk_road_flag,lsoa_of_accident_location,"
        "enhanced_severity_collision,collision_injury_based,collision_adjusted_severity_serious,"
        "collision_adjusted_severity_slight",
        "2024130352073,2024,130352073,414393,422878,-1.78346,53.70214,13,3,1,1,21/05/2024,3,15:30,-1,"
        "E08000033,E08000034,E08000035,6,0,9,30,-1,19,4,9,0,-1,-1,11,7,9,9,-1,-1,21,1,2,2,E01010949,3,1,0.0,"
        "1.0",
    ),
    ("vehicle", "2024"): (
        "collision_index,collision_year,collision_ref_no,vehicle_reference,vehicle_type,"
        "towing_and_articulation,vehicle_manoeuvre_historic,vehicle_manoeuvre,vehicle_direction_from,"
        "vehicle_direction_to,vehicle_location_restricted_lane_historic,vehicle_location_restricted_lane,"
        "junction_location,skidding_and_overturning,hit_object_in_carriageway,vehicle_leaving_carriageway,"
        "hit_object_off_carriageway,first_point_of_impact,vehicle_left_hand_drive,"
        "journey_purpose_of_driver_historic,journey_purpose_of_driver,sex_of_driver,age_of_driver,"
        "age_band_of_driver,engine_capacity_cc,propulsion_code,age_of_vehicle,generic_make_model,"
        "driver_imd_decile,lsoa_of_driver,escooter_flag,driver_distance_banding",
        "2024130352073,2024,130352073,1,9,0,-1,19,1,5,-1,9,8,0,10,0,4,3,9,-1,7,3,44,7,1591,12,5,"
        "HYUNDAI TUCSON,7,E01011942,0,5",
    ),
    ("casualty", "2024"): (
        "collision_index,collision_year,collision_ref_no,vehicle_reference,casualty_reference,casualty_class,"
        "sex_of_casualty,age_of_casualty,age_band_of_casualty,casualty_severity,pedestrian_location,"
        "pedestrian_movement,car_passenger,bus_or_coach_passenger,pedestrian_road_maintenance_worker,"
        "casualty_type,casualty_imd_decile,lsoa_of_casualty,enhanced_casualty_severity,casualty_injury_based,"
        "casualty_adjusted_severity_serious,casualty_adjusted_severity_slight,casualty_distance_banding",
        "2024130352073,2024,130352073,1,1,2,1,35,6,3,0,0,1,0,-1,33,4,E01011447,3,1,0.0,1.0,1",
    ),
}


def published(table: str, generation: str) -> dict[str, str]:
    """One row of a file as published: column name in the file to text."""
    if generation == "2025":  # one name only is new
        names, row = (text.split(",") for text in _PUBLISHED[table, "2024"])
        return dict(zip([n.replace("collision_ref_no", "collision_reference") for n in names], row, strict=True))
    names, row = (text.split(",") for text in _PUBLISHED[table, generation])
    return dict(zip(names, row, strict=True))


def csv_text(table: str, generation: str = "2024", rows: Iterable[Mapping[str, str]] = ({},)) -> str:
    """A file's text: the header, then the published row with each item's changes (by the file's own names)."""
    usual = published(table, generation)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(usual), lineterminator="\n")
    writer.writeheader()
    writer.writerows(usual | dict(row) for row in rows)
    return text.getvalue()


def write_tables(folder: Path, generation: str = "2024", **rows: Iterable[Mapping[str, str]]) -> Path:
    """``collision.csv``, ``vehicle.csv`` and ``casualty.csv`` in the folder; ``rows`` gives a table's own rows."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in ("collision", "vehicle", "casualty"):
        (folder / f"{table}.csv").write_text(csv_text(table, generation, rows.get(table, ({},))))
    return folder


def rewrite(path: Path, old: str, new: str) -> None:
    """Change a file's text where ``old`` stands first."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def canonical(columns: Mapping[str, list[Any]]) -> pa.Table:
    """A table as the reader makes it: text, dates and times as themselves, fractions float64, the rest int16."""
    kinds = {str: pa.string(), datetime.date: pa.date32(), datetime.time: pa.time32("s"), float: pa.float64()}
    types = {
        name: kinds.get(type(next((v for v in vs if v is not None), 0)), pa.int16()) for name, vs in columns.items()
    }
    return pa.table({name: pa.array(values, types[name]) for name, values in columns.items()})


@dataclass
class Answer:
    """What the server says to one request."""

    body: bytes = b""
    status: int = 200
    promised: int = -1  # Content-Length, if it is not the body's
    silent: bool = False  # sends the head, then nothing
    location: str = ""  # where to go instead


def small_model(table: pa.Table, target_column: str, **how: Any) -> tuple[Any, Facts]:
    """A small model, by default a forest of ten trees without folds, and its facts; ``how``: settings, arguments."""
    exclude_columns = how.pop("exclude_columns", ())
    settings = {"algorithm": "random_forest", "n_estimators": 10, "min_samples_leaf": 1, "learning_rate": 0.1}
    choices = {"folds": 0} | {n: v for n, v in how.items() if n not in Settings.__dataclass_fields__}
    settings |= {n: v for n, v in how.items() if n in Settings.__dataclass_fields__}
    return train_classifier(table, target_column, Settings(**settings), exclude_columns, **choices)[:2]
