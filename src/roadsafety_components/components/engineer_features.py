"""Step: the features of a severity model, added to a table that has none but the recorded columns."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow"))
def engineer_features(
    data: Input[Dataset],
    collisions: Input[Dataset],
    features: Output[Dataset],
    vehicles: Input[Dataset] = None,
    cell_km: float = 0.0,
):
    """Add features of a severity model: calendar, sun, road, all vehicles of the collision, the other vehicle.

    Each row follows from the rows of its collision alone: nothing is fitted, and the columns added are the same for
    every year and for a single collision. What may be used follows from known_at of the data: no vehicle for before.

    Args:
        data: Clean data of preprocess_collisions, of harmonised tables, at any unit; keep_constant there keeps the
            other columns the same for every year, too. A part of split_dataset will do.
        collisions: Collisions from harmonise_stats19 that the data was made of.
        vehicles: Vehicles from harmonise_stats19; needed unless known_at of the data is before.
        cell_km: Width in kilometres of the squares that the column cell names; 0 for no such column.

    Returns:
        features: The rows and columns of the data, then the features, Parquet.
    """
    from roadsafety_components.core import store
    from roadsafety_components.core.datasets import read_dataset
    from roadsafety_components.core.engineer import engineer

    given = {"collision": collisions, "vehicle": vehicles}
    tables = {name: read_dataset(a.path, name) for name, a in given.items() if a}
    table = engineer(read_dataset(data.path, "data"), tables["collision"], tables.get("vehicle"), float(cell_km))
    features.metadata.update(store.write_dataset(table, features.path))
