"""The command as a user runs it: in a process of its own."""

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from roadsafety_components import cli
from roadsafety_components.cli.access import Access
from roadsafety_components.cli.cluster import make_client

from .api import Api, serving

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def roadsafety(tmp_path: Path) -> Command:
    """Return a function that runs `roadsafety` with words in an empty folder, wide enough that nothing wraps."""

    def call(*words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "roadsafety_components.cli", *map(str, words)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "COLUMNS": "400"},
        )

    return call


@pytest.fixture(scope="session")
def tables(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sample's three canonical tables."""
    from roadsafety_components.core import read, store

    folder = tmp_path_factory.mktemp("tables")
    for name, table in read.load_tables(str(sample), {}).items():
        store.write_dataset(table, folder / f"{name}.parquet")
    return folder


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Return a function that runs `roadsafety` in this process, which is ten times as fast."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> Any:
        monkeypatch.setattr(sys, "argv", ["roadsafety", *map(str, words)])
        capsys.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        return SimpleNamespace(returncode=code, stdout=said.out, stderr=said.err)

    return call


@dataclass(frozen=True)
class Server:
    """A server to test against.

    Attributes:
        url: its address.
        client: kfp's client of it, for looking at what came of a command.
        prefix: what the names that a test makes begin with.
        namespace: of a multi-user server, else None.
    """

    url: str
    client: Any
    prefix: str
    namespace: str | None = None

    def all(self, list_: Callable[..., Any], kind: str) -> list[Any]:
        """What a list of the API holds of this test's."""
        found, token = [], ""
        while True:
            page = list_(page_size=200, page_token=token, namespace=self.namespace)
            found += getattr(page, kind) or []
            if not (token := page.next_page_token):
                return [item for item in found if item.display_name.startswith(self.prefix)]


@pytest.fixture(autouse=True)
def _no_access_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says of a cluster is for the one at KFP_HOST alone."""
    if not os.environ.get("KFP_HOST"):
        ours = [f"ROADSAFETY_{name}" for name in ("TOKEN", "NAMESPACE", "COOKIE_FILE", "CA_FILE", "PROXY")]
        for name in [*ours, *(n for n in os.environ if n.startswith("KF_PIPELINES_"))]:
            monkeypatch.delenv(name, raising=False)


@pytest.fixture
def api() -> Api:
    """Return the state of the server in memory, to provoke what a real one cannot be made to do."""
    if os.environ.get("KFP_HOST"):
        pytest.skip("provokes what the server at KFP_HOST cannot be made to do")
    return Api()


@pytest.fixture
def url(api: Api) -> Iterator[str]:
    """Return the address of the server in memory."""
    with serving(api) as address:
        yield address


@pytest.fixture
def server() -> Iterator[Server]:
    """Return the server at KFP_HOST, else one in memory; what the test made there is removed."""
    prefix = f"rs-test-{uuid.uuid4().hex[:8]}"
    if host := os.environ.get("KFP_HOST"):
        token, namespace = os.environ.get("ROADSAFETY_TOKEN", ""), os.environ.get("ROADSAFETY_NAMESPACE", "")
        client = make_client(Access(host=host, token=token))
        real = Server(host, client, prefix, namespace or None)
        yield real
        _remove(real)
        return
    api = Api()
    with serving(api) as address:
        made = Server(address, make_client(Access(host=address)), prefix)
        yield made
        _remove(made)
    assert not (api.experiments or api.runs or api.recurring_runs or api.pipelines or api.versions)


def _remove(server: Server) -> None:
    client = server.client
    for job in server.all(client.list_recurring_runs, "recurring_runs"):
        client.delete_recurring_run(job.recurring_run_id)
    for run in server.all(client.list_runs, "runs"):
        client.delete_run(run.run_id)
    for experiment in server.all(client.list_experiments, "experiments"):
        client.delete_experiment(experiment.experiment_id)
    for pipeline in server.all(client.list_pipelines, "pipelines"):
        for version in client.list_pipeline_versions(pipeline.pipeline_id, page_size=200).pipeline_versions or []:
            client.delete_pipeline_version(pipeline.pipeline_id, version.pipeline_version_id)
        client.delete_pipeline(pipeline.pipeline_id)


@pytest.fixture(scope="session")
def small_pipeline(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the text of a compiled pipeline with a parameter of each type, a loop, and a task without cache."""
    from kfp import dsl

    from roadsafety_components.packaging.specs import compile_readable

    @dsl.component(base_image="python:3.11-slim")
    def say(word: str):
        print(word)

    @dsl.pipeline(name="small")
    def small(source: str = "", trees: int = 1, share: float = 0.5, deep: bool = False, years: list = [2024]):  # noqa: B006
        first = say(word=source)
        first.set_caching_options(False)
        with dsl.ParallelFor(["a", "b"]) as word:
            say(word=word).after(first)

    return compile_readable(small)


@pytest.fixture
def small(small_pipeline: str, tmp_path: Path) -> Path:
    """Return that pipeline as a file, to change at will."""
    path = tmp_path / "small.yaml"
    path.write_text(small_pipeline, encoding="utf-8")
    return path
