"""The road-safety pipeline in the container packaging: the project's image, no pip at run time.

kfp dsl compile --py pipelines/road_safety_container_pipeline.py --output road_safety_container_pipeline.yaml
"""

from kfp import dsl
from road_safety_pipeline import DESCRIPTION, PUBLISHED, preprocess_train_evaluate

from roadsafety_components import containers


@dsl.pipeline(name="road-safety-container", description=f"{DESCRIPTION} Container packaging.")
def road_safety_container_pipeline(
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
    """As road_safety_pipeline, parameter for parameter."""
    loaded = containers.load_stats19(
        source=source, unknown_codes=unknown_codes, allow_private_addresses=allow_private_addresses
    )
    loaded.set_caching_options(False)  # the same source may hold other files tomorrow
    preprocess_train_evaluate(
        containers, loaded, unit, target, known_at, keep_location, max_orphan_share, split_method, test_share,
        test_from_year, algorithm, class_weight, n_estimators, min_samples_leaf, seed,
    )  # fmt: skip
