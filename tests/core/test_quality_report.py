"""The page that people read: what it says first, what it counts, what it escapes, and that it stands alone."""

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from matplotlib.image import imread

from roadsafety_components.core import store
from roadsafety_components.core.quality import BRITAIN, CELL, Summary
from roadsafety_components.core.quality_report import quality_report
from roadsafety_components.core.validate import validate

COLUMNS = pa.schema(
    [
        ("collision_index", pa.string()),
        ("collision_year", pa.int32()),
        ("collision_severity", pa.int16()),
        ("speed_limit", pa.int32()),
        ("road_type", pa.int16()),
        ("day_of_week", pa.int16()),
        ("time", pa.time32("s")),
        ("location_easting_osgr", pa.float64()),
        ("location_northing_osgr", pa.float64()),
    ]
)


def collisions(years: dict[int, dict[str, list[Any]]]) -> pa.Table:
    """Collisions with values by column and year; usual values for columns that are not given."""
    rows = []
    for year, columns in years.items():
        for i in range(max(map(len, columns.values()))):
            row = {"collision_index": f"{year}{i:05}", "collision_year": year, "collision_severity": 3}
            row |= {"speed_limit": 30, "road_type": 6, "day_of_week": 1 + i % 7, "time": 3600 * (i % 24)}
            row |= {"location_easting_osgr": 430_000.0 + i, "location_northing_osgr": 433_000.0}
            rows.append(row | {name: values[i] for name, values in columns.items()})
    return pa.Table.from_pylist(rows, COLUMNS)


def checked(table: pa.Table, folder: Path, **facts: Any) -> tuple[pd.DataFrame, Summary]:
    """What the rules find in collisions alone."""
    store.write_dataset(store.with_facts(table, facts), folder / "collision")
    return validate({"collision": str(folder / "collision")})


def text(page: str) -> str:
    """The page as it reads, a blank for each tag."""
    return " ".join(re.sub("<[^>]+>", " ", page.replace("\xa0", " ")).split())


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, Summary]:
    """Two years: in the second a limit that is none, a time and a road type that are missing, more serious ones."""
    years: dict[int, dict[str, list[Any]]] = {
        2023: {"collision_severity": [1, 3, 3, 3], "road_type": [6, 6, 6, 3]},
        2024: {"collision_severity": [2, 2, 3, 3], "road_type": [6, 3, 3, None], "speed_limit": [30, 30, 30, 5],
               "time": [3600, 7200, 7200, None]},
    }  # fmt: skip
    return checked(collisions(years), tmp_path_factory.mktemp("found"))


def test_a_sentence_says_it_first(found: tuple[pd.DataFrame, Summary]) -> None:
    """How many records, how many rules, and whether the gate is open."""
    page = text(quality_report(*found, ["keys", "links"]))
    assert (
        "0 of 8 records contradict themselves or each other; 5 of 8 rules hold. The gate (keys, links) is open." in page
    )
    assert "The gate (ranges, calendar) is closed: time_missing, speed_limit." in text(
        quality_report(*found, ["ranges", "calendar"])
    )
    assert "The gate (none) is open." in text(quality_report(*found, []))


def test_what_is_broken_comes_with_count_share_advice_and_examples(found: tuple[pd.DataFrame, Summary]) -> None:
    """Errors first; rules that hold and rules that were not asked are named."""
    page = text(quality_report(*found, []))
    assert page.index("Errors None.") < page.index("Warnings rule rows what is wrong, what to do, examples")
    assert (
        "speed limit (collision) 1 of 8 12.5 % There is no such limit. A few are usual: make the value missing, or "
        "leave the record out. 202400003: speed_limit 5"
    ) in page
    assert "missing jump (collision) 2 of 9" in page
    others = page[page.index("Other rules") :]
    assert (
        "is missing hold key missing (collision) key repeated (collision) key year (collision) outside brit" in others
    )
    assert "worst casualty (collision)" in others[others.index("were not asked") :]


def test_tables_that_were_not_given_are_told(found: tuple[pd.DataFrame, Summary]) -> None:
    """In a box at the top, as is what is synthetic."""
    page = quality_report(*found, [])
    assert '<p class="warning">No vehicle table was given: the rules that need it were not asked.' in page
    assert '<p class="warning">No casualty table was given' in page
    assert "SYNTHETIC" not in page


def test_synthetic_records_are_told(tmp_path: Path) -> None:
    """By the facts of the tables."""
    page = quality_report(*checked(collisions({2024: {"speed_limit": [30]}}), tmp_path, synthetic=True), [])
    assert '<p class="warning">SYNTHETIC DATA: these records are generated.' in page
    assert "Data quality: STATS19 2024</title>" in page


def test_gaps_years_and_codes_are_tabled(found: tuple[pd.DataFrame, Summary]) -> None:
    """Share and number missing by year; rows and severities by year; codes beside the year before."""
    page = text(quality_report(*found, []))
    assert "Collision table column 2023 2024" in page
    assert "road type 0.0% 0 25.0% 1" in page
    assert "2023 4 0 0 25.0% 1 0.0% 0 75.0% 3 2024 4 0 0 0.0% 0 50.0% 2 50.0% 2" in page
    assert "column moved share of each code, 2023 to 2024 collision severity (collision) 0.500" in page
    assert "1: 25.0% to 0.0% 2: 0.0% to 50.0% 3: 75.0% to 50.0%" in page
    assert "road type (collision) 0.417 3: 25.0% to 66.7% 6: 75.0% to 33.3%" in page


def test_columns_with_few_gaps_are_folded(tmp_path: Path) -> None:
    """Below one in a hundred."""
    limits = [None, *[30] * 199]
    page = quality_report(
        *checked(collisions({2024: {"speed_limit": limits, "road_type": [None] * 2 + [6] * 198}}), tmp_path), []
    )
    folded = page[page.index("<summary>1 columns below 1 %") :]
    assert "<th>speed limit<td" in folded
    assert "<th>road type<td" not in folded
    assert "<th>road type<td" in page


def test_many_years_are_drawn(tmp_path: Path) -> None:
    """From the thirteenth on."""
    for years, drawn in ((2, False), (13, True)):
        table = collisions({2000 + i: {"speed_limit": [None, 30]} for i in range(years)})
        page = quality_report(*checked(table, tmp_path), [])
        assert ('aria-label="Collision table: share missing"' in page) == drawn
        assert ("<th>speed limit<td" in page) != drawn


def test_one_year_has_nothing_to_compare_with(tmp_path: Path) -> None:
    """Its codes have one share each."""
    page = text(quality_report(*checked(collisions({2024: {"speed_limit": [30, 40]}}), tmp_path), []))
    assert "share of each code, 2024" in page
    assert "road type (collision) 0.000 6: 100.0%" in page


def picture(page: str) -> Any:
    """The raster of the map as it is seen, rows from the south; the page may turn it upside down."""
    found = re.search(r'<image xlink:href="data:image/png;base64,([^"]+)".*?matrix\(\S+ 0 0 (\S+) ', page, re.S)
    assert found
    raster = imread(io.BytesIO(base64.b64decode(found[1])))
    return raster if float(found[2]) < 0 else raster[::-1]


def test_the_map_has_a_square_a_pixel(tmp_path: Path) -> None:
    """Cut to where there are collisions, darker where there are more, nothing where there are none."""
    east = [BRITAIN[0] + CELL * i + 1.0 for i in (100, 100, 102)]
    north = [BRITAIN[2] + CELL * i + 1.0 for i in (400, 400, 401)]
    table = collisions({2024: {"location_easting_osgr": east, "location_northing_osgr": north}})
    asked, summary = checked(table, tmp_path)
    assert summary.places.sum() == 3
    assert np.argwhere(summary.places).tolist() == [[400, 100], [401, 102]]
    drawn = picture(quality_report(asked, summary, []))
    assert drawn.shape[:2] == (2, 3)
    assert (drawn[..., 3] > 0).tolist() == [[True, False, False], [False, False, True]]
    assert drawn[0, 0, :3].sum() < drawn[1, 2, :3].sum()


def test_points_outside_great_britain_are_marked_and_counted(tmp_path: Path) -> None:
    """At the edge; a point without coordinates is none."""
    east = [430_000.0, 0.0, 900_000.0, None]
    north = [433_000.0, 0.0, 433_000.0, None]
    table = collisions({2024: {"location_easting_osgr": east, "location_northing_osgr": north}})
    asked, summary = checked(table, tmp_path)
    assert summary.strays == [[0.0, 0.0], [900_000.0, 433_000.0]]
    page = quality_report(asked, summary, [])
    assert "Collisions in squares of 0.25 km; 2 outside Great Britain (x)" in page
    assert len(re.findall(r'<use xlink:href="#\w+" x="[\d.]+" y="[\d.]+" style="[^"]*stroke: #ff0000', page)) == 2


def test_a_large_map_stays_small(tmp_path: Path) -> None:
    """Whatever the number of collisions, the page is under 1.5 MB and the picture under 600 squares a side."""
    rng = np.random.default_rng(0)
    table = collisions({2024: {"location_easting_osgr": rng.uniform(6e3, 655e3, 20_000).tolist(),
                               "location_northing_osgr": rng.uniform(6e3, 1220e3, 20_000).tolist()}})  # fmt: skip
    page = quality_report(*checked(table, tmp_path), [])
    assert max(picture(page).shape[:2]) <= 610
    assert len(page) < 1_500_000


def test_what_comes_from_data_is_escaped(tmp_path: Path) -> None:
    """A key is text on the page."""
    evil = "2024<script>alert('1')</script>"
    table = collisions({2024: {"collision_index": [evil], "speed_limit": [5]}})
    page = quality_report(*checked(table, tmp_path), [])
    assert "<script" not in page
    assert "2024&lt;script&gt;alert(&#x27;1&#x27;)&lt;/script&gt;: speed_limit 5" in page


def test_the_page_stands_alone(found: tuple[pd.DataFrame, Summary]) -> None:
    """Nothing is fetched and nothing runs; the same findings give the same page."""
    page = quality_report(*found, [])
    assert page == quality_report(*found, [])
    assert not re.search(r"<(script|link|img|iframe|object)|@import|url\((?!#)|https?:", page)
    assert page.startswith('<!DOCTYPE html><html lang="en"><meta charset="utf-8">')
    drawn = re.findall(r'aria-label="([^"]*)"', page)
    assert drawn == ["Collisions by weekday (1 is Sunday)", "Collisions by hour", "Map of the collisions"]


def test_columns_that_are_not_there_are_not_drawn(tmp_path: Path) -> None:
    """A table with its keys alone gives a page."""
    table = collisions({2024: {"speed_limit": [30]}}).select(["collision_index", "collision_year"])
    page = quality_report(*checked(table, tmp_path), [])
    assert "<svg" not in page
    assert "0 of 1 records contradict" in text(page)
