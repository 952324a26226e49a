"""Every wheel that the steps and a laptop install, laid out as a package index that any web server can serve."""

import email.parser
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from roadsafety_components._version import __version__
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.files import digest
from roadsafety_components.packaging.images import BASE_IMAGE

# The Python that lightweight steps run in, as the image's name says it.
BASE_PYTHON = BASE_IMAGE.rpartition(":")[2].partition("-")[0]
# The project with all that its commands can use; what only its developers need stays outside.
_EXTRAS = "[docker,serving]"
_PROJECT = f"roadsafety-components{_EXTRAS}=={__version__}"
# Published as source only: plain Python, built here.
_SOURCE_ONLY = ("kfp-server-api",)
# The C library of the stock Python image. Wheels for the oldest there are come first: most machines can use them.
_NEWEST_GLIBC = 36
_MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
_INDEX_PAGE = "<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>\n{links}</body></html>\n"


@dataclass(frozen=True)
class Target:
    """A Python that wheels are for: its version (``3.11``) and platform, as containers call it (``linux/amd64``)."""

    python: str
    platform: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"3\.[0-9]+", self.python):
            raise InputError(f"--python {self.python!r}: write it as 3.11.")
        if self.platform not in _MACHINES:
            raise InputError(f"--platform {self.platform!r}; it can be {' or '.join(_MACHINES)}.")

    @property
    def pip_options(self) -> list[str]:
        """What tells pip to download for it."""
        machine = _MACHINES[self.platform]
        platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(5, _NEWEST_GLIBC + 1)]
        words = ["--only-binary=:all:", "--implementation=cp", f"--python-version={self.python}"]
        return words + [f"--platform={p}" for p in (*platforms, f"manylinux2014_{machine}")]

    def environment(self) -> dict[str, str]:
        """What markers of requirements see there."""
        return {key: str(value) for key, value in default_environment().items()} | {
            "implementation_name": "cpython", "os_name": "posix", "platform_machine": _MACHINES[self.platform],
            "platform_python_implementation": "CPython", "platform_system": "Linux", "sys_platform": "linux",
            "python_version": self.python, "python_full_version": f"{self.python}.0",
        }  # fmt: skip


def write_wheelhouse(folder: Path, packages: Collection[str], targets: Sequence[Target], checkout: Path) -> int:
    """Download and build the wheels of ``packages`` and of the project, and all that these need.

    Args:
        folder: gets ``simple/<name>/<wheel>`` and the pages of the index; whoever serves it has a package index.
        packages: requirements.
        targets: Pythons that the wheels are for.
        checkout: the project's, whose wheel is built and whose constraints.txt says the versions.

    Returns:
        How many wheels.

    Raises:
        InputError: pip cannot get them, or got fewer than are needed, or others than the checkout's requirements/
            know by their hashes.
    """
    with tempfile.TemporaryDirectory() as scratch:
        built, flat = Path(scratch, "built"), Path(scratch, "flat")
        constraint = f"--constraint={checkout / 'constraints.txt'}"
        _pip("wheel", "--no-deps", "--no-cache-dir", constraint, f"--wheel-dir={built}", *_SOURCE_ONLY, str(checkout))
        # The project by its file: an index may have another of that name.
        project = f"{next(built.glob('roadsafety_components-*.whl'))}{_EXTRAS}"
        wanted = [f"--find-links={built}", constraint, project, *sorted(packages)]
        for target in targets:
            _pip("download", f"--dest={flat}", *target.pip_options, *wanted)
            if lost := missing(flat, [_PROJECT, *packages], target):
                raise InputError(
                    f"for Python {target.python} on {target.platform} pip left out {', '.join(lost)}: it downloads for "
                    f"the Python that it runs in. Run this in Python {target.python} on Linux."
                )
        _check_hashes(flat, checkout / "requirements")
        return _write_index(flat, folder / "simple")


def missing(wheels: Path, roots: Sequence[str], target: Target) -> list[str]:
    """Requirements of ``roots``, and of what these need, that no wheel in the folder meets."""
    there = {}
    for path in sorted(wheels.glob("*.whl")):
        name, version, _, _ = parse_wheel_filename(path.name)
        there[name] = version, path
    environment = target.environment()
    lost, seen, waiting = set(), set[tuple[str, frozenset[str]]](), [Requirement(root) for root in roots]
    while waiting:
        requirement = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate(environment):
            continue
        name = canonicalize_name(requirement.name)
        if name not in there or not requirement.specifier.contains(there[name][0], prereleases=True):
            lost.add(str(requirement))
            continue
        if (key := (name, frozenset(requirement.extras))) in seen:
            continue
        seen.add(key)
        for needed in map(Requirement, _requires(there[name][1])):
            extras = ("", *requirement.extras)
            if not needed.marker or any(needed.marker.evaluate(environment | {"extra": e}) for e in extras):
                needed.marker = None
                waiting.append(needed)
    return sorted(lost)


def _requires(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n))
        return email.parser.BytesParser().parsebytes(archive.read(name)).get_all("Requires-Dist", [])


def _pip(*words: str) -> None:
    # A fixed time in what is built: the same source gives the same wheel.
    environment = os.environ | {"SOURCE_DATE_EPOCH": "315532800", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [sys.executable, "-m", "pip", words[0], "--quiet", "--no-input", *words[1:]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines()]
        said = [line for line in lines if line.startswith("ERROR:")] or lines[-1:]
        raise InputError(f"pip {words[0]} failed: {' '.join(said)} Wheels are fetched from the index that pip is set "
                         "up with: is it reached from here?")  # fmt: skip


def _check_hashes(wheels: Path, locks: Path) -> None:
    """Refuse a wheel whose hash is not among those of its version in the lock files."""
    known: dict[tuple[str, str], set[str]] = {}
    for lock in sorted(locks.glob("*.txt")):
        entries = re.findall(r"^([^\s=#]+)==([^\s;]+)[^\n]*((?:\n +--hash=\S+[^\n]*)+)", lock.read_text("utf-8"), re.M)
        for name, version, hashes in entries:
            found = known.setdefault((canonicalize_name(name), version), set())
            found |= set(re.findall(r"--hash=(sha256:[0-9a-f]+)", hashes))
    for path in sorted(wheels.glob("*.whl")):
        name, version, _, _ = parse_wheel_filename(path.name)
        hashes = known.get((name, str(version)))
        if hashes and digest(path) not in hashes:
            raise InputError(f"{path.name} is not the file that requirements/ knows by its hash: it may have been "
                             "tampered with, or the index built it anew. Take it from the original index.")  # fmt: skip


def _write_index(wheels: Path, simple: Path) -> int:
    """Lay the wheels out as PEP 503 says, each link with its hash, which pip checks."""
    by_name: dict[str, list[Path]] = {}
    for path in sorted(wheels.glob("*.whl")):
        by_name.setdefault(parse_wheel_filename(path.name)[0], []).append(path)
    for name, paths in by_name.items():
        (simple / name).mkdir(parents=True)
        links = [(f"{quote(p.name)}#{digest(p).replace(':', '=')}", p.name) for p in paths]
        (simple / name / "index.html").write_text(_page(name, links), encoding="utf-8")
        for path in paths:
            shutil.move(path, simple / name / path.name)
    (simple / "index.html").write_text(_page("simple", [(f"{n}/", n) for n in sorted(by_name)]), encoding="utf-8")
    return sum(map(len, by_name.values()))


def _page(title: str, links: Sequence[tuple[str, str]]) -> str:
    lines = "".join(f'<a href="{html.escape(url)}">{html.escape(text)}</a><br>\n' for url, text in links)
    return _INDEX_PAGE.format(title=html.escape(title), links=lines)
