"""Whether something moved by more than a limit.

With many rows any difference is significant, however little it matters. So what is tested is not that nothing moved
but that it moved by no more than a stated limit (a minimum-effect test: Murphy & Myors, Testing the hypothesis that
treatments have negligible effects, Journal of Applied Psychology 84, 1999).

Rows of one group (casualties of one collision) are not independent. Errors of means and areas are summed over groups.
For a PSI n rows count as n^2 / (sum of the squared sizes of the groups), the number of groups where all are of one
size: Kish, Survey Sampling, 1965, for rows that are wholly alike within a group; for others too few, which errs on the
side of no drift.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from roadsafety_components.core.distance import ColumnPair, Numbers, population_stability

ALPHA = 0.05


@dataclass(frozen=True)
class ColumnDrift:
    """A column of both datasets held against a limit.

    Attributes:
        part: feature, score or target.
        limit: the largest PSI, beyond chance, that is no drift.
        low: what the PSI beyond chance is at least, with a confidence of 95 %, the column taken alone.
        statistic: how many standard errors the PSI beyond chance is above the limit.
        p_value: of the hypothesis that it is at most the limit, one-sided.
        p_adjusted: after Holm's correction for all features; of a score or target its p-value.
    """

    part: str
    pair: ColumnPair
    limit: float
    low: float
    statistic: float
    p_value: float
    p_adjusted: float

    @property
    def verdict(self) -> str:
        """``drift``, ``uncertain`` or ``stable``.

        Uncertain is what is above the limit by too few rows to be sure.
        """
        return "drift" if self.p_adjusted < ALPHA else "uncertain" if self.statistic > 0 else "stable"


@dataclass(frozen=True)
class Figure:
    """A figure of both datasets.

    Attributes:
        reference: its value there, and its standard error.
        current: the same.
    """

    reference: tuple[float, float]
    current: tuple[float, float]

    @property
    def change(self) -> float:
        """Current less reference."""
        return self.current[0] - self.reference[0]

    def interval(self, outside: float = ALPHA) -> tuple[float, float]:
        """Of the change.

        By the normal distribution; ``outside`` is shared by both ends.
        """
        half = NormalDist().inv_cdf(1 - outside / 2) * math.hypot(self.reference[1], self.current[1])
        return self.change - half, self.change + half


def hold(part: str, pair: ColumnPair, bins: Numbers, sizes: Sequence[float], limit: float) -> ColumnDrift:
    """A column with its PSI held against a limit.

    Args:
        part: what it is.
        pair: the column, without a PSI.
        bins: rows of the reference and of the current data in each bin, none empty in both.
        sizes: how many independent rows both are worth.
        limit: the largest PSI, beyond chance, that is no drift.
    """
    psi, chance = population_stability(*bins), (bins.shape[1] - 1) * sum(1 / n for n in sizes)
    tested, error = psi_to_test(bins, sizes)
    statistic = (tested - chance - limit) / error
    low = tested - chance - NormalDist().inv_cdf(1 - ALPHA) * error
    p = NormalDist().cdf(-statistic)
    return ColumnDrift(part, replace(pair, psi=psi, chance=chance), limit, max(low, 0.0), statistic, p, p)


def psi_to_test(bins: Numbers, sizes: Sequence[float]) -> tuple[float, float]:
    """A PSI with its standard error.

    Of counts that are worth so many independent rows, with half a row more in each bin (the prior of Jeffreys): an
    empty bin, which says only that its share is small, would else make the error as large as it likes.

    The error is by the delta method (van der Vaart, Asymptotic Statistics, 1998, chapter 3): a row of the reference in
    a bin of the shares p and q moves the PSI by ln(p / q) + 1 - q / p. Where the shares are equal this is 0; there the
    PSI is 1/n + 1/m times a chi-square, and that one's standard deviation is the least that is told.
    """
    counts = bins / bins.sum(axis=1, keepdims=True) * np.array(sizes)[:, None] + 0.5
    p, q = counts / counts.sum(axis=1, keepdims=True)
    least = math.sqrt(2 * max(len(p) - 1, 1)) * sum(1 / n for n in sizes)
    moves = [np.log(p / q) + 1 - q / p, np.log(q / p) + 1 - p / q]
    parts = [(x @ m**2 - (x @ m) ** 2) / n for x, m, n in zip((p, q), moves, sizes, strict=True)]
    return float((p - q) @ np.log(p / q)), max(math.sqrt(sum(parts)), least)


def holm(columns: Sequence[ColumnDrift]) -> list[ColumnDrift]:
    """Correct the p-values for the number of columns.

    So that they hold for all of them together: Holm, Scandinavian Journal of Statistics 6, 1979.
    """
    least, adjusted, ordered = 0.0, [], sorted(columns, key=lambda c: c.p_value)
    for rank, column in enumerate(ordered):
        least = max(least, min(1.0, column.p_value * (len(ordered) - rank)))
        adjusted.append(replace(column, p_adjusted=least))
    return adjusted


def mean(values: Numbers, groups: Numbers) -> tuple[float, float]:
    """A mean and its standard error.

    By the squares of the groups' sums of deviations (linearisation: Wolter, Introduction to Variance Estimation, 2007,
    chapter 6).
    """
    middle = values.mean()
    return float(middle), float(np.sqrt((np.bincount(groups, values - middle) ** 2).sum()) / len(values))


def area(is_class: Numbers, score: Numbers, groups: Numbers) -> tuple[float, float]:
    """ROC-AUC and its standard error; both classes have rows.

    Each row's part is its placement among the rows of the other class (DeLong, DeLong & Clarke-Pearson, Biometrics 44,
    1988), summed over its group (Obuchowski, Nonparametric analysis of clustered ROC curve data, Biometrics 53, 1997).
    """
    placed = np.empty(len(score))
    for side, sign in ((is_class, 1), (~is_class, -1)):
        others = np.sort(sign * score[~side])
        below = sum(np.searchsorted(others, sign * score[side], end) for end in ("left", "right"))
        placed[side] = below / (2 * len(others))
    value = placed[is_class].mean()
    share = np.where(is_class, is_class.mean(), 1 - is_class.mean())
    return float(value), mean((placed - value) / share, groups)[1]
