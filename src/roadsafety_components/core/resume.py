"""Downloads that go on where they broke off, in this run or an earlier one."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.fetch import refuse_endless, retried, shown, timeouts

_NEWS_EVERY = 5.0  # seconds


def bring(
    url: str,
    draft: Path,
    attempts: int,
    stall_seconds: float,
    wait_seconds: float,
    kept: Mapping[str, Any] | None = None,
    allow_private_addresses: bool = False,
) -> dict[str, Any] | None:
    """Bring ``draft`` to the whole file, from where an earlier try or run left it; the rest as ``fetch``.

    Args:
        kept: etag and last_modified of a copy at hand; a server out of reach is then asked once.
        allow_private_addresses: as in ``fetch``.

    Returns:
        etag, last_modified ("" if not told), resumed_at (bytes that were there); None if ``kept`` is current.

    Raises:
        InputError: with the last reason. The draft stays, to be continued.
    """
    import httpx

    from roadsafety_components.core.connect import client

    def once() -> dict[str, Any] | None:
        size, proof = _begun(url, draft)
        if size:
            ask = {"Range": f"bytes={size}-", "If-Range": proof}
        else:
            ask = {"If-None-Match": kept["etag"], "If-Modified-Since": kept["last_modified"]} if kept else {}
        headers = {name: value for name, value in ask.items() if value}
        with (
            client(timeouts(stall_seconds), allow_private_addresses) as web,
            web.stream("GET", url, headers=headers) as response,
        ):
            if response.status_code == 304 and kept:
                return None
            if response.status_code == 416 and size:  # another file, and a shorter one
                forget(draft)
                return once()
            return _receive(response.raise_for_status(), url, draft, size, proof)

    try:
        draft.parent.mkdir(parents=True, exist_ok=True)
        unreachable = (httpx.ConnectError, httpx.ConnectTimeout) if kept else ()
        return retried(url, once, attempts, wait_seconds, unreachable, _asked_to_wait)
    except OSError as error:
        raise InputError(f"cannot write {draft}: {error.strerror or error}. Choose a folder that is writable and has "
                         "space.") from error  # fmt: skip


def _receive(response: Any, url: str, draft: Path, size: int, proof: str) -> dict[str, Any]:
    """Write an answer's body to the draft, behind what is there if it continues that very file."""
    import httpx

    etag, last_modified = (response.headers.get(name, "") for name in ("ETag", "Last-Modified"))
    now = last_modified if etag.startswith("W/") else etag or last_modified  # a weak tag proves nothing
    length, place = response.headers.get("Content-Length", ""), response.headers.get("Content-Range", "")
    if response.status_code == 206:
        length = place.rpartition("/")[2]
        if not place.startswith(f"bytes {size}-") or now not in ("", proof):
            forget(draft)
            raise httpx.RemoteProtocolError("the server sent another part than it was asked for")
    else:
        size = 0
    with draft.open("ab" if size else "wb") as file:
        if not size:
            draft.with_suffix(".json").write_text(json.dumps([shown(url), now]))
        said = time.monotonic()
        for block in response.iter_raw():  # as it comes: larger blocks would be lost in a break
            file.write(block)
            try:
                refuse_endless(url, file.tell())
            except InputError:
                forget(draft)
                raise
            if time.monotonic() - said > _NEWS_EVERY:
                said = time.monotonic()
                whole = f" of {int(length) / 1e6:.0f}" if length.isdigit() else ""
                print(f"{shown(url).rpartition('/')[2]}: {file.tell() / 1e6:.0f}{whole} MB", flush=True)
        came = file.tell()
    if length.isdigit() and came != int(length):
        raise httpx.RemoteProtocolError(f"{came} bytes came, {length} were announced")
    draft.with_suffix(".json").unlink()
    return {"etag": etag, "last_modified": last_modified, "resumed_at": size}


def _begun(url: str, draft: Path) -> tuple[int, str]:
    """Bytes of the file that are there, and the tag or date that proves which file; 0 if none can be used."""
    with suppress(OSError, ValueError):
        whose, proof = json.loads(draft.with_suffix(".json").read_text())
        if whose == shown(url) and proof:
            return draft.stat().st_size, proof
    return 0, ""


def forget(draft: Path) -> None:
    """Remove a draft, and what it is a draft of."""
    for path in (draft, draft.with_suffix(".json")):
        with suppress(OSError):
            path.unlink()


def _asked_to_wait(error: Any) -> float:
    """Seconds that a server asks to wait, in seconds or by a date; 60 at most."""
    asked = str(getattr(getattr(error, "response", None), "headers", {}).get("Retry-After", ""))
    with suppress(TypeError, ValueError):
        return min(60.0, float(asked) if asked.isdigit() else parsedate_to_datetime(asked).timestamp() - time.time())
    return 0.0
