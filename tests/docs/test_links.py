"""Links within the project lead somewhere."""

import re

import pytest


def pages(checkout):
    """Return every page."""
    return [checkout / "README.md", *sorted((checkout / "docs").glob("*.md"))]


def test_every_link_leads_to_a_file(checkout):
    """From the folder of its page."""
    lost = [
        f"{page.name}: {target}"
        for page in pages(checkout)
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert lost == []


def test_every_page_is_reached_from_the_readme(checkout):
    """Directly: no one has to guess that there is a page."""
    readme = (checkout / "README.md").read_text()
    assert [p.name for p in pages(checkout)[1:] if f"(docs/{p.name})" not in readme] == []


@pytest.mark.parametrize(
    "name", ["decisions.md", "prediction.md", "tuning.md", "training.md", "drift.md", "serving.md"]
)
def test_python_in_the_pages_is_python(checkout, name):
    """Each block by itself."""
    for block in re.findall(r"```python\n(.*?)```", (checkout / "docs" / name).read_text(), re.DOTALL):
        compile(block, name, "exec")
