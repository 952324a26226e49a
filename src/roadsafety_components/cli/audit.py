"""``roadsafety audit``: known vulnerabilities of what is installed or pinned, without network."""

import importlib.metadata
import re
from pathlib import Path

import typer

from roadsafety_components.core.errors import InputError

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")


def audit(
    database: Path = typer.Option(..., help="Copy of the OSV database for PyPI: all.zip of osv.dev, or a folder."),
    requirements: list[Path] = typer.Option(
        [], help="File of pins (NAME==VERSION) in place of what is installed here."
    ),
    ignore: list[str] = typer.Option([], metavar="ID", help="An identifier that was looked at and does not matter."),
) -> None:
    """Name known vulnerabilities of the packages installed here; exit code 1 if there are any."""
    from roadsafety_components.packaging import osv

    packages = _pinned(requirements) if requirements else _installed()
    result = osv.audit(packages, database)
    found = [v for v in result.found if not set(v.ids) & set(ignore)]
    for known in found:
        fixed = f"fixed in {', '.join(known.fixed)}" if known.fixed else "no fixed version"
        typer.echo(f"{known.package} {known.version}: {' '.join(known.ids)}, {fixed}. {known.summary}")
    ignored = f", {len(result.found) - len(found)} ignored" if len(result.found) > len(found) else ""
    typer.echo(
        f"{len(packages)} packages, {len(found)} known vulnerabilities{ignored} "
        f"(database of {result.newest[:10]}, {result.entries} entries)"
    )
    if found:
        raise typer.Exit(1)


def _installed() -> dict[str, str]:
    return {d.name: d.version for d in importlib.metadata.distributions()}


def _pinned(files: list[Path]) -> dict[str, str]:
    packages: dict[str, str] = {}
    for file in files:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise InputError(f"--requirements {file}: {error.strerror}.") from error
        pins = {match[1]: match[2] for line in lines if (match := _PIN.match(line))}
        if not pins:
            raise InputError(f"--requirements {file}: no line NAME==VERSION is in it.")
        packages |= pins
    return packages
