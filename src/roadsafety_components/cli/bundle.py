"""``roadsafety bundle``: all that a cluster without the internet needs, in one folder."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape


def bundle(
    registry: str = typer.Option(..., help="The cluster's image registry, HOST:PORT or HOST:PORT/folder."),
    output: Path = typer.Option(..., help="Folder to write; not there, empty, or an earlier bundle."),
    index: str = typer.Option("", help="URL of the package index that the cluster's pods reach; its wheels are here."),
    trust_index: bool = typer.Option(
        False, "--trust-index", help="Let pip take packages from an https index whose certificate it cannot check."
    ),
    python: list[str] = typer.Option(
        [], help="Also bring wheels for this Python, 3.12 say, of laptops inside; may be repeated. 3.11 always is."
    ),
    platform: str = typer.Option("linux/amd64", help="Of the cluster's nodes: linux/amd64 or linux/arm64."),
    images: bool = typer.Option(True, "--images/--no-images", help="Bring the container images (needs Docker)."),
    wheels: bool = typer.Option(True, "--wheels/--no-wheels", help="Bring the wheels."),
    serving: bool = typer.Option(
        True, "--serving/--no-serving", help="Bring the image of the serving steps, and the specs that name it."
    ),
) -> None:
    """Write one folder to carry to a cluster without the internet: specs, images, wheels, checksums, a README."""
    from roadsafety_components.core.files import digest
    from roadsafety_components.packaging.bundle import SUMS, write_bundle
    from roadsafety_components.packaging.relocate import Places
    from roadsafety_components.packaging.wheelhouse import BASE_PYTHON, Target

    console = Console(highlight=False, soft_wrap=True)

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        began = time.monotonic()
        with console.status(f"{escape(name)} ..."):
            yield
        console.print(f"[green]ok[/green]    {escape(name):<48} {time.monotonic() - began:6.1f} s")

    began = time.monotonic()
    targets = [Target(version, platform) for version in dict.fromkeys([BASE_PYTHON, *python])]
    write_bundle(output, Places(registry, index, trust_index), targets, images, wheels, serving, stage)
    files = [path for path in output.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    console.print(f"\n{output}: {len(files)} files, {size:.0f} MB, {time.monotonic() - began:.0f} s")
    own = digest(output / SUMS).removeprefix("sha256:")
    console.print(f"{own}  {SUMS} (tell it by another way to who receives the folder)")
    console.print(f"Next: {output / 'README.md'}")
