"""Bank holidays as gov.uk lists them, and school days by rule."""

from datetime import date

import numpy as np
import pytest

from roadsafety_components.core.holidays import bank_holidays, is_bank_holiday, is_school_day


def month_days(year: int, scotland: bool) -> str:
    """The holidays of a year as text."""
    return " ".join(f"{d:%m-%d}" for d in sorted(bank_holidays(year, scotland)))


@pytest.mark.parametrize(
    ("year", "scotland", "days"),
    [
        (2022, False, "01-01 01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-25 12-26 12-27"),
        (2022, True, "01-01 01-02 01-03 01-04 04-15 05-02 06-02 06-03 08-01 09-19 11-30 12-25 12-26 12-27"),
        (2023, False, "01-01 01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26"),
        (2023, True, "01-01 01-02 01-03 04-07 05-01 05-08 05-29 08-07 11-30 12-25 12-26"),
        (2012, False, "01-01 01-02 04-06 04-09 05-07 06-04 06-05 08-27 12-25 12-26"),
        (2011, False, "01-01 01-03 04-22 04-25 04-29 05-02 05-30 08-29 12-25 12-26 12-27"),
        (2020, False, "01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-26 12-28"),
        (2002, True, "01-01 01-02 03-29 05-06 06-03 06-04 08-05 12-25 12-26"),
        (1981, False, "01-01 04-17 04-20 05-04 05-25 07-29 08-31 12-25 12-26 12-28"),
        (1999, False, "01-01 04-02 04-05 05-03 05-31 08-30 12-25 12-26 12-27 12-28 12-31"),
    ],
)
def test_bank_holidays_of_a_year(year: int, scotland: bool, days: str) -> None:
    """With weekdays that stand in, days moved and days added, and St Andrew's since 2007."""
    assert month_days(year, scotland) == days


@pytest.mark.parametrize(
    ("day", "scotland", "holiday", "school"),
    [
        ("2024-04-01", False, True, False),  # Easter Monday
        ("2024-04-01", True, False, False),
        ("2024-01-02", True, True, False),
        ("2024-08-20", False, False, False),
        ("2024-08-20", True, False, True),
        ("2024-09-18", False, False, True),
        ("2024-09-21", False, False, False),  # a Saturday
        ("2024-04-22", False, False, True),
    ],
)
def test_days_differ_by_nation(day: str, scotland: bool, holiday: bool, school: bool) -> None:
    """The same day in both."""
    at, where = np.array([day], "M8[D]").astype(np.int64), np.array([scotland])
    assert is_bank_holiday(at, where).tolist() == [holiday]
    assert is_school_day(at, where).tolist() == [school]


def test_easter_of_late_and_early_years() -> None:
    """Good Friday is two days before Easter Sunday, also where Gauss's rule has its exceptions."""
    for easter in (date(1981, 4, 19), date(2000, 4, 23), date(2008, 3, 23), date(2038, 4, 25), date(2049, 4, 18)):
        friday = date.fromordinal(easter.toordinal() - 2)
        assert friday in bank_holidays(easter.year, True)
