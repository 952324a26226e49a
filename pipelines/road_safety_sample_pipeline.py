"""The road-safety pipeline on synthetic records: needs no data and no network. To try a cluster with.

kfp dsl compile --py pipelines/road_safety_sample_pipeline.py --output road_safety_sample_pipeline.yaml
"""

from typing import List

from kfp import dsl
from road_safety_pipeline import preprocess_train_evaluate

from roadsafety_components import components


@dsl.pipeline(
    name="road-safety-sample", description="Make a synthetic STATS19 data set and predict the severity in it."
)
def road_safety_sample_pipeline(
    collisions: int = 10000,
    years: List[int] = [2023, 2024],
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
):
    """As road_safety_pipeline, with the sample in place of a source.

    Args:
        collisions: How many synthetic collisions.
        years: Calendar years to spread them over.
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
        seed: Seed of sample, split and model.
    """
    sample = components.generate_stats19_sample(collisions=collisions, seed=seed, years=years)
    loaded = components.load_stats19(
        collision_file=sample.outputs["collision_file"],
        vehicle_file=sample.outputs["vehicle_file"],
        casualty_file=sample.outputs["casualty_file"],
    )
    preprocess_train_evaluate(
        components, loaded, unit, target, known_at, keep_location, max_orphan_share, split_method, test_share,
        test_from_year, algorithm, class_weight, n_estimators, min_samples_leaf, seed,
    )  # fmt: skip
