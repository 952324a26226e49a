"""Where raw files come from: a folder, single files, URLs; plain, gzipped or zipped as published."""

import gzip
import io
import os
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.fetch import fetch, safe_name, shown
from roadsafety_components.core.schema import TABLES

_SUFFIXES = (".csv", ".gz", ".zip")


@contextmanager
def open_sources(source: str, allow_private_addresses: bool = False) -> Iterator[list[Path]]:
    """The files that ``source`` names, as local paths for the time of the block.

    Args:
        source: a folder (its CSV, gzip and zip files); or files and http(s) URLs separated by blanks, in which
            ``{table}`` stands for each of collision, vehicle and casualty.
        allow_private_addresses: whether a URL's server may be in a private network or on this machine.

    Raises:
        InputError: nothing there, or a URL that could not be fetched.
    """
    folder = Path(source).expanduser()  # os.path bears a text too long for a path
    if os.path.exists(folder) and not os.access(folder, os.R_OK):
        raise InputError(f"{source} may not be read by this user (id {os.getuid()}).")
    if "://" not in source and "{table}" not in source and os.path.isdir(folder):
        paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES and not p.name.startswith("."))
        if not paths:
            raise InputError(f"the folder {source} holds no {', '.join(_SUFFIXES)} file. Put the collision, vehicle "
                             "and casualty files there.")  # fmt: skip
        yield paths
        return
    parts = [p.replace("{table}", t) for p in source.split() for t in (TABLES if "{table}" in p else TABLES[:1])]
    if "://" not in source and "{table}" not in source and os.path.isfile(folder):
        parts = [source]
    with tempfile.TemporaryDirectory() as downloads:
        yield [_local(part, Path(downloads, str(i)), allow_private_addresses) for i, part in enumerate(parts)]


def _local(part: str, downloads: Path, allow_private_addresses: bool) -> Path:
    if re.match(r"https?://", part):
        target = downloads / safe_name(unquote(shown(part).partition("?")[0].rstrip("/").rpartition("/")[2]))
        fetch(part, target, allow_private_addresses=allow_private_addresses)
        return target
    if "://" in part:
        raise InputError(f"{shown(part)}: only http and https URLs can be read here. For object storage give the "
                         "files as artifacts: dsl.importer(artifact_uri=...).")  # fmt: skip
    path = Path(part).expanduser()
    if not os.path.isfile(path):
        raise InputError(f"there is no file or folder {part}.")
    return path


def read_bytes(path: Path) -> bytes:
    """A file's text as bytes, unpacked if it is gzip or zip: told by its first bytes, not by its name.

    Raises:
        InputError: a damaged archive, a zip without exactly one CSV, or an archive that unpacks to over 50 times its
            size (tables pack to a fifth), which may be made to fill the memory.
    """
    try:
        content = path.read_bytes()
        read: Callable[[int], bytes]
        if content.startswith(b"\x1f\x8b"):
            read = gzip.GzipFile(fileobj=io.BytesIO(content)).read
        elif content.startswith((b"PK\3\4", b"PK\5\6")):
            archive = zipfile.ZipFile(io.BytesIO(content))
            held = archive.namelist()
            names = [n for n in held if n.lower().endswith(".csv") and "__MACOSX" not in n]
            if len(names) != 1:
                raise InputError(f"{path.name}: a zip with one CSV was expected; it holds {held[:5]!s:.200}.")
            read = archive.open(names[0]).read
        else:
            return content
        blocks = [read(1 << 24) for _ in range(2 + (50 * len(content) >> 24))]
    except InputError:
        raise
    except PermissionError:
        raise InputError(f"{path} may not be read by this user (id {os.getuid()}).") from None
    except Exception as error:  # each packing has its own
        why = str(error)[:99]
        raise InputError(f"{path.name}: the archive is damaged or cut short ({why}). Download it again.") from error
    if blocks[-1]:
        raise InputError(f"{path.name}: the archive unpacks to over 50 times its size; give the CSV itself.")
    return b"".join(blocks)
