"""``roadsafety run``: a pipeline on this machine, one line a step."""

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from roadsafety_components.core.errors import InputError

DEFAULT_SAMPLE = 10_000
# Reports, by how they begin.
READABLE = {b"<!doctype html": ".html", b"# ": ".md"}
MODEL = b"pk\3\4"  # skops files are zips; nothing else that steps write is
# Shown after a run, in this order, where a step logged them.
HEADLINES = ("accuracy", "majority_accuracy", "balanced_accuracy", "macro_f1", "roc_auc")


def run(
    pipeline: str = typer.Argument("road_safety_pipeline", help="A pipeline's name, or a .py or .yaml file."),
    data: Path | None = typer.Option(None, help="Folder with the three STATS19 tables (CSV, gzip or zip)."),
    sample: int = typer.Option(0, help=f"Run on N synthetic collisions; {DEFAULT_SAMPLE} where no data are given."),
    param: list[str] = typer.Option([], metavar="NAME=VALUE", help="A parameter of the pipeline; may be repeated."),
    runner: str = typer.Option("subprocess", help="subprocess: in this Python; docker: each step in its container."),
    output: Path | None = typer.Option(None, help="Folder for results; runs/PIPELINE-TIME by default."),
) -> None:
    """Run a pipeline on this machine and show where its report is."""
    from roadsafety_components.cli.pipelines import load_pipeline, parse_parameters, pipeline_spec
    from roadsafety_components.packaging import local

    console = Console(highlight=False, soft_wrap=True)
    if runner not in local.RUNNERS:
        raise InputError(f"--runner is {runner!r}; it can be {' or '.join(local.RUNNERS)}.")
    folder = output or Path("runs", f"{Path(pipeline).stem}-{time.strftime('%Y%m%d-%H%M%S')}")
    log = _make_folder(folder) / "steps.log"
    written = folder / ".reports"  # names, for the next run into this folder: it removes these and nothing else
    names = written.read_text(encoding="utf-8").splitlines() if written.is_file() else []
    for old in (log, written, *(folder / name for name in names)):
        old.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        with console.status(f"compiling {escape(pipeline)}"):
            spec = pipeline_spec(pipeline, Path(scratch))
        loaded = load_pipeline(spec)
        arguments = parse_parameters(loaded, param)
        if "source" in (loaded.component_spec.inputs or {}) and "source" not in arguments:
            arguments["source"] = str(_source(console, data, sample, folder))
        elif data or sample:
            if "source" in arguments:
                raise InputError("--data, --sample and --param source are three ways to say the same: give one.")
            raise InputError(f"--data and --sample are for a pipeline with a parameter source; {pipeline} has none.")
        local.check_arguments(loaded, arguments)
        source = str(arguments.get("source", ""))
        readable = [path for path in {Path(part) for part in (source, *source.split()) if part} if path.exists()]
        with console.status("starting") as status:
            result = local.run_pipeline(
                spec, arguments, folder / "artifacts", log, runner, readable,
                started=lambda name: status.update(f"{name} ..."),
                ended=lambda step: _step(console, step),
            )  # fmt: skip
    if result.failed:
        console.print(escape(result.failed.message))
        console.print(f"Full log: {log}")
        raise typer.Exit(local.exit_code(result))
    reports = _summary(console, result.artifacts, folder)
    written.write_text("".join(f"{name}\n" for name in reports), encoding="utf-8")
    console.print(f"All outputs: {folder / 'artifacts'}")
    console.print(f"Log: {log}")


def _make_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ".write-test").touch()
        (folder / ".write-test").unlink()
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror}. Choose another --output.") from error
    return folder


def _source(console: Console, data: Path | None, sample: int, folder: Path) -> Path:
    if data and sample:
        raise InputError("give --data or --sample, not both.")
    if data:
        if not data.is_dir():
            raise InputError(f"--data {data}: there is no such folder.")
        return data.resolve()
    from roadsafety_components.core.sample import write_sample
    from roadsafety_components.core.schema import TABLES

    target = (folder / "sample").resolve()
    target.mkdir(exist_ok=True)
    began = time.monotonic()
    number = sample or DEFAULT_SAMPLE
    with console.status(f"making a sample of {number} synthetic collisions"):
        write_sample(number, {table: target / f"synthetic-{table}.csv" for table in TABLES})
    _line(console, f"sample of {number} synthetic collisions", time.monotonic() - began, True)
    return target


def _step(console: Console, step: Any) -> None:
    _line(console, step.label, step.seconds, step.exit_code == 0)
    for warning in step.warnings:
        console.print(f"      [yellow]{escape(warning)}[/yellow]")


def _line(console: Console, name: str, seconds: float, good: bool) -> None:
    console.print(f"{'[green]ok[/green]  ' if good else '[red]FAIL[/red]'}  {name:<42} {seconds:6.1f} s")


def _summary(console: Console, artifacts: dict[str, dict[str, Any]], folder: Path) -> list[str]:
    """Headline metrics, reports under names that a browser or an editor opens, models; returns the reports' names."""
    reports = []
    for key, artifact in artifacts.items():
        figures = artifact.get("metadata", {})
        lines = [f"  {name:<20} {figures[name]:.3f}" for name in HEADLINES if name in figures]
        if lines:
            console.print(f"\n{key.rpartition('.')[0]}")
            console.print("\n".join(lines))
    console.print()
    for key, artifact in artifacts.items():
        path = Path(artifact["uri"])
        begin = path.read_bytes()[:15].lower() if path.is_file() else b""
        for mark, ending in READABLE.items():
            if begin.startswith(mark):
                page = folder / (key.replace(".", "-").replace("/", "-") + ending)
                shutil.copyfile(path, page)
                console.print(f"Report: {page}")
                reports.append(page.name)
        if begin.startswith(MODEL):
            console.print(f"Model: {path}")
    return reports
