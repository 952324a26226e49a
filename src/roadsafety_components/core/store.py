"""Parquet datasets between steps: their writer, and the facts and marks that travel with the rows.

A dataset's facts (unit of analysis, years, what it was made from, what was left out and why) are kept in the
Parquet file's own schema, so that they survive outside a pipeline; a step copies them to its artifact's metadata.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from roadsafety_components.core.files import replacing

Facts = dict[str, Any]

_FACTS_KEY = b"roadsafety"
MODEL_FACTS = "roadsafety.json"  # the entry of a model's file that holds its facts
FOLDER_FACTS = "_common_metadata"  # the schema and facts of a folder by year, Parquet's own convention
# Marks on a column of the file: an identifier is never a feature, a category is a number that stands for a name.
IDENTIFIER = "identifier"
CATEGORY = "category"
OUTCOME = "outcome"  # known only with or after what is to be predicted: never a feature
REPORT_ONLY = "report_only"  # kept for reports, by subgroup for example: never a feature
_MARK_KEY = b"roadsafety.mark"


def facts_of(table: pa.Table | pa.Schema) -> Facts:
    """The facts that travel with a table, or with its schema; empty for a table from elsewhere."""
    schema = table if isinstance(table, pa.Schema) else table.schema
    stored = (schema.metadata or {}).get(_FACTS_KEY)
    return dict(json.loads(stored)) if stored else {}


def with_facts(table: pa.Table, facts: Mapping[str, Any]) -> pa.Table:
    """The table with ``facts`` in place of those it had (and of pandas' own notes on it)."""
    return table.replace_schema_metadata({_FACTS_KEY: json.dumps(dict(facts), sort_keys=True).encode()})


def mark_columns(table: pa.Table, marks: Mapping[str, str]) -> pa.Table:
    """The table with its columns marked, and no other marks."""
    fields = [
        field.with_metadata({_MARK_KEY: marks[field.name].encode()} if field.name in marks else None)
        for field in table.schema
    ]
    return pa.table(table.columns, schema=pa.schema(fields, metadata=table.schema.metadata))


def marked(table: pa.Table | pa.Schema, mark: str) -> list[str]:
    """Names of the columns with a mark."""
    schema = table if isinstance(table, pa.Schema) else table.schema
    return [f.name for f in schema if (f.metadata or {}).get(_MARK_KEY) == mark.encode()]


def write_dataset(table: pa.Table, path: str | Path) -> Facts:
    """Write one table; see ``write_datasets``."""
    return write_datasets([table], [path])[0]


def write_datasets(tables: Sequence[pa.Table], paths: Sequence[str | Path]) -> list[Facts]:
    """Write tables as Parquet (zstd), side by side, all of them or none.

    Returns:
        The facts to show as each artifact's metadata: the table's own, and rows and columns.
    """
    with replacing(*paths) as drafts, ThreadPoolExecutor() as pool:
        return list(pool.map(_write, tables, drafts))


def _write(table: pa.Table, path: Path) -> Facts:
    facts = {k: v for k, v in facts_of(table).items() if k != "sha256"}
    facts |= {"rows": table.num_rows, "columns": table.num_columns}
    table = with_facts(table, facts)
    # Dictionary pages pay for codes and names; for keys and fractions, mostly distinct, they cost time and space.
    keys = marked(table, IDENTIFIER)
    repeating = [
        f.name for f in table.schema
        if not (pa.types.is_floating(f.type) or (f.name in keys and pa.types.is_string(f.type)))
    ]  # fmt: skip
    pq.write_table(table, path, compression="zstd", use_dictionary=repeating)
    return facts


def write_text(text: str, path: str | Path) -> None:
    """Write a text file (UTF-8), whole or not at all."""
    with replacing(path) as (draft,):
        draft.write_text(text, encoding="utf-8")


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type of a column's values, also of those kept in a dictionary."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds text."""
    kind = plain_type(kind)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
