"""The one error a user is meant to read, and how a step ends when it is raised."""

import difflib
import os
import sys
from collections.abc import Iterable
from types import TracebackType

EXIT_BAD_INPUT = 2


class InputError(ValueError):
    """The input is at fault, not the program.

    The message names the table, the column, the count, an example and what to do. A step that raises it
    ends with exit code 2 and that message alone; any other exception is a bug: a traceback, exit code 1.
    """

    def __str__(self) -> str:
        """The message; what data in it could steer a terminal by is shown as ``?``."""
        return "".join(c if c.isprintable() or c == "\n" else "?" for c in super().__str__())


def nearest(name: str, names: Iterable[str]) -> str:
    """A sentence that names the one of ``names`` most like ``name``, for a message; empty if none is."""
    by_lower = {n.lower(): n for n in names}
    found = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.6)
    return f" Nearest name: {by_lower[found[0]]}." if found else ""


def end_step(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """End the process as a step should: used as ``sys.excepthook``.

    ``os._exit``, because Python turns every uncaught exception into exit code 1 once this hook returns.
    """
    if not issubclass(kind, InputError):
        sys.__excepthook__(kind, error, trace)
        return
    print(f"Input error: {error}", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_BAD_INPUT)
