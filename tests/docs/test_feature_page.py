"""The page of features is what the list says."""

from .features import PAGE, page


def test_the_page_of_features_is_current() -> None:
    """As the list stands."""
    assert PAGE.read_text(encoding="utf-8") == page(), "run .venv/bin/python tests/docs/features.py"
