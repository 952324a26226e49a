"""What explanations share: features that are one thing, the class that is explained, values in words."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.store import Facts

Numbers = npt.NDArray[np.float64]
Positions = npt.NDArray[np.int64]
Groups = Mapping[str, Sequence[str]]  # name -> features; a feature is in one
Labels = Mapping[str, Mapping[str, str]]  # column -> code as text -> words
Ask = Callable[[pd.DataFrame], Numbers]  # the probabilities of rows


def grouped(features: Sequence[str], groups: Groups) -> dict[str, list[str]]:
    """Every feature in its group, or the only one of its own, in the order of the features.

    Features of groups that are none of ``features`` are passed over and told in the log.

    Raises:
        InputError: a feature in two groups, or a group with the name of a feature that is not in it.
    """
    group_of: dict[str, str] = {}
    for group, names in groups.items():
        if group in features and group not in names:
            raise InputError(f"groups: {group} is a feature, but not in the group of that name; rename the group.")
        for name in names:
            if (other := group_of.setdefault(name, group)) != group:
                raise InputError(f"groups: feature {name} is in {other} and in {group}; leave it in one.")
    if unknown := [n for n in group_of if n not in features]:
        print(f"features of groups that the model does not have: {', '.join(unknown)}")
    return {
        group: [n for n in dict.fromkeys(groups.get(group, [group])) if n in features]
        for group in dict.fromkeys(group_of.get(n, n) for n in features)
    }


def asking(model: Any, facts: Facts, positive_class: str) -> tuple[str, int, Ask]:
    """The class that is explained ("": the rarest of the training), its position, and its probabilities for a frame."""
    classes, counts = facts["classes"], facts["class_counts"]
    positive_class = positive_class or min(classes, key=lambda c: counts[c])
    if positive_class not in classes:
        raise InputError(f"positive_class is {positive_class!r}; the classes are {', '.join(classes)}.")
    position = classes.index(positive_class)
    return positive_class, position, lambda frame: np.asarray(model.predict_proba(frame), np.float64)[:, position]


def check_whole(least: int, **values: float) -> None:
    """Refuse numbers that are not whole, or less than ``least``."""
    for name, value in values.items():
        if value < least or value != int(value):
            raise InputError(f"{name} is {value}; it is a whole number, {least} or more.")


def in_words(rows: pa.Table, column: str, labels: Labels) -> list[str]:
    """A column's values: a code's words if it has some, yes and no, a number with six digits, or ``missing``."""
    known = labels.get(column, {})
    texts = [_text(value) for value in rows[column].to_pylist()]
    return [known.get(text, text) for text in texts]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "missing" if math.isnan(value) else f"{value:.6g}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "missing" if value is None else str(value)


def spread(order: Positions, number: int) -> Positions:
    """At most ``number`` of an order, evenly spaced: of rising probabilities, a sample that has their mean."""
    number = min(number, len(order))
    return order[((np.arange(number) + 0.5) * len(order) / max(number, 1)).astype(np.int64)]
