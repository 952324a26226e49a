"""What settings become in the compiled pipeline: field by field, for a task, a loop, a condition, a nested pipeline."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import compiler, components, dsl

from roadsafety_components import kubernetes as k8s
from roadsafety_components import spec_path
from roadsafety_components.core.errors import InputError


@dsl.component(base_image="python:3.11-slim")
def count(start: int = 0) -> int:
    """Count on."""
    return start + 1


@dsl.component(base_image="python:3.11-slim")
def tell(what: int):
    """Tell."""
    print(what)


@dsl.container_component
def echo():
    """Run another image, which says nothing of a step."""
    return dsl.ContainerSpec(image="alpine:3.20", command=["echo"], args=["hello"])


EVERYTHING = k8s.Settings(
    cpu_request="250m",
    cpu_limit=2,
    memory_request="500M",
    memory_limit="4Gi",
    retries=k8s.Retries(3, wait_seconds=30, factor=3, give_up_seconds=900),
    timeout_seconds=600,
    image_pull_policy="IfNotPresent",
    image_pull_secrets=["registry"],
    run_as_user=1000,
    run_as_group=100,
    run_as_non_root=True,
    node_selector={"pool": "batch"},
    tolerations=[{"key": "dedicated", "operator": "Equal", "value": "batch", "effect": "NoSchedule"}],
    labels={"team": "road-safety"},
    annotations={"sidecar.istio.io/inject": "false"},
    env={"HTTPS_PROXY": "http://proxy:3128"},
    secret_env={"mirror": {"token": "MIRROR_TOKEN"}},
    secret_files={"ca-bundle": "/etc/ca"},
    config_env={"addresses": {"mirror": "MIRROR_URL"}},
    config_files={"pip": "/etc/pip"},
    volumes={"downloads": "/downloads"},
    scratch={"/tmp": "10Gi"},
    shared_memory="1Gi",
)
RESOURCES = {
    "cpuRequest": 0.25, "resourceCpuRequest": "250m",
    "cpuLimit": 2.0, "resourceCpuLimit": "2",
    "memoryRequest": 0.5, "resourceMemoryRequest": "500M",
    "memoryLimit": 4.294967296, "resourceMemoryLimit": "4Gi",
}  # fmt: skip
ENV = [{"name": "OMP_NUM_THREADS", "value": "2"}, {"name": "HTTPS_PROXY", "value": "http://proxy:3128"}]
RETRY = {"maxRetryCount": 3, "backoffDuration": "30s", "backoffFactor": 3.0, "backoffMaxDuration": "900s"}


def _named(field: str, name: str) -> dict[str, Any]:
    """A name of the cluster as kfp-kubernetes 2.17 writes it: for old backends and for new ones."""
    return {field: name, f"{field}Parameter": {"runtimeValue": {"constant": name}}}


PLATFORM = {
    "activeDeadlineSeconds": "600",
    "imagePullPolicy": "IfNotPresent",
    "imagePullSecret": [_named("secretName", "registry")],
    "securityContext": {"runAsUser": "1000", "runAsGroup": "100", "runAsNonRoot": True},
    "nodeSelector": {"labels": {"pool": "batch"}},
    "tolerations": [{"key": "dedicated", "operator": "Equal", "value": "batch", "effect": "NoSchedule"}],
    "podMetadata": {"labels": {"team": "road-safety"}, "annotations": {"sidecar.istio.io/inject": "false"}},
    "secretAsEnv": [
        _named("secretName", "mirror")
        | {"keyToEnv": [{"secretKey": "token", "envVar": "MIRROR_TOKEN"}], "optional": False}
    ],
    "secretAsVolume": [_named("secretName", "ca-bundle") | {"mountPath": "/etc/ca", "optional": False}],
    "configMapAsEnv": [
        _named("configMapName", "addresses")
        | {"keyToEnv": [{"configMapKey": "mirror", "envVar": "MIRROR_URL"}], "optional": False}
    ],
    "configMapAsVolume": [_named("configMapName", "pip") | {"mountPath": "/etc/pip", "optional": False}],
    "pvcMount": [
        {
            "constant": "downloads",
            "pvcNameParameter": {"runtimeValue": {"constant": "downloads"}},
            "mountPath": "/downloads",
        }
    ],
    "emptyDirMounts": [
        {"volumeName": "scratch-tmp", "mountPath": "/tmp", "sizeLimit": "10Gi"},
        {"volumeName": "shm", "mountPath": "/dev/shm", "medium": "Memory", "sizeLimit": "1Gi"},
    ],
}


def _compiled(pipeline: Any, folder: Path) -> list[dict[str, Any]]:
    path = folder / "pipeline.yaml"
    compiler.Compiler().compile(pipeline, str(path))
    return list(yaml.safe_load_all(path.read_text()))


def _three_ways(pipeline: Any, settings: k8s.Settings, folder: Path) -> list[dict[str, Any]]:
    """The documents of the pipeline with its settings: by decorator and by compiled YAML alike."""
    decorated = _compiled(settings.apply(pipeline), folder)
    _compiled(pipeline, folder)
    text = settings.apply_to_spec((folder / "pipeline.yaml").read_text())
    assert list(yaml.safe_load_all(text)) == decorated
    return decorated


def _container(spec: dict[str, Any], label: str) -> dict[str, Any]:
    return spec["deploymentSpec"]["executors"][label]["container"]


def _on(platform: dict[str, Any]) -> dict[str, Any]:
    assert list(platform) == ["platforms"]
    assert list(platform["platforms"]) == ["kubernetes"]
    assert list(platform["platforms"]["kubernetes"]) == ["deploymentSpec"]
    return platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def test_a_single_task_every_field(tmp_path: Path):
    """Resources, environment and retries in the portable spec, all else in the platform spec; in three ways alike."""

    @dsl.pipeline(name="one")
    def by_task():
        EVERYTHING.apply(count())

    @dsl.pipeline(name="one")
    def plain():
        count()

    spec, platform = _compiled(by_task, tmp_path)
    assert _container(spec, "exec-count")["resources"] == RESOURCES
    assert _container(spec, "exec-count")["env"] == ENV
    assert spec["root"]["dag"]["tasks"]["count"]["retryPolicy"] == RETRY
    assert _on(platform) == {"exec-count": PLATFORM}
    assert _three_ways(plain, EVERYTHING, tmp_path) == [spec, platform]


def test_a_loop_a_condition_and_a_nested_pipeline(tmp_path: Path):
    """Every step in them gets all of it, each in the list of tasks where it stands; what is no step gets nothing."""

    @dsl.pipeline(name="inner")
    def inner(start: int = 0) -> int:
        return count(start=start).output

    @dsl.pipeline(name="outer")
    def outer():
        nested = inner(start=1)
        first = count()
        with dsl.ParallelFor([1, 2]) as number:
            tell(what=number)
        with dsl.If(first.output == 1):
            tell(what=nested.output)
        dsl.importer(artifact_uri="/there", artifact_class=dsl.Dataset)

    spec, platform = _three_ways(outer, EVERYTHING, tmp_path)
    steps = {"exec-count", "exec-count-2", "exec-tell", "exec-tell-2"}
    assert set(spec["deploymentSpec"]["executors"]) == {*steps, "exec-importer"}
    assert _on(platform) == dict.fromkeys(steps, PLATFORM)
    for label in steps:
        assert _container(spec, label)["resources"] == RESOURCES
        assert _container(spec, label)["env"] == ENV
    retried = {
        (name, task): "retryPolicy" in content
        for name, part in {"root": spec["root"], **spec["components"]}.items()
        for task, content in part.get("dag", {}).get("tasks", {}).items()
    }
    assert retried == {
        ("root", "count"): True,
        ("root", "importer"): False,
        ("root", "inner"): False,
        ("root", "for-loop-2"): False,
        ("root", "condition-3"): False,
        ("comp-inner", "count"): True,
        ("comp-for-loop-2", "tell"): True,
        ("comp-condition-3", "tell-2"): True,
    }


def test_steps_have_parts_of_their_own(tmp_path: Path):
    """By the name of the function in the lightweight packaging, else by the name of the task."""

    @dsl.pipeline(name="two")
    def pipeline():
        count()
        tell(what=1)
        echo()

    settings = k8s.Settings(
        labels={"team": "a"},
        steps={
            "count": k8s.Settings(retries=k8s.Retries(1), volumes={"downloads": "/downloads"}),
            "echo": k8s.Settings(memory_limit="64Mi", labels={"image": "alpine"}),
        },
    )
    spec, platform = _three_ways(pipeline, settings, tmp_path)
    assert _on(platform) == {
        "exec-count": {"podMetadata": {"labels": {"team": "a"}}, "pvcMount": [
            {"constant": "downloads", "pvcNameParameter": {"runtimeValue": {"constant": "downloads"}},
             "mountPath": "/downloads"}
        ]},
        "exec-tell": {"podMetadata": {"labels": {"team": "a"}}},
        "exec-echo": {"podMetadata": {"labels": {"team": "a", "image": "alpine"}}},
    }  # fmt: skip
    tasks = spec["root"]["dag"]["tasks"]
    assert {name: "retryPolicy" in task for name, task in tasks.items()} == {
        "count": True,
        "tell": False,
        "echo": False,
    }
    assert _container(spec, "exec-echo")["resources"] == {"memoryLimit": 0.067108864, "resourceMemoryLimit": "64Mi"}
    assert "resources" not in _container(spec, "exec-count")
    assert "env" not in _container(spec, "exec-echo")  # no limit of cores, no number of threads


def test_what_a_task_has_already_stays(tmp_path: Path):
    """The pipeline's settings fill in what a task has not; mounts of one path are not made twice."""

    @dsl.pipeline(name="special")
    def pipeline():
        task = count()
        k8s.Settings(
            memory_limit="16Gi", cpu_limit=4, retries=k8s.Retries(9), timeout_seconds=7, shared_memory="2Gi",
            labels={"team": "mine"}, env={"HTTPS_PROXY": "none"},
        ).apply(task)  # fmt: skip

    spec, platform = _three_ways(pipeline, EVERYTHING, tmp_path)
    assert _container(spec, "exec-count")["resources"] == RESOURCES | {
        "memoryLimit": 17.179869184, "resourceMemoryLimit": "16Gi", "cpuLimit": 4.0, "resourceCpuLimit": "4",
    }  # fmt: skip
    assert _container(spec, "exec-count")["env"] == [
        {"name": "OMP_NUM_THREADS", "value": "4"},
        {"name": "HTTPS_PROXY", "value": "none"},
    ]
    assert spec["root"]["dag"]["tasks"]["count"]["retryPolicy"]["maxRetryCount"] == 9
    shm = {"volumeName": "shm", "mountPath": "/dev/shm", "medium": "Memory", "sizeLimit": "2Gi"}
    assert _on(platform)["exec-count"] == PLATFORM | {
        "activeDeadlineSeconds": "7",
        "podMetadata": {"labels": {"team": "mine"}, "annotations": {"sidecar.istio.io/inject": "false"}},
        "emptyDirMounts": [PLATFORM["emptyDirMounts"][0], shm],
    }


def test_settings_of_a_task_go_one_over_the_other(tmp_path: Path):
    """The last one goes before, as with KFP's own setters."""

    @dsl.pipeline(name="twice")
    def pipeline():
        task = EVERYTHING.apply(count().set_memory_limit("1Gi"))
        k8s.Settings(timeout_seconds=7, labels={"more": "1"}, shared_memory="2Gi").apply(task)

    spec, platform = _compiled(pipeline, tmp_path)
    assert _container(spec, "exec-count")["resources"] == RESOURCES
    found = _on(platform)["exec-count"]
    assert found["activeDeadlineSeconds"] == "7"
    assert found["podMetadata"]["labels"] == {"team": "road-safety", "more": "1"}
    assert [mount["sizeLimit"] for mount in found["emptyDirMounts"]] == ["10Gi", "2Gi"]


def test_twice_is_once(tmp_path: Path):
    """A spec that has the settings already is left as it is."""

    @dsl.pipeline(name="one")
    def pipeline():
        count()

    _compiled(pipeline, tmp_path)
    once = EVERYTHING.apply_to_spec((tmp_path / "pipeline.yaml").read_text())
    assert EVERYTHING.apply_to_spec(once) == once


def test_a_limit_that_is_a_parameter_of_the_pipeline_stays(tmp_path: Path):
    """Nothing is put over it, and no number of threads is guessed."""

    @dsl.pipeline(name="parameter")
    def pipeline(cores: str = "4"):
        count().set_cpu_limit(cores)

    spec, _ = _three_ways(pipeline, EVERYTHING, tmp_path)
    resources = _container(spec, "exec-count")["resources"]
    assert resources["resourceCpuLimit"] == "{{$.inputs.parameters['pipelinechannel--cores']}}"
    assert "cpuLimit" not in resources
    assert _container(spec, "exec-count")["env"] == ENV[1:]


def test_no_settings_change_nothing(tmp_path: Path):
    """One document, as compiled: the portable spec stays portable."""

    @dsl.pipeline(name="one", description="Counts.")
    def pipeline():
        count()

    before = _compiled(pipeline, tmp_path)
    text = (tmp_path / "pipeline.yaml").read_text()
    assert len(before) == 1
    assert _compiled(k8s.Settings().apply(pipeline), tmp_path) == before
    changed = k8s.Settings().apply_to_spec(text)
    assert list(yaml.safe_load_all(changed)) == before
    head = [line for line in text.splitlines() if line.startswith("#")]
    assert changed.splitlines()[: len(head)] == head  # the user interface reads inputs and description there


def test_the_pipeline_that_was_decorated_is_not_changed(tmp_path: Path):
    """One pipeline can be compiled for two clusters."""

    @dsl.pipeline(name="one")
    def pipeline():
        count()

    before = _compiled(pipeline, tmp_path)
    EVERYTHING.apply(pipeline)
    assert _compiled(pipeline, tmp_path) == before


def test_a_spec_with_settings_is_loaded_by_kfp(tmp_path: Path):
    """Both documents arrive in the component that kfp makes of the YAML."""

    @dsl.pipeline(name="one")
    def pipeline():
        count()

    _compiled(pipeline, tmp_path)
    text = EVERYTHING.apply_to_spec((tmp_path / "pipeline.yaml").read_text())
    loaded = components.load_component_from_text(text)
    spec, platform = _compiled(loaded, tmp_path)
    assert _container(spec, "exec-count")["resources"] == RESOURCES
    assert _on(platform) == {"exec-count": PLATFORM}


def test_wrong_targets_and_steps_are_refused(tmp_path: Path):
    """What is no task, no single step, no pipeline, no step of the pipeline or of the library."""

    @dsl.pipeline(name="inner")
    def inner():
        count()

    with pytest.raises(
        InputError, match=r"^settings are for a task or a pipeline, not for str; for a compiled pipeline"
    ):
        EVERYTHING.apply("text")
    with pytest.raises(InputError, match=r"^this is no compiled pipeline; compile it first"):
        EVERYTHING.apply_to_spec("name: value\n")
    with pytest.raises(InputError, match=r"^this is no compiled pipeline; compile it first"):
        EVERYTHING.apply_to_spec("a: [")
    with pytest.raises(InputError, match=r"^inner is no single step; apply settings to the whole pipeline.$"):

        @dsl.pipeline(name="outer")
        def outer():
            EVERYTHING.apply(inner())

    mistyped = k8s.Settings(steps={"train_clasifier": k8s.Settings(memory_limit="4Gi")})
    with pytest.raises(InputError, match=r"^steps has train_clasifier, but .* Nearest name: train_classifier.$"):
        mistyped.apply(inner)


def test_a_step_of_the_library_that_the_pipeline_has_not_is_no_mistake(tmp_path: Path):
    """One file of settings serves all pipelines."""

    @dsl.pipeline(name="one")
    def pipeline():
        count()

    settings = k8s.Settings(steps={"train_classifier": k8s.Settings(memory_limit="4Gi")})
    assert len(_compiled(settings.apply(pipeline), tmp_path)) == 1


def test_a_profile_refuses_a_step_that_it_was_not_measured_for(tmp_path: Path):
    """The sentence names the steps; with resources of its own the step goes through."""

    @dsl.pipeline(name="one")
    def pipeline():
        count()
        tell(what=1)

    message = (
        "^pipeline one: the profile small was not measured for count, tell; give what each needs in steps, "
        "e.g. steps: {count: {memory_limit: 4Gi}}.$"
    )
    with pytest.raises(InputError, match=message):
        k8s.Settings(profile="small").apply(pipeline)
    with pytest.raises(InputError, match=r"^the profile small was not measured for count; give what each needs"):

        @dsl.pipeline(name="one")
        def by_task():
            k8s.Settings(profile="small").apply(count())

    own = {name: k8s.Settings(memory_limit="1Gi") for name in ("count", "tell")}
    spec, *_ = _compiled(k8s.Settings(profile="small", steps=own).apply(pipeline), tmp_path)
    assert _container(spec, "exec-count")["resources"] == {"memoryLimit": 1.073741824, "resourceMemoryLimit": "1Gi"}


def test_a_request_above_the_limit_is_refused():
    """Kubernetes would refuse the pod when the step's turn comes."""

    @dsl.pipeline(name="one")
    def pipeline():
        count()

    with pytest.raises(
        InputError, match=r"^count: the memory_request 2Gi is above the memory_limit 1Gi; lower it or raise the limit.$"
    ):
        k8s.Settings(memory_request="2Gi", memory_limit="1Gi").apply(pipeline)
    half = k8s.Settings(profile="small", steps={"train_classifier": k8s.Settings(memory_request="99Gi")})
    with pytest.raises(
        InputError, match=r"^train_classifier: the memory_request 99Gi is .*; one is that of small: give both.$"
    ):
        half.apply_to_spec(spec_path("train_classifier").read_text())


def test_every_gap_is_told_and_another_profile_where_there_is_one():
    """All steps without figures at once, by profile; the example is one that was measured for the step."""
    settings = k8s.Settings(profile="small", steps={"count": k8s.Settings(profile="national-year")})

    @dsl.pipeline(name="two")
    def pipeline():
        count()
        tell(what=1)

    gaps = "the profile national-year was not measured for count and the profile small was not measured for tell; give"
    with pytest.raises(InputError, match=f"^pipeline two: {gaps}"):
        settings.apply(pipeline)
    with pytest.raises(InputError) as refused:
        k8s.Settings(profile="full-history").apply_to_spec(spec_path("train_classifier").read_text())
    assert str(refused.value) == (
        "pipeline train-classifier: the profile full-history was not measured for train_classifier; give what each "
        "needs in steps, e.g. steps: {train_classifier: {profile: national-year}} or "
        "{train_classifier: {memory_limit: 4Gi}}."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profile: full-history", "pipeline train-classifier: the profile full-history was not measured for"),
        ("memory_request: 2Gi\nmemory_limit: 1Gi", "train_classifier: the memory_request 2Gi is above"),
        ("steps: {train_clasifier: {cpu_limit: 1}}", "steps has train_clasifier, but there is no step of that name."),
    ],
)
def test_a_refusal_names_the_file_that_the_settings_came_from(text: str, message: str, tmp_path: Path):
    """Joined with settings made in Python as well; of two files both."""
    (tmp_path / "team.yaml").write_text(text)
    (tmp_path / "mine.yaml").write_text("labels: {a: b}")
    team, mine = (k8s.read_settings(tmp_path / f"{name}.yaml") for name in ("team", "mine"))
    spec = spec_path("train_classifier").read_text()
    for settings, files in (
        (team, f"{tmp_path}/team.yaml"),
        (team | k8s.Settings(labels={"a": "b"}), f"{tmp_path}/team.yaml"),
        (team | mine, f"{tmp_path}/team.yaml | {tmp_path}/mine.yaml"),
    ):
        with pytest.raises(InputError) as refused:
            settings.apply_to_spec(spec)
        assert str(refused.value).startswith(f"{files}: {message}")


def test_retries_are_switched_off_for_a_step(tmp_path: Path):
    """By the step's part of the settings, and by settings of the task: none is set, and none is filled in."""

    @dsl.pipeline(name="two")
    def by_step():
        count()
        tell(what=1)

    @dsl.pipeline(name="two")
    def by_task():
        k8s.Settings(retries=k8s.Retries(0)).apply(count())
        tell(what=1)

    everywhere = k8s.Settings(retries=k8s.Retries(3))
    but_one = k8s.Settings(retries=k8s.Retries(3), steps={"count": k8s.Settings(retries=k8s.Retries(0))})
    _compiled(by_step, tmp_path)
    text = (tmp_path / "pipeline.yaml").read_text()
    twice = everywhere.apply_to_spec(but_one.apply_to_spec(text))
    for spec in (
        _compiled(but_one.apply(by_step), tmp_path)[0],
        _compiled(everywhere.apply(by_task), tmp_path)[0],
        yaml.safe_load(twice),
    ):
        tasks = spec["root"]["dag"]["tasks"]
        assert {n: task["retryPolicy"].get("maxRetryCount", 0) for n, task in tasks.items()} == {"count": 0, "tell": 3}


def test_a_request_goes_under_the_steps_own_limit_or_is_left_out(tmp_path: Path):
    """Kubernetes refuses a pod whose request is above its limit; without a request it takes the limit for it."""

    @dsl.pipeline(name="small-steps")
    def pipeline():
        count().set_cpu_limit("50m").set_memory_request("8Gi")

    settings = k8s.Settings(cpu_request="1", memory_limit="4Gi", memory_request="1Gi")
    spec, *_ = _three_ways(pipeline, settings, tmp_path)
    resources = _container(spec, "exec-count")["resources"]
    assert {key for key in resources if key.startswith("resource")} == {"resourceCpuLimit", "resourceMemoryRequest"}


def test_what_contradicts_a_task_is_refused():
    """On a task the last one goes before: then both ends have to be given."""
    with pytest.raises(InputError, match="count: the cpu_request 1 is above the cpu_limit 50m; one of them was set on"):

        @dsl.pipeline(name="small-steps")
        def pipeline():
            k8s.Settings(cpu_request="1").apply(count().set_cpu_limit("50m"))
