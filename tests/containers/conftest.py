"""A Docker engine, the stand-in for the stock Python image, the project's image."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from roadsafety_components.packaging.images import BASE_IMAGE, IMAGE, SERVING_IMAGE

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def engine() -> Iterator[None]:
    """Make sure that a Docker engine answers; skipped only where none is required."""
    answers = subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
    if not answers:
        if os.environ.get("ROADSAFETY_REQUIRE_CONTAINERS"):
            pytest.fail("no Docker engine answers, and ROADSAFETY_REQUIRE_CONTAINERS asks for one")
        pytest.skip("no Docker engine answers")
    yield


@pytest.fixture(scope="session")
def base_image(engine: None) -> str:
    """Return the stock Python image's name; it is there, pulled or made."""
    if subprocess.run(["docker", "image", "inspect", BASE_IMAGE], capture_output=True, check=False).returncode:
        subprocess.run(["bash", HERE / "make_base_image.sh", BASE_IMAGE], check=True)
    return BASE_IMAGE


@pytest.fixture(scope="session")
def sample(sample: Path) -> Path:
    """Return the sample where a container's user may read it."""
    for folder in (sample, *sample.parents[:2]):
        folder.chmod(0o755)
    return sample


@pytest.fixture(scope="session")
def image(base_image: str, checkout: Path) -> str:
    """Return the name of the project's image, built from this checkout."""
    subprocess.run(["make", "--no-print-directory", "image", f"IMAGE={IMAGE}"], cwd=checkout, check=True)
    return IMAGE


@pytest.fixture(scope="session")
def serving_image(image: str, checkout: Path) -> str:
    """Return the name of the image of the serving steps, built from this checkout."""
    command = ["make", "--no-print-directory", "image", "TARGET=serving", f"IMAGE={image}"]
    subprocess.run(command, cwd=checkout, check=True)
    return SERVING_IMAGE
