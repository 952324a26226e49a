"""Step: what recall costs at each threshold, and the errors that a classifier is surest of."""

from typing import Dict

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Model, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow", "scikit-learn", "skops"))
def inspect_answers(
    model: Input[Model],
    test_data: Input[Dataset],
    report: Output[HTML],
    target_column: str = "",
    positive_class: str = "",
    labels: Dict[str, Dict[str, str]] = {},
):
    """Look at a classifier's answers: precision and false alarms for each recall, and its surest errors.

    Rows that the model is sure of and wrong about show a feature that is missing, a code that means something else in
    some force, or a record that is wrong itself.

    Args:
        model: Model from train_classifier or calibrate_classifier.
        test_data: Rows that the model has not seen, Parquet.
        target_column: Column with the true classes; empty for the model's own target.
        positive_class: For two classes the one to find; empty for the rarer one.
        labels: Column, code, words. Errors show these columns, the first six, in words.

    Returns:
        report: Self-contained page.
    """
    from roadsafety_components.core import inspection, store
    from roadsafety_components.core.datasets import read_dataset
    from roadsafety_components.core.model import read_model

    table = read_dataset(test_data.path, "test_data")
    found = inspection.inspect_answers(*read_model(model.path), table, target_column, positive_class, labels)
    store.write_text(inspection.inspection_report(found), report.path)
