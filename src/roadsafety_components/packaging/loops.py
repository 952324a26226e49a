"""Loops of kfp.local, completed: over any output that is a list, and each round with its number.

KFP 2.17 looks for a loop's list among the pipeline's inputs unless it is the return value of a function, and tells
nobody which round a step is in.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

from kfp.local import io
from kfp.local.orchestrator import enhanced_dag_orchestrator as orchestrator


@contextlib.contextmanager
def completed_loops() -> Iterator[Callable[[], str]]:
    """Complete them for one run.

    Yields:
        What tells a thread its round of the innermost loop, ``3 of 8``; empty if it is in none.
    """
    here, numbers = threading.local(), dict[str, str]()
    executor = orchestrator.ParallelExecutor
    run_rounds, run_task = executor.execute_parallel_tasks, orchestrator.execute_task
    put_output = io.IOStore.put_task_output

    def number() -> str:
        return getattr(here, "number", "")

    def numbered_rounds(self: Any, tasks: Sequence[tuple[str, Any]], **options: Any) -> Any:
        numbers.update({name: f"{at + 1} of {len(tasks)}" for at, (name, _) in enumerate(tasks)})
        return run_rounds(self, tasks=tasks, **options)

    def numbered_task(task_name: str, **options: Any) -> Any:
        outside = number()
        here.number = numbers.get(task_name, outside)  # a round has a thread of its own; a step in it has another name
        try:
            return run_task(task_name=task_name, **options)
        finally:
            here.number = outside

    def put_where_loops_look(self: Any, task_name: str, key: str, value: Any) -> None:
        put_output(self, task_name, key, value)
        self.put_parent_input(f"pipelinechannel--{task_name}-{key}", value)

    with (
        replaced(executor, "execute_parallel_tasks", numbered_rounds),
        replaced(orchestrator, "execute_task", numbered_task),
        replaced(io.IOStore, "put_task_output", put_where_loops_look),
    ):
        yield number


@contextlib.contextmanager
def replaced(owner: ModuleType | type, name: str, function: Callable[..., Any]) -> Iterator[None]:
    """Another function in the place of one of a module or class, for a while."""
    before = getattr(owner, name)
    setattr(owner, name, function)
    try:
        yield
    finally:
        setattr(owner, name, before)
