"""What `pip install` needs inside a container to find its packages as it does on this machine.

Nothing is assumed: what pip itself reports as its configuration here, and the usual environment variables, decide. On a
machine with no settings of its own every function returns empty values, and a container behaves as it always does.

There are two ways in:

- the stand-in base image (make_base_image.sh) carries them as /etc/pip.conf and the system's certificates, so a
  `docker build` or a step run by KFP needs no argument at all. Package folders on this machine are left out: they can
  hold gigabytes, and a build sees no folder of its host;
- the functions below pass them, and those folders read-only, to one container on any image.
"""

from __future__ import annotations

import ast
import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

if TYPE_CHECKING:
    from docker.types import Mount

# pip's options that say where packages come from and how to reach them. Others (a target folder, a log, a constraint
# file, ...) are about the host's own installations.
_SOURCES = ("index-url", "extra-index-url", "find-links")
_REACH = ("no-index", "trusted-host", "proxy", "timeout", "default-timeout", "retries", "disable-pip-version-check")
_CERTIFICATE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@functools.cache
def pip_options() -> dict[str, str]:
    """Return the options in force for `pip install` here by their long name, whichever file or variable set them."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    found: dict[tuple[str, str], str] = {}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.partition(".")
        # A list of values stands on lines of its own in a file and on one line in a variable; pip splits both.
        found[section, option] = " ".join(str(ast.literal_eval(value)).split())
    in_pips_order = ("global", "install", ":env:")
    options = {option: found[s, option] for s in in_pips_order for section, option in found if section == s}
    return {option: value for option, value in options.items() if option in (*_SOURCES, *_REACH, "cert")}


def environment() -> dict[str, str]:
    """Return the environment variables of a container whose pip shall work as it does here."""
    names = [*_CERTIFICATE_VARIABLES, *_PROXY_VARIABLES, *(name.lower() for name in _PROXY_VARIABLES)]
    variables = {name: os.environ[name] for name in names if os.environ.get(name)}
    return variables | {f"PIP_{name.upper().replace('-', '_')}": value for name, value in pip_options().items()}


def folders_and_files() -> list[str]:
    """Return the paths that `environment` names on this machine, which a container must see under the same name."""
    options = pip_options()
    certificates = [options.get("cert", ""), *(os.environ.get(name, "") for name in _CERTIFICATE_VARIABLES)]
    paths = {Path(value) for value in certificates if value}
    for name in _SOURCES:
        folders = filter(None, map(_folder, options.get(name, "").split()))
        # The pages of an index usually link to files beside it (../../files/), so its parent goes along.
        paths |= {f if name == "find-links" or f.parent == Path("/") else f.parent for f in folders}
    # What is absent stays absent: the engine would make an empty folder of that name, on the host too.
    paths = {path for path in paths if path.is_absolute() and path.exists()}
    return sorted(str(path) for path in paths if not paths & set(path.parents))


def command_line_arguments() -> list[str]:
    """Return the settings as arguments of `docker run`."""
    variables = [f"--env={name}={value}" for name, value in environment().items()]
    return variables + [f"--volume={path}:{path}:ro" for path in folders_and_files()]


def docker_py_arguments() -> dict[str, Any]:
    """Return the settings as keyword arguments of docker-py's `containers.run`."""
    return {
        "environment": environment(),
        "volumes": {path: {"bind": path, "mode": "ro"} for path in folders_and_files()},
    }


def kfp_runner_arguments() -> dict[str, Any]:
    """Return the settings as keyword arguments of `kfp.local.DockerRunner`, which refuses `volumes`.

    A task that sets an environment variable of its own replaces the whole `environment` given here.
    """
    from docker.types import Mount

    mounts: list[Mount] = [Mount(path, path, type="bind", read_only=True) for path in folders_and_files()]
    return {"environment": environment(), "mounts": mounts}


def write_image_files(root: Path) -> None:
    """Write under `root` what an image needs in its file system to have the settings without any argument."""
    options = pip_options()
    kept = {name: options[name] for name in _REACH if name in options}
    for name in _SOURCES:
        if remote := [place for place in options.get(name, "").split() if _folder(place) is None]:
            kept[name] = " ".join(remote)
    bundles = (options.get("cert", ""), *(os.environ.get(name, "") for name in _CERTIFICATE_VARIABLES[:3]))
    if bundle := next((path for path in map(Path, filter(None, bundles)) if path.is_file()), None):
        # Put where Debian's own bundle is, so that more than pip trusts the same certificates.
        kept["cert"] = "/etc/ssl/certs/ca-certificates.crt"
        target = root / "etc/ssl/certs/ca-certificates.crt"
        target.parent.mkdir(parents=True)
        shutil.copyfile(bundle, target)
    if kept:
        (root / "etc").mkdir(exist_ok=True)
        lines = [f"{name} = {value}\n" for name, value in sorted(kept.items())]
        (root / "etc/pip.conf").write_text("".join(["[global]\n", *lines]), encoding="utf-8")


def _folder(place: str) -> Path | None:
    """Return the folder on this machine that a package source stands for, or None when it is somewhere else."""
    url = urlsplit(place)
    if url.scheme == "file":
        return Path(url2pathname(url.path))
    return Path(place) if Path(place).is_absolute() else None


if __name__ == "__main__":
    write_image_files(Path(sys.argv[1]))
