"""``roadsafety audit``: known vulnerabilities of what is installed or pinned, without network."""

from pathlib import Path

import typer

from roadsafety_components.core.errors import InputError


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
        typer.echo(f"{known.package} {known.version}: {' '.join(known.ids)}, {fixed}. {known.summary}".rstrip())
    if idle := sorted(set(ignore) - {name for known in result.found for name in known.ids}):
        typer.echo(f"--ignore {' '.join(idle)}: nothing found here goes by that name.")
    ignored = f", {len(result.found) - len(found)} ignored" if len(result.found) > len(found) else ""
    noun = "vulnerability" if len(found) == 1 else "vulnerabilities"
    typer.echo(
        f"{len(packages)} packages, {len(found)} known {noun}{ignored} "
        f"(database of {result.newest[:10]}, {result.entries} entries)"
    )
    if found:
        raise typer.Exit(1)


def _installed() -> dict[str, str]:
    from importlib.metadata import distributions

    return {d.name: d.version for d in distributions()}


def _pinned(files: list[Path]) -> dict[str, str]:
    """Versions by name; every line counts, so that none is passed over in silence."""
    packages: dict[str, str] = {}
    for file in files:
        try:
            text = file.read_text(encoding="utf-8").replace("\\\n", " ")
        except OSError as error:
            raise InputError(f"--requirements {file}: {error.strerror}.") from error
        lines = [line.partition(" #")[0].partition(" --")[0].strip() for line in text.splitlines()]
        pins = dict(_pin(file, line) for line in lines if line and not line.startswith("#"))
        if not pins:
            raise InputError(f"--requirements {file}: no line NAME==VERSION is in it.")
        packages |= pins
    return packages


def _pin(file: Path, line: str) -> tuple[str, str]:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        need = Requirement(line)
    except InvalidRequirement:
        raise InputError(f"--requirements {file}: {line!r} is no line NAME==VERSION.") from None
    exact = [s for s in need.specifier if s.operator == "==" and not s.version.endswith("*")]
    if len(need.specifier) != 1 or not exact:
        raise InputError(f"--requirements {file}: {line!r} gives no exact version, NAME==VERSION, to look up.")
    return need.name, exact[0].version
