"""How far apart the columns of two datasets are.

Columns are read a few at a time, their values counted and put into bins, and the bins compared.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from roadsafety_components.core.datasets import dataset_schema, read_dataset
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.store import Facts, facts_of, plain_type

QUANTILES = [q / 20 for q in range(1, 20)]
MAX_CODES = 50  # so many are told apart, the rest is one; whole numbers of more values are quantities
_MIN_EXPECTED = 5  # rows of a bin, the rule of the chi-square test
_CELLS = 10_000_000  # of a dataset in memory at once

Numbers = npt.NDArray[Any]


@dataclass(frozen=True)
class OpenDataset:
    """A dataset whose columns are read when asked for.

    Its facts hold its ``sha256``.
    """

    name: str
    path: str | Path
    schema: pa.Schema
    facts: Facts
    rows: int

    def columns(self, names: Sequence[str]) -> Iterator[pa.ChunkedArray]:
        """The columns without dictionaries, a few read at a time."""
        step = max(1, _CELLS // self.rows)
        for start in range(0, len(names), step):
            table = read_dataset(self.path, self.name, names[start : start + step])
            for name in names[start : start + step]:
                yield table[name].cast(plain_type(table[name].type))


def open_dataset(path: str | Path, name: str) -> OpenDataset:
    """Open a Parquet file or a folder by year.

    Raises:
        InputError: no dataset there, no rows, two columns of one name.
    """
    schema = dataset_schema(path, name)
    if twice := [n for n in schema.names if schema.names.count(n) > 1]:
        raise InputError(f"{name}: {path} has two columns {twice[0]}; rename one.")
    first = read_dataset(path, name, schema.names[:1])
    return OpenDataset(name, path, schema, facts_of(first), first.num_rows)


def _finite(values: pa.ChunkedArray) -> pa.ChunkedArray:
    values = values.cast(pa.float64())
    return pc.if_else(pc.is_finite(values), values, None)


# What values are, whatever their width, and what of them is compared.
FAMILIES: dict[str, tuple[str, Any]] = {
    "text": ("string large_string string_view", lambda v: v.cast(pa.string())),
    "boolean": ("boolean", lambda v: v.cast(pa.string())),
    "whole number": ("integer", lambda v: v.cast(pa.int64(), safe=False)),
    "number": ("floating decimal", _finite),
    "date": ("date timestamp", pc.month),
    "time": ("time", pc.hour),
}


def family(kind: pa.DataType) -> str:
    """One of ``FAMILIES``, or another type's name.

    The values of other types are not compared.
    """
    for name, (types, _) in FAMILIES.items():
        if any(getattr(pa.types, f"is_{t}")(plain_type(kind)) for t in types.split()):
            return name
    return str(kind)


@dataclass(frozen=True)
class ColumnPair:
    """A column of both datasets, measured.

    Of two numbers the first is the reference's.

    Attributes:
        compared_as: codes, quantity, month, hour, key, or presence (values are not compared).
        missing: share of the rows without a value.
        psi: see ``population_stability``.
        chance: the PSI that two samples of one population would have on average.
        distance: 0 to 1, the largest difference in the share of any set of codes (total variation), or in the share
            below any limit of a quantity (Kolmogorov-Smirnov).
        shares: code and its shares, in the order of the codes; the last may stand for all others.
        quantiles: of a quantity, at ``QUANTILES``.
    """

    name: str
    compared_as: str = "presence"
    missing: tuple[float, float] = (0.0, 0.0)
    psi: float = 0.0
    chance: float = 0.0
    distance: float = 0.0
    shares: Sequence[tuple[str, float, float]] = ()
    quantiles: Sequence[tuple[float, float]] = ()

    @property
    def moved(self) -> float:
        """PSI beyond chance."""
        return max(self.psi - self.chance, 0.0)


def counted(before: pa.ChunkedArray, after: pa.ChunkedArray) -> tuple[pa.Array, Numbers]:
    """The values that occur, and how often in each.

    Returns:
        The values in their order; their counts, a row for each of the two datasets.
    """
    found = [v.drop_null().value_counts() for v in (before, after)]
    values = pc.unique(pa.concat_arrays([c.field("values") for c in found]))
    values = values.take(pc.array_sort_indices(values))
    counts = np.zeros((2, len(values)), np.int64)
    for row, c in zip(counts, found, strict=True):
        row[pc.index_in(c.field("values"), values).to_numpy()] = c.field("counts").to_numpy()
    return values, counts


def compare_values(
    pair: ColumnPair, kind: str, is_category: bool, values: pa.Array, counts: Numbers, fewest: float
) -> tuple[ColumnPair, Numbers]:
    """Measure a column's distance, and put it into bins for a PSI.

    Numbers that are not marked as categories are quantities, but whole ones of at most ``MAX_CODES`` values: they are
    cut at the reference's deciles. All else is compared by its values, dates by their month, times by their hour.

    Args:
        pair: the column.
        kind: its family.
        is_category: whether it is marked so.
        values: from ``counted``; both datasets have some.
        counts: the same.
        fewest: observations of the smaller dataset. Bins that are too rare in it become one, the last.

    Returns:
        The pair with its distance and shares or quantiles; rows of both datasets in each bin.
    """
    if not is_category and (kind == "number" or (kind == "whole number" and len(values) > MAX_CODES)):
        x, below = values.to_numpy().astype(np.float64), counts.cumsum(axis=1) / counts.sum(axis=1, keepdims=True)
        cuts = [x[np.searchsorted(share, np.array(QUANTILES) - 1e-9)].tolist() for share in below]
        bins = np.searchsorted(cuts[0][1::2], x)
        _, counts = _lumped(np.array([np.bincount(bins, row) for row in counts]), fewest)
        far, quantiles = float(abs(below[0] - below[1]).max()), list(zip(*cuts, strict=True))
        return replace(pair, compared_as="quantity", distance=far, quantiles=quantiles), counts
    kept, counts = _lumped(counts, fewest)
    names = [*values.take(kept).cast(pa.string()).to_pylist(), "all others"][: len(counts[0])]
    p, q = _shares(counts)
    far, shares = float(abs(p - q).sum() / 2), list(zip(names, p.tolist(), q.tolist(), strict=True))
    compared_as = {"date": "month", "time": "hour"}.get(kind, "codes")
    return replace(pair, compared_as=compared_as, distance=far, shares=shares), counts


def _shares(counts: Numbers) -> Numbers:
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _lumped(counts: Numbers, fewest: float) -> tuple[Numbers, Numbers]:
    """Keep the bins that are common enough.

    Returns:
        Their positions; their rows, and last, if there are any, those of all others.
    """
    share = _shares(counts).mean(axis=0)
    by = np.argsort(-share, kind="stable")[: MAX_CODES - 1]
    kept = np.sort(by[share[by] * fewest >= _MIN_EXPECTED])
    rows = np.column_stack([counts[:, kept], counts.sum(axis=1) - counts[:, kept].sum(axis=1)])
    return kept, rows if rows[:, -1].any() else rows[:, :-1]


def population_stability(reference: Numbers, current: Numbers) -> float:
    """Population stability index of two rows of counts.

    Over the same bins the sum of (p - q) * ln(p / q), the symmetric divergence of Jeffreys (1946). That below 0.1
    little changed and above 0.25 much is a convention of credit scoring (Lewis, An Introduction to Credit Scoring,
    1994; Siddiqi, Credit Risk Scorecards, 2006), no theorem. An empty bin would make it infinite: each side gets
    one row more, spread as both sides are on average, which leaves equal shares equal.

    Small samples inflate it: of two samples of one population, n and m rows in so many bins, it is 1/n + 1/m times a
    chi-square of bins - 1 degrees of freedom (Yurdakul, Statistical properties of the population stability index,
    2018), so (bins - 1) * (1/n + 1/m) on average: 0.09 for twice 200 rows in ten bins.
    """
    n, m = reference.sum(), current.sum()
    both = (reference / n + current / m) / 2
    p, q = (reference + both)[both > 0] / (n + 1), (current + both)[both > 0] / (m + 1)
    return float(((p - q) * np.log(p / q)).sum())
