"""Step: datasets of one kind to one, a folder by year."""

from typing import List

from kfp import dsl
from kfp.dsl import Dataset, Input, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow"))
def merge_datasets(
    parts: Input[List[Dataset]],
    merged: Output[Dataset],
    year_column: str = "",
):
    """Merge datasets of one kind, for example the years of a loop, to one Parquet folder partitioned by year.

    Later steps read of it the columns and years that they need. The parts are read one after the other, so memory does
    not grow with their number. They must be of one table and one code list, and no record may come twice.

    Args:
        parts: Datasets to merge, Parquet files or folders by year; from a loop with dsl.Collected.
        year_column: Column with the calendar year; empty for collision_year or year.

    Returns:
        merged: Parquet folder, one subfolder a year.
    """
    from pathlib import Path

    from roadsafety_components.core import merge

    merged.metadata.update(merge.merge_datasets([Path(p.path) for p in parts], Path(merged.path), year_column))
