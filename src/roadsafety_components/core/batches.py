"""Reading a dataset a batch at a time: no more than the batch is in memory."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from roadsafety_components.core.datasets import dataset_files, dataset_schema
from roadsafety_components.core.errors import InputError

_BUFFER = 1 << 20  # bytes of a column at a time; without, the column of a whole row group is read at once
_DAMAGE = (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError)


def count_rows(path: str | Path, name: str) -> int:
    """Rows of a dataset, from what its files say of themselves.

    Raises:
        InputError: as ``read_dataset``.
    """
    rows = 0
    for _, file in dataset_files(path, name):
        try:
            rows += pq.read_metadata(file).num_rows
        except _DAMAGE as error:
            raise _damaged(name, file, error) from error
    if not rows:
        raise InputError(f"{name}: {path} has columns but no rows.")
    return rows


def read_batches(path: str | Path, name: str, columns: Collection[str], rows: int) -> Iterator[pa.Table]:
    """The rows of a dataset in their order, at most so many at a time.

    Args:
        path: a Parquet file, or a folder of them by year.
        name: what to call it in a message.
        columns: of those that it has; others are not read.
        rows: at a time, 1 or more.

    Raises:
        InputError: as ``read_dataset``, also for a file that turns out to be damaged further on.
    """
    schema = dataset_schema(path, name)
    fields = fields_of(schema, [n for n in schema.names if n in columns])
    for year, file in dataset_files(path, name):
        try:
            with pq.ParquetFile(file, buffer_size=_BUFFER) as opened:
                there = [f.name for f in fields if f.name in opened.schema_arrow.names]
                for groups in _row_groups(opened.metadata, rows):
                    for batch in opened.iter_batches(rows, row_groups=groups, columns=there):
                        if batch.num_rows:
                            yield _table(batch, fields, year)
        except _DAMAGE as error:
            raise _damaged(name, file, error) from error


def _row_groups(metadata: pq.FileMetaData, rows: int) -> Iterator[list[int]]:
    """Row groups that follow each other, so many that a batch is full.

    What Arrow's reader holds of a row group it lets go at the end of an iteration only, so there is more than one.
    """
    groups, held = [], 0
    for at in range(metadata.num_row_groups):
        groups.append(at)
        held += metadata.row_group(at).num_rows
        if held >= rows:
            yield groups
            groups, held = [], 0
    if groups:
        yield groups


def fields_of(schema: pa.Schema, names: Sequence[str]) -> list[pa.Field]:
    """Fields as ``read_batches`` gives them: a string view as a string, which all of Arrow's functions take."""
    fields = [schema.field(n) for n in names]
    return [f.with_type(pa.string()) if pa.types.is_string_view(f.type) else f for f in fields]


def _table(batch: pa.RecordBatch, fields: list[pa.Field], year: int) -> pa.Table:
    """A batch with these columns; the year of a folder's part stands in its name only."""
    columns = [
        batch[f.name].cast(f.type) if f.name in batch.schema.names else pa.repeat(pa.scalar(year, f.type), len(batch))
        for f in fields
    ]
    return pa.table(columns, schema=pa.schema(fields))


def _damaged(name: str, file: Path, error: Exception) -> InputError:
    return InputError(f"{name}: {file} cannot be read ({str(error).split('. ')[0]}); it is damaged. Make it again with "
                      "the step that made it.")  # fmt: skip
