"""Trees of scikit-learn as a TreeEnsembleRegressor of ONNX, whose sums are exact to about 1e-10."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from roadsafety_components.core.onnx_graph import Graph

Integers = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
_BITS = 23  # of a float32: whole numbers up to 2**23 add up in it without rounding


@dataclass
class Tree:
    """One tree, node by node; the root is the first.

    Attributes:
        feature: column that a node asks for.
        threshold: up to it a row goes left.
        left: next node; 0 for a leaf.
        right: the other one.
        missing_left: whether rows with no value go left.
        values: what a leaf adds, nodes by targets.
        sets: by node that asks for a category: the codes that go left.
    """

    feature: Integers
    threshold: Numbers
    left: Integers
    right: Integers
    missing_left: npt.NDArray[np.bool_]
    values: Numbers
    sets: dict[int, list[int]]


def boosted_tree(predictor: Any, target: int, targets: int) -> Tree:
    """One of histogram boosting, which adds to one target."""
    nodes = predictor.nodes
    inner = nodes["is_leaf"] == 0
    values = np.zeros((len(nodes), targets))
    values[:, target] = nodes["value"]
    sets = {
        int(at): [c for c in range(256) if bitset[c // 32] >> (c % 32) & 1]
        for at in np.flatnonzero(inner & (nodes["is_categorical"] == 1))
        for bitset in [predictor.raw_left_cat_bitsets[nodes["bitset_idx"][at]]]
    }
    left, right = (np.where(inner, nodes[side], 0).astype(np.int64) for side in ("left", "right"))
    return Tree(
        nodes["feature_idx"].astype(np.int64), nodes["num_threshold"], left, right,
        nodes["missing_go_to_left"] == 1, values, sets,
    )  # fmt: skip


def forest_tree(tree: Any) -> Tree:
    """One of a forest, which adds the shares of all classes but the first."""
    left, right = (np.where(tree.children_left < 0, 0, side) for side in (tree.children_left, tree.children_right))
    feature, missing = np.maximum(tree.feature, 0), tree.missing_go_to_left.astype(bool)
    return Tree(feature, tree.threshold, left, right, missing, tree.value[:, 0, 1:], {})


def sums(graph: Graph, x: str, trees: Sequence[Tree], codes: dict[int, int]) -> str:
    """Add the trees to a graph and return their sums: rows by targets, float64.

    The operator compares in float64, as scikit-learn does, but gives sums in float32. So each value is two targets: a
    multiple of a step so large that float32 holds every sum of them, and the small rest.

    Args:
        graph: to add to.
        x: rows by columns, float64.
        trees: at least one.
        codes: by column of categories, how many codes it has: 0, 1, ...
    """
    targets = trees[0].values.shape[1]
    bound = sum(float(abs(t.values).max()) for t in trees)
    step = 2.0 ** (np.ceil(np.log2(max(bound, 1e-300))) - _BITS)
    parts: dict[str, list[npt.NDArray[Any]]] = {}
    for number, tree in enumerate(trees):
        for name, values in _attributes(tree, number, step, codes).items():
            parts.setdefault(name, []).append(values)
    attributes: dict[str, Any] = {name: np.concatenate(values) for name, values in parts.items()}
    found = graph.add("TreeEnsembleRegressor", x, domain="ai.onnx.ml", n_targets=2 * targets, **attributes)
    return graph.add("MatMul", graph.double(found), np.kron(np.eye(targets), np.ones((2, 1))))


def _attributes(tree: Tree, number: int, step: float, codes: dict[int, int]) -> dict[str, npt.NDArray[Any]]:
    leaf = tree.left == 0
    nodes: dict[str, list[Any]] = {
        "nodes_featureids": np.where(leaf, 0, tree.feature).tolist(),
        "nodes_values_as_tensor": np.where(leaf, 0, tree.threshold).tolist(),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_truenodeids": tree.left.tolist(),
        "nodes_falsenodeids": tree.right.tolist(),
        "nodes_missing_value_tracks_true": np.where(leaf, 0, tree.missing_left).tolist(),
    }
    for at, left in tree.sets.items():
        _ask_for_each(nodes, at, left, codes[int(tree.feature[at])])
    count = len(nodes["nodes_modes"])
    high = np.round(tree.values[leaf] / step) * step
    weights = np.stack([high, tree.values[leaf] - high], axis=2).reshape(len(high), -1)
    used = np.flatnonzero(weights.any(axis=0)) if weights.any() else np.array([0])
    return {name: np.array(values) for name, values in nodes.items()} | {
        "nodes_treeids": np.full(count, number),
        "nodes_nodeids": np.arange(count),
        "target_treeids": np.full(leaf.sum() * len(used), number),
        "target_nodeids": np.repeat(np.flatnonzero(leaf), len(used)),  # each leaf has a value, if 0: old servers ask
        "target_ids": np.tile(used, leaf.sum()),
        "target_weights_as_tensor": weights[:, used].ravel(),
    }


def _ask_for_each(nodes: dict[str, list[Any]], at: int, left: list[int], codes: int) -> None:
    """Turn a node that asks whether a code is in a set into a chain of nodes that ask for one code each.

    All lead to the same node when they find it; the chain asks for the smaller side of the set.
    """
    right = [c for c in range(codes) if c not in left]
    goes_left = nodes["nodes_missing_value_tracks_true"][at]
    asked, found, other, missing = left, "nodes_truenodeids", "nodes_falsenodeids", goes_left
    if len(right) < len(left):
        asked, found, other, missing = right, "nodes_falsenodeids", "nodes_truenodeids", 1 - goes_left
    asked = asked or [-1]  # no row has this code: only those without any find the way
    column, yes, no, count = nodes["nodes_featureids"][at], nodes[found][at], nodes[other][at], len(nodes[found])
    chain = [at, *range(count, count + len(asked) - 1), no]
    for here, code in enumerate(asked):
        asks = (column, float(code), "BRANCH_EQ", yes, chain[here + 1], missing if here == 0 else 0)
        for values, value in zip(nodes.values(), asks, strict=True):
            if here == 0:
                values[at] = value
            else:
                values.append(value)
