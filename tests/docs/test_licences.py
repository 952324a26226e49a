"""The list of licences is what is installed, and none of them binds a user."""

import re

import pytest

from .licences import ACCEPTED, PAGE, licence_of, page, rows_of_page


def test_the_list_is_current() -> None:
    """As the pins stand."""
    assert PAGE.read_text(encoding="utf-8") == page(), "run .venv/bin/python tests/docs/licences.py"


def test_every_licence_is_accepted() -> None:
    """Each part of an expression with AND, one of those with OR."""
    for name, licence, _where in rows_of_page():
        choices = [set(re.split(r" AND ", choice.strip("()"))) for choice in licence.split(" OR ")]
        assert any(choice <= ACCEPTED for choice in choices), (name, licence)


def test_a_licence_that_nobody_read_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vague metadata are no licence."""
    monkeypatch.setattr("importlib.metadata.metadata", lambda name: _Metadata())
    with pytest.raises(ValueError, match="its metadata say \\['Other'\\] and 'see file'"):
        licence_of("any")


class _Metadata(dict):
    def __init__(self) -> None:
        super().__init__({"License": "see file"})

    def get_all(self, name: str, default: list[str]) -> list[str]:
        return ["License :: Other"]
