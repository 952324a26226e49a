"""``roadsafety submit``: a pipeline to a cluster."""

import contextlib
import io
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import typer
from rich.console import Console

from roadsafety_components.core.errors import InputError

_ENDED = ("SUCCEEDED", "SKIPPED", "FAILED", "CANCELED", "ERROR")


def submit(
    pipeline: str = typer.Argument("road_safety_pipeline", help="A pipeline's name, or a .py or .yaml file."),
    host: str = typer.Option(..., help="URL of the Kubeflow Pipelines API, e.g. http://localhost:8080."),
    param: list[str] = typer.Option([], metavar="NAME=VALUE", help="A parameter of the pipeline; may be repeated."),
    experiment: str = typer.Option("road-safety", help="Experiment that the run belongs to; made if it is not there."),
    namespace: str = typer.Option("", help="Kubernetes namespace, for a multi-user cluster."),
    token: str = typer.Option("", envvar="ROADSAFETY_TOKEN", help="Bearer token, where the cluster asks for one."),
    wait: bool = typer.Option(False, "--wait", help="Follow the run until it ends; exit code 1 if it fails."),
    poll_seconds: float = typer.Option(5.0, hidden=True),
) -> None:
    """Send a pipeline to a Kubeflow cluster, start a run and print its links."""
    import kfp
    from kfp_server_api.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    from roadsafety_components.cli.pipelines import load_pipeline, parse_parameters, pipeline_spec
    from roadsafety_components.packaging.local import check_arguments

    if not host.startswith(("http://", "https://")):
        raise InputError(f"--host {host}: write it with http:// or https://.")
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    with tempfile.TemporaryDirectory() as scratch:
        spec = pipeline_spec(pipeline, Path(scratch))
        loaded = load_pipeline(spec)
        arguments = parse_parameters(loaded, param)
        check_arguments(loaded, arguments)
        try:
            # kfp prints links of its own and a warning that a working cluster makes moot: ours are the two lines below.
            with console.status(f"sending to {host}"), contextlib.redirect_stdout(io.StringIO()), _no_warnings():
                client = kfp.Client(host=host, namespace=namespace or "kubeflow", existing_token=token or None)
                home = client.create_experiment(experiment, namespace=namespace or None)
                name = f"{Path(pipeline).stem} {time.strftime('%Y-%m-%d %H-%M-%S')}"
                started = client.run_pipeline(home.experiment_id, name, str(spec), params=arguments)
            if not (home.experiment_id and started.run_id):
                raise ValueError("what answers there is not the Kubeflow Pipelines API; is it a login page (--token)?")
            console.print(f"Experiment: {host.rstrip('/')}/#/experiments/details/{home.experiment_id}")
            console.print(f"Run:        {host.rstrip('/')}/#/runs/details/{started.run_id}")
            if not wait:
                return
            state = "PENDING"
            with console.status("waiting") as status:
                began = time.monotonic()
                while (state := client.get_run(started.run_id).state or state) not in _ENDED:
                    status.update(f"{state.lower()}, {time.monotonic() - began:.0f} s")
                    time.sleep(poll_seconds)
        except (ApiException, HTTPError, OSError, RuntimeError, ValueError) as error:
            raise InputError(f"the cluster at {host} did not take it: {_reason(error)}") from error
    console.print(f"{state.lower()} after {time.monotonic() - began:.0f} s")
    if state not in ("SUCCEEDED", "SKIPPED"):
        raise typer.Exit(1)


@contextlib.contextmanager
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def _reason(error: Exception) -> str:
    """What the server said of it, or the error's first line."""
    with contextlib.suppress(ValueError, TypeError):
        body = json.loads(getattr(error, "body", None) or "")
        if said := body.get("message") or body.get("error"):
            return f"{said} (HTTP status {getattr(error, 'status', '?')})"
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
