"""Container images as files: named for another registry, checked, the same bytes for the same image."""

import gzip
import json
import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path

from roadsafety_components.core.errors import InputError

# Run in an image: the digest of the code that each of its steps runs, and its bills of materials.
_INSIDE = """
import json, pathlib
from roadsafety_components.components import STEPS
from roadsafety_components.packaging.carry import code_digest
from roadsafety_components.packaging.interface import function_of
print(json.dumps({
    "code": {name: code_digest(function_of(step)) for name, step in STEPS.items()},
    "sbom": {path.name: path.read_text() for path in pathlib.Path("/sbom").glob("*.json")},
}))
"""


def image_id(name: str, platform: str) -> str:
    """The id of an image on this machine, ``sha256:<hex>`` of its configuration.

    Raises:
        InputError: no Docker engine, no such image, or one for another platform.
    """
    found = json.loads(_docker("image", "inspect", name, wanted=name))[0]
    if (there := f"{found['Os']}/{found['Architecture']}") != platform:
        raise InputError(
            f"the image {name} is for {there}, not {platform}: build it for {platform}, or give --platform."
        )
    return str(found["Id"])


def check_inside(image: str, code: Collection[tuple[str, str]]) -> dict[str, str]:
    """Look into an image of the project.

    Args:
        image: its name.
        code: (step, digest) of what specs that name the image were compiled from.

    Returns:
        The image's bills of materials, text by file name.

    Raises:
        InputError: it holds other code, so that its steps would refuse to run.
    """
    command = ("run", "--rm", "--network=none", "--pull=never", "--entrypoint=python", image, "-c", _INSIDE)
    found = json.loads(_docker(*command, wanted=image))
    if other := sorted(step for step, digest in code if found["code"].get(step) != digest):
        raise InputError(f"the image {image} holds other code than the specs name for {', '.join(other[:3])}"
                         f"{' and more' if len(other) > 3 else ''}: make both from one version (`make image`, "
                         "`roadsafety specs write`).")  # fmt: skip
    return dict(found["sbom"])


def save(image: str, name: str, archive: Path) -> None:
    """Write an image under another name to a gzipped archive, as ``docker load`` takes it."""
    before = _find(name)
    _docker("tag", image, name, wanted=image)
    try:
        with subprocess.Popen(["docker", "save", name], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            # No time and no file name in it. The lowest level: three times as fast for an eighth more of bytes.
            with open(archive, "wb") as raw, gzip.GzipFile("", "wb", 1, raw, mtime=0) as file:
                shutil.copyfileobj(process.stdout, file, 1 << 20)
        if process.returncode:
            raise InputError(f"the Docker engine could not save {image}: has its disk space left?")
    finally:  # the engine's names are as they were
        if before:
            _docker("tag", before, name, wanted=before)
        else:
            _docker("image", "rm", name, wanted=name)


def _find(name: str) -> str:
    """The id of what has that name now; empty if nothing has."""
    return _docker("image", "ls", "--quiet", "--no-trunc", name, wanted=name).strip()


def _docker(*words: str, wanted: str) -> str:
    try:
        done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise InputError("there is no `docker` on this machine to save images with; install it, or leave the images "
                         "out (--no-images).") from None  # fmt: skip
    if done.returncode:
        raise InputError(_reason(done.stderr, wanted))
    return done.stdout


def _reason(said: str, image: str) -> str:
    if "No such image" in said:
        return (
            f"there is no image {image} on this machine: build it (`make image`), `docker pull` what is published, or "
            "leave it out (--no-serving, --no-images)."
        )
    if "daemon" in said:
        return f"no Docker engine answers; start it, or leave the images out (--no-images). {said.splitlines()[0]}"
    return f"docker cannot use {image}: {' '.join(said.split())}"
