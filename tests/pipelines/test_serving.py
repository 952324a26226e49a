"""From a stored model to a service: the pipeline that exports it, and speaks to no cluster unless it is told to."""

from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest
import yaml

from roadsafety_components.core.export import requested
from roadsafety_components.core.model import read_model
from roadsafety_components.core.model_writer import write_model
from roadsafety_components.core.predict import probabilities
from roadsafety_components.core.train import train_classifier
from roadsafety_components.packaging import local, specs


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    """Return 300 rows: a number, a text, gaps, and a class that follows from them."""
    at = np.arange(300)
    speed, road = np.array([20, 30, 60])[at % 3], np.array(["A", "B", None], object)[at // 3 % 3]
    worse = (speed == 60) ^ (road == "A")
    return pa.table({"speed": pa.array(speed, mask=at % 7 == 0), "road": road, "y": np.where(worse, "ksi", "slight")})


@pytest.fixture
def compiled(checkout, tmp_path) -> Path:
    """Return the pipeline's YAML."""
    spec = tmp_path / "serve.yaml"
    spec.write_text(specs.compile_readable(specs.pipeline_in(checkout / "pipelines/serve_model_pipeline.py")))
    return spec


def test_a_model_becomes_a_folder_and_a_manifest(rows, compiled, tmp_path):
    """With the defaults: no cluster, no registry; the file answers as the model does."""
    write_model(*train_classifier(rows, "y", folds=0)[:2], tmp_path / "model.skops")
    arguments = {"model": str(tmp_path / "model.skops"), "name": "severity", "namespace": "models",
                 "model_uri": "s3://models/severity"}  # fmt: skip
    run = local.run_pipeline(compiled, arguments, tmp_path / "out", tmp_path / "log")
    assert run.failed is None, run.failed.message
    assert [step.label for step in run.steps] == ["export_model", "deploy_kserve"]

    exported = run.artifacts["export-model.exported_model"]
    model, facts = read_model(tmp_path / "model.skops")
    assert exported["metadata"]["sha256"] == facts["sha256"]
    assert exported["metadata"]["inputs"] == {"speed": "FP32", "road": "BYTES"}
    session = onnxruntime.InferenceSession(Path(exported["uri"], "severity/1/model.onnx"))
    given, label = session.run(None, requested(facts, rows))
    right = probabilities(model, facts, rows)
    assert abs(given - right).max() < 1e-9
    assert (label[:, 0] == np.where(right[:, 0] >= right[:, 1], "ksi", "slight")).all()
    assert run.artifacts["export-model.metrics"]["metadata"]["checked_rows"] == 10_000
    assert run.artifacts["export-model.metrics"]["metadata"]["largest_difference"] < 1e-9

    manifest = yaml.safe_load(Path(run.artifacts["deploy-kserve.manifest"]["uri"]).read_text())
    assert manifest["spec"]["predictor"]["model"]["storageUri"] == "s3://models/severity"
    assert facts["sha256"] in str(manifest["metadata"])


def test_a_model_that_is_none_stops_the_pipeline(compiled, tmp_path):
    """With the message of read_model, before anything is written."""
    (tmp_path / "model.skops").write_text("no model")
    arguments = {"model": str(tmp_path / "model.skops"), "name": "severity", "namespace": "models"}
    run = local.run_pipeline(compiled, arguments, tmp_path / "out", tmp_path / "log")
    assert run.failed is not None
    assert run.failed.label == "export_model"
    assert "is not a skops file" in run.failed.message
