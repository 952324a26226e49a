"""What docs/serving.md says of deploying and registering is so."""

import re

import pytest
import yaml
from kfp import compiler

import roadsafety_components
from roadsafety_components.components.deploy_kserve import deploy_kserve
from roadsafety_components.components.export_model import export_model
from roadsafety_components.components.register_model import register_model
from roadsafety_components.core.exported import version_of
from roadsafety_components.core.kserve import DIGEST, Service, inference_service, manifest


@pytest.fixture
def page(checkout):
    """Return the page from its heading Deploy on."""
    return (checkout / "docs" / "serving.md").read_text().partition("\n## Deploy\n")[2]


def blocks(page, language):
    """Return the page's blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_the_manifest_on_the_page_is_what_the_step_writes(page):
    """Character for character."""
    (shown,) = [block for block in blocks(page, "yaml") if "kind: InferenceService" in block]
    digest = yaml.safe_load(shown)["metadata"]["annotations"][DIGEST]
    service = Service(
        "severity", "models", "s3://models/severity", digest, version_of(digest), runtime="kserve-tritonserver"
    )
    assert shown == manifest(inference_service(service))


def test_python_on_the_page_runs(page, tmp_path, monkeypatch):
    """The pipeline compiles, and the settings are such as the package knows."""
    for step in (deploy_kserve, export_model, register_model):
        monkeypatch.setattr(roadsafety_components, step.python_func.__name__, step, raising=False)
    pipeline, settings = blocks(page, "python")
    defined = {}
    exec(pipeline, defined)
    compiler.Compiler().compile(defined["promote_and_serve"], str(tmp_path / "pipeline.yaml"))
    exec(settings, defined)
    assert list(defined["settings"].steps) == ["register_model"]


def test_every_object_on_the_page_is_one(page):
    """Kind, name, and the namespace that the others are in."""
    objects = [o for block in blocks(page, "yaml") for o in yaml.safe_load_all(block)]
    assert {o["kind"] for o in objects} == {"InferenceService", "Secret", "ServiceAccount", "Role", "RoleBinding"}
    assert {o["metadata"]["namespace"] for o in objects} == {"models"}
