"""Step: why single rows got their probabilities."""

from typing import Dict, List

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Model, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow", "scikit-learn", "skops"))
def explain_predictions(
    model: Input[Model],
    data: Input[Dataset],
    contributions: Output[Dataset],
    report: Output[HTML],
    positive_class: str = "",
    groups: Dict[str, List[str]] = {},
    labels: Dict[str, Dict[str, str]] = {},
    contribution_rows: int = 10,
    orders: int = 200,
    seed: int = 0,
):
    """Take single probabilities apart: how much each column raises or lowers them from the mean (Shapley values).

    Rows are taken from the highest probability to the lowest. All of it is association in recorded data, not cause.

    Args:
        model: Model from train_classifier.
        data: Rows with the model's features, Parquet; a target is not needed.
        positive_class: Class whose probability is explained; empty for the rarest of the training.
        groups: Features made of one thing, by its name, the most telling first; they are credited together.
        labels: For a column the words of its codes; codes without words are shown as they are.
        contribution_rows: Rows taken apart.
        orders: Orders in which columns are changed; more are more exact.
        seed: Seed of the orders.

    Returns:
        contributions: One row a row taken apart and column, with value and contribution, Parquet.
        report: Self-contained page.
    """
    from roadsafety_components.core import store
    from roadsafety_components.core.contributions import explain_predictions
    from roadsafety_components.core.contributions_report import contributions_report
    from roadsafety_components.core.datasets import read_dataset
    from roadsafety_components.core.files import replacing
    from roadsafety_components.core.model import read_model

    explained = explain_predictions(*read_model(model.path), read_dataset(data.path, "data"), positive_class, groups,
                                    labels, contribution_rows, orders, seed)  # fmt: skip
    with replacing(contributions.path, report.path) as (table, page):
        contributions.metadata.update(store.write_dataset(explained.table(), table))
        store.write_text(contributions_report(explained), page)
