"""Intervals of a figure by a bootstrap over groups: what other groups of the same kind would have given."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.frame import group_codes
from roadsafety_components.core.store import facts_of

Weights = npt.NDArray[np.float64]


def choose_groups(
    table: pa.Table, group_column: str = "", resamples: int = 200, otherwise: str = ""
) -> tuple[npt.NDArray[np.int64], str]:
    """What is drawn together for intervals, and a sentence that says so.

    Args:
        table: with facts.
        group_column: "" for the ``group_column`` of the facts; without one each row is drawn on its own.
        resamples: how many draws; 0 for no intervals, and an empty sentence.
        otherwise: column where the facts of the table name none: the one that the model was trained with.

    Returns:
        ``group_codes`` and the sentence.

    Raises:
        InputError: no such column; resamples no whole number, or negative.
    """
    if resamples < 0 or resamples != int(resamples):
        raise InputError(f"resamples is {resamples}; it is a whole number, 0 (no intervals) or more.")
    names = table.column_names
    if group_column not in ["", *names]:
        raise InputError(f"there is no group_column {group_column!r}.{nearest(group_column, names)}")
    column = group_column or facts_of(table).get("group_column", otherwise)
    column = column if column in names else ""
    groups = group_codes(table, column)
    what = f"whole groups, {groups.max(initial=-1) + 1:,} values of {column}" if column else "single rows"
    return groups, f"95 % intervals: {int(resamples)} draws of {what}." if resamples else ""


def bootstrap(
    groups: npt.NDArray[np.int64],
    statistic: Callable[[Weights], Mapping[str, float]],
    resamples: int = 200,
    seed: int = 0,
) -> dict[str, npt.NDArray[np.float64]]:
    """Values of a statistic over resamples of whole groups, drawn with replacement.

    Rows of one group (casualties of one collision) are not independent: drawing rows would make intervals too narrow.

    Args:
        groups: of each row, from 0 (``group_codes``).
        statistic: named figures for weights of the rows: how often each was drawn, 0 included. It may give other
            figures, or fewer, where a draw leaves a class without rows.
        resamples: how many.
        seed: of the draws; the same seed gives the same draws, so that two models are compared on the same rows.

    Returns:
        By name the figures of all resamples that have one.
    """
    rng = np.random.default_rng(seed)
    number = int(groups.max(initial=-1)) + 1
    found: dict[str, list[float]] = {}
    for _ in range(resamples):
        drawn = np.bincount(rng.integers(number, size=number), minlength=number).astype(np.float64)
        for name, value in statistic(drawn[groups]).items():
            if np.isfinite(value):
                found.setdefault(name, []).append(float(value))
    return {name: np.array(values) for name, values in found.items()}


def interval(values: npt.NDArray[Any], level: float = 0.95) -> tuple[float, float]:
    """Lower and upper limit that hold the middle ``level`` of the values (percentile interval)."""
    outside = (1 - level) / 2
    low, high = np.quantile(values, [outside, 1 - outside])
    return float(low), float(high)
