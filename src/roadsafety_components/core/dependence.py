"""How a model's probability goes with the values of a column."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from roadsafety_components.core.feature_groups import Ask, Labels, Numbers, Positions, in_words, spread
from roadsafety_components.core.store import CATEGORY, is_text, marked

_GRID = 25  # values of a quantity, so that each hour is one
_CODES = 12  # the commonest codes
_LINES = 30


@dataclass(frozen=True)
class Dependence:
    """Probabilities with a column set to each of some values; the lists run along the values."""

    column: str
    feature: str  # whose values they are
    values: list[str]  # in words
    at: list[float]  # a quantity's values; empty for codes
    mean: list[float]
    shares: list[float]  # of the rows
    lines: list[list[float]]  # of single rows
    missing: tuple[float, float] | None = None  # mean and share where a quantity is missing


def dependence(
    ask: Ask,
    frame: pd.DataFrame,
    rows: pa.Table,
    group: tuple[str, Sequence[str]],
    varied: Positions,
    labels: Labels,
    seed: int,
) -> Dependence:
    """Partial dependence (Friedman 2001) with lines of single rows (Goldstein et al. 2015).

    The values are those of the group's first feature. The group's other features, which follow from the same thing,
    come from a row drawn among those with the value, so that no hour of the night is asked about in the rush hour.

    Args:
        ask: probabilities.
        frame: rows as the model gets them.
        rows: the same as a table.
        group: its name and features.
        varied: positions of the rows that are varied.
        labels: words of codes.
        seed: of the draws.

    Returns:
        A quantity's values in their order, 25 quantiles of many; the 12 commonest codes by rising probability, or in
        their order if they are numbers with words but no category.
    """
    name, features = group
    feature = features[0]
    number = _is_number(rows, feature)
    quantity = number and feature not in labels
    place, numbers = _places(frame[feature], quantity)
    rng = np.random.default_rng(seed)
    sets = []
    for at, value in enumerate(numbers):
        donors = frame.iloc[rng.choice(np.flatnonzero(place == at), len(varied))]
        some = frame.iloc[varied].assign(**{n: donors[n].to_numpy() for n in features})
        sets.append(some if np.isnan(value) else some.assign(**{feature: np.float32(value)}))
    given = ask(pd.concat(sets, ignore_index=True)).reshape(len(sets), len(varied))
    mean = given.mean(axis=1)
    shares = [float((place == at).mean()) for at in range(len(sets))]
    order, missing = np.arange(len(sets)), None
    if quantity:
        values = [f"{v:.6g}" for v in numbers]
        order = order[~np.isnan(numbers)]
        if len(order) < len(sets):
            missing = float(mean[-1]), shares[-1]
    else:
        one_each = [np.flatnonzero(place == at)[0] for at in range(len(sets))]
        values = in_words(rows.take(pa.array(one_each)), feature, labels)
        order = order if number else np.argsort(mean, kind="stable")
    return Dependence(
        name, feature, [values[i] for i in order], [float(numbers[i]) for i in order] if quantity else [],
        mean[order].tolist(), [shares[i] for i in order],
        given[order][:, spread(np.arange(len(varied)), _LINES)].T.tolist(), missing,
    )  # fmt: skip


def _is_number(rows: pa.Table, column: str) -> bool:
    kind = rows.schema.field(column).type
    return not (is_text(kind) or pa.types.is_boolean(kind) or column in marked(rows, CATEGORY))


def _places(values: pd.Series, quantity: bool) -> tuple[Positions, Numbers]:
    """Which of the values that are drawn each row has, -1 for none of them; and those, NaN if missing or no number."""
    place, found = pd.factorize(values, sort=True)
    numbers = np.full(len(found), np.nan) if values.dtype == object else np.asarray(found, np.float64)
    lost = place < 0
    if quantity and len(numbers) > _GRID:
        middles = (np.arange(_GRID) + 0.5) / _GRID
        numbers = np.unique(np.nanquantile(values, middles, method="nearest").astype(np.float64))
        place = np.searchsorted((numbers[1:] + numbers[:-1]) / 2, values)
    if lost.any():
        place, numbers = np.where(lost, len(numbers), place), np.append(numbers, np.nan)
    if not quantity:
        common = np.sort(np.argsort(-np.bincount(place), kind="stable")[:_CODES])
        drawn = np.full(len(numbers), -1)
        drawn[common] = np.arange(len(common))
        place, numbers = drawn[place], numbers[common]
    return place.astype(np.int64), numbers
