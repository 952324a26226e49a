"""A dataset one year at a time."""

from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from roadsafety_components.core.datasets import dataset_files, read_dataset
from roadsafety_components.core.errors import InputError


def tables_by_year(
    path: str | Path, year_column: str, name: str = "dataset", columns: Collection[str] = ()
) -> Iterator[tuple[int, pa.Table]]:
    """Year and table, one year at a time in order: of a folder no more than a year is in memory.

    Args:
        path: the file or folder.
        year_column: column of a single file that holds the year.
        name: what to call it in a message.
        columns: only these, of those that it has; all by default.

    Raises:
        InputError: as ``read_dataset``; no such column.
    """
    files = dataset_files(path, name)
    if Path(path).is_dir():
        for year in sorted({y for y, _ in files}):
            yield year, read_dataset(path, name, columns, [year])
        return
    table = read_dataset(path, name, {year_column, *columns} if columns else ())
    if year_column not in table.column_names:
        raise InputError(f"{name}: {path} has no column {year_column}.")
    if lost := table[year_column].null_count:
        raise InputError(f"{name}: {year_column} is missing in {lost} row{'s' * (lost > 1)} of {path}.")
    for year in sorted(pc.unique(table[year_column]).to_pylist()):
        yield int(year), table.filter(pc.equal(table[year_column], year))
