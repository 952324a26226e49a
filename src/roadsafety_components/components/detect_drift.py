"""Step: whether current data still are what a model learned from, and whether to train it again."""

from typing import Dict, List

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Metrics, Model, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("matplotlib", "pandas", "pyarrow"))
def detect_drift(
    reference: Input[Dataset],
    current: Input[Dataset],
    drift: Output[Dataset],
    metrics: Output[Metrics],
    report: Output[HTML],
    decision: dsl.OutputPath(str),
    model: Input[Model] = None,
    reference_predictions: Input[Dataset] = None,
    current_predictions: Input[Dataset] = None,
    target_column: str = "",
    group_column: str = "",
    columns: List[str] = [],
    ignore_columns: List[str] = [],
    max_psi: float = 0.25,
    max_drifted_share: float = 0.2,
    max_score_psi: float = 0.1,
    max_auc_drop: float = 0.05,
    labels: Dict[str, Dict[str, str]] = {},
):
    """Say whether current data still are what a model learned from, and whether to train it again.

    What is tested is that something moved by more than a limit: with many rows everything moves a little.

    Args:
        reference: Rows like those that the model learned from, Parquet or a folder of it by year.
        current: Rows to hold against them, the same; they need not have the target.
        model: Model of train_classifier whose features are compared; without one all columns that both have.
        reference_predictions: Its predictions for the reference, from predict_batch, to compare scores and performance.
        current_predictions: The same for the current rows.
        target_column: Column with the true classes; empty for the model's own.
        group_column: Column whose rows belong together; empty for the one that the data name.
        columns: Columns to compare; none for the model's features.
        ignore_columns: Columns that are not compared.
        max_psi: Population stability index beyond chance above which a column has drifted.
        max_drifted_share: Share of drifted columns above which to train again.
        max_score_psi: Population stability index of the model's probabilities above which to train again.
        max_auc_drop: Fall of the ROC-AUC above which to train again.
        labels: Words for codes, by column.

    Returns:
        drift: One row a column with its measures, test and verdict, Parquet.
        metrics: Share of columns drifted, largest indices, mean score and ROC-AUC of both.
        report: Self-contained page with pictures.
        decision: retrain or keep.
    """
    from roadsafety_components.core import drift as work
    from roadsafety_components.core import store
    from roadsafety_components.core.distance import open_dataset
    from roadsafety_components.core.drift_report import drift_report
    from roadsafety_components.core.files import replacing

    limits = work.Limits(max_psi, max_drifted_share, max_score_psi, max_auc_drop)
    scored = {"reference_predictions": reference_predictions, "current_predictions": current_predictions}
    data = open_dataset(reference.path, "reference"), open_dataset(current.path, "current")
    predictions = [open_dataset(a.path, name) for name, a in scored.items() if a]
    facts = work.model_facts(model.path) if model else {}
    found = work.detect_drift(
        *data, limits, facts, predictions, target_column, group_column, columns, ignore_columns, labels
    )  # fmt: skip
    with replacing(drift.path, report.path, decision) as (table, page, answer):
        drift.metadata.update(store.write_dataset(found.table(), table))
        store.write_text(drift_report(found), page)
        store.write_text(found.decision, answer)
    work.log_drift(found, metrics)
