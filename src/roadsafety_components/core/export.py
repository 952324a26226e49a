"""A model as an ONNX file in the folder that KServe's runtime for ONNX (Triton) serves, held against the model."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pyarrow as pa
import pyarrow.compute as pc

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.files import replacing
from roadsafety_components.core.frame import to_frame
from roadsafety_components.core.onnx_graph import DTYPES, OPSETS
from roadsafety_components.core.onnx_model import LABEL, PROBABILITIES, inputs_of, to_onnx
from roadsafety_components.core.predict import answers, check_features, probabilities
from roadsafety_components.core.store import Facts

LIMIT = 1e-6  # of the difference between two probabilities
_ROWS = 10_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
# What a reader of the ONNX file alone should know; the model's facts, as they are.
_TOLD = ("target_column", "classes", "threshold", "calibration", "algorithm", "unit", "known_at", "years", "synthetic",
         "training_rows", "training_data")  # fmt: skip


def export_model(
    model: Any, facts: Facts, destination: str | Path, name: str = "model", check_data: pa.Table | None = None
) -> Facts:
    """Write a model as ONNX in a model repository: ``<name>/config.pbtxt`` and ``<name>/1/model.onnx``.

    The file is written only if it gives the probabilities that the model gives, within 1e-6, on 10,000 made-up rows,
    which hold every kind of value that the model tells apart, none and unseen ones, and on rows of ``check_data``.

    Args:
        model: from ``model.read_model``.
        facts: the model's.
        destination: the folder to write, whole or not at all; the same model gives the same bytes.
        name: of the model in the server.
        check_data: rows as the training rows were; up to 10,000 of them, evenly spaced, are tried too.

    Returns:
        The model's facts and those of the export: ``served_name``, ``inputs`` and ``outputs`` by name with their
        datatype, ``opset``, ``onnx_sha256``, ``onnx_bytes``, ``checked_rows``, ``largest_difference``.

    Raises:
        InputError: a model that cannot be exported as it is, or that would answer otherwise; a name that is none; rows
            that do not fit the model.
    """
    if not _NAME.fullmatch(name):
        raise InputError(f"served_name is {name!r}; it is letters, digits, and after the first '_', '.' or '-'.")
    inputs = inputs_of(facts)
    made, turns = to_onnx(model, facts, _told(facts, inputs))
    stored = made.SerializeToString(deterministic=True)
    session = onnxruntime.InferenceSession(stored, providers=["CPUExecutionProvider"])
    differences = {"made-up rows": largest_difference(session, model, facts, made_up_rows(inputs, turns))}
    checked = _ROWS
    if check_data is not None:
        check_features(facts, check_data.schema, "check_data")
        rows = np.unique(np.linspace(0, check_data.num_rows - 1, _ROWS).astype(int))
        differences["check_data"] = largest_difference(session, model, facts, check_data.take(pa.array(rows)))
        checked += len(rows)
    for rows_of, difference in differences.items():
        print(f"probabilities by onnxruntime and by scikit-learn differ by {difference:.2g} at most ({rows_of})")
        if not difference <= LIMIT:
            raise InputError(f"model: as ONNX it would give other probabilities, up to {difference:.2g} apart on "
                             f"{rows_of}, and {LIMIT:g} is the most; nothing was written. Try another calibration or "
                             "algorithm, or use predict_batch.")  # fmt: skip
    with replacing(destination) as (draft,):
        Path(draft, name, "1").mkdir(parents=True)
        Path(draft, name, "1", "model.onnx").write_bytes(stored)
        Path(draft, name, "config.pbtxt").write_text(
            triton_config(name, inputs, len(facts["classes"])), encoding="utf-8"
        )
    return facts | {
        "format": "onnx",
        "served_name": name,
        "inputs": inputs,
        "outputs": {PROBABILITIES: "FP64", LABEL: "BYTES"},
        "opset": OPSETS,
        "onnx_sha256": f"sha256:{hashlib.sha256(stored).hexdigest()}",
        "onnx_bytes": len(stored),
        "checked_rows": checked,
        "largest_difference": max(differences.values()),
        "versions": facts["versions"] | {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__},
    }


def log_export(facts: Facts, metrics: Any) -> None:
    """Log what ``export_model`` found."""
    for name in ("checked_rows", "largest_difference", "onnx_bytes"):
        metrics.log_metric(name, float(facts[name]))


def requested(facts: Facts, table: pa.Table) -> dict[str, npt.NDArray[Any]]:
    """Rows as inputs of the ONNX file: each feature rows by 1; what is missing is NaN, or empty text."""
    frame = to_frame(table, facts["features"])
    return {
        name: frame[name].fillna("" if kind == "BYTES" else np.nan).to_numpy(DTYPES[kind])[:, None]
        for name, kind in inputs_of(facts).items()
    }


def largest_difference(session: Any, model: Any, facts: Facts, table: pa.Table) -> float:
    """Of probabilities by onnxruntime and by scikit-learn; NaN where one gives none.

    Raises:
        InputError: a label that does not follow from the probabilities beside it.
    """
    for name in facts["text_features"]:  # a request has one way to say missing
        values = table[name].cast(pa.string())
        named = pc.if_else(pc.equal(values, ""), None, values)
        table = table.set_column(table.column_names.index(name), name, named)
    given, label = session.run([PROBABILITIES, LABEL], requested(facts, table))
    expected = np.array(facts["classes"], dtype=object)[answers(given, facts)]
    if wrong := int((label[:, 0] != expected).sum()):
        raise InputError(f"model: as ONNX {wrong} of {len(label)} labels do not follow from the probabilities.")
    return float(abs(given - probabilities(model, facts, table)).max())


def made_up_rows(inputs: Mapping[str, str], turns: Mapping[str, Sequence[Any]], rows: int = _ROWS) -> pa.Table:
    """Rows to try a model with: each value where an answer may turn, or a hair beside it, or in between, or none.

    Args:
        inputs: datatype by feature.
        turns: by feature, the values at which an answer may turn.
        rows: how many; the same in every run.
    """
    rng = np.random.default_rng(0)
    columns = {}
    for name, kind in inputs.items():
        if kind == "BYTES":
            values = rng.choice(np.array(["", *turns.get(name, ())], dtype=object), rows)
        else:
            known = np.array([0.0, *turns.get(name, ())])
            at = rng.choice(known[abs(known) < np.finfo(np.float32).max], rows).astype(np.float32)
            beside = np.nextafter(at, rng.choice(np.array([-np.inf, np.inf], np.float32), rows))
            between = rng.uniform(at.min(), at.max(), rows).astype(np.float32)
            values = np.choose(rng.choice(3, rows, p=[0.6, 0.2, 0.2]), [at, beside, between])
        columns[name] = pa.array(values, mask=rng.random(rows) < 0.1)
    return pa.table(columns)


def triton_config(name: str, inputs: Mapping[str, str], classes: int) -> str:
    """The model's configuration for Triton: any number of rows a request, on the processor."""
    tensors = [("input", n, kind, 1) for n, kind in inputs.items()]
    tensors += [("output", PROBABILITIES, "FP64", classes), ("output", LABEL, "BYTES", 1)]
    lines = [f'name: "{name}"', 'backend: "onnxruntime"', "max_batch_size: 0", "instance_group [ { kind: KIND_CPU } ]"]
    for side, tensor, kind, width in tensors:
        told = "STRING" if kind == "BYTES" else kind
        lines.append(
            f"{side} {{ name: {json.dumps(tensor, ensure_ascii=False)} data_type: TYPE_{told} dims: [ -1, {width} ] }}"
        )
    return "\n".join(lines) + "\n"


def _told(facts: Facts, inputs: Mapping[str, str]) -> dict[str, str]:
    """Metadata of the file: text as it is, the rest as JSON."""
    found = {name: facts[name] for name in _TOLD if facts.get(name)}
    found |= {"features": inputs, "model": facts.get("sha256", ""), "scikit-learn": facts["versions"]["scikit-learn"]}
    return {n: v if isinstance(v, str) else json.dumps(v, sort_keys=n != "features") for n, v in found.items()}
