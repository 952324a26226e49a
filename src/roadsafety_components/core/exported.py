"""An exported model as other services see it: where it is, and which one it is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.files import digest

# What KServe's storage initializer reads (kserve/kserve, python/storage).
SCHEMES = ("s3", "gs", "pvc", "oci", "hdfs", "webhdfs", "https")
# Hexadecimal digits of a digest that are enough for people.
_SHORT = 12
# What export_model writes as JSON in the ONNX file. The rest is text: a column may be called 2024, or true.
_JSON = ("classes", "threshold", "years", "synthetic", "training_rows", "features")


def storage_uri(artifact_uri: str, model_uri: str = "") -> str:
    """Where other services read an artifact: ``model_uri`` if it is given, else the artifact's own URI.

    KFP calls an S3 store that is not Amazon's ``minio://``; everybody else calls it ``s3://``, and has its endpoint
    with the credentials.

    Raises:
        InputError: a path, a scheme that KServe does not read, or a URI that carries credentials.
    """
    uri = model_uri.strip() or artifact_uri
    scheme, separator, place = uri.partition("://")
    if "?" in place or "#" in place or "@" in place.partition("/")[0]:
        raise InputError(f"model_uri: a URI of {scheme}:// with a user, a query or a fragment in it is refused: "
                         "many can read it later, and credentials and endpoints belong in a secret.")  # fmt: skip
    scheme = "s3" if scheme == "minio" else scheme
    if not separator or scheme not in SCHEMES or not place:
        raise InputError(f"model: KServe cannot read {uri}; say in model_uri where the same folder is "
                         f"({', '.join(f'{s}://' for s in SCHEMES)}).")  # fmt: skip
    return f"{scheme}://{place}"


def exported_facts(path: str | Path, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of an exported model, with ``sha256`` of the model that was exported.

    Args:
        path: folder from ``export.export_model``.
        metadata: of the artifact. On plain files, and after dsl.importer, there is none: then the ONNX file tells.

    Raises:
        InputError: no such folder, or a file that ``export_model`` has not written.
    """
    files = sorted(Path(path).glob("*/*/model.onnx"))
    if len(files) != 1:
        raise InputError(f"model: {path} is not the folder of one exported model (NAME/1/model.onnx); give the output "
                         "of export_model.")  # fmt: skip
    return dict(metadata) if metadata.get("sha256") else _told_by(files[0])


def _told_by(file: Path) -> dict[str, Any]:
    """What ``export_model`` has written in the ONNX file: text, and some of it as JSON."""
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        told: dict[str, Any] = {p.key: p.value for p in onnx.load(file, load_external_data=False).metadata_props}
    except DecodeError as error:
        raise InputError(f"model: {file} is damaged; export it again with export_model.") from error
    if not told.get("model"):
        raise InputError(f"model: {file} does not tell which model it is; give the output of export_model.")
    try:
        told |= {name: json.loads(told[name]) for name in _JSON if name in told}
    except ValueError as error:
        raise InputError(f"model: {file} was written by something else; give the output of export_model.") from error
    return told | {"sha256": told["model"], "served_name": file.parent.parent.name, "onnx_sha256": digest(file)}


def version_of(digest: str, version: str = "") -> str:
    """``version``, or if it is empty the first digits of the model's digest: another model is another version."""
    return version.strip() or digest.removeprefix("sha256:")[:_SHORT]
