"""Step: one candidate of a search, judged by cross-validation."""

from typing import Dict, List

from kfp import dsl
from kfp.dsl import Dataset, Input, Output

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pandas", "pyarrow", "scikit-learn"))
def score_candidate(
    train_data: Input[Dataset],
    target_column: str,
    candidate: Dict[str, float],
    score: Output[Dataset],
    algorithm: str = "hist_gradient_boosting",
    class_weight: str = "none",
    exclude_columns: List[str] = [],
    group_column: str = "",
    figure: str = "log_loss",
    share: float = 1.0,
    folds: int = 5,
    seed: int = 0,
):
    """Judge one candidate by cross-validation in folds that keep groups whole, on a share of the groups.

    Candidates of one seed are judged on the same rows, and a larger share holds the groups of a smaller one. A
    candidate whose fit fails gets a score that says so, and the search goes on; a table that cannot be used fails
    the step.

    Args:
        train_data: Rows to learn from, Parquet.
        target_column: Column with the classes.
        candidate: Its id and settings, one of sample_candidates.
        algorithm: hist_gradient_boosting, random_forest or logistic_regression.
        class_weight: none, or balanced.
        exclude_columns: Columns that are not to be features.
        group_column: Column whose rows of one value stay together; empty for the one that the data name.
        figure: What is measured on held-out rows, log_loss, brier, average_precision or roc_auc; of the rarer of two
            classes, of more the mean over the classes.
        share: Share of the groups to fit and judge on, above 0; never fewer than 500 groups.
        folds: Number of folds.
        seed: Seed of the algorithm, the groups drawn and the folds.

    Returns:
        score: One row: mean and figure by fold, rounds of boosting, seconds, whether it failed and why, the settings.
    """
    from roadsafety_components.core import candidates, store
    from roadsafety_components.core.datasets import read_dataset
    from roadsafety_components.core.estimators import Settings
    from roadsafety_components.core.score import score_candidate

    table = read_dataset(train_data.path, "train_data")
    settings = Settings(algorithm, class_weight, seed=seed)
    found, facts = score_candidate(
        table, target_column, candidate, settings, exclude_columns, group_column, figure, float(share), folds
    )
    score.metadata.update(store.write_dataset(candidates.scores_table([found], facts), score.path))
