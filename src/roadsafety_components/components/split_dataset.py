"""Step: train, validation and test rows that share no group."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow"))
def split_dataset(
    data: Input[Dataset],
    target_column: str,
    group_column: str,
    train_data: Output[Dataset],
    validation_data: Output[Dataset],
    test_data: Output[Dataset],
    method: str = "group",
    test_share: float = 0.3,
    validation_share: float = 0.0,
    test_from_year: int = 0,
    year_column: str = "year",
    seed: int = 0,
):
    """Cut a table in train, validation and test so that no group has rows on two sides, and prove it.

    The split is stratified by the target. The method row_leaky cuts by row, as much published work does: rows of one
    group stand on both sides and the scores are too good. It exists to reproduce such figures, and says so.

    Args:
        data: Table to cut, Parquet.
        target_column: Column with the classes.
        group_column: Column whose equal values stay on one side, e.g. the key of the event that rows belong to.
        method: group (whole groups), year (the last years are the test) or row_leaky (ignores groups).
        test_share: Share of the groups for the test, above 0 and below 1; not used by the method year.
        validation_share: Share of the groups for validation; 0 for none (a table without rows).
        test_from_year: First year of the test for the method year; 0 for the last year in the data.
        year_column: Column with the calendar year, for the method year.
        seed: Seed of the shuffle.

    Returns:
        train_data: Rows to learn from, Parquet.
        validation_data: Rows to choose with, Parquet; empty unless validation_share is above 0.
        test_data: Rows to judge by, Parquet.
    """
    from roadsafety_components.core import split, store
    from roadsafety_components.core.datasets import read_dataset

    table = read_dataset(data.path, "data")
    parts = split.split(
        table, target_column, group_column, method, test_share, validation_share, test_from_year, year_column, int(seed)
    )
    outputs = {"train": train_data, "validation": validation_data, "test": test_data}
    written = store.write_datasets([parts[name] for name in outputs], [output.path for output in outputs.values()])
    for output, facts in zip(outputs.values(), written, strict=True):
        output.metadata.update(facts)
