"""A model of this library as an ONNX graph that answers as it does."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from onnx import TensorProto
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from roadsafety_components.core import onnx_trees
from roadsafety_components.core.calibrated import CalibratedClassifier
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.onnx_encode import Columns, columns, weighted
from roadsafety_components.core.onnx_graph import Graph
from roadsafety_components.core.ordinal import OrdinalClassifier
from roadsafety_components.core.store import Facts

PROBABILITIES, LABEL = "probabilities", "label"


def to_onnx(model: Any, facts: Facts, told: Mapping[str, str]) -> tuple[Any, dict[str, list[Any]]]:
    """A model as ONNX.

    Args:
        model: from ``model.read_model``.
        facts: the model's.
        told: metadata of the file.

    Returns:
        The ``onnx.ModelProto``; its inputs are the features (``inputs_of``), its outputs ``probabilities`` (rows by
        classes, float64) and ``label`` (rows by 1, text). And by feature the values at which its answer turns.

    Raises:
        InputError: a model, or a feature, that cannot be exported as it is.
    """
    if taken := {PROBABILITIES, LABEL} & {*facts["features"]}:
        raise InputError(f"model: feature {min(taken)} has the name of an output; rename the column, and train again.")
    graph = Graph()
    fitted, calibration = (model.estimator, model) if isinstance(model, CalibratedClassifier) else (model, None)
    p = _classified(graph, fitted["encode"], fitted["classify"], facts["text_features"])
    if calibration:
        p = _calibrated(graph, p, calibration, len(facts["classes"]))
    graph.add("Identity", p, output=PROBABILITIES)
    names = np.array(facts["classes"], dtype=object)
    graph.add("Gather", names, _answer(graph, p, facts), output=LABEL)
    outputs = [(PROBABILITIES, "FP64", len(names)), (LABEL, "BYTES", 1)]
    return graph.model(inputs_of(facts), outputs, told), dict(graph.turns)


def inputs_of(facts: Facts) -> dict[str, str]:
    """The inputs by name, with their datatype as the Open Inference Protocol names it, in the order of the features."""
    return {name: "BYTES" if name in facts["text_features"] else "FP32" for name in facts["features"]}


def _classified(graph: Graph, encode: Any, classify: Any, text: list[str]) -> str:
    """Probabilities of the classes: rows by classes."""
    steps = classify.estimators if isinstance(classify, OrdinalClassifier) else [classify]
    if isinstance(steps[0], LogisticRegression):
        given = [_linear(graph, encode, each, text) for each in steps]
    elif isinstance(steps[0], (HistGradientBoostingClassifier, RandomForestClassifier)):
        encoded = columns(graph, encode, text)
        convert = _boosted if isinstance(steps[0], HistGradientBoostingClassifier) else _forest
        given = [convert(graph, each, encoded) for each in steps]
    else:
        raise InputError(f"model: a {type(steps[0]).__name__} cannot be exported, what train_classifier makes can.")
    return _in_order(graph, given, classify) if isinstance(classify, OrdinalClassifier) else given[0]


def _linear(graph: Graph, encode: Any, classify: Any, text: list[str]) -> str:
    weights = np.asarray(classify.coef_, np.float64).T
    score = graph.add("Add", weighted(graph, encode, text, weights), np.asarray(classify.intercept_, np.float64)[None])
    return _from_scores(graph, score, weights.shape[1])


def _boosted(graph: Graph, classify: Any, encoded: Columns) -> str:
    targets = classify.n_trees_per_iteration_
    trees = [
        onnx_trees.boosted_tree(predictor, target, targets)
        for iteration in classify._predictors
        for target, predictor in enumerate(iteration)
    ]
    score = graph.add("Add", _sums(graph, encoded, encoded.x, trees), classify._baseline_prediction.reshape(1, -1))
    return _from_scores(graph, score, targets)


def _forest(graph: Graph, classify: Any, encoded: Columns) -> str:
    trees = [onnx_trees.forest_tree(each.tree_) for each in classify.estimators_]
    x = graph.double(graph.add("Cast", encoded.x, to=TensorProto.FLOAT))  # a forest takes columns as float32
    return _with_first(graph, graph.add("Div", _sums(graph, encoded, x, trees), float(len(trees))))


def _sums(graph: Graph, encoded: Columns, x: str, trees: list[onnx_trees.Tree]) -> str:
    column, threshold = (np.concatenate([getattr(t, n)[t.left > 0] for t in trees]) for n in ("feature", "threshold"))
    for at, name in enumerate(encoded.numbers):
        if name:
            graph.turns[name] += np.unique(threshold[column == at]).tolist()
    return onnx_trees.sums(graph, x, trees, encoded.codes)


def _from_scores(graph: Graph, score: str, width: int) -> str:
    """Probabilities from log-odds of the second of two classes, or from scores of all."""
    if width > 1:
        return graph.add("Softmax", score, axis=1)
    return _with_first(graph, graph.add("Sigmoid", score))


def _with_first(graph: Graph, others: str) -> str:
    """Probabilities of all classes from those of all but the first."""
    total = graph.add("ReduceSum", others, [1], keepdims=1)
    return graph.add("Concat", graph.add("Sub", 1.0, total), others, axis=1)


def _column(graph: Graph, x: str, at: int) -> str:
    return graph.add("Gather", x, [at], axis=1)


def _in_order(graph: Graph, steps: list[str], classify: OrdinalClassifier) -> str:
    """As ``OrdinalClassifier.joined``."""
    beyond = _column(graph, steps[0], 1)
    shares = [graph.add("Sub", 1.0, beyond)]
    for step in steps[1:]:
        further = graph.add("Min", beyond, _column(graph, step, 1))
        shares.append(graph.add("Sub", beyond, further))
        beyond = further
    shares.append(beyond)
    return graph.add("Concat", *(shares[list(classify.order).index(c)] for c in classify.classes_), axis=1)


def _calibrated(graph: Graph, p: str, model: CalibratedClassifier, classes: int) -> str:
    """As ``calibrated.correct``."""
    curve = _sigmoid if model.method == "sigmoid" else _isotonic
    corrected = [
        curve(graph, _column(graph, p, at), fitted)
        for at, fitted in zip(range(classes == 2, classes), model.calibrators, strict=True)
    ]
    if classes == 2:
        return _with_first(graph, corrected[0])
    shares = graph.add("Concat", *corrected, axis=1)
    total = graph.add("ReduceSum", shares, [1], keepdims=1)
    none = graph.add("Equal", total, 0.0)
    return graph.add("Where", none, np.full((1, classes), 1 / classes), graph.add("Div", shares, total))


def _sigmoid(graph: Graph, p: str, curve: Any) -> str:
    clipped = graph.add("Clip", p, 1e-9, 1 - 1e-9)
    odds = graph.add("Log", graph.add("Div", clipped, graph.add("Sub", 1.0, clipped)))
    score = graph.add("Add", graph.add("Mul", odds, float(curve.coef_[0, 0])), float(curve.intercept_[0]))
    return graph.add("Sigmoid", score)


def _isotonic(graph: Graph, p: str, curve: Any) -> str:
    """A broken line: its start, and of every piece as much as lies below p."""
    x, y = (np.asarray(v, np.float64) for v in (curve.X_thresholds_, curve.y_thresholds_))
    if len(x) == 1:
        x, y = np.append(x, x + 1), np.append(y, y)
    beyond = graph.add("Clip", graph.add("Sub", p, x[None, :-1]), 0.0)
    lengths = graph.add("Min", beyond, np.diff(x)[None])
    return graph.add("Add", graph.add("MatMul", lengths, (np.diff(y) / np.diff(x))[:, None]), y[0])


def _answer(graph: Graph, p: str, facts: Facts) -> str:
    """As ``predict.answers``: the position of each row's class, rows by 1."""
    if not (threshold := facts.get("threshold")):
        return graph.add("ArgMax", p, axis=1, keepdims=1)
    positive = facts["classes"].index(threshold["positive_class"])
    reached = graph.add("GreaterOrEqual", _column(graph, p, positive), float(threshold["value"]))
    return graph.add("Where", reached, positive, 1 - positive)
