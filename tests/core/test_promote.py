"""A promoted model is the same file, and the pair that it replaces is kept."""

from pathlib import Path

import pytest
from kfp.dsl import Markdown, Model

from roadsafety_components.components.promote_model import promote_model as step
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.files import digest
from roadsafety_components.core.promote import promote


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Return a folder with two models, each with its card."""
    for name in ("first", "second"):
        (tmp_path / f"{name}.skops").write_bytes(name.encode() + b"\x00\xff")
        (tmp_path / f"{name}.md").write_text(f"# Model card: {name}\n")
    return tmp_path


def promoted(made: Path, name: str, folder: Path) -> None:
    """Promote one of the models into the folder."""
    promote(made / f"{name}.skops", made / "out" / "champion", made / f"{name}.md", folder)


def contents(folder: Path) -> dict[str, str]:
    """First bytes of each file in a folder, by its name there."""
    files = sorted(f for f in folder.rglob("*") if f.is_file())
    return {f.relative_to(folder).as_posix(): f.read_bytes().decode("latin-1") for f in files}


FIRST = {"model.skops": "first\x00\xff", "model_card.md": "# Model card: first\n"}
SECOND = {"model.skops": "second\x00\xff", "model_card.md": "# Model card: second\n"}


def test_the_champion_is_the_same_file(made):
    """Byte for byte; the facts say what was promoted."""
    found = promote(made / "first.skops", made / "out" / "champion")
    assert (made / "out" / "champion").read_bytes() == b"first\x00\xff"
    assert found == {"promoted": True, "sha256": digest(made / "first.skops")}


def test_a_folder_gets_the_model_and_its_card(made):
    """Under names that do not change from champion to champion."""
    promoted(made, "first", made / "kept")
    assert contents(made / "kept") == FIRST


def test_the_earlier_pair_is_kept(made):
    """One step back, and no further."""
    promoted(made, "first", made / "kept")
    promoted(made, "second", made / "kept")
    assert contents(made / "kept") == SECOND | {f"previous/{n}": text for n, text in FIRST.items()}
    promoted(made, "first", made / "kept")
    assert contents(made / "kept") == FIRST | {f"previous/{n}": text for n, text in SECOND.items()}


def test_the_same_model_once_more_changes_nothing(made):
    """A step that is tried again does not lose the pair before."""
    promoted(made, "first", made / "kept")
    promoted(made, "second", made / "kept")
    before = contents(made / "kept")
    promoted(made, "second", made / "kept")
    assert contents(made / "kept") == before


def test_a_folder_without_a_card_is_refused(made):
    """Nothing is written then."""
    with pytest.raises(InputError, match="but there is no card: what is kept in a folder"):
        promote(made / "first.skops", made / "out" / "champion", folder=made / "kept")
    assert not (made / "kept").exists()
    assert not (made / "out").exists()


def test_half_a_pair_in_the_folder_is_refused(made):
    """A card of another model must not end beside the one kept."""
    promoted(made, "first", made / "kept")
    (made / "kept" / "model_card.md").unlink()
    with pytest.raises(InputError, match="without its pair; what to keep as previous is not plain"):
        promoted(made, "second", made / "kept")
    assert contents(made / "kept") == {"model.skops": "first\x00\xff"}


def test_a_folder_that_cannot_be_written_leaves_all_as_it_was(made):
    """Neither champion nor half a pair."""
    (made / "kept").write_text("a file where the folder should be")
    with pytest.raises(InputError, match=r"^cannot write "):
        promoted(made, "first", made / "kept")
    assert not (made / "out" / "champion").exists()
    assert (made / "kept").read_text() == "a file where the folder should be"


@pytest.mark.parametrize("lost", ["model", "card"])
def test_files_have_to_be_there(made, lost):
    """The message names which is not."""
    (made / {"model": "first.skops", "card": "first.md"}[lost]).unlink()
    with pytest.raises(InputError, match=rf"^{lost}: there is no file at "):
        promoted(made, "first", made / "kept")


def test_the_step_hands_on_the_metadata(made):
    """Those of the model, and that it was promoted."""
    model, champion = Model(uri=str(made / "first.skops")), Model(uri=str(made / "out" / "champion"))
    model.metadata = {"algorithm": "random_forest"}
    step.python_func(model, champion, Markdown(uri=str(made / "first.md")), str(made / "kept"))
    assert champion.metadata == {
        "algorithm": "random_forest", "promoted": True, "sha256": digest(made / "first.skops"),
    }  # fmt: skip
    assert contents(made / "kept") == FIRST


def test_the_step_needs_no_card_without_a_folder(made):
    """The champion alone."""
    champion = Model(uri=str(made / "out" / "champion"))
    step.python_func(Model(uri=str(made / "first.skops")), champion)
    assert Path(champion.path).read_bytes() == b"first\x00\xff"
