"""Finding a pipeline by what the user calls it, and reading its parameters from the command line."""

import hashlib
import json
from pathlib import Path
from typing import Any

from roadsafety_components.core.errors import InputError, nearest

_LARGEST = 10_000_000  # bytes of a pipeline's YAML; a cluster stores 1.5 MB


def pipeline_spec(pipeline: str, scratch: Path) -> Path:
    """The compiled YAML of a pipeline.

    Args:
        pipeline: a name (``road_safety_pipeline``), or the path of a .yaml or .py file. In a checkout a name is
            compiled afresh from ``pipelines/``; in an installed wheel it is the YAML that travels with it.
        scratch: folder for what has to be compiled.

    Raises:
        InputError: no such pipeline.
    """
    from roadsafety_components.packaging import paths, specs

    path = Path(pipeline)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise InputError(f"there is no file {pipeline}.")
        return path
    folder = paths.pipelines_folder()
    source = path if path.suffix == ".py" else folder / f"{pipeline}.py" if folder else None
    if source is not None and source.is_file():
        target = scratch / f"{source.stem}.yaml"
        try:
            target.write_text(specs.compile_readable(specs.pipeline_in(source)), encoding="utf-8")
        except Exception as error:  # whatever a user's file raises
            kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
            raise InputError(f"{source} cannot be compiled: {kind}{error}") from error
        return target
    if path.suffix != ".py":
        try:
            return paths.spec_path(pipeline)
        except ValueError:
            there = sorted(p.stem for p in (paths.specs_folder() / "pipelines").glob("*.yaml"))
            raise InputError(f"there is no pipeline {pipeline!r}; there are {', '.join(there)}, or give a .py or "
                             f".yaml file.{nearest(pipeline, there)}") from None  # fmt: skip
    raise InputError(f"there is no file {pipeline}.")


def load_pipeline(spec: Path) -> Any:
    """A compiled pipeline as KFP's component.

    Raises:
        InputError: the file is no compiled pipeline.
    """
    from kfp import components

    try:
        _refuse_bombs(spec)
        return components.load_component_from_file(str(spec))
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{spec} is not a compiled pipeline: {type(error).__name__}: {error}") from error


def _refuse_bombs(spec: Path) -> None:
    """Refuse YAML that takes more than its size to read: aliases of aliases, brackets without end."""
    import yaml

    from roadsafety_components.packaging.compiled import LOADER

    if spec.stat().st_size > _LARGEST:
        raise InputError(f"{spec} has over {_LARGEST / 1e6:.0f} MB; no cluster takes a pipeline of that size.")
    depth = 0
    for event in yaml.parse(spec.read_bytes(), Loader=LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise InputError(f"{spec} has a YAML alias, *{event.anchor}, which no compiled pipeline has.")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > 100:
            raise InputError(f"{spec} is nested over 100 levels deep; it is no compiled pipeline.")


def digest_of(spec: Path, **more: Any) -> str:
    """A digest of what a spec says, and of ``more`` beside it: the same however its YAML is laid out.

    Raises:
        InputError: the file is no compiled pipeline.
    """
    from yaml import YAMLError

    from roadsafety_components.packaging.compiled import parse

    _refuse_bombs(spec)
    try:
        _, documents = parse(spec.read_text(encoding="utf-8"))
        documents[0].pop("sdkVersion", None)  # what pods install of it stands in the steps' commands
    except (YAMLError, UnicodeDecodeError, AttributeError, IndexError) as error:
        raise InputError(f"{spec} is not a compiled pipeline: {type(error).__name__}.") from error
    what = json.dumps([[d for d in documents if d], more], sort_keys=True, default=str)
    return hashlib.sha256(what.encode()).hexdigest()


def parse_parameters(pipeline: Any, params: list[str]) -> dict[str, Any]:
    """``name=value`` texts as values of the types that the pipeline declares."""
    from roadsafety_components.packaging.local import parse_argument

    values = {}
    for param in params:
        name, separator, text = param.partition("=")
        if not separator:
            raise InputError(f"--param {param}: write it as name=value.")
        values[name] = parse_argument(pipeline, name, text)
    return values
