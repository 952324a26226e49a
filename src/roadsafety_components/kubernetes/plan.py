"""What one task gets, and how it is put on a task or into a compiled pipeline.

Resources, environment and retries are part of the portable pipeline spec; the rest is the platform spec, which
kfp-kubernetes makes and only the Kubernetes backend reads.
"""

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kfp import dsl

from roadsafety_components.core.errors import InputError
from roadsafety_components.packaging.compiled import containers, step_in, tasks

Json = dict[str, Any]
# Bytes of a unit of memory.
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True)
class Retries:
    """How often a failed step is tried again.

    Attributes:
        count: tries after the first; 0 keeps a step from those of the whole pipeline.
        wait_seconds: before the second try.
        factor: by which the wait grows from try to try; whole, since the backend fails on 1.5.
        give_up_seconds: after which no further try begins.
    """

    count: int
    wait_seconds: int = 60
    factor: int = 2
    give_up_seconds: int = 3600


@dataclass(frozen=True)
class Plan:
    """What one task gets.

    Attributes:
        resources: any of cpu_request, cpu_limit, memory_request, memory_limit, as Kubernetes quantities.
        env: environment variables.
        platform: KubernetesExecutorConfig of kfp-kubernetes as JSON.
    """

    resources: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    retries: Retries | None = None
    platform: Json = field(default_factory=dict)


def put_on_task(plan: Plan, task: dsl.PipelineTask) -> None:
    """Set it on a task of a pipeline function; as with KFP's own setters what was set before gives way."""
    for name, quantity in plan.resources.items():
        getattr(task, f"set_{name}")(quantity)
    _refuse_contradiction(task)
    for name, value in (_threads(plan.resources.get("cpu_limit")) | dict(plan.env)).items():
        task.set_env_variable(name, value)
    if plan.retries:
        retries = plan.retries
        task.set_retry(retries.count, f"{retries.wait_seconds}s", retries.factor, f"{retries.give_up_seconds}s")
    if plan.platform:
        task.platform_config["kubernetes"] = merged(task.platform_config.get("kubernetes", {}), plan.platform)


def _refuse_contradiction(task: dsl.PipelineTask) -> None:
    resources = task.container_spec.resources if task.container_spec else None
    for kind in ("cpu", "memory"):
        least, most = (str(getattr(resources, f"{kind}_{end}", None) or "") for end in ("request", "limit"))
        if is_above(least, most):
            raise InputError(f"{task.name}: the {kind}_request {least} is above the {kind}_limit {most}; one of them "
                             "was set on the task before: give both.")  # fmt: skip


def put_in_spec(plan_of: Callable[[str], Plan], pipeline: Json, platform: Json) -> None:
    """Set it on every step of a compiled pipeline, in place; what a step has already stays.

    Args:
        plan_of: the plan of a step by its name.
        pipeline: the pipeline spec: first document of the YAML.
        platform: the platform spec: second document, may be empty.
    """
    executors = steps(pipeline)
    plans = {label: plan_of(step) for label, step in executors.items()}
    for label, plan in plans.items():
        _put_in_container(plan, pipeline["deploymentSpec"]["executors"][label]["container"])
        if plan.platform:
            on = platform
            for key in ("platforms", "kubernetes", "deploymentSpec", "executors"):
                on = on.setdefault(key, {})
            on[label] = merged(plan.platform, on.get(label, {}))
    for task in tasks(pipeline):
        # Nested pipelines, loops and conditions have no executor of their own, importers no container.
        label = pipeline["components"][task["componentRef"]["name"]].get("executorLabel", "")
        if label in plans and (retries := plans[label].retries):
            task.setdefault("retryPolicy", _retry_policy(retries))


def steps(pipeline: Json) -> dict[str, str]:
    """Executors of a compiled pipeline that run a container, and the step that each runs."""
    return {
        label: step_name(label, [*container.get("command", []), *container.get("args", [])])
        for label, container in containers(pipeline).items()
    }


def step_name(label: str, words: list[str]) -> str:
    """The step that a container runs: named in its command in both packagings, else its executor's or task's name."""
    return step_in(words) or re.sub(r"-\d+$", "", label.removeprefix("exec-")).replace("-", "_")


def merged(low: Json, high: Json) -> Json:
    """Two executor configs in one: mappings by key, lists one after the other, of two values the higher.

    In a list of mounts there is one for a path: the higher.
    """
    result = copy.deepcopy(low)
    for key, value in high.items():
        there = result.get(key)
        if isinstance(there, dict) and isinstance(value, dict):
            result[key] = merged(there, value)
        elif isinstance(there, list) and isinstance(value, list):
            paths = {entry["mountPath"] for entry in value if "mountPath" in entry}
            kept = [entry for entry in there if entry not in value and entry.get("mountPath") not in paths]
            result[key] = kept + copy.deepcopy(value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def _put_in_container(plan: Plan, container: Json) -> None:
    limits = container.setdefault("resources", {}) if plan.resources else {}
    for name, quantity in plan.resources.items():
        kind, end = name.split("_")
        key, text = f"{kind}{end.capitalize()}", f"resource{kind.capitalize()}{end.capitalize()}"
        if key not in limits and text not in limits and not _contradicts(quantity, end, kind, limits):
            limits |= {key: number(quantity), text: quantity}
    wanted = _threads(limits.get("resourceCpuLimit")) | dict(plan.env)
    env = container.get("env", [])
    named = {variable["name"] for variable in env}
    if added := [{"name": name, "value": value} for name, value in wanted.items() if name not in named]:
        container["env"] = env + added


def _contradicts(quantity: str, end: str, kind: str, limits: Json) -> bool:
    """Whether it is a request above the step's own limit, or a limit below its request: Kubernetes refuses both."""
    other = limits.get(f"resource{kind.capitalize()}{'Limit' if end == 'request' else 'Request'}", "")
    return is_above(quantity, other) if end == "request" else is_above(other, quantity)


def is_above(request: str, limit: str) -> bool:
    """Whether a request is above a limit; not for one that is not given, or is a parameter of the pipeline."""
    known = all(quantity and "{{" not in quantity for quantity in (request, limit))
    return known and number(request) > number(limit)


def _threads(cpu_limit: str | None) -> dict[str, str]:
    """OpenMP, OpenBLAS and pyarrow take the cores of the node for theirs, unless they are told."""
    if not cpu_limit or "{{" in cpu_limit:  # a parameter of the pipeline
        return {}
    return {"OMP_NUM_THREADS": str(max(1, int(number(cpu_limit))))}


def number(quantity: str) -> float:
    """Cores, or GB, as KFP's older fields have them."""
    if quantity.endswith("m"):
        return int(quantity[:-1]) / 1000
    digits = quantity.rstrip("KMGTi")
    return float(digits) if digits == quantity else int(digits) * UNITS[quantity[len(digits) :]] / 1e9


def _retry_policy(retries: Retries) -> Json:
    return {
        "maxRetryCount": retries.count,
        "backoffDuration": f"{retries.wait_seconds}s",
        "backoffFactor": float(retries.factor),
        "backoffMaxDuration": f"{retries.give_up_seconds}s",
    }
