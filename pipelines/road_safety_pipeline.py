"""The published pipeline's three stages (preprocess, train, test) on STATS19 records.

kfp dsl compile --py pipelines/road_safety_pipeline.py --output road_safety_pipeline.yaml
"""

from types import ModuleType
from typing import Any

from kfp import dsl

from roadsafety_components import components

DESCRIPTION = "Predict the severity of British road collisions: load, preprocess, split, train, evaluate."
PUBLISHED = "https://data.dft.gov.uk/road-accidents-safety-data/dft-road-casualty-statistics-{table}-2024.csv"


def harmonised_tables(steps: ModuleType, loaded: dsl.PipelineTask) -> dict[str, Any]:
    """Collisions, vehicles and casualties, loaded tables in one code list."""
    names = ("collisions", "vehicles", "casualties")
    harmonised = steps.harmonise_stats19(**{name: loaded.outputs[name] for name in names})
    return {name: harmonised.outputs[f"harmonised_{name}"] for name in names}


def preprocess_train_evaluate(
    steps: ModuleType, loaded: dsl.PipelineTask, unit: str, target: str, known_at: str, keep_location: bool,
    max_orphan_share: float, split_method: str, test_share: float, test_from_year: int, algorithm: str,
    class_weight: str, n_estimators: int, min_samples_leaf: int, seed: int,
) -> None:  # fmt: skip
    """The stages after loading, with the steps of one packaging (``components`` or ``containers``)."""
    preprocessed = steps.preprocess_collisions(
        **harmonised_tables(steps, loaded),
        unit=unit,
        target=target,
        known_at=known_at,
        keep_location=keep_location,
        max_orphan_share=max_orphan_share,
    )
    parts = steps.split_dataset(
        data=preprocessed.outputs["clean_data"],
        target_column=target,
        group_column="collision_index",
        method=split_method,
        test_share=test_share,
        test_from_year=test_from_year,
        seed=seed,
    )
    trained = steps.train_classifier(
        train_data=parts.outputs["train_data"],
        target_column=target,
        algorithm=algorithm,
        class_weight=class_weight,
        n_estimators=n_estimators,
        min_samples_leaf=min_samples_leaf,
        learning_rate=0.1,
        seed=seed,
        folds=0,
    )
    steps.evaluate_classifier(model=trained.outputs["model"], test_data=parts.outputs["test_data"])


@dsl.pipeline(name="road-safety", description=DESCRIPTION)
def road_safety_pipeline(
    source: str = PUBLISHED,
    unknown_codes: str = "error",
    unit: str = "vehicle",
    target: str = "severity",
    known_at: str = "involved",
    keep_location: bool = False,
    max_orphan_share: float = 0.01,
    split_method: str = "group",
    test_share: float = 0.3,
    test_from_year: int = 0,
    algorithm: str = "random_forest",
    class_weight: str = "none",
    n_estimators: int = 100,
    min_samples_leaf: int = 1,
    seed: int = 0,
    allow_private_addresses: bool = False,
):
    """Lightweight packaging: runs on a stock Python image, nothing to build.

    Args:
        source: Folder or URLs of the three STATS19 tables, see load_stats19.
        unknown_codes: What to do with a code that is in no code list, error or null.
        unit: One row a vehicle, collision or casualty.
        target: severity or ksi.
        known_at: What the model may know, before, involved or impact.
        keep_location: Keep coordinates, area codes and police force as features.
        max_orphan_share: Share of rows without their collision or vehicle above which the run fails.
        split_method: group, year or row_leaky, see split_dataset.
        test_share: Share of the collisions for the test.
        test_from_year: First year of the test with split_method year; 0 for the last year.
        algorithm: random_forest or hist_gradient_boosting.
        class_weight: none or balanced.
        n_estimators: Number of trees or boosting rounds.
        min_samples_leaf: Fewest rows in a leaf.
        seed: Seed of split and model.
        allow_private_addresses: Whether a URL in source may be in a private network, see load_stats19.
    """
    loaded = components.load_stats19(
        source=source, unknown_codes=unknown_codes, allow_private_addresses=allow_private_addresses
    )
    loaded.set_caching_options(False)  # the same source may hold other files tomorrow
    preprocess_train_evaluate(
        components, loaded, unit, target, known_at, keep_location, max_orphan_share, split_method, test_share,
        test_from_year, algorithm, class_weight, n_estimators, min_samples_leaf, seed,
    )  # fmt: skip
