"""What docs/cluster.md says is what the commands say."""

import re

import pytest
import typer

from roadsafety_components import cli


@pytest.fixture
def page(checkout):
    """Return the page's text."""
    return (checkout / "docs/cluster.md").read_text()


def test_every_error_on_the_page_is_one_of_the_commands(page, checkout):
    """The table quotes the messages, up to a name or a number."""
    source = "".join(p.read_text() for p in (checkout / "src/roadsafety_components/cli").glob("*.py"))
    source = re.sub(r'"\s*\n\s*f?"', "", source)  # messages of two lines
    rows = re.findall(r"^\| ([^|]+) \| ", page.partition("What an error means")[2], re.M)[2:]
    quoted = [part.strip() for row in rows for part in re.split(r"\.\.\.|\(.*|\d+ s", row) if part.strip()]
    assert len(quoted) > 10
    assert [words for words in quoted if words not in source] == []


def test_every_option_on_the_page_is_there(page):
    """Of the commands that it is about."""
    commands = typer.main.get_command(cli.app).commands
    there = {o for c in commands.values() for p in c.params for o in p.opts}
    there |= {"--image", "--output", "--help", "--namespace"}  # of `specs write`, of every command, of kubectl
    assert sorted(set(re.findall(r"--[a-z][a-z-]+", page)) - there) == []
