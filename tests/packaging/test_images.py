"""One place for image names and pinned versions."""

import re

import yaml

from roadsafety_components import __version__, components, spec_path
from roadsafety_components.packaging import images


def test_pins_are_those_of_the_constraints(checkout):
    """What a pod installs is what the project was tested with."""
    lines = (checkout / "constraints.txt").read_text().splitlines()
    tested = dict(line.split("==") for line in lines if "==" in line)
    assert {name: tested[name] for name in images._PINS} == images._PINS


def test_the_image_tag_is_the_version():
    """A release never runs on another release's image."""
    image = yaml.safe_load(spec_path("load_stats19", "container").read_text())
    container = image["deploymentSpec"]["executors"]["exec-load-stats19"]["container"]
    assert container["image"].split(":")[-1] == __version__


def test_no_step_names_a_version_of_its_own(checkout):
    """Images and versions stand in images.py only."""
    for name in components.STEPS:
        text = (checkout / f"src/roadsafety_components/components/{name}.py").read_text()
        assert re.findall(r"==\d|python:\d", text) == []


def test_specs_can_be_compiled_for_another_registry(roadsafety_specs):
    """`roadsafety specs write --image` changes the container specs' image and nothing else."""
    text = (roadsafety_specs / "container/load_stats19.yaml").read_text()
    assert "image: registry.example/roads:9" in text
    assert text.replace("registry.example/roads:9", images.IMAGE) == spec_path("load_stats19", "container").read_text()
    assert (roadsafety_specs / "load_stats19.yaml").read_text() == spec_path("load_stats19").read_text()
