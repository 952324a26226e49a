"""Step: published STATS19 files to canonical typed tables."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("httpx", "pandas", "pyarrow", "tenacity"))
def load_stats19(
    collisions: Output[Dataset],
    vehicles: Output[Dataset],
    casualties: Output[Dataset],
    source: str = "",
    collision_file: Input[Dataset] = None,
    vehicle_file: Input[Dataset] = None,
    casualty_file: Input[Dataset] = None,
    unknown_codes: str = "error",
    raw_files: Input[Dataset] = None,
    year: int = 0,
    allow_private_addresses: bool = False,
):
    """Read the three STATS19 tables of any generation to canonical columns and types, as Parquet.

    The generation is told from the header; files of several may be read together. Names become those of the 2024
    release, each column's own missing codes become null, keys and area codes stay text. What cannot be read right
    (unlisted codes, keys that are not unique, damaged rows) stops the step, with the place in the message.

    Args:
        source: A folder with the three tables; or files and http(s) URLs separated by blanks, where {table} stands
            for collision, vehicle and casualty. Plain, gzipped or zipped CSV. Empty when files are given.
        collision_file: Collision (accident) table, instead of source.
        vehicle_file: Vehicle table, instead of source.
        casualty_file: Casualty table, instead of source.
        unknown_codes: What to do with a code that is in no code list, error or null (missing, and counted).
        raw_files: Files from download_stats19, instead of source.
        year: Only this year of raw_files; 0 for all.
        allow_private_addresses: Whether a server may be in a private network or on this machine, as a mirror in
            a closed cluster is. Otherwise such an address is refused, also behind a name or a redirect.

    Returns:
        collisions: One row a collision, canonical columns, Parquet.
        vehicles: One row a vehicle, canonical columns, Parquet.
        casualties: One row a casualty, canonical columns, Parquet.
    """
    from pathlib import Path

    from roadsafety_components.core import read, store

    given = {
        "collision": collision_file, "vehicle": vehicle_file, "casualty": casualty_file, "raw_files": raw_files
    }  # fmt: skip
    files = {name: Path(artifact.path) for name, artifact in given.items() if artifact}
    tables = read.load_tables(source, files, unknown_codes, int(year), allow_private_addresses)
    outputs = {"collision": collisions, "vehicle": vehicles, "casualty": casualties}
    written = store.write_datasets([tables[name] for name in outputs], [output.path for output in outputs.values()])
    for output, facts in zip(outputs.values(), written, strict=True):
        output.metadata.update(facts)
