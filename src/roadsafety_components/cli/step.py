"""``roadsafety step NAME``: one step with plain files, as the image runs it; with or without KFP."""

import inspect
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from roadsafety_components.core.errors import InputError

HELP = "Run one step with plain files, no Kubeflow needed. `roadsafety step NAME --help` tells its inputs and outputs."


def make_app() -> typer.Typer:
    """A command for every step, with flags and help from the step's own signature and docstring."""
    from roadsafety_components.components import STEPS
    from roadsafety_components.packaging.interface import interface_of

    app = typer.Typer(help=HELP, no_args_is_help=True, pretty_exceptions_enable=False)
    for name, step in STEPS.items():
        interface = interface_of(step)
        app.command(name=name, help=interface.description, no_args_is_help=True)(_command(step, interface))
    return app


def _command(step: Any, interface: Any) -> Callable[..., None]:
    def command(executor_input: str, code: str, **values: Any) -> None:
        _check_code(step, code)
        if executor_input:
            # KFP says it all there: the same values, and the artifacts with their metadata.
            return _execute(step, _parse(executor_input))
        with tempfile.TemporaryDirectory() as scratch:
            wanted = [p for p in interface.outputs if values[p.name] is not None]
            _check_given(interface, values, wanted)
            aside = {p.name: str(Path(scratch, p.name)) for p in interface.outputs if p not in wanted}
            _execute(step, _executor_input(interface, values | aside, Path(scratch)))
            _tell(wanted, values, Path(scratch))
        return None

    options = {p.name: _option(p, p in interface.outputs) for p in (*interface.inputs, *interface.outputs)}
    options["executor_input"] = typer.Option("", help="KFP's executor input (JSON); stands for all other flags.")
    options["code"] = typer.Option("", hidden=True)
    parameters = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=o) for n, o in options.items()]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    several = {p.name for p in interface.inputs if p.is_list}
    command.__annotations__ = {n: list[str] if n in several else str for n in options}
    return command


def _check_code(step: Any, code: str) -> None:
    """A spec names the code that it was compiled from: another one must not run in its name."""
    from roadsafety_components.packaging.carry import code_digest
    from roadsafety_components.packaging.interface import function_of

    if code and code != (here := code_digest(function_of(step))):
        raise InputError(
            f"the spec of {function_of(step).__name__} was compiled from other code ({code}) than is installed here "
            f"({here}). Take the specs and the image from one version: `make image`, `roadsafety specs write`."
        )


def _parse(executor_input: str) -> Any:
    try:
        return json.loads(executor_input)
    except json.JSONDecodeError as error:
        raise InputError(
            f"--executor-input is not JSON ({error}); KFP passes it, a person gives the other flags."
        ) from error


def _option(port: Any, is_output: bool) -> Any:
    kind = port.kind if port.is_artifact else {"list": "JSON", "dict": "JSON"}.get(port.kind, port.kind.upper())
    needed = " (required)" if port.required else ""
    needed += " (may be repeated)" if port.is_list else ""
    shown = "" if port.default in (None, "") else f" (default: {json.dumps(port.default)})"
    panel = "Outputs" if is_output else "Inputs" if port.is_artifact else "Parameters"
    return typer.Option(
        None, metavar=kind, help=f"{port.description}{needed}{shown}", show_default=False, rich_help_panel=panel
    )


def _check_given(interface: Any, values: dict[str, Any], wanted: list[Any]) -> None:
    """What a step needs, and one output at least: those that nobody names are not kept."""
    from roadsafety_components.packaging.interface import flag

    lost = [p.name for p in interface.inputs if p.required and not values[p.name]]
    if not wanted:
        lost += [p.name for p in interface.outputs[:1]]
    if lost:
        flags = ", ".join(flag(name) for name in lost)
        others = " or another output" if not wanted and len(interface.outputs) > 1 else ""
        raise InputError(f"step {interface.name}: {flags}{others} must be given; see --help.")


def _executor_input(interface: Any, values: dict[str, Any], scratch: Path) -> dict[str, Any]:
    """What KFP would have passed for these flags."""
    from roadsafety_components.packaging.interface import flag, parse_value

    given = [p for p in interface.inputs if values[p.name] not in (None, [])]
    return {
        "inputs": {
            "parameterValues": {p.name: p.default for p in interface.inputs if not p.is_artifact and not p.required}
            | {p.name: parse_value(p.kind, str(values[p.name]), flag(p.name)) for p in given if not p.is_artifact},
            "artifacts": {p.name: _artifacts(p, values[p.name]) for p in given if p.is_artifact},
        },
        "outputs": {
            "parameters": {
                p.name: {"outputFile": str(Path(str(values[p.name])).expanduser().absolute())}
                for p in interface.outputs
                if not p.is_artifact
            },
            "artifacts": {p.name: _artifacts(p, values[p.name]) for p in interface.outputs if p.is_artifact},
            "outputFile": str(scratch / "executor_output.json"),
        },
    }


def _artifacts(port: Any, paths: Any) -> dict[str, Any]:
    kind = {"schemaTitle": f"system.{port.kind.removeprefix('List[').rstrip(']')}", "schemaVersion": "0.0.1"}
    uris = [str(Path(p).expanduser().absolute()) for p in (paths if port.is_list else [paths])]
    return {"artifacts": [{"name": port.name, "type": kind, "uri": uri, "metadata": {}} for uri in uris]}


def _execute(step: Any, executor_input: dict[str, Any]) -> None:
    from kfp.dsl.executor import Executor

    from roadsafety_components.packaging.interface import function_of

    try:
        executor = Executor(executor_input=executor_input, function_to_execute=function_of(step))  # makes folders
    except OSError as error:
        raise InputError(f"cannot write to {error.filename}: {error.strerror}. Choose another folder.") from error
    executor.execute()


def _tell(wanted: list[Any], values: dict[str, Any], scratch: Path) -> None:
    """One line an output; figures that KFP would keep as metadata go into the file that was asked for."""
    outputs = json.loads((scratch / "executor_output.json").read_text()).get("artifacts", {})
    for port in wanted:
        if not port.is_artifact:
            print(f"{port.name}: {Path(str(values[port.name])).read_text(encoding='utf-8')}")
            continue
        path, metadata = Path(str(values[port.name])), outputs[port.name]["artifacts"][0]["metadata"]
        if not path.exists():
            path.write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")
        size = f" ({metadata['rows']} rows)" if port.kind == "Dataset" and "rows" in metadata else ""
        print(f"{port.name}: {path}{size}")
