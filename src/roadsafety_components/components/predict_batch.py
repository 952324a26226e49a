"""Step: a model's probabilities and answers for data of any size."""

from typing import Dict, List

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Model, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow", "scikit-learn", "skops"))
def predict_batch(
    model: Input[Model],
    data: Input[Dataset],
    predictions: Output[Dataset],
    metrics: Output[Metrics],
    keep_columns: List[str] = [],
    class_shares: Dict[str, float] = {},
    estimate_shares: bool = False,
    batch_rows: int = 100000,
):
    """Write the probability of every class, and the answer, for each row of a table; batch by batch.

    The data are held against the model's own facts before the first row: features and their types, unit, known_at,
    codes and target. Values that training has not seen are counted. The file is written whole or not at all.

    Args:
        model: Model from train_classifier.
        data: Rows made as the training rows were, Parquet or a folder of it by year; a target is not needed.
        keep_columns: Columns of the data to keep beside those marked as identifiers.
        class_shares: Share of every class to expect, where they are others than in training; probabilities are
            corrected for them (Elkan 2001; Saerens, Latinne and Decaestecker 2002).
        estimate_shares: Estimate these shares from the data instead, by the EM algorithm of the same authors.
        batch_rows: Rows in memory at a time.

    Returns:
        predictions: Identifiers, a column probability_<class> for every class, and the column prediction, Parquet.
        metrics: Rows, rows with values that training has not seen, share predicted and mean probability by class.
    """
    from roadsafety_components.core import predict_batch
    from roadsafety_components.core.model import read_model

    facts = predict_batch.predict_batch(
        *read_model(model.path), data.path, predictions.path, keep_columns, class_shares, estimate_shares, batch_rows
    )
    predictions.metadata.update(facts)
    predict_batch.log_predictions(facts, metrics)
