"""Probabilities where classes are more or less frequent than in training, and nothing else differs (label shift).

The right probability of a class is then the model's times the ratio of its expected to its learned share, made to add
up to 1: Elkan, The foundations of cost-sensitive learning (2001), theorem 2, for two classes; Saerens, Latinne and
Decaestecker, Adjusting the outputs of a classifier to new a priori probabilities (Neural Computation 14, 2002),
equation 2.4, for any number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.predict import answers
from roadsafety_components.core.store import Facts

Shares = npt.NDArray[np.float64]  # of the classes, in the order of the model's facts; they add up to 1
Probabilities = npt.NDArray[np.float64]  # rows by classes
_BOTH = ("learned", "expected")
_LEAST = 1e-9  # estimated: a class that no row seems to be of stays possible


@dataclass(frozen=True)
class Shift:
    """Class shares that a model's probabilities go by, and those to expect."""

    learned: Shares
    expected: Shares
    origin: str  # of those to expect

    def told(self, facts: Facts) -> Facts:
        """The shares by class, and the model's threshold on corrected probabilities."""
        by_class = {n: dict(zip(facts["classes"], getattr(self, n).tolist(), strict=True)) for n in _BOTH}
        return {"class_shares": {**by_class, "origin": self.origin}, "threshold": shifted_threshold(facts, self)}


def check_shares(shares: Mapping[str, float], classes: Sequence[str]) -> Shares:
    """Shares by class as numbers; raises InputError unless each class has one and they add up to 1."""
    if {*shares} != {*classes}:
        raise InputError(f"class_shares has {', '.join(shares)}; give a share of every class: {', '.join(classes)}.")
    numbers = np.array([float(shares[c]) for c in classes])
    if not (numbers > 0).all() or abs(numbers.sum() - 1) > 0.001:
        told = ", ".join(f"{c} {shares[c]:g}" for c in classes)
        raise InputError(f"class_shares has {told}; shares are above 0 and add up to 1.")
    return np.asarray(numbers / numbers.sum())


def learned_shares(facts: Facts) -> Shares:
    """The class shares that a model's probabilities go by: of its training rows, or equal ones.

    Balanced class weights make all classes alike, unless the probabilities were calibrated afterwards.

    Raises:
        InputError: rows had weights, and the facts do not tell what the classes weighed.
    """
    if column := facts["parameters"].get("weight_column"):
        raise InputError(f"the model was trained with weights (weight_column {column}), and which class shares its "
                         "probabilities go by is not known. Take a model trained without them.")  # fmt: skip
    counts = np.array([facts["class_counts"][c] for c in facts["classes"]], np.float64)
    if facts["parameters"].get("class_weight") == "balanced" and facts.get("calibration", "none") == "none":
        counts = np.ones(len(counts))
    return np.asarray(counts / counts.sum())


def corrected(given: Probabilities, learned: Shares, expected: Shares) -> Probabilities:
    """Probabilities where classes have the expected shares in place of those learned."""
    weighed = given * (expected / learned)
    return np.asarray(weighed / weighed.sum(axis=1, keepdims=True))


def estimated_shares(given: Probabilities, learned: Shares) -> Shares:
    """The likeliest class shares of rows without classes, by the EM algorithm of Saerens et al. (2002).

    It takes it that the rows of a class are as they were in training and that probabilities come true there
    (calibrated); any other drift goes into the shares, too.

    Args:
        given: the model's probabilities.
        learned: the shares that they go by.
    """
    shares = learned
    for _ in range(2000):
        last, shares = shares, corrected(given, learned, shares).mean(axis=0)
        if np.abs(shares - last).max() < 1e-7:
            break
    shares = np.maximum(shares, _LEAST)
    return np.asarray(shares / shares.sum())


def shifted_answers(given: Probabilities, right: Probabilities, facts: Facts) -> npt.NDArray[np.int64]:
    """The class of each row as its position in ``classes``, from probabilities as given and corrected.

    A threshold that was chosen for its recall stays on the model's own probabilities: there the same rows reach it,
    and a shift of the shares alone leaves recall as it was. One that was chosen for a cost is one of right
    probabilities, whatever the shares.
    """
    return answers(given if _for_recall(facts) else right, facts)


def shifted_threshold(facts: Facts, shift: Shift) -> Facts:
    """The model's threshold on corrected probabilities, without the figures that the shift makes wrong."""
    threshold: Facts = facts.get("threshold") or {}
    if not _for_recall(facts):
        return {k: v for k, v in threshold.items() if k not in ("recall", "precision")}
    score = np.full((1, 2), 1 - threshold["value"])
    at = facts["classes"].index(threshold["positive_class"])
    score[0, at] = threshold["value"]
    moved = float(corrected(score, shift.learned, shift.expected)[0, at])
    return {k: v for k, v in threshold.items() if k != "precision"} | {"value": moved}


def _for_recall(facts: Facts) -> bool:
    return str((facts.get("threshold") or {}).get("chosen_for", "")).startswith("recall")
