"""Finding a pipeline by what the user calls it, and reading its parameters from the command line."""

from pathlib import Path
from typing import Any

from roadsafety_components.core.errors import InputError


def pipeline_spec(pipeline: str, scratch: Path) -> Path:
    """The compiled YAML of a pipeline.

    Args:
        pipeline: a name (``road_safety_pipeline``), or the path of a .yaml or .py file. In a checkout a name is
            compiled afresh from ``pipelines/``; in an installed wheel it is the YAML that travels with it.
        scratch: folder for what has to be compiled.

    Raises:
        InputError: no such pipeline.
    """
    from roadsafety_components.packaging import specs

    path = Path(pipeline)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            raise InputError(f"there is no file {pipeline}.")
        return path
    folder = specs.pipelines_folder()
    source = path if path.suffix == ".py" else folder / f"{pipeline}.py" if folder else None
    if source is not None and source.is_file():
        target = scratch / f"{source.stem}.yaml"
        target.write_text(specs.compile_readable(specs.pipeline_in(source)), encoding="utf-8")
        return target
    if path.suffix != ".py":
        try:
            return specs.spec_path(pipeline)
        except ValueError as error:
            raise InputError(str(error)) from None
    raise InputError(f"there is no file {pipeline}.")


def parse_parameters(spec: Path, params: list[str]) -> dict[str, Any]:
    """``name=value`` texts as values of the types that the pipeline declares."""
    from kfp import components

    from roadsafety_components.packaging.local import parse_argument

    pipeline = components.load_component_from_file(str(spec))
    values = {}
    for param in params:
        name, separator, text = param.partition("=")
        if not separator:
            raise InputError(f"--param {param}: write it as name=value.")
        values[name] = parse_argument(pipeline, name, text)
    return values


def has_parameter(spec: Path, name: str) -> bool:
    """Whether a pipeline takes a parameter."""
    from kfp import components

    return name in (components.load_component_from_file(str(spec)).component_spec.inputs or {})
