"""Features that alone tell the class: what such a column is, is more often a leak than a discovery."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import TargetEncoder

from roadsafety_components.core.estimators import Folds
from roadsafety_components.core.folds import Rows

SUSPECT_AUC = 0.99
_BINS = 50  # of a quantity
_MOST_ROWS = 50_000
_FOLDS = 2


def single_feature_auc(rows: Rows, categories: Sequence[str]) -> dict[str, float]:
    """How well each feature alone tells a class from the others, the highest first.

    Each value of a category, and each of 50 bins of a quantity, is scored by the class shares of its rows in the other
    half of the groups (missing is a value, too): any shape of dependence counts, and a column of names that are all
    different scores no better than chance.

    Args:
        rows: the training rows.
        categories: features whose values are names.

    Returns:
        By feature the highest ROC-AUC over the classes (of one against the rest), 0.5 to 1; of 50,000 rows at most.
        Nothing if all rows are of one group or class.
    """
    rows = rows.take(np.sort(np.random.default_rng(0).permutation(len(rows.y))[:_MOST_ROWS]))
    if len(np.unique(rows.groups)) < _FOLDS:
        return {}
    halves = list(GroupKFold(_FOLDS, shuffle=True, random_state=0).split(rows.x, groups=rows.groups))
    shares = TargetEncoder(cv=halves)
    classes = np.unique(rows.y.astype(str))
    scores: dict[str, float] = {}
    for name in rows.x.columns if len(classes) > 1 else ():
        values = rows.x[name]
        if name not in categories and values.nunique() > _BINS:
            values = _binned(values)
        given = shares.fit_transform(values.to_frame(), rows.y)
        told = classes[1:] if given.shape[1] == 1 else classes  # of two classes the second's shares
        scores[name] = max(0.5, *(_auc(rows.y == c, given[:, i], halves) for i, c in enumerate(told)))
    return dict(sorted(scores.items(), key=lambda item: -item[1]))


def _auc(is_class: npt.NDArray[np.bool_], given: npt.NDArray[np.float64], halves: Folds) -> float:
    """Mean over the halves: between them the shares differ by chance alone, against the classes."""
    sides = [at for _, at in halves if 0 < is_class[at].sum() < len(at)]
    return float(np.mean([roc_auc_score(is_class[at], given[at]) for at in sides])) if sides else 0.5


def leak_warnings(alone: Mapping[str, float]) -> list[str]:
    """A sentence for each feature that is suspected, for the log and the report."""
    return [
        f"POSSIBLE LEAK: {name} alone tells the class (ROC-AUC {value:.3f}). Is it the outcome under another name, or "
        "known only after it? Leave it out with exclude_columns."
        for name, value in alone.items()
        if value > SUSPECT_AUC
    ]


def _binned(values: pd.Series) -> pd.Series:
    """The bin of each value; one that many rows share, such as 0, has a bin of its own."""
    edges = np.unique(np.nanquantile(values, np.linspace(0, 1, _BINS + 1)))
    return pd.Series(np.searchsorted(edges, values), values.index, float, values.name).where(values.notna())
