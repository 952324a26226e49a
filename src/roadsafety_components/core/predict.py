"""A model's probabilities and answers for a table that fits it."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.frame import to_frame
from roadsafety_components.core.store import Facts, is_text, plain_type

# What ``to_frame`` makes numbers of.
_NUMBERS = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal, pa.types.is_null)


def check_features(facts: Facts, schema: pa.Schema, name: str) -> None:
    """Hold a table's columns against what the model was trained on.

    Args:
        facts: the model's.
        schema: the table's.
        name: what to call the table in a message.

    Raises:
        InputError: a feature is missing, is text where it was a number or the other way round, or is neither.
    """
    if lost := [n for n in facts["features"] if n not in schema.names]:
        raise InputError(f"{name}: no feature {', '.join(lost)}; make it as the training table was made.")
    for feature in facts["features"]:
        text, kind = feature in facts["text_features"], schema.field(feature).type
        if not (is_text(kind) if text else any(is_kind(plain_type(kind)) for is_kind in _NUMBERS)):
            was = "text" if text else "number"
            raise InputError(f"{name}: feature {feature} is {kind}, in training {was}; read both tables alike.")


def probabilities(model: Any, facts: Facts, table: pa.Table) -> npt.NDArray[np.float64]:
    """Rows by classes, in the order of the model's facts; check the table first with ``check_features``."""
    return np.asarray(model.predict_proba(to_frame(table, facts["features"])), np.float64)


def answers(given: npt.NDArray[np.float64], facts: Facts) -> npt.NDArray[np.int64]:
    """The class of each row, as its position in ``classes``.

    The positive class where its probability reaches the model's threshold, if the model has one; else the likeliest.
    """
    if not (threshold := facts.get("threshold")):
        return np.asarray(given.argmax(axis=1))
    positive = facts["classes"].index(threshold["positive_class"])
    return np.asarray(np.where(given[:, positive] >= threshold["value"], positive, 1 - positive))
