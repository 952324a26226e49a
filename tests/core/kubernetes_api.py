"""A server on this machine that answers as the Kubernetes API does of KServe's InferenceServices.

What it refuses, and in which words, is as an API server says it; fields are those of the models in the package kserve
0.21.0 (kserve_fields.json), and of the kubernetes package for the rest.
"""

import copy
import json
import re
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from kubernetes import client

from .loopback import Loopback

PATH = re.compile(r"/apis/serving\.kserve\.io/v1beta1/namespaces/([^/]+)/inferenceservices(?:/([^/?]+))?$")
FIELDS = json.loads(Path(__file__).with_name("kserve_fields.json").read_text())
PLAIN = {"str": str, "int": int, "bool": bool, "dict(str, str)": dict}
URL = "http://severity.models.example.com"
TOKEN = "a-secret-token"
VERBS = {"GET": "get", "POST": "create", "PUT": "update", "DELETE": "delete"}


def condition(kind: str, status: str, reason: str = "", message: str = "") -> dict[str, str]:
    """Return a condition as knative.dev/pkg writes it."""
    told = {"type": kind, "status": status, "lastTransitionTime": "2026-11-28T12:00:00Z"}
    return told | ({"reason": reason, "message": message} if reason else {})


def ready(revision: int = 1) -> dict[str, Any]:
    """Return the status of a service that serves its newest revision."""
    return {
        "url": URL,
        "conditions": [condition(kind, "True") for kind in ("IngressReady", "PredictorReady", "Ready")],
        "components": {"predictor": _revisions(revision, revision)},
        "modelStatus": {"transitionStatus": "UpToDate", "states": {"activeModelState": "Loaded"}},
    }


def coming_up(revision: int = 1) -> dict[str, Any]:
    """Return the status while the newest revision is not there yet."""
    waiting = ("RevisionMissing", "Configuration is waiting for a Revision to become ready.")
    return {
        "url": URL,
        "conditions": [condition("PredictorReady", "Unknown", *waiting), condition("Ready", "Unknown", *waiting)],
        "components": {"predictor": _revisions(revision, revision - 1)},
        "modelStatus": {"transitionStatus": "InProgress"},
    }


def failed(revision: int = 1) -> dict[str, Any]:
    """Return the status of a service whose model could not be loaded."""
    return coming_up(revision) | {
        "conditions": [condition("PredictorReady", "False", "RevisionFailed", "Container failed."),
                       condition("Ready", "False", "PredictorNotReady")],
        "modelStatus": {
            "transitionStatus": "BlockedByFailedLoad",
            "lastFailureInfo": {"reason": "ModelLoadFailed", "message": "No model found in severity.", "exitCode": 1},
        },
    }  # fmt: skip


def unsplit(transition: str = "UpToDate", copies: int = 1) -> dict[str, Any]:
    """Return the status that says Ready where KServe runs a service without Knative: there are no revisions."""
    return ready() | {
        "components": {"predictor": {"url": URL}},
        "deploymentMode": "RawDeployment",
        "modelStatus": {"transitionStatus": transition, "copies": {"totalCopies": copies}},
    }


def _revisions(created: int, is_ready: int) -> dict[str, str]:
    name = "severity-predictor-{:05}"
    return {"latestCreatedRevision": name.format(created)} | (
        {"latestReadyRevision": name.format(is_ready)} if is_ready else {}
    )


class Cluster(Loopback):
    """The API server and, in small, KServe's controller.

    Attributes:
        services: by namespace and name.
        statuses: what the controller makes of a service after a write, one a read, the last again and again.
        permitted: verbs that the token may use.
        verbs: verbs that were used.
        writes: how often a write was tried.
        interfering: how many of the next writes somebody else's write comes before.
        outages: how many of the next reads find no answer but status 503.
        lost: how many of the next updates are done, but their answer does not arrive.
        denied: what KServe's webhook says against every write; empty for nothing.
        installed: whether KServe is.
    """

    def __init__(self) -> None:
        self.services: dict[tuple[str, str], dict[str, Any]] = {}
        self.statuses: list[dict[str, Any]] = [ready()]
        self.permitted = set(VERBS.values())
        self.verbs: set[str] = set()
        self.writes = self.interfering = self.outages = self.lost = self._version = 0
        self.denied = ""
        self.installed = True
        self._written = False

    def start(self) -> None:
        """Serve until ``stop``, at ``url``."""
        self.serve(type("Handler", (_Handler,), {"cluster": self}))

    def kubeconfig(self, token: str = TOKEN) -> dict[str, Any]:
        """Return what a kubeconfig says of this server."""
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "here", "cluster": {"server": self.url}}],
            "users": [{"name": "me", "user": {"token": token}}],
            "contexts": [{"name": "now", "context": {"cluster": "here", "user": "me"}}],
            "current-context": "now",
        }

    def add(self, service: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
        """Put a service there as if it had been applied earlier, and return it."""
        made = self._stored(service, {}) | {"status": status}
        self.services[service["metadata"]["namespace"], service["metadata"]["name"]] = made
        return made

    def answer(self, method: str, path: str, token: str, body: dict[str, Any] | None) -> tuple[int, Any]:
        """Return status and body of the answer."""
        found = PATH.match(path)
        if token != f"Bearer {TOKEN}":
            return status(401, "Unauthorized", "Unauthorized")
        if not found or not self.installed:
            return 404, "404 page not found\n"
        (namespace, name), verb = found.groups(), VERBS[method]
        self.verbs.add(verb)
        if verb not in self.permitted:
            return status(403, "Forbidden", f'inferenceservices.serving.kserve.io "{name}" is forbidden: User '
                          f'"system:serviceaccount:models:pipeline" cannot {verb} resource "inferenceservices" in API '
                          f'group "serving.kserve.io" in the namespace "{namespace}"')  # fmt: skip
        if verb == "get" and self.outages:
            self.outages -= 1
            return status(503, "ServiceUnavailable", "the server is currently unable to handle the request")
        return getattr(self, f"_{verb}")(namespace, name or (body or {}).get("metadata", {}).get("name"), body)

    def _get(self, namespace: str, name: str, _body: object) -> tuple[int, Any]:
        if (there := self.services.get((namespace, name))) is None:
            return _not_found(name)
        if self._written:  # the controller has a turn
            now = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
            if now != there.get("status"):
                there["status"] = now
                there["metadata"]["resourceVersion"] = self._next()
        return 200, there

    def _create(self, namespace: str, name: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.writes += 1
        if self.interfering:
            self.interfering -= 1
            self.add(copy.deepcopy(body), {})
            self._written = True
        if (namespace, name) in self.services:
            return status(409, "AlreadyExists", f'inferenceservices.serving.kserve.io "{name}" already exists')
        return self._write(namespace, name, body, {}) or (201, self.services[namespace, name])

    def _update(self, namespace: str, name: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.writes += 1
        if (there := self.services.get((namespace, name))) is None:
            return _not_found(name)
        if self.interfering:
            self.interfering -= 1
            there["metadata"].setdefault("annotations", {})["somebody"] = f"was here {self.interfering}"
            there["metadata"]["resourceVersion"] = self._next()
        if body["metadata"]["resourceVersion"] != there["metadata"]["resourceVersion"]:
            return status(409, "Conflict", "Operation cannot be fulfilled on inferenceservices.serving.kserve.io "
                          f'"{name}": the object has been modified; please apply your changes to the latest version '
                          "and try again")  # fmt: skip
        return self._write(namespace, name, body, there) or (200, self.services[namespace, name])

    def _delete(self, namespace: str, name: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.writes += 1
        there = self.services[namespace, name]
        if body["preconditions"]["uid"] != there["metadata"]["uid"]:
            return status(409, "Conflict", "Precondition failed: UID in precondition")
        del self.services[namespace, name]
        return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}

    def _write(self, namespace: str, name: str, body: dict[str, Any], there: dict[str, Any]) -> tuple[int, Any] | None:
        assert body["metadata"]["namespace"] == namespace
        check("V1beta1InferenceService", body)
        if self.denied:
            return status(403, "Forbidden", 'admission webhook "inferenceservice.kserve-webhook-server.validator" '
                          f"denied the request: {self.denied}")  # fmt: skip
        self._written = True
        self.services[namespace, name] = self._stored(body, there)
        return None

    def _stored(self, body: dict[str, Any], there: dict[str, Any]) -> dict[str, Any]:
        """A service as it is kept: nobody but the controller writes its status, and no change is no new version."""
        body = copy.deepcopy(body) | {"status": there.get("status", {})}
        model = body["spec"]["predictor"]["model"]
        for part in model.get("resources", {}).values():  # as Go writes quantities
            part.update({k: re.sub(r"^(\d+)000m$", r"\1", v) for k, v in part.items()})
        was = there.get("metadata", {})
        kept = {"uid": was.get("uid", f"uid-{self._version}"), "creationTimestamp": "2026-11-28T12:00:00Z"}
        changed = body["spec"] != there.get("spec")
        body["metadata"] |= kept | {"generation": was.get("generation", 0) + changed}
        body["metadata"]["resourceVersion"] = was.get("resourceVersion", "")
        if body != there:
            body["metadata"]["resourceVersion"] = self._next()
        return {k: v for k, v in body.items() if k != "status" or v}

    def _next(self) -> str:
        self._version += 1
        return str(self._version)


class _Handler(BaseHTTPRequestHandler):
    cluster: Cluster

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        token = self.headers.get("Authorization", "")
        try:
            code, said = self.cluster.answer(self.command, self.path, token, body)
        except AssertionError as error:
            code, said = status(400, "BadRequest", f"strict decoding error: {error}")
        if self.command == "PUT" and self.cluster.lost:
            self.cluster.lost -= 1
            return
        text = said.encode() if isinstance(said, str) else json.dumps(said).encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/plain" if isinstance(said, str) else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def log_message(self, *_: object) -> None: ...


def status(code: int, reason: str, message: str) -> tuple[int, dict[str, Any]]:
    """Return what the API server says when it refuses."""
    told = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return code, told | {"message": message, "reason": reason, "code": code}


def _not_found(name: str) -> tuple[int, dict[str, Any]]:
    return status(404, "NotFound", f'inferenceservices.serving.kserve.io "{name}" not found')


def check(kind: str, value: Any, place: str = "") -> None:
    """Fail for a field that the models do not have, or one of another type."""
    if kind.startswith("list["):
        assert isinstance(value, list), place
        return
    if found := re.fullmatch(r"dict\(str, (\w+)\)", kind):
        for name, each in value.items():
            check(found[1], each, f"{place}.{name}")
        return
    if kind in ("datetime", "object", "KnativeURL", "KnativeVolatileTime", "V1Time", "float"):
        return
    if kind in PLAIN:
        assert type(value) is PLAIN[kind], f"{place} is {value!r}, should be {kind}"
        return
    fields = FIELDS.get(kind) or _fields_of(kind)
    for name, each in value.items():
        assert name in fields, f"{place}.{name}: {kind} has no such field"
        check(fields[name], each, f"{place}.{name}")


def _fields_of(kind: str) -> dict[str, str]:
    model = getattr(client, kind)
    return {model.attribute_map[name]: kind for name, kind in model.openapi_types.items()}
