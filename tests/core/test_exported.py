"""An exported model is found, and known again, wherever it lies."""

import re

import onnx
import pyarrow as pa
import pytest

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.export import _TOLD, export_model
from roadsafety_components.core.exported import exported_facts, storage_uri, version_of
from roadsafety_components.core.model import read_model
from roadsafety_components.core.model_writer import write_model

from .make import small_model

DIGEST = "sha256:" + "ab12" * 16


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Return the folder of a small model, and what export_model told of it."""
    folder = tmp_path_factory.mktemp("exported")
    rows = pa.table({"speed_limit": [20.0, 30.0, 60.0] * 40, "severity": ["slight", "slight", "serious"] * 40})
    write_model(*small_model(rows, "severity"), folder / "model.skops")
    return folder / "onnx", export_model(*read_model(folder / "model.skops"), folder / "onnx", "severity")


def test_what_export_model_told_is_taken_as_it_is(exported):
    """In a pipeline it is the artifact's metadata."""
    folder, facts = exported
    assert exported_facts(folder, facts) == facts


def test_without_metadata_the_file_tells(exported):
    """The same model is the same digest then, and what people want to see is the same, too."""
    folder, facts = exported
    found = exported_facts(folder, {})
    for name in ("sha256", "onnx_sha256", "served_name", "target_column", "classes", "algorithm"):
        assert found[name] == facts[name]


def test_names_that_look_like_something_else_stay_text(tmp_path):
    """A column may be called 2024; and every fact that the file tells comes back as it was."""
    rows = pa.table({"speed_limit": [20.0, 30.0, 60.0] * 40, "2024": ["true", "true", "false"] * 40})
    write_model(*small_model(rows, "2024"), tmp_path / "model.skops")
    model, facts = read_model(tmp_path / "model.skops")
    facts |= {
        "threshold": {"positive_class": "false", "value": 0.3}, "calibration": "none", "unit": "null", "years": [2024],
        "known_at": "1.10", "synthetic": True, "training_data": "12e34",
    }  # fmt: skip
    export_model(model, facts, tmp_path / "onnx")
    found = exported_facts(tmp_path / "onnx", {})
    told = set(_TOLD) | {"sha256"}
    assert {name: found[name] for name in told} == {name: facts[name] for name in told}
    assert found["features"] == {"speed_limit": "FP32"}


def test_what_is_no_exported_model_is_refused(tmp_path):
    """A model that is still to be exported is the usual case."""
    (tmp_path / "model.skops").write_bytes(b"skops")
    for path in (tmp_path / "model.skops", tmp_path / "nothing", tmp_path):
        with pytest.raises(InputError, match=rf"{re.escape(str(path))} is not the folder of one exported model"):
            exported_facts(path, {"sha256": DIGEST})


def test_a_file_of_somebody_else_is_refused(tmp_path):
    """So is a damaged one."""
    file = tmp_path / "model" / "1" / "model.onnx"
    file.parent.mkdir(parents=True)
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], [])), file)
    with pytest.raises(InputError, match="does not tell which model it is"):
        exported_facts(tmp_path, {})
    other = onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], []))
    onnx.helper.set_model_props(other, {"model": "severity", "classes": "slight, serious"})
    onnx.save(other, file)
    with pytest.raises(InputError, match="was written by something else"):
        exported_facts(tmp_path, {})
    file.write_bytes(b"\xff\xff")
    with pytest.raises(InputError, match="is damaged"):
        exported_facts(tmp_path, {})


def test_another_model_is_another_version():
    """Unless somebody names it."""
    assert (version_of(DIGEST), version_of(DIGEST, " 1.0 ")) == ("ab12ab12ab12", "1.0")


@pytest.mark.parametrize(
    ("artifact", "given", "read"),
    [
        ("minio://mlpipeline/v2/artifacts/a/model", "", "s3://mlpipeline/v2/artifacts/a/model"),
        ("gs://bucket/model", "", "gs://bucket/model"),
        ("/tmp/model", "pvc://claim/model", "pvc://claim/model"),
        ("s3://one/model", " s3://two/model ", "s3://two/model"),
    ],
)
def test_where_kserve_reads_a_model(artifact, given, read):
    """The artifact's URI in the words of KServe, or the one given."""
    assert storage_uri(artifact, given) == read


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("/tmp/model", "KServe cannot read /tmp/model; say in model_uri"),
        ("ftp://host/model", "KServe cannot read ftp://host/model"),
        ("s3://", "KServe cannot read s3://"),
    ],
)
def test_what_kserve_cannot_read_is_refused(uri, message):
    """A path on a laptop is the usual case."""
    with pytest.raises(InputError, match=message):
        storage_uri(uri)


@pytest.mark.parametrize("uri", ["https://me:pa55@host/m", "https://host/m?sig=pa55", "ftp://me:pa55@host/m"])
def test_a_uri_with_credentials_is_refused_and_not_repeated(uri):
    """It would stand in the manifest, for all to read."""
    with pytest.raises(InputError, match="credentials and endpoints belong in a secret") as raised:
        storage_uri(uri)
    assert "pa55" not in str(raised.value)
