"""Bank holidays and school days in Britain by rule, from 1979 on."""

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

Days = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# What no rule gives, in all of Britain; and what gave way to some of it.
_ONCE = ("1981-07-29 1995-05-08 1999-12-31 2002-06-03 2002-06-04 2011-04-29 2012-06-04 2012-06-05 2020-05-08 "
         "2022-06-02 2022-06-03 2022-09-19 2023-05-08")  # fmt: skip
_MOVED = "1995-05-01 2002-05-27 2012-05-28 2020-05-04 2022-05-30"
# First and last month and day of the usual school holidays: England and Wales, Scotland. Easter's follow Easter.
_NO_SCHOOL = (
    ((1220, 1231), (101, 103), (214, 221), (525, 601), (722, 902), (1023, 1031)),
    ((1222, 1231), (101, 105), (627, 815), (1009, 1020)),
)


def bank_holidays(year: int, scotland: bool) -> set[date]:
    """The bank holidays of a year in England and Wales, or in Scotland.

    A holiday on a Saturday or Sunday counts on its own day and on the weekday that stands in for it.
    """
    easter = _easter(year)
    days = {easter - timedelta(2), _monday(year, 5, 1), _monday(year, 5, 25), _monday(year, 8, 1 if scotland else 25)}
    fixed = [(1, 1), (1, 2), (12, 25), (12, 26), (11, 30)] if scotland else [(1, 1), (12, 25), (12, 26)]
    dates = [date(year, *at) for at in fixed if at != (11, 30) or year > 2006]
    days |= {*dates} if scotland else {*dates, easter + timedelta(1)}
    for at in dates:
        stand_in = at
        while stand_in.weekday() > 4 or (stand_in != at and stand_in in days):
            stand_in += timedelta(1)
        days.add(stand_in)
    days -= {date.fromisoformat(d) for d in _MOVED.split()}
    return days | {date.fromisoformat(d) for d in _ONCE.split() if d[:4] == str(year)}


def is_bank_holiday(days: Days, scotland: Flags) -> Flags:
    """Whether each day (days since 1970-01-01) was a bank holiday where it was."""
    result = np.zeros(len(days), bool)
    for nation in (False, True):
        off = [at for year in _years(days) for at in bank_holidays(year, nation)]
        result |= np.isin(days, np.array(off, "M8[D]").astype(np.int64)) & (scotland == nation)
    return result


def is_school_day(days: Days, scotland: Flags) -> Flags:
    """Whether each day was, as a rule, a school day; terms differ between authorities.

    None are weekends, bank holidays, nine days each side of Easter, and the dates of ``_NO_SCHOOL``.
    """
    dates = days.astype("M8[D]")
    months = dates.astype("M8[M]")
    at = months.astype(np.int64) % 12 * 100 + 101 + (dates - months).astype(np.int64)
    result = ((days + 3) % 7 < 5) & ~is_bank_holiday(days, scotland)  # 1970-01-01 was a Thursday
    for year in _years(days):
        result &= abs(days - (_easter(year) - date(1970, 1, 1)).days) > 9
    for nation, holidays in enumerate(_NO_SCHOOL):
        for first, last in holidays:
            result &= (at < first) | (at > last) | (scotland != nation)
    return result


def _years(days: Days) -> list[int]:
    return [1970 + int(y) for y in np.unique(days.astype("M8[D]").astype("M8[Y]").astype(np.int64))]


def _monday(year: int, month: int, day: int) -> date:
    at = date(year, month, day)
    return at + timedelta(-at.weekday() % 7)


def _easter(year: int) -> date:
    """Easter Sunday of 1900 to 2099 (Gauss's rule)."""
    d = (19 * (year % 19) + 24) % 30
    e = (2 * (year % 4) + 4 * (year % 7) + 6 * d + 5) % 7
    late = 7 * ((d == 29 and e == 6) or (d == 28 and e == 6 and year % 19 > 10))
    return date(year, 3, 22) + timedelta(d + e - late)
