"""What changed between two tables: columns, codes, distributions, missing values, keys, facts.

Measures are effect sizes: at 100,000 rows a test's p-value is small for any difference, however little it matters.
What chance alone does in few rows is told beside them, and is never a reason to refuse.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from roadsafety_components.core.datasets import dataset_schema, read_dataset
from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.store import CATEGORY, IDENTIFIER, Facts, facts_of, marked, with_facts

# Kinds of change that refuse unless told otherwise, and those that are only noted: the loader gives every generation
# the same columns, a mean moves with its distribution.
REFUSE_ON = ("rows", "schema_version", "unit", "target", "synthetic", "same_records", "repeated_keys", "removed_column",
             "type", "empty", "constant", "missing_rose", "new_code", "distribution")  # fmt: skip
KINDS = (*REFUSE_ON, "generation", "added_column", "missing_fell", "gone_code", "mean")

MODERATE_PSI, LARGE_PSI = 0.1, 0.25
QUANTILES = [q / 20 for q in range(1, 20)]
_FACTS = ("schema_version", "unit", "target", "synthetic", "generation")
_SMALL_EFFECT = 0.2  # of a difference of means, in standard deviations (Cohen)
_MAX_CODES = 50  # so many are told apart, the rest is one; whole numbers of more values are quantities
_MIN_EXPECTED = 5  # rows of a bin, the rule of the chi-square test
_UNLIKELY = 0.001
_SIGMAS = 4
_CELLS = 10_000_000  # of a dataset in memory at once

_Numbers = npt.NDArray[Any]


@dataclass(frozen=True)
class Change:
    """One kind of change in one column.

    Attributes:
        column: empty where it is about the whole dataset.
        change: one of ``KINDS``.
        level: ``refuse`` or ``note``.
        value: what was measured.
        threshold: what it was held against; 0 if nothing.
        rows: rows that show it, of the current dataset; of the reference for what is gone.
    """

    column: str
    change: str
    level: str
    reference: str
    current: str
    value: float
    threshold: float
    rows: int
    explanation: str


@dataclass(frozen=True)
class ColumnPair:
    """A column of both datasets, measured; of two numbers the first is the reference's.

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


@dataclass(frozen=True)
class Limits:
    """What to refuse.

    Attributes:
        max_psi: PSI of one column, beyond chance; from 0.1 on it is noted.
        max_missing_rise: rise of the share of missing values of one column.
        max_rows_ratio: rows of the larger dataset against the smaller.
        refuse_on: the ``KINDS`` that refuse; all others are noted.
        ignore_columns: columns that are not compared.

    Raises:
        InputError: a number out of range, an unknown kind.
    """

    max_psi: float = LARGE_PSI
    max_missing_rise: float = 0.1
    max_rows_ratio: float = 1.5
    refuse_on: Sequence[str] = REFUSE_ON
    ignore_columns: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name, least, most in (("max_psi", 0.001, 100), ("max_missing_rise", 0, 1), ("max_rows_ratio", 1, 1000)):
            if not least <= (value := getattr(self, name)) <= most:
                raise InputError(f"{name} is {value}; it can be {least} to {most}.")
        for kind in self.refuse_on:
            if kind not in KINDS:
                raise InputError(f"refuse_on has {kind!r}, which is no kind of change.{nearest(str(kind), KINDS)} "
                                 f"There are {', '.join(KINDS)}.")  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Two datasets compared; ``changes`` begins with the refusals."""

    rows: tuple[int, int]
    columns: list[ColumnPair]
    changes: list[Change]
    limits: Limits
    made_from: dict[str, str]

    @property
    def refusals(self) -> list[Change]:
        """Changes that are a reason to refuse."""
        return [c for c in self.changes if c.level == "refuse"]

    @property
    def decision(self) -> str:
        """``refuse`` if there is a refusal, or ``accept``."""
        return "refuse" if self.refusals else "accept"

    def table(self) -> pa.Table:
        """One row a change, with the fields of ``Change``; no rows if nothing changed."""
        kinds = {str: pa.string(), float: pa.float64(), int: pa.int64()}
        schema = pa.schema([(name, kinds[kind]) for name, kind in Change.__annotations__.items()])
        facts = {"decision": self.decision, "made_from": self.made_from, "limits": asdict(self.limits)}
        return with_facts(pa.Table.from_pylist([asdict(c) for c in self.changes], schema=schema), facts)

    def metrics(self) -> dict[str, float]:
        """Figures for the run comparison; columns are counted by their PSI beyond chance."""
        largest = max(self.columns, key=lambda c: c.moved, default=ColumnPair(""))
        return {
            "rows_reference": self.rows[0],
            "rows_current": self.rows[1],
            "columns_compared": len(self.columns),
            "columns_changed": len({c.column for c in self.changes if c.column}),
            "refusals": len(self.refusals),
            "largest_psi": largest.psi,
            "largest_psi_by_chance": largest.chance,
            "columns_psi_above_0_1": sum(c.moved > MODERATE_PSI for c in self.columns),
            "columns_psi_above_0_25": sum(c.moved > LARGE_PSI for c in self.columns),
        }


def compare_datasets(reference: str | Path, current: str | Path, limits: Limits) -> Comparison:
    """Compare two datasets, each a Parquet file or a folder by year, a few columns in memory at a time.

    Columns marked IDENTIFIER are together the key of a row: it tells rows that repeat one and records given twice, and
    nothing else of it is compared. Codes are columns marked CATEGORY, text, booleans, and whole numbers of at most 50
    values; other numbers are quantities (NaN and infinite ones are missing). Dates are new in every release: their
    months are compared, if the reference has all twelve; of times the hours. The order of columns and the width of a
    type are no change.

    Raises:
        InputError: no dataset there, two columns of one name, an ignored column that neither dataset has.
    """
    old, new = _open(reference, "reference"), _open(current, "current")
    every = list(dict.fromkeys([*old.schema.names, *new.schema.names]))
    for name in limits.ignore_columns:
        if name not in every:
            raise InputError(f"ignore_columns has {name!r}, which neither dataset has.{nearest(str(name), every)}")
    found = _Found([], limits)
    alike = _compare_structure(old, new, [n for n in every if n not in limits.ignore_columns], found)
    keys, categories = ({*marked(old.schema, mark), *marked(new.schema, mark)} for mark in (IDENTIFIER, CATEGORY))
    key, values = [n for n in alike if n in keys], [n for n in alike if n not in keys]
    if key:
        found = replace(found, per_row=_compare_keys(key, values, old, new, found))
    columns = [ColumnPair(n, "key") for n in key]
    for name, before, after in zip(values, old.columns(values), new.columns(values), strict=True):
        columns.append(_compare_column(name, before, after, name in categories, found))
    changes = sorted(found.changes, key=lambda c: c.level != "refuse")
    made_from = {d.name: str(d.facts["sha256"]) for d in (old, new)}
    return Comparison((old.rows, new.rows), columns, changes, limits, made_from)


def log_comparison(comparison: Comparison, metrics: Any) -> None:
    """Log the figures, and print a line for each refusal."""
    for name, value in comparison.metrics().items():
        metrics.log_metric(name, value)
    for c in comparison.refusals:
        told = f"reference {c.reference}; current {c.current}"
        print(f"WARNING: refused for {c.change}{c.column and ' of '}{c.column}: {c.explanation} ({told})")


def population_stability(reference: _Numbers, current: _Numbers) -> float:
    """Population stability index of two rows of counts over the same bins: the sum of (p - q) * ln(p / q).

    It is the symmetric divergence of Jeffreys (1946). That below 0.1 little changed and above 0.25 much is a
    convention of credit scoring (Lewis, An Introduction to Credit Scoring, 1994; Siddiqi, Credit Risk Scorecards,
    2006), no theorem. An empty bin would make it infinite: each side gets one row more, spread as both sides are on
    average, which leaves equal shares equal.

    Small samples inflate it: of two samples of one population, n and m rows in so many bins, it is 1/n + 1/m times a
    chi-square of bins - 1 degrees of freedom (Yurdakul, Statistical properties of the population stability index,
    2018), so (bins - 1) * (1/n + 1/m) on average: 0.09 for twice 200 rows in ten bins.
    """
    n, m = reference.sum(), current.sum()
    both = (reference / n + current / m) / 2
    p, q = (reference + both)[both > 0] / (n + 1), (current + both)[both > 0] / (m + 1)
    return float(((p - q) * np.log(p / q)).sum())


@dataclass(frozen=True)
class _Found:
    changes: list[Change]
    limits: Limits
    per_row: tuple[float, float] = (1.0, 1.0)  # observations, see _compare_keys

    def observations(self, n: int, m: int) -> tuple[float, float]:
        return n * self.per_row[0], m * self.per_row[1]

    def noise(self, n: int, m: int) -> float:
        """Variance of a difference of means of so many rows, for values of variance 1."""
        return sum(1 / k for k in self.observations(n, m))

    def add(
        self, column: str, kind: str, told: Sequence[str], why: str, rows: int,
        value: float = 0.0, threshold: float = 0.0, beyond: bool = True,
    ) -> None:  # fmt: skip
        """Add a change; it refuses if its kind is listed and it is beyond its threshold."""
        level = "refuse" if beyond and kind in self.limits.refuse_on else "note"
        self.changes.append(
            Change(column, kind, level, told[0], told[1], float(value), float(threshold), int(rows), why)
        )


@dataclass(frozen=True)
class _Dataset:
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
                yield table[name].cast(_plain(table[name].type))


def _open(path: str | Path, name: str) -> _Dataset:
    schema = dataset_schema(path, name)
    if twice := [n for n in schema.names if schema.names.count(n) > 1]:
        raise InputError(f"{name}: {path} has two columns {twice[0]}; rename one.")
    first = read_dataset(path, name, schema.names[:1])
    return _Dataset(name, path, schema, facts_of(first), first.num_rows)


def _finite(values: pa.ChunkedArray) -> pa.ChunkedArray:
    values = values.cast(pa.float64())
    return pc.if_else(pc.is_finite(values), values, None)


# What values are, whatever their width, and what of them is compared.
_FAMILIES: dict[str, tuple[str, Any]] = {
    "text": ("string large_string string_view", lambda v: v.cast(pa.string())),
    "boolean": ("boolean", lambda v: v.cast(pa.string())),
    "whole number": ("integer", lambda v: v.cast(pa.int64(), safe=False)),
    "number": ("floating decimal", _finite),
    "date": ("date timestamp", pc.month),
    "time": ("time", pc.hour),
}


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _family(kind: pa.DataType) -> str:
    """One of ``_FAMILIES``, or the name of a type whose values are not compared."""
    for name, (types, _) in _FAMILIES.items():
        if any(getattr(pa.types, f"is_{t}")(_plain(kind)) for t in types.split()):
            return name
    return str(kind)


def _compare_structure(old: _Dataset, new: _Dataset, names: list[str], found: _Found) -> list[str]:
    """Rows, facts and types; the columns whose values can be compared."""
    ratio, most, alike = new.rows / old.rows, found.limits.max_rows_ratio, []
    if not 1 / most <= ratio <= most:
        why = f"There are {ratio:.3g} times as many rows; 1/{most:g} to {most:g} times is allowed."
        found.add("", "rows", (f"{old.rows:,}", f"{new.rows:,}"), why, new.rows, ratio, most)
    for fact in _FACTS:
        was, now = (str(d.facts.get(fact, "not told")) for d in (old, new))
        if was != now:
            found.add("", fact, (was, now), "The facts that travel with the data differ.", new.rows)
    for name in names:
        was, now = (_family(d.schema.field(name).type) if name in d.schema.names else "none" for d in (old, new))
        if was == "none":
            found.add(name, "added_column", (was, now), "The column is new.", new.rows)
        elif now == "none":
            found.add(name, "removed_column", (was, now), "The column is gone.", old.rows)
        elif was != now and "null" not in (was, now):  # a column of nulls has no type yet
            found.add(name, "type", (was, now), "The values are of another type.", new.rows)
        else:
            alike.append(name)
    return alike


def _compare_keys(
    key: list[str], values: list[str], old: _Dataset, new: _Dataset, found: _Found
) -> tuple[float, float]:
    """Repeated keys, and records that both have; nothing if the key repeats in the reference.

    Returns:
        For each dataset what to count its rows by. Rows with the same value in the most telling column of the key,
        such as vehicles of one collision, are alike: they are as many observations as that column has values.
    """
    (was, share_was), (now, share_now) = (_keys(d, key) for d in (old, new))
    if _distinct(was) < old.rows:
        return 1.0, 1.0
    if repeats := new.rows - _distinct(now):
        why = f"Rows repeat the key ({', '.join(key)}), which was unique."
        found.add("", "repeated_keys", ("0 rows", f"{repeats:,} rows"), why, repeats, repeats)
    if np.isin(now, was).any():
        was, now = (_joined(_hashes(d, key + values), d.rows) for d in (old, new))
        if same := int(np.isin(now, was).sum()):
            told = f"{old.rows:,} rows", f"{same:,} of {new.rows:,} rows"
            why = f"They stand in the reference too: the same key ({', '.join(key)}), the same values."
            found.add("", "same_records", told, why, same, same / new.rows)
    return share_was, share_now


def _keys(dataset: _Dataset, key: list[str]) -> tuple[_Numbers, float]:
    """A number for each key, and the distinct values of its most telling column as a share of the rows."""
    columns = list(_hashes(dataset, key))
    return _joined(columns, dataset.rows), max(map(_distinct, columns)) / dataset.rows


def _distinct(numbers: _Numbers) -> int:
    ordered = np.sort(numbers)  # which is faster here than np.unique
    return 1 + int((ordered[1:] != ordered[:-1]).sum())


def _joined(columns: Iterable[_Numbers], rows: int) -> _Numbers:
    joined = np.zeros(rows, np.uint64)
    for column in columns:
        joined *= np.uint64(0x100000001B3)  # as FNV does, so that the order of the columns counts
        joined ^= column
    return joined


def _hashes(dataset: _Dataset, names: list[str]) -> Iterator[_Numbers]:
    """For each column a number for each row, the same for rows that have the same value."""
    for column in dataset.columns(names):
        rows, start = np.zeros(dataset.rows, np.uint64), 0
        for chunk in column.chunks if _family(column.type) in _FAMILIES else ():
            encoded = chunk.dictionary_encode()
            texts = encoded.dictionary.cast(pa.string()).to_numpy(zero_copy_only=False).astype(object)
            hashes = np.append(pd.util.hash_array(texts, categorize=False), np.uint64(0))
            rows[start : start + len(chunk)] = hashes[encoded.indices.fill_null(len(texts)).to_numpy()]
            start += len(chunk)
        yield rows


def _compare_column(
    name: str, before: pa.ChunkedArray, after: pa.ChunkedArray, is_category: bool, found: _Found
) -> ColumnPair:
    family = _family(before.type)
    comparable = family in _FAMILIES and family == _family(after.type)
    if comparable:
        before, after = (_FAMILIES[family][1](v) for v in (before, after))
    n, m = (len(v) - v.null_count for v in (before, after))
    pair = ColumnPair(name, missing=(1 - n / len(before), 1 - m / len(after)))
    if n and not m:
        told = f"{pair.missing[0]:.1%} missing", "100% missing"
        found.add(name, "empty", told, "No row has a value any more.", len(after))
        return pair
    _compare_missing(pair, len(before), len(after), found)
    if not (n and m and comparable):
        return pair
    values, a, b = _counted(before, after)
    if family == "date" and np.count_nonzero(a) < 12:
        return pair
    at = b.argmax()
    if b[at] == m and a[at] < n and (a[at] / n) ** found.observations(n, m)[1] < _UNLIKELY:
        why = "Every row has one value; as many rows of the reference would have several."
        found.add(name, "constant", (f"{np.count_nonzero(a):,} values", f"only {values[int(at)]}"), why, m)
    if not is_category and (family == "number" or (family == "whole number" and len(values) > _MAX_CODES)):
        return _compare_quantity(pair, values.to_numpy().astype(np.float64), a, b, found)
    pair = replace(pair, compared_as={"date": "month", "time": "hour"}.get(family, "codes"))
    return _compare_codes(pair, values.cast(pa.string()).to_numpy(zero_copy_only=False), a, b, found)


def _counted(before: pa.ChunkedArray, after: pa.ChunkedArray) -> tuple[pa.Array, _Numbers, _Numbers]:
    """The values that occur, in their order, and how often in each."""
    counted = [v.drop_null().value_counts() for v in (before, after)]
    values = pc.unique(pa.concat_arrays([c.field("values") for c in counted]))
    values = values.take(pc.array_sort_indices(values))
    counts = np.zeros((2, len(values)), np.int64)
    for row, c in zip(counts, counted, strict=True):
        row[pc.index_in(c.field("values"), values).to_numpy()] = c.field("counts").to_numpy()
    return values, counts[0], counts[1]


def _compare_missing(pair: ColumnPair, n: int, m: int, found: _Found) -> None:
    was, now = pair.missing
    both = (was * n + now * m) / (n + m)
    limit = max(found.limits.max_missing_rise, _SIGMAS * math.sqrt(both * (1 - both) * found.noise(n, m)))
    if abs(now - was) > limit:
        why = f"The share of missing values changed by {now - was:+.1%}; {limit:.1%} is allowed."
        kind = "missing_rose" if now > was else "missing_fell"
        found.add(pair.name, kind, (f"{was:.1%} missing", f"{now:.1%} missing"), why, round(now * m), now - was, limit)


def _compare_codes(pair: ColumnPair, labels: _Numbers, a: _Numbers, b: _Numbers, found: _Found) -> ColumnPair:
    sizes = found.observations(a.sum(), b.sum())
    for kind, counts, other, side in (("new_code", b, a, 1), ("gone_code", a, b, 0)):
        at = np.flatnonzero((other == 0) & (counts > 0))
        at = at[np.argsort(-counts[at], kind="stable")]
        most = counts[at].max(initial=0)
        # By chance a code is on one side only with the probability share ** observations; and there are many codes.
        share = sizes[side] / sum(sizes)
        limit = math.ceil(math.log(_UNLIKELY / len(labels)) / math.log(share) / found.per_row[side])
        if most >= limit or (most and side and len(labels) <= _MAX_CODES):
            told = ["none", _listed([f"{labels[i]} ({counts[i]:,})" for i in at[:5]], len(at))]
            told = told if side else told[::-1]
            why = f"Codes (rows) that the other does not have; by chance one has fewer than {limit:,} rows."
            found.add(pair.name, kind, told, why, counts[at].sum(), most, limit, most >= limit)
    kept, a, b = _lumped(a, b, min(sizes))
    names = [str(labels[i]) for i in kept]
    names += ["all others"] * (len(a) - len(names))
    p, q = a / a.sum(), b / b.sum()
    moved = np.argsort(-abs(p - q), kind="stable")[:5]
    told = [_listed([f"{names[i]}: {share[i]:.1%}" for i in moved], len(names)) for share in (p, q)]
    shares = list(zip(names, p.tolist(), q.tolist(), strict=True))
    pair = replace(pair, distance=float(abs(p - q).sum() / 2), shares=shares)
    return _compare_distribution(pair, a, b, told, found)


def _compare_quantity(pair: ColumnPair, x: _Numbers, a: _Numbers, b: _Numbers, found: _Found) -> ColumnPair:
    n, m = a.sum(), b.sum()
    below = a.cumsum() / n, b.cumsum() / m
    quantiles = [x[np.searchsorted(share, np.array(QUANTILES) - 1e-9)].tolist() for share in below]
    means = (x * a).sum() / n, (x * b).sum() / m
    spread = math.sqrt(((x - means[0]) ** 2 * a).sum() / n)
    moved = (means[1] - means[0]) / (spread or math.inf)
    limit = max(_SMALL_EFFECT, _SIGMAS * math.sqrt(found.noise(n, m)))
    if abs(moved) > limit:
        why = f"The mean moved by {moved:+.2f} standard deviations; {limit:.2f} is allowed."
        found.add(pair.name, "mean", [f"{mean:,.6g}" for mean in means], why, m, moved, limit)
    pair = replace(
        pair, compared_as="quantity", distance=float(abs(below[0] - below[1]).max()),
        quantiles=list(zip(*quantiles, strict=True)),
    )  # fmt: skip
    bins = np.searchsorted(quantiles[0][1::2], x)  # cut at the reference's deciles
    _, a, b = _lumped(np.bincount(bins, a), np.bincount(bins, b), min(found.observations(n, m)))
    told = ["; ".join(f"{QUANTILES[i]:.0%} below {side[i]:,.6g}" for i in (0, 4, 9, 14, 18)) for side in quantiles]
    return _compare_distribution(pair, a, b, told, found)


def _lumped(a: _Numbers, b: _Numbers, fewest: float) -> tuple[_Numbers, _Numbers, _Numbers]:
    """Positions of the bins that are common enough, their counts, and last, if there are any, those of all others."""
    share = (a / a.sum() + b / b.sum()) / 2
    by = np.argsort(-share, kind="stable")[: _MAX_CODES - 1]
    kept = np.sort(by[share[by] * fewest >= _MIN_EXPECTED])
    a, b = (np.append(c[kept], c.sum() - c[kept].sum()) for c in (a, b))
    end = len(kept) + bool(a[-1] or b[-1])
    return kept, a[:end], b[:end]


def _compare_distribution(pair: ColumnPair, a: _Numbers, b: _Numbers, told: list[str], found: _Found) -> ColumnPair:
    psi, max_psi = population_stability(a, b), found.limits.max_psi
    noise, freedom = found.noise(a.sum(), b.sum()), len(a) - 1
    chance, spread = freedom * noise, math.sqrt(2 * freedom) * noise
    noted, limit = (chance + max(least, _SIGMAS * spread) for least in (min(MODERATE_PSI, max_psi), max_psi))
    if psi > noted:
        name = "Kolmogorov-Smirnov" if pair.quantiles else "Total variation"
        why = f"PSI {psi:.3f}, by chance {chance:.3f}; {limit:.3f} is allowed. {name} distance {pair.distance:.3f}."
        found.add(pair.name, "distribution", told, why, b.sum(), psi, limit, psi > limit)
    return replace(pair, psi=psi, chance=float(chance))


def _listed(some: list[str], of: int) -> str:
    return "; ".join(some + [f"{of - len(some):,} more"] * (of > len(some)))
