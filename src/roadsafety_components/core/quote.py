"""What other programs say, made fit to stand in a message of ours."""

_MOST = 400  # characters


def quote(text: object) -> str:
    """The text on one line, and not at any length."""
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    words = " ".join(plain.split())
    return words if len(words) <= _MOST else words[: _MOST - 3] + "..."
