"""What changed between two tables.

Columns, codes, distributions, missing values, keys, facts. Kinds of change that refuse unless told otherwise are
``REFUSE_ON``; the other ``KINDS`` are only noted: the loader gives every generation the same columns, a mean moves with
its distribution.

Measures are effect sizes: at 100,000 rows a test's p-value is small for any difference, however little it matters.
What chance alone does in few rows is told beside them, and is never a reason to refuse.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from roadsafety_components.core import distance
from roadsafety_components.core.distance import ColumnPair, Numbers, OpenDataset, family
from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.store import CATEGORY, IDENTIFIER, marked, with_facts

REFUSE_ON = ("rows", "schema_version", "unit", "target", "synthetic", "same_records", "repeated_keys", "removed_column",
             "type", "empty", "constant", "missing_rose", "new_code", "distribution")  # fmt: skip
KINDS = (*REFUSE_ON, "generation", "added_column", "missing_fell", "gone_code", "mean")

MODERATE_PSI, LARGE_PSI = 0.1, 0.25
_FACTS = ("schema_version", "unit", "target", "synthetic", "generation")
_SMALL_EFFECT = 0.2  # of a difference of means, in standard deviations (Cohen)
_UNLIKELY = 0.001
_SIGMAS = 4


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
        """Figures for the run comparison.

        Columns are counted by their PSI beyond chance.
        """
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
    """Compare two datasets.

    Each is a Parquet file or a folder by year; a few columns are in memory at a time.

    Columns marked IDENTIFIER are together the key of a row: it tells rows that repeat one and records given twice, and
    nothing else of it is compared. Codes are columns marked CATEGORY, text, booleans, and whole numbers of at most 50
    values; other numbers are quantities (NaN and infinite ones are missing). Dates are new in every release: their
    months are compared, if the reference has all twelve; of times the hours. The order of columns and the width of a
    type are no change.

    Raises:
        InputError: no dataset there, two columns of one name, an ignored column that neither dataset has.
    """
    old, new = distance.open_dataset(reference, "reference"), distance.open_dataset(current, "current")
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


@dataclass(frozen=True)
class _Found:
    changes: list[Change]
    limits: Limits
    per_row: tuple[float, float] = (1.0, 1.0)  # observations, see _compare_keys

    def observations(self, n: int, m: int) -> tuple[float, float]:
        return n * self.per_row[0], m * self.per_row[1]

    def noise(self, n: int, m: int) -> float:
        """Variance of a difference of means, for values of variance 1."""
        return sum(1 / k for k in self.observations(n, m))

    def add(
        self, column: str, kind: str, told: Sequence[str], why: str, rows: int,
        value: float = 0.0, threshold: float = 0.0, beyond: bool = True,
    ) -> None:  # fmt: skip
        """Add a change.

        It refuses if its kind is listed and it is beyond its threshold.
        """
        level = "refuse" if beyond and kind in self.limits.refuse_on else "note"
        self.changes.append(
            Change(column, kind, level, told[0], told[1], float(value), float(threshold), int(rows), why)
        )


def _compare_structure(old: OpenDataset, new: OpenDataset, names: list[str], found: _Found) -> list[str]:
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
        was, now = (family(d.schema.field(name).type) if name in d.schema.names else "none" for d in (old, new))
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
    key: list[str], values: list[str], old: OpenDataset, new: OpenDataset, found: _Found
) -> tuple[float, float]:
    """Repeated keys, and records that both have.

    Nothing is said if the key repeats in the reference.

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
        was, now = (_joined(_hashes(d, key + values)) for d in (old, new))
        if same := int(np.isin(now, was).sum()):
            told = f"{old.rows:,} rows", f"{same:,} of {new.rows:,} rows"
            why = f"They stand in the reference too: the same key ({', '.join(key)}), the same values."
            found.add("", "same_records", told, why, same, same / new.rows)
    return share_was, share_now


def _keys(dataset: OpenDataset, key: list[str]) -> tuple[Numbers, float]:
    """Hashes of the keys, and what rows count as.

    The distinct values of the key's most telling column as a share of the rows.
    """
    columns = list(_hashes(dataset, key))
    return _joined(columns), max(map(_distinct, columns)) / dataset.rows


def _distinct(numbers: Numbers) -> int:
    ordered = np.sort(numbers)  # which is faster here than np.unique
    return 1 + int((ordered[1:] != ordered[:-1]).sum())


def _joined(columns: Iterable[Numbers]) -> Numbers:
    # As FNV does, so that the order of the columns counts.
    return reduce(lambda joined, column: joined * np.uint64(0x100000001B3) ^ column, columns)


def _hashes(dataset: OpenDataset, names: list[str]) -> Iterator[Numbers]:
    """For each column a number for each row.

    It is the same for rows that have the same value.
    """
    for column in dataset.columns(names):
        comparable = family(column.type) in distance.FAMILIES
        yield np.concatenate([_hashed(c) if comparable else np.zeros(len(c), np.uint64) for c in column.chunks])


def _hashed(chunk: pa.Array) -> Numbers:
    encoded = chunk.dictionary_encode()
    texts = encoded.dictionary.cast(pa.string()).to_numpy(zero_copy_only=False).astype(object)
    hashes = np.append(pd.util.hash_array(texts, categorize=False), np.uint64(0))
    return np.asarray(hashes[encoded.indices.fill_null(len(texts)).to_numpy()])


def _compare_column(
    name: str, before: pa.ChunkedArray, after: pa.ChunkedArray, is_category: bool, found: _Found
) -> ColumnPair:
    kind = family(before.type)
    comparable = kind in distance.FAMILIES and kind == family(after.type)
    if comparable:
        before, after = (distance.FAMILIES[kind][1](v) for v in (before, after))
    n, m = (len(v) - v.null_count for v in (before, after))
    pair = ColumnPair(name, missing=(1 - n / len(before), 1 - m / len(after)))
    if n and not m:
        told = f"{pair.missing[0]:.1%} missing", "100% missing"
        found.add(name, "empty", told, "No row has a value any more.", len(after))
        return pair
    _compare_missing(pair, len(before), len(after), found)
    if not (n and m and comparable):
        return pair
    values, counts = distance.counted(before, after)
    a, b = counts
    if kind == "date" and np.count_nonzero(a) < 12:
        return pair
    at, sizes = b.argmax(), found.observations(n, m)
    if b[at] == m and a[at] < n and (a[at] / n) ** sizes[1] < _UNLIKELY:
        why = "Every row has one value; as many rows of the reference would have several."
        found.add(name, "constant", (f"{np.count_nonzero(a):,} values", f"only {values[int(at)]}"), why, m)
    pair, bins = distance.compare_values(pair, kind, is_category, values, counts, min(sizes))
    if pair.quantiles:
        _compare_means(name, values.to_numpy().astype(np.float64), counts, found)
    else:
        _compare_codes(name, values, counts, found)
    return _compare_distribution(pair, bins, found)


def _compare_missing(pair: ColumnPair, n: int, m: int, found: _Found) -> None:
    was, now = pair.missing
    both = (was * n + now * m) / (n + m)
    limit = max(found.limits.max_missing_rise, _SIGMAS * math.sqrt(both * (1 - both) * found.noise(n, m)))
    if abs(now - was) > limit:
        why = f"The share of missing values changed by {now - was:+.1%}; {limit:.1%} is allowed."
        kind = "missing_rose" if now > was else "missing_fell"
        found.add(pair.name, kind, (f"{was:.1%} missing", f"{now:.1%} missing"), why, round(now * m), now - was, limit)


def _compare_codes(name: str, labels: pa.Array, counts: Numbers, found: _Found) -> None:
    sizes = found.observations(*counts.sum(axis=1))
    for kind, side in (("new_code", 1), ("gone_code", 0)):
        rows = np.where(counts[1 - side] == 0, counts[side], 0)
        at = np.argsort(-rows, kind="stable")[: np.count_nonzero(rows)]
        most = rows.max()
        # By chance a code is on one side only with the probability share ** observations; and there are many codes.
        share = sizes[side] / sum(sizes)
        limit = math.ceil(math.log(_UNLIKELY / len(labels)) / math.log(share) / found.per_row[side])
        if most >= limit or (most and side and len(labels) <= distance.MAX_CODES):
            told = ["none", _listed([f"{labels[int(i)]} ({rows[i]:,})" for i in at[:5]], len(at))]
            told = told if side else told[::-1]
            why = f"Codes (rows) that the other does not have; by chance one has fewer than {limit:,} rows."
            found.add(name, kind, told, why, rows.sum(), most, limit, most >= limit)


def _compare_means(name: str, x: Numbers, counts: Numbers, found: _Found) -> None:
    n, m = rows = counts.sum(axis=1)
    means = (counts * x).sum(axis=1) / rows
    spread = math.sqrt(((x - means[0]) ** 2 * counts[0]).sum() / n)
    moved = (means[1] - means[0]) / (spread or math.inf)
    limit = max(_SMALL_EFFECT, _SIGMAS * math.sqrt(found.noise(n, m)))
    if abs(moved) > limit:
        why = f"The mean moved by {moved:+.2f} standard deviations; {limit:.2f} is allowed."
        found.add(name, "mean", [f"{mean:,.6g}" for mean in means], why, m, moved, limit)


def _compare_distribution(pair: ColumnPair, bins: Numbers, found: _Found) -> ColumnPair:
    (n, m), max_psi = bins.sum(axis=1), found.limits.max_psi
    psi, noise, freedom = distance.population_stability(*bins), found.noise(n, m), bins.shape[1] - 1
    chance, spread = freedom * noise, math.sqrt(2 * freedom) * noise
    noted, limit = (chance + max(least, _SIGMAS * spread) for least in (min(MODERATE_PSI, max_psi), max_psi))
    if psi > noted:
        name = "Kolmogorov-Smirnov" if pair.quantiles else "Total variation"
        why = f"PSI {psi:.3f}, by chance {chance:.3f}; {limit:.3f} is allowed. {name} distance {pair.distance:.3f}."
        found.add(pair.name, "distribution", [_told(pair, side) for side in (0, 1)], why, m, psi, limit, psi > limit)
    return replace(pair, psi=psi, chance=float(chance))


def _told(pair: ColumnPair, side: int) -> str:
    if pair.quantiles:
        return "; ".join(f"{distance.QUANTILES[i]:.0%} below {pair.quantiles[i][side]:,.6g}" for i in (0, 4, 9, 14, 18))
    moved = sorted(pair.shares, key=lambda s: -abs(s[1] - s[2]))[:5]
    return _listed([f"{s[0]}: {s[1 + side]:.1%}" for s in moved], len(pair.shares))


def _listed(some: list[str], of: int) -> str:
    return "; ".join(some + [f"{of - len(some):,} more"] * (of > len(some)))
