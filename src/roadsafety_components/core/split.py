"""Train, validation and test rows that share no group; proved, not assumed."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.store import facts_of, with_facts

METHODS = ("group", "year", "row_leaky")
PARTS = ("train", "validation", "test")
LEAK_WARNING = (
    "WARNING: row_leaky puts rows of one group on both sides. Scores on such a test set are too good; use it only to "
    "reproduce published figures."
)


def split(
    table: pa.Table,
    target_column: str,
    group_column: str,
    method: str = "group",
    test_share: float = 0.3,
    validation_share: float = 0.0,
    test_from_year: int = 0,
    year_column: str = "year",
    seed: int = 0,
) -> dict[str, pa.Table]:
    """Cut a table in train, validation and test.

    Args:
        table: any table with the columns named below.
        target_column: the split is stratified by it (by a group's commonest target where the method is group).
        group_column: rows that share its value stay on one side.
        method: ``group`` keeps groups whole; ``year`` tests on the last years; ``row_leaky`` ignores groups, as
            much published work does, and says so.
        test_share: share of the groups (rows) for the test, 0 to 1; not used by ``year``.
        validation_share: share for validation, 0 to 1; 0 gives an empty validation table. With ``year`` it is
            taken from the years before the test, by group.
        test_from_year: first year of the test (method ``year``); 0 means the last year in the table.
        year_column: column with the year (method ``year``).
        seed: of the shuffle.

    Returns:
        Tables by part. Facts of each say the method, the shares of the target and the number of shared groups.

    Raises:
        InputError: no rows, a column missing or with missing values, a parameter out of range, a side that was asked
            for without rows or with one class only, or (never by ``group``, and by ``year`` only if a group spans
            years) a group on two sides.
    """
    _check(table, target_column, group_column, method, test_share, validation_share, seed)
    target = _codes(table[target_column])
    groups = _codes(table[group_column])
    rng = np.random.default_rng(seed)
    if method == "year":
        part = _by_year(table, year_column, test_from_year)
        rest = np.flatnonzero(part == PARTS.index("train"))
        part[rest] = _shuffled(groups[rest], target[rest], {"validation": validation_share}, rng)
    else:
        units = groups if method == "group" else np.arange(len(groups))
        part = _shuffled(units, target, {"test": test_share, "validation": validation_share}, rng)
    shared = _shared_groups(groups, part)
    if shared and method != "row_leaky":
        raise InputError(f"{shared} values of {group_column} have rows on two sides of the split; a group that spans "
                         "years cannot be cut by year. Split by group.")  # fmt: skip
    if method == "row_leaky":
        print(f"{LEAK_WARNING} Values of {group_column} on both sides: {shared}.")
    tables = {name: table.filter(pa.array(part == i)) for i, name in enumerate(PARTS)}
    for name in PARTS if validation_share else ("train", "test"):
        _check_side(name, tables[name], target_column)
    how: dict[str, object] = {"method": method, "group_column": group_column, "shared_groups": shared, "seed": seed}
    return {name: _with_split_facts(side, name, how, table, target_column) for name, side in tables.items()}


def _check(
    table: pa.Table, target: str, group: str, method: str, test_share: float, validation_share: float, seed: int
) -> None:
    if method not in METHODS:
        raise InputError(f"method is {method!r}; it can be {', '.join(METHODS)}.")
    if seed < 0:
        raise InputError(f"seed is {seed}; it is a whole number, 0 or more.")
    if not table.num_rows:
        raise InputError("there is nothing to split: the table has no rows.")
    for name in (target, group):
        if name not in table.column_names:
            raise InputError(f"there is no column {name!r}.{nearest(name, table.column_names)} The table has "
                             f"{', '.join(table.column_names)}.")  # fmt: skip
        if pa.types.is_nested(table[name].type):
            raise InputError(f"column {name} is {table[name].type}; the target and the group are plain values.")
        if lost := table[name].null_count:
            raise InputError(f"column {name} is missing in {lost} of {table.num_rows} rows; drop or fill them first.")
    if method == "year":  # it has no use for test_share
        shares_fit = 0 <= validation_share < 1
    else:
        shares_fit = 0 < test_share < 1 and 0 <= validation_share < 1 and test_share + validation_share < 1
    if not shares_fit:
        raise InputError(f"test_share is {test_share:g} and validation_share {validation_share:g}; each is a share, "
                         "test_share is above 0 and the two leave something to train on.")  # fmt: skip


def _codes(values: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Each value as a number of its own, 0 upward in order of appearance."""
    encoded = values.combine_chunks()
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    return np.asarray(encoded.indices).astype(np.int64)


def _by_year(table: pa.Table, year_column: str, test_from_year: int) -> npt.NDArray[np.int64]:
    if year_column not in table.column_names:
        raise InputError(f"there is no column {year_column!r} to split by year.")
    kind = table[year_column].type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise InputError(f"column {year_column} is {kind}; a split by year needs years as numbers.")
    if table[year_column].null_count:
        raise InputError(f"column {year_column} has missing values; a split by year needs every row's year.")
    years = table[year_column].to_numpy()
    seen = sorted({int(y) for y in np.unique(years)})
    first = int(test_from_year) or seen[-1]
    if not seen[0] < first <= seen[-1]:
        raise InputError(f"a split by year from {first} leaves one side empty: the table has the years {seen}. Give "
                         "test_from_year above the first of them, more years, or the method group (in the training "
                         "pipelines split_method=group).")  # fmt: skip
    return np.where(years >= first, PARTS.index("test"), PARTS.index("train"))


def _shuffled(
    units: npt.NDArray[np.int64], target: npt.NDArray[np.int64], shares: Mapping[str, float], rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Part of each row: within each class of units (a unit's commonest target) the given share of the units."""
    _, unit = np.unique(units, return_inverse=True)
    counts = np.zeros((unit.max(initial=-1) + 1, target.max(initial=0) + 1), np.int64)
    np.add.at(counts, (unit, target), 1)
    stratum = counts.argmax(axis=1)
    part_of_unit = np.full(len(stratum), PARTS.index("train"))
    for value in np.unique(stratum):
        members = rng.permutation(np.flatnonzero(stratum == value))
        taken = 0
        for name, share in shares.items():
            number = round(share * len(members))
            part_of_unit[members[taken : taken + number]] = PARTS.index(name)
            taken += number
    return part_of_unit[unit]


def _shared_groups(groups: npt.NDArray[np.int64], part: npt.NDArray[np.int64]) -> int:
    """How many groups have rows in more than one part: the proof that nothing leaks."""
    pairs = np.unique(np.stack([groups, part]), axis=1)
    _, sides = np.unique(pairs[0], return_counts=True)
    return int((sides > 1).sum())


def _check_side(name: str, side: pa.Table, target_column: str) -> None:
    if side.num_rows == 0:
        raise InputError(f"the {name} side is empty: too few rows for these shares.")
    if (classes := pc.unique(side[target_column]).to_pylist()) and len(classes) < 2:
        raise InputError(f"the {name} side has one class of {target_column} only ({classes[0]}); use more rows or "
                         "another split.")  # fmt: skip


def _with_split_facts(
    side: pa.Table, name: str, how: dict[str, object], whole: pa.Table, target_column: str
) -> pa.Table:
    facts = facts_of(whole)
    counted = side[target_column].value_counts().to_pylist()
    shares = {str(c["values"]): round(c["counts"] / side.num_rows, 6) for c in counted}
    made_from = {"data": facts.get("sha256", "")}
    split_facts = {"part": name, "split": how, "target_shares": dict(sorted(shares.items())), "made_from": made_from}
    return with_facts(side, facts | split_facts)
