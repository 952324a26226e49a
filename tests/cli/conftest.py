"""The command as a user runs it: in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def roadsafety(tmp_path: Path) -> Command:
    """Return a function that runs `roadsafety` with words in an empty folder, wide enough that nothing wraps."""

    def call(*words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "roadsafety_components.cli", *map(str, words)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "COLUMNS": "400"},
        )

    return call


@pytest.fixture(scope="session")
def tables(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sample's three canonical tables."""
    from roadsafety_components.core import read, store

    folder = tmp_path_factory.mktemp("tables")
    for name, table in read.load_tables(str(sample), {}).items():
        store.write_dataset(table, folder / f"{name}.parquet")
    return folder
