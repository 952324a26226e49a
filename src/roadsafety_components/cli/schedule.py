"""``roadsafety schedule``: a pipeline that a cluster runs again and again."""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from roadsafety_components.cli.access import Access, check_access
from roadsafety_components.cli.cluster import Cluster, connected, notes_console
from roadsafety_components.cli.cron import checked_cron, interval_seconds
from roadsafety_components.cli.job import Job, Order, make_job
from roadsafety_components.cli.marks import digest_in, marked
from roadsafety_components.cli.options import with_option_groups
from roadsafety_components.cli.pipelines import digest_of
from roadsafety_components.core.errors import InputError

_MOST_AT_ONCE = 10  # the server's own limit


@with_option_groups
def schedule(
    order: Order,
    access: Access,
    pipeline: str = typer.Argument("", help="A pipeline's name, or a .py or .yaml file."),
    cron: str = typer.Option("", help="When: second minute hour day month weekday, e.g. '0 0 6 1 * *'."),
    every: str = typer.Option("", help="Or how often: 30d, 2w, 12h, 90m."),
    pause: bool = typer.Option(False, "--pause", help="Stop the schedule until --resume."),
    resume: bool = typer.Option(False, "--resume", help="Let a paused schedule go on."),
    delete: bool = typer.Option(False, "--delete", help="Delete the schedule; its runs stay."),
    show: bool = typer.Option(False, "--list", help="Show the schedules that there are."),
    name: str = typer.Option("", help="Name of the schedule; the pipeline's by default."),
    catchup: bool = typer.Option(False, "--catchup", help="After a pause, make up for every run that was missed."),
    at_once: int = typer.Option(1, "--max-concurrency", min=1, max=_MOST_AT_ONCE, help="Runs at the same time."),
) -> None:
    """Run a pipeline in a cluster by the calendar; the same command again changes nothing, another one replaces it."""
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    said = [bool(cron), bool(every), pause, resume, delete, show].count(True)
    if said != 1:
        raise InputError(f"say {'only ' if said else ''}one of --cron, --every, --pause, --resume, --delete and "
                         "--list.")  # fmt: skip
    label = name or Path(pipeline).stem
    if ((cron or every) and not pipeline) or not (label or show):
        raise InputError("name the pipeline, as in `roadsafety schedule road_safety_pipeline ...`.")
    trigger: dict[str, Any] = {}
    if cron or every:
        trigger = {"cron_expression": checked_cron(cron)} if cron else {"interval_second": interval_seconds(every)}
    check_access(access)  # before the pipeline is compiled
    with tempfile.TemporaryDirectory() as scratch:
        job = make_job(pipeline, order, Path(scratch)) if trigger else None
        with connected(access, notes_console()) as cluster:
            if show:
                _show(console, cluster)
            elif job:
                wanted = {
                    **trigger, "no_catchup": not catchup, "max_concurrency": at_once, "params": job.arguments,
                    "pipeline_root": order.pipeline_root or None, "service_account": order.service_account or None,
                }  # fmt: skip
                _keep(console, cluster, label, job, order.experiment, wanted)
            else:
                _act(console, cluster, label, "pause" if pause else "resume" if resume else "delete")


def _keep(console: Console, cluster: Cluster, label: str, job: Job, experiment: str, wanted: Mapping[str, Any]) -> None:
    """Leave the schedule as it is, or make it and delete what it replaces: the API can change none."""
    there = _called(cluster, label)
    if strangers := [s for s in there if not digest_in(s.description)]:
        raise InputError(f"a schedule {label} is there that this command did not make "
                         f"({strangers[0].recurring_run_id}): give another --name, or --delete it first.")  # fmt: skip
    digest = digest_of(job.spec, experiment=experiment, **wanted)
    same = [s for s in there if digest_in(s.description) == digest]
    paused = bool(there) and all(map(_is_paused, there))
    if same:
        kept, old = same[0].recurring_run_id, [s for s in there if s is not same[0]]
    else:
        made = cluster.client.create_recurring_run(
            cluster.experiment(experiment), label, description=marked(job.name, digest), enabled=not paused,
            pipeline_package_path=str(job.spec), **wanted,
        )  # fmt: skip
        kept, old = made.recurring_run_id, there
    # Only now: if this ends half way there are two, and the same command again puts it right.
    for one in old:
        cluster.client.delete_recurring_run(one.recurring_run_id)
    did = "unchanged" if same else "replaced" if old else "made"
    when = _when(wanted.get("cron_expression"), wanted.get("interval_second"))
    console.print(f"{did}: {label}, {when}{', paused' if paused else ''}", markup=False)
    console.print(f"Schedule: {cluster.link('recurringrun', kept)}", markup=False)


def _act(console: Console, cluster: Cluster, label: str, action: str) -> None:
    there = _called(cluster, label)
    if not there:
        names = ", ".join(sorted({s.display_name for s in _all(cluster)}))
        raise InputError(f"there is no schedule {label}; there {f'are {names}' if names else 'is none'}.")
    if len(there) > 1 and not all(digest_in(s.description) for s in there):
        raise InputError(f"{len(there)} schedules are called {label}; choose among them in the user interface.")
    client = cluster.client
    call, did = {
        "pause": (client.disable_recurring_run, "paused"),
        "resume": (client.enable_recurring_run, "resumed"),
        "delete": (client.delete_recurring_run, "deleted"),
    }[action]
    for one in there:
        call(one.recurring_run_id)
    console.print(f"{did}: {label}", markup=False)


def _show(console: Console, cluster: Cluster) -> None:
    for one in sorted(_all(cluster), key=lambda s: (s.display_name, s.recurring_run_id)):
        cron, every = (getattr(one.trigger, kind, None) for kind in ("cron_schedule", "periodic_schedule"))
        when = _when(cron and cron.cron, every and every.interval_second)
        console.print(f"{one.display_name}  {'paused' if _is_paused(one) else 'active'}  {when}", markup=False)
        console.print(f"  {cluster.link('recurringrun', one.recurring_run_id)}", markup=False)


def _all(cluster: Cluster) -> list[Any]:
    return cluster.everything(cluster.client.list_recurring_runs, "recurring_runs", namespace=cluster.namespace or None)


def _called(cluster: Cluster, label: str) -> list[Any]:
    lists = cluster.client.list_recurring_runs
    return cluster.named(lists, "recurring_runs", label, namespace=cluster.namespace or None)


def _is_paused(one: Any) -> bool:
    return one.status == "DISABLED" or one.mode == "DISABLE"


def _when(cron: str | None, interval: str | int | None) -> str:
    if cron or not interval:
        return f"cron {cron}" if cron else "without a trigger"
    seconds = int(interval)
    size, unit = next((s, u) for s, u in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")) if seconds % s == 0)
    return f"every {seconds // size}{unit}"
