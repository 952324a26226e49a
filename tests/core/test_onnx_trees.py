"""Trees in ONNX: sets of categories, missing values, sums in float64."""

import math

import numpy as np
import onnxruntime
import pytest

from roadsafety_components.core.onnx_graph import Graph
from roadsafety_components.core.onnx_trees import Tree, sums

NAN = float("nan")


def answered(trees, values, codes=None):
    """Sums of the trees for one column of values."""
    graph = Graph()
    graph.add("Identity", sums(graph, graph.double("x"), trees, codes or {}), output="y")
    made = graph.model({"x": "FP32"}, [("y", "FP64", trees[0].values.shape[1])], {})
    session = onnxruntime.InferenceSession(made.SerializeToString())
    return session.run(None, {"x": np.array(values, np.float32)[:, None]})[0][:, 0].tolist()


def stump(left=(), missing_left=False, threshold=0.0):
    """1 to the left, 2 to the right; a set of codes, or a threshold."""
    return Tree(
        np.array([0, 0, 0]), np.array([threshold, 0, 0]), np.array([1, 0, 0]), np.array([2, 0, 0]),
        np.array([missing_left, False, False]), np.array([[0.0], [1.0], [2.0]]), {0: left} if left is not None else {},
    )  # fmt: skip


@pytest.mark.parametrize("missing_left", [True, False])
@pytest.mark.parametrize("left", [[1], [0, 3], [0, 1, 2], [1, 2, 3, 4], [0, 1, 2, 3, 4], []], ids=str)
def test_codes_of_a_set_go_left(left, missing_left):
    """And only they, whichever side is smaller; no value goes where the tree says."""
    found = answered([stump(left, missing_left)], [0, 1, 2, 3, 4, NAN], {0: 5})
    assert found == [*(1.0 if code in left else 2.0 for code in range(5)), 1.0 if missing_left else 2.0]


@pytest.mark.parametrize("missing_left", [True, False])
def test_a_number_goes_left_up_to_the_threshold(missing_left):
    """The threshold is float64: between two float32 numbers the lower goes left."""
    below = np.float32(0.1)
    above = np.nextafter(below, np.float32(1))
    threshold = (float(below) + float(above)) / 2
    found = answered([stump(None, missing_left, threshold)], [below, above, -np.inf, np.inf, NAN])
    assert found == [1.0, 2.0, 1.0, 2.0, 1.0 if missing_left else 2.0]


def test_sums_are_exact_beyond_float32():
    """A thousand leaves of all sizes add up to 1e-10, where float32 would be off by 1e-5."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=1000) * 10.0 ** rng.uniform(-6, 1, 1000)
    leaf = [np.array([0]), np.array([0.0]), np.array([0]), np.array([0]), np.array([False])]
    trees = [Tree(*leaf, np.array([[v]]), {}) for v in values]
    assert abs(float(np.float32(values).sum(dtype=np.float32)) - math.fsum(values)) > 1e-6
    assert answered(trees, [0]) == pytest.approx([math.fsum(values)], abs=1e-10)


def test_trees_of_nothing_add_nothing():
    """All leaves 0, as after a split that did not help."""
    tree = stump(None)
    tree.values[:] = 0
    assert answered([tree], [1]) == [0.0]
