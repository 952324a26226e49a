"""KServe's InferenceService for an exported model: the manifest, and the rules that its fields obey.

Fields as in kserve/kserve, pkg/apis/serving/v1beta1 (InferenceServiceSpec, PredictorSpec, ModelSpec).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from roadsafety_components.core.errors import InputError

GROUP, VERSION = "serving.kserve.io", "v1beta1"
DIGEST = "roadsafety-components/model-digest"
MODEL_VERSION = "app.kubernetes.io/version"
MANAGED_BY = "app.kubernetes.io/managed-by"
PROTOCOLS = ("v2", "grpc-v2")

# Kubernetes' rules for names: RFC 1123, and KServe's own for its services, to which it appends "-predictor".
_SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,51}[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_KEY = re.compile(r"(?:[a-z0-9][-a-z0-9.]{0,251}[a-z0-9]/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_QUANTITY = re.compile(r"(\d+|\d*\.\d+)(m|[kMGTPE]|[KMGTPE]i)?")

Tree = dict[str, Any]


@dataclass(frozen=True)
class Service:
    """What is to be served, where and how.

    Attributes:
        name: of the service.
        namespace: that it lives in.
        uri: where KServe reads the exported folder; see ``exported.storage_uri``.
        digest: of the model, ``sha256:<hex>``.
        version: of the model, for people.
        service_account: whose secrets open the storage; empty for the namespace's own.
        min_replicas: 0 lets the service scale to none, where Knative runs it.
        max_replicas: not below ``min_replicas``.
        cpu: of each replica, a Kubernetes quantity.
        memory: the same.
        runtime: KServe's ServingRuntime; empty for the one that KServe chooses for ONNX.
        protocol: of ``PROTOCOLS``.
        canary_percent: share of the requests that a new model gets; 100 for all.
        labels: further ones of the service.
        annotations: the same.
    """

    name: str
    namespace: str
    uri: str
    digest: str
    version: str
    service_account: str = ""
    min_replicas: int = 1
    max_replicas: int = 1
    cpu: str = "1"
    memory: str = "2Gi"
    runtime: str = ""
    protocol: str = "v2"
    canary_percent: int = 100
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


def inference_service(service: Service) -> Tree:
    """The InferenceService as a JSON merge patch (RFC 7386): null for each field of ours that is not to be there.

    Raises:
        InputError: a value that Kubernetes or KServe would refuse.
    """
    _check(service)
    labels = dict(service.labels) | {MANAGED_BY: "roadsafety-components", MODEL_VERSION: service.version}
    size = {"cpu": service.cpu, "memory": service.memory}
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "InferenceService",
        "metadata": {
            "name": service.name,
            "namespace": service.namespace,
            "labels": labels,
            "annotations": dict(service.annotations) | {DIGEST: service.digest},
        },
        "spec": {
            "predictor": {
                "minReplicas": int(service.min_replicas),
                "maxReplicas": int(service.max_replicas),
                "serviceAccountName": service.service_account or None,
                "canaryTrafficPercent": int(service.canary_percent) if service.canary_percent < 100 else None,
                "model": {
                    "modelFormat": {"name": "onnx"},
                    "protocolVersion": service.protocol,
                    "runtime": service.runtime or None,
                    "storageUri": service.uri,
                    "resources": {"requests": size, "limits": dict(size)},
                },
            }
        },
    }


def merge_patch(target: Any, patch: Any) -> Any:
    """``target`` with a JSON merge patch (RFC 7386) applied; neither is changed."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def manifest(patch: Tree) -> str:
    """The service as YAML, as ``kubectl apply -f`` takes it."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes what another reader of YAML may take for a number, such as the version 12e34."""

        def represent_str(self, data: str) -> yaml.ScalarNode:
            plain = data[:1].isalpha() and len(data) > 1
            return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if plain else "'")

    Dumper.add_representer(str, Dumper.represent_str)
    return yaml.dump(merge_patch({}, patch), Dumper=Dumper, sort_keys=False)


def _check(service: Service) -> None:
    """Refuse here, in a sentence, what the cluster would refuse later."""
    _named("name", service.name, _SERVICE, "1 to 53 small letters, digits and hyphens, a letter first, no hyphen last")
    _named("namespace", service.namespace, _LABEL, "1 to 63 small letters, digits and hyphens, no hyphen at the ends")
    for what, name in (("service_account", service.service_account), ("runtime", service.runtime)):
        if name:
            _named(what, name, _SUBDOMAIN, "small letters, digits, hyphens and dots, none of the last two at the ends")
    value = "at most 63 letters, digits, hyphens, underscores and dots, a letter or digit at the ends"
    _named("version", service.version, _LABEL_VALUE, value)
    for what, given in (("labels", service.labels), ("annotations", service.annotations)):
        for key, text in given.items():
            _named(what, key, _LABEL_KEY, f"a name of {value}, after a prefix and a slash if there is one")
            if not isinstance(text, str):
                raise InputError(f"{what}: {key} is {text!r}; it must be text, in quotes.")
            if key in (MANAGED_BY, MODEL_VERSION, DIGEST):
                raise InputError(f"{what}: {key} is the step's own; leave it out.")
    for key, text in service.labels.items():
        _named(f"labels: {key}", text, _LABEL_VALUE, value)
    for what, quantity in (("cpu", service.cpu), ("memory", service.memory)):
        _named(what, quantity, _QUANTITY, "a Kubernetes quantity such as 500m, 2 or 2Gi")
    if service.protocol not in PROTOCOLS:
        raise InputError(f"protocol is {service.protocol!r}; it can be {' or '.join(PROTOCOLS)}.")
    if not 0 <= service.min_replicas <= service.max_replicas or service.max_replicas < 1:
        raise InputError(f"min_replicas is {service.min_replicas:g} and max_replicas {service.max_replicas:g}; the "
                         "first can be 0 or more, the second 1 or more and not below the first.")  # fmt: skip
    if not 1 <= service.canary_percent <= 100:
        raise InputError(f"canary_percent is {service.canary_percent:g}; it can be 1 to 100.")


def _named(what: str, value: str, rule: re.Pattern[str], told: str) -> None:
    if not rule.fullmatch(value):
        raise InputError(f"{what} is {value!r}; it must be {told}.")
