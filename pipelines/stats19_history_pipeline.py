"""Many years of STATS19 records to one trustworthy dataset: each year on its own, then merged and checked.

kfp dsl compile --py pipelines/stats19_history_pipeline.py --output stats19_history_pipeline.yaml
"""

from typing import Dict, List

from kfp import dsl

from roadsafety_components import components


@dsl.pipeline(
    name="stats19-history",
    description="Download years of STATS19 records, bring each to one code list, merge them by year, check the whole.",
)
def stats19_history_pipeline(
    releases: List[str] = ["last-5-years"],
    years: List[int] = [2020, 2021, 2022, 2023, 2024],
    base_url: str = "https://data.dft.gov.uk/road-accidents-safety-data/",
    file_name: str = "dft-road-casualty-statistics-{table}-{release}.csv",
    table_names: Dict[str, str] = {},
    cache_folder: str = "",
    unknown_codes: str = "null",
    fail_on: List[str] = ["keys", "links"],
    allow_private_addresses: bool = False,
):
    """A loop over the years: side by side on a cluster, one after the other on a laptop, each step bounded by a year.

    Args:
        releases: What to download, see download_stats19; 1979-latest for the whole history.
        years: Years to load from the releases.
        base_url: Where the files are, see download_stats19.
        file_name: Name of a file there, see download_stats19.
        table_names: What the tables are called there, see download_stats19.
        cache_folder: Folder that outlives the run, for downloads.
        unknown_codes: What to do with a code that is in no code list, error or null (missing, and counted).
        fail_on: Findings that stop the run, see validate_stats19.
        allow_private_addresses: Whether base_url may be a mirror in a private network, see download_stats19.
    """
    raw = components.download_stats19(
        releases=releases,
        base_url=base_url,
        file_name=file_name,
        table_names=table_names,
        cache_folder=cache_folder,
        allow_private_addresses=allow_private_addresses,
    )
    raw.set_caching_options(False)  # the same release may be another file tomorrow
    with dsl.ParallelFor(years, parallelism=8) as year:
        loaded = components.load_stats19(
            raw_files=raw.outputs["raw_files"],
            year=year,
            unknown_codes=unknown_codes,
        )
        harmonised = components.harmonise_stats19(
            collisions=loaded.outputs["collisions"],
            vehicles=loaded.outputs["vehicles"],
            casualties=loaded.outputs["casualties"],
        )
    merged = {
        table: components.merge_datasets(parts=dsl.Collected(harmonised.outputs[f"harmonised_{table}"]))
        for table in ("collisions", "vehicles", "casualties")
    }
    components.validate_stats19(
        collisions=merged["collisions"].outputs["merged"],
        vehicles=merged["vehicles"].outputs["merged"],
        casualties=merged["casualties"].outputs["merged"],
        fail_on=fail_on,
    )
