"""The STATS19 code list: what each code stands for, by column.

``_GUIDE``: a section begins with the columns that share it (a column may stand in several); an entry, which a semicolon
or the line's end closes, is a code and its label.

``_AREAS``, the guide's three lists of local authorities as one: a section begins with the first part of an ONS code; an
entry is the rest of the ONS code, the numbers that ``local_authority_district`` has for the name, and the name. The
last section has such numbers only. Where the lists spell an area in two ways, the name is that of
``local_authority_ons_district``.

``_NOT_IN_THE_GUIDE``: ``junction_detail`` 19 is in the published files, where the 2011 specification has 9, "Other
junction" (``junction_detail_historic``). The home area type ended before 2024; its labels are those of earlier guides.
``preprocess_collisions`` makes the month.
"""

# Source: Department for Transport, road safety open data guide 2024. Contains public sector information licensed under
# the Open Government Licence v3.0. Labels are DfT's own words, runs of spaces as one. -1, "missing", is null here.

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

# Columns whose codes have a rank.
RANKED = re.compile("(collision|casualty)_severity|age_band_.*|.*_imd_decile|.*_distance_banding")
# Columns of ONS codes, which are text.
ONS = ("local_authority_ons_district", "local_authority_highway", "local_authority_highway_current")

_GUIDE = """
[police_force]
1 Metropolitan Police;3 Cumbria;4 Lancashire;5 Merseyside;6 Greater Manchester;7 Cheshire;10 Northumbria;11 Durham
12 North Yorkshire;13 West Yorkshire;14 South Yorkshire;16 Humberside;17 Cleveland;20 West Midlands;21 Staffordshire
22 West Mercia;23 Warwickshire;30 Derbyshire;31 Nottinghamshire;32 Lincolnshire;33 Leicestershire;34 Northamptonshire
35 Cambridgeshire;36 Norfolk;37 Suffolk;40 Bedfordshire;41 Hertfordshire;42 Essex;43 Thames Valley;44 Hampshire
45 Surrey;46 Kent;47 Sussex;48 City of London;50 Devon and Cornwall;52 Avon and Somerset;53 Gloucestershire;54 Wiltshire
55 Dorset;60 North Wales;61 Gwent;62 South Wales;63 Dyfed-Powys;91 Northern;92 Grampian;93 Tayside;94 Fife
95 Lothian and Borders;96 Central;97 Strathclyde;98 Dumfries and Galloway;99 Police Scotland
[collision_severity casualty_severity]
1 Fatal;2 Serious;3 Slight
[day_of_week weekday]
1 Sunday;2 Monday;3 Tuesday;4 Wednesday;5 Thursday;6 Friday;7 Saturday
[first_road_class second_road_class]
1 Motorway;2 A(M);3 A;4 B;5 C;6 Unclassified
[road_type]
1 Roundabout;2 One way street;3 Dual carriageway;6 Single carriageway;7 Slip road;9 Unknown;12 One way street/Slip road
[junction_detail_historic]
0 Not at junction or within 20 metres;1 Roundabout;2 Mini-roundabout;3 T or staggered junction;5 Slip road;6 Crossroads
7 More than 4 arms (not roundabout);8 Private drive or entrance;9 Other junction;99 unknown (self reported)
[junction_detail]
0 Not at junction or within 20 metres;13 T or staggered junction;16 Crossroads
17 Junction with more than four arms (not roundabout);18 Using private drive or entrance;99 unknown (self reported)
[junction_control]
0 Not at junction or within 20 metres;1 Authorised person;2 Auto traffic signal;3 Stop sign;4 Give way or uncontrolled
9 unknown (self reported)
[second_road_class]
0 Not at junction or within 20 metres;9 Unknown (self rep only)
[pedestrian_crossing_human_control_historic]
0 None within 50 metres;1 Control by school crossing patrol;2 Control by other authorised person
9 unknown (self reported)
[pedestrian_crossing_physical_facilities_historic]
0 No physical crossing facilities within 50 metres;1 Zebra
4 Pelican, puffin, toucan or similar non-junction pedestrian light crossing
5 Pedestrian phase at traffic signal junction;7 Footbridge or subway;8 Central refuge;9 unknown (self reported)
[pedestrian_crossing]
0 No physical crossing facility within 50m;11 Human crossing control by school crossing patrol
12 Human crossing control by other authorised person;13 Zebra crossing
14 Pedestrian light crossing (pelican or puffin or toucan or similar);15 Pedestrian phase at traffic signal
16 Footbridge or subway;17 Central refuge - no other controls;99 unknown (self reported)
[light_conditions]
1 Daylight;4 Darkness - lights lit;5 Darkness - lights unlit;6 Darkness - no lighting;7 Darkness - lighting unknown
[weather_conditions]
1 Fine no high winds;2 Raining no high winds;3 Snowing no high winds;4 Fine + high winds;5 Raining + high winds
6 Snowing + high winds;7 Fog or mist;8 Other;9 Unknown
[road_surface_conditions]
1 Dry;2 Wet or damp;3 Snow;4 Frost or ice;5 Flood over 3cm. deep;6 Oil or diesel;7 Mud;9 unknown (self reported)
[special_conditions_at_site]
0 None;1 Auto traffic signal - out;2 Auto signal part defective;3 Road sign or marking defective or obscured;4 Roadworks
5 Road surface defective;6 Oil or diesel;7 Mud;9 unknown (self reported)
[carriageway_hazards_historic]
0 None;1 Vehicle load on road;2 Other object on road;3 Previous accident;4 Dog on road;5 Other animal on road
6 Pedestrian in carriageway - not injured;7 Any animal in carriageway (except ridden horse);9 unknown (self reported)
[carriageway_hazards]
0 None;11 Defective traffic signals;12 Permanent road signing or markings defective or obscured or inadequate
13 Roadworks;14 Oil or diesel;15 Mud;16 Dislodged vehicle load in carriageway;17 Other object in carriageway
18 Involvement with previous collision;19 Pedestrian in carriageway - not injured
20 Any animal in carriageway (except ridden horse);21 Poor or defective road surface;99 unknown (self reported)
[urban_or_rural_area]
1 Urban;2 Rural;3 Unallocated
[did_police_officer_attend_scene_of_accident]
1 Yes;2 No;3 No - accident was reported using a self completion form (self rep only)
[trunk_road_flag]
1 Trunk (Roads managed by Highways England);2 Non-trunk
[enhanced_severity_collision enhanced_casualty_severity]
1 Fatal;3 Slight;5 Very Serious;6 Moderately Serious;7 Less Serious
[collision_injury_based casualty_injury_based]
0 Based on severity reporting;1 Based on Injury code reporting
[vehicle_type casualty_type]
99 Unknown vehicle type (self rep only);103 Motorcycle - Scooter (1979-1998);104 Motorcycle (1979-1998)
105 Motorcycle - Combination (1979-1998);106 Motorcycle over 125cc (1999-2004)
108 Taxi (excluding private hire cars) (1979-2004);109 Car (including private hire cars) (1979-2004)
110 Minibus/Motor caravan (1979-1998);113 Goods over 3.5 tonnes (1979-1998)
[vehicle_type]
1 Pedal cycle;2 Motorcycle 50cc and under;3 Motorcycle 125cc and under;4 Motorcycle over 125cc and up to 500cc
5 Motorcycle over 500cc;8 Taxi/Private hire car;9 Car;10 Minibus (8 - 16 passenger seats)
11 Bus or coach (17 or more pass seats);16 Ridden horse;17 Agricultural vehicle;18 Tram
19 Van / Goods 3.5 tonnes mgw or under;20 Goods over 3.5t. and under 7.5t;21 Goods 7.5 tonnes mgw and over
22 Mobility scooter;23 Electric motorcycle;90 Other vehicle;97 Motorcycle - unknown cc;98 Goods vehicle - unknown weight
[towing_and_articulation]
0 No tow/articulation;1 Articulated vehicle;2 Double or multiple trailer;3 Caravan;4 Single trailer;5 Other tow
9 unknown (self reported)
[vehicle_manoeuvre_historic vehicle_manoeuvre]
1 Reversing;2 Parked;4 Slowing or stopping;5 Moving off;6 U-turn;7 Turning left;8 Waiting to turn left;9 Turning right
10 Waiting to turn right;11 Changing lane to left;12 Changing lane to right;99 unknown (self reported)
[vehicle_manoeuvre_historic]
3 Waiting to go - held up;13 Overtaking moving vehicle - offside;14 Overtaking static vehicle - offside
15 Overtaking - nearside;16 Going ahead left-hand bend;17 Going ahead right-hand bend;18 Going ahead other
[vehicle_manoeuvre]
3 Waiting to go ahead;13 Over taking moving vehicle on its offside;14 Overtaking stationary vehicle on its offside
15 Overtaking on nearside (passengers side nearest kerb);19 Going ahead;20 Parking
[vehicle_direction_from vehicle_direction_to]
0 Parked;1 North;2 North East;3 East;4 South East;5 South;6 South West;7 West;8 North West;9 unknown (self reported)
[vehicle_location_restricted_lane_historic]
0 On main c'way - not in restricted lane;1 Tram/Light rail track;2 Bus lane;3 Busway (including guided busway)
4 Cycle lane (on main carriageway);5 Cycleway or shared use footway (not part of main carriageway)
6 On lay-by or hard shoulder;7 Entering lay-by or hard shoulder;8 Leaving lay-by or hard shoulder;9 Footway (pavement)
10 Not on carriageway;99 unknown (self reported)
[vehicle_location_restricted_lane]
0 On main carriageway (not in restricted lane);1 Tram or Light rail track;2 Bus lane or Busway
4 Cycle lane (on main carriageway);5 Cycleway or shared use footway (not part of main carriageway)
6 Lay-by or hard shoulder;9 Footway (pavement);99 unknown (self reported)
[junction_location]
0 Not at or within 20 metres of junction;1 Approaching junction or waiting/parked at junction approach
2 Cleared junction or waiting/parked at junction exit;3 Leaving roundabout;4 Entering roundabout;5 Leaving main road
6 Entering main road;7 Entering from slip road;8 Mid Junction - on roundabout or on main road;9 unknown (self reported)
[skidding_and_overturning]
0 None;1 Skidded;2 Skidded and overturned;3 Jackknifed;4 Jackknifed and overturned;5 Overturned
9 unknown (self reported)
[hit_object_in_carriageway]
0 None;1 Previous accident;2 Road works;4 Parked vehicle;5 Bridge (roof);6 Bridge (side);7 Bollard or refuge
8 Open door of vehicle;9 Central island of roundabout;10 Kerb;11 Other object;12 Any animal (except ridden horse)
99 unknown (self reported)
[vehicle_leaving_carriageway]
0 Did not leave carriageway;1 Nearside;2 Nearside and rebounded;3 Straight ahead at junction
4 Offside on to central reservation;5 Offside on to centrl res + rebounded;6 Offside - crossed central reservation
7 Offside;8 Offside and rebounded;9 unknown (self reported)
[hit_object_off_carriageway]
0 None;1 Road sign or traffic signal;2 Lamp post;3 Telegraph or electricity pole;4 Tree;5 Bus stop or bus shelter
6 Central crash barrier;7 Near/Offside crash barrier;8 Submerged in water;9 Entered ditch;10 Other permanent object
11 Wall or fence;99 unknown (self reported)
[first_point_of_impact]
0 Did not impact;1 Front;2 Back;3 Offside;4 Nearside;9 unknown (self reported)
[vehicle_left_hand_drive]
1 No;2 Yes;9 Unknown
[journey_purpose_of_driver_historic]
1 Journey as part of work;2 Commuting to/from work;3 Taking pupil to/from school;4 Pupil riding to/from school;5 Other
6 Not known;15 Other/Not known
[journey_purpose_of_driver]
1 Journey as part of work;2 Commuting to or from work;6 Not known or not requested;7 Education and educational escort
8 Emergency vehicle (blue light) on response;9 Personal business or leisure
[sex_of_driver]
1 Male;2 Female;3 Not known
[age_band_of_driver age_band_of_casualty]
1 0 - 5;2 6 - 10;3 11 - 15;4 16 - 20;5 21 - 25;6 26 - 35;7 36 - 45;8 46 - 55;9 56 - 65;10 66 - 75;11 Over 75
[propulsion_code]
1 Petrol;2 Heavy oil;3 Electric;4 Steam;5 Gas;6 Petrol/Gas (LPG);7 Gas/Bi-fuel;8 Hybrid electric;9 Gas Diesel
10 New fuel technology;11 Fuel cells;12 Electric diesel
[driver_imd_decile vehicle_imd_decile casualty_imd_decile]
1 Most deprived 10%;2 More deprived 10-20%;3 More deprived 20-30%;4 More deprived 30-40%;5 More deprived 40-50%
6 Less deprived 40-50%;7 Less deprived 30-40%;8 Less deprived 20-30%;9 Less deprived 10-20%;10 Least deprived 10%
[escooter_flag]
0 Vehicle was not an e-scooter;1 Vehicle was an e-scooter
[driver_distance_banding]
1 Collision occurred within 5km of drivers home postcode
2 Collision occurred between 5.001 and 10km of drivers home postcode
3 Collision occurred between 10.001 and 20km of drivers home postcode
4 Collision occurred between 20.001 and 100km of drivers home postcode
5 Collision occurred over 100km of drivers home postcode
[casualty_class]
1 Driver or rider;2 Passenger;3 Pedestrian
[sex_of_casualty]
1 Male;2 Female;9 unknown (self reported)
[pedestrian_location]
0 Not a Pedestrian;1 Crossing on pedestrian crossing facility;2 Crossing in zig-zag approach lines
3 Crossing in zig-zag exit lines;4 Crossing elsewhere within 50m. of pedestrian crossing
5 In carriageway, crossing elsewhere;6 On footway or verge;7 On refuge, central island or central reservation
8 In centre of carriageway - not on refuge, island or central reservation;9 In carriageway, not crossing
10 Unknown or other
[pedestrian_movement]
0 Not a Pedestrian;1 Crossing from driver's nearside;2 Crossing from nearside - masked by parked or stationary vehicle
3 Crossing from driver's offside;4 Crossing from offside - masked by parked or stationary vehicle
5 In carriageway, stationary - not crossing (standing or playing)
6 In carriageway, stationary - not crossing (standing or playing) - masked by parked or stationary vehicle
7 Walking along in carriageway, facing traffic;8 Walking along in carriageway, back to traffic;9 Unknown or other
[car_passenger]
0 Not car passenger;1 Front seat passenger;2 Rear seat passenger;9 unknown (self reported)
[bus_or_coach_passenger]
0 Not a bus or coach passenger;1 Boarding;2 Alighting;3 Standing passenger;4 Seated passenger;9 unknown (self reported)
[pedestrian_road_maintenance_worker]
0 No / Not applicable;1 Yes;2 Not Known;3 Probable
[casualty_type]
0 Pedestrian;1 Cyclist;2 Motorcycle 50cc and under rider or passenger;3 Motorcycle 125cc and under rider or passenger
4 Motorcycle over 125cc and up to 500cc rider or passenger;5 Motorcycle over 500cc rider or passenger
8 Taxi/Private hire car occupant;9 Car occupant;10 Minibus (8 - 16 passenger seats) occupant
11 Bus or coach occupant (17 or more pass seats);16 Horse rider;17 Agricultural vehicle occupant;18 Tram occupant
19 Van / Goods vehicle (3.5 tonnes mgw or under) occupant;20 Goods vehicle (over 3.5t. and under 7.5t.) occupant
21 Goods vehicle (7.5 tonnes mgw and over) occupant;22 Mobility scooter rider;23 Electric motorcycle rider or passenger
90 Other vehicle occupant;97 Motorcycle - unknown cc rider or passenger;98 Goods vehicle (unknown weight) occupant
[casualty_distance_banding]
1 Collision occurred within 5km of casualties home postcode
2 Collision occurred between 5.001 and 10km of casualties home postcode
3 Collision occurred between 10.001 and 20km of casualties home postcode
4 Collision occurred between 20.001 and 100km of casualties home postcode
5 Collision occurred over 100km of casualties home postcode
"""

_AREAS = """
[E06]
1 240 Hartlepool;2 243 Middlesbrough;3 241 Redcar and Cleveland;4 245 Stockton-on-Tees;5 161 Darlington;6 124 Halton
7 128 Warrington;8 70 Blackburn with Darwen;9 71 Blackpool;10 228 Kingston upon Hull, City of
11 231 East Riding of Yorkshire;12 233 North East Lincolnshire;13 232 North Lincolnshire;14 189 York;15 323 Derby
16 364 Leicester;17 368 Rutland;18 346 Nottingham;19 285 Herefordshire, County of;20 284 Telford and Wrekin
21 257 Stoke-on-Trent;22 611 Bath and North East Somerset;23 601 Bristol, City of;24 605 North Somerset
25 612 South Gloucestershire;26 583 Plymouth;27 587 Torbay;28 640 Bournemouth;29 643 Poole;30 633 Swindon
31 394 Peterborough;32 421 Luton;33 460 Southend-on-Sea;34 462 Thurrock;35 544 Medway;36 470 Bracknell Forest
37 471 West Berkshire;38 472 Reading;39 473 Slough;40 474 Windsor and Maidenhead;41 475 Wokingham;42 479 Milton Keynes
43 565 Brighton and Hove;44 498 Portsmouth;45 500 Southampton;46 505 Isle of Wight;47 169 County Durham
48 139 Northumberland;49 129 Cheshire East;50 130 Cheshire West and Chester;51 286 Shropshire;52 596 Cornwall
53 599 Isles of Scilly;54 635 Wiltshire;55 420 Bedford;56 424 Central Bedfordshire;57 Northumberland
58 Bournemouth, Christchurch and Poole;59 Dorset (excluding Christchurch);60 Buckinghamshire;61 North Northamptonshire
62 West Northamptonshire;63 Cumberland;64 Westmorland and Furness;65 North Yorkshire;66 Somerset
[E07]
1 422 Mid Bedfordshire;2 Bedford;3 423 South Bedfordshire;4 476 Aylesbury Vale;5 478 Chiltern;6 477 South Bucks
7 480 Wycombe;8 390 Cambridge;9 391 East Cambridgeshire;10 392 Fenland;11 393 Huntingdonshire
12 395 South Cambridgeshire;19 590 Caradon;20 591 Carrick;21 592 Kerrier;22 593 North Cornwall;23 594 Penwith
24 595 Restormel;26 60 Allerdale;27 61 Barrow-in-Furness;28 62 Carlisle;29 63 Copeland;30 64 Eden;31 65 South Lakeland
32 320 Amber Valley;33 321 Bolsover;34 322 Chesterfield;35 329 Derbyshire Dales;36 324 Erewash;37 325 High Peak
38 327 North East Derbyshire;39 328 South Derbyshire;40 580 East Devon;41 581 Exeter;42 586 Mid Devon;43 582 North Devon
44 584 South Hams;45 585 Teignbridge;46 588 Torridge;47 589 West Devon;48 641 Christchurch;49 647 East Dorset
50 642 North Dorset;51 644 Purbeck;52 645 West Dorset;53 646 Weymouth and Portland;54 160 Chester-le-Street
55 162 Derwentside;56 163 Durham;57 164 Easington;58 165 Sedgefield;59 166 Teesdale;60 168 Wear Valley;61 551 Eastbourne
62 552 Hastings;63 554 Lewes;64 555 Rother;65 556 Wealden;66 450 Basildon;67 451 Braintree;68 452 Brentwood
69 453 Castle Point;70 454 Chelmsford;71 455 Colchester;72 456 Epping Forest;73 457 Harlow;74 458 Maldon;75 459 Rochford
76 461 Tendring;77 463 Uttlesford;78 620 Cheltenham;79 621 Cotswold;80 622 Forest of Dean;81 623 Gloucester
82 624 Stroud;83 625 Tewkesbury;84 490 Basingstoke and Deane;85 497 East Hampshire;86 491 Eastleigh;87 492 Fareham
88 493 Gosport;89 494 Hart;90 495 Havant;91 496 New Forest;92 499 Rushmoor;93 501 Test Valley;94 502 Winchester
95 430 Broxbourne;96 431 Dacorum;97 432 East Hertfordshire;98 33 Hertsmere;99 433 North Hertfordshire;100 St Albans
101 435 Stevenage;102 436 Three Rivers;103 437 Watford;104 438 Welwyn Hatfield;105 530 Ashford;106 531 Canterbury
107 532 Dartford;108 533 Dover;109 535 Gravesham;110 536 Maidstone;111 538 Sevenoaks;112 539 Shepway;113 540 Swale
114 541 Thanet;115 542 Tonbridge and Malling;116 543 Tunbridge Wells;117 72 Burnley;118 73 Chorley;119 74 Fylde
120 75 Hyndburn;121 76 Lancaster;122 77 Pendle;123 79 Preston;124 80 Ribble Valley;125 82 Rossendale;126 83 South Ribble
127 84 West Lancashire;128 85 Wyre;129 360 Blaby;130 362 Charnwood;131 363 Harborough;132 361 Hinckley and Bosworth
133 365 Melton;134 366 North West Leicestershire;135 367 Oadby and Wigston;136 350 Boston;137 351 East Lindsey
138 352 Lincoln;139 353 North Kesteven;140 354 South Holland;141 355 South Kesteven;142 356 West Lindsey
143 400 Breckland;144 401 Broadland;145 402 Great Yarmouth;146 407 King's Lynn and West Norfolk;147 405 North Norfolk
148 404 Norwich;149 406 South Norfolk;150 380 Corby;151 381 Daventry;152 382 East Northamptonshire;153 383 Kettering
154 384 Northampton;155 385 South Northamptonshire;156 386 Wellingborough;163 180 Craven;164 181 Hambleton
165 182 Harrogate;166 184 Richmondshire;167 185 Ryedale;168 186 Scarborough;169 187 Selby;170 340 Ashfield
171 341 Bassetlaw;172 342 Broxtowe;173 343 Gedling;174 344 Mansfield;175 345 Newark and Sherwood;176 347 Rushcliffe
177 481 Cherwell;178 482 Oxford;179 484 South Oxfordshire;180 483 Vale of White Horse;181 485 West Oxfordshire
187 606 Mendip;188 607 Sedgemoor;189 610 South Somerset;190 608 Taunton Deane;191 609 West Somerset
192 250 Cannock Chase;193 251 East Staffordshire;194 252 Lichfield;195 253 Newcastle-under-Lyme
196 254 South Staffordshire;197 255 Stafford;198 256 Staffordshire Moorlands;199 258 Tamworth;200 410 Babergh
201 411 Forest Heath;202 412 Ipswich;203 413 Mid Suffolk;204 St Edmundsbury;205 415 Suffolk Coastal;206 416 Waveney
207 510 Elmbridge;208 38 Epsom and Ewell;209 511 Guildford;210 512 Mole Valley;211 513 Reigate and Banstead
212 514 Runnymede;213 40 Spelthorne;214 515 Surrey Heath;215 516 Tandridge;216 517 Waverley;217 518 Woking
218 290 North Warwickshire;219 291 Nuneaton and Bedworth;220 292 Rugby;221 Stratford-on-Avon;222 294 Warwick
223 557 Adur;224 558 Arun;225 559 Chichester;226 560 Crawley;227 562 Horsham;228 563 Mid Sussex;229 564 Worthing
234 270 Bromsgrove;235 273 Malvern Hills;236 274 Redditch;237 276 Worcester;238 277 Wychavon;239 278 Wyre Forest
240 St Albans;241 Welwyn Hatfield;242 East Hertfordshire;243 Stevenage;244 East Suffolk;245 West Suffolk
[E08]
1 100 Bolton;2 101 Bury;3 102 Manchester;4 104 Oldham;5 106 Rochdale;6 107 Salford;7 109 Stockport;8 110 Tameside
9 112 Trafford;10 114 Wigan;11 90 Knowsley;12 91 Liverpool;13 92 St. Helens;14 93 Sefton;15 95 Wirral;16 210 Barnsley
17 211 Doncaster;18 213 Rotherham;19 215 Sheffield;20 146 Gateshead;21 147 Newcastle upon Tyne;22 148 North Tyneside
23 149 South Tyneside;24 150 Sunderland;25 300 Birmingham;26 302 Coventry;27 303 Dudley;28 305 Sandwell;29 306 Solihull
30 307 Walsall;31 309 Wolverhampton;32 200 Bradford;33 202 Calderdale;34 203 Kirklees;35 204 Leeds;36 206 Wakefield
37 Gateshead
[E09]
1 570 City of London;2 16 Barking and Dagenham;3 30 Barnet;4 18 Bexley;5 28 Brent;6 19 Bromley;7 2 Camden;8 20 Croydon
9 27 Ealing;10 32 Enfield;11 6 Greenwich;12 4 Hackney;13 11 Hammersmith and Fulham;14 31 Haringey;15 29 Harrow
16 15 Havering;17 26 Hillingdon;18 25 Hounslow;19 3 Islington;20 12 Kensington and Chelsea;21 23 Kingston upon Thames
22 9 Lambeth;23 7 Lewisham;24 22 Merton;25 17 Newham;26 14 Redbridge;27 24 Richmond upon Thames;28 8 Southwark
29 21 Sutton;30 5 Tower Hamlets;31 13 Waltham Forest;32 10 Wandsworth;33 1 Westminster
[E10]
2 Buckinghamshire;3 Cambridgeshire;4 Cheshire;6 Cumbria;7 Derbyshire;8 Devon;9 Dorset;11 East Sussex;12 Essex
13 Gloucestershire;14 Hampshire;15 Hertfordshire;16 Kent;17 Lancashire;18 Leicestershire;19 Lincolnshire;20 Norfolk
21 Northamptonshire;23 North Yorkshire;24 Nottinghamshire;25 Oxfordshire;27 Somerset;28 Staffordshire;29 Suffolk
30 Surrey;31 Warwickshire;32 West Sussex;34 Worcestershire
[E]
HEATHROW 57 London Airport (Heathrow)
[S12]
5 915 Clackmannanshire;6 917 Dumfries and Galloway;8 919 East Ayrshire;9 920 East Dunbartonshire;10 827 921 East Lothian
11 922 East Renfrewshire;13 Comhairle nan Eilean Siar;14 835 924 Falkirk;15 925 Fife;17 927 Highland
18 850 928 Inverclyde;19 826 929 Midlothian;20 813 930 Moray;21 931 North Ayrshire;23 933 Orkney Islands
24 819 934 Perth and Kinross;26 914 Scottish Borders;27 936 Shetland Islands;28 937 South Ayrshire
29 938 South Lanarkshire;30 834 939 Stirling;33 910 Aberdeen City;34 911 Aberdeenshire;35 837 913 Argyll and Bute
36 City of Edinburgh;38 935 Renfrewshire;39 916 West Dunbartonshire;40 825 940 West Lothian;41 818 912 Angus
42 918 Dundee City;43 926 Glasgow City;44 932 North Lanarkshire;45 East Dunbartonshire;46 Glasgow City;47 Fife
48 Perth and Kinross;49 Glasgow City;50 North Lanarkshire
[W06]
1 720 Isle of Anglesey;2 722 Gwynedd;3 721 Conwy;4 723 Denbighshire;5 724 Flintshire;6 725 Wrexham;8 711 750 Ceredigion
9 752 Pembrokeshire;10 751 Carmarthenshire;11 705 745 Swansea;12 743 Neath Port Talbot;13 740 Bridgend
14 701 Vale of Glamorgan;15 699 741 Cardiff;16 Rhondda Cynon Taf;18 731 Caerphilly;19 680 730 Blaenau Gwent
20 685 734 Torfaen;21 732 Monmouthshire;22 684 733 Newport;23 753 Powys;24 692 742 Merthyr Tydfil
[]
120 Chester;121 Congleton;122 Crewe and Nantwich;123 Ellesmere Port and Neston;126 Macclesfield;127 Vale Royal
140 Alnwick;141 Berwick-upon-Tweed;142 Blyth Valley;143 Castle Morpeth;144 Tynedale;145 Wansbeck;220 Beverley
221 Boothferry;224 Cleethorpes;225 Glanford;226 Grimsby;227 Holderness;229 East Yorkshire;230 Scunthorpe;271 Hereford
272 Leominster;275 South Herefordshire;279 Bridgnorth;280 North Shropshire;281 Oswestry;282 Shrewsbury and Atcham
283 South Shropshire;293 Stratford-upon-Avon;414 St. Edmundsbury;434 St. Albans;503 Medina;504 South Wight
534 Gillingham;537 Rochester;550 Brighton;553 Hove;600 Bath;602 Kingswood;603 Northavon;604 Wansdyke;630 Kennet
631 North Wiltshire;632 Salisbury;634 West Wiltshire;660 Aberconwy;661 Arfon;662 Dwyfor;663 Meirionnydd
664 Ynys Mon - Isle of Anglesey;665 Alyn-Deeside;666 Colwyn;667 Delwyn;668 Glyndwr;669 Rhuddlan;670 Wrexham Maelor
682 Islwyn;683 Monmouth;690 Cynon Valley;694 Ogwr;695 Rhondda;696 Rhymney Valley;698 Taff-Ely;702 Afan;703 Lliw Valley
704 Neath;710 Carmarthen;712 Dinefwr;713 Llanelli;714 Preseli;715 South Pembrokeshire;716 Brecknock;717 Montgomery
718 Radnor;744 Rhondda, Cynon, Taff;746 The Vale of Glamorgan;801 Orkney;802 Shetland;803 941 Western Isles
804 Caithness;805 Sutherland;806 Ross and Cromarty;807 Skye and Lochalsh;808 Lochaber;809 Inverness
810 Badenoch and Strathspey;811 Nairn;812 Aberdeen (City of);814 Banff and Buchan;815 Gordon;816 Kincardine and Deeside
817 Dundee (City of);821 Kirkcaldy;822 North East Fife;823 Dunfermline;824 Edinburgh (City of);828 Tweeddale
829 Ettrick and Lauderdale;830 Roxburgh;831 Berwickshire;833 Clackmannan;836 Glasgow (City of);838 Dumbarton
839 Clydebank;840 Bearsden and Milngavie;841 Strathkelvin;842 Cumbernauld and Kilsyth;843 Monklands;844 Motherwell
845 Hamilton;846 East Kilbride;847 Eastwood;848 Lanark;849 Renfrew;851 Cunninghame;852 Kilmarnock and Loudoun
853 Kyle and Carrick;854 Cumnock and Doon Valley;856 Wigtown;857 Stewartry;858 Nithsdale;859 Annandale and Eskdale
923 Edinburgh, City of
"""

_NOT_IN_THE_GUIDE = """
[junction_detail]
19 Other junction
[driver_home_area_type casualty_home_area_type]
1 Urban area;2 Small town;3 Rural
[month]
1 January;2 February;3 March;4 April;5 May;6 June;7 July;8 August;9 September;10 October;11 November;12 December
"""


@cache
def code_lists() -> dict[str, dict[Any, str]]:
    """Label by code, in code order, of every column that has labels; the same name has the same codes in all tables.

    Codes are numbers, ONS codes text. No column has a label twice.
    """
    district: dict[Any, str] = {}
    ons: dict[Any, str] = {}
    for prefix, entry in _entries(_AREAS):
        words = entry.split()
        rest = words.pop(0).zfill(6) if prefix else ""
        numbers = [int(word) for word in words if word.isdigit()]
        name = " ".join(words[len(numbers) :])
        district |= dict.fromkeys(numbers, name)
        ons |= {prefix + rest: name} if prefix else {}
    found = {"local_authority_district": district} | {column: dict(ons) for column in ONS}
    for columns, entry in _entries(_GUIDE + _NOT_IN_THE_GUIDE):
        code, label = entry.split(" ", 1)
        for column in columns.split():
            found.setdefault(column, {})[int(code)] = label
    return {column: _unique(labels) for column, labels in found.items()}


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Head of its section and entry."""
    for section in text.split("[")[1:]:
        head, body = section.split("]")
        yield from ((head, entry) for entry in re.split("[;\n]", body.strip()))


def _unique(labels: dict[Any, str]) -> dict[Any, str]:
    """In code order; a label that several codes have gets the code behind it: ``Fife (S12000015)``."""
    times = Counter(labels.values())
    return {c: f"{labels[c]} ({c})" if times[labels[c]] > 1 else labels[c] for c in sorted(labels)}
