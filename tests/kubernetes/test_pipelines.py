"""The compiled pipelines of the project with settings: what a user gets by changing one word."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from roadsafety_components import kubernetes as k8s
from roadsafety_components import spec_path
from roadsafety_components.kubernetes import plan, profiles
from roadsafety_components.packaging import local
from roadsafety_components.packaging.paths import specs_folder

PIPELINES = sorted(path.stem for path in (specs_folder() / "pipelines").glob("*.yaml"))
TEAM = k8s.Settings(
    image_pull_policy="IfNotPresent",
    image_pull_secrets=["registry"],
    run_as_user=1000,
    run_as_non_root=True,
    node_selector={"pool": "batch"},
    labels={"team": "road-safety"},
    steps={"download_stats19": k8s.Settings(retries=k8s.Retries(5), volumes={"downloads": "/downloads"})},
)
PLATFORM = {
    "imagePullPolicy": "IfNotPresent",
    "imagePullSecret": [
        {"secretName": "registry", "secretNameParameter": {"runtimeValue": {"constant": "registry"}}}
    ],
    "securityContext": {"runAsUser": "1000", "runAsNonRoot": True},
    "nodeSelector": {"labels": {"pool": "batch"}},
    "podMetadata": {"labels": {"team": "road-safety"}},
}  # fmt: skip
DOWNLOADS = {
    "constant": "downloads",
    "pvcNameParameter": {"runtimeValue": {"constant": "downloads"}},
    "mountPath": "/downloads",
}


def _documents(text: str) -> list[dict[str, Any]]:
    return list(yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("profile", ["small", "national-year"])
def test_every_step_of_every_pipeline(pipeline: str, profile: str):
    """Resources of the profile, the platform of the team; command, image and wiring as they were."""
    text = spec_path(pipeline).read_text()
    (before,) = _documents(text)
    executors = before["deploymentSpec"]["executors"]
    containers = {label: executor["container"] for label, executor in executors.items() if "container" in executor}
    steps = plan.steps(before)
    assert set(steps) == set(containers)
    lost = {step for step in steps.values() if not profiles.is_measured(profile, step)}
    settings = k8s.Settings(profile=profile, steps=dict.fromkeys(lost, k8s.Settings(memory_limit="1Gi"))) | TEAM
    spec, platform = _documents(settings.apply_to_spec(text))
    on = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert set(on) == set(containers)
    for label, step in steps.items():
        assert on[label] == PLATFORM | ({"pvcMount": [DOWNLOADS]} if step == "download_stats19" else {})
        container = spec["deploymentSpec"]["executors"][label]["container"]
        resources = container.pop("resources")
        if step in lost:
            assert resources == {"memoryLimit": 1.073741824, "resourceMemoryLimit": "1Gi"}
            assert "env" not in container
        else:
            expected = profiles.resources(profile, step)
            assert {
                "cpu_request": resources["resourceCpuRequest"],
                "cpu_limit": resources["resourceCpuLimit"],
                "memory_request": resources["resourceMemoryRequest"],
                "memory_limit": resources["resourceMemoryLimit"],
            } == expected
            assert resources["cpuLimit"] == 1.0
            assert container.pop("env") == [{"name": "OMP_NUM_THREADS", "value": "1"}]
    retried = _without_retries(spec)
    assert retried == {label for label, step in steps.items() if step == "download_stats19"}
    assert spec == before


def _without_retries(spec: dict[str, Any]) -> set[str]:
    """Take the retries out of a spec; the executors of the tasks that had them."""
    found = set()
    for part in (spec["root"], *spec["components"].values()):
        for task in part.get("dag", {}).get("tasks", {}).values():
            if task.pop("retryPolicy", None):
                found.add(spec["components"][task["componentRef"]["name"]]["executorLabel"])
    return found


def test_both_packagings_of_every_step_are_known_by_name():
    """What a profile and `steps` go by."""
    for step in json.loads((specs_folder() / "catalog.json").read_text())["steps"]:
        (spec,) = _documents((specs_folder() / step["spec"]).read_text())
        assert list(plan.steps(spec).values()) == [step["name"]]


def test_a_pipeline_with_a_platform_document_runs_on_a_laptop(tmp_path: Path):
    """kfp.local warns of resources, ignores the rest of what is for Kubernetes; the run ends as without."""
    spec = tmp_path / "pipeline.yaml"
    settings = k8s.Settings(profile="small", retries=k8s.Retries(1), shared_memory="1Gi") | TEAM
    spec.write_text(settings.apply_to_spec(spec_path("road_safety_sample_pipeline").read_text()))
    assert len(_documents(spec.read_text())) == 2
    arguments = {"collisions": 300, "n_estimators": 5}
    with pytest.warns(UserWarning, match="have no effect in the current local runner"):
        run = local.run_pipeline(spec, arguments, tmp_path / "out", tmp_path / "log")
    assert run.failed is None
    assert [step.name for step in run.steps][-1] == "evaluate_classifier"
    assert "evaluate-classifier.report" in run.artifacts
