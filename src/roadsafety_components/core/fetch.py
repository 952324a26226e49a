"""Files over HTTP: tried again with growing waits, whole or not at all."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.files import replacing

Result = TypeVar("Result")

_LARGEST = 50_000_000_000  # bytes, far beyond any published table


def fetch(
    url: str,
    target: Path,
    attempts: int = 4,
    stall_seconds: float = 30.0,
    wait_seconds: float = 1.0,
    allow_private_addresses: bool = False,
) -> None:
    """Download a URL to a file; nothing is left beside it.

    Args:
        attempts: how often to try before giving up; what cannot get better (4xx) is not tried again.
        stall_seconds: how long the server may say nothing.
        wait_seconds: first wait between tries, doubled each time, 30 at most.
        allow_private_addresses: whether the server may be in a private network or on this machine.

    Raises:
        InputError: with the last reason; an address that is refused, see ``connect.client``.
    """

    def once() -> None:
        from roadsafety_components.core.connect import client

        with (
            client(timeouts(stall_seconds), allow_private_addresses) as web,
            web.stream("GET", url) as response,
            replacing(target) as (draft,),
            draft.open("wb") as file,
        ):
            response.raise_for_status()
            for block in response.iter_raw(1 << 20):
                file.write(block)
                refuse_endless(url, file.tell())

    retried(url, once, attempts, wait_seconds)


def shown(url: str) -> str:
    """A URL for people and records: without user and password, and without the values of its query, such as a token.

    A password that should have been encoded (``user:12/3@host``) is left out, too, if need be with more than it.
    """
    rest = re.sub(r"^[\w+.-]*://", "", url)
    scheme = url.removesuffix(rest)
    before, _, after = rest.rpartition("@")
    if ":" in before or not re.search("[/?#]", before):
        rest = after
    path, mark, query = rest.partition("#")[0].partition("?")
    query = re.sub("[^=&;]+$|=[^&;]*", lambda m: "=***" if m[0][0] == "=" else "***", query)
    return scheme + path + mark + query


def safe_name(name: str) -> str:
    """A file's name from elsewhere as one that never leaves its folder."""
    return re.sub(r"[^A-Za-z0-9_.() -]", "_", name).lstrip(".")[-150:] or "download"


def refuse_endless(url: str, size: int) -> None:
    """Raise InputError for more bytes than any file has that is meant: they would fill the disk."""
    if size > _LARGEST:
        raise InputError(f"{shown(url)} gives over {_LARGEST / 1e9:.0f} GB; that is no STATS19 file.")


def timeouts(stall_seconds: float) -> Any:
    """How long to wait for a connection (10 seconds at most), and for the next bytes."""
    import httpx

    return httpx.Timeout(stall_seconds, connect=min(10.0, stall_seconds))


def retried(
    url: str,
    once: Callable[[], Result],
    attempts: int,
    wait_seconds: float,
    final: tuple[type[Exception], ...] = (),
    asked: Callable[[Any], float] = lambda error: 0,
) -> Result:
    """What ``once`` returns, called again after what may get better.

    Args:
        attempts: this and wait_seconds as in ``fetch``.
        final: errors that are not to be tried again either.
        asked: seconds that an error asks to wait.

    Raises:
        InputError: with the last reason.
    """
    import httpx
    import tenacity

    def worth_retrying(error: BaseException) -> bool:
        if isinstance(error, httpx.HTTPStatusError):
            return error.response.status_code >= 500 or error.response.status_code in (408, 425, 429)
        return isinstance(error, httpx.TransportError) and not isinstance(error, (httpx.UnsupportedProtocol, *final))

    def pause(state: Any) -> float:
        growing = tenacity.wait_exponential(wait_seconds, max=30)
        return max(growing(state), asked(state.outcome.exception()))

    def say(state: Any) -> None:
        told = _reason(state.outcome.exception())
        print(f"{shown(url)}: try {state.attempt_number} of {attempts} failed ({told})", flush=True)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(worth_retrying),
        stop=tenacity.stop_after_attempt(attempts),
        wait=pause,
        after=say,
        reraise=True,
    )
    try:
        return retrying(once)
    except httpx.InvalidURL:  # whose message may quote a password
        raise InputError(f"could not fetch {shown(url)}: it, or the address of its proxy, is not a URL. Encode what is "
                         "special in it, such as @ as %40.") from None  # fmt: skip
    except httpx.HTTPError as error:
        raise InputError(f"could not fetch {shown(url)}: {_reason(error)}. Check the address and the network, or "
                         "download the file and give its folder.") from error  # fmt: skip


def status_of(error: BaseException | None) -> int:
    """The HTTP status that an error of httpx tells of; 0 for none."""
    return int(getattr(getattr(error, "response", None), "status_code", 0))


def _reason(error: BaseException | None) -> str:
    """A short reason; httpx leaves some of its messages empty."""
    status = status_of(error)
    return f"HTTP status {status}" if status else f"{type(error).__name__} {error}".strip()
