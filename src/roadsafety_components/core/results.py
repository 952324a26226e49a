"""Figures with their intervals, as pages show them and as other steps read them."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from roadsafety_components.core.store import Facts, with_facts

# A figure, and the limits of its interval if it has one.
Estimate = tuple[float, ...]


def results_table(rows: Iterable[tuple[Any, ...]], facts: Facts) -> pa.Table:
    """Figures as a dataset: part, group, model, figure, value, low, high, rows.

    Part is ``test`` for the whole (then group is empty), else a column whose value, in words, is the group. Low and
    high are null where there is no interval.
    """
    names = ("part", "group", "model", "figure", "value", "low", "high", "rows")
    kinds = [pa.string()] * 4 + [pa.float64()] * 3 + [pa.int64()]
    schema = pa.schema(list(zip(names, kinds, strict=True)))
    return with_facts(pa.Table.from_pylist([dict(zip(names, r, strict=True)) for r in rows], schema), facts)


def shown(estimate: Estimate, signed: bool = False) -> list[str]:
    """A figure for a page, and on the next line its limits, whose spaces do not break; no line for no figure."""
    told = [f"{round(v, 3) + 0:{'+' * signed}.3f}" for v in estimate]  # no minus before 0
    return told[:1] + ["\xa0to\xa0".join(told[1:])] * (len(set(told[1:])) == 2)
