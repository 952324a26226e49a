"""Step: an exported model served by KServe."""

from typing import Dict

from kfp import dsl
from kfp.dsl import Artifact, Input, Model, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("kubernetes", "onnx"))
def deploy_kserve(
    model: Input[Model],
    name: str,
    namespace: str,
    manifest: Output[Artifact],
    url: dsl.OutputPath(str),
    dry_run: bool = True,
    model_uri: str = "",
    version: str = "",
    service_account: str = "",
    min_replicas: int = 1,
    max_replicas: int = 1,
    cpu: str = "1",
    memory: str = "2Gi",
    runtime: str = "kserve-tritonserver",
    protocol: str = "v2",
    canary_percent: int = 100,
    labels: Dict[str, str] = {},
    annotations: Dict[str, str] = {},
    timeout_seconds: int = 600,
):
    """Write the InferenceService of an exported model; without dry_run apply it, wait until it is ready, or undo it.

    A service that is so already is left as it is. What others have set in it stays. One that is not ready in time, or
    when the step is told to end, gets its former spec back, or is deleted if it was new, and the step fails with the
    conditions that it had. Give the task no retries: what a killed try left looks unchanged to the next one.

    Args:
        model: Folder from export_model.
        name: Name of the service.
        namespace: Namespace that it lives in.
        dry_run: Write the manifest alone, and speak to no cluster.
        model_uri: Where KServe reads the folder (s3://, gs://, pvc://, ...); empty for the artifact's own URI.
        version: Version of the model that the service's label tells; empty for the first digits of its digest.
        service_account: Service account of the service, with the secret that opens the storage; empty for the default.
        min_replicas: Fewest replicas; 0 scales to none where Knative runs the service.
        max_replicas: Most replicas.
        cpu: Processors of a replica, e.g. 500m or 2.
        memory: Memory of a replica, e.g. 2Gi.
        runtime: ServingRuntime; empty for the one that KServe chooses for ONNX.
        protocol: v2 (HTTP) or grpc-v2.
        canary_percent: Share of the requests that this model gets beside the former one, 1 to 100; needs Knative.
        labels: Further labels of the service.
        annotations: Further annotations of the service.
        timeout_seconds: How long to wait until the service is ready.

    Returns:
        manifest: The InferenceService as YAML, for kubectl apply -f; its metadata tell what was done.
        url: Address of the service; empty after a dry run.
    """
    from roadsafety_components.core import exported
    from roadsafety_components.core.kserve import Service
    from roadsafety_components.core.rollout import deploy

    uri = exported.storage_uri(model.uri, model_uri)
    digest = exported.exported_facts(model.path, model.metadata)["sha256"]
    service = Service(
        name, namespace, uri, digest, exported.version_of(digest, version), service_account, min_replicas,
        max_replicas, cpu, memory, runtime, protocol, canary_percent, labels, annotations,
    )  # fmt: skip
    manifest.metadata.update(deploy(service, manifest.path, url, dry_run, timeout_seconds))
