"""What a step takes and gives, read from signature and docstring."""

from typing import List

import pytest
from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Output

from roadsafety_components import components, containers
from roadsafety_components.packaging.carry import code_digest
from roadsafety_components.packaging.container import as_container
from roadsafety_components.packaging.interface import Interface, Port, interface_of


def count_rows(data: Input[Dataset], metrics: Output[Metrics], years: List[int] = [2024], extra: Input[Dataset] = None):
    """Count the rows.

    All of them.

    Args:
        data: The table,
            as Parquet.
        years: Years to count.
        extra: More rows.

    Returns:
        metrics: The count.
    """


@dsl.component(base_image="python:3.11-slim")
def choose(parts: Input[List[Dataset]], decision: dsl.OutputPath(str)):
    """Choose.

    Args:
        parts: Some tables.

    Returns:
        decision: One word.
    """


def test_lists_of_artifacts_and_values_that_a_step_writes():
    """Any number of datasets goes in, a word comes out; the container packaging has the same interface."""
    inputs, outputs = (Port("parts", "List[Dataset]", "Some tables.", True),), (
        Port("decision", "str", "One word.", False),
    )  # fmt: skip
    assert interface_of(choose) == Interface("choose", "Choose.", inputs, outputs)
    container = as_container(choose)
    assert container.component_spec.inputs == choose.component_spec.inputs
    assert container.component_spec.outputs == choose.component_spec.outputs
    words = container.component_spec.implementation.container.args
    assert words[:5] == ["step", "choose", "--code", code_digest(choose.python_func), "--decision"]
    assert words[6] == "--executor-input"


def test_signature_and_docstring_make_the_interface():
    """Names, types, defaults and descriptions, in the order of the signature."""
    assert interface_of(count_rows) == Interface(
        "count_rows",
        "Count the rows.\n\nAll of them.",
        (
            Port("data", "Dataset", "The table, as Parquet.", True),
            Port("years", "list", "Years to count.", False, [2024]),
            Port("extra", "Dataset", "More rows.", False),
        ),
        (Port("metrics", "Metrics", "The count.", False),),
    )


@pytest.mark.parametrize("name", components.STEPS)
def test_every_input_and_output_is_described(name):
    """A user never meets a name without an explanation."""
    interface = interface_of(components.STEPS[name])
    assert [p.name for p in (*interface.inputs, *interface.outputs) if not p.description] == []


@pytest.mark.parametrize("name", components.STEPS)
def test_both_packagings_have_one_interface(name):
    """Inputs, outputs, types, defaults and descriptions of the container are those of the lightweight step."""
    light, heavy = components.STEPS[name].component_spec, containers.STEPS[name].component_spec
    assert light.inputs == heavy.inputs
    assert light.outputs == heavy.outputs
    assert light.description == heavy.description


@pytest.mark.parametrize("name", components.STEPS)
def test_our_reading_agrees_with_kfp(name):
    """The catalogue's types and optional inputs are those that KFP compiles."""
    interface, spec = interface_of(components.STEPS[name]), components.STEPS[name].component_spec
    titles = {"str": "String", "int": "Integer", "float": "Float", "bool": "Boolean"}
    expected = {
        p.name: titles.get(p.kind, f"system.{p.kind.removeprefix('List[').rstrip(']')}@0.0.1")
        for p in interface.inputs if p.kind != "dict"
    }  # fmt: skip
    assert {n: i.type for n, i in spec.inputs.items() if not i.type.startswith("typing.")} == {
        n: kind for n, kind in expected.items() if kind != "system.list@0.0.1"
    }
    assert {n for n, i in spec.inputs.items() if i.optional} == {p.name for p in interface.inputs if not p.required}
    assert list(spec.outputs) == [p.name for p in interface.outputs]
