"""A graph of ONNX operators, written node by node; the same calls give the same bytes."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from roadsafety_components.core.errors import InputError

# What any server of the last years reads: onnxruntime from 1.15 on (2023) is tested. ai.onnx.ml 5 would have trees with
# sets of categories and results in double, but KServe's own image of Triton (23.05) is older.
OPSETS = {"ai.onnx": 17, "ai.onnx.ml": 3}
_IR_VERSION = 8
DTYPES: dict[str, Any] = {
    "FP32": np.float32,
    "FP64": np.float64,
    "BYTES": object,
}  # as the inference protocol names them


class Graph:
    """Nodes and constants so far.

    Attributes:
        turns: by feature, the values at which an answer may change: thresholds, categories; what a check should try.
    """

    def __init__(self) -> None:
        self.turns: dict[str, list[Any]] = defaultdict(list)
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def add(self, operator: str, *inputs: Any, output: str = "", domain: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its result.

        Args:
            operator: of ONNX.
            inputs: names of earlier results or of inputs; numbers and arrays become constants.
            output: a name for the result, if it is an output of the graph.
            domain: empty, or ``ai.onnx.ml``.
            attributes: of the operator; an array becomes a tensor where the attribute is one, else a list.
        """
        names = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        output = output or f"/{operator}/{len(self._nodes)}"
        given = {n: _attribute(n, v) for n, v in attributes.items()}
        self._nodes.append(helper.make_node(operator, names, [output], domain=domain, **given))
        return output

    def constant(self, values: Any) -> str:
        """Add a constant of an array's own type and return its name."""
        name = f"/constant/{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def double(self, x: str) -> str:
        """Numbers as float64."""
        return self.add("Cast", x, to=TensorProto.DOUBLE)

    def model(
        self, inputs: Mapping[str, str], outputs: Sequence[tuple[str, str, int]], facts: Mapping[str, str]
    ) -> Any:
        """The whole as a checked ``onnx.ModelProto``.

        Args:
            inputs: datatype by name; each is of rows by 1.
            outputs: name, datatype, columns.
            facts: metadata of the file.

        Raises:
            InputError: more than the 2 GB that such a file may have.
        """
        graph = helper.make_graph(
            self._nodes,
            "roadsafety",
            [_described(n, kind, 1) for n, kind in inputs.items()],
            [_described(*output) for output in outputs],
            self._constants,
        )
        opsets = [helper.make_opsetid("" if d == "ai.onnx" else d, version) for d, version in OPSETS.items()]
        made = helper.make_model(graph, opset_imports=opsets, producer_name="roadsafety-components")
        made.ir_version = _IR_VERSION
        helper.set_model_props(made, dict(facts))
        if made.ByteSize() >= onnx.checker.MAXIMUM_PROTOBUF:
            raise InputError(f"model: as ONNX it has {made.ByteSize()} bytes, and such a file may have 2 GB. Train it "
                             "with fewer or smaller trees (n_estimators, min_samples_leaf).")  # fmt: skip
        onnx.checker.check_model(made, full_check=True)
        return made


def _attribute(name: str, value: Any) -> Any:
    if name.endswith("_as_tensor"):
        return numpy_helper.from_array(value)
    return value.tolist() if isinstance(value, np.ndarray) else value


def _described(name: str, kind: str, width: int) -> Any:
    element = helper.np_dtype_to_tensor_dtype(np.dtype(DTYPES[kind]))
    return helper.make_tensor_value_info(name, element, ["rows", width])
