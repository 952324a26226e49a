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
    results: Output[Dataset],
    baseline: Input[Model] = None,
    target_column: str = "",
    positive_class: str = "",
    group_column: str = "",
    resamples: int = 200,
):
    """Judge a classifier on test rows: metrics for the run comparison, a confusion matrix, an HTML report.

    Beside accuracy stand the figures that do not flatter a model which always answers the commonest class: balanced
    accuracy, macro-F1, ROC-AUC, average precision, log loss, Brier score and each class's precision, recall and F1.
    Each has a 95 % interval, and stands beside that of no skill and of a baseline if one is given.

    Args:
        model: Model from train_classifier.
        test_data: Rows that the model has not seen, Parquet.
        baseline: A simpler or an earlier model of the same classes, judged on the same rows.
        target_column: Column with the true classes; empty for the model's own target.
        positive_class: For two classes the one whose ROC curve is drawn; empty for the rarer one.
        group_column: Rows with the same value of it, such as the visits of one patient, are drawn together for the
            intervals; empty for the one that the data names.
        resamples: Draws for the intervals; 0 for none.

    Returns:
        metrics: Figures for the run comparison.
        classification_metrics: Confusion matrix, and the ROC curve where there are two classes.
        report: Self-contained page with pictures.
        results: One row a figure, with its interval, of the model, the baseline and no skill, Parquet.
    """
    from roadsafety_components.core import evaluate, store
    from roadsafety_components.core.datasets import read_dataset
    from roadsafety_components.core.files import replacing
    from roadsafety_components.core.model import read_model
    from roadsafety_components.core.report import evaluation_report

    fitted, facts = read_model(model.path)
    other = read_model(baseline.path) if baseline else None
    table = read_dataset(test_data.path, "test_data")
    evaluation = evaluate.evaluate_classifier(
        fitted, facts, table, target_column, positive_class, other, group_column, resamples
    )
    with replacing(report.path, results.path) as (page, figures):
        store.write_text(evaluation_report(evaluation), page)
        results.metadata.update(store.write_dataset(evaluation.results(), figures))
    evaluate.log_evaluation(evaluation, metrics, classification_metrics)
