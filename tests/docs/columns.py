"""Write docs/columns.md: every canonical column, from the schema. Run it after a change to core/schema.py."""

from pathlib import Path

from roadsafety_components.core import schema

PAGE = Path(__file__).parents[2] / "docs" / "columns.md"
GENERATIONS = {"legacy": "2005-2019", "accident": "2020-2023", "2024": "2024", "2025": "2025"}
KNOWN = {
    "pre": "before",
    "involved_party": "who was involved",
    "post_impact": "after the impact",
    "post_outcome": "after the injuries",
    "target": "the severity",
    "target_derived": "from the severity",
    "reporting_process": "from the recording",
    "location": "before; the place",
    "group": "before; the force",
    "identifier": "a key",
}
HEAD = """# Columns

Every column of the three tables under its canonical name, that of the 2024 release. Written from
[`core/schema.py`](../src/roadsafety_components/core/schema.py) by `tests/docs/columns.py`.

- **kind**: `code` (a number that stands for a name; [labels](codes.md)), `ordinal` (a code with a rank), `nominal` (a
  number that is a name), `int` and `float` (quantities), `text`, `date`, `time`.
- **known**: when its value is known, or what it comes from; [what a model may know](data.md) follows from it.
- **missing**: the code that becomes null. **unknown**: the field's own codes for "recorded as unknown"; they stay
  values, but in quantities become null.
- **codes**: how many there are, where only listed ones are legal.
- **2005-2019** and so on: its name in the files of those years, in any case of letters; `=` the same, empty where none
  of them has it. A column that no file has is made by a step.
"""
FIELDS = ("column", "kind", "known", "missing", "unknown", "codes", *GENERATIONS.values())


def page() -> str:
    """The page's text."""
    return HEAD + "".join(_section(table) for table in schema.TABLES)


def _section(table: str) -> str:
    rows = [FIELDS, ["---"] * len(FIELDS), *(_row(column) for column in schema.columns(table).values())]
    return f"\n## {table}\n\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(column: schema.Column) -> list[str]:
    names = (column.names.get(generation, "") for generation in GENERATIONS)
    return [
        f"`{column.name}`",
        column.kind,
        KNOWN[column.availability],
        "" if column.missing is None else str(column.missing),
        ", ".join(map(str, sorted(column.unknown))),
        str(len(column.codes) or ""),
        *("=" if name == column.name else f"`{name}`" if name else "" for name in names),
    ]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
