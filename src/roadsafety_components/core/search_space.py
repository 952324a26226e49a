"""Candidates for a search: settings of an algorithm drawn from ranges and choices."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.estimators import Settings

LOG, UNIFORM = "log", "uniform"
# What is worth a search. Rounds of boosting are chosen by early stopping, and a forest is never worse for more trees;
# what matters most in it are the features tried at a split and the size of a leaf (Probst, Wright and Boulesteix,
# Hyperparameters and tuning strategies for random forest, 2019).
SPACES: dict[str, dict[str, list[Any]]] = {
    "hist_gradient_boosting": {
        "learning_rate": [LOG, 0.03, 0.3],  # a lower one needs more rounds than the defaults have
        "max_leaf_nodes": [LOG, 7, 127],
        "min_samples_leaf": [LOG, 5, 500],
        "l2_regularization": [LOG, 0.01, 100],
        "max_features": [UNIFORM, 0.1, 1],
    },
    "random_forest": {
        "max_features": [UNIFORM, 0.03, 0.6],
        "min_samples_leaf": [LOG, 1, 200],
    },
    "logistic_regression": {},
}


def sample_candidates(
    algorithm: str, number: int, seed: int = 0, space: Mapping[str, Sequence[Any]] | None = None
) -> list[dict[str, float]]:
    """Draw candidates; the first is the defaults.

    Each setting's range is cut in as many pieces as there are candidates to draw, and each piece is drawn from once
    (Latin hypercube: McKay, Beckman and Conover, 1979): a dozen candidates cover every range, whatever matters.

    Args:
        algorithm: one of ``estimators.ALGORITHMS``.
        number: of candidates, the defaults among them. Equal ones are left out, so there may be fewer.
        seed: of the draws.
        space: by setting ``["log", low, high]`` or ``["uniform", low, high]``, or the values to choose from;
            None or empty for the algorithm's own.

    Returns:
        By candidate ``id`` (from 0) and its settings; whole numbers where the setting is one.

    Raises:
        InputError: no such algorithm or setting, a range or value that is none, fewer than 1 candidate.
    """
    defaults = Settings(algorithm=algorithm, seed=seed)
    if number < 1 or number != int(number):
        raise InputError(f"candidates is {number}; it is a whole number, 1 or more.")
    space = space or SPACES[algorithm]
    _check(space, defaults)
    own = {name: getattr(defaults, name) for name in space}
    candidates = [own]
    rng, drawn = np.random.default_rng(int(seed)), int(number) - 1
    places = {name: (rng.permutation(drawn) + rng.random(drawn)) / max(drawn, 1) for name in space}
    for row in range(drawn):
        candidate = {name: _value(space[name], float(places[name][row]), own[name]) for name in space}
        try:
            defaults.replaced(candidate)
        except InputError as error:
            raise InputError(f"space: {error}") from None
        if candidate not in candidates:
            candidates.append(candidate)
    if len(candidates) < number:
        print(f"WARNING: the space holds {len(candidates)} different candidates of the {int(number)} asked for: "
              f"{', '.join(space) or f'{algorithm} has no setting to search'}.")  # fmt: skip
    return [{"id": at} | candidate for at, candidate in enumerate(candidates)]


def _check(space: Mapping[str, Sequence[Any]], defaults: Settings) -> None:
    numbers = [n for n, v in defaults.told().items() if isinstance(v, int | float) and n != "seed"]
    for name, values in space.items():
        if name not in numbers:
            raise InputError(f"space has {name!r}, which is no setting of {defaults.algorithm} that is a number."
                             f"{nearest(str(name), numbers)} There are {', '.join(numbers) or 'none'}.")  # fmt: skip
        given = list(values) if isinstance(values, list | tuple) else []
        kind, limits = (given[0], given[1:]) if given and isinstance(given[0], str) else ("", given)
        fits = bool(limits) and all(type(v) in (int, float) and math.isfinite(v) for v in limits)
        if kind:
            fits = fits and kind in (LOG, UNIFORM) and len(limits) == 2 and limits[0] < limits[1]
            fits = fits and (kind == UNIFORM or limits[0] > 0)
        if not fits:
            raise InputError(f"space of {name} is {values}; it is a range, [\"log\", low, high] (low above 0) or "
                             "[\"uniform\", low, high], or a list of numbers to choose from.")  # fmt: skip


def _value(values: Sequence[Any], place: float, default: float) -> float:
    """The value at a place from 0 to below 1, of the default's type."""
    if not isinstance(values[0], str):
        value = values[int(place * len(values))]
    else:
        low, high = values[1:]
        value = low * (high / low) ** place if values[0] == LOG else low + (high - low) * place
        value = float(f"{value:.4g}")
        if isinstance(default, int):
            return round(value)
    return int(value) if isinstance(default, int) and value == int(value) else float(value)
