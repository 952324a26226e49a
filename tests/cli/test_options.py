"""Options that commands share, as a user meets them."""

from dataclasses import dataclass, field
from typing import Annotated

import typer
from typer.testing import CliRunner

from roadsafety_components.cli.options import option, with_option_groups


@dataclass(frozen=True, kw_only=True)
class Place:
    """A group with a needed option and one that a variable stands in for."""

    city: Annotated[str, option("Where.")]
    country: Annotated[str, option("In which country.", "TEST_COUNTRY")] = "GB"
    roads: Annotated[list[str], option("Roads.")] = field(default_factory=list)


app = typer.Typer()


@app.command()
@with_option_groups
def visit(place: Place, name: str = typer.Argument("nobody"), fast: bool = typer.Option(False, "--fast")) -> None:
    """Print what came in."""
    place.roads.append("end")
    print(name, place.city, place.country, place.roads, fast)


def _said(*words, env=None):
    done = CliRunner().invoke(app, [*words], env=env or {})
    return done.exit_code, done.output


def test_the_fields_of_a_group_are_options_beside_the_commands_own():
    """Defaults, repeated options and the command's own ones."""
    assert _said("me", "--city", "Leeds", "--roads", "A1", "--roads", "A2", "--fast") == (
        0, "me Leeds GB ['A1', 'A2', 'end'] True\n",
    )  # fmt: skip


def test_an_environment_variable_stands_in():
    """The option goes before it."""
    assert _said("--city", "Leeds", env={"TEST_COUNTRY": "FR"})[1] == "nobody Leeds FR ['end'] False\n"
    assert (
        _said("--city", "Leeds", "--country", "IE", env={"TEST_COUNTRY": "FR"})[1] == "nobody Leeds IE ['end'] False\n"
    )


def test_two_calls_do_not_share_a_list():
    """A default list is made for each."""
    assert [_said("--city", "Leeds")[1] for _ in range(2)] == ["nobody Leeds GB ['end'] False\n"] * 2


def test_a_needed_option_is_asked_for():
    """A field without a default."""
    code, said = _said()
    assert code == 2
    assert "--city" in said
