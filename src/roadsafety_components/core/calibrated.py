"""A model with corrected probabilities, as it is stored."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin

Numbers = npt.NDArray[np.float64]


class CalibratedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted classifier whose probabilities are corrected by curves that held-out rows taught.

    Args:
        estimator: the fitted classifier.
        calibrators: see ``calibrate.calibrators``.
        method: ``sigmoid`` or ``isotonic``.
    """

    def __init__(self, estimator: Any, calibrators: Sequence[Any], method: str) -> None:
        self.estimator = estimator
        self.calibrators = calibrators
        self.method = method
        self.classes_ = np.array(estimator.classes_, dtype=object)

    def predict_proba(self, x: Any) -> Numbers:
        """Rows by classes."""
        return correct(np.asarray(self.estimator.predict_proba(x), np.float64), self.calibrators, self.method)

    def predict(self, x: Any) -> npt.NDArray[Any]:
        """The likeliest class of each row."""
        return np.asarray(self.classes_[self.predict_proba(x).argmax(axis=1)])


def correct(given: Numbers, calibrators: Sequence[Any], method: str) -> Numbers:
    """Corrected probabilities for given ones, rows by classes.

    Of more than two classes each is corrected against the rest, then all are brought to the sum of 1 (Zadrozny and
    Elkan 2002).
    """
    fixed = []
    for p, curve in zip(given.T[given.shape[1] == 2 :], calibrators, strict=True):
        fixed.append(curve.predict_proba(scaled(p, method))[:, 1] if method == "sigmoid" else curve.predict(p))
    if len(fixed) == 1:
        return np.stack([1 - fixed[0], fixed[0]], axis=1)
    shares = np.stack(fixed, axis=1)
    shares[~shares.any(axis=1)] = 1  # no class is possible: none is likelier than another
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def scaled(p: Numbers, method: str) -> Any:
    """What a curve is a function of: log-odds for ``sigmoid``, the probability itself for ``isotonic``."""
    if method == "isotonic":
        return p
    p = p.clip(1e-9, 1 - 1e-9)
    return np.log(p / (1 - p))[:, None]
