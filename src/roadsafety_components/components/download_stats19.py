"""Step: published STATS19 releases, fetched and cut by year."""

from typing import Dict, List

from kfp import dsl
from kfp.dsl import Dataset, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("httpx", "numpy", "tenacity"))
def download_stats19(
    raw_files: Output[Dataset],
    releases: List[str] = ["2024"],
    tables: List[str] = ["collision", "vehicle", "casualty"],
    base_url: str = "https://data.dft.gov.uk/road-accidents-safety-data/",
    file_name: str = "dft-road-casualty-statistics-{table}-{release}.csv",
    table_names: Dict[str, str] = {},
    revisions: bool = False,
    sha256: Dict[str, str] = {},
    cache_folder: str = "",
    attempts: int = 5,
    stall_seconds: float = 30.0,
    allow_private_addresses: bool = False,
):
    """Fetch STATS19 files as the Department for Transport publishes them, one file a table and year.

    Downloads are tried again, continued where they broke off and checked; files that hold several years are cut by
    the year in their keys, otherwise byte for byte as published. A web page in place of data, a damaged archive, a
    release that is not there and keys without a year stop the step, and nothing is left.

    Args:
        releases: What to fetch: years (2024), ranges of years (2020-2024), last-5-years, 1979-latest or
            provisional-2025. No two may hold the same year.
        tables: Which of collision, vehicle and casualty to fetch.
        base_url: Where the files are, http or https.
        file_name: Name of a file there, with {table} and {release} for what changes. Without {table} it is an archive
            of all tables, as DfT had for the years before 2015, and every CSV in it is taken. CSV, gzip or zip.
        table_names: What {table} is on that server where it is not the table's own name, e.g. Accidents for
            collision.
        revisions: Whether to fetch DfT's list of historical revisions too.
        sha256: Digest that a file must have, by file name; another one is an error.
        cache_folder: Folder that outlives the run, e.g. a mounted volume: a file that is there whole is fetched again
            only if the server has another, and used as it is if the server cannot be reached. Empty for none.
        attempts: How often to try a download before giving up.
        stall_seconds: How long the server may say nothing before a try counts as failed.
        allow_private_addresses: Whether a server may be in a private network or on this machine, as a mirror in
            a closed cluster is. Otherwise such an address is refused, also behind a name or a redirect.

    Returns:
        raw_files: Folder with YEAR/TABLE-YEAR.csv, and revisions.csv if asked for.
    """
    from roadsafety_components.core import download

    facts = download.download(
        raw_files.path, releases, tables, base_url, file_name, table_names, revisions, sha256, cache_folder,
        int(attempts), stall_seconds, allow_private_addresses=allow_private_addresses,
    )  # fmt: skip
    raw_files.metadata.update(facts)
