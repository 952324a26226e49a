"""When a schedule runs: six-field cron expressions as Kubeflow Pipelines reads them, and intervals."""

import re

from roadsafety_components.core.errors import InputError

# Fields in order, their bounds and names, as https://pkg.go.dev/github.com/robfig/cron documents version 1, which the
# server uses; croniter and its like read other dialects.
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    ("second", 0, 59, ()), ("minute", 0, 59, ()), ("hour", 0, 23, ()), ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS), ("day of the week", 0, 6, _DAYS),
)  # fmt: skip
_UNITS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def checked_cron(text: str) -> str:
    """The expression, with single blanks.

    Args:
        text: second, minute, hour, day of the month, month, day of the week (0 or sun is Sunday). Each is ``*`` or
            ``?``, or values, ranges ``a-b`` and steps ``*/n``, ``a-b/n``, ``a/n``, with commas between.

    Raises:
        InputError: not such an expression.
    """
    parts = text.split()
    if len(parts) == 5:
        raise InputError(f"--cron {text!r} has five fields; Kubeflow's begin with seconds: '0 {' '.join(parts)}'.")
    if len(parts) != len(_FIELDS):
        fields = "1 field" if len(parts) == 1 else f"{len(parts)} fields"
        raise InputError(f"--cron {text!r} has {fields}; six are needed: second, minute, hour, day of the "
                         "month, month, day of the week.")  # fmt: skip
    for part, (name, low, high, names) in zip(parts, _FIELDS, strict=True):
        for piece in part.split(","):
            _check(piece, f"--cron {text!r}: {name} {part!r}", low, high, names)
    return " ".join(parts)


def _check(piece: str, where: str, low: int, high: int, names: tuple[str, ...]) -> None:
    if not (match := re.fullmatch(r"(?:[*?]|(\w+)(?:-(\w+))?)(?:/(\d+))?", piece)):
        raise InputError(f"{where} is not *, a value, a range a-b or a step */n.")
    first, last, step = match.groups()
    ends = [_number(word, where, low, names) for word in (first, last) if word]
    if any(not low <= end <= high for end in ends):
        raise InputError(f"{where} is outside {low} to {high}.")
    if ends != sorted(ends):
        raise InputError(f"{where}: the range ends before it begins.")
    if step and int(step) == 0:
        raise InputError(f"{where}: a step of 0.")


def _number(word: str, where: str, low: int, names: tuple[str, ...]) -> int:
    if word.lower() in names:
        return low + names.index(word.lower())
    if not word.isdecimal():
        known = f" and none of {', '.join(names)}" if names else ""
        raise InputError(f"{where}: {word!r} is no number{known}.")
    return int(word)


def interval_seconds(text: str) -> int:
    """Seconds of an interval: ``30d``, ``2w``, ``12h``, ``90m``.

    Raises:
        InputError: not such an interval.
    """
    match = re.fullmatch(r"([1-9]\d*)([mhdw])", text)
    if not match:
        raise InputError(f"--every {text!r}: write a number and m, h, d or w, as in 30d.")
    return int(match[1]) * _UNITS[match[2]]
