"""Known vulnerabilities of packages, from a copy of the OSV database: no network."""

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from roadsafety_components.core.errors import InputError


@dataclass(frozen=True)
class Vulnerability:
    """An entry of the database that a package's version falls under.

    Attributes:
        ids: its own identifier, then its aliases (GHSA, CVE, PYSEC).
        fixed: versions that are said to be free of it; empty where none is.
    """

    package: str
    version: str
    ids: tuple[str, ...]
    fixed: tuple[str, ...]
    summary: str


@dataclass(frozen=True)
class Audit:
    """What the database knows of some packages.

    Attributes:
        entries: how many entries the database has.
        newest: the time of the last change in it, RFC 3339.
    """

    found: tuple[Vulnerability, ...]
    entries: int
    newest: str


def audit(packages: Mapping[str, str], database: Path) -> Audit:
    """Look packages up.

    Args:
        packages: versions by name.
        database: entries in the OSV schema (https://ossf.github.io/osv-schema/), one JSON file each, in a zip (osv.dev
            publishes ``PyPI/all.zip``) or in a folder.

    Returns:
        What was found, by package; one line for several entries that are aliases of each other.

    Raises:
        InputError: no such database, an entry in it that cannot be read, or a package's version that is none.
    """
    wanted: dict[str, str] = {canonicalize_name(name): version for name, version in packages.items()}
    if odd := [f"{name} {version}" for name, version in wanted.items() if not _is_version(version)]:
        raise InputError(f"{odd[0]}: that is no version that can be compared (PEP 440).")
    found: list[Vulnerability] = []
    entries, newest = 0, ""
    for name, text in _files(database):
        try:
            entry = json.loads(text)
            entries, newest = entries + 1, max(newest, entry["modified"])
            found += _of_entry(entry, wanted)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{database}: {name} is not an entry of the OSV database ({error}).") from error
    if not entries:
        raise InputError(f"{database}: no entry of the OSV database is in it. PyPI's part is published by osv.dev as "
                         "PyPI/all.zip.")  # fmt: skip
    return Audit(tuple(_without_aliases(found)), entries, newest)


def _files(database: Path) -> Iterator[tuple[str, bytes]]:
    if database.is_dir():
        yield from ((p.name, p.read_bytes()) for p in sorted(database.glob("*.json")))
        return
    try:
        with zipfile.ZipFile(database) as archive:
            for name in sorted(n for n in archive.namelist() if n.endswith(".json")):
                yield name, archive.read(name)
    except (OSError, zipfile.BadZipFile) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{database}: a zip or folder with the OSV database was expected ({why}).") from error


def _of_entry(entry: Mapping[str, Any], wanted: Mapping[str, str]) -> list[Vulnerability]:
    if entry.get("withdrawn"):
        return []
    found = {}
    for affected in entry.get("affected", []):
        package = affected.get("package", {})
        name = canonicalize_name(package.get("name", ""))
        if package.get("ecosystem") != "PyPI" or name not in wanted or not _affects(affected, wanted[name]):
            continue
        ids = (entry["id"], *entry.get("aliases", []))
        found[name] = Vulnerability(name, wanted[name], ids, _fixed(affected), _summary(entry))
    return list(found.values())


def _affects(affected: Mapping[str, Any], version: str) -> bool:
    """Whether a version is listed, or within a range: the specification's own evaluation."""
    if version in affected.get("versions", []):
        return True
    here = Version(version)
    for events in _ranges(affected):
        inside = False
        for kind, at in sorted(events, key=lambda event: (_version(event[1]), event[0] == "introduced")):
            if kind == "introduced" and here >= _version(at):
                inside = True
            elif (kind == "fixed" and here >= _version(at)) or (kind == "last_affected" and here > _version(at)):
                inside = False
        if inside:
            return True
    return False


def _ranges(affected: Mapping[str, Any]) -> list[list[tuple[str, str]]]:
    ranges = [r for r in affected.get("ranges", []) if r["type"] == "ECOSYSTEM"]
    return [[pair for event in r["events"] for pair in event.items()] for r in ranges]


def _version(text: str) -> Version:
    return Version(text if _is_version(text) else "0")  # from before versions had to be comparable


def _is_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def _fixed(affected: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted({at for r in _ranges(affected) for kind, at in r if kind == "fixed"}, key=_version))


def _summary(entry: Mapping[str, Any]) -> str:
    text = entry.get("summary") or entry.get("details") or ""
    return next((line.strip("# ") for line in text.splitlines() if line.strip()), "")


def _without_aliases(found: list[Vulnerability]) -> list[Vulnerability]:
    """Each thing once: GHSA and PYSEC entries of the same CVE name each other."""
    kept: list[Vulnerability] = []
    for one in sorted(found, key=lambda v: (v.package, v.ids)):
        if not any(k.package == one.package and set(k.ids) & set(one.ids) for k in kept):
            kept.append(one)
    return kept
