"""A model of train_classifier or calibrate_classifier as a service: exported, registered, deployed.

kfp dsl compile --py pipelines/serve_model_pipeline.py --output serve_model_pipeline.yaml
"""

from kfp import dsl
from kfp.dsl import Model

from roadsafety_components import components


@dsl.pipeline(
    name="serve-model",
    description="Export a model as ONNX, hold it against the original, write or apply its KServe InferenceService.",
)
def serve_model_pipeline(
    model: str,
    name: str,
    namespace: str,
    model_uri: str = "",
    dry_run: bool = True,
    service_account: str = "",
    registry: str = "",
    timeout_seconds: int = 600,
):
    """With its defaults it speaks to no cluster and to no registry: the manifest is its result.

    Args:
        model: URI of the model.
        name: Name of the service, of the model in it (/v2/models/NAME/infer) and in the registry.
        namespace: Namespace that the service lives in.
        model_uri: Where KServe reads the exported folder; empty for the artifact's own URI.
        dry_run: Write the manifest alone; without, apply it and wait until the service is ready.
        service_account: Service account of the service, with the secret that opens the storage.
        registry: Address of the Kubeflow Model Registry to enter the model in; empty for none.
        timeout_seconds: How long to wait until the service is ready.
    """
    trained = dsl.importer(artifact_uri=model, artifact_class=Model)
    exported = components.export_model(model=trained.output, served_name=name)
    with dsl.If(registry != ""):
        components.register_model(
            model=exported.outputs["exported_model"], registered_name=name, address=registry, model_uri=model_uri
        )
    components.deploy_kserve(
        model=exported.outputs["exported_model"],
        name=name,
        namespace=namespace,
        model_uri=model_uri,
        dry_run=dry_run,
        service_account=service_account,
        timeout_seconds=timeout_seconds,
    )
