"""What STATS19 tables look like, counted a year at a time: rows, gaps, codes, hours, places."""

from collections import defaultdict
from typing import Any

import numpy as np
import pandas as pd

BRITAIN = 5_000, 656_000, 5_000, 1_221_000  # the box around it on the National Grid: easting, northing, metres
CELL = 250  # metres, side of a square of the map
PLACE = ["location_easting_osgr", "location_northing_osgr"]
_WHEN: dict[str, tuple[str, Any]] = {
    "month": ("date", lambda date: date.dt.month),
    "weekday (1 is Sunday)": ("day_of_week", pd.Series),
    "hour": ("time", lambda time: time.astype(str).str[:2]),
}


class Summary:
    """Counts that grow with years and codes, not with rows.

    Attributes:
        rows: number of rows, by table and year.
        missing: share of the rows without a value, a Series by column, by table and year.
        codes: share of each code among the values, a Series by code, by (table, column) and year.
        when: collisions of all years by month, weekday and hour, a Series each.
        places: collisions of all years by square of the map, northing by easting.
        strays: easting and northing of those outside the box.
        with_error: records that break a rule of level error.
        facts: the generation, and whether the records are synthetic.
    """

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, int]] = {table: {} for table in ("collision", "vehicle", "casualty")}
        self.missing: dict[str, dict[int, Any]] = defaultdict(dict)
        self.codes: dict[tuple[str, str], dict[int, Any]] = defaultdict(dict)
        self.when: dict[str, Any] = {}
        self.places: Any = np.zeros([(BRITAIN[i + 1] - BRITAIN[i]) // CELL for i in (2, 0)])
        self.strays: list[Any] = []
        self.with_error = 0
        self.facts: dict[str, Any] = {}

    def add(self, name: str, year: int, frame: pd.DataFrame, coded: list[str]) -> pd.DataFrame:
        """Count a year of a table, with Arrow's types; ``coded`` are the columns of codes.

        Returns:
            A row a column: the share ``missing`` and ``missing_before``, in the year before (nan if it was not there).
        """
        before = next(reversed(self.missing[name].values()), pd.Series(dtype=float))
        self.rows[name][year] = len(frame)
        self.missing[name][year] = missing = frame.isna().mean()
        for column in coded:
            self.codes[name, column][year] = frame[column].value_counts(normalize=True)
        for part, (column, take) in _WHEN.items():
            if column in frame:
                self.when[part] = take(frame[column].dropna()).value_counts().add(self.when.get(part, 0), fill_value=0)
        if {*PLACE} <= {*frame}:
            places = frame[PLACE].dropna().to_numpy(float)
            inside = ((places > BRITAIN[::2]) & (places < BRITAIN[1::2])).all(axis=1)
            bins: Any = [self.places.shape, [BRITAIN[2:], BRITAIN[:2]]]
            self.places += np.histogram2d(*places[inside].T[::-1], *bins)[0]
            self.strays += places[~inside].tolist()
        gaps = pd.DataFrame({"missing": missing.round(3), "missing_before": before.round(3)})
        return gaps.rename_axis("column").reset_index()

    def moves(self) -> list[tuple[float, tuple[str, str], pd.DataFrame]]:
        """Coded columns by how far their codes moved in the last year, the farthest first.

        Returns:
            Total variation distance (half the sum of the shares' differences: 0 alike, 1 nothing in common; 0 for the
            first year), column, and shares by code, of the last two years.
        """
        found = []
        for column, by_year in self.codes.items():
            shares = pd.DataFrame(dict([*by_year.items()][-2:])).fillna(0).sort_index()
            found.append((float(shares.diff(axis=1).abs().sum().sum()) / 2, column, shares))
        return sorted(found, key=lambda move: -move[0])
