"""The page of columns is what the schema says."""

from roadsafety_components.core import schema

from .columns import KNOWN, PAGE, page


def test_the_page_of_columns_is_current() -> None:
    """As the schema stands."""
    assert PAGE.read_text(encoding="utf-8") == page(), "run .venv/bin/python tests/docs/columns.py"


def test_a_column_is_one_row() -> None:
    """With its kind, when it is known, its codes, and its name by generation."""
    rows = page().splitlines()
    assert (
        "| `junction_detail_historic` | code | before | -1 | 99 | 10 | `Junction_Detail` | `junction_detail` | = | = |"
        in rows
    )
    assert "| `junction_detail` | code | before | -1 | 99 | 7 |  |  | = | = |" in rows
    assert "| `speed_limit` | int | before | -1 | 99 |  | `Speed_Limit` | = | = | = |" in rows
    assert (
        "| `collision_ref_no` | text | a key |  |  |  |  | `accident_reference` | = | `collision_reference` |" in rows
    )
    assert len([row for row in rows if row.startswith("| `")]) == sum(len(schema.columns(t)) for t in schema.TABLES)


def test_availability_is_told_apart() -> None:
    """Every class of the schema has words of its own, and there is no other."""
    assert {c.availability for t in schema.TABLES for c in schema.columns(t).values()} == set(KNOWN)
    assert len(set(KNOWN.values())) == len(KNOWN)
