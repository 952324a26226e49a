"""Step: settings of a classifier to try."""

from typing import Dict, List

from kfp import dsl

from roadsafety_components.packaging.carry import carries_core
from roadsafety_components.packaging.images import BASE_IMAGE, pinned


@carries_core
@dsl.component(base_image=BASE_IMAGE, packages_to_install=pinned("pyarrow", "scikit-learn"))
def sample_candidates(
    candidates: dsl.OutputPath(list),
    algorithm: str = "hist_gradient_boosting",
    number: int = 12,
    space: Dict[str, List] = {},
    seed: int = 0,
):
    """Draw settings of a classifier for a search; the first candidate is always the defaults.

    Each range is cut in as many pieces as there are candidates to draw, and each piece is drawn from once (Latin
    hypercube), so that a dozen candidates cover every range. Loop over the output with dsl.ParallelFor.

    Args:
        algorithm: hist_gradient_boosting, random_forest or logistic_regression (which has nothing to search).
        number: Number of candidates, the defaults among them; equal ones are left out.
        space: By setting of train_classifier ["log", low, high], ["uniform", low, high], or the numbers to choose from;
            empty for what is worth a search in the algorithm.
        seed: Seed of the draws.

    Returns:
        candidates: One dictionary a candidate: id (from 0) and its settings.
    """
    import json

    from roadsafety_components.core import search_space, store

    drawn = search_space.sample_candidates(algorithm, number, seed, space)
    store.write_text(json.dumps(drawn), candidates)
