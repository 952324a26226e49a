"""How core travels inside a lightweight step."""

import ast
import subprocess
import sys

import pytest
from kfp import dsl

from roadsafety_components import components
from roadsafety_components.packaging import carry


def test_a_step_carries_just_the_modules_that_it_imports():
    """The import closure is what the function imports and what those modules import, nothing else."""
    closures = {name: carry.core_modules(step.python_func) for name, step in components.STEPS.items()}
    assert closures == {
        "generate_stats19_sample": {"errors", "files", "sample", "schema"},
        "download_stats19": {"by_year", "cache", "download", "errors", "fetch", "files", "resume"},
        "load_stats19": {"errors", "fetch", "files", "read", "schema", "sources", "store"},
        "harmonise_stats19": {"datasets", "errors", "files", "harmonise", "make_model", "revisions", "schema", "store"},
        "validate_stats19": {"datasets", "errors", "files", "page", "quality", "quality_report", "store", "validate"},
        "merge_datasets": {"datasets", "errors", "files", "merge", "store"},
        "profile_changes": {"changes", "changes_report", "datasets", "errors", "files", "page", "store"},
        "label_stats19": {"code_list", "datasets", "errors", "files", "labels", "store"},
        "preprocess_collisions": {"clean", "datasets", "errors", "files", "schema", "store"},
        "engineer_features": {
            "datasets",
            "daylight",
            "derive",
            "engineer",
            "errors",
            "files",
            "holidays",
            "store",
        },
        "split_dataset": {"datasets", "errors", "files", "split", "store"},
        "train_classifier": {"datasets", "errors", "features", "files", "model", "store", "train"},
        "evaluate_classifier": {
            "datasets",
            "errors",
            "evaluate",
            "features",
            "files",
            "model",
            "page",
            "report",
            "store",
        },
    }


def _first_lines(tree):
    """Return the tree with every docstring cut to its first line."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            node.body[0].value.value = node.body[0].value.value.splitlines()[0]
    return ast.dump(tree)


@pytest.mark.parametrize("name", components.STEPS)
def test_the_carried_text_is_the_source_itself(name, checkout):
    """Line for line the files of core, but that docstrings end after their first line; comments and all."""
    command = components.STEPS[name].component_spec.implementation.container.command
    carried = {
        ast.literal_eval(node.targets[0].slice): ast.literal_eval(node.value)
        for node in ast.parse(command[-1]).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript)
    }
    assert set(carried) == carry.core_modules(components.STEPS[name].python_func) | {"errors"}
    for module, text in carried.items():
        source = (checkout / f"src/roadsafety_components/core/{module}.py").read_text()
        assert _first_lines(ast.parse(text)) == _first_lines(ast.parse(source))
        known = {line.rstrip() for line in source.splitlines()}
        assert [line for line in text.splitlines() if line and line.removesuffix('"""') not in known | {""}
                and line not in known] == []  # fmt: skip
        assert [line for line in source.splitlines() if "# " in line and line not in text.splitlines()] == []


def test_carried_modules_import_where_the_package_is_not_installed(tmp_path):
    """The text alone makes the import work: run in a Python that cannot see this project."""
    script = tmp_path / "step.py"
    text = carry.carried_source(components.split_dataset.python_func)
    script.write_text(
        "import sys\nsys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]\n"
        "sys.path = [p for p in sys.path if not p.endswith('/src')]\n"
        + text
        + "from roadsafety_components.core import split\nprint(split.__file__.startswith(FOLDER))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_bad_input_ends_a_step_with_code_2_and_its_message_alone(tmp_path):
    """A carried step that raises InputError prints no traceback and exits with 2."""
    script = tmp_path / "step.py"
    text = carry.carried_source(components.split_dataset.python_func)
    script.write_text(text + "from roadsafety_components.core.errors import InputError\nraise InputError('no rows.')\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "Input error: no rows.\n")


def test_a_bug_ends_a_step_with_code_1_and_a_traceback(tmp_path):
    """Anything else than InputError stays what it is."""
    script = tmp_path / "step.py"
    script.write_text(carry.carried_source(components.split_dataset.python_func) + "raise KeyError('x')\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = '\u00e9'\n", "characters that are not ASCII"),
        ("x = '''a'''\n", "would end the carried text"),
        ('x = "{{$}}"\n', "a KFP placeholder"),
        ("x = 1", "no line end at its end"),
    ],
)
def test_text_that_would_break_on_the_way_is_refused(text, message, tmp_path, monkeypatch):
    """What cannot be carried is an error when the step is defined, not in a pod."""
    (tmp_path / "odd.py").write_text(text, encoding="utf-8")
    from roadsafety_components import core

    monkeypatch.setattr(core, "__path__", [*core.__path__, str(tmp_path)])
    carry._source.cache_clear()
    with pytest.raises(ValueError, match=message):
        carry._source("odd")


def test_the_decorator_leaves_the_rest_of_the_component_alone():
    """Only the last word of the command changes, and only at its front."""

    @dsl.component(base_image="python:3.11-slim")
    def plain(rows: int = 3):
        """Do nothing."""
        from roadsafety_components.core import split  # noqa: F401

    before = list(plain.component_spec.implementation.container.command)
    after = carry.carries_core(plain).component_spec.implementation.container.command
    assert after[:-1] == before[:-1]
    assert after[-1].startswith(carry.MARK)
    assert after[-1].endswith(before[-1])
