"""Reading the datasets that steps hand each other: a Parquet file, or a folder of them by year."""

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.files import digest
from roadsafety_components.core.store import FOLDER_FACTS, facts_of, with_facts


def read_dataset(
    path: str | Path, name: str = "dataset", columns: Collection[str] = (), years: Collection[int] = ()
) -> pa.Table:
    """Read a dataset: a Parquet file, or a folder of them by year as ``merge.merge_datasets`` writes it.

    Args:
        path: the file or folder.
        name: what to call it in a message.
        columns: only these, of those that it has; all by default.
        years: of a folder only these years; all by default.

    Returns:
        The table. Its facts hold ``sha256`` of what was read, for the next step's ``made_from``.

    Raises:
        InputError: there is nothing, or no Parquet, or no rows.
    """
    parts, schema = dataset_files(path, name), dataset_schema(path, name)
    folder = Path(path).is_dir()
    chosen = [(year, file) for year, file in parts if not folder or not years or year in years]
    if not chosen:
        raise InputError(f"{name}: {path} has no records of {', '.join(map(str, years))}; it has the years "
                         f"{', '.join(str(y) for y, _ in parts)}.")  # fmt: skip
    tables = [_read(file, name, columns) for _, file in chosen]
    if folder:
        wanted = [f for f in schema if not columns or f.name in columns]
        tables = [_with_year(t, year, wanted) for t, (year, _) in zip(tables, chosen, strict=True)]
    table = pa.concat_tables(tables)
    if table.num_rows == 0:
        raise InputError(f"{name}: {path} has columns but no rows.")
    return with_facts(table, facts_of(schema) | {"sha256": digest(_first_file(path))})


def dataset_schema(path: str | Path, name: str = "dataset") -> pa.Schema:
    """Columns and facts of a dataset, without its rows; raises as ``read_dataset``."""
    dataset_files(path, name)
    return _schema(_first_file(path), name)


def _first_file(path: str | Path) -> Path:
    """The file that holds the facts of the whole; a folder's has the digest of each part in them."""
    return Path(path, FOLDER_FACTS) if Path(path).is_dir() else Path(path)


def dataset_files(path: str | Path, name: str = "dataset") -> list[tuple[int, Path]]:
    """The Parquet files of a dataset in the order of their years; a single file has the year 0.

    Raises:
        InputError: nothing there, or a folder that is not a dataset by year.
    """
    if Path(path).is_file():
        return [(0, Path(path))]
    if not Path(path).is_dir():
        raise InputError(f"{name}: there is no file at {path}.")
    found = [(int(f.parent.name.partition("=")[2]), f) for f in Path(path).glob("*=[0-9]*/*.parquet")]
    if not found or not Path(path, FOLDER_FACTS).is_file():
        raise InputError(f"{name}: the folder {path} is no dataset by year (year=2024/part.parquet and "
                         f"{FOLDER_FACTS}), as merge_datasets writes it.")  # fmt: skip
    return sorted(found)


def _with_year(table: pa.Table, year: int, fields: list[pa.Field]) -> pa.Table:
    """A part of a folder with its year, which stands in the part's name only."""
    columns = [
        table[f.name] if f.name in table.column_names else pa.repeat(pa.scalar(year, f.type), table.num_rows)
        for f in fields
    ]
    return pa.table(columns, schema=pa.schema(fields))


def _read(file: Path, name: str, columns: Collection[str]) -> pa.Table:
    wanted = [c for c in _schema(file, name).names if c in columns] if columns else None
    try:
        table = pq.read_table(file, columns=wanted, partitioning=None)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise _not_parquet(file, name, error) from error
    views = {f.name: pa.string() for f in table.schema if pa.types.is_string_view(f.type)}
    if views:  # which many of Arrow's functions do not take
        table = table.cast(pa.schema([f.with_type(views.get(f.name, f.type)) for f in table.schema]))
    return table


def _schema(file: Path, name: str) -> pa.Schema:
    try:
        return pq.read_schema(file)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise _not_parquet(file, name, error) from error


def _not_parquet(file: Path, name: str, error: Exception) -> InputError:
    reason = str(error).split(". ")[0]
    return InputError(f"{name}: {file} is not a Parquet file that can be read ({reason}). Steps hand each other "
                      "Parquet: give the output of load_stats19 or of another step, no CSV.")  # fmt: skip
