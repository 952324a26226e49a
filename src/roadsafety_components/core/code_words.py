"""Codes of a column in words."""

from collections.abc import Mapping
from typing import Any


def in_words(value: Any, words: Mapping[str, str]) -> str:
    """A code, number or text of a column as a page shows it: in words where there are any for it."""
    text = "missing" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return words.get(text, text)
