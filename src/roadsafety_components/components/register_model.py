"""Step: an exported model entered in the Kubeflow Model Registry."""

from typing import Dict

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("model-registry", "onnx", "pyarrow"))
def register_model(
    model: Input[Model],
    registered_name: str,
    address: str,
    record: Output[Artifact],
    registered_version: dsl.OutputPath(str),
    results: Input[Dataset] = None,
    model_uri: str = "",
    version: str = "",
    author: str = "",
    description: str = "",
    properties: Dict[str, str] = {},
    format_name: str = "onnx",
    format_version: str = "1",
    token_variable: str = "MODEL_REGISTRY_TOKEN",
    certificates: str = "",
    timeout_seconds: int = 60,
):
    """Enter an exported model in the Kubeflow Model Registry: which it is, where it is, and what is known of it.

    The same model once more as the same version changes nothing; another model as the same version is refused.

    Args:
        model: Folder from export_model.
        registered_name: Name that all versions of the model share; made if it is not there.
        address: Where the registry is, http://HOST:PORT or https://HOST:PORT.
        results: Figures table of evaluate_classifier, of this model.
        model_uri: Where others read the folder (s3://, gs://, pvc://, ...); empty for the artifact's own URI.
        version: Version of the model; empty for the first digits of its digest.
        author: Who answers for the version.
        description: Description of the version.
        properties: Further properties of the version.
        format_name: Format of the files.
        format_version: Version of the format.
        token_variable: Environment variable with the bearer token; without it the file that Kubeflow mounts, or none.
        certificates: File of the authorities that the registry's certificate is checked with; empty for the usual.
        timeout_seconds: For how long to try.

    Returns:
        record: What the registry has now, as JSON.
        registered_version: Version that the model is registered as.
    """
    from roadsafety_components.core import exported, registry
    from roadsafety_components.core.datasets import read_dataset

    facts = exported.exported_facts(model.path, model.metadata)
    digest = facts["sha256"]
    table = read_dataset(results.path, "results") if results else None
    entry = registry.Entry(
        registered_name, exported.version_of(digest, version), exported.storage_uri(model.uri, model_uri), digest,
        format_name, format_version, author, description,
        {**registry.properties_of(facts, table), **properties},
    )  # fmt: skip
    token = registry.read_token(token_variable)
    found = registry.register(entry, address, token, certificates, timeout_seconds)
    record.metadata.update(registry.write_record(entry, found, record.path, registered_version))
