"""Running a compiled pipeline on this machine by kfp.local, as it stands but for the installs.

The steps' own commands are run, carried source and all. Four things are done that kfp.local leaves undone: nothing
is installed (what is installed already is checked against what the steps ask for), a step's output goes to a log
instead of the screen, a container that failed counts as failed (KFP 2.17's DockerRunner calls it a success), and
loops are completed as loops.py says.
"""

import builtins
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any, TextIO

from kfp import components, local
from kfp.dsl.types.type_utils import is_parameter_type
from kfp.local import docker_task_handler, pipeline_orchestrator, subprocess_task_handler
from packaging.requirements import InvalidRequirement, Requirement

from roadsafety_components.core.errors import EXIT_BAD_INPUT, InputError
from roadsafety_components.packaging.compiled import step_in
from roadsafety_components.packaging.interface import parse_value
from roadsafety_components.packaging.loops import completed_loops, replaced

RUNNERS = ("subprocess", "docker")
# KFP's names of parameter types, and Python's.
_KINDS = {"Integer": "int", "Float": "float", "Boolean": "bool", "List": "list", "Dict": "dict"}
_EXECUTOR = "kfp.dsl.executor_main"
# KFP's install prefix of a lightweight step: these words come before the command proper.
_INSTALL = re.compile(r"pip install .*", re.S)


@dataclass(frozen=True)
class StepRun:
    """A step that has ended.

    Attributes:
        seconds: wall time of the step's process.
        exit_code: 0, 2 for bad input, another for a bug.
        message: what the step said of its failure; empty if it succeeded.
        warnings: lines of its output that begin with WARNING or dropped.
        round: of the loop that it is in, ``3 of 8``; empty if it is in none.
    """

    name: str
    seconds: float
    exit_code: int
    message: str = ""
    warnings: tuple[str, ...] = ()
    round: str = ""

    @property
    def label(self) -> str:
        """The name, with the round if there is one."""
        return f"{self.name} {self.round}".rstrip()


@dataclass
class PipelineRun:
    """A pipeline that has ended: its steps in order, and the artifacts that they left.

    Attributes:
        artifacts: by ``step.artifact``, in a loop ``loop/step.artifact``; each as KFP's executor output has it: name,
            uri, metadata.
    """

    steps: list[StepRun] = field(default_factory=list)
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def failed(self) -> StepRun | None:
        """The step that failed, if one did."""
        return next((s for s in self.steps if s.exit_code), None)


def run_pipeline(
    spec: Path,
    arguments: Mapping[str, Any],
    output: Path,
    log: Path,
    runner: str = "subprocess",
    readable: Sequence[Path] = (),
    started: Callable[[str], None] = lambda name: None,
    ended: Callable[[StepRun], None] = lambda step: None,
) -> PipelineRun:
    """Run a compiled pipeline step by step.

    Args:
        spec: the pipeline's YAML.
        arguments: its parameters.
        output: folder for the artifacts; made if it is not there.
        log: file that everything the steps print is appended to.
        runner: ``subprocess`` (lightweight steps in this Python) or ``docker`` (each step in its container).
        readable: files and folders of this machine that containers may read, at the same path.
        started: called with a step's name, and its round of a loop, when it starts.
        ended: called with each step that has ended.

    Returns:
        What ran. A failed step ends the run; see ``PipelineRun.failed``.

    Raises:
        InputError: a parameter that the pipeline does not have or of the wrong type; a runner that cannot run it; a
            package that a step asks for and that is not installed.
    """
    pipeline = components.load_component_from_file(str(spec))
    check_arguments(pipeline, arguments)
    executors = pipeline.pipeline_spec.deployment_spec["executors"]
    containers = [e["container"] for e in executors.values() if "container" in e]  # an importer has none
    if runner == "subprocess":
        _refuse_containers(containers)
        problems = sorted({p for c in containers for p in unmet(list(c["command"]))})
        if problems:
            raise InputError(f"steps of this pipeline ask for what is not installed here: {'; '.join(problems)}. "
                             "Install it, or use --runner docker.")  # fmt: skip
        chosen: Any = local.SubprocessRunner(use_venv=False)
    else:
        chosen = _docker_runner([c["image"] for c in containers], readable)
    run = PipelineRun()

    muted, one_at_a_time = _Muted(sys.stdout), threading.Lock()

    def record(name: str, round_: str, work: Callable[[IO[str]], int]) -> int:
        label = f"{name} {round_}".rstrip()
        with one_at_a_time, muted.speaking():
            started(label)
        began = time.monotonic()
        # A file of its own: the rounds of a loop run side by side.
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as file:
            try:
                code = work(file)
            finally:
                file.seek(0)
                text = file.read()
                with one_at_a_time, log.open("a", encoding="utf-8") as whole:
                    whole.write(f"\n===== {label}\n{text}")
        warnings = tuple(re.findall(r"^(?:WARNING|dropped): .*", text, re.M))
        step = StepRun(name, time.monotonic() - began, code, _failure(text) if code else "", warnings, round_)
        with one_at_a_time, muted.speaking():
            run.steps.append(step)
            ended(step)
        return code

    output.mkdir(parents=True, exist_ok=True)
    with contextlib.redirect_stdout(muted), _kfp_local(chosen, output, record):
        try:
            pipeline_orchestrator.run_local_pipeline(pipeline.pipeline_spec, dict(arguments))
        except Exception:
            if run.failed is None:  # not a step's failure, which is in the record: ours or KFP's own
                raise
    if run.failed is None:
        run.artifacts = _artifacts(output)
    return run


def check_arguments(pipeline: Any, arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that the pipeline does not take, and a pipeline whose inputs no argument can give."""
    inputs = pipeline.component_spec.inputs or {}
    artifacts = [n for n, i in inputs.items() if not is_parameter_type(i.type)]
    if unknown := sorted(set(arguments) - set(inputs)):
        takes = ", ".join(n for n in inputs if n not in artifacts)
        raise InputError(f"the pipeline has no parameter {', '.join(unknown)}; it has {takes}.")
    lost = sorted(n for n, i in inputs.items() if not i.optional and n not in arguments)
    if barred := [f"{n} ({_artifact(inputs[n].type)})" for n in artifacts if n in lost or n in arguments]:
        what = "are artifacts" if len(barred) > 1 else "is an artifact"
        raise InputError(f"{' and '.join(barred)} {what}, which no --param can give: call this from a pipeline, "
                         "which gets it from another step or from dsl.importer.")  # fmt: skip
    if lost:
        what = "parameters" if len(lost) > 1 else "parameter"
        raise InputError(f"the pipeline needs the {what} {', '.join(lost)}; give --param {lost[0]}=...")


def _artifact(kind: str) -> str:
    """``Dataset`` of ``system.Dataset@0.0.1``."""
    return kind.partition("@")[0].rpartition(".")[2]


def parse_argument(pipeline: Any, name: str, text: str) -> Any:
    """A parameter's value from its text on the command line, in the type that the pipeline declares.

    Raises:
        InputError: no such parameter, or not a value of its type.
    """
    inputs = pipeline.component_spec.inputs or {}
    if name not in inputs:
        raise InputError(f"the pipeline has no parameter {name}; it has {', '.join(inputs)}.")
    return parse_value(_KINDS.get(inputs[name].type, "str"), text, f"parameter {name}")


def unmet(command: list[str]) -> list[str]:
    """What a lightweight step's install prefix asks for and this environment does not have."""
    problems = []
    for text in _requirements(command):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            problems.append(f"{text} (not a name with a version: it cannot be checked here)")
            continue
        if requirement.marker and not requirement.marker.evaluate():
            continue
        try:
            there = version(requirement.name)
        except PackageNotFoundError:
            problems.append(f"{requirement} (not installed)")
            continue
        # The exact pin is for the pod; here another version within the package's own range will do.
        if requirement.name != "kfp" and not _close_enough(requirement, there):
            problems.append(f"{requirement} (here: {there})")
    return problems


def _close_enough(requirement: Requirement, there: str) -> bool:
    if requirement.specifier.contains(there, prereleases=True):
        return True
    pins = [s.version for s in requirement.specifier if s.operator == "=="]
    return len(pins) == 1 and pins[0].split(".")[0] == there.split(".", maxsplit=1)[0]


def _requirements(command: list[str]) -> list[str]:
    if command[:2] != ["sh", "-c"] or not (match := _INSTALL.search(command[2])):
        return []
    return [text for text in re.findall(r"'([^']+)'", match[0]) if not text.startswith("--")]


def without_install(command: list[str]) -> list[str]:
    """A lightweight step's command without KFP's install prefix."""
    return command[3:] if command[:2] == ["sh", "-c"] and _INSTALL.search(command[2]) else command


def _refuse_containers(containers: Sequence[Mapping[str, Any]]) -> None:
    for container in containers:
        if not any(_EXECUTOR in word for word in container["command"]):
            raise InputError(f"this pipeline runs containers (image {container['image']}): use --runner docker, on a "
                             "machine with a Docker engine.")  # fmt: skip


def _docker_runner(images: Sequence[str], readable: Sequence[Path]) -> Any:
    try:
        import docker
        from docker.types import Mount
    except ImportError:
        raise InputError("--runner docker needs: pip install 'roadsafety-components[docker]'") from None
    try:
        with contextlib.closing(docker.from_env()) as client:
            here = {tag for image in client.images.list() for tag in image.tags}
            for image in sorted(set(images) - here):
                try:
                    client.images.pull(image)
                except docker.errors.APIError as error:
                    raise InputError(f"the image {image} is not on this machine and cannot be pulled ({error}). "
                                     "Build it (`make image`), or pull it first.") from error  # fmt: skip
    except docker.errors.DockerException as error:
        raise InputError(f"no Docker engine answers ({error}). Start it, or use --runner subprocess.") from error
    # At the path as given, which may be a link; the engine wants where it leads.
    mounts = [Mount(target=str(p.absolute()), source=str(p.resolve()), type="bind", read_only=True) for p in readable]
    # The user's own id, so that what a step leaves belongs to the user; a home that any id may write to.
    user = f"{os.getuid()}:{os.getgid()}"
    return local.DockerRunner(user=user, environment={"HOME": "/tmp"}, **({"mounts": mounts} if mounts else {}))


class _Muted(io.TextIOBase):
    """A standard output that is silent, but for what a thread says in ``speaking``: rounds of a loop have threads."""

    def __init__(self, screen: TextIO) -> None:
        self._screen, self._here = screen, threading.local()

    @contextlib.contextmanager
    def speaking(self) -> Iterator[None]:
        self._here.speaks = True
        try:
            yield
        finally:
            self._here.speaks = False

    def write(self, text: str) -> int:
        return self._screen.write(text) if getattr(self._here, "speaks", False) else len(text)

    def flush(self) -> None:
        self._screen.flush()

    def isatty(self) -> bool:
        return self._screen.isatty()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._screen.encoding


class _StepFailed(Exception):
    """Ends kfp.local's run; the step is in the record."""


@contextlib.contextmanager
def _kfp_local(
    runner: Any, output: Path, record: Callable[[str, str, Callable[[IO[str]], int]], int]
) -> Iterator[None]:
    """kfp.local set up for one run: its two ways to start a process replaced, and its loops completed."""

    def name_of(command: Sequence[str]) -> str:
        return step_in(command) or Path(command[0]).name

    def subprocess_step(full_command: list[str], env_vars: Mapping[str, str] | None = None) -> int:
        def work(file: IO[str]) -> int:
            command = without_install(full_command)
            environment = {**os.environ, **(env_vars or {})}
            process = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, env=environment, check=False)
            return process.returncode

        return end(record(name_of(full_command), number(), work))

    def docker_step(client: Any, image: str, command: list[str], volumes: Any, **options: Any) -> int:
        def work(file: IO[str]) -> int:
            container = client.containers.run(image=image, command=command, detach=True, volumes=volumes, **options)
            try:
                for line in container.logs(stream=True):
                    file.write(line.decode(errors="replace"))
                return int(container.wait()["StatusCode"])
            finally:
                container.remove(force=True)

        return end(record(name_of(command), number(), work))

    def end(code: int) -> int:
        if code:
            raise _StepFailed
        return code

    before = local.config.LocalExecutionConfig.instance
    # A fresh workspace: kfp.local deletes the one it is given after every run.
    with (
        tempfile.TemporaryDirectory() as scratch,
        completed_loops() as number,
        replaced(subprocess_task_handler, "run_local_subprocess", subprocess_step),
        replaced(docker_task_handler, "run_docker_container", docker_step),
        replaced(builtins, "print", print),  # kfp.local indents it, and rounds of a loop restore each other's
    ):
        local.init(
            runner, pipeline_root=str(output.resolve()), workspace_root=str(Path(scratch, "workspace")),
            raise_on_error=True,
        )  # fmt: skip
        try:
            yield
        finally:
            local.config.LocalExecutionConfig.instance = before


def _failure(text: str) -> str:
    """What a failed step said: its input error, or the last lines."""
    if found := re.findall(r"^Input error: .*", text, re.M):
        return str(found[-1])
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-3:])


def _artifacts(output: Path) -> dict[str, dict[str, Any]]:
    """What the newest run in ``output`` left, from each step's executor output."""
    newest = max((p for p in output.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime)
    found = {}
    for path in sorted(newest.rglob("executor_output.json"), key=lambda p: p.stat().st_mtime):
        step = path.parent.relative_to(newest).as_posix()  # within a loop: loop/step
        for name, listed in json.loads(path.read_text()).get("artifacts", {}).items():
            for number, artifact in enumerate(listed["artifacts"]):
                found[f"{step}.{name}" + (f"[{number}]" if number else "")] = artifact
    return found


def exit_code(run: PipelineRun) -> int:
    """Exit code of a run: 0, 2 if a step refused its input, 1 if one broke."""
    if run.failed is None:
        return 0
    return EXIT_BAD_INPUT if run.failed.exit_code == EXIT_BAD_INPUT else 1
