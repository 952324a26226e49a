"""The ``roadsafety`` command."""

import os
import sys

import typer

from roadsafety_components import __version__
from roadsafety_components.cli import audit, catalog, step
from roadsafety_components.core.errors import EXIT_BAD_INPUT, InputError

app = typer.Typer(
    help="Road-safety machine learning as Kubeflow Pipelines components.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
if os.environ.get("_KFP_RUNTIME") != "true":  # the image has what a step needs, and no more of kfp
    from roadsafety_components.cli import bundle, run, schedule, specs, submit, upload

    app.command(name="run")(run.run)
    app.command(name="submit")(submit.submit)
    app.command(name="schedule")(schedule.schedule)
    app.command(name="upload")(upload.upload)
    app.command(name="bundle")(bundle.bundle)
    app.add_typer(specs.app, name="specs")
app.command(name="list")(catalog.list_steps)
app.command(name="audit")(audit.audit)


@app.callback(invoke_without_command=True)
def version(show: bool = typer.Option(False, "--version", help="Print the version and end.")) -> None:
    """Options of the command itself."""
    if show:
        print(__version__)
        raise typer.Exit


def main() -> None:
    """Entry point: a user's mistake is one line and exit code 2, a bug is a traceback and exit code 1."""
    if sys.argv[1:2] == ["roadsafety"]:
        # A container component must name its command, and docker puts that behind the image's entry point.
        del sys.argv[1]
    if sys.argv[1:2] == ["step"]:
        app.add_typer(step.make_app(), name="step")  # imports every step: only when one is asked for
    else:
        app.add_typer(typer.Typer(help=step.HELP), name="step")
    try:
        app()
    except InputError as error:
        print(f"Input error: {error}", file=sys.stderr)
        sys.exit(EXIT_BAD_INPUT)
