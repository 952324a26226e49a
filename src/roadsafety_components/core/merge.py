"""Datasets of one kind to one, a folder by year: no more than one part in memory."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from roadsafety_components.core.datasets import dataset_schema
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.files import digest, replacing
from roadsafety_components.core.store import (
    FOLDER_FACTS,
    IDENTIFIER,
    Facts,
    facts_of,
    marked,
    with_facts,
    write_dataset,
)
from roadsafety_components.core.years import tables_by_year

_YEAR_COLUMNS = ("collision_year", "year")
# Facts that count what was dropped, mapped or replaced.
_COUNTS = ("unlisted_codes_made_missing", "recoded", "revised", "rows_dropped")


def merge_datasets(paths: Sequence[Path], target: Path, year_column: str = "") -> Facts:
    """Write the rows of several datasets as one folder by year: ``collision_year=2015/part-0.parquet``.

    The layout is Hive's, which other tools read too: the year stands in the name of the folder, not in the files.

    Args:
        paths: the datasets, files or folders by year, of one table (facts ``table`` and ``unit``) and in one code list.
            The same year may come in several, as long as no row's identifiers come twice.
        target: the folder to write, with ``_common_metadata`` for schema and facts.
        year_column: column with the calendar year; "" for collision_year or year, whichever is there.

    Returns:
        Facts of the whole: those that all parts have in common, counts added up, and rows by year.

    Raises:
        InputError: parts of different tables, code lists or types; a year or row given twice.
    """
    if not paths:
        raise InputError("there are no parts to merge.")
    schemas = [dataset_schema(path, path.name) for path in paths]
    year_column = _year_column(schemas, year_column)
    common = _common_facts(paths, schemas)
    whole = _union(paths, schemas)
    rows: dict[str, int] = defaultdict(int)
    digests: dict[str, str] = {}
    files: dict[int, list[Path]] = defaultdict(list)
    with replacing(target) as (draft,):
        for path in paths:
            for year, table in tables_by_year(path, year_column, path.name):
                name = f"{year_column}={year}/part-{len(files[year])}.parquet"
                write_dataset(_as(table, whole).drop_columns(year_column), draft / name)
                files[year].append(draft / name)
                rows[str(year)] += table.num_rows
                digests[name] = digest(draft / name)
        for year in sorted(files):
            _refuse_repeats(year, files[year], [n for n in marked(whole, IDENTIFIER) if n != year_column])
        facts = common | {
            "years": sorted(files),
            "rows": sum(rows.values()),
            "columns": len(whole),
            "rows_by_year": dict(sorted(rows.items())),
            "partitioned_by": year_column,
        }
        schema = whole.with_metadata(with_facts(whole.empty_table(), facts | {"parts": digests}).schema.metadata)
        pq.write_metadata(schema, draft / FOLDER_FACTS)
    return facts


def _year_column(schemas: Sequence[pa.Schema], asked: str) -> str:
    for name in [asked] if asked else _YEAR_COLUMNS:
        if all(name in schema.names for schema in schemas):
            return name
    raise InputError(f"not every part has a column {asked or ' or '.join(_YEAR_COLUMNS)}; name the year_column.")


def _common_facts(paths: Sequence[Path], schemas: Sequence[pa.Schema]) -> Facts:
    facts = [facts_of(schema) for schema in schemas]
    for name in ("table", "unit", "codes", "schema_version", "target"):
        told = {str(f.get(name, "none")): path.name for f, path in zip(facts, paths, strict=True)}
        if len(told) > 1:
            hint = " Bring all to one code list with harmonise_stats19." if name == "codes" else ""
            raise InputError(f"the parts differ in {name}: {', '.join(f'{v} ({p})' for v, p in told.items())}.{hint}")
    generations = {g for f in facts for g in str(f.get("generation", "")).split(" and ") if g}
    common = {k: v for k, v in facts[0].items() if k != "sha256" and all(f.get(k) == v for f in facts)}
    mixed = {"generation": " and ".join(sorted(generations))} if generations else {}
    counts = {name: _added([f.get(name, {}) for f in facts]) for name in _COUNTS if any(name in f for f in facts)}
    return common | mixed | counts | {"synthetic": any(f.get("synthetic", False) for f in facts)}


def _added(counts: Sequence[Facts]) -> Facts:
    """Counts by name, and by name of counts, added up."""
    total: Facts = {}
    for more in counts:
        for name, value in more.items():
            known = total.get(name, {} if isinstance(value, dict) else 0)
            total[name] = _added([known, value]) if isinstance(value, dict) else known + value
    return total


def _union(paths: Sequence[Path], schemas: Sequence[pa.Schema]) -> pa.Schema:
    try:
        whole = pa.unify_schemas([s.remove_metadata() for s in schemas])
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InputError(
            f"the parts {', '.join(p.name for p in paths)} have a column of different types: {error}."
        ) from error
    longest = max(schemas, key=len)
    order = [*longest.names, *(n for n in whole.names if n not in longest.names)]
    return pa.schema([next(s.field(n) for s in schemas if n in s.names) for n in order])


def _as(table: pa.Table, whole: pa.Schema) -> pa.Table:
    """The table with all columns of the whole; those that it has not are null."""
    columns = [
        table[f.name] if f.name in table.column_names else pa.nulls(table.num_rows, f.type) for f in whole
    ]  # fmt: skip
    return with_facts(pa.table(columns, schema=whole), {k: v for k, v in facts_of(table).items() if k != "sha256"})


def _refuse_repeats(year: int, files: Sequence[Path], identifiers: list[str]) -> None:
    """Two parts of a year must not hold the same record."""
    if len(files) == 1 or not identifiers:
        return
    every = pa.concat_tables([pq.read_table(file, columns=identifiers, partitioning=None) for file in files])
    codes = np.zeros(every.num_rows, np.int64)
    for column in every.columns:
        encoded = pc.dictionary_encode(column, null_encoding="encode").unify_dictionaries().combine_chunks()
        codes = codes * len(encoded.dictionary) + encoded.indices.to_numpy()
    _, first, counts = np.unique(codes, return_index=True, return_counts=True)
    if repeats := int((counts - 1).sum()):
        at = int(first[counts > 1].min())
        example = ", ".join(f"{n} {every[n][at]}" for n in every.column_names)
        raise InputError(f"{repeats} rows of {year} come in two parts, e.g. {example}. Give each record once.")
