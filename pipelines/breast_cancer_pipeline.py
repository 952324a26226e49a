"""The generic steps on a table that has nothing to do with roads: scikit-learn's breast cancer data set.

Split, train and evaluate are loaded from their YAML; the one step that is particular to the data is written here.

    kfp dsl compile --py pipelines/breast_cancer_pipeline.py --output breast_cancer_pipeline.yaml
"""

from kfp import components, dsl
from kfp.dsl import Dataset, Output

from roadsafety_components import spec_path
from roadsafety_components.packaging.images import BASE_IMAGE, pinned

split_dataset = components.load_component_from_file(str(spec_path("split_dataset")))
train_classifier = components.load_component_from_file(str(spec_path("train_classifier")))
evaluate_classifier = components.load_component_from_file(str(spec_path("evaluate_classifier")))


@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow", "scikit-learn"))
def load_breast_cancer(data: Output[Dataset]):
    """Write scikit-learn's breast cancer data set as Parquet: 569 patients, 30 measurements, a diagnosis.

    Returns:
        data: One row a patient; columns patient, diagnosis (benign or malignant) and the measurements.
    """
    import os

    from sklearn.datasets import load_breast_cancer as bundled

    bunch = bundled(as_frame=True)
    table = bunch.data.rename(columns=lambda name: name.replace(" ", "_"))
    table.insert(0, "patient", [f"P{number:03d}" for number in range(len(table))])
    table.insert(1, "diagnosis", bunch.target.map({0: "malignant", 1: "benign"}))
    os.makedirs(os.path.dirname(data.path), exist_ok=True)
    table.to_parquet(data.path)
    data.metadata["rows"] = len(table)


@dsl.pipeline(name="breast-cancer", description="The generic steps on a medical data set: split, train, evaluate.")
def breast_cancer_pipeline(algorithm: str = "random_forest", class_weight: str = "none", seed: int = 0):
    """Predict whether a tumour is malignant.

    Args:
        algorithm: random_forest or hist_gradient_boosting.
        class_weight: none or balanced.
        seed: Seed of split and model.
    """
    loaded = load_breast_cancer()
    parts = split_dataset(data=loaded.outputs["data"], target_column="diagnosis", group_column="patient", seed=seed)
    trained = train_classifier(
        train_data=parts.outputs["train_data"],
        target_column="diagnosis",
        exclude_columns=["patient"],
        algorithm=algorithm,
        class_weight=class_weight,
        seed=seed,
    )
    evaluate_classifier(
        model=trained.outputs["model"], test_data=parts.outputs["test_data"], positive_class="malignant"
    )
