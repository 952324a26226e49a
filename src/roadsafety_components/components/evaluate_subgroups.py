"""Step: figures of a classifier by subgroup of the test."""

from typing import Dict, List

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Metrics, Model, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(
    base_image=BASE_IMAGE, packages_to_install=pinned("matplotlib", "pandas", "pyarrow", "scikit-learn", "skops")
)
def evaluate_subgroups(
    model: Input[Model],
    test_data: Input[Dataset],
    subgroup_columns: List[str],
    results: Output[Dataset],
    metrics: Output[Metrics],
    report: Output[HTML],
    labels: Dict[str, Dict[str, str]] = {},
    target_column: str = "",
    positive_class: str = "",
    group_column: str = "",
    resamples: int = 200,
    min_rows: int = 100,
):
    """Judge a classifier on each subgroup of the test rows: road users, sexes, ages, areas.

    A model can be good on the whole and bad for cyclists. Each subgroup has its share of the positive class beside the
    mean probability, and how well its rows are ranked, with 95 % intervals; the page says which stand out beyond them.

    Args:
        model: Model from train_classifier.
        test_data: Rows that the model has not seen, Parquet.
        subgroup_columns: Columns of the test rows, features or not. Each value is a subgroup, and missing is one;
            quantities of more than 20 values are cut in quarters.
        labels: Column, code, words; codes with the same words are one subgroup.
        target_column: Column with the true classes; empty for the model's own target.
        positive_class: Class that is judged against all others; empty for the rarest one.
        group_column: Rows with the same value of it, such as the visits of one patient, are drawn together for the
            intervals; empty for the one that the data names.
        resamples: Draws for the intervals; 0 for none.
        min_rows: Subgroups of fewer rows are named, and not judged.

    Returns:
        results: One row a subgroup and figure, with its interval, Parquet.
        metrics: Lowest and highest ROC-AUC, largest gap of probability and share, numbers of subgroups.
        report: Self-contained page with pictures.
    """
    from roadsafety_components.core import store
    from roadsafety_components.core import subgroups as core
    from roadsafety_components.core.datasets import read_dataset
    from roadsafety_components.core.files import replacing
    from roadsafety_components.core.model import read_model
    from roadsafety_components.core.subgroups_report import subgroups_report

    fitted, facts = read_model(model.path)
    found = core.evaluate_subgroups(
        fitted, facts, read_dataset(test_data.path, "test_data"), subgroup_columns, labels, target_column,
        positive_class, group_column, resamples, min_rows,
    )  # fmt: skip
    with replacing(report.path, results.path) as (page, table):
        store.write_text(subgroups_report(found), page)
        results.metadata.update(store.write_dataset(found.results(), table))
    for name, value in found.metrics().items():
        metrics.log_metric(name, value)
