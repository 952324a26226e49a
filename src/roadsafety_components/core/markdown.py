"""Markdown with data in it, escaped."""

import re
from collections.abc import Iterable, Sequence
from html import escape


def plain(value: object) -> str:
    """Data as text on one line that reads as itself: no marks of Markdown, no HTML."""
    text = re.sub(r"([\\`*\[\]|~])", r"\\\1", escape(" ".join(str(value).split()), quote=False))
    text = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)  # within a name it marks nothing
    return re.sub(r"^(\d*)([-+#.)])(?=[ #]|$)", r"\1\\\2", text)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; its cells are data."""
    first, *lines = ("".join(f"| {plain(cell)} " for cell in row) + "|" for row in (head, *rows))
    return "\n".join([first, "| --- " * len(head) + "|", *lines])
