"""The built wheel, not the checkout: what `pip install` of a release gives."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def installed(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the wheel's content."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def _python(installed: Path, folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(installed)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_carries_every_spec(installed, checkout):
    """Byte for byte those of the checkout, with licence and type marker."""
    there = {p.relative_to(installed / "roadsafety_components/_specs"): p.read_bytes()
             for p in (installed / "roadsafety_components/_specs").rglob("*.*")}  # fmt: skip
    ours = {p.relative_to(checkout / "component_specs"): p.read_bytes()
            for p in (checkout / "component_specs").rglob("*.*")}  # fmt: skip
    assert there == ours
    assert (installed / "roadsafety_components/py.typed").exists()
    assert list(installed.glob("*.dist-info/licenses/LICENSE"))


def test_spec_path_is_inside_the_wheel(installed, tmp_path):
    """`spec_path` needs no checkout."""
    done = _python(installed, tmp_path, "-c",
                   "import roadsafety_components as r; print(r.spec_path('train_classifier'))")  # fmt: skip
    assert done.stdout.strip() == str(installed / "roadsafety_components/_specs/train_classifier.yaml")


def test_the_main_job_runs_from_the_wheel(installed, tmp_path):
    """`roadsafety run` takes the compiled pipeline that travels in the wheel."""
    done = _python(installed, tmp_path, "-m", "roadsafety_components.cli", "run", "--sample", 400, "--output", "out",
                   "--param", "n_estimators=5")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out/evaluate-classifier-report.html").exists()


def test_the_wheels_own_specs_cannot_be_overwritten(installed, tmp_path):
    """`specs write` in an installed package asks for a folder, and there writes the steps for another registry."""
    done = _python(installed, tmp_path, "-m", "roadsafety_components.cli", "specs", "write")
    assert done.returncode == 2
    assert "give --output FOLDER" in done.stderr
    done = _python(installed, tmp_path, "-m", "roadsafety_components.cli", "specs", "write", "--output", "mine",
                   "--image", "registry.example/roads:9")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "registry.example/roads:9" in (tmp_path / "mine/container/load_stats19.yaml").read_text()
