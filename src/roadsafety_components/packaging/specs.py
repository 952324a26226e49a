"""component_specs/: every step and pipeline as YAML that people can read, and the check that it is current."""

import ast
import hashlib
import importlib.util
import json
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import kfp
from kfp import compiler
from kfp.dsl import graph_component

from roadsafety_components._version import __version__
from roadsafety_components.core.errors import InputError
from roadsafety_components.packaging.compiled import containers, parse, readable
from roadsafety_components.packaging.interface import Port, interface_of
from roadsafety_components.packaging.paths import pipelines_folder

# A process argument ends at 131,071 bytes, and the driver gets the container's spec JSON-escaped as one argument.
MOST_SOURCE_BYTES = 48_000
# The cluster's store ends near 1.5 MB.
MOST_PIPELINE_BYTES = 1_000_000


@dataclass(frozen=True)
class Library:
    """What there is to compile: the steps by name in both packagings, and how far each may be relied on."""

    lightweight: Mapping[str, Any]
    container: Mapping[str, Any]
    stability: Mapping[str, str]


def write_specs(folder: Path, library: Library) -> list[Path]:
    """Compile everything into ``folder``; files there that no step or pipeline makes any more are removed.

    Returns:
        The files, catalogue last.

    Raises:
        ValueError: an interface broke without a new major version, or a spec broke a limit.
    """
    files, catalog = _compile_steps(library)
    _refuse(_limits(files) + breaking_changes(_catalog_in(folder), catalog))
    _write(folder, files)  # before the pipelines: one of them is made of these files
    pipelines, entries = _compile_pipelines()
    _refuse(_limits(pipelines))
    files |= pipelines
    files["catalog.json"] = catalog_text(catalog | entries)
    for stale in _ours(folder) - set(files):  # what this command wrote there before, nothing else
        (folder / stale).unlink(missing_ok=True)
    _write(folder, files)
    return [folder / name for name in files]


def check_specs(folder: Path, library: Library) -> list[str]:
    """What is wrong with the specs in ``folder``, a line a problem; empty when they are current and within limits."""
    files, catalog = _compile_steps(library)
    pipelines, entries = _compile_pipelines()
    files, catalog = files | pipelines, catalog | entries
    problems = _limits(files) + breaking_changes(_catalog_in(folder), catalog)
    there = _relative_files(folder)
    theirs = _sdk_version(folder)
    for name, text in files.items():
        if name not in there:
            problems.append(f"{name}: not there; run `roadsafety specs write`.")
        elif _with_sdk(text, theirs) != (folder / name).read_text(encoding="utf-8"):
            problems.append(f"{name}: differs from what the source compiles to; run `roadsafety specs write`.")
    problems += [f"{name}: nothing makes this file any more." for name in set(there) - set(files) - {"catalog.json"}]
    if theirs == kfp.__version__ and "catalog.json" in there and _catalog_in(folder) != catalog:
        problems.append("catalog.json: differs from the steps; run `roadsafety specs write`.")
    if "catalog.json" not in there:
        problems.append("catalog.json: not there; run `roadsafety specs write`.")
    return problems


def compile_readable(component: Any) -> str:
    """A step's or pipeline's YAML: the compiler's own IR, with texts of several lines as literal blocks."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "spec.yaml")
        compiler.Compiler().compile(component, str(path))
        text = path.read_text(encoding="utf-8")
    comments, documents = parse(text)
    return readable("".join(map(_ordered, comments.splitlines(keepends=True))), documents)


def _ordered(comment: str) -> str:
    """The comment with the entries of a dict that is a default sorted: the compiler has them in any order."""
    default = re.search(r"\[Default: (\{.+\})\]$", comment)
    if not default:
        return comment
    entries = sorted(ast.literal_eval(default[1]).items())
    return comment[: default.start(1)] + repr(dict(entries)) + comment[default.end(1) :]


def load_pipeline_module(path: Path) -> ModuleType:
    """Import a pipeline's file as ``kfp dsl compile --py`` does: with its folder on the path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} cannot be imported.")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


def pipeline_in(path: Path) -> Any:
    """The pipeline that a Python file defines: the one called as the file, else the only one.

    Raises:
        InputError: it defines none, or several and none called as the file.
    """
    module = load_pipeline_module(path)
    defined = {n: p for n, p in vars(module).items() if isinstance(p, graph_component.GraphComponent)}
    if path.stem in defined:
        return defined[path.stem]
    if not defined:
        raise InputError("it defines no pipeline (@dsl.pipeline).")
    if len(defined) != 1:
        raise InputError(f"it defines {len(defined)} pipelines ({', '.join(defined)}); call one {path.stem}.")
    return next(iter(defined.values()))


def breaking_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Interface changes that need a new major version and have none, a line each."""
    if not old or old["version"].split(".")[0] != new["version"].split(".")[0]:
        return []
    after = {(s["name"], s["packaging"]): s for s in new["steps"]}
    problems = []
    for step in old["steps"]:
        where = f"{step['name']} ({step['packaging']})"
        if (now := after.get((step["name"], step["packaging"]))) is None:
            problems.append(f"{where}: removed.")
            continue
        for side in ("inputs", "outputs"):
            before, current = ({p["name"]: p for p in s[side]} for s in (step, now))
            for name, port in before.items():
                if name not in current:
                    problems.append(f"{where}: {side[:-1]} {name} was removed or renamed.")
                elif current[name]["type"] != port["type"]:
                    problems.append(f"{where}: {side[:-1]} {name} was {port['type']}, is {current[name]['type']}.")
                elif current[name].get("required") and not port.get("required"):
                    problems.append(f"{where}: input {name} has become required.")
            for name in current.keys() - before.keys():
                if current[name].get("required"):
                    problems.append(f"{where}: new required input {name}.")
    return [f"{p} Such a change needs a new major version." for p in problems]


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ValueError("\n".join(problems))


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def catalog_text(catalog: dict[str, Any]) -> str:
    """What catalog.json says."""
    return json.dumps(catalog, indent=2) + "\n"


def _compile_steps(library: Library) -> tuple[dict[str, str], dict[str, Any]]:
    """Every step's text by its path in the folder, and the steps' part of the catalogue."""
    files: dict[str, str] = {}
    steps = []
    for packaging, prefix in (("lightweight", ""), ("container", "container/")):
        for name, step in getattr(library, packaging).items():
            text = files[f"{prefix}{name}.yaml"] = compile_readable(step)
            interface = interface_of(library.lightweight[name])
            steps.append({
                "name": name,
                "version": __version__,
                "packaging": packaging,
                "stability": library.stability[name],
                "spec": f"{prefix}{name}.yaml",
                "digest": _digest(text),
                "image": step.component_spec.implementation.container.image,
                "description": interface.description,
                "inputs": [_entry(p) | _need(p) for p in interface.inputs],
                "outputs": [_entry(p) for p in interface.outputs],
            })  # fmt: skip
    return files, {"version": __version__, "kfp": kfp.__version__, "steps": steps}


def _compile_pipelines() -> tuple[dict[str, str], dict[str, Any]]:
    """Every pipeline's text by its path in the folder, and the pipelines' part of the catalogue."""
    files: dict[str, str] = {}
    pipelines = []
    for path in sorted((pipelines_folder() or Path("/dev/null")).glob("*_pipeline.py")):
        pipeline = pipeline_in(path)
        text = files[f"pipelines/{path.stem}.yaml"] = compile_readable(pipeline)
        about = " ".join((pipeline.description or "").split())
        spec = f"pipelines/{path.stem}.yaml"
        pipelines.append({"name": path.stem, "spec": spec, "digest": _digest(text), "description": about})
    return files, {"pipelines": pipelines}


def _entry(port: Port) -> dict[str, Any]:
    return {"name": port.name, "type": port.kind, "description": port.description}


def _need(port: Port) -> dict[str, Any]:
    """Whether an input must be given, else a parameter's default."""
    if port.required:
        return {"required": True}
    return {} if port.is_artifact else {"default": port.default}


def _digest(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _limits(files: dict[str, str]) -> list[str]:
    problems = []
    for name, text in files.items():
        if not text.isascii():
            strange = next(c for c in text if not c.isascii())
            problems.append(f"{name}: holds {strange!r}; some clusters' databases refuse text that is not ASCII.")
        if name.startswith("pipelines/"):
            if (size := len(text.encode())) > MOST_PIPELINE_BYTES:
                problems.append(f"{name}: {size} bytes; a pipeline may have {MOST_PIPELINE_BYTES}.")
        elif (size := source_bytes(text)) > MOST_SOURCE_BYTES:
            problems.append(f"{name}: its source is {size} bytes JSON-escaped; a step may have {MOST_SOURCE_BYTES}.")
    return problems


def source_bytes(spec: str) -> int:
    """Size of a step's source as the cluster passes it on: the last word of its command, JSON-escaped."""
    _, (pipeline, *_) = parse(spec)
    return max(len(json.dumps(container["command"][-1])) for container in containers(pipeline).values())


def _relative_files(folder: Path) -> list[str]:
    found = [p for pattern in ("*.yaml", "*.json") for p in folder.rglob(pattern)]
    return sorted(p.relative_to(folder).as_posix() for p in found)


def _ours(folder: Path) -> set[str]:
    """Files that the folder's catalogue lists."""
    catalog = _catalog_in(folder)
    return {entry["spec"] for kind in ("steps", "pipelines") for entry in catalog.get(kind, [])}


def _catalog_in(folder: Path) -> dict[str, Any]:
    """The folder's catalogue; empty where there is none.

    Raises:
        ValueError: a catalog.json of something else.
    """
    path = folder / "catalog.json"
    if not path.is_file():
        return {}
    catalog = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(catalog, dict) or "version" not in catalog or "steps" not in catalog:
        raise ValueError(f"{path} is not a catalogue of these specs; choose another folder.")
    return catalog


def _sdk_version(folder: Path) -> str:
    return str(_catalog_in(folder).get("kfp", kfp.__version__))


def _with_sdk(text: str, version: str) -> str:
    """The text as another SDK version would have written it: two strings differ."""
    text = text.replace(f"kfp=={kfp.__version__}", f"kfp=={version}")
    return re.sub(rf"^sdkVersion: kfp-{re.escape(kfp.__version__)}$", f"sdkVersion: kfp-{version}", text, flags=re.M)
