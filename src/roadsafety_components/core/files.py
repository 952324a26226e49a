"""Files and folders that are written whole or not at all."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from roadsafety_components.core.errors import InputError


@contextmanager
def replacing(*paths: str | Path) -> Iterator[list[Path]]:
    """Temporary names beside ``paths``, renamed to them when the block ends well and removed when it does not.

    Raises:
        InputError: the folder cannot be written to, or the disk is full.
    """
    targets = [Path(p) for p in paths]
    drafts = [t.with_name(f".{t.name}.partial") for t in targets]
    try:
        for target, draft in zip(targets, drafts, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            _remove(draft)  # a link that another user of the folder put there would be followed
        yield drafts
        for draft, target in zip(drafts, targets, strict=True):
            os.replace(draft, target)
    except OSError as error:  # a full disk names no file
        place = str(error.filename or targets[0])
        if not any(place in (str(t), *map(str, t.parents)) for t in [*targets, *drafts]):
            raise
        raise InputError(f"cannot write {place}: {error.strerror or error}. Choose an output folder that is "
                         "writable and has space.") from error  # fmt: skip
    finally:
        for draft in drafts:
            _remove(draft)


def _remove(path: Path) -> None:
    with suppress(OSError):  # there may be none
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def digest(path: str | Path) -> str:
    """``sha256:<hex>`` of a file's content."""
    with open(path, "rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
