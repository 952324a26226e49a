"""Where the sun stood at a British place and local time."""

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Days = npt.NDArray[np.int64]

# First year of a rule of summer time; the days of March and October on or after which a Sunday begins and ends it;
# the hour of UTC at which it does.
_RULES = np.array([(1972, 16, 23, 2), (1981, 25, 23, 1), (1990, 25, 22, 1), (1996, 25, 25, 1)])


def sun_elevation(days: Days, minutes: Numbers, longitude: Numbers, latitude: Numbers) -> Numbers:
    """Degrees of the sun above the horizon (below it negative), without refraction.

    From NOAA's "General Solar Position Calculations" (Spencer's series), right to about half a degree.

    Args:
        days: local dates as days since 1970-01-01.
        minutes: of the local clock since midnight; NaN where missing, and so is the result.
        longitude: degrees, east positive.
        latitude: degrees, north positive.
    """
    utc = minutes - 60 * is_summer_time(days, minutes)
    g = 2 * np.pi / 365.2422 * (days + utc / 1440 - 0.5)
    sines, cosines = ([f(k * g) for k in (1, 2, 3)] for f in (np.sin, np.cos))
    declination = (
        0.006918 - 0.399912 * cosines[0] + 0.070257 * sines[0] - 0.006758 * cosines[1] + 0.000907 * sines[1]
        - 0.002697 * cosines[2] + 0.00148 * sines[2]
    )  # fmt: skip
    equation = 0.000075 + 0.001868 * cosines[0] - 0.032077 * sines[0] - 0.014615 * cosines[1] - 0.040849 * sines[1]
    angle = np.radians((utc + 229.18 * equation) / 4 + longitude - 180)
    at = np.radians(latitude)
    sine = np.sin(at) * np.sin(declination) + np.cos(at) * np.cos(declination) * np.cos(angle)
    return np.asarray(np.degrees(np.arcsin(sine)))


def is_summer_time(days: Days, minutes: Numbers) -> npt.NDArray[np.bool_]:
    """Whether the clock showed British Summer Time, from 1972 on.

    Since 1996 it runs from the last Sunday of March to the last of October, 01:00 UTC. Until 1995 it ended on the
    fourth Sunday of October (until 1989 on the one after the fourth Saturday); until 1980 it began on the Sunday after
    March's third Saturday, and both changes were at 02:00 UTC. The hour that comes twice counts as summer time.
    """
    years = days.astype("M8[D]").astype("M8[Y]").astype(np.int64)
    _, march, october, hour = _RULES[np.maximum(np.searchsorted(_RULES[:, 0], years + 1970, "right") - 1, 0)].T
    local = days * 24 + np.nan_to_num(minutes) / 60 - hour
    sunday = [_sunday(years * 12 + month, day) * 24 for month, day in ((2, march), (9, october))]
    return np.asarray((local >= sunday[0]) & (local < sunday[1] + 1))


def _sunday(month: Days, day: Days) -> Days:
    at = month.astype("M8[M]").astype("M8[D]").astype(np.int64) + day - 1
    return np.asarray(at + (3 - at) % 7)  # day 3, 1970-01-04, was a Sunday
