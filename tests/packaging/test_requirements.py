"""The files with hashes that the images are built from say what pyproject.toml and constraints.txt say."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKED = ["image", "serving", "build"]


def _pins(path):
    """Names and versions of a file, names in their canonical form."""
    found = re.findall(r"^([\w.-]+)==([^ \n]+)", path.read_text(), re.M)
    return {canonicalize_name(name): version for name, version in found}


def _names(path):
    return {line.strip() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")}


def _declared(checkout, extra=None):
    project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
    declared = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return {Requirement(text).name for text in declared}


@pytest.mark.parametrize("name", LOCKED)
def test_versions_are_those_of_the_constraints(checkout, name):
    """What is in an image is what the project was tested with; tools of the build may be in no constraint."""
    tested = _pins(checkout / "constraints.txt")
    locked = _pins(checkout / f"requirements/{name}.txt")
    assert len(locked) > 20
    assert {p: v for p, v in locked.items() if tested.get(p, v if name == "build" else None) != v} == {}


@pytest.mark.parametrize("name", LOCKED)
def test_each_package_has_hashes_and_no_place(checkout, name):
    """Pip takes such a file from any index or mirror, and nothing but these files from it."""
    text = (checkout / f"requirements/{name}.txt").read_text()
    blocks = re.split(r"^(?=[\w.-]+==)", text, flags=re.M)
    assert [b.splitlines()[0] for b in blocks[1:] if "--hash=sha256:" not in b] == []
    assert re.findall(r"://|--index|--extra-index|--find-links|--trusted", text) == []


def test_the_names_are_those_of_the_project(checkout):
    """An image has nothing that pyproject.toml does not name, and the serving image all of its extra."""
    named = _names(checkout / "requirements/image.in")
    assert named <= _declared(checkout)
    assert _names(checkout / "requirements/serving.in") == _declared(checkout, "serving")
    assert {*named, "kfp"} <= _pins(checkout / "requirements/image.txt").keys()
    assert _declared(checkout, "serving") <= _pins(checkout / "requirements/serving.txt").keys()


def test_no_package_is_in_both_images_files(checkout):
    """The serving image adds to the image; it changes nothing in it."""
    image, serving = (_pins(checkout / f"requirements/{name}.txt").keys() for name in ("image", "serving"))
    assert image & serving == set()
