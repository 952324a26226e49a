"""A model in the Kubeflow Model Registry, against a server that answers as the registry does."""

import json
from dataclasses import replace

import pyarrow as pa
import pytest
from kfp.dsl import Artifact, Dataset, Model

from roadsafety_components.components.register_model import register_model as step
from roadsafety_components.core import store
from roadsafety_components.core.calibrate import calibrate_classifier
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.registry import Entry, Registered, properties_of, read_token, register
from roadsafety_components.core.results import results_table
from roadsafety_components.core.train import Settings, train_classifier

from .registry_api import API, TOKEN, Registry

DIGEST = "sha256:" + "ab12" * 16
ENTRY = Entry(
    "severity", "1", "s3://models/severity", DIGEST, author="roads", description="of 2024",
    properties={"target_column": "severity", "test_roc_auc": 0.75, "training_rows": 1000, "synthetic": False},
)  # fmt: skip
FACTS = {
    "sha256": DIGEST, "target_column": "severity", "classes": ["fatal", "serious", "slight"], "unit": "vehicle",
    "years": [2023, 2024], "features": ["speed_limit"], "algorithm": "random_forest", "training_rows": 1000,
    "parameters": {"seed": 0}, "training_data": "", "synthetic": True,
}  # fmt: skip


@pytest.fixture
def registry():
    """Return a running registry with nothing in it."""
    server = Registry()
    server.start()
    yield server
    server.stop()


def results(digest=DIGEST):
    """Return a figures table as evaluate_classifier writes it."""
    rows = [
        ("test", "", "model", "roc_auc", 0.75, 0.7, 0.8, 100),
        ("test", "", "model", "precision", None, None, None, 100),
        ("test", "", "baseline", "roc_auc", 0.6, 0.5, 0.7, 100),
        ("age_band", "young", "model", "roc_auc", 0.5, 0.4, 0.6, 10),
    ]
    return results_table(rows, {"made_from": {"model": digest}})


def test_a_model_is_registered(registry):
    """As a registered model, a version with what is known of it, and where its files are."""
    assert register(ENTRY, registry.url) == Registered("registered", "1", "2", "s3://models/severity")
    ((_, model),), ((_, version),), ((_, artifact),) = (
        kept.items() for kept in (registry.models, registry.versions, registry.artifacts)
    )
    assert (model["name"], model["owner"], model["state"]) == ("severity", "roads", "LIVE")
    assert (version["name"], version["author"], version["description"]) == ("1", "roads", "of 2024")
    assert (version["registeredModelId"], artifact["version"]) == ("1", "2")
    assert version["customProperties"] == {
        "digest": {"metadataType": "MetadataStringValue", "string_value": DIGEST},
        "target_column": {"metadataType": "MetadataStringValue", "string_value": "severity"},
        "test_roc_auc": {"metadataType": "MetadataDoubleValue", "double_value": 0.75},
        "training_rows": {"metadataType": "MetadataIntValue", "int_value": "1000"},
        "synthetic": {"metadataType": "MetadataBoolValue", "bool_value": False},
    }
    told = {name: artifact[name] for name in ("artifactType", "name", "uri", "modelFormatName", "modelFormatVersion")}
    assert told == {
        "artifactType": "model-artifact", "name": "severity", "uri": "s3://models/severity",
        "modelFormatName": "onnx", "modelFormatVersion": "1",
    }  # fmt: skip


def test_the_same_model_once_more_changes_nothing(registry):
    """The registry keeps telling where it was first."""
    register(ENTRY, registry.url)
    registry.requests.clear()
    again = register(replace(ENTRY, uri="s3://models/copy"), registry.url)
    assert again == Registered("unchanged", "1", "2", "s3://models/severity")
    assert {method for method, _ in registry.requests} == {"GET"}


def test_another_version_joins_the_registered_model(registry):
    """One registered model, two versions."""
    register(ENTRY, registry.url)
    assert register(replace(ENTRY, version="2", digest="sha256:cd"), registry.url).action == "registered"
    assert [v["name"] for v in registry.versions.values()] == ["1", "2"]
    assert len(registry.models) == 1


def test_another_model_of_the_same_version_is_refused(registry):
    """A version is one model, for good."""
    register(ENTRY, registry.url)
    with pytest.raises(
        InputError, match=rf"another model \(digest {DIGEST}, this one's is sha256:cd\). Choose another"
    ):
        register(replace(ENTRY, digest="sha256:cd"), registry.url)
    assert len(registry.artifacts) == 1


def test_what_stopped_half_way_is_completed(registry):
    """A version without its files is of no use to anybody."""
    registry.failing = "/artifacts"
    with pytest.raises(InputError, match=r"refused: the database is away \(HTTP status 500\)"):
        register(ENTRY, registry.url)
    assert (len(registry.versions), registry.artifacts) == (1, {})
    registry.failing = "none"
    assert register(ENTRY, registry.url).action == "completed"
    assert [a["uri"] for a in registry.artifacts.values()] == ["s3://models/severity"]


def test_two_that_register_at_the_same_time(registry):
    """Who comes second finds what the first has made."""
    registry.interfering = True
    assert register(ENTRY, registry.url).model_id == "99"


def test_the_token_is_sent(registry):
    """As a bearer token."""
    registry.token = TOKEN
    assert register(ENTRY, registry.url, TOKEN).action == "registered"


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            {"token": TOKEN},
            r"refused: a token is needed \(HTTP status 401\)\. Give a token in the environment variable",
        ),
        ({"permitted": False}, r"refused: RBAC: access denied \(HTTP status 403\)\. The token, or the service account"),
        ({"page": "<html>Log in</html>"}, "is not the Model Registry; is it a login page"),
        ({"api": API + "alpha3"}, "has no API /api/model_registry/v1: .* the server is older"),
    ],
)
def test_a_refusal_is_one_line(registry, made, message):
    """With the address, the status, and what to do; the token is not in it."""
    for name, value in made.items():
        setattr(registry, name, value)
    with pytest.raises(InputError, match=message) as raised:
        register(ENTRY, registry.url, "another-token")
    assert registry.url in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "another-token" not in str(raised.value)


def test_no_registry_there(registry):
    """Nothing listens."""
    registry.stop()
    registry.stop = lambda: None
    with pytest.raises(InputError, match=f"no Model Registry answers at {registry.url}"):
        register(ENTRY, registry.url)


def test_a_registry_that_is_silent(registry, serve):
    """It is waited for so long, and no longer."""
    from .make import Answer

    site = serve({f"{API}/registered_model?name=severity": [Answer(b"{}", promised=10, silent=True)]})
    with pytest.raises(InputError, match=r"did not answer in 0\.2 seconds"):
        register(ENTRY, site.url, timeout_seconds=0.2)


@pytest.mark.parametrize(
    "address", ["registry:8080", "ftp://registry", "http://", "http://me:pa55@registry", "http://r:x"]
)
def test_an_address_that_is_none(address):
    """What it should look like is in the message, what might be a password is not."""
    with pytest.raises(InputError, match="write where the Model Registry is as http://HOST:PORT") as raised:
        register(ENTRY, address)
    assert "pa55" not in str(raised.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": " "}, "registered_name is empty"),
        ({"version": ""}, "version is empty"),
        ({"properties": {"team": ["roads"]}}, "properties: team is .* it can be text, a number"),
    ],
)
def test_an_entry_that_the_registry_would_not_take(change, message):
    """It is refused before anything is sent."""
    with pytest.raises(InputError, match=message):
        register(replace(ENTRY, **change), "http://registry")


def test_certificates_that_are_none(tmp_path):
    """Before anything is sent."""
    with pytest.raises(InputError, match="certificates: there is no file at /nothing"):
        register(ENTRY, "https://127.0.0.1:9", certificates="/nothing")
    (tmp_path / "ca.crt").write_text("no certificate\n")
    with pytest.raises(InputError, match=r"(?i)no certificate"):
        register(ENTRY, "https://127.0.0.1:9", certificates=str(tmp_path / "ca.crt"))


def test_what_the_registry_tells_of_a_model():
    """Facts that people look for, and the figures of the model on the whole test."""
    assert properties_of(FACTS, results()) == {
        "target_column": "severity", "classes": "fatal, serious, slight", "unit": "vehicle", "years": "2023, 2024",
        "algorithm": "random_forest", "training_rows": 1000, "synthetic": True, "test_roc_auc": 0.75,
    }  # fmt: skip


def test_the_threshold_of_a_model_is_registered():
    """As a number, beside the class that it is of; a model without one has neither."""
    rows = pa.table({"speed_limit": [20.0, 30.0, 60.0] * 40, "severity": ["slight", "slight", "serious"] * 40})
    given, facts, held = train_classifier(rows, "severity", Settings(n_estimators=3), folds=3)
    _, chosen = calibrate_classifier(given, facts, held, "none", target_recall=0.8)
    _, none = calibrate_classifier(given, facts, held, "none")
    told = properties_of(chosen)
    assert (told["threshold"], told["threshold_positive_class"]) == (chosen["threshold"]["value"], "serious")
    assert type(told["threshold"]) is float
    assert not [name for name in properties_of(none) if name.startswith("threshold")]


def test_two_that_keep_registering_at_the_same_time(registry, monkeypatch):
    """After the third conflict the registry's own words are passed on."""
    from mr_openapi.exceptions import ConflictException

    from roadsafety_components.core import registry as module

    tries = []

    async def always_late(*_):
        tries.append(True)
        raise ConflictException(409, "Conflict")

    monkeypatch.setattr(module, "_try_to_register", always_late)
    with pytest.raises(InputError, match=r"refused: Conflict \(HTTP status 409\)"):
        register(ENTRY, registry.url)
    assert len(tries) == 3


def test_figures_of_another_model_are_refused():
    """They would be believed for ever."""
    with pytest.raises(InputError, match="results is about another model"):
        properties_of(FACTS, results("sha256:cd"))
    with pytest.raises(InputError, match="results has no column part, model, figure, value"):
        properties_of(FACTS, pa.table({"a": [1]}))


def test_where_the_token_comes_from(tmp_path, monkeypatch):
    """The variable goes before the file that Kubeflow mounts."""
    monkeypatch.delenv("KF_PIPELINES_SA_TOKEN_PATH", raising=False)
    assert read_token("REGISTRY") == ""
    (tmp_path / "token").write_text("of the file\n")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(tmp_path / "token"))
    assert read_token("REGISTRY") == "of the file"
    monkeypatch.setenv("REGISTRY", " of the variable ")
    assert read_token("REGISTRY") == "of the variable"
    (tmp_path / "token").unlink()
    with pytest.raises(InputError, match=r"KF_PIPELINES_SA_TOKEN_PATH names .*, which cannot be read"):
        read_token("")


def test_the_step_registers(registry, tmp_path, monkeypatch, capfd):
    """The version follows the digest, what is known goes with it, and the token is in nothing that it leaves."""
    registry.token = TOKEN
    monkeypatch.setenv("MODEL_REGISTRY_TOKEN", TOKEN)
    store.write_dataset(results(), tmp_path / "results")
    (tmp_path / "exported" / "model" / "1").mkdir(parents=True)
    (tmp_path / "exported" / "model" / "1" / "model.onnx").write_bytes(b"onnx")
    record, version = Artifact(uri=str(tmp_path / "record.json")), tmp_path / "version"
    step.python_func(
        model=Model(uri=str(tmp_path / "exported"), metadata=FACTS), results=Dataset(uri=str(tmp_path / "results")),
        model_uri="minio://mlpipeline/severity", registered_name="severity", address=registry.url,
        record=record, registered_version=str(version), properties={"team": "roads"},
    )  # fmt: skip
    assert version.read_text() == "ab12ab12ab12"
    told = {
        "registered_name": "severity", "version": "ab12ab12ab12", "digest": DIGEST, "action": "registered",
        "model_id": "1", "version_id": "2", "uri": "s3://mlpipeline/severity",
    }  # fmt: skip
    assert record.metadata == told == json.loads((tmp_path / "record.json").read_text())
    properties = registry.versions["2"]["customProperties"]
    assert properties["team"]["string_value"] == "roads"
    assert properties["test_roc_auc"]["double_value"] == 0.75
    said = "".join(capfd.readouterr())
    assert said == "severity, version ab12ab12ab12: registered.\n"
    assert TOKEN not in (tmp_path / "record.json").read_text()
