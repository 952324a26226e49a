"""Step: what a classifier goes by."""

from typing import Dict, List

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Metrics, Model, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(
    base_image=BASE_IMAGE, packages_to_install=pinned("matplotlib", "pandas", "pyarrow", "scikit-learn", "skops")
)
def explain_classifier(
    model: Input[Model],
    data: Input[Dataset],
    importance: Output[Dataset],
    metrics: Output[Metrics],
    report: Output[HTML],
    target_column: str = "",
    positive_class: str = "",
    groups: Dict[str, List[str]] = {},
    labels: Dict[str, Dict[str, str]] = {},
    meanings: Dict[str, str] = {},
    figure: str = "average_precision",
    repeats: int = 5,
    top: int = 8,
    max_rows: int = 20000,
    seed: int = 0,
):
    """Say what a classifier goes by: permutation importance of the columns, and dependence on the leading ones.

    All of it is association in recorded data, not cause.

    Args:
        model: Model from train_classifier.
        data: Rows that the model has not seen, with the target, Parquet.
        target_column: Column with the true classes; empty for the model's own target.
        positive_class: Class whose probability is explained; empty for the rarest of the training.
        groups: Features made of one thing, by its name, the most telling first; they are shuffled together.
        labels: For a column the words of its codes; codes without words are shown as they are.
        meanings: For a feature or group its meaning in words.
        figure: What a shuffle costs, average_precision, roc_auc or log_loss.
        repeats: Shuffles of each column.
        top: Leading columns whose dependence is drawn.
        max_rows: Most rows to use; of more a sample of whole groups is drawn.
        seed: Seed of the sample, the shuffles and the draws.

    Returns:
        importance: One row a column or group with importance, low, high, features and meaning, Parquet.
        metrics: The figure before any shuffle, the largest importance, columns and rows.
        report: Self-contained page with pictures.
    """
    from roadsafety_components.core import store
    from roadsafety_components.core.datasets import read_dataset
    from roadsafety_components.core.explain import explain_classifier
    from roadsafety_components.core.explain_report import explanation_report
    from roadsafety_components.core.files import replacing
    from roadsafety_components.core.model import read_model

    explanation = explain_classifier(*read_model(model.path), read_dataset(data.path, "data"), target_column,
                                     positive_class, groups, labels, meanings, figure, repeats, top, max_rows,
                                     seed)  # fmt: skip
    with replacing(importance.path, report.path) as (table, page):
        importance.metadata.update(store.write_dataset(explanation.table(), table))
        store.write_text(explanation_report(explanation), page)
    for name, value in explanation.metrics().items():
        metrics.log_metric(name, value)
