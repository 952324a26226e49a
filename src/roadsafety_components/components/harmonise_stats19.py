"""Step: tables of any generation in the terms of the 2024 release."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow"))
def harmonise_stats19(
    collisions: Input[Dataset],
    vehicles: Input[Dataset],
    casualties: Input[Dataset],
    harmonised_collisions: Output[Dataset],
    harmonised_vehicles: Output[Dataset],
    harmonised_casualties: Output[Dataset],
    revisions: Input[Dataset] = None,
):
    """Bring tables of any generation to one code list, that of the 2024 release, so that years can stand together.

    Junction detail, pedestrian crossing, carriageway hazards, manoeuvre, restricted lane and journey purpose have other
    codes before 2024. They are brought to the newer codes where the published code list allows it, and are missing
    where it does not, with a count by column in the metadata; the older codes stay in the *_historic columns. Where a
    file has both, the newer code stays. The vehicles get vehicle_make and vehicle_model, split from generic_make_model.

    Args:
        collisions: Collisions from load_stats19.
        vehicles: Vehicles from load_stats19.
        casualties: Casualties from load_stats19.
        revisions: The published file of historical revisions, or raw_files of download_stats19 with revisions; values
            that still are as first published are replaced, and counted.

    Returns:
        harmonised_collisions: Collisions in the codes of the 2024 release, Parquet.
        harmonised_vehicles: Vehicles in the codes of the 2024 release, Parquet.
        harmonised_casualties: Casualties in the codes of the 2024 release, Parquet.
    """
    from pathlib import Path

    from roadsafety_components.core import harmonise, store
    from roadsafety_components.core.datasets import read_dataset
    from roadsafety_components.core.revisions import read_revisions

    given = {"collision": collisions, "vehicle": vehicles, "casualty": casualties}
    tables = {name: read_dataset(artifact.path, name) for name, artifact in given.items()}
    tables = harmonise.harmonise(tables, read_revisions(Path(revisions.path)) if revisions else None)
    outputs = [harmonised_collisions, harmonised_vehicles, harmonised_casualties]
    written = store.write_datasets(list(tables.values()), [output.path for output in outputs])
    for output, facts in zip(outputs, written, strict=True):
        output.metadata.update(facts)
