"""Loops of pipelines on this machine: over a step's named list, each round with its number."""

import re

import pytest
from kfp import compiler, dsl
from kfp.local import io

from roadsafety_components.packaging import local


@dsl.component(base_image="python:3.11-slim")
def draw(items: dsl.OutputPath(list), number: int):
    """Write a list of dictionaries."""
    import json

    with open(items, "w") as file:
        json.dump([{"id": n} for n in range(number)], file)


@dsl.component(base_image="python:3.11-slim")
def look(item: dict):
    """Print what it is given."""
    print(f"item {item['id']:g}")


@dsl.component(base_image="python:3.11-slim")
def rest():
    """Do nothing."""


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a pipeline, and gives the steps and the log."""

    def call(pipeline, **arguments):
        compiler.Compiler().compile(pipeline, str(tmp_path / "loop.yaml"))
        started = []
        result = local.run_pipeline(
            tmp_path / "loop.yaml", arguments, tmp_path / "out", tmp_path / "log", started=started.append
        )
        assert result.failed is None, result.failed
        assert sorted(started) == sorted(s.label for s in result.steps)
        return result.steps, (tmp_path / "log").read_text()

    return call


def test_a_loop_goes_over_an_output_that_has_a_name(run):
    """KFP 2.17 alone knows the return value of a function only; each round is told, other steps have none."""

    @dsl.pipeline(name="named-list")
    def pipeline(number: int):
        with dsl.ParallelFor(draw(number=number).outputs["items"]) as item:
            look(item=item)
        rest()

    steps, log = run(pipeline, number=3)
    assert sorted((s.name, s.round) for s in steps) == [
        ("draw", ""), ("look", "1 of 3"), ("look", "2 of 3"), ("look", "3 of 3"), ("rest", ""),
    ]  # fmt: skip
    assert {s.label for s in steps} == {"draw", "look 1 of 3", "look 2 of 3", "look 3 of 3", "rest"}
    for at in range(3):
        assert re.search(rf"===== look {at + 1} of 3\n[^=]*item {at}\n", log)


def test_a_round_is_that_of_the_innermost_loop(run):
    """Two loops, one within the other, and a step after the inner one."""

    @dsl.pipeline(name="loop-in-a-loop")
    def pipeline():
        with dsl.ParallelFor([1, 2]):
            with dsl.ParallelFor([{"id": 1}, {"id": 2}, {"id": 3}]) as item:
                look(item=item)
            rest()

    steps, _ = run(pipeline)
    rounds = [(s.name, s.round) for s in steps]
    assert {r: rounds.count(r) for r in rounds} == {
        ("look", "1 of 3"): 2, ("look", "2 of 3"): 2, ("look", "3 of 3"): 2,
        ("rest", "1 of 2"): 1, ("rest", "2 of 2"): 1,
    }  # fmt: skip


def test_kfp_is_as_it_was_after_a_run(run):
    """What is completed is so for a run."""
    before = io.IOStore.put_task_output

    @dsl.pipeline(name="short")
    def pipeline():
        rest()

    run(pipeline)
    assert io.IOStore.put_task_output is before
