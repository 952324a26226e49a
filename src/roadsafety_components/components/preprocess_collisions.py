"""Step: canonical tables to one table that a model may learn from."""

from typing import List

from kfp import dsl
from kfp.dsl import Dataset, Input, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow"))
def preprocess_collisions(
    collisions: Input[Dataset],
    clean_data: Output[Dataset],
    vehicles: Input[Dataset] = None,
    casualties: Input[Dataset] = None,
    unit: str = "vehicle",
    target: str = "severity",
    known_at: str = "involved",
    keep_location: bool = False,
    max_orphan_share: float = 0.01,
    keep_constant: bool = False,
    report_columns: List[str] = [],
):
    """Join the tables at a unit of analysis, derive the calendar columns and leave out whatever leaks the outcome.

    What was derived from the severity, and what is known only after the injuries are, is never a feature. Every
    column that was left out is in the metadata with the reason, and so are the rows that were dropped. Columns that
    are empty or constant are left out too.

    Args:
        collisions: Collisions from load_stats19.
        vehicles: Vehicles from load_stats19; needed for the units vehicle and casualty.
        casualties: Casualties from load_stats19; needed for the unit casualty.
        unit: One row a vehicle, a collision or a casualty.
        target: severity (fatal, serious, slight) or ksi (ksi for killed or seriously injured, against slight), or
            none for rows that nobody has judged yet (no target column; the severities need not be there).
        known_at: What the model may know, before (place and time), involved (also vehicles and drivers) or impact
            (also what the impact showed, such as the first point of impact).
        keep_location: Keep coordinates, area codes and police force as features.
        max_orphan_share: Share of vehicles or casualties without their collision above which the step fails; below
            it they are dropped and counted.
        keep_constant: Keep columns that are empty or have one value, so that every dataset has the same columns.
        report_columns: Columns to keep for reports (by subgroup, for example) whatever the model may know. Those that
            are no features anyway are marked, so that they never become one, and their codes are text.

    Returns:
        clean_data: Identifiers, the target column and the features, Parquet.
    """
    from roadsafety_components.core import clean, store
    from roadsafety_components.core.datasets import read_dataset

    given = {"collision": collisions, "vehicle": vehicles, "casualty": casualties}
    tables = {name: read_dataset(a.path, name) for name, a in given.items() if a}
    table = clean.preprocess(
        tables, unit, target, known_at, keep_location, max_orphan_share, keep_constant, report_columns
    )
    clean_data.metadata.update(store.write_dataset(table, clean_data.path))
