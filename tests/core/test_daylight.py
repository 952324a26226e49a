"""British Summer Time and the sun against known values."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pytest

from roadsafety_components.core.daylight import is_summer_time, sun_elevation


def days(*dates: str) -> np.ndarray:
    """Dates as days since 1970."""
    return np.array(dates, "M8[D]").astype(np.int64)


@pytest.mark.parametrize(
    ("day", "minutes", "summer"),
    [
        ("2024-03-30", 1439, False),
        ("2024-03-31", 30, False),
        ("2024-03-31", 120, True),
        ("2024-10-27", 119, True),  # comes twice
        ("2024-10-27", 120, False),
        ("1995-10-22", 60, True),
        ("1995-10-22", 180, False),  # the fourth Sunday, not the last
        ("1989-10-29", 180, False),  # after the fourth Saturday, which was the last
        ("1980-03-16", 720, True),
        ("1980-03-15", 720, False),
    ],
)
def test_summer_time_changes_by_the_rule_of_its_year(day: str, minutes: float, summer: bool) -> None:
    """The Sundays of the rules, and the hours."""
    assert is_summer_time(days(day), np.array([minutes])).tolist() == [summer]


def test_summer_time_agrees_with_the_time_zone_database() -> None:
    """Every day from 1979 to 2030 at 00:30, 03:00 and noon."""
    try:
        london = ZoneInfo("Europe/London")
    except ZoneInfoNotFoundError:
        pytest.skip("no time zone database here")
    start = datetime(1979, 1, 1)
    count = (date(2031, 1, 1) - start.date()).days
    at = days("1979-01-01")[0] + np.arange(count)
    for minutes in (30, 180, 720):
        want = [
            bool((start + timedelta(days=i, minutes=minutes)).replace(tzinfo=london).utcoffset()) for i in range(count)
        ]
        assert is_summer_time(at, np.full(count, float(minutes))).tolist() == want


@pytest.mark.parametrize(
    ("day", "clock", "longitude", "latitude", "degrees"),
    [
        ("2024-06-20", 13 * 60 + 2, 0.0, 51.48, 61.96),  # noon of the solstice: 90 - 51.48 + 23.44
        ("2024-12-21", 11 * 60 + 58, 0.0, 51.48, 15.08),  # 90 - 51.48 - 23.44
        ("2024-03-20", 6 * 60 + 4, 0.0, 51.48, -0.83),  # sunrise in London
        ("2015-01-12", 16 * 60 + 14, -0.13, 51.5, -0.83),  # sunset in London
    ],
)
def test_the_sun_is_where_almanacs_have_it(
    day: str, clock: float, longitude: float, latitude: float, degrees: float
) -> None:
    """Within half a degree."""
    got = sun_elevation(days(day), np.array([float(clock)]), np.array([longitude]), np.array([latitude]))
    assert got == pytest.approx([degrees], abs=0.5)


def test_without_a_time_there_is_no_sun() -> None:
    """NaN stays."""
    assert np.isnan(sun_elevation(days("2024-06-20"), np.array([np.nan]), np.zeros(1), np.full(1, 51.0))).all()
