"""Classes in an order, as a stored model answers with them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin


class OrdinalClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Fitted binary classifiers for the steps of an order, as one: is the class beyond this one?

    The probability of a class is the difference between those of its two steps (Frank and Hall, A simple approach to
    ordinal classification, 2001); where steps cross, the later one counts.

    Args:
        estimators: one for each class but the last.
        order: the classes, from the least to the most.
    """

    def __init__(self, estimators: Sequence[Any], order: Sequence[str]) -> None:
        self.estimators = estimators
        self.order = order
        self.classes_ = np.array(sorted(order), dtype=object)

    def fit(self, x: Any, y: Any) -> "OrdinalClassifier":
        """It is made of fitted ones: nothing to do."""
        return self

    def predict_proba(self, x: Any) -> npt.NDArray[np.float64]:
        """Rows by classes, in the order of ``classes_``."""
        return self.joined([e.predict_proba(x) for e in self.estimators])

    def predict(self, x: Any) -> npt.NDArray[Any]:
        """The likeliest class of each row."""
        return np.asarray(self.classes_[self.predict_proba(x).argmax(axis=1)])

    def joined(self, steps: Sequence[Any]) -> npt.NDArray[np.float64]:
        """Probabilities of the classes from those of the steps (rows by two)."""
        ones = np.ones(len(steps[0]))
        beyond = np.stack([ones, *(s[:, 1] for s in steps), 0 * ones], axis=1)
        shares = -np.diff(np.minimum.accumulate(beyond, axis=1))
        return shares[:, [list(self.order).index(c) for c in self.classes_]]
