"""What a good value of each setting is, so that a wrong one is refused here and not by a pod that never starts."""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.kubernetes.plan import UNITS, Retries
from roadsafety_components.kubernetes.profiles import PROFILES

_TOLERATION = {
    "key": (), "operator": ("Equal", "Exists"), "value": (), "effect": ("NoExecute", "NoSchedule", "PreferNoSchedule"),
    "toleration_seconds": (),
}  # fmt: skip


def refuse_wrong_tolerations(tolerations: Sequence[Mapping[str, Any]]) -> None:
    """Raise InputError for a key or value that Kubernetes does not have."""
    for toleration in tolerations:
        for key, value in toleration.items():
            if key not in _TOLERATION:
                raise InputError(f"tolerations: there is no {key}.{nearest(key, _TOLERATION)} "
                                 f"There are {', '.join(_TOLERATION)}.")  # fmt: skip
            if _TOLERATION[key] and value not in _TOLERATION[key]:
                raise InputError(f"tolerations: {key} is {value!r}; write {', '.join(_TOLERATION[key])}.")


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: not isinstance(value, bool) and pattern.fullmatch(str(value)) is not None


def _whole(least: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= least


def _texts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(t, str) for pair in value.items() for t in pair)


def _labels(value: Any) -> bool:
    return _texts(value) and all(_is_key(key) and _is_label(label) for key, label in value.items())


def _annotations(value: Any) -> bool:
    # Kubernetes takes capitals in the domain here.
    return _texts(value) and all(_is_key(key.lower()) for key in value)


def _folders(value: Any) -> bool:
    return _texts(value) and all(folder.startswith("/") for folder in value.values())


def _is_list_of(kind: Any) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(v, kind) for v in value)
    )


def _is_retries(value: Any) -> bool:
    return isinstance(value, Retries) and all(_whole(least)(n) for least, n in zip(
        (0, 0, 1, 1), dataclasses.astuple(value), strict=True
    ))  # fmt: skip


def _variables(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(n, str) and _texts(keys) for n, keys in value.items())


def _sizes(value: Any) -> bool:
    # A volume is called as its folder, and names of volumes are of these letters.
    return _texts(value) and all(re.fullmatch(r"(/[a-z0-9-]+)+", f) and _MEMORY[0](size) for f, size in value.items())


_CORES = (_matches(re.compile(r"(?=.*[1-9])(\d+|\d*\.\d+|\d+m)")), "cores as 2, 0.5 or 500m")
_MEMORY = (
    _matches(re.compile(f"[1-9][0-9]*({'|'.join(UNITS)})")),
    "a whole number and a unit, as 512Mi or 4Gi (or 4G)",
)
# Kubernetes' qualified names: a name, before it the domain of who gave it.
_WORD = r"[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?"
_DOMAIN = r"(?=[^/]{1,253}/)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/"
_is_key = _matches(re.compile(f"({_DOMAIN})?{_WORD}"))
_is_label = _matches(re.compile(f"({_WORD})?"))
_KEYS = "of letters, digits and within them - _ . (63 at most; a key may follow a domain: example.com/team)"
_POLICIES = ("Always", "Never", "IfNotPresent")
_MAPPING = (_texts, "texts by name, numbers and true in quotes")
_LABELS = (_labels, f"{_MAPPING[1]}, keys and values {_KEYS}")
_MOUNTS = (_folders, "by name the folder, which begins with /")
_BY_KEY = (_variables, "by name, by key the environment variable: {mirror: {token: MIRROR_TOKEN}}")
# By setting what is a good value, and how to write one.
RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "profile": (lambda value: value in PROFILES, f"one of {', '.join(PROFILES)}"),
    "cpu_request": _CORES,
    "cpu_limit": _CORES,
    "memory_request": _MEMORY,
    "memory_limit": _MEMORY,
    "retries": (
        _is_retries,
        "{count: 3}, and if need be wait_seconds, factor and give_up_seconds, whole numbers; count 0 for none",
    ),
    "timeout_seconds": (_whole(1), "a whole number of seconds, 1 at least"),
    "image_pull_policy": (lambda value: value in _POLICIES, f"one of {', '.join(_POLICIES)}"),
    "image_pull_secrets": (_is_list_of(str), "a list of names"),
    "run_as_user": (_whole(0), "a user's number"),
    "run_as_group": (_whole(0), "a group's number"),
    "run_as_non_root": (lambda value: isinstance(value, bool), "true or false"),
    "node_selector": _LABELS,
    "tolerations": (_is_list_of(Mapping), "a list: [{key: dedicated, operator: Exists}]"),
    "labels": _LABELS,
    "annotations": (_annotations, f"{_MAPPING[1]}, keys {_KEYS}"),
    "env": _MAPPING,
    "secret_env": _BY_KEY,
    "secret_files": _MOUNTS,
    "config_env": _BY_KEY,
    "config_files": _MOUNTS,
    "volumes": _MOUNTS,
    "scratch": (_sizes, "by folder its size: {/tmp: 10Gi}"),
    "shared_memory": _MEMORY,
}
