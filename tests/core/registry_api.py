"""A server on this machine that answers as the Kubeflow Model Registry does; it reads requests by the client's models.

Paths and models are those of the package model-registry 0.3.18 (mr_openapi), the order of things as in kubeflow/hub,
internal/server/openapi/v1.
"""

import json
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import mr_openapi

from .loopback import Loopback

API = "/api/model_registry/v1"
TOKEN = "a-secret-token"


class Registry(Loopback):
    """The registry.

    Attributes:
        models, versions, artifacts: what is registered, by the registry's number.
        token: that it asks for; empty for none.
        permitted: whether the token may write.
        requests: method and path of each request.
        interfering: whether somebody else makes the same just before the next POST.
        failing: paths that end so are answered with status 500.
        page: what it answers instead, as HTML; empty for the registry itself.
        api: paths that it knows begin so.
    """

    def __init__(self) -> None:
        self.models: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, dict[str, Any]] = {}
        self.artifacts: dict[str, dict[str, Any]] = {}
        self.token, self.page, self.failing, self.api = "", "", "none", API
        self.permitted, self.interfering = True, False
        self.requests: list[tuple[str, str]] = []

    def start(self) -> None:
        """Serve until ``stop``, at ``url``."""
        self.serve(type("Handler", (_Handler,), {"registry": self}))

    def answer(self, method: str, target: str, token: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Return status and body of the answer."""
        self.requests.append((method, urlsplit(target).path))
        if self.page:
            return 200, self.page
        if self.token and token != f"Bearer {self.token}":
            return error(401, "a token is needed")
        if method == "POST" and not self.permitted:
            return 403, "RBAC: access denied"
        if not target.startswith(f"{self.api}/"):
            return 404, "404 page not found\n"
        if urlsplit(target).path.endswith(self.failing):
            return error(500, "the database is away")
        path = urlsplit(target).path.removeprefix(f"{self.api}/").split("/")
        query = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
        return getattr(self, f"_{method.lower()}_{'_'.join(p for p in path if not p.isdigit())}")(
            *(p for p in path if p.isdigit()), **({"query": query} if method == "GET" else {"body": body})
        )

    def _get_registered_model(self, query: dict[str, str]) -> tuple[int, Any]:
        return _first(m for m in self.models.values() if m["name"] == query["name"])

    def _get_model_version(self, query: dict[str, str]) -> tuple[int, Any]:
        wanted = (query["parentResourceId"], query["name"])
        return _first(v for v in self.versions.values() if (v["registeredModelId"], v["name"]) == wanted)

    def _get_model_versions_artifacts(self, version: str, query: dict[str, str]) -> tuple[int, Any]:
        items = [
            {k: v for k, v in a.items() if k != "version"} for a in self.artifacts.values() if a["version"] == version
        ]
        return 200, _as(
            mr_openapi.ArtifactList, {"items": items, "pageSize": 100, "size": len(items), "nextPageToken": ""}
        )

    def _post_registered_models(self, body: dict[str, Any]) -> tuple[int, Any]:
        read(mr_openapi.RegisteredModelCreate, body)
        self._somebody_first(self.models, body)
        if any(m["name"] == body["name"] for m in self.models.values()):
            return error(409, "already exists")
        return 201, self._keep(self.models, mr_openapi.RegisteredModel, body)

    def _post_model_versions(self, body: dict[str, Any]) -> tuple[int, Any]:
        read(mr_openapi.ModelVersionCreate, body)
        assert body["registeredModelId"] in self.models
        self._somebody_first(self.versions, body)
        if any((v["registeredModelId"], v["name"]) == (body["registeredModelId"], body["name"])
               for v in self.versions.values()):  # fmt: skip
            return error(409, "already exists")
        return 201, self._keep(self.versions, mr_openapi.ModelVersion, body)

    def _post_model_versions_artifacts(self, version: str, body: dict[str, Any]) -> tuple[int, Any]:
        read(mr_openapi.Artifact, body)
        kept = self._keep(self.artifacts, mr_openapi.ModelArtifact, body)
        self.artifacts[kept["id"]] = kept | {"version": version}
        return 201, kept

    def _somebody_first(self, kept: dict[str, dict[str, Any]], body: dict[str, Any]) -> None:
        if self.interfering:
            self.interfering = False
            kept["99"] = body | {"id": "99"}

    def _keep(self, kept: dict[str, dict[str, Any]], kind: Any, body: dict[str, Any]) -> dict[str, Any]:
        number = str(len(self.models) + len(self.versions) + len(self.artifacts) + 1)
        kept[number] = _as(kind, body | {"id": number, "createTimeSinceEpoch": "1795867200000"})
        return kept[number]


class _Handler(BaseHTTPRequestHandler):
    registry: Registry

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        try:
            code, said = self.registry.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
        except (AssertionError, ValueError) as reason:
            code, said = error(400, f"not as the API wants it: {reason}")
        text = said.encode() if isinstance(said, str) else json.dumps(said).encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/html" if isinstance(said, str) else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = _answer

    def log_message(self, *_: object) -> None: ...


def error(code: int, message: str) -> tuple[int, dict[str, str]]:
    """Return what the registry says when it refuses."""
    return code, {"code": str(code), "message": message}


def read(kind: Any, body: dict[str, Any]) -> None:
    """Fail for a body that is not wholly of this kind."""
    assert json.loads(json.dumps(kind.from_dict(body).to_dict())) == body, f"{body} has more than {kind.__name__} knows"


def _as(kind: Any, body: dict[str, Any]) -> dict[str, Any]:
    return dict(kind.from_dict(body).to_dict())


def _first(found: Any) -> tuple[int, Any]:
    for each in found:
        return 200, each
    return error(404, "no such entity found: not found")
