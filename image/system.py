"""Copy what Python needs of the base image: ``python system.py TARGET PYTHON_ENVIRONMENT``.

The interpreter, its standard library, the shared libraries that these and the installed packages link to, and the few
files that the C library, TLS clients and scanners of images look for. No shell, no package manager, no pip.
"""

import os
import re
import shutil
import ssl
import subprocess
import sys
import sysconfig
from pathlib import Path

# joblib asks it for the number of processor cores, and warns where it is absent.
COMMANDS = ["lscpu"]
FILES = [
    "/etc/passwd",
    "/etc/group",
    "/etc/nsswitch.conf",
    "/etc/debian_version",
    "/etc/ld.so.conf",
    "/usr/lib/os-release",
]
# Tests, windows, terminals, old data bases: they would bring libraries of their own.
NOT_OF_THE_LIBRARY = shutil.ignore_patterns(
    "__pycache__", "site-packages", "dist-packages", "config-*", "ensurepip", "idlelib", "lib2to3", "test", "tests",
    "tkinter", "_tkinter*", "turtledemo", "_curses*", "_dbm*", "_gdbm*", "nis.*", "readline.*",
)  # fmt: skip
ZONES = "/usr/share/zoneinfo"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"


def main(target: Path, environment: Path) -> None:
    """Make the tree at `target`."""
    interpreter = os.path.realpath(sys.executable)
    library = Path(sysconfig.get_path("stdlib"))
    for folder in ("bin", "lib", "lib64", "sbin"):
        if os.path.islink(f"/{folder}"):  # Debian's are links into /usr
            target.joinpath(folder).symlink_to(os.readlink(f"/{folder}"))
    shutil.copytree(library, _inside(target, library), ignore=NOT_OF_THE_LIBRARY, ignore_dangling_symlinks=True)
    programs = [interpreter, *filter(None, map(shutil.which, COMMANDS))]
    dynamic = _inside(target, library).glob("lib-dynload/*.so")
    modules = (path for path in environment.rglob("*.so*") if not path.parent.name.endswith(".libs"))
    binaries = [*programs, *dynamic, *modules]
    copied = [*programs, *_libraries(binaries, environment), *filter(os.path.exists, FILES)]
    for path in copied:
        _inside(target, path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, _inside(target, path))
    if os.path.isdir("/etc/ld.so.conf.d"):
        shutil.copytree("/etc/ld.so.conf.d", target / "etc/ld.so.conf.d")
    subprocess.run(["ldconfig", "-r", target], check=True)
    shutil.rmtree(target / "var/cache", ignore_errors=True)  # inode numbers and times
    _write_packages(target, [str(path) for path in (*copied, library / "os.py", f"{ZONES}/UTC")])
    # pyarrow reads Debian's time zones; in those of the package tzdata, of a shorter form, it sees no summer time.
    shutil.copytree(ZONES, target / ZONES[1:], symlinks=True, ignore=shutil.ignore_patterns("posix", "right"))
    # Certificate authorities are those of the package certifi, also for who does not ask Python (KFP's launcher).
    bundle = next(environment.glob("lib/python3*/site-packages/certifi/cacert.pem"))
    for place in (AUTHORITIES, ssl.get_default_verify_paths().openssl_cafile):
        link = target / place.lstrip("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(bundle)
    target.joinpath("etc/os-release").symlink_to("../usr/lib/os-release")
    target.joinpath("tmp").mkdir()
    target.joinpath("tmp").chmod(0o1777)


def _inside(target: Path, path: str | Path) -> Path:
    """Where a file goes: below its real folder, under its own name."""
    return target / os.path.realpath(os.path.dirname(path)).lstrip("/") / os.path.basename(path)


def _libraries(binaries: list[str | Path], environment: Path) -> list[str]:
    """Shared libraries outside of the environment that the binaries link to, directly or not."""
    found: set[str] = set()
    for binary in binaries:
        answer = subprocess.run(["ldd", binary], capture_output=True, text=True, check=False)
        if (answer.returncode or "not found" in answer.stdout) and Path(binary).is_relative_to(environment):
            sys.exit(f"{binary} lacks a library, or trimming damaged it:\n{answer.stdout}{answer.stderr}")
        found |= set(re.findall(r"(?:=>|^)\s+(/\S+) \(0x", answer.stdout, flags=re.M))
    return sorted(path for path in found if not Path(path).is_relative_to(environment))


def _write_packages(target: Path, paths: list[str]) -> None:
    """Tell scanners which Debian packages the files are from, as images without a package manager do; keep licences."""
    both = {place for path in paths for place in (path, path.removeprefix("/usr"), os.path.realpath(path))}
    answer = subprocess.run(["dpkg-query", "--search", *sorted(both)], capture_output=True, text=True, check=False)
    packages = {name.split(":")[0] for name in re.findall(r"^([\w.+:-]+): /", answer.stdout, flags=re.M)}
    status = target / "var/lib/dpkg/status.d"
    status.mkdir(parents=True)
    for package in sorted(packages):
        told = subprocess.run(["dpkg-query", "--status", package], capture_output=True, check=True).stdout
        status.joinpath(package).write_bytes(told)
        licence = Path(f"/usr/share/doc/{package}/copyright")
        if licence.exists():
            _inside(target, licence).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(licence, _inside(target, licence))


main(Path(sys.argv[1]), Path(sys.argv[2]))
