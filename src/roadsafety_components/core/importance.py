"""Permutation importance: what it costs a model to shuffle columns between rows."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn import metrics as sk

from roadsafety_components.core.feature_groups import Ask, Groups, Numbers

# Each as a cost: lower is better.
COSTS: dict[str, Callable[[Any, Any], float]] = {
    "average_precision": lambda truth, given: -sk.average_precision_score(truth, given),
    "roc_auc": lambda truth, given: -sk.roc_auc_score(truth, given),
    "log_loss": sk.log_loss,
}


def importance(
    ask: Ask, frame: pd.DataFrame, truth: npt.NDArray[np.bool_], groups: Groups, figure: str, repeats: int, seed: int
) -> tuple[float, dict[str, Numbers]]:
    """Permutation importance (Breiman 2001; of groups: Fisher, Rudin and Dominici 2019).

    Args:
        ask: probabilities of the positive class.
        frame: rows as the model gets them.
        truth: whether each is of the positive class.
        groups: columns that are shuffled together, by name.
        figure: one of COSTS.
        repeats: how many shuffles.
        seed: of the shuffles, which are the same for all groups.

    Returns:
        The figure of the rows as they are; by group how much worse each shuffle makes it, below 0 where it gets better.
    """
    rng = np.random.default_rng(seed)
    shuffles = [rng.permutation(len(frame)) for _ in range(repeats)]
    before, found = COSTS[figure](truth, ask(frame)), {}
    for name, features in groups.items():
        after = np.full(repeats, before)
        if changing := [n for n in features if frame[n].nunique(dropna=False) > 1]:
            shuffled = (frame.assign(**{n: frame[n].to_numpy()[s] for n in changing}) for s in shuffles)
            after = np.array([COSTS[figure](truth, ask(some)) for some in shuffled])
        found[name] = after - before
    return abs(float(before)), found
