"""The true classes of a test table, and what makes a test flatter."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.store import Facts


def true_classes(table: pa.Table, target_column: str, classes: list[str]) -> npt.NDArray[np.int64]:
    """Each row's class as its position in ``classes``.

    Raises:
        InputError: the target missing, null in places, of one class only or of classes that the model does not know.
    """
    where = f"test table: target column {target_column}"
    if target_column not in table.column_names:
        raise InputError(f"{where} is missing; there are {', '.join(table.column_names)}.")
    values = table[target_column].cast(pa.string()).to_pylist()
    counts = Counter(values)
    if nulls := counts[None]:
        raise InputError(f"{where} is null in {nulls} of {len(values)} rows; drop or label them.")
    if unknown := [f"{name} ({n} rows)" for name, n in counts.most_common() if name not in classes]:
        known = f"It knows {', '.join(classes)}; test on the same target, or train with all."
        raise InputError(f"{where} has classes unknown to the model: {', '.join(unknown)}. {known}")
    if len(counts) < 2:
        raise InputError(f"{where} has one class only ({', '.join(counts)}); use more rows.")
    return np.array(list(map(classes.index, values)))


def doubts(model: Facts, data: Facts) -> list[str]:
    """Warnings for the head of a page, from the facts of a model and of its test."""
    told, both = [], (model, data)
    if any(f.get("synthetic") for f in both):
        told.append("SYNTHETIC DATA: rows are generated. The figures are not about the world.")
    if leaks := [f["split"] for f in both if f.get("split", {}).get("method") == "row_leaky"]:
        told.append("LEAKING SPLIT (row_leaky): {shared_groups} values of {group_column} are on both sides. "
                    "The figures are too good.".format(**leaks[0]))  # fmt: skip
    if data.get("sha256", 0) == model.get("training_data"):
        told.append("TRAINING DATA: the figures say what the model remembers.")
    return told
