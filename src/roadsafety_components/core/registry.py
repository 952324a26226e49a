"""A model entered in the Kubeflow Model Registry: the registered model, its version, and where the files are."""

import asyncio
import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.files import replacing
from roadsafety_components.core.quote import quote
from roadsafety_components.core.store import facts_of

# Property of a version by which the same model is known again.
DIGEST = "digest"
REGISTERED, COMPLETED, UNCHANGED = "registered", "completed", "unchanged"
# Names the file of the token that Kubeflow mounts in a pod; the registry's own client and kfp's read it too.
TOKEN_FILE_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"
# Tries where others register at the same time.
_TRIES = 3

# Facts of a model that a reader of the registry should see.
_SHOWN = ("target_column", "classes", "unit", "known_at", "years", "synthetic", "algorithm",
          "training_rows", "training_data", "calibration", "served_name", "onnx_sha256")  # fmt: skip

Property = str | int | float | bool


@dataclass(frozen=True)
class Entry:
    """What is to be registered.

    Attributes:
        name: of the registered model; made if there is none of it.
        version: of the model; each is registered once.
        uri: where others read the model's files.
        digest: of the model, ``sha256:<hex>``.
        format_name: of the files.
        format_version: the same.
        author: who answers for the version.
        description: of the version.
        properties: what else people should see of the version.
    """

    name: str
    version: str
    uri: str
    digest: str
    format_name: str = "onnx"
    format_version: str = "1"
    author: str = ""
    description: str = ""
    properties: Mapping[str, Property] = field(default_factory=dict)


@dataclass(frozen=True)
class Registered:
    """What the registry has now.

    Attributes:
        action: REGISTERED; COMPLETED if an earlier try had stopped half way; UNCHANGED.
        model_id: the registry's number of the registered model.
        version_id: the same of the version.
        uri: that the registry tells of the version: the first one's if it was registered before.
    """

    action: str
    model_id: str
    version_id: str
    uri: str


def register(
    entry: Entry, address: str, token: str = "", certificates: str = "", timeout_seconds: float = 60.0
) -> Registered:
    """Register a model's version, unless just this model is registered as this version already.

    Args:
        entry: what to register.
        address: of the registry, ``http[s]://host[:port]``; port 8080 or 443 if there is none.
        token: bearer token; empty for none.
        certificates: file of the authorities that the registry's certificate is checked with; empty for the usual ones.
        timeout_seconds: for all of it.

    Raises:
        InputError: another model of this version, no registry there, or not permitted.
    """
    for what, value in (("registered_name", entry.name), ("version", entry.version)):
        if not value.strip():
            raise InputError(f"{what} is empty; the registry needs one.")
    for what, given in entry.properties.items():
        if not isinstance(given, (str, int, float)):
            raise InputError(f"properties: {what} is {given!r}; it can be text, a number, true or false.")
    if certificates and not Path(certificates).is_file():
        raise InputError(f"certificates: there is no file at {certificates}.")
    host = _host(address)

    import aiohttp
    from model_registry.core import ModelRegistryAPIClient
    from mr_openapi import Configuration
    from mr_openapi.exceptions import ApiException
    from pydantic import ValidationError

    api = ModelRegistryAPIClient(Configuration(host, access_token=token or None, ssl_ca_cert=certificates or None))
    try:
        return asyncio.run(asyncio.wait_for(_register(api, entry), timeout_seconds))
    except TimeoutError as error:
        raise InputError(f"the Model Registry at {host} did not answer in {timeout_seconds:g} seconds.") from error
    except ApiException as error:
        raise InputError(f"the Model Registry at {host} {_refusal(error)}") from error
    except (aiohttp.ClientError, OSError) as error:
        raise InputError(f"no Model Registry answers at {host}: {quote(error)}.") from error
    except ValidationError as error:  # an answer of another shape
        raise InputError(f"what answers at {host} is not the Model Registry; is it a login page, or another service's "
                         "address?") from error  # fmt: skip


def properties_of(facts: Mapping[str, Any], results: pa.Table | None = None) -> dict[str, Property]:
    """What the registry should tell of a model: its facts, and its figures on the test rows as ``test_<figure>``.

    Args:
        facts: of the model; by ``sha256`` it is seen that the figures are its own.
        results: figures table of evaluate_classifier, if there is one.

    Raises:
        InputError: a table of something else, or of another model.
    """
    told: dict[str, Property] = {}
    for name in _SHOWN:
        value = facts.get(name)
        if isinstance(value, (list, tuple)):
            told[name] = ", ".join(map(str, value))
        elif isinstance(value, (str, int, float)) and value != "":
            told[name] = value
    if threshold := facts.get("threshold"):
        told |= {"threshold": threshold["value"], "threshold_positive_class": threshold["positive_class"]}
    if results is None:
        return told
    if lost := [c for c in ("part", "model", "figure", "value") if c not in results.column_names]:
        raise InputError(f"results has no column {', '.join(lost)}; give the output results of evaluate_classifier.")
    judged = facts_of(results).get("made_from", {}).get("model")
    if judged != facts["sha256"]:
        raise InputError(f"results is about another model ({judged}) than this ({facts['sha256']}); give what was made "
                         "with this one.")  # fmt: skip
    figures = [r for r in results.to_pylist() if (r["part"], r["model"]) == ("test", "model")]
    return told | {f"test_{r['figure']}": float(r["value"]) for r in figures if r["value"] is not None}


def read_token(variable: str) -> str:
    """The bearer token: of the environment variable, else of the file that Kubeflow mounts; empty if there is neither.

    Raises:
        InputError: the file that ``TOKEN_FILE_VARIABLE`` names cannot be read.
    """
    if variable and (token := os.environ.get(variable, "").strip()):
        return token
    if not (path := os.environ.get(TOKEN_FILE_VARIABLE, "")):
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise InputError(f"{TOKEN_FILE_VARIABLE} names {path}, which cannot be read: {error.strerror}.") from error


def write_record(entry: Entry, found: Registered, path: str | Path, version_path: str | Path) -> dict[str, Any]:
    """Write what the registry has now as JSON, and the version's name as text; return it as metadata."""
    told = {"registered_name": entry.name, "version": entry.version, "digest": entry.digest} | asdict(found)
    with replacing(path, version_path) as (record, version):
        record.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        version.write_text(entry.version, encoding="utf-8")
    print(f"{entry.name}, version {entry.version}: {found.action}.")
    return told


async def _register(api: Any, entry: Entry) -> Registered:
    from mr_openapi.exceptions import ConflictException

    for _ in range(_TRIES - 1):
        with contextlib.suppress(ConflictException):  # somebody else made it between our look and our write: look again
            return await _try_to_register(api, entry)
    return await _try_to_register(api, entry)


async def _try_to_register(api: Any, entry: Entry) -> Registered:
    from model_registry.types import ModelArtifact, ModelVersion, RegisteredModel

    model = await api.get_registered_model_by_params(entry.name)
    if model is None:
        model = await api.upsert_registered_model(RegisteredModel(name=entry.name, owner=entry.author or None))
    version = await api.get_model_version_by_params(model.id, entry.version)
    action = COMPLETED if version else REGISTERED
    if version is None:
        made = ModelVersion(
            name=entry.version,
            author=entry.author or None,
            description=entry.description or None,
            custom_properties={**entry.properties, DIGEST: entry.digest},
        )
        version = await api.upsert_model_version(made, model.id)
    elif (known := (version.custom_properties or {}).get(DIGEST, "unknown")) != entry.digest:
        raise InputError(f"version {entry.version} of {entry.name} is registered for another model (digest {known}, "
                         f"this one's is {entry.digest}). Choose another version.")  # fmt: skip
    for artifact in await api.get_model_artifacts(version.id):
        return Registered(UNCHANGED, model.id, version.id, artifact.uri)
    artifact = ModelArtifact(
        name=entry.name,
        uri=entry.uri,
        model_format_name=entry.format_name,
        model_format_version=entry.format_version,
    )
    await api.upsert_model_version_artifact(artifact, version.id)
    return Registered(action, model.id, version.id, entry.uri)


def _host(address: str) -> str:
    """The address with its port, as the client wants it."""
    parts = urlsplit(address.strip())
    try:
        port = parts.port or {"http": 8080, "https": 443}[parts.scheme]
    except (KeyError, ValueError):
        port = 0
    if not port or not parts.hostname or "@" in parts.netloc or parts.query:
        raise InputError("address: write where the Model Registry is as http://HOST:PORT or https://HOST:PORT, without "
                         "a user or a token.")  # fmt: skip
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{name}:{port}{parts.path.rstrip('/')}"


def _refusal(error: Any) -> str:
    said = getattr(error.data, "message", "") or quote(error.body or error.reason or "")
    if error.status == 404 and not hasattr(error.data, "message"):
        return ("has no API /api/model_registry/v1: either something else answers there, or the server is older (with "
                "v1alpha3 alone) than the client.")  # fmt: skip
    advice = {
        401: "Give a token in the environment variable that token_variable names.",
        403: "The token, or the service account of this step, is not permitted to.",
    }.get(error.status, "")
    return f"refused: {said} (HTTP status {error.status}). {advice}".strip()
