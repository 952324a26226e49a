"""Step: a model as an ONNX file that KServe serves."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Model, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(
    base_image=BASE_IMAGE,
    packages_to_install=pinned("onnx", "onnxruntime", "pandas", "pyarrow", "scikit-learn", "skops"),
)
def export_model(
    model: Input[Model],
    exported_model: Output[Model],
    metrics: Output[Metrics],
    check_data: Input[Dataset] = None,
    served_name: str = "model",
):
    """Write a model as ONNX, in the folder that KServe's runtime for ONNX serves, if it answers as the model does.

    Probabilities by onnxruntime are held against those of the model on 10,000 made-up rows at and beside everything
    that the model tells apart, with values that are missing or were never seen; more than 1e-6 apart, the step fails
    and writes nothing. The same model gives the same bytes.

    Args:
        model: Model from train_classifier or calibrate_classifier.
        check_data: Rows made as the training rows were; up to 10,000 of them are tried too.
        served_name: Name of the model in the server: /v2/models/NAME/infer.

    Returns:
        exported_model: Folder with NAME/config.pbtxt and NAME/1/model.onnx; metadata tell inputs, outputs, classes,
            threshold and the digest of the model.
        metrics: Rows checked, largest difference between two probabilities, bytes of the file.
    """
    from roadsafety_components.core import export
    from roadsafety_components.core.datasets import read_dataset
    from roadsafety_components.core.model import read_model

    rows = read_dataset(check_data.path, "check_data") if check_data else None
    facts = export.export_model(*read_model(model.path), exported_model.path, served_name, rows)
    exported_model.metadata.update(facts)
    export.log_export(facts, metrics)
