"""KFP's step cache: an unchanged step hits it, a step whose code changed misses it, and no other."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import yaml

from roadsafety_components import components, spec_path
from roadsafety_components.packaging.carry import core_modules
from roadsafety_components.packaging.interface import function_of

# The static part of what KFP's driver puts into a fingerprint (kubeflow/pipelines, backend/src/v2/cacheutils/cache.go):
# image, command with arguments and environment; names and types of outputs. Beside it stand the values of parameters
# and the names of input artifacts, which a run gives.
_KEYS = """
import json
from google.protobuf.json_format import MessageToDict
from roadsafety_components import components, containers
def key(step):
    spec = MessageToDict(step.pipeline_spec)
    (executor,), (component,) = spec["deploymentSpec"]["executors"].values(), spec["components"].values()
    return executor["container"] | {"outputs": component.get("outputDefinitions")}
print(json.dumps({p: {n: key(s) for n, s in steps.items()}
                  for p, steps in (("lightweight", components.STEPS), ("container", containers.STEPS))}))
"""


@pytest.fixture(scope="module")
def project(checkout, tmp_path_factory):
    """Return a copy of the sources, elsewhere."""
    copy = tmp_path_factory.mktemp("elsewhere") / "project"
    shutil.copytree(checkout / "src", copy / "src")
    return copy


def _keys(project):
    done = subprocess.run(
        [sys.executable, "-c", _KEYS], capture_output=True, text=True, check=True, cwd=project.parent,
        env={**os.environ, "PYTHONPATH": str(project / "src"), "PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland"},
    )  # fmt: skip
    return json.loads(done.stdout)


def _changed(one, other):
    return {packaging: {n for n in one[packaging] if one[packaging][n] != other[packaging][n]} for packaging in one}


@pytest.fixture(scope="module")
def keys(project):
    """Return the keys of the sources as they are."""
    return _keys(project)


@pytest.fixture
def edited(project):
    """Return a function that adds text to a module; undone after the test."""
    before = {}

    def edit(module, text):
        path = project / f"src/roadsafety_components/{module}.py"
        before.setdefault(path, path.read_text())
        path.write_text(path.read_text() + text)
        return _keys(project)

    yield edit
    for path, text in before.items():
        path.write_text(text)


@pytest.mark.usefixtures("same_sdk")
def test_compiling_again_gives_the_same_keys(keys):
    """Another folder, process, hash seed and time: what is committed and what is compiled there hit the same entry."""
    for packaging, steps in keys.items():
        for name, key in steps.items():
            written = yaml.safe_load(spec_path(name, packaging).read_text())
            (executor,), (component,) = written["deploymentSpec"]["executors"].values(), written["components"].values()
            assert executor["container"] | {"outputs": component.get("outputDefinitions")} == key, name


def test_code_that_changes_is_run_again_by_the_steps_that_use_it_and_no_other(keys, edited):
    """One module of core that one step imports, in both packagings."""
    assert _changed(keys, edited("core/split", "\nONE_MORE = 1\n")) == {
        "lightweight": {"split_dataset"},
        "container": {"split_dataset"},
    }


def test_code_that_many_steps_use_runs_all_of_them_again(keys, edited):
    """Just those whose carried source holds the module."""
    users = {n for n, s in components.STEPS.items() if "datasets" in core_modules(function_of(s))}
    assert 5 < len(users) < len(components.STEPS)
    changed = _changed(keys, edited("core/datasets", "\nONE_MORE = 1\n"))
    assert changed == {"lightweight": users, "container": users}


def test_a_steps_own_lines_count_too(keys, edited):
    """Not only core: what stands in the step's module below its docstring."""
    changed = _changed(keys, edited("components/promote_model", "    print('one more')\n"))
    assert changed == {"lightweight": {"promote_model"}, "container": {"promote_model"}}


def test_remarks_may_change_freely(keys, edited):
    """A comment or docstring changes no key."""
    assert _changed(keys, edited("core/store", "# A remark.\n")) == {"lightweight": set(), "container": set()}
    one = edited("core/store", '\n\ndef _more() -> None:\n    """Say something."""\n')
    other = edited("core/store", "    # A remark.\n")
    assert _changed(keys, one)["container"] != set()
    assert _changed(one, other)["container"] == set()


def test_a_new_image_is_a_new_key(project, keys, monkeypatch):
    """The image's name is in the container packaging's key, so a release runs its steps again."""
    monkeypatch.setenv("ROADSAFETY_IMAGE", "registry.example/roads:9")
    assert _changed(keys, _keys(project)) == {"lightweight": set(), "container": set(components.STEPS)}
