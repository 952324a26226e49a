"""What a cluster is to run: a pipeline as the user names it, its parameters, and what the cluster asks of its pods."""

import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from roadsafety_components.cli.cluster import notes_console
from roadsafety_components.cli.options import option
from roadsafety_components.cli.pipelines import load_pipeline, parse_parameters, pipeline_spec
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.schema import TABLES

if TYPE_CHECKING:
    from roadsafety_components.kubernetes import Settings


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to run and where it belongs: the options that a run and a schedule have in common."""

    data: Annotated[str, option("URLs of the STATS19 tables, as `roadsafety run` takes a folder.")] = ""
    sample: Annotated[int, option("", hidden=True)] = 0
    param: Annotated[list[str], option("A parameter of the pipeline; may be repeated.", metavar="NAME=VALUE")] = field(
        default_factory=list
    )
    experiment: Annotated[str, option("Experiment that it belongs to; made if it is not there.")] = "road-safety"
    no_cache: Annotated[
        bool, option("Run every step, whatever the cluster has from earlier runs.", name="--no-cache")
    ] = False
    kubernetes: Annotated[Path | None, option("File with settings of the pods, see docs/kubernetes.md.")] = None
    service_account: Annotated[str, option("Kubernetes service account of the pods.")] = ""
    pipeline_root: Annotated[str, option("Where artifacts go, e.g. s3://bucket/path; by default the cluster's.")] = ""


@dataclass(frozen=True)
class Job:
    """A pipeline that is ready to be sent.

    Attributes:
        name: the pipeline's, as its file is called.
        spec: path of the YAML.
        arguments: by parameter, in the types that the pipeline declares.
    """

    name: str
    spec: Path
    arguments: dict[str, Any]


def make_job(pipeline: str, order: Order, scratch: Path) -> Job:
    """The pipeline and its parameters, checked here rather than by the cluster.

    Args:
        pipeline: a name, or the path of a .yaml or .py file.
        order: the user's options.
        scratch: folder for what has to be written.

    Raises:
        InputError: no such pipeline, parameter or setting, a value of another type, or data that pods cannot see.
    """
    from roadsafety_components.packaging.local import check_arguments

    if order.sample:
        raise InputError("--sample makes records on this machine. In a cluster road_safety_sample_pipeline makes them: "
                         f"submit that, with --param collisions={order.sample}.")  # fmt: skip
    if not order.experiment.strip():
        raise InputError("--experiment is empty: give a name; an experiment that is not there is made.")
    if order.data:
        _check_for_pods(order.data)
    settings = settings_in(order.kubernetes)
    spec = pipeline_spec(pipeline, scratch)
    loaded = load_pipeline(spec)
    arguments = parse_parameters(loaded, order.param)
    if order.data:
        if "source" not in (loaded.component_spec.inputs or {}):
            raise InputError(f"--data is for a pipeline with a parameter source; {pipeline} has none.")
        if "source" in arguments:
            raise InputError("--data and --param source are two ways to say the same: give one.")
        arguments["source"] = order.data
    check_arguments(loaded, arguments)
    for name, value in arguments.items():
        if isinstance(value, str) and "/" in value and "://" not in value and os.path.exists(value):
            note = f"note: {name}={value} is on this machine; pods see it only where a volume brings it."
            notes_console().print(note, markup=False)
    if order.no_cache:
        spec = _rewritten(spec, _without_cache(spec.read_text(encoding="utf-8")), scratch)
    return Job(Path(pipeline).stem, with_settings(spec, settings, scratch), arguments)


def settings_in(kubernetes: Path | None) -> "Settings | None":
    """What a file of settings asks of pods; None without a file.

    Raises:
        InputError: no such file, or a setting that is none.
    """
    if kubernetes is None:
        return None
    from roadsafety_components.kubernetes import read_settings

    return read_settings(kubernetes)


def with_settings(spec: Path, settings: "Settings | None", scratch: Path) -> Path:
    """The spec with what the settings ask of its pods; without settings the spec itself.

    Raises:
        InputError: a setting that does not fit this pipeline.
    """
    if settings is None:
        return spec
    return _rewritten(spec, settings.apply_to_spec(spec.read_text(encoding="utf-8")), scratch)


def _rewritten(spec: Path, text: str, scratch: Path) -> Path:
    target = Path(tempfile.mkdtemp(dir=scratch)) / spec.name
    target.write_text(text, encoding="utf-8")
    return target


def _check_for_pods(data: str) -> None:
    """Refuse data that pods cannot see, and URLs that are too few for the tables."""
    parts = data.split()
    if all(re.match(r"https?://", part) for part in parts):
        if len(parts) < len(TABLES) and "{table}" not in data:
            raise InputError(f"--data {data}: {len(parts)} of {len(TABLES)} tables. Give a URL of each of "
                             f"{', '.join(TABLES)}, with blanks between, or one with {{table}} in the place of the "
                             "name.")  # fmt: skip
        return
    what = "is on this machine, where pods do not see it" if os.path.exists(data) else "is no http(s) URL"
    raise InputError(f"--data {data} {what}. Put the files where the cluster reaches them and give their URLs; or name "
                     "a folder of a mounted volume by --param source=PATH.")  # fmt: skip


def _without_cache(text: str) -> str:
    """The pipeline with every task's cache off, in loops and branches too: kfp's own switch leaves those out."""
    from roadsafety_components.packaging.compiled import parse, readable, tasks

    comments, documents = parse(text)
    for task in tasks(documents[0]):
        task["cachingOptions"] = {}
    return readable(comments, documents)
