"""Step: a classifier for any table and target column."""

from typing import Dict, List

from kfp import dsl
from kfp.dsl import Dataset, Input, Markdown, Model, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow", "scikit-learn", "skops"))
def train_classifier(
    train_data: Input[Dataset],
    target_column: str,
    model: Output[Model],
    report: Output[Markdown],
    out_of_fold: Output[Dataset],
    algorithm: str = "hist_gradient_boosting",
    class_weight: str = "none",
    exclude_columns: List[str] = [],
    n_estimators: int = 500,
    min_samples_leaf: int = 20,
    max_depth: int = 0,
    learning_rate: float = 0.04,
    seed: int = 0,
    parameters: Dict[str, float] = {},
    group_column: str = "",
    folds: int = 5,
    ordered_classes: List[str] = [],
    monotonic: Dict[str, int] = {},
    weight_column: str = "",
):
    """Fit a classifier on a table and store it as a skops file, which runs no code when it is loaded.

    Features are all columns of numbers, booleans or text but the target, the identifiers that the file marks and
    the columns excluded. Missing values are allowed. Folds that keep groups whole choose the rounds of boosting and
    judge every row. The same data, parameters and versions give the same file, byte for byte.

    Args:
        train_data: Rows to learn from, Parquet.
        target_column: Column with the classes (text, booleans or whole numbers).
        algorithm: hist_gradient_boosting (categories handled natively), random_forest or logistic_regression.
        class_weight: none, or balanced (rows weigh inversely to the frequency of their class).
        exclude_columns: Columns that are not to be features.
        n_estimators: Number of trees, or greatest number of boosting rounds.
        min_samples_leaf: Fewest rows in a leaf.
        max_depth: Greatest depth of a tree; 0 for no limit.
        learning_rate: Learning rate of the boosting.
        seed: Seed of the algorithm and the folds.
        parameters: Settings that go before those above; also max_leaf_nodes, l2_regularization and max_features.
        group_column: Column whose rows of one value share a fold; empty for the one that the data name.
        folds: Number of folds; 0 for none, and all rounds.
        ordered_classes: All classes from the least to the most, if they have an order.
        monotonic: 1 or -1 by feature, with it the rarer of two classes (or those further on) never gets less likely, or
            never more.
        weight_column: Column with the weight of each row; empty for equal weights.

    Returns:
        model: Fitted scikit-learn pipeline as a skops file.
        report: What it learned from, how well it does on held-out rows, and features that look like leaks.
        out_of_fold: What each row got from a model that had not seen its group, for calibrate_classifier, Parquet.
    """
    from roadsafety_components.core import store, train
    from roadsafety_components.core.datasets import read_dataset
    from roadsafety_components.core.estimators import Settings
    from roadsafety_components.core.model_writer import write_model
    from roadsafety_components.core.training_report import training_report

    table = read_dataset(train_data.path, "train_data")
    settings = Settings(algorithm, class_weight, n_estimators, min_samples_leaf, max_depth, learning_rate, seed=seed)
    fitted, facts, held = train.train_classifier(
        table, target_column, settings.replaced(parameters), exclude_columns,
        group_column, folds, ordered_classes, monotonic, weight_column,
    )  # fmt: skip
    model.metadata.update(write_model(fitted, facts, model.path))
    store.write_text(training_report(facts), report.path)
    out_of_fold.metadata.update(store.write_dataset(held, out_of_fold.path))
