"""Specs for another registry."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def roadsafety_specs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with specs written for another image."""
    folder = tmp_path_factory.mktemp("specs")
    command = [sys.executable, "-m", "roadsafety_components.cli", "specs", "write"]
    subprocess.run([*command, "--image", "registry.example/roads:9", "--output", folder], check=True)
    return folder
