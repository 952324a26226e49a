"""Parts of exact sizes that share no group."""

from collections import Counter
from itertools import chain

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadsafety_components.core import store
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.split import LEAK_WARNING, split

PARTS = ("train", "validation", "test")


def pairs(groups: int = 40) -> pa.Table:
    """Two rows for each group; every second group is slight, the others serious."""
    row = list(range(2 * groups))
    return pa.table(
        {
            "row": row,
            "key": [f"2024{i // 2:04}" for i in row],
            "severity": [("slight", "serious")[i // 2 % 2] for i in row],
            "year": [2015 + i // 4 % 4 for i in row],
        }
    )


def cut(table: pa.Table, **how: object) -> dict[str, pa.Table]:
    """By key and severity."""
    return split(table, "severity", "key", **how)


def sizes(parts: dict[str, pa.Table]) -> dict[str, int]:
    """Rows by part."""
    return {name: part.num_rows for name, part in parts.items()}


def shared(parts: dict[str, pa.Table], column: str = "key") -> int:
    """Values of a column that more than one part has, counted afresh."""
    return sum(n > 1 for n in Counter(v for p in parts.values() for v in set(p[column].to_pylist())).values())


# Sizes and sides


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, {"train": 56, "validation": 0, "test": 24}),
        ({"test_share": 0.2, "validation_share": 0.1}, {"train": 56, "validation": 8, "test": 16}),
        ({"test_share": 0.5, "validation_share": 0.4}, {"train": 8, "validation": 32, "test": 40}),
        ({"method": "row_leaky"}, {"train": 56, "validation": 0, "test": 24}),
        (
            {"method": "row_leaky", "test_share": 0.25, "validation_share": 0.05},
            {"train": 56, "validation": 4, "test": 20},
        ),
        ({"method": "year"}, {"train": 60, "validation": 0, "test": 20}),
        ({"method": "year", "test_from_year": 2017}, {"train": 40, "validation": 0, "test": 40}),
        (
            {"method": "year", "test_from_year": 2017, "validation_share": 0.4},
            {"train": 24, "validation": 16, "test": 40},
        ),
    ],
)
def test_sizes_are_the_shares_of_each_class(how: dict, expected: dict[str, int]) -> None:
    """Forty groups of two rows, twenty a class: the sizes follow, and each side has both classes alike."""
    parts = cut(pairs(), **how)
    assert sizes(parts) == expected
    assert list(parts) == list(PARTS)
    for part in parts.values():
        counted = Counter(part["severity"].to_pylist())
        assert counted["slight"] == counted["serious"] == part.num_rows / 2


@pytest.mark.parametrize("method", ["group", "year", "row_leaky"])
def test_every_row_lands_in_one_part_in_its_order(method: str) -> None:
    """None twice, none lost; columns, types and marks stay."""
    table = store.mark_columns(pairs(), {"key": store.IDENTIFIER})
    parts = cut(table, method=method, validation_share=0.2)
    rows = [part["row"].to_pylist() for part in parts.values()]
    assert sorted(chain(*rows)) == list(range(80))
    assert all(r == sorted(r) for r in rows)
    for part in parts.values():
        assert part.schema.types == table.schema.types
        assert part.column_names == table.column_names
        assert store.marked(part, store.IDENTIFIER) == ["key"]


@pytest.mark.parametrize("method", ["group", "year"])
def test_no_group_is_on_two_sides(method: str) -> None:
    """Counted here afresh, and in the facts."""
    parts = cut(pairs(), method=method, validation_share=0.2)
    assert shared(parts) == 0
    assert [store.facts_of(p)["split"]["shared_groups"] for p in parts.values()] == [0, 0, 0]


def test_a_split_by_year_tests_on_the_last_years() -> None:
    """All of them, and validation comes from the years before."""
    parts = cut(pairs(), method="year", validation_share=0.25)
    assert set(parts["test"]["year"].to_pylist()) == {2018}
    assert set(parts["train"]["year"].to_pylist()) | set(parts["validation"]["year"].to_pylist()) == {2015, 2016, 2017}
    parts = cut(pairs(), method="year", test_from_year=2016)
    assert set(parts["test"]["year"].to_pylist()) == {2016, 2017, 2018}
    assert set(parts["train"]["year"].to_pylist()) == {2015}


def test_a_split_by_year_does_not_use_the_share_of_the_test() -> None:
    """Three quarters of the earlier years may be for validation, whatever test_share says."""
    parts = cut(pairs(160), method="year", validation_share=0.75)
    assert sizes(parts) == {"train": 60, "validation": 180, "test": 80}
    assert sizes(cut(pairs(), method="year", test_share=0.0)) == {"train": 60, "validation": 0, "test": 20}


def test_the_year_may_stand_in_another_column() -> None:
    """And be of any integer type."""
    table = pairs().append_column("when", pairs()["year"].cast(pa.int16())).drop_columns("year")
    assert set(cut(table, method="year", year_column="when")["test"]["when"].to_pylist()) == {2018}


def test_row_leaky_puts_groups_on_both_sides_and_says_so(capsys) -> None:
    """A warning in the log with the count, and the same count in the facts."""
    parts = cut(pairs(), method="row_leaky")
    counted = shared(parts)
    assert counted > 0
    assert capsys.readouterr().out == f"{LEAK_WARNING} Values of key on both sides: {counted}.\n"
    assert store.facts_of(parts["test"])["split"]["shared_groups"] == counted


@pytest.mark.parametrize("method", ["group", "year"])
def test_the_honest_methods_print_nothing(method: str, capsys) -> None:
    """A warning that always stands there is none."""
    cut(pairs(), method=method)
    assert capsys.readouterr().out == ""


def test_the_split_is_stratified() -> None:
    """Each part has each class's share to within one group in its class, also where classes are rare."""
    target = ["fatal"] * 15 + ["serious"] * 200 + ["slight"] * 1285
    table = pa.table({"key": list(range(1500)), "severity": target})
    parts = cut(table, test_share=0.3, validation_share=0.1)
    for share, part in ((0.3, "test"), (0.1, "validation"), (0.6, "train")):
        counted = Counter(parts[part]["severity"].to_pylist())
        for name, whole in Counter(target).items():
            assert abs(counted[name] - share * whole) <= 1


def test_a_group_counts_as_its_commonest_class() -> None:
    """Groups of three rows with two of one class and one of the other are stratified by the two."""
    groups = 40
    table = pa.table(
        {
            "key": [i // 3 for i in range(3 * groups)],
            "severity": [("a", "a", "b")[i % 3] if i // 3 % 4 else ("b", "a", "b")[i % 3] for i in range(3 * groups)],
        }
    )
    test = cut(table, test_share=0.5)["test"]
    assert test.num_rows == 60
    assert Counter(test["severity"].to_pylist()) == {"a": 15 * 2 + 5, "b": 15 + 5 * 2}


def test_the_seed_decides() -> None:
    """The same seed gives the same parts, another seed others, for each method that shuffles."""
    for method in ("group", "row_leaky"):
        first, same, other = (cut(pairs(), method=method, seed=s)["test"] for s in (1, 1, 2))
        assert first.equals(same)
        assert first["row"].to_pylist() != other["row"].to_pylist()


@pytest.mark.parametrize("kind", ["text", "large", "dictionary", "int", "chunks"])
def test_groups_and_targets_of_any_type_are_cut_alike(kind: str) -> None:
    """What a key is made of, and how the table is cut in chunks, makes no difference."""
    table = pairs()
    made = {
        "text": table,
        "large": table.set_column(1, "key", table["key"].cast(pa.large_string())),
        "dictionary": pa.table(
            {n: table[n].dictionary_encode() if n != "row" else table[n] for n in table.column_names}
        ),
        "int": table.set_column(1, "key", table["key"].cast(pa.int64())),
        "chunks": pa.concat_tables([table.slice(0, 7), table.slice(7, 1), table.slice(8)]),
    }[kind]
    assert cut(made)["test"]["row"].to_pylist() == cut(table)["test"]["row"].to_pylist()


@pytest.mark.parametrize("values", [[True, False], [0, 1], [3, 1], ["a", "b"]], ids=str)
def test_the_target_may_be_of_any_kind(values: list) -> None:
    """Booleans and whole numbers as well as text."""
    table = pairs().set_column(2, "severity", pa.array([values[i // 2 % 2] for i in range(80)]))
    assert sizes(cut(table)) == {"train": 56, "validation": 0, "test": 24}


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from("abc"), st.integers(2015, 2018)), min_size=1, max_size=60
    ),
    test=st.floats(0.01, 0.98),
    rest=st.floats(0.0, 0.98),
    method=st.sampled_from(["group", "row_leaky"]),
    seed=st.integers(0, 2**32),
)
def test_any_table_is_cut_without_loss_or_leak(
    rows: list[tuple[int, str, int]], test: float, rest: float, method: str, seed: int
) -> None:
    """Each row in exactly one part, no group on two sides, the same again for the same seed; or a clear refusal."""
    table = pa.table(
        {
            "row": list(range(len(rows))),
            "key": [r[0] for r in rows],
            "severity": [r[1] for r in rows],
        }
    )
    how = {"method": method, "test_share": test, "validation_share": rest * (1 - test), "seed": seed}
    try:
        parts = cut(table, **how)
    except InputError as error:
        assert any(word in str(error) for word in ("side is empty", "has one class"))
        return
    assert sorted(chain(*(p["row"].to_pylist() for p in parts.values()))) == list(range(len(rows)))
    if method == "group":
        assert shared(parts) == 0
    assert store.facts_of(parts["train"])["split"]["shared_groups"] == shared(parts)
    assert all(parts[name].equals(part) for name, part in cut(table, **how).items())
    for name in ("train", "test"):
        assert len(set(parts[name]["severity"].to_pylist())) > 1


def test_a_hundred_thousand_groups_are_cut_as_asked() -> None:
    """Shares hold at size too, to within one group a class."""
    rng = np.random.default_rng(0)
    key = np.repeat(np.arange(100_000), rng.integers(1, 4, 100_000))
    target = np.array(["fatal", "serious", "slight"])[rng.choice(3, 100_000, p=[0.01, 0.14, 0.85])][key]
    parts = cut(pa.table({"key": key, "severity": target}), validation_share=0.2)
    groups = {name: len(set(part["key"].to_pylist())) for name, part in parts.items()}
    assert {n: abs(groups[n] - share) <= 3 for n, share in (("train", 50_000), ("validation", 20_000))} == {
        "train": True,
        "validation": True,
    }
    assert shared(parts) == 0


# Facts


def test_facts_say_how_it_was_cut() -> None:
    """The table's own facts, the part, the method, the classes' shares, and the digest of what was cut."""
    table = store.with_facts(pairs(), {"unit": "vehicle", "sha256": "sha256:abc", "made_from": {"collision": "x"}})
    assert store.facts_of(cut(table, seed=7)["test"]) == {
        "unit": "vehicle",
        "sha256": "sha256:abc",
        "made_from": {"data": "sha256:abc"},
        "part": "test",
        "split": {"method": "group", "group_column": "key", "shared_groups": 0, "seed": 7},
        "target_shares": {"serious": 0.5, "slight": 0.5},
    }


def test_the_empty_validation_part_has_the_columns() -> None:
    """It can be written and says that it is the validation part."""
    part = cut(pairs())["validation"]
    assert part.schema.names == ["row", "key", "severity", "year"]
    assert (store.facts_of(part)["part"], store.facts_of(part)["target_shares"]) == ("validation", {})


# What is refused


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"method": "random"}, "method is 'random'; it can be group, year, row_leaky."),
        ({"test_share": 0.0}, "test_share is 0 and validation_share 0; each is a share"),
        ({"test_share": 1.0}, "test_share is 1 and validation_share 0; each is a share"),
        ({"test_share": -0.1}, "test_share is -0.1 and"),
        ({"test_share": float("nan")}, "test_share is nan and"),
        ({"validation_share": -0.1}, "validation_share -0.1; each is a share"),
        ({"validation_share": 0.7}, "test_share is 0.3 and validation_share 0.7; each is a share"),
        ({"method": "year", "validation_share": 1.0}, "validation_share 1"),
        ({"method": "year", "test_from_year": 2015}, "from 2015 leaves one side empty: the table has the years"),
        ({"method": "year", "test_from_year": 2019}, "[2015, 2016, 2017, 2018]. Give test_from_year above the first"),
        ({"method": "year", "year_column": "when"}, "there is no column 'when' to split by year."),
        ({"method": "year", "year_column": "severity"}, "column severity is string"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_a_parameter_out_of_range_is_told(how: dict, told: str) -> None:
    """With its value and what it can be."""
    with pytest.raises(InputError) as error:
        cut(pairs(), **how)
    assert told in str(error.value)


@pytest.mark.parametrize("column", ["severity", "key"])
def test_a_column_that_is_not_there_is_told(column: str) -> None:
    """With those that are."""
    with pytest.raises(InputError, match=rf"there is no column '{column}'.* row, .*year"):
        cut(pairs().drop_columns(column))


@pytest.mark.parametrize(("column", "method"), [("severity", "group"), ("key", "group"), ("year", "year")])
def test_missing_values_are_told(column: str, method: str) -> None:
    """A row without a class, a group or a year has no side."""
    table = pairs()
    at = table.column_names.index(column)
    values = [None, *table[column].to_pylist()[1:]]
    with pytest.raises(InputError, match=rf"column {column} (is missing in 1 of 80 rows|has missing values)"):
        cut(table.set_column(at, column, pa.array(values)), method=method)


def test_one_year_cannot_be_cut_by_year() -> None:
    """The message names the year."""
    table = pairs().set_column(3, "year", pa.array([2024] * 80))
    with pytest.raises(InputError, match=r"from 2024 leaves one side empty: the table has the years \[2024\]"):
        cut(table, method="year")


def test_a_group_that_spans_years_is_refused() -> None:
    """It would be on both sides."""
    table = pairs().set_column(3, "year", pa.array([2015 + i % 2 for i in range(80)]))
    with pytest.raises(InputError, match="40 values of key have rows on two sides of the split; a group that spans"):
        cut(table, method="year")


def test_a_side_without_rows_is_refused() -> None:
    """Too few groups for the share; also the validation side, where one was asked for."""
    with pytest.raises(InputError, match="the test side is empty: too few rows"):
        cut(pairs(4), test_share=0.1)
    with pytest.raises(InputError, match="the train side is empty: too few rows"):
        cut(pairs(4), test_share=0.9)
    with pytest.raises(InputError, match="the validation side is empty: too few rows"):
        cut(pairs(), validation_share=0.01)


def test_a_side_with_one_class_is_refused() -> None:
    """Nothing could be learned or judged there."""
    table = pa.table({"key": list(range(40)), "severity": ["fatal"] + ["slight"] * 39})
    with pytest.raises(InputError, match=r"the test side has one class of severity only \(slight\)"):
        cut(table)
    table = table.append_column("year", pa.array([2023] * 20 + [2024] * 20))
    with pytest.raises(InputError, match=r"the test side has one class of severity only \(slight\)"):
        cut(table, method="year")


def test_a_table_without_rows_is_refused() -> None:
    """By what is wrong with it."""
    for method in ("group", "year", "row_leaky"):
        with pytest.raises(InputError, match="the table has no rows"):
            cut(pairs().slice(0, 0), method=method)
