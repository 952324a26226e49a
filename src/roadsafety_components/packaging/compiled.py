"""A compiled pipeline as data: the documents of its YAML, its tasks, its containers, the steps that these run."""

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

# Written in C it reads the pipelines, a megabyte of YAML, ten times as fast; some builds of PyYAML are without.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(text: str) -> tuple[str, list[Any]]:
    """A spec's comments and its YAML documents: the pipeline spec, and the platform spec if there is one."""
    comments = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    return comments, list(yaml.load_all(text, Loader=LOADER))


def readable(comments: str, documents: list[Any]) -> str:
    """A spec's text from its comments and its YAML documents, with texts of several lines as literal blocks."""
    return comments + yaml.dump_all(documents, Dumper=_Readable, width=1000)


class _Readable(yaml.SafeDumper):
    """Texts of several lines as literal blocks, so that code is shown as code."""


def _literal(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _literal)


def containers(pipeline: dict[str, Any]) -> dict[str, Any]:
    """The containers of a pipeline spec by the name of their executor; an importer has none."""
    executors = pipeline.get("deploymentSpec", {}).get("executors", {})
    return {name: executor["container"] for name, executor in executors.items() if "container" in executor}


def tasks(pipeline: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The tasks of a pipeline spec, those in loops, branches and nested pipelines too."""
    for component in (pipeline["root"], *pipeline.get("components", {}).values()):
        yield from component.get("dag", {}).get("tasks", {}).values()


def step_in(words: Sequence[str]) -> str:
    """The step that a container's command with its arguments runs, in both packagings; "" for another command."""
    if list(words[:2]) == ["roadsafety", "step"]:
        return words[2]
    if "--function_to_execute" in words[:-1]:
        return words[words.index("--function_to_execute") + 1]
    return ""
