"""What a cluster asks of its pods, in one object or one YAML file, for a task, a pipeline or a compiled pipeline."""

import contextlib
import copy
import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from google.protobuf import json_format  # type: ignore[import-untyped]
from kfp import dsl
from kfp.dsl import graph_component
from kfp.pipeline_spec import pipeline_spec_pb2

from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.kubernetes import plan, profiles
from roadsafety_components.kubernetes.plan import Plan, Retries
from roadsafety_components.kubernetes.platform import platform_config, scratch_name
from roadsafety_components.kubernetes.rules import RULES, refuse_wrong_tolerations
from roadsafety_components.packaging.compiled import parse, readable
from roadsafety_components.packaging.paths import specs_folder

Target = TypeVar("Target", dsl.PipelineTask, graph_component.GraphComponent)
_RESOURCES = ("cpu_request", "cpu_limit", "memory_request", "memory_limit")


@dataclass(frozen=True)
class Settings:
    """Settings of pods; what is not given is left to the cluster.

    ``a | b`` has both, and of two values that of b. The same names are the keys of a YAML file, see read_settings.

    Attributes:
        profile: ``small``, ``national-year`` or ``full-history``: measured requests and limits of every step.
        cpu_request: cores, ``2`` or ``500m``; this and the next three go before the profile.
        cpu_limit: the same; steps keep to so many threads.
        memory_request: ``512Mi`` or ``4G``.
        memory_limit: the same.
        retries: of failed steps, count 0 for none; bad input fails again.
        timeout_seconds: after which a pod is ended.
        image_pull_policy: ``Always``, ``Never`` or ``IfNotPresent``.
        image_pull_secrets: names of secrets.
        run_as_user: user id of the step.
        run_as_group: group id of the step.
        run_as_non_root: whether a step that would be root is refused.
        node_selector: labels that the node has.
        tolerations: of taints: key, operator, value, effect, toleration_seconds.
        labels: of the pod.
        annotations: of the pod.
        env: environment variables; secrets do not belong here, the spec shows them.
        secret_env: by secret, by key the environment variable.
        secret_files: by secret the folder where its keys are files.
        config_env: by config map, by key the environment variable.
        config_files: by config map the folder where its keys are files.
        volumes: by persistent volume claim the folder where it is mounted.
        scratch: by folder, as /tmp, the size of an empty one on the node's disk; for a read-only root file system.
        shared_memory: size of /dev/shm; counts against the memory limit.
        steps: by step what it gets beside this, or in place of it.

    Raises:
        InputError: a value that Kubernetes or KFP would refuse; the message names the setting.
    """

    profile: str = ""
    cpu_request: str | float = ""
    cpu_limit: str | float = ""
    memory_request: str = ""
    memory_limit: str = ""
    retries: Retries | None = None
    timeout_seconds: int | None = None
    image_pull_policy: str = ""
    image_pull_secrets: Sequence[str] = ()
    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: Sequence[Mapping[str, Any]] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    secret_env: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    secret_files: Mapping[str, str] = field(default_factory=dict)
    config_env: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    config_files: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    scratch: Mapping[str, str] = field(default_factory=dict)
    shared_memory: str = ""
    steps: Mapping[str, "Settings"] = field(default_factory=dict)
    # The file that they were read from, for messages.
    _file: str = field(default="", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, (good, what) in RULES.items():
            value = getattr(self, name)
            if value != _DEFAULTS[name] and not good(value):
                raise InputError(f"{name} is {value!r}; write {what}.")
        refuse_wrong_tolerations(self.tolerations)
        for step, own in self.steps.items():
            if not isinstance(own, Settings) or own.steps:
                raise InputError(f"steps, {step}: write settings, without steps of their own.")
        _refuse_one_name_twice(self)

    def __or__(self, other: "Settings") -> "Settings":
        given = {n: v for n in _DEFAULTS if (v := getattr(other, n)) != _DEFAULTS[n]}
        both = dataclasses.replace(self, **{n: _both(getattr(self, n), v) for n, v in given.items()})
        return _read_from(both, " | ".join(file for file in (self._file, other._file) if file))

    def for_step(self, step: str) -> "Settings":
        """What a step gets, its own part included."""
        return dataclasses.replace(self, steps={}) | self.steps.get(step, Settings())

    def apply(self, target: Target) -> Target:
        """Set it on a task within a pipeline function, or on all steps of a pipeline.

        On a task it goes before what was set earlier, as with KFP's own setters. On a pipeline (as a decorator above
        ``@dsl.pipeline``; steps in loops, conditions and nested pipelines included) what a step has already stays.

        Returns:
            The task; of a pipeline a new one.

        Raises:
            InputError: a step that the profile was not measured for, or settings of a step that there is not.
        """
        if isinstance(target, dsl.PipelineTask):
            if target.container_spec is None:
                raise InputError(f"{target.name} is no single step; apply settings to the whole pipeline.")
            container: Any = target.container_spec
            step = plan.step_name(target.name, [*(container.command or []), *(container.args or [])])
            self._refuse_unmeasured([step], "")
            plan.put_on_task(self._plan(step), target)
            return target
        if not isinstance(target, graph_component.GraphComponent):
            raise InputError(f"settings are for a task or a pipeline, not for {type(target).__name__}; for a compiled "
                             "pipeline there is apply_to_spec.")  # fmt: skip
        pipeline, platform = (json_format.MessageToDict(s) for s in (target.pipeline_spec, target.platform_spec))
        self._put(pipeline, platform)
        changed = copy.deepcopy(target)
        changed.component_spec.implementation.graph = json_format.ParseDict(pipeline, pipeline_spec_pb2.PipelineSpec())
        changed.component_spec.platform_spec = json_format.ParseDict(platform, pipeline_spec_pb2.PlatformSpec())
        return changed

    def apply_to_spec(self, text: str) -> str:
        """A compiled pipeline or step, as YAML, with these settings.

        What a step has already stays.

        Returns:
            YAML with both documents, for ``kfp.Client`` or the user interface.

        Raises:
            InputError: the text is no compiled pipeline; otherwise as ``apply``.
        """
        try:
            comments, documents = parse(text)
            pipeline, platform, *_ = [*documents, {}]
            pipeline["root"], pipeline["deploymentSpec"], pipeline["pipelineInfo"]["name"]
        except (yaml.YAMLError, ValueError, KeyError, TypeError) as error:
            raise InputError("this is no compiled pipeline; compile it first (kfp dsl compile).") from error
        self._put(pipeline, platform)
        return readable(comments, [pipeline, platform] if platform else [pipeline])

    def _put(self, pipeline: dict[str, Any], platform: dict[str, Any]) -> None:
        there = sorted(plan.steps(pipeline).values())
        known = {*there, *_library()}
        for step in self.steps:
            if step not in known:
                raise self._error(f"steps has {step}, but there is no step of that name.{nearest(step, known)}")
        self._refuse_unmeasured(there, pipeline["pipelineInfo"]["name"])
        plan.put_in_spec(self._plan, pipeline, platform)

    def _refuse_unmeasured(self, steps: Sequence[str], pipeline: str) -> None:
        lost: dict[str, list[str]] = {}
        for step in dict.fromkeys(steps):
            settings = self.for_step(step)
            given = any(getattr(settings, name) for name in _RESOURCES)
            if settings.profile and not given and not profiles.is_measured(settings.profile, step):
                lost.setdefault(settings.profile, []).append(step)
        if not lost:
            return
        gaps = " and ".join(f"the profile {profile} was not measured for {', '.join(n)}" for profile, n in lost.items())
        step = next(iter(lost.values()))[0]
        examples = [f"{{{step}: {{profile: {p}}}}}" for p in profiles.PROFILES if profiles.is_measured(p, step)][-1:]
        examples.append(f"{{{step}: {{memory_limit: 4Gi}}}}")
        raise self._error(f"{f'pipeline {pipeline}: ' if pipeline else ''}{gaps}; give what each needs in steps, "
                          f"e.g. steps: {' or '.join(examples)}.")  # fmt: skip

    def _error(self, sentence: str) -> InputError:
        return InputError(f"{self._file}: {sentence}" if self._file else sentence)

    def _plan(self, step: str) -> Plan:
        """What a step gets, in KFP's terms."""
        settings = self.for_step(step)
        resources: dict[str, str] = {}
        if settings.profile and profiles.is_measured(settings.profile, step):
            resources = profiles.resources(settings.profile, step)
        resources |= {n: str(q) for n in _RESOURCES if (q := getattr(settings, n))}
        for kind in ("cpu", "memory"):
            least, most = (resources.get(f"{kind}_{end}", "") for end in ("request", "limit"))
            if plan.is_above(least, most):
                given = getattr(settings, f"{kind}_request") and getattr(settings, f"{kind}_limit")
                told = "lower it or raise the limit" if given else f"one is that of {settings.profile}: give both"
                raise self._error(f"{step}: the {kind}_request {least} is above the {kind}_limit {most}; {told}.")
        return Plan(resources, settings.env, settings.retries, platform_config(settings))


class _Loader(yaml.SafeLoader):
    """YAML in which a name is there once; PyYAML takes the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        there: list[Any] = []
        for key, _ in node.value:
            if key.value in there:
                raise InputError(f"{key.value} is there twice, again in line {key.start_mark.line + 1}; leave one.")
            there.append(key.value)
        return super().construct_mapping(node, deep)


def read_settings(path: str | Path) -> Settings:
    """Settings from a YAML file whose keys are the attributes of Settings.

    Raises:
        InputError: no such file, a key that is no setting or there twice, a wrong value; the message names the file,
            as do those of the settings when they are applied.
    """
    try:
        given = yaml.load(Path(path).read_text(encoding="utf-8"), _Loader)
        return _read_from(_settings({} if given is None else given), str(path))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def settings_yaml(settings: Settings) -> str:
    """The file that read_settings makes these settings of."""
    return yaml.safe_dump(_given(settings), sort_keys=False)


def _settings(given: Any, where: str = "") -> Settings:
    """Settings of what a YAML file holds."""
    if not isinstance(given, dict):
        raise InputError(f"{where or 'the file'} has no settings by name; write name: value.")
    names = [name for name in _DEFAULTS if not (where and name == "steps")]
    for name in given:
        if name not in names:
            told = nearest(str(name), names) or f" There are {', '.join(names)}."
            raise InputError(f"{where}{': ' if where else ''}there is no setting {name}.{told}")
    made = dict(given)
    try:
        for name, value in given.items():
            if name != "steps" and value in (None, "", [], {}):
                # It would take nothing away, though in steps it looks as if it did.
                raise InputError(f"{name} has no value; write {RULES[name][1]}, or leave it out.")
        if isinstance(given.get("retries"), dict):
            made["retries"] = _retries(given["retries"])
        if "steps" in given:
            if not isinstance(given["steps"], dict):
                raise InputError("steps holds no steps; write steps: {train_classifier: {memory_limit: 4Gi}}.")
            made["steps"] = {step: _settings(own, f"steps, {step}") for step, own in given["steps"].items()}
        return Settings(**made)
    except InputError as error:
        raise InputError(f"{where}{': ' if where else ''}{error}") from error


def _retries(given: dict[Any, Any]) -> Retries:
    good, what = RULES["retries"]
    with contextlib.suppress(TypeError):  # no count, or a name that is none
        if good(made := Retries(**given)):
            return made
    raise InputError(f"retries is {given}; write {what}.")


def _read_from(settings: Settings, file: str) -> Settings:
    object.__setattr__(settings, "_file", file)
    return settings


def _given(settings: Settings) -> dict[str, Any]:
    """What is not at its default, as YAML can hold it."""
    found = {n: v for n in _DEFAULTS if (v := getattr(settings, n)) != _DEFAULTS[n]}
    if settings.retries:
        found["retries"] = dataclasses.asdict(settings.retries)
    if settings.steps:
        found["steps"] = {step: _given(own) for step, own in settings.steps.items()}
    return json.loads(json.dumps(found))  # plain dicts and lists


def _both(first: Any, second: Any) -> Any:
    """Of two values of one setting: mappings joined by key, lists one after the other, else the second."""
    if isinstance(first, Settings):
        return first | second
    if isinstance(first, Mapping):
        return {**first, **{key: _both(first[key], v) if key in first else v for key, v in second.items()}}
    if isinstance(first, Sequence) and not isinstance(first, str):
        return [*first, *(v for v in second if v not in first)]
    return second


def _library() -> list[str]:
    """The library's steps."""
    catalog = json.loads((specs_folder() / "catalog.json").read_text(encoding="utf-8"))
    return sorted({step["name"] for step in catalog["steps"]})


def _refuse_one_name_twice(settings: Settings) -> None:
    """In a pod each volume has a name of its own (the backend's is what it is made from), and each mount a path."""
    mounts = (settings.secret_files, settings.config_files, settings.volumes)
    if twice := _twice([name for mount in mounts for name in mount]):
        raise InputError(f"{twice} is mounted twice, of secret_files, config_files and volumes; in a pod each needs "
                         "a name of its own: rename one.")  # fmt: skip
    paths = [path for mount in mounts for path in mount.values()] + list(settings.scratch)
    if twice := _twice([path.rstrip("/") for path in paths] + ["/dev/shm"] * bool(settings.shared_memory)):
        raise InputError(f"two volumes are mounted at {twice}; in a pod each needs a folder of its own.")
    if twice := _twice([scratch_name(folder) for folder in settings.scratch]):
        raise InputError(f"two folders of scratch would both be the volume {twice}; rename one.")


def _twice(names: list[str]) -> str:
    return next((name for name in names if names.count(name) > 1), "")


_DEFAULTS: dict[str, Any] = {
    f.name: {} if f.default is dataclasses.MISSING else f.default for f in dataclasses.fields(Settings) if f.init
}
