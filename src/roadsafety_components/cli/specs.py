"""``roadsafety specs``: the YAML of every step and pipeline."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from roadsafety_components.core.errors import InputError

if TYPE_CHECKING:
    from roadsafety_components.packaging.specs import Library

app = typer.Typer(help="Write and check the YAML specs of steps and pipelines.", no_args_is_help=True)
_FOLDER = typer.Option(None, "--output", help="Folder of the specs; component_specs/ of the checkout by default.")


@app.command()
def write(
    output: Path | None = _FOLDER,
    image: str = typer.Option("", help="Image of the container packaging, REGISTRY/NAME:TAG, for your own registry."),
) -> None:
    """Compile every step and pipeline to YAML that people can read."""
    library, folder = _library(image, output)
    from roadsafety_components.packaging import specs

    try:
        files = specs.write_specs(folder, library)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"wrote {len(files)} files to {folder}")


@app.command()
def check(
    output: Path | None = _FOLDER,
    image: str = typer.Option("", help="Image of the container packaging that the specs were written for."),
) -> None:
    """Compile afresh and fail on any difference, on a spec beyond the limits, on a broken interface."""
    library, folder = _library(image, output)
    from roadsafety_components.packaging import specs

    problems = specs.check_specs(folder, library)
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(1)
    typer.echo(f"{folder}: every spec is current")


def _library(image: str, output: Path | None) -> tuple["Library", Path]:
    """The steps, compiled for an image: it is read when the container steps are imported."""
    if image:
        os.environ["ROADSAFETY_IMAGE"] = image
    from roadsafety_components import components, containers
    from roadsafety_components.packaging import paths, specs

    folder = output or paths.specs_folder()
    if output is None and paths.pipelines_folder() is None:
        raise InputError("this is an installed package, whose own specs stay as they are: give --output FOLDER. (The "
                         "pipelines are compiled in a checkout only.)")  # fmt: skip
    return specs.Library(components.STEPS, containers.STEPS, components.STABILITY), folder
