"""A search for a classifier's settings by successive halving, on any Parquet dataset; also to nest in other pipelines.

kfp dsl compile --py pipelines/tune_classifier_pipeline.py --output tune_classifier_pipeline.yaml
"""

from collections.abc import Sequence
from types import ModuleType, SimpleNamespace
from typing import Any, Dict, List, NamedTuple

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input

from roadsafety_components import components

ETA = 3  # one candidate in so many goes on, to so many times the groups
SHARES = [1 / ETA**2, 1 / ETA, 1.0]


class Found(NamedTuple):
    """What a search gives."""

    best: dict
    table: Dataset
    report: HTML


def tuning(steps: ModuleType, shares: Sequence[float] = SHARES) -> Any:
    """The search as a pipeline to nest in another, with the steps of one packaging (``components``, ``containers``).

    ``shares`` are those of the groups that each rung takes, the last is 1.

    Call it where a module begins: KFP builds no pipeline within another.
    """

    @dsl.pipeline(name="tune", description="Search the settings of a classifier by successive halving.")
    def tune(
        train_data: Input[Dataset],
        target_column: str,
        algorithm: str = "hist_gradient_boosting",
        candidates: int = 12,
        space: Dict[str, List] = {},
        class_weight: str = "none",
        exclude_columns: List[str] = [],
        group_column: str = "",
        figure: str = "log_loss",
        folds: int = 5,
        seed: int = 0,
    ) -> Found:
        """All candidates on a share of the groups, the best third of them on more, and the best of these on all.

        The defaults go along to the end, to tell what the search has gained.

        Args:
            train_data: Rows to learn from, Parquet.
            target_column: Column with the classes.
            algorithm: hist_gradient_boosting or random_forest.
            candidates: Number of candidates, the defaults among them.
            space: What to search, see sample_candidates; empty for what is worth a search in the algorithm.
            class_weight: none or balanced.
            exclude_columns: Columns that are not to be features.
            group_column: Column whose rows of one value stay together; empty for the one that the data name.
            figure: What to choose by, log_loss, brier, average_precision or roc_auc.
            folds: Number of folds.
            seed: Seed of the candidates, the groups drawn, the folds and the algorithm.

        Returns:
            best: Settings of the best candidate, for the input parameters of train_classifier.
            table: One row a candidate and rung.
            report: Self-contained page.
        """
        drawn = steps.sample_candidates(algorithm=algorithm, number=candidates, space=space, seed=seed)
        waiting, earlier = drawn.outputs["candidates"], {}
        for share in shares:
            with dsl.ParallelFor(waiting) as candidate:
                scored = steps.score_candidate(
                    train_data=train_data,
                    target_column=target_column,
                    candidate=candidate,
                    algorithm=algorithm,
                    class_weight=class_weight,
                    exclude_columns=exclude_columns,
                    group_column=group_column,
                    figure=figure,
                    share=share,
                    folds=folds,
                    seed=seed,
                )
            chosen = steps.select_best(scores=dsl.Collected(scored.outputs["score"]), keep_one_in=ETA, **earlier)
            waiting, earlier = chosen.outputs["survivors"], {"earlier": chosen.outputs["table"]}
        return Found(*(chosen.outputs[name] for name in Found._fields))

    return tune


# In a namespace, since `kfp dsl compile` takes the only pipeline that a file has.
nested = SimpleNamespace(tune=tuning(components))


@dsl.pipeline(
    name="tune-classifier", description="Search the settings of a classifier, then train it with the best of them."
)
def tune_classifier_pipeline(
    data: str,
    target_column: str,
    algorithm: str = "hist_gradient_boosting",
    candidates: int = 12,
    space: Dict[str, List] = {},
    class_weight: str = "none",
    exclude_columns: List[str] = [],
    group_column: str = "",
    figure: str = "log_loss",
    folds: int = 5,
    seed: int = 0,
):
    """For any table; keep the rows that the model is to be judged on out of it.

    Args:
        data: URI of the training rows, Parquet, e.g. of the train_data that split_dataset wrote.
        target_column: Column with the classes.
        algorithm: hist_gradient_boosting or random_forest.
        candidates: Number of candidates, the defaults among them.
        space: What to search, see sample_candidates; empty for what is worth a search in the algorithm.
        class_weight: none or balanced.
        exclude_columns: Columns that are not to be features.
        group_column: Column whose rows of one value stay together; empty for the one that the data name.
        figure: What to choose by, log_loss, brier, average_precision or roc_auc.
        folds: Number of folds.
        seed: Seed of the search and the model.
    """
    train_data = dsl.importer(artifact_uri=data, artifact_class=Dataset)
    tuned = nested.tune(
        train_data=train_data.output,
        target_column=target_column,
        algorithm=algorithm,
        candidates=candidates,
        space=space,
        class_weight=class_weight,
        exclude_columns=exclude_columns,
        group_column=group_column,
        figure=figure,
        folds=folds,
        seed=seed,
    )
    components.train_classifier(
        train_data=train_data.output,
        target_column=target_column,
        algorithm=algorithm,
        class_weight=class_weight,
        exclude_columns=exclude_columns,
        group_column=group_column,
        seed=seed,
        folds=folds,
        parameters=tuned.outputs["best"],
    )
