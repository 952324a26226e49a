"""Step: metrics and a report for a classifier on rows it has not seen."""

from kfp import dsl
from kfp.dsl import HTML, ClassificationMetrics, Dataset, Input, Metrics, Model, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(
    base_image=BASE_IMAGE, packages_to_install=pinned("matplotlib", "pandas", "pyarrow", "scikit-learn", "skops")
)
def evaluate_classifier(
    model: Input[Model],
    test_data: Input[Dataset],
    metrics: Output[Metrics],
    classification_metrics: Output[ClassificationMetrics],
    report: Output[HTML],
    target_column: str = "",
    positive_class: str = "",
):
    """Judge a classifier on test rows: metrics for the run comparison, a confusion matrix, an HTML report.

    Beside accuracy stand the figures that do not flatter a model which always answers the commonest class: balanced
    accuracy, macro-F1, ROC-AUC, average precision, log loss, Brier score and each class's precision, recall and F1.

    Args:
        model: Model from train_classifier.
        test_data: Rows that the model has not seen, Parquet.
        target_column: Column with the true classes; empty for the model's own target.
        positive_class: For two classes the one whose ROC curve is drawn; empty for the rarer one.

    Returns:
        metrics: Figures for the run comparison.
        classification_metrics: Confusion matrix, and the ROC curve where there are two classes.
        report: Self-contained page with pictures.
    """
    from roadsafety_components.core import evaluate, store
    from roadsafety_components.core.datasets import read_dataset
    from roadsafety_components.core.model import read_model
    from roadsafety_components.core.report import evaluation_report

    fitted, facts = read_model(model.path)
    table = read_dataset(test_data.path, "test_data")
    evaluation = evaluate.evaluate_classifier(fitted, facts, table, target_column, positive_class)
    evaluate.log_evaluation(evaluation, metrics, classification_metrics)
    store.write_text(evaluation_report(evaluation), report.path)
