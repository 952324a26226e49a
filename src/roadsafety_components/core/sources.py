"""Where raw files come from: a folder, single files, URLs; plain, gzipped or zipped as published."""

import gzip
import os
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.schema import TABLES
from roadsafety_components.core.store import replacing

_SUFFIXES = (".csv", ".gz", ".zip")


@contextmanager
def open_sources(source: str) -> Iterator[list[Path]]:
    """The files that ``source`` names, as local paths for the time of the block.

    Args:
        source: a folder (its CSV, gzip and zip files); or files and http(s) URLs separated by blanks, in which
            ``{table}`` stands for each of collision, vehicle and casualty.

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
        yield [_local(part, Path(downloads, str(i))) for i, part in enumerate(parts)]


def _local(part: str, downloads: Path) -> Path:
    if re.match(r"https?://", part):
        target = downloads / part.partition("?")[0].rstrip("/").rpartition("/")[2]
        fetch(part, target)
        return target
    if "://" in part:
        raise InputError(f"{part}: only http and https URLs can be read here. For object storage give the files as "
                         "artifacts: dsl.importer(artifact_uri=...).")  # fmt: skip
    path = Path(part).expanduser()
    if not os.path.isfile(path):
        raise InputError(f"there is no file or folder {part}.")
    return path


def fetch(url: str, target: Path, attempts: int = 4, stall_seconds: float = 30.0, wait_seconds: float = 1.0) -> None:
    """Download a URL to a file: retried with growing waits, whole or not at all.

    Args:
        attempts: how often to try before giving up; what cannot get better (4xx) is not tried again.
        stall_seconds: how long the server may say nothing.
        wait_seconds: first wait between tries, doubled each time, 30 at most.

    Raises:
        InputError: with the last reason.
    """
    import httpx
    import tenacity

    def worth_retrying(error: BaseException) -> bool:
        if isinstance(error, httpx.HTTPStatusError):
            return error.response.status_code >= 500 or error.response.status_code in (408, 425, 429)
        return isinstance(error, httpx.TransportError)

    def say(state: tenacity.RetryCallState) -> None:
        reason = state.outcome.exception() if state.outcome else None
        print(f"{url}: try {state.attempt_number} of {attempts} failed ({_reason(reason)})", flush=True)

    @tenacity.retry(
        retry=tenacity.retry_if_exception(worth_retrying),
        stop=tenacity.stop_after_attempt(attempts),
        wait=tenacity.wait_exponential(multiplier=wait_seconds, max=30),
        after=say,
        reraise=True,
    )
    def once() -> None:
        timeout = httpx.Timeout(stall_seconds, connect=min(10.0, stall_seconds))
        with (
            httpx.stream("GET", url, timeout=timeout, follow_redirects=True) as response,
            replacing(target) as (draft,),
            draft.open("wb") as file,
        ):
            response.raise_for_status()
            for block in response.iter_bytes(1 << 20):
                file.write(block)

    try:
        once()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise InputError(f"could not fetch {url}: {_reason(error)}. Check the address and the network, or download "
                         "the file and give its folder.") from error  # fmt: skip


def _reason(error: BaseException | None) -> str:
    """A short reason; httpx leaves some of its messages empty."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return f"HTTP status {status}" if status else f"{type(error).__name__} {error}".strip()


def read_bytes(path: Path) -> bytes:
    """A file's text as bytes, unpacked if it is gzip or zip: told by its first bytes, not by its name.

    Raises:
        InputError: a damaged archive, or a zip without exactly one CSV.
    """
    try:
        content = path.read_bytes()
        if content.startswith(b"\x1f\x8b"):
            return gzip.decompress(content)
        if content.startswith((b"PK\3\4", b"PK\5\6")):
            with zipfile.ZipFile(path) as archive:
                names = [n for n in archive.namelist() if n.lower().endswith(".csv") and "__MACOSX" not in n]
                if len(names) != 1:
                    held = archive.namelist()[:5]
                    raise InputError(f"{path.name}: a zip with one CSV was expected; it holds {held}.")
                return archive.read(names[0])
    except PermissionError:
        raise InputError(f"{path} may not be read by this user (id {os.getuid()}).") from None
    except (EOFError, OSError, RuntimeError, zlib.error, zipfile.BadZipFile) as error:
        raise InputError(f"{path.name}: the archive is damaged or cut short ({error}). Download it again.") from error
    return content
