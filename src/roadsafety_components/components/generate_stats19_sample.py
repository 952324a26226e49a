"""Step: a synthetic STATS19 data set."""

from typing import List

from kfp import dsl
from kfp.dsl import Dataset, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow"))
def generate_stats19_sample(
    collision_file: Output[Dataset],
    vehicle_file: Output[Dataset],
    casualty_file: Output[Dataset],
    collisions: int = 10000,
    seed: int = 0,
    years: List[int] = [2023, 2024],
):
    """Write a synthetic STATS19 data set: the three tables as CSV with the columns of the 2024 release.

    The records are invented: rates follow published ones, and severity depends on speed limit, road users, light
    and age, so that a model has something to learn. Every key begins with its year and SYN, so that the data say
    themselves that they are synthetic. The same seed gives the same bytes.

    Args:
        collisions: How many collisions, over all years.
        seed: Seed of the random numbers.
        years: Calendar years to spread the collisions over.

    Returns:
        collision_file: Collisions, CSV as published.
        vehicle_file: Vehicles, CSV as published.
        casualty_file: Casualties, CSV as published.
    """
    from pathlib import Path

    from roadsafety_components.core import sample

    outputs = {"collision": collision_file, "vehicle": vehicle_file, "casualty": casualty_file}
    paths = {table: Path(output.path) for table, output in outputs.items()}
    rows = sample.write_sample(int(collisions), paths, int(seed), years)
    for table, output in outputs.items():
        output.metadata.update({"synthetic": True, "table": table, "rows": rows[table], "seed": int(seed)})
