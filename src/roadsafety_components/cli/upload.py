"""``roadsafety upload``: pipelines and steps to a cluster's list of pipelines, as versions."""

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from roadsafety_components.cli.access import Access, check_access
from roadsafety_components.cli.cluster import Cluster, connected, notes_console
from roadsafety_components.cli.job import settings_in, with_settings
from roadsafety_components.cli.marks import digest_in, marked
from roadsafety_components.cli.options import with_option_groups
from roadsafety_components.cli.pipelines import digest_of, load_pipeline, pipeline_spec
from roadsafety_components.core.errors import InputError, nearest

_MOST_DESCRIPTION = 600  # it travels in the address of the request


@dataclass(frozen=True)
class Upload:
    """A spec to upload: the pipeline it becomes, and its version.

    Attributes:
        name: as the list of pipelines shows it.
        spec: path of the YAML.
        version_name: of the version; empty for a name by its content.
        description: one paragraph.
    """

    name: str
    spec: Path
    version_name: str
    description: str

    @cached_property
    def digest(self) -> str:
        """Of what the spec says."""
        return digest_of(self.spec)

    @property
    def version(self) -> str:
        """The version's name: other content of a file without a name for it is another version."""
        return self.version_name or self.digest[:12]

    @property
    def resource_name(self) -> str:
        """The pipeline's name as a Kubernetes resource may have it: a cluster may store pipelines as such."""
        return _resource(self.name)

    @property
    def version_resource_name(self) -> str:
        """The version's: unlike the shown one it has to be unique among all pipelines' versions."""
        return _resource(f"{self.name}-{self.version}")


@with_option_groups
def upload(
    access: Access,
    names: list[str] = typer.Argument(None, metavar="NAME", help="Pipelines or steps, or .py or .yaml files."),
    all_pipelines: bool = typer.Option(False, "--all-pipelines", help="Every pipeline."),
    steps: bool = typer.Option(False, "--steps", help="Every step, each as a pipeline of one task."),
    packaging: str = typer.Option("lightweight", help="Packaging of the steps: lightweight or container."),
    specs: Path | None = typer.Option(None, help="Folder of specs, as `specs write` makes it; ours by default."),
    kubernetes: Path | None = typer.Option(None, help="File with settings of the pods, see docs/kubernetes.md."),
    version_name: str = typer.Option("", help="Name of the version; by default the package's; of a file, its digest."),
) -> None:
    """Upload pipelines and steps as new versions; what is there already stays as it is."""
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    if not (names or all_pipelines or steps):
        raise InputError("name pipelines or steps, or give --all-pipelines or --steps.")
    check_access(access)
    settings = settings_in(kubernetes)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        chosen = [
            replace(item, spec=with_settings(item.spec, settings, folder))
            for item in _chosen(names or [], all_pipelines, steps, packaging, specs, version_name, folder)
        ]
        with connected(access, notes_console(), needs_namespace=False) as cluster:
            for item in chosen:
                with console.status(f"uploading {item.name}"):
                    did, link = _upload(cluster, item)
                console.print(f"{did}: {item.name} {item.version}  {link}", markup=False)


def _chosen(
    names: list[str], all_pipelines: bool, steps: bool, packaging: str, specs: Path | None, version_name: str,
    scratch: Path,
) -> Iterator[Upload]:  # fmt: skip
    """What the user asked for, each once.

    Raises:
        InputError: no such name, packaging or folder of specs, or a packaging for no step.
    """
    from roadsafety_components.packaging.paths import PACKAGINGS, specs_folder

    if packaging not in PACKAGINGS:
        raise InputError(f"--packaging is {packaging!r}; it can be {' or '.join(PACKAGINGS)}.")
    folder = specs or specs_folder()
    catalog = _catalog(folder)
    pipelines = {p["name"]: p for p in catalog["pipelines"]}
    steps_ = {s["name"]: s for s in catalog["steps"] if s["packaging"] == packaging}
    files = [name for name in names if name.endswith((".yaml", ".yml", ".py"))]
    wanted = [name for name in names if name not in files]
    if (all_pipelines and not pipelines) or (steps and not steps_):
        what = "pipelines" if all_pipelines and not pipelines else f"steps in the packaging {packaging}"
        raise InputError(f"{folder} has no {what}.")
    wanted += (list(pipelines) if all_pipelines else []) + (list(steps_) if steps else [])
    known = [*pipelines, *steps_]
    if lost := [name for name in wanted if name not in known]:
        there = nearest(lost[0], known) or f" There are {', '.join(known)}, or give a .py or .yaml file."
        raise InputError(f"there is no pipeline or step {lost[0]!r}.{there}")
    if packaging != PACKAGINGS[0]:
        _check_packaging(packaging, [name for name in [*wanted, *files] if name not in steps_], wanted)
    for name in dict.fromkeys(wanted):
        entry = pipelines.get(name) or steps_[name]
        ending = "-container" if name in steps_ and packaging == "container" else ""
        version = version_name or f"{catalog['version']}{ending}"
        yield Upload(name, folder / entry["spec"], version, entry["description"])
    for file in dict.fromkeys(files):
        spec = pipeline_spec(file, Path(tempfile.mkdtemp(dir=scratch)))  # two files may have one name
        pipeline = load_pipeline(spec)
        yield Upload(pipeline.name, spec, version_name, pipeline.description or "")


def _check_packaging(packaging: str, others: list[str], wanted: list[str]) -> None:
    """Refuse a packaging where no step is chosen; say what else it leaves as it is."""
    if set(wanted) <= set(others):
        raise InputError(f"--packaging {packaging} is for steps, and no step is named: a pipeline is of the packaging "
                         "that it was compiled with.")  # fmt: skip
    if others:
        note = f"note: --packaging {packaging} is for the steps; as compiled stay {', '.join(dict.fromkeys(others))}."
        notes_console().print(note, markup=False)


def _catalog(folder: Path) -> dict[str, Any]:
    """A folder's catalogue: its version, and its pipelines and steps with name, spec and description."""
    path = folder / "catalog.json"
    try:
        catalog = json.loads(path.read_text(encoding="utf-8"))
        entries = [{k: e[k] for k in ("name", "spec", "description")} for e in catalog["pipelines"]]
        steps = [{k: e[k] for k in ("name", "spec", "description", "packaging")} for e in catalog["steps"]]
        if missing := [e["spec"] for e in entries + steps if not (folder / e["spec"]).is_file()]:
            raise InputError(f"{path} lists {missing[0]}, which is not there.")
        return {"version": catalog["version"], "pipelines": entries, "steps": steps}
    except FileNotFoundError:
        raise InputError(f"--specs {folder}: no catalog.json there; `specs write` makes such a folder.") from None
    except (KeyError, TypeError, json.JSONDecodeError):
        raise InputError(f"{path} is no catalogue of these specs.") from None


def _upload(cluster: Cluster, item: Upload) -> tuple[str, str]:
    """What was done, and the address of the version.

    Raises:
        InputError: the version is there with other content, or several pipelines have the name.
    """
    client, namespace = cluster.client, cluster.namespace or None
    there = cluster.named(client.list_pipelines, "pipelines", item.name, namespace=namespace)
    if len(there) > 1:
        raise InputError(f"{len(there)} pipelines are called {item.name}; delete all but one in the user interface.")
    about = _shortened(item.description)
    if there:
        key, did = there[0].pipeline_id, "new version"
    else:
        body = client.api_models.V2beta1Pipeline(
            name=item.resource_name, display_name=item.name, description=about, namespace=namespace
        )
        key, did = client.pipelines.pipeline_service_create_pipeline(pipeline=body).pipeline_id, "new pipeline"
    versions = cluster.everything(client.list_pipeline_versions, "pipeline_versions", pipeline_id=key)
    for version in versions:
        if item.version in (version.display_name, version.name) or item.version_resource_name == version.name:
            if digest_in(version.description) == item.digest:
                return "unchanged", cluster.link("pipelines", key, version.pipeline_version_id)
            raise InputError(f"{item.name} {item.version} is there with other content, and a version does not change: "
                             "give another --version-name.")  # fmt: skip
    made = client.pipeline_uploads.upload_pipeline_version(
        str(item.spec), name=item.version_resource_name, display_name=item.version, pipelineid=key,
        description=marked(about, item.digest),
    )  # fmt: skip
    return did, cluster.link("pipelines", key, made.pipeline_version_id)


def _resource(name: str) -> str:
    return re.sub(r"[^a-z0-9.-]+", "-", name.lower()).strip("-.")


def _shortened(description: str) -> str:
    text = " ".join(description.split("\n\n", maxsplit=1)[0].split())
    return text if len(text) <= _MOST_DESCRIPTION else f"{text[: _MOST_DESCRIPTION - 3]}..."
