"""What a step takes and gives, read from its signature and docstring: for the catalogue, the command line, the list.

Works in KFP's runtime mode too, where the SDK's own compiler is not there.
"""

import inspect
import json
import re
import textwrap
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kfp.dsl import Artifact, OutputPath

from roadsafety_components.core.errors import InputError

_PARAMETER_TYPES = {str: "str", int: "int", float: "float", bool: "bool", list: "list", dict: "dict"}


@dataclass(frozen=True)
class Port:
    """An input or output of a step.

    Attributes:
        kind: ``str``, ``int``, ``float``, ``bool``, ``list``, ``dict``, or an artifact's type, e.g. ``Dataset``;
            ``List[Dataset]`` for an input of any number of them.
        required: whether an input must be given.
        default: a parameter's default; None for artifacts and required parameters.
    """

    name: str
    kind: str
    description: str
    required: bool
    default: Any = None

    @property
    def is_artifact(self) -> bool:
        """Whether it is a file (or several) rather than a value."""
        return self.kind not in _PARAMETER_TYPES.values()

    @property
    def is_list(self) -> bool:
        """Whether it is any number of artifacts."""
        return self.kind.startswith("List[")


@dataclass(frozen=True)
class Interface:
    """A step's name, description, inputs and outputs in the order of its signature."""

    name: str
    description: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def flag(name: str) -> str:
    """The command line's flag for an input or output."""
    return "--" + name.replace("_", "-")


def parse_value(kind: str, text: str, where: str) -> Any:
    """A parameter's value from its text on a command line.

    Args:
        kind: ``str``, ``int``, ``float``, ``bool``, ``list`` or ``dict``.
        text: as typed; lists and dicts as JSON.
        where: what to call the parameter in a message.

    Raises:
        InputError: not a value of that type.
    """
    if kind == "str":
        return text
    try:
        value = json.loads(text.lower() if kind == "bool" else text)
    except json.JSONDecodeError:
        value = None
    if kind == "int" and isinstance(value, float) and value.is_integer():
        value = int(value)  # KFP may print a whole number so
    if kind == "float" and type(value) is int:
        value = float(value)
    if type(value).__name__ != kind:
        raise InputError(f"{where}: {text!r} is not of type {kind}.")
    return value


def function_of(step: Any) -> Callable[..., Any]:
    """The plain function of a step, decorated or (in runtime mode) not."""
    return typing.cast("Callable[..., Any]", getattr(step, "python_func", step))


def interface_of(step: Any) -> Interface:
    """Read a step's interface from its function."""
    function = function_of(step)
    summary, sections = _docstring(inspect.getdoc(function) or "")
    inputs: list[Port] = []
    outputs: list[Port] = []
    for parameter in inspect.signature(function).parameters.values():
        kind, is_output = _kind(parameter.annotation)
        required = parameter.default is inspect.Parameter.empty
        text = sections["Returns" if is_output else "Args"].get(parameter.name, "")
        port = Port(parameter.name, kind, text, required and not is_output, None if required else parameter.default)
        (outputs if is_output else inputs).append(port)
    return Interface(function.__name__, summary, tuple(inputs), tuple(outputs))


def _kind(annotation: Any) -> tuple[str, bool]:
    """Type name, and whether it is an output."""
    if isinstance(annotation, OutputPath):  # a value that the step writes to a file
        return _PARAMETER_TYPES[annotation.type], True
    if typing.get_origin(annotation) is typing.Annotated:
        artifact, mark = typing.get_args(annotation)[:2]
        is_output = "Output" in (mark if isinstance(mark, str) else mark.__name__)
        if typing.get_origin(artifact) is list:
            return f"List[{typing.get_args(artifact)[0].__name__}]", is_output
        if inspect.isclass(artifact) and issubclass(artifact, Artifact):
            return artifact.__name__, is_output
    plain = typing.get_origin(annotation) or annotation
    return _PARAMETER_TYPES[plain], False


def _docstring(text: str) -> tuple[str, dict[str, dict[str, str]]]:
    """Text before the first section, and the entries of Args and Returns (Google style)."""
    head, *rest = re.split(r"^(Args|Returns|Raises):\n", text, flags=re.M)
    sections: dict[str, dict[str, str]] = {"Args": {}, "Returns": {}, "Raises": {}}
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        entries = re.split(r"^(\w+): ", textwrap.dedent(body), flags=re.M)[1:]
        sections[title] = {n: " ".join(t.split()) for n, t in zip(entries[::2], entries[1::2], strict=True)}
    paragraphs = [" ".join(p.split()) for p in head.strip().split("\n\n")]
    return "\n\n".join(paragraphs), sections
