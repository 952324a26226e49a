"""What a model's encoder makes of its features, as ONNX: numbers, codes, shares of classes, one column a category."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.onnx_graph import Graph

Numbers = npt.NDArray[np.float64]


@dataclass
class Columns:
    """All columns of an encoder, for trees.

    Attributes:
        x: name of them: rows by columns, float64.
        numbers: of each column the feature that it is, as it is; "" for codes and shares.
        codes: by column of codes, how many there are.
    """

    x: str
    numbers: list[str]
    codes: dict[int, int]


def _parts(encode: Any) -> list[tuple[str, Any, list[str]]]:
    """Name, fitted transformer and features of each part of a model's encoder that has features."""
    return [(name, each, list(names)) for name, each, names in encode.transformers_ if len(names)]


def columns(graph: Graph, encode: Any, text: Sequence[str]) -> Columns:
    """Add the columns of an encoder to a graph."""
    found: list[str] = []
    result = Columns("", [], {})
    for part, encoder, names in _parts(encode):
        if part == "numbers":
            found.append(graph.double(graph.add("Concat", *names, axis=1)))
            result.numbers += names
            continue
        for at, name in enumerate(names):
            table = _answers(encoder, names, at)
            width = table.shape[1] // len(names)
            if part == "categories":
                result.codes[len(result.numbers)] = len(table) - 2
            own = table[:, at * width : (at + 1) * width]
            found.append(_looked_up(graph, name, encoder.categories_[at], own, name in text))
            result.numbers += [""] * width
    result.x = graph.add("Concat", *found, axis=1)
    return result


def weighted(graph: Graph, encode: Any, text: Sequence[str], weights: Numbers) -> str:
    """The columns of the encoder times weights (columns by classes), added up: rows by classes, for linear models."""
    found, start = [], 0
    for part, encoder, names in _parts(encode):
        if part == "numbers":
            end = start + len(encoder[-1].scale_)
            found.append(graph.add("MatMul", _scaled(graph, encoder, names), weights[start:end]))
        else:
            tables = [_answers(encoder, names, at) for at in range(len(names))]
            end = start + tables[0].shape[1]
            # Only columns of the feature itself differ from row to row; the last row has no value known.
            nothing = tables[0][-1] @ weights[start:end]
            found.append(graph.constant(nothing[None]))
            for at, (name, table) in enumerate(zip(names, tables, strict=True)):
                added = table @ weights[start:end] - nothing
                found.append(_looked_up(graph, name, encoder.categories_[at], added, name in text))
        start = end
    return graph.add("Sum", *found)


def _answers(encoder: Any, names: Sequence[str], at: int) -> Numbers:
    """What an encoder makes of each category of one feature, of no value, and of a value never seen; others unseen."""
    unseen = [_unseen(each) for each in encoder.categories_]
    own = [*_known(encoder.categories_[at]), np.nan, unseen[at]]
    frame = {
        name: pd.Series(own if i == at else [unseen[i]] * len(own), dtype=encoder.categories_[i].dtype)
        for i, name in enumerate(names)
    }
    made = encoder.transform(pd.DataFrame(frame))
    return np.asarray(made.toarray() if hasattr(made, "toarray") else made, np.float64)


def _known(categories: Any) -> list[Any]:
    return [c for c in categories if not pd.isna(c)]


def _unseen(categories: Any) -> Any:
    """A value that is no category: it comes after all of them."""
    last = max(_known(categories), default="" if categories.dtype == object else 0)
    return last + "?" if isinstance(last, str) else np.float32(last + 1)


def _looked_up(graph: Graph, name: str, categories: Any, table: Numbers, text: bool) -> str:
    """Rows of a table by the value of a feature; the last two are for no value and for a value never seen."""
    known = _known(categories)
    if text and "" in known:
        raise InputError(f"model: feature {name} has the empty text for a category, which in a request stands for a "
                         "missing value. Make it missing in the training data, and train again.")  # fmt: skip
    graph.turns[name] += [*known, _unseen(categories)]
    flat = graph.add("Reshape", name, [-1])
    keys: dict[str, Any] = {"keys_strings": [*known, ""]} if text else {"keys_floats": [float(v) for v in known]}
    keys |= {"values_int64s": list(range(len(known) + text)), "default_int64": len(known) + 1}
    at = graph.add("LabelEncoder", flat, domain="ai.onnx.ml", **keys)
    if not text:
        at = graph.add("Where", graph.add("IsNaN", flat), len(known), at)
    return graph.add("Gather", table, at)


def _scaled(graph: Graph, pipeline: Any, names: Sequence[str]) -> str:
    """Numbers with gaps filled, and beside them columns that tell the gaps; scaled in float32, as scikit-learn does."""
    fill, scale = pipeline
    x = graph.add("Concat", *names, axis=1)
    gaps = graph.add("IsNaN", x)
    filled = graph.add("Where", gaps, fill.statistics_.astype(np.float32)[None], x)
    told = fill.indicator_.features_
    if len(told):
        indicators = graph.add("Cast", graph.add("Gather", gaps, told.astype(np.int64), axis=1), to=1)
        filled = graph.add("Concat", filled, indicators, axis=1)
    for name, mean, spread in zip(names, scale.mean_, scale.scale_, strict=False):
        graph.turns[name] += [mean - 3 * spread, mean, mean + 3 * spread]
    centred = graph.add("Sub", filled, scale.mean_.astype(np.float32)[None])
    return graph.double(graph.add("Div", centred, scale.scale_.astype(np.float32)[None]))
