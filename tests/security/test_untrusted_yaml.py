"""Pipelines and specs as YAML that somebody else wrote."""

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from roadsafety_components.cli.pipelines import load_pipeline
from roadsafety_components.core.errors import InputError
from roadsafety_components.packaging import paths

LAUGHS = "a0: &a0 [lol]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12))


@pytest.mark.parametrize(
    "attack",
    [
        "!!python/object/apply:os.system ['touch exploded']\n",
        "a: !!python/object/apply:subprocess.check_output [[touch, exploded]]\n",
        "!!python/name:os.system\n",
        "!!python/module:antigravity\n",
    ],
)
def test_a_tag_that_would_run_code_is_refused(tmp_path: Path, monkeypatch, attack: str) -> None:
    """No loader here knows the tags of Python objects."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").write_text(attack)
    with pytest.raises(InputError, match="is not a compiled pipeline"):
        load_pipeline(tmp_path / "x.yaml")
    assert [p.name for p in tmp_path.iterdir()] == ["x.yaml"]


@pytest.mark.parametrize("pipeline", [LAUGHS, "a: &a {b: 1}\nc: {<<: *a}\n", "a: &a [*a]\n"])
def test_aliases_are_refused_before_they_are_followed(tmp_path: Path, pipeline: str) -> None:
    """Twelve lines that stand for 10^11 words; no compiled pipeline has an alias."""
    (tmp_path / "x.yaml").write_text(pipeline)
    began = time.monotonic()
    with pytest.raises(InputError, match=r"has a YAML alias, \*a"):
        load_pipeline(tmp_path / "x.yaml")
    assert time.monotonic() - began < 5


def test_a_file_that_is_larger_than_any_pipeline_is_not_read(tmp_path: Path) -> None:
    """By its size alone."""
    with (tmp_path / "x.yaml").open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(InputError, match="no cluster takes a pipeline of that size"):
        load_pipeline(tmp_path / "x.yaml")


@pytest.mark.parametrize("pipeline", ["[" * 100_000, "".join(" " * i + "a:\n" for i in range(2000))])
def test_nesting_without_end_is_refused(tmp_path: Path, pipeline: str) -> None:
    """In a process of its own: a reader of all of it would not come back for minutes."""
    (tmp_path / "x.yaml").write_text(pipeline)
    command = [sys.executable, "-m", "roadsafety_components.cli", "run", str(tmp_path / "x.yaml")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 2, done.stderr[-500:]
    assert "is nested over 100 levels deep" in done.stderr


def test_the_pipelines_that_are_published_are_loaded() -> None:
    """None of them has what is refused."""
    files = sorted((paths.specs_folder() / "pipelines").glob("*.yaml"))
    assert len(files) >= 8
    for file in files[:2]:
        assert load_pipeline(file).pipeline_spec.pipeline_info.name


def test_the_catalog_tells_the_digest_of_every_spec() -> None:
    """So a spec that was changed on its way is found out: sha256sum and a look into catalog.json."""
    folder = paths.specs_folder()
    catalog = json.loads((folder / "catalog.json").read_text())
    listed = {entry["spec"]: entry["digest"] for entry in [*catalog["steps"], *catalog["pipelines"]]}
    assert listed
    for name, digest in listed.items():
        assert digest == "sha256:" + hashlib.sha256((folder / name).read_bytes()).hexdigest(), name
