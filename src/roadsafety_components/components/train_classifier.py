"""Step: a classifier for any table and target column."""

from typing import List

from kfp import dsl
from kfp.dsl import Dataset, Input, Model, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow", "scikit-learn", "skops"))
def train_classifier(
    train_data: Input[Dataset],
    target_column: str,
    model: Output[Model],
    algorithm: str = "random_forest",
    class_weight: str = "none",
    exclude_columns: List[str] = [],
    n_estimators: int = 100,
    min_samples_leaf: int = 1,
    max_depth: int = 0,
    learning_rate: float = 0.1,
    seed: int = 0,
):
    """Fit a classifier on a table and store it as a skops file, which runs no code when it is loaded.

    Features are all columns of numbers, booleans or text but the target, the identifiers that the file marks and
    the columns excluded. Missing values are allowed. The model's metadata name its features, classes, parameters,
    library versions and the digest of its training data.

    Args:
        train_data: Rows to learn from, Parquet.
        target_column: Column with the classes (text, booleans or whole numbers).
        algorithm: random_forest or hist_gradient_boosting (categories handled natively).
        class_weight: none, or balanced (rows weigh inversely to the frequency of their class).
        exclude_columns: Columns that are not to be features.
        n_estimators: Number of trees, or of boosting rounds.
        min_samples_leaf: Fewest rows in a leaf.
        max_depth: Greatest depth of a tree; 0 for no limit.
        learning_rate: Learning rate of the boosting; the forest does not use it.
        seed: Seed of the algorithm.

    Returns:
        model: Fitted scikit-learn pipeline as a skops file.
    """
    from roadsafety_components.core import train
    from roadsafety_components.core.datasets import read_dataset
    from roadsafety_components.core.model import write_model

    table = read_dataset(train_data.path, "train_data")
    fitted, facts = train.train_classifier(
        table, target_column, algorithm, class_weight, exclude_columns,
        n_estimators, min_samples_leaf, max_depth, learning_rate, seed,
    )  # fmt: skip
    model.metadata.update(write_model(fitted, facts, model.path))
