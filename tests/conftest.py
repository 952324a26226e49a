"""What tests share: the real records, a small sample, a Docker engine where there is one."""

import json
import os
from pathlib import Path

import kfp
import pytest

from roadsafety_components.core.sample import write_sample
from roadsafety_components.core.schema import TABLES

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Return the top folder of the project."""
    return CHECKOUT


@pytest.fixture(scope="session")
def same_sdk(checkout: Path) -> None:
    """Skip where another kfp is installed than the committed specs were compiled with: two strings in them differ."""
    theirs = json.loads((checkout / "component_specs/catalog.json").read_text())["kfp"]
    if kfp.__version__ != theirs:
        pytest.skip(f"the committed specs are those of kfp {theirs}")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of the real records; skipped only where nobody named one."""
    named = os.environ.get("ROADSAFETY_REAL_DATA")
    if not named:
        pytest.skip("ROADSAFETY_REAL_DATA names no folder")
    folder = Path(named)
    assert folder.is_dir(), f"ROADSAFETY_REAL_DATA is {named}, which is no folder"
    return folder


@pytest.fixture(scope="session")
def west_yorkshire(real_data: Path) -> Path:
    """Return the folder of West Yorkshire 2024."""
    return real_data / "stats19_west_yorkshire_2024"


@pytest.fixture(scope="session")
def great_britain(real_data: Path) -> Path:
    """Return the folder of Great Britain 2015, zipped as published."""
    return real_data / "stats19_great_britain_2015"


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with 600 synthetic collisions as CSV."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(600, {table: folder / f"synthetic-{table}.csv" for table in TABLES})
    return folder
