"""component_specs/: current, the compiler's own IR, reproducible, within limits."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import kfp
import pytest
import yaml
from kfp import compiler
from kfp.components import load_component_from_file

from roadsafety_components import components, containers, spec_path
from roadsafety_components.packaging import specs
from roadsafety_components.packaging.paths import specs_folder

LIBRARY = specs.Library(components.STEPS, containers.STEPS, components.STABILITY)


@pytest.fixture
def written(tmp_path):
    """Return a folder with specs written afresh."""
    specs.write_specs(tmp_path, LIBRARY)
    return tmp_path


def test_the_committed_specs_are_current(checkout):
    """`roadsafety specs check` finds nothing to say about component_specs/."""
    assert specs.check_specs(checkout / "component_specs", LIBRARY) == []


@pytest.mark.parametrize("name", components.STEPS)
@pytest.mark.parametrize("packaging", ["lightweight", "container"])
@pytest.mark.usefixtures("same_sdk")
def test_readable_yaml_is_the_compilers_own_ir(name, packaging, tmp_path):
    """Literal blocks change how the YAML looks, not what it says."""
    step = {"lightweight": components, "container": containers}[packaging].STEPS[name]
    compiler.Compiler().compile(step, str(tmp_path / "spec.yaml"))
    own = yaml.safe_load((tmp_path / "spec.yaml").read_text())
    assert yaml.safe_load(spec_path(name, packaging).read_text()) == own


@pytest.mark.parametrize("name", components.STEPS)
def test_code_in_a_spec_reads_as_code(name):
    """Every line of the step's function stands in the YAML as it was written, only indented."""
    text = spec_path(name).read_text()
    function = components.STEPS[name].component_spec.implementation.container.command[-1]
    lines = [line for line in function.splitlines() if line.strip()]
    shown = {line.strip() for line in text.splitlines()}
    assert [line for line in lines if line.strip() not in shown] == []


@pytest.mark.usefixtures("same_sdk")
def test_compiling_again_elsewhere_gives_the_same_bytes(checkout, tmp_path):
    """Another copy of the project, another time and umask: identical files."""
    copy = tmp_path / "elsewhere" / "project"
    shutil.copytree(checkout / "src", copy / "src")
    shutil.copytree(checkout / "pipelines", copy / "pipelines")
    shutil.copytree(checkout / "component_specs", copy / "component_specs")
    for path in copy.rglob("*.py"):
        os.utime(path, (0, 0))
    done = subprocess.run(
        [sys.executable, "-m", "roadsafety_components.cli", "specs", "write", "--output", tmp_path / "out"],
        env={**os.environ, "PYTHONPATH": str(copy / "src"), "TZ": "Pacific/Auckland", "PYTHONHASHSEED": "7"},
        umask=0o077,
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert "wrote" in done.stdout
    ours = {p.relative_to(checkout / "component_specs"): p.read_bytes() for p in _files(checkout / "component_specs")}
    theirs = {p.relative_to(tmp_path / "out"): p.read_bytes() for p in _files(tmp_path / "out")}
    assert theirs == ours


def _files(folder: Path) -> list[Path]:
    return sorted([*folder.rglob("*.yaml"), *folder.rglob("*.json")])


@pytest.mark.usefixtures("same_sdk")
def test_an_edit_to_a_core_module_changes_just_the_steps_that_import_it(checkout, tmp_path):
    """split.py is imported by one step; its spec changes, and the pipelines that hold the step."""
    copy = tmp_path / "project"
    for folder in ("src", "pipelines", "component_specs"):
        shutil.copytree(checkout / folder, copy / folder)
    with (copy / "src/roadsafety_components/core/split.py").open("a") as file:
        file.write("# one more line\nONE_MORE = 1\n")
    done = subprocess.run(
        [sys.executable, "-m", "roadsafety_components.cli", "specs", "check"],
        env={**os.environ, "PYTHONPATH": str(copy / "src")},
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    differing = {line.split(":")[0] for line in done.stderr.splitlines() if "differs" in line}
    assert differing == {
        "split_dataset.yaml",
        "container/split_dataset.yaml",  # its command names the code
        "pipelines/road_safety_container_pipeline.yaml",
        "pipelines/road_safety_pipeline.yaml",
        "pipelines/road_safety_sample_pipeline.yaml",
        "pipelines/severity_monitoring_pipeline.yaml",
        "pipelines/severity_training_pipeline.yaml",
        "catalog.json",
    }


def test_check_names_a_file_that_is_lost_changed_or_left_over(written):
    """One line a problem, each with the file's name."""
    (written / "train_classifier.yaml").unlink()
    path = written / "container" / "split_dataset.yaml"
    path.write_text(path.read_text().replace("image: ", "image: other/"))
    (written / "old_step.yaml").write_text("a: 1\n")
    assert specs.check_specs(written, LIBRARY) == [
        "train_classifier.yaml: not there; run `roadsafety specs write`.",
        "container/split_dataset.yaml: differs from what the source compiles to; run `roadsafety specs write`.",
        "old_step.yaml: nothing makes this file any more.",
    ]


def test_write_removes_what_nothing_makes_any_more(written):
    """A renamed step leaves no file behind."""
    (written / "old_step.yaml").write_text("a: 1\n")
    catalog = json.loads((written / "catalog.json").read_text())
    catalog["pipelines"].append({"name": "old_step", "spec": "old_step.yaml"})
    (written / "catalog.json").write_text(json.dumps(catalog))
    specs.write_specs(written, LIBRARY)
    assert not (written / "old_step.yaml").exists()


def test_write_touches_nothing_that_is_not_its_own(tmp_path):
    """A folder of a user's own keeps its files; another project's catalog.json is refused."""
    (tmp_path / "docker-compose.yaml").write_text("a: 1\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/data.json").write_text("{}")
    specs.write_specs(tmp_path, LIBRARY)
    specs.write_specs(tmp_path, LIBRARY)
    assert (tmp_path / "docker-compose.yaml").read_text() == "a: 1\n"
    assert (tmp_path / "sub/data.json").exists()
    (tmp_path / "catalog.json").write_text('{"name": "a shop"}')
    with pytest.raises(ValueError, match=r"catalog\.json is not a catalogue of these specs"):
        specs.write_specs(tmp_path, LIBRARY)


def test_another_sdk_version_is_no_difference(written):
    """Specs that kfp 2.16.1 wrote differ in two strings only, and pass."""
    for path in _files(written):
        text = path.read_text().replace(f"kfp=={kfp.__version__}", "kfp==2.16.1")
        text = text.replace(f"sdkVersion: kfp-{kfp.__version__}", "sdkVersion: kfp-2.16.1")
        path.write_text(text.replace(f'"kfp": "{kfp.__version__}"', '"kfp": "2.16.1"'))
    assert specs.check_specs(written, LIBRARY) == []


def _step(**changes):
    port = {"name": "rows", "type": "int", "description": "", "default": 1}
    step = {"name": "count", "packaging": "lightweight", "inputs": [port], "outputs": []}
    return {"version": "1.2.0", "steps": [{**step, **changes}]}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "input rows was removed or renamed"),
        ([{"name": "rows", "type": "float"}], "input rows was int, is float"),
        ([{"name": "rows", "type": "int", "required": True}], "input rows has become required"),
        (
            [{"name": "rows", "type": "int", "default": 1}, {"name": "years", "type": "list", "required": True}],
            "new required input years",
        ),
    ],
)
def test_a_broken_interface_needs_a_new_major_version(inputs, message):
    """Removed, retyped or newly required inputs are named, unless the major version rises."""
    old, new = _step(), _step(inputs=inputs)
    assert [message in p for p in specs.breaking_changes(old, new)] == [True]
    assert specs.breaking_changes(old, {**new, "version": "2.0.0"}) == []


def test_a_new_optional_input_breaks_nothing():
    """An interface may grow within a major version."""
    more = [{"name": "rows", "type": "int", "default": 1}, {"name": "seed", "type": "int", "default": 0}]
    assert specs.breaking_changes(_step(), _step(inputs=more)) == []


def test_write_refuses_a_broken_interface(written):
    """The catalogue of the last specs is what a change is measured against."""
    catalog = json.loads((written / "catalog.json").read_text())
    catalog["steps"][0]["inputs"].append({"name": "lost", "type": "int", "description": "", "default": 0})
    (written / "catalog.json").write_text(json.dumps(catalog))
    with pytest.raises(
        ValueError, match=r"input lost was removed or renamed\. Such a change needs a new major version"
    ):
        specs.write_specs(written, LIBRARY)


@pytest.mark.parametrize("path", sorted(p for p in specs_folder().rglob("*.yaml")), ids=lambda p: p.name)
def test_specs_are_within_the_limits(path):
    """ASCII; a step's source under 48,000 bytes JSON-escaped, a pipeline under 1,000,000."""
    text = path.read_text()
    assert text.isascii()
    assert specs.source_bytes(text) <= 48_000
    assert len(text) <= 1_000_000


def test_limits_are_enforced():
    """A step too large or with a foreign letter is named with the figure."""
    text = spec_path("split_dataset").read_text()
    document = yaml.safe_load(text)
    command = document["deploymentSpec"]["executors"]["exec-split-dataset"]["container"]["command"]
    command[-1] += "# long\n" * 10_000
    problems = specs._limits({"a.yaml": yaml.safe_dump(document), "b.yaml": text.replace("Cut a", "Cut \u00e0")})
    assert re.match(r"a.yaml: its source is \d{5,6} bytes JSON-escaped; a step may have 48000.", problems[0])
    assert problems[1].startswith("b.yaml: holds '\u00e0'")


@pytest.mark.parametrize("name", components.STEPS)
@pytest.mark.parametrize("packaging", ["lightweight", "container"])
def test_a_spec_loads_as_a_component(name, packaging):
    """`load_component_from_file` gives the interface of the step."""
    loaded = load_component_from_file(str(spec_path(name, packaging)))
    step = components.STEPS[name].component_spec
    assert set(loaded.component_spec.inputs) == set(step.inputs)
    assert set(loaded.component_spec.outputs) == set(step.outputs)


def test_spec_path_says_what_there_is():
    """A wrong name is answered with the right ones."""
    with pytest.raises(ValueError, match=r"no lightweight spec 'train'; there are .*train_classifier"):
        spec_path("train")
    with pytest.raises(ValueError, match="packaging is 'docker'; it can be lightweight or container"):
        spec_path("train_classifier", "docker")


def test_the_catalogue_describes_every_step_in_both_packagings():
    """Names, images, digests of the very files, and every input's description."""
    catalog = json.loads((specs_folder() / "catalog.json").read_text())
    listed = [(s["name"], s["packaging"]) for s in catalog["steps"]]
    assert listed == [(n, p) for p in ("lightweight", "container") for n in components.STEPS]
    for step in catalog["steps"]:
        text = (specs_folder() / step["spec"]).read_text()
        assert step["digest"] == specs._digest(text)
        assert step["image"] in text
        assert all(port["description"] for port in step["inputs"] + step["outputs"])
