"""``roadsafety submit``: a pipeline to a cluster."""

import sys
import tempfile
import time
from pathlib import Path

import typer
from rich.console import Console

from roadsafety_components.cli.access import Access, check_access
from roadsafety_components.cli.cluster import Cluster, connected, notes_console, quiet
from roadsafety_components.cli.job import Order, make_job
from roadsafety_components.cli.options import with_option_groups

_GOOD, _BAD = ("SUCCEEDED", "SKIPPED"), ("FAILED", "CANCELED")
# A port-forward breaks now and then; a run does not end by it.
_MOST_BREAKS = 5


@with_option_groups
def submit(
    order: Order,
    access: Access,
    pipeline: str = typer.Argument("road_safety_pipeline", help="A pipeline's name, or a .py or .yaml file."),
    wait: bool = typer.Option(False, "--wait", help="Follow the run until it ends; exit code 1 if it fails."),
    poll_seconds: float = typer.Option(5.0, hidden=True),
) -> None:
    """Send a pipeline to a Kubeflow cluster, start a run and print its links."""
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    check_access(access)  # before the pipeline is compiled
    with tempfile.TemporaryDirectory() as scratch:
        job = make_job(pipeline, order, Path(scratch))
        with connected(access, notes_console()) as cluster:
            home = cluster.experiment(order.experiment)
            with console.status(f"sending to {access.host}"), quiet():
                started = cluster.client.run_pipeline(
                    home, f"{job.name} {time.strftime('%Y-%m-%d %H-%M-%S')}", str(job.spec), params=job.arguments,
                    pipeline_root=order.pipeline_root or None, service_account=order.service_account or None,
                )  # fmt: skip
            console.print(f"Experiment: {cluster.link('experiments', home)}", markup=False)
            console.print(f"Run:        {cluster.link('runs', started.run_id)}", markup=False)
            if wait:
                _follow(console, cluster, started.run_id, poll_seconds)


def _follow(console: Console, cluster: Cluster, run_id: str, poll_seconds: float) -> None:
    """Wait for the end of a run; exit code 1 if it fails."""
    from kfp_server_api.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    began, breaks, state = time.monotonic(), 0, "PENDING"
    with console.status("waiting") as status:
        while state not in _GOOD + _BAD:
            time.sleep(poll_seconds)
            try:
                run = cluster.client.get_run(run_id)
            except (HTTPError, ApiException) as error:  # a port-forward, or a gateway that restarts
                breaks += 1
                if breaks > _MOST_BREAKS or getattr(error, "status", 500) < 500:
                    raise
                continue
            breaks, state = 0, run.state or state
            status.update(f"{state.lower()}, {time.monotonic() - began:.0f} s")
    console.print(f"{state.lower()} after {time.monotonic() - began:.0f} s")
    if state in _BAD:
        tasks = (run.run_details.task_details if run.run_details else None) or []
        for name in sorted({t.display_name for t in tasks if t.state == "FAILED" and t.display_name}):
            console.print(f"failed: {name}", markup=False)
        raise typer.Exit(1)
