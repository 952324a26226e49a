"""Profiles: what was measured, what becomes of it, and that the page shows it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from roadsafety_components import spec_path
from roadsafety_components.core.errors import InputError
from roadsafety_components.kubernetes import PROFILES, profiles, read_settings, rules
from roadsafety_components.kubernetes.plan import number
from roadsafety_components.packaging.paths import specs_folder

MEASURED = [(profile, step) for profile in profiles.measured() if profile in PROFILES
            for step in profiles.measured()[profile]["steps"]]  # fmt: skip


def _library() -> set[str]:
    return {step["name"] for step in json.loads((specs_folder() / "catalog.json").read_text())["steps"]}


def test_a_request_is_what_was_measured_and_a_limit_half_as_much_again(monkeypatch: pytest.MonkeyPatch):
    """Rounded up: the request to MiB, the limit to 256 MiB, cores to tenths; pip's memory is the least."""
    figures = {
        "install": {"memory_bytes": 100 * 2**20},
        "small": {
            "steps": {
                "a": {"memory_bytes": 400.5 * 2**20, "cpu_seconds": 7.1, "seconds": 10},
                "b": {"memory_bytes": 60 * 2**20, "cpu_seconds": 0.1, "seconds": 10},
                "c": {"memory_bytes": 512 * 2**20, "cpu_seconds": 11, "seconds": 10},
            }
        },
    }
    monkeypatch.setattr(profiles, "measured", lambda: figures)
    assert profiles.resources("small", "a") == {
        "cpu_request": "800m", "cpu_limit": "1", "memory_request": "401Mi", "memory_limit": "768Mi",
    }  # fmt: skip
    assert profiles.resources("small", "b") == {
        "cpu_request": "100m", "cpu_limit": "1", "memory_request": "100Mi", "memory_limit": "256Mi",
    }  # fmt: skip
    assert profiles.resources("small", "c") == {
        "cpu_request": "1000m", "cpu_limit": "1", "memory_request": "512Mi", "memory_limit": "768Mi",
    }  # fmt: skip
    assert profiles.is_measured("small", "a")
    assert not profiles.is_measured("small", "d")


@pytest.mark.parametrize(("profile", "step"), MEASURED)
def test_what_was_measured_can_be_asked_of_a_cluster(profile: str, step: str):
    """Good quantities, no request above its limit, the limit well above what was measured."""
    found = profiles.resources(profile, step)
    for name, quantity in found.items():
        assert rules.RULES[name][0](quantity)
    assert number(found["cpu_request"]) <= number(found["cpu_limit"])
    assert number(found["memory_request"]) <= number(found["memory_limit"])
    taken = profiles.measured()[profile]["steps"][step]["memory_bytes"]
    assert number(found["memory_limit"]) * 1e9 >= 1.5 * taken


def test_every_profile_is_measured_on_data_that_it_names():
    """In the order of their size, pip first."""
    assert list(profiles.measured()) == ["install", *PROFILES]
    assert all(profiles.measured()[profile]["data"] for profile in PROFILES)


def test_every_step_is_measured_or_the_page_says_that_it_is_not(checkout: Path):
    """A step that is added: run `make profiles`, or name it on the page."""
    page = (checkout / "docs/kubernetes.md").read_text()
    not_measured = _library() - {step for _, step in MEASURED}
    told = page.partition("Not measured at any size: ")[2].partition(".\n")[0]
    assert not_measured == {word.strip(" `\n") for word in told.split(",") if word}


def test_the_page_shows_what_was_measured(checkout: Path):
    """The table between the two marks is the one that `make profiles` writes."""
    page = (checkout / "docs/kubernetes.md").read_text()
    begin, end = "<!-- measured: make profiles -->\n", "<!-- end -->\n"
    assert page.partition(begin)[2].partition(end)[0] == profiles.table()


def _page_settings(checkout: Path) -> tuple[str, str]:
    """The file of the page, and the line that it adds to it."""
    page = (checkout / "docs/kubernetes.md").read_text()
    file, line = re.findall(r"^```yaml\n(.*?)^```$", page, re.M | re.S)
    return file, line


@pytest.mark.parametrize("pipeline", sorted(path.stem for path in (specs_folder() / "pipelines").glob("*.yaml")))
def test_the_file_of_the_page_serves_every_pipeline(
    pipeline: str, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """But the one with a step of its own, as the page says; with the page's line that one as well."""
    monkeypatch.chdir(tmp_path)
    file, line = _page_settings(checkout)
    Path("settings.yaml").write_text(file)
    text = spec_path(pipeline).read_text()
    if pipeline == "breast_cancer_pipeline":
        with pytest.raises(InputError) as refused:
            read_settings("settings.yaml").apply_to_spec(text)
        assert str(refused.value) in (checkout / "docs/kubernetes.md").read_text().replace("\n", " ")
        Path("settings.yaml").write_text(file + line)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    spec, _ = yaml.load_all(read_settings("settings.yaml").apply_to_spec(text), loader)
    for executor in spec["deploymentSpec"]["executors"].values():
        assert "importer" in executor or executor["container"]["resources"]["resourceMemoryLimit"]
    if pipeline == "serve_model_pipeline":
        assert spec["root"]["dag"]["tasks"]["deploy-kserve"]["retryPolicy"]["maxRetryCount"] == 0
        assert spec["root"]["dag"]["tasks"]["export-model"]["retryPolicy"]["maxRetryCount"] == 2


def test_the_page_can_be_followed(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its file is good settings, its Python runs, and what it writes is a pipeline for a cluster."""
    page = (checkout / "docs/kubernetes.md").read_text()
    monkeypatch.chdir(tmp_path)
    Path("settings.yaml").write_text(_page_settings(checkout)[0])
    found: dict[str, Any] = {}
    for text in re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S):
        exec(text, found)
    spec, platform = yaml.safe_load_all(Path("cluster.yaml").read_text())
    on = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert set(on) == {label for label, e in spec["deploymentSpec"]["executors"].items() if "container" in e}
    assert on["exec-train-classifier"]["securityContext"] == {"runAsUser": "1000", "runAsNonRoot": True}
    mine = found["my_pipeline"]
    executors = mine.platform_spec.platforms["kubernetes"].deployment_spec.executors
    assert "secretAsVolume" in executors["exec-load-stats19"]
    assert "secretAsVolume" not in executors["exec-preprocess-collisions"]
