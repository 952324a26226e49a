"""Parquet datasets between steps: one reader, one writer, and the facts that travel with the rows.

A dataset's facts (unit of analysis, years, what it was made from, what was left out and why) are kept in the
Parquet file's own schema, so that they survive outside a pipeline; a step copies them to its artifact's metadata.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from roadsafety_components.core.errors import InputError

Facts = dict[str, Any]

_FACTS_KEY = b"roadsafety"
# Marks on a column of the file: an identifier is never a feature, a category is a number that stands for a name.
IDENTIFIER = "identifier"
CATEGORY = "category"
OUTCOME = "outcome"  # known only with or after what is to be predicted: never a feature
_MARK_KEY = b"roadsafety.mark"


@contextmanager
def replacing(*paths: str | Path) -> Iterator[list[Path]]:
    """Temporary names beside ``paths``, renamed to them when the block ends well and removed when it does not.

    Raises:
        InputError: the folder cannot be written to, or the disk is full.
    """
    targets = [Path(p) for p in paths]
    drafts = [t.with_name(f".{t.name}.partial") for t in targets]
    try:
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
        yield drafts
        for draft, target in zip(drafts, targets, strict=True):
            os.replace(draft, target)
    except OSError as error:  # a full disk names no file
        place = str(error.filename or targets[0])
        if not any(place in (str(t), *map(str, t.parents)) for t in [*targets, *drafts]):
            raise
        raise InputError(f"cannot write {place}: {error.strerror or error}. Choose an output folder that is "
                         "writable and has space.") from error  # fmt: skip
    finally:
        for draft in drafts:
            with suppress(OSError):  # there may be no such folder
                draft.unlink()


def facts_of(table: pa.Table) -> Facts:
    """The facts that travel with a table; empty for a table from elsewhere."""
    stored = (table.schema.metadata or {}).get(_FACTS_KEY)
    return dict(json.loads(stored)) if stored else {}


def with_facts(table: pa.Table, facts: Mapping[str, Any]) -> pa.Table:
    """The table with ``facts`` in place of those it had (and of pandas' own notes on it)."""
    return table.replace_schema_metadata({_FACTS_KEY: json.dumps(dict(facts), sort_keys=True).encode()})


def mark_columns(table: pa.Table, marks: Mapping[str, str]) -> pa.Table:
    """The table with columns marked IDENTIFIER or CATEGORY."""
    fields = [
        field.with_metadata({_MARK_KEY: marks[field.name].encode()} if field.name in marks else None)
        for field in table.schema
    ]
    return pa.table(table.columns, schema=pa.schema(fields, metadata=table.schema.metadata))


def marked(table: pa.Table, mark: str) -> list[str]:
    """Names of the columns with a mark."""
    return [f.name for f in table.schema if (f.metadata or {}).get(_MARK_KEY) == mark.encode()]


def digest(path: str | Path) -> str:
    """``sha256:<hex>`` of a file's content."""
    with open(path, "rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def read_dataset(path: str | Path, name: str = "dataset") -> pa.Table:
    """Read a Parquet file whole.

    Args:
        path: the file.
        name: what to call it in a message.

    Returns:
        The table. Its facts hold ``sha256`` of the file, for the next step's ``made_from``.

    Raises:
        InputError: the file is not there, or is not Parquet, or has no rows.
    """
    if not Path(path).is_file():
        raise InputError(f"{name}: there is no file at {path}.")
    try:
        table = pq.read_table(path, partitioning=None)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        reason = str(error).split(". ")[0]
        raise InputError(f"{name}: {path} is not a Parquet file that can be read ({reason}). Steps hand each other "
                         "Parquet: give the output of load_stats19 or of another step, no CSV.") from error  # fmt: skip
    views = {f.name: pa.string() for f in table.schema if pa.types.is_string_view(f.type)}
    if views:  # which many of Arrow's functions do not take
        table = table.cast(pa.schema([f.with_type(views.get(f.name, f.type)) for f in table.schema]))
    if table.num_rows == 0:
        raise InputError(f"{name}: {path} has columns but no rows.")
    return with_facts(table, facts_of(table) | {"sha256": digest(path)})


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


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds text."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))
