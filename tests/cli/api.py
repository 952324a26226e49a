"""A Kubeflow Pipelines API in memory, on loopback, held to the server's published OpenAPI description.

The description is what the installed package kfp_server_api was generated from. Each of its methods is called once with
a client that records instead of sending, and so tells its path, parameters, body and answer; its models tell fields and
types. A request that the description does not allow is answered with status 400, as the server does (unknown fields
too); an answer that is not of the described model breaks the test. A handler below has the name of the operation.

The rules are those of the server's sources (kubeflow/pipelines, backend/src/apiserver).
"""

# ruff: noqa: D102 (a handler is documented by the operation whose name it has)

import contextlib
import email
import email.policy
import inspect
import json
import re
import ssl
import sys
import threading
import urllib.parse
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import kfp_server_api
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from kfp_server_api import models

# google.rpc.Code, and the HTTP status that grpc-gateway makes of it.
CODES = {3: 400, 5: 404, 6: 409, 7: 403, 12: 501, 16: 401}
INVALID, NOT_FOUND, EXISTS, DENIED, UNIMPLEMENTED, UNAUTHENTICATED = CODES
# JSON has 64-bit integers as text, and the description calls them so; the server takes numbers too.
INT64 = ("max_concurrency", "interval_second", "long_value")
# What nginx as an ingress lets through if nobody raised it; the server itself takes 2 GB of JSON.
MOST_BODY_BYTES = 1 << 20
MOST_UPLOAD_BYTES = 32 << 20
DEFAULT_PAGE, MOST_PAGE = 20, 200


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, code: int, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status or CODES[code]
        self.body: dict[str, Any] = {"code": code, "message": message, "details": []}

    def of_upload(self) -> "Refused":
        """The same as the upload server says it: its own form, and status 400 for whatever has none there."""
        self.status = self.status if self.status in (409, 413) else 400
        self.body = {"error_message": str(self), "error_details": str(self)}
        return self


@dataclass(frozen=True)
class Operation:
    """A method of the described API: its parameters by place, with their types."""

    name: str
    method: str
    path: str
    query: dict[str, str]
    body: str
    files: tuple[str, ...]
    answer: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """The path as a pattern with a group for each parameter."""
        words = re.split(r"\{([\w.]+)\}", self.path)
        parts = (re.escape(w) if i % 2 == 0 else f"(?P<{w.replace('.', '__')}>[^/:]+)" for i, w in enumerate(words))
        return re.compile("".join(parts))


def described_operations() -> list[Operation]:
    """Every operation of the description; those without parameters in the path first, as they win."""
    operations = []
    for name, service in vars(kfp_server_api.api).items():
        if not name.endswith("ServiceApi"):
            continue
        recorded: list[Any] = []

        def record(path: str, method: str, in_path: Any, query: Any, headers: Any, to: list = recorded, **rest: Any):
            to.append((path, method, dict(query), rest))

        recorder = SimpleNamespace(
            client_side_validation=False, call_api=record, select_header_accept=lambda kinds: kinds[0],
            select_header_content_type=lambda kinds: kinds[0],
        )  # fmt: skip
        for call, _ in inspect.getmembers(service, inspect.isfunction):
            if call.startswith("_") or call.endswith("_with_http_info"):
                continue
            types = dict(re.findall(r":type (\w+): ([^\n]+)", getattr(service, call).__doc__))
            types = {n: t for n, t in types.items() if n != "async_req"}
            getattr(service(recorder), call)(**{n: n for n in types})
            path, method, query, rest = recorded.pop()
            operations.append(Operation(
                call, method, path, {wire: types[own] for wire, own in query.items()}, types.get(rest["body"], ""),
                tuple(rest["files"]), rest["response_type"],
            ))  # fmt: skip
    return sorted(operations, key=lambda o: o.path.count("{"))


OPERATIONS = described_operations()


SCALARS = {"str": str, "int": int, "bool": bool, "datetime": str}


def check(value: Any, kind: str, name: str = "") -> None:
    """Refuse a value that is not of a described type."""
    if kind in SCALARS:
        number = type(value) is int and kind == "str" and name in INT64
        if type(value) is not SCALARS[kind] and not number:
            raise Refused(INVALID, f"proto: invalid value for {kind} field {name}: {json.dumps(value)[:80]}")
    elif kind.startswith("list["):
        if type(value) is not list:
            raise Refused(INVALID, f"proto: syntax error: unexpected token for {name}")
        for item in value:
            check(item, kind[5:-1], name)
    elif kind.startswith("dict("):
        if type(value) is not dict:
            raise Refused(INVALID, f"proto: syntax error: unexpected token for {name}")
    elif kind != "object":  # which is any JSON
        _check_model(value, getattr(models, kind), name)


def _check_model(value: Any, model: Any, name: str) -> None:
    if allowed := getattr(model, "allowable_values", None):
        if value not in allowed and not (type(value) is int and 0 <= value < len(allowed)):
            raise Refused(INVALID, f"proto: invalid value for enum field {name}: {value!r}")
        return
    if type(value) is not dict:
        raise Refused(INVALID, f"proto: syntax error: unexpected token for {model.__name__}")
    wires = {wire: attribute for attribute, wire in model.attribute_map.items()}
    # protobuf reads both spellings of a name
    wires |= {re.sub(r"_(\w)", lambda m: m[1].upper(), wire): attribute for wire, attribute in wires.items()}
    for wire, item in value.items():
        if wire not in wires:
            raise Refused(INVALID, f'proto: (line 1:2): unknown field "{wire}"')
        if item is not None:
            check(item, model.openapi_types[wires[wire]], wires[wire])


def wire_form(answer: Any) -> Any:
    """A model as JSON, without what is empty, as the server sends it."""
    body = kfp_server_api.ApiClient().sanitize_for_serialization(answer)
    return {name: value for name, value in body.items() if value not in ("", [], 0, False)}


@dataclass
class Api:
    """State and rules of the server, and what a test provokes.

    Attributes:
        states: what it answers of a run, one after the other.
        tag: version in its health.
        health: what it says of itself instead.
        namespaces: those of a multi-user server; none for a server without users.
        allowed: the namespaces that who asks may edit.
        token, cookie: what it asks for, if anything.
        page: HTML that it answers to everything instead.
        only_v1: a server of before 2.0.
        broken: answers that are cut off before they begin, from now on.
        requests: method, path and decoded body of all that came, in order.
    """

    states: list[str] = field(default_factory=lambda: ["SUCCEEDED"])
    tag: str = kfp_server_api.__version__
    health: dict[str, Any] = field(default_factory=dict)
    namespaces: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    token: str = ""
    cookie: str = ""
    page: str = ""
    only_v1: bool = False
    broken: int = 0
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    experiments: dict[str, Any] = field(default_factory=dict)
    runs: dict[str, Any] = field(default_factory=dict)
    recurring_runs: dict[str, Any] = field(default_factory=dict)
    pipelines: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)

    # -- rules that several operations share

    def _namespace(self, namespace: str | None, shared: bool = False) -> str:
        if not self.namespaces:
            return ""
        if not namespace and not shared:
            raise Refused(INVALID, "Invalid input error: cannot have an empty namespace in multi-user mode")
        if namespace and namespace not in self.allowed:
            words = f"User 'a@example.org' is not authorized: (ResourceAttributes{{Namespace:{namespace}}})"
            raise Refused(DENIED, f"Failed to authorize with API: PermissionDenied: {words}")
        return namespace or ""

    def _one(self, kind: str, held: dict[str, Any], key: str) -> Any:
        if key not in held:
            raise Refused(NOT_FOUND, f"ResourceNotFoundError: {kind} {key} not found")
        return held[key]

    def _listed(self, held: dict[str, Any], query: dict[str, Any], **kept: Any) -> tuple[list[Any], int, str]:
        items = [i for i in held.values() if all(getattr(i, n) == v for n, v in kept.items())]
        for predicate in _predicates(query.get("filter", "")):
            key, value = predicate["key"], predicate.get("stringValue", predicate.get("string_value"))
            if key not in ("display_name", "name", "id", "created_at", "status"):
                raise Refused(INVALID, f"Invalid input error: no support for filtering on unrecognized field {key!r}")
            items = [i for i in items if getattr(i, key) == value]
        size = min(int(query.get("page_size") or 0) or DEFAULT_PAGE, MOST_PAGE)
        begin = int(query.get("page_token") or 0)
        after = str(begin + size) if begin + size < len(items) else ""
        return items[begin : begin + size], len(items), after

    def _experiment_of(self, body: dict[str, Any]) -> Any:
        experiment = self._one("Experiment", self.experiments, body.get("experiment_id", ""))
        self._namespace(experiment.namespace)
        if not body.get("display_name"):
            raise Refused(INVALID, "Invalid input error: name is empty. Please specify a valid name")
        return experiment

    # -- operations, by their names in the description

    def experiment_service_list_experiments(self, query, **_):
        namespace = self._namespace(query.get("namespace"))
        items, total, after = self._listed(self.experiments, query, namespace=namespace)
        return models.V2beta1ListExperimentsResponse(experiments=items, total_size=total, next_page_token=after)

    def experiment_service_create_experiment(self, body, **_):
        namespace = self._namespace(body.get("namespace"))
        name = body.get("display_name", "")
        if not name:
            raise Refused(INVALID, "Invalid input error: Experiment name is empty. Please specify a valid name")
        if any((e.display_name, e.namespace) == (name, namespace) for e in self.experiments.values()):
            raise Refused(EXISTS, f"Failed to create a new experiment. The name {name} already exists")
        made = models.V2beta1Experiment(
            experiment_id=_key(), display_name=name, namespace=namespace, storage_state="AVAILABLE", created_at=_now()
        )
        return _keep(self.experiments, made.experiment_id, made)

    def experiment_service_get_experiment(self, experiment_id, **_):
        return self._one("Experiment", self.experiments, experiment_id)

    def experiment_service_archive_experiment(self, experiment_id, **_):
        self._one("Experiment", self.experiments, experiment_id).storage_state = "ARCHIVED"

    def experiment_service_delete_experiment(self, experiment_id, **_):
        self._one("Experiment", self.experiments, experiment_id)
        del self.experiments[experiment_id]

    def run_service_create_run(self, body, **_):
        experiment = self._experiment_of(body)
        if experiment.storage_state == "ARCHIVED":
            raise Refused(INVALID, "Failed to create a new run: the experiment is archived")
        _check_job(body)
        made = models.V2beta1Run(**_fields(models.V2beta1Run, body) | {"run_id": _key(), "state": "PENDING"})
        return _keep(self.runs, made.run_id, made)

    def run_service_get_run(self, run_id, **_):
        run = self._one("Run", self.runs, run_id)
        run.state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if run.state == "FAILED":
            task = models.V2beta1PipelineTaskDetail(display_name="train-classifier", state="FAILED")
            run.run_details = models.V2beta1RunDetails(task_details=[task])
        return run

    def run_service_list_runs(self, query, **_):
        items, total, after = self._listed(self.runs, query)
        return models.V2beta1ListRunsResponse(runs=items, total_size=total, next_page_token=after)

    def run_service_delete_run(self, run_id, **_):
        self._one("Run", self.runs, run_id)
        del self.runs[run_id]

    def recurring_run_service_create_recurring_run(self, body, **_):
        experiment = self._experiment_of(body)
        _check_job(body)
        if not 1 <= int(body.get("max_concurrency", 0)) <= 10:
            raise Refused(INVALID, "The max concurrency of the recurring run is out of range. Support 1-10.")
        trigger = body.get("trigger", {})
        cron = trigger.get("cron_schedule", {}).get("cron", "* * * * * *")
        if len(cron.split()) not in (5, 6):
            raise Refused(INVALID, "Schedule cron is not a supported format(https://godoc.org/github.com/robfig/cron).")
        if int(trigger.get("periodic_schedule", {}).get("interval_second", 1)) < 1:
            raise Refused(INVALID, "Found invalid period schedule interval. Set at interval to least 1 second.")
        status = "DISABLED" if body.get("mode") == "DISABLE" else "ENABLED"
        given = _fields(models.V2beta1RecurringRun, body)
        made = models.V2beta1RecurringRun(
            **given | {"recurring_run_id": _key(), "status": status, "namespace": experiment.namespace}
        )
        return _keep(self.recurring_runs, made.recurring_run_id, made)

    def recurring_run_service_get_recurring_run(self, recurring_run_id, **_):
        return self._one("Job", self.recurring_runs, recurring_run_id)

    def recurring_run_service_list_recurring_runs(self, query, **_):
        namespace = self._namespace(query.get("namespace"))
        items, total, after = self._listed(self.recurring_runs, query, namespace=namespace)
        return models.V2beta1ListRecurringRunsResponse(recurring_runs=items, total_size=total, next_page_token=after)

    def recurring_run_service_enable_recurring_run(self, recurring_run_id, **_):
        job = self._one("Job", self.recurring_runs, recurring_run_id)
        job.status, job.mode = "ENABLED", "ENABLE"

    def recurring_run_service_disable_recurring_run(self, recurring_run_id, **_):
        job = self._one("Job", self.recurring_runs, recurring_run_id)
        job.status, job.mode = "DISABLED", "DISABLE"

    def recurring_run_service_delete_recurring_run(self, recurring_run_id, **_):
        self._one("Job", self.recurring_runs, recurring_run_id)
        del self.recurring_runs[recurring_run_id]

    def pipeline_service_list_pipelines(self, query, **_):
        namespace = self._namespace(query.get("namespace"), shared=True)
        items, total, after = self._listed(self.pipelines, query, namespace=namespace)
        return models.V2beta1ListPipelinesResponse(pipelines=items, total_size=total, next_page_token=after)

    def pipeline_service_create_pipeline(self, body, **_):
        namespace = self._namespace(body.get("namespace"), shared=True)
        name = body.get("name") or body.get("display_name", "")
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", name):  # of the two stores, Kubernetes asks for it
            raise Refused(INVALID, f"Invalid pipeline name {name!r}. Use 'display_name' for human-readable labels")
        if any((p.name, p.namespace) == (name, namespace) for p in self.pipelines.values()):
            raise Refused(EXISTS, f"Failed to create a new pipeline. The name {name} already exists")
        given = _fields(models.V2beta1Pipeline, body)
        made = models.V2beta1Pipeline(**given | {"pipeline_id": _key(), "name": name, "namespace": namespace})
        return _keep(self.pipelines, made.pipeline_id, made)

    def pipeline_service_get_pipeline(self, pipeline_id, **_):
        return self._one("Pipeline", self.pipelines, pipeline_id)

    def pipeline_service_delete_pipeline(self, pipeline_id, **_):
        self._one("Pipeline", self.pipelines, pipeline_id)
        if any(v.pipeline_id == pipeline_id for v in self.versions.values()):
            raise Refused(INVALID, "Failed to delete pipeline as it has existing pipeline versions")
        del self.pipelines[pipeline_id]

    def pipeline_service_list_pipeline_versions(self, pipeline_id, query, **_):
        self._one("Pipeline", self.pipelines, pipeline_id)
        items, total, after = self._listed(self.versions, query, pipeline_id=pipeline_id)
        return models.V2beta1ListPipelineVersionsResponse(
            pipeline_versions=items, total_size=total, next_page_token=after
        )

    def pipeline_service_get_pipeline_version(self, pipeline_id, pipeline_version_id, **_):
        return self._one("PipelineVersion", self.versions, pipeline_version_id)

    def pipeline_service_delete_pipeline_version(self, pipeline_id, pipeline_version_id, **_):
        self._one("PipelineVersion", self.versions, pipeline_version_id)
        del self.versions[pipeline_version_id]

    def upload_pipeline_version(self, query, files, **_):
        pipeline = self._one("Pipeline", self.pipelines, query.get("pipelineid", ""))
        self._namespace(pipeline.namespace, shared=True)
        spec, platform = _spec_of(files["uploadfile"])
        if any((v.name, v.pipeline_id) == (query["name"], pipeline.pipeline_id) for v in self.versions.values()):
            raise Refused(EXISTS, "Failed to create a pipeline version")
        spec["pipelineInfo"]["name"] = f"pipeline/{pipeline.name}"  # the server gives it its own name
        shown = {"pipeline_spec": spec, "platform_spec": platform} if platform else spec
        made = models.V2beta1PipelineVersion(
            pipeline_version_id=_key(), pipeline_id=pipeline.pipeline_id, name=query["name"], pipeline_spec=shown,
            display_name=query.get("display_name") or query["name"], description=query.get("description", ""),
        )  # fmt: skip
        return _keep(self.versions, made.pipeline_version_id, made)


def _key() -> str:
    return str(uuid.uuid4())


def _now() -> datetime:
    return datetime.now(UTC)


def _keep(held: dict[str, Any], key: str, made: Any) -> Any:
    held[key] = made
    return made


def _fields(model: Any, body: dict[str, Any]) -> dict[str, Any]:
    """A checked body as arguments of its model, models within included."""
    client = kfp_server_api.ApiClient()
    made = client.deserialize(SimpleNamespace(data=json.dumps(body)), model.__name__)
    return {name: getattr(made, name) for name in model.openapi_types if getattr(made, name) is not None}


def _predicates(text: str) -> list[dict[str, Any]]:
    if not text:
        return []
    asked = json.loads(urllib.parse.unquote(text))
    check(asked, "V2beta1Filter")
    for predicate in asked["predicates"]:
        if predicate["operation"] not in (1, "EQUALS"):
            raise Refused(UNIMPLEMENTED, "the fake knows EQUALS only")
    return list(asked["predicates"])


def _spec_of(text: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """An uploaded or submitted spec and its platform's, checked as the server's template does."""
    try:
        spec, platform = [*yaml.load_all(text, yaml.CSafeLoader), {}][:2]
        json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
        json_format.ParseDict(platform, pipeline_spec_pb2.PlatformSpec())
    except (yaml.YAMLError, json_format.ParseError, ValueError, TypeError, AttributeError) as error:
        raise Refused(INVALID, f"InvalidInputError: invalid v2 pipeline spec: {error}") from error
    if spec.get("schemaVersion") != "2.1.0" or not spec.get("root") or not spec.get("pipelineInfo", {}).get("name"):
        raise Refused(INVALID, "InvalidInputError: invalid v2 pipeline spec: schema version, root or name")
    return spec, platform


_KINDS = {
    "NUMBER_INTEGER": (int, float), "NUMBER_DOUBLE": (int, float), "STRING": str, "BOOLEAN": bool, "LIST": list,
    "STRUCT": dict,
}  # fmt: skip


def _check_job(body: dict[str, Any]) -> None:
    """The rules for what a run or a recurring run is of: a spec, and parameters that it takes."""
    sent = body.get("pipeline_spec", {})
    documents = (sent.get("pipeline_spec", sent), sent.get("platform_spec", {}))
    spec, _ = _spec_of("\n---\n".join(map(json.dumps, documents)).encode())
    takes = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    given = body.get("runtime_config", {}).get("parameters", {})
    for name, rule in takes.items():
        if name not in given and not rule.get("isOptional") and "defaultValue" not in rule:
            raise Refused(INVALID, f"parameter {name} is not optional, yet has neither default value nor user value")
        if name in given and not isinstance(given[name], _KINDS[rule["parameterType"]]):
            raise Refused(INVALID, f"input parameter {name} requires type {rule['parameterType']}")
    if extra := sorted(set(given) - set(takes)):
        raise Refused(INVALID, f"parameter(s) provided are not required or optional by pipeline: {', '.join(extra)}")


class _Handler(BaseHTTPRequestHandler):
    """HTTP in front of an Api."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: two cost 40 ms, for the kernel waits between them
    server: "_Server"

    def log_message(self, *_words: Any) -> None:
        """Nothing: the test reads `requests`."""

    def do_GET(self) -> None:
        """Answer, whatever the method."""
        api = self.server.api
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        if api.broken:
            api.broken -= 1
            self.close_connection = True
            return
        path, _, query = self.path.partition("?")
        if api.page:
            return self._send(200, api.page.encode(), "text/html")
        try:
            if path == "/apis/v1beta1/healthz" or (path == "/apis/v2beta1/healthz" and not api.only_v1):
                said = {"commit_sha": "unknown", "tag_name": api.tag, "multi_user": bool(api.namespaces)}
                return self._send(200, json.dumps(api.health or said).encode())
            self._identify(api)
            answer = self._answered(api, path, dict(urllib.parse.parse_qsl(query)), content)
            self._send(200, json.dumps(answer).encode())
        except Refused as refused:
            self._send(refused.status, json.dumps(refused.body).encode())

    do_POST = do_DELETE = do_PATCH = do_GET

    def _identify(self, api: Api) -> None:
        if api.token and self.headers.get("Authorization") != f"Bearer {api.token}":
            raise Refused(UNAUTHENTICATED, "Request header error: there is no user identity header.")
        if api.cookie and self.headers.get("Cookie") != api.cookie:
            raise Refused(UNAUTHENTICATED, "Request header error: there is no user identity header.")

    def _answered(self, api: Api, path: str, query: dict[str, str], content: bytes) -> Any:
        found = [(o, m) for o in OPERATIONS if o.method == self.command and (m := o.pattern.fullmatch(path))]
        if not found or api.only_v1:
            raise Refused(NOT_FOUND, "Not Found")
        operation, match = found[0]
        for name, text in query.items():
            if name not in operation.query:
                raise Refused(INVALID, f"the description has no parameter {name} of {operation.name}")
            check({"int": int, "bool": json.loads}.get(operation.query[name], str)(text), operation.query[name], name)
        body, files = None, {}
        if operation.files:
            files = self._files(content)
        elif operation.body:
            if len(content) > MOST_BODY_BYTES:
                raise Refused(INVALID, "Request Entity Too Large", status=413)
            body = json.loads(content)
            check(body, operation.body)
        api.requests.append((self.command, path, body))
        if not (handler := getattr(api, operation.name, None)):
            raise Refused(UNIMPLEMENTED, f"the fake has no {operation.name}")
        try:
            answer = handler(**match.groupdict(), body=body, query=query, files=files)
        except Refused as refused:
            raise refused.of_upload() if operation.files else refused from None
        if operation.answer == "object":
            assert answer is None, f"{operation.name} answers {answer!r}, the description has an empty object"
            return {}
        assert type(answer).__name__ == operation.answer, f"{operation.name} answers {answer!r}"
        return wire_form(answer)

    def _files(self, content: bytes) -> dict[str, bytes]:
        if len(content) > MOST_UPLOAD_BYTES:
            raise Refused(INVALID, "File size too large", status=413).of_upload()
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        message = email.message_from_bytes(head + content, policy=email.policy.HTTP)
        names = ((part.get_param("name", header="content-disposition"), part) for part in message.iter_parts())
        return {str(name): part.get_payload(decode=True) for name, part in names}

    def _send(self, status: int, content: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class _Server(ThreadingHTTPServer):
    api: Api
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print what is the fake's own fault; a client that hangs up is the test's intent."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def serving(api: Api, certificate: Path | None = None) -> Iterator[str]:
    """The address of the API on loopback, with TLS if there is a certificate (PEM, with its key)."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.api = api
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
