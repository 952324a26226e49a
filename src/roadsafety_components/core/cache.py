"""Downloads that are kept for the next run."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.fetch import shown
from roadsafety_components.core.files import digest
from roadsafety_components.core.resume import bring, forget

Facts = dict[str, Any]

_LONGEST_LOCK = 600.0  # seconds to wait for another run, which may hang


@contextmanager
def cached(
    url: str,
    path: Path,
    check: Callable[[Path], None],
    sha256: str = "",
    attempts: int = 5,
    stall_seconds: float = 30.0,
    wait_seconds: float = 1.0,
    allow_private_addresses: bool = False,
) -> Iterator[Facts]:
    """``path`` as the server has it, for the time of the block; ``<path>.json`` beside it says what it is.

    A file that is there whole is fetched again only if the server has another. If the server gives nothing good, it is
    used as it is, with a warning. A download that broke off is continued the next time. A file for which the block
    raises InputError is not kept.

    Args:
        check: raises InputError for a file that must not be kept.
        sha256: ``sha256:<hex>`` that the file must have; "" for any. A file that has it is not asked for again.
        attempts: this and the rest as in ``fetch.fetch``.

    Returns:
        url (as ``fetch.shown`` has it), bytes, sha256, etag, last_modified (both "" if not told) and from_cache.

    Raises:
        InputError: not to be had, or not what was expected; the message names the URL.
    """
    begun = time.monotonic()
    with suppress(OSError):  # whoever writes there will be told
        path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.with_name(f".{path.name}.lock")) as alone:
        draft = path.with_name(f".{path.name}.{'' if alone else os.getpid()}partial")
        facts = kept = _kept(url, path)
        told = "from the cache"
        if not kept or kept["sha256"] != sha256:
            try:
                new = bring(url, draft, attempts, stall_seconds, wait_seconds, kept, allow_private_addresses)
                if new is None:
                    told += ", unchanged on the server"
                else:
                    facts = _accept(url, draft, path, new, check, sha256)
                    told = f"in {time.monotonic() - begun:.1f} s"
                    told += f", resumed at {new['resumed_at'] / 1e6:.1f} MB" if new["resumed_at"] else ""
            except InputError as error:
                if not kept:
                    raise
                print(f"WARNING: {path.name} is used as it is in the cache: {error}", flush=True)
            finally:
                if not alone:
                    forget(draft)
        _expect(facts, sha256)
        print(f"{path.name}: {facts['bytes'] / 1e6:.1f} MB {told}", flush=True)
        try:
            yield {**facts, "from_cache": facts is kept}
        except InputError:
            with suppress(OSError):  # the cache may be read only
                _card(path).unlink(missing_ok=True)
                path.unlink(missing_ok=True)
            raise


def _accept(
    url: str, draft: Path, path: Path, told: Mapping[str, Any], check: Callable[[Path], None], sha256: str
) -> Facts:
    """Give a draft its name and its card; what must not be kept is removed."""
    try:
        facts = {"url": shown(url), "bytes": draft.stat().st_size, "sha256": digest(draft)}
        facts |= {name: told[name] for name in ("etag", "last_modified")}
        _expect(facts, sha256)
        check(draft)
        os.replace(draft, path)
        _card(path).write_text(json.dumps(facts, indent=1) + "\n")
        return facts
    finally:
        forget(draft)


def _kept(url: str, path: Path) -> Facts:
    """What its card says of a file in the cache; empty if it is not there, or not that file."""
    try:
        card = json.loads(_card(path).read_text())
        facts = {name: card[name] for name in ("url", "bytes", "sha256", "etag", "last_modified")}
        if facts["url"] == shown(url) and digest(path) == facts["sha256"]:
            return facts
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    if facts["url"] == shown(url):
        print(f"WARNING: {path} is not what {_card(path).name} says; it is fetched again", flush=True)
    return {}


def _card(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _expect(facts: Mapping[str, Any], sha256: str) -> None:
    if sha256 and facts["sha256"] != sha256:
        raise InputError(f"{facts['url']} has {facts['sha256']}, but {sha256} was expected: it was changed there or on "
                         "the way. If the new file is right, give its digest.")  # fmt: skip


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold a lock file, so that one run at a time writes; False where that cannot be, or the other run hangs."""
    begun, held, opened = time.monotonic(), False, -1
    told = False
    while not held:
        try:
            opened = os.open(path, os.O_CREAT | os.O_RDWR)
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = os.path.samestat(os.fstat(opened), os.stat(path))  # who held it before has removed it
        except FileNotFoundError:
            if not path.parent.is_dir():
                break
        except BlockingIOError:
            if time.monotonic() - begun > _LONGEST_LOCK:
                break
            if not told:
                print(f"waiting for another run that fetches {path.stem[1:]}", flush=True)
            told = True
            time.sleep(0.2)
        except OSError:  # a volume without locks, or that is read only
            with suppress(OSError):
                path.unlink()
            break
        finally:
            if not held and opened >= 0:
                os.close(opened)
                opened = -1
    try:
        yield held
    finally:
        if held:
            path.unlink(missing_ok=True)
            os.close(opened)
