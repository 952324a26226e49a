"""How core travels inside a lightweight step."""

import ast
import io
import re
import subprocess
import sys
import tokenize

import pytest
from kfp import dsl

from roadsafety_components import components
from roadsafety_components.packaging import carry


def test_a_step_carries_just_the_modules_that_it_imports():
    """The import closure is what the function imports and what those modules import, nothing else."""
    closures = {name: carry.core_modules(step.python_func) for name, step in components.STEPS.items()}
    assert {name: " ".join(sorted(modules)) for name, modules in closures.items()} == {
        "generate_stats19_sample": "errors files sample schema",
        "download_stats19": "by_year cache connect download errors fetch files resume",
        "load_stats19": "connect errors fetch files read schema sources store",
        "harmonise_stats19": "datasets errors files harmonise make_model revisions schema store",
        "validate_stats19": "datasets errors files page quality quality_report store validate years",
        "merge_datasets": "datasets errors files merge store years",
        "profile_changes": "changes changes_report column_picture datasets distance errors files page store",
        "label_stats19": "code_list datasets errors files labels store",
        "preprocess_collisions": "clean datasets errors files schema store",
        "engineer_features": "datasets daylight derive engineer errors files holidays store",
        "split_dataset": "datasets errors files split store",
        "sample_candidates": "errors estimators files search_space store",
        "score_candidate": (
            "candidates datasets errors estimators features files folds frame ordinal score store training_rows"
        ),
        "select_best": "candidates datasets errors files halving page search_report store",
        "train_classifier": (
            "datasets errors estimators features files folds frame leaks markdown model_writer ordinal store "
            "train training_report training_rows"
        ),
        "calibrate_classifier": (
            "calibrate calibrated datasets errors files frame markdown model model_writer ordinal store"
        ),
        "evaluate_classifier": (
            "calibrated datasets errors evaluate figures files frame intervals model ordinal page predict report "
            "results store truth"
        ),
        "evaluate_subgroups": (
            "calibrated code_words datasets errors figures files frame intervals model ordinal page predict "
            "results store subgroups subgroups_report truth"
        ),
        "inspect_answers": (
            "calibrated code_words datasets errors files frame inspection model ordinal page predict store truth"
        ),
        "explain_classifier": (
            "calibrated datasets dependence errors explain explain_report feature_groups files frame importance "
            "model ordinal page predict store truth"
        ),
        "explain_predictions": (
            "calibrated contributions contributions_report datasets errors feature_groups files frame model "
            "ordinal page predict store"
        ),
        "choose_champion": "errors files",
        "compare_classifiers": (
            "calibrated compare datasets decision_record errors figures files frame intervals markdown model "
            "ordinal predict store truth"
        ),
        "build_model_card": (
            "calibrated datasets document errors files frame markdown model model_card ordinal page stats19_limits "
            "store truth"
        ),
        "promote_model": "errors files promote",
        "predict_batch": (
            "batches calibrated class_shares datasets errors files frame model ordinal predict predict_batch store"
        ),
        "detect_drift": "column_picture datasets distance drift drift_report effects errors files page store",
        "export_model": (
            "calibrated datasets errors export files frame model onnx_encode onnx_graph onnx_model onnx_trees ordinal "
            "predict store"
        ),
        "register_model": "datasets errors exported files quote registry store",
        "deploy_kserve": "errors exported files kserve kserve_api quote rollout",
    }


def _without_docstrings(tree):
    """Return the tree without docstrings, but for the first line of the module's and of an empty body."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            if isinstance(node, ast.Module) or len(node.body) == 1:
                node.body[0].value.value = node.body[0].value.value.splitlines()[0]
            else:
                del node.body[0]
    return ast.dump(tree)


@pytest.mark.parametrize("name", components.STEPS)
def test_the_carried_text_is_the_source_itself(name, checkout):
    """Line for line the files of core, without comments, docstrings and blank lines, less indented."""
    command = components.STEPS[name].component_spec.implementation.container.command
    carried = {
        ast.literal_eval(node.targets[0].slice): ast.literal_eval(node.value)
        for node in ast.parse(command[-1]).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript)
    }
    assert set(carried) == carry.core_modules(components.STEPS[name].python_func) | {"errors"}
    for module, text in carried.items():
        source = (checkout / f"src/roadsafety_components/core/{module}.py").read_text()
        assert _without_docstrings(ast.parse(text)) == _without_docstrings(ast.parse(source))
        known = [line.strip() for line in source.splitlines()]
        for line in map(str.strip, text.splitlines()):
            code = line.removesuffix('"""')
            assert line in known or code in known or any(re.match(re.escape(line) + r"\s+#", k) for k in known)
        assert not [t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type == tokenize.COMMENT]


@pytest.mark.parametrize("name", components.STEPS)
def test_the_step_itself_is_carried_without_its_docstring(name):
    """KFP has taken the descriptions from it; rewording them changes no step's cache key."""
    command = components.STEPS[name].component_spec.implementation.container.command[-1]
    (step,) = [n for n in ast.parse(command).body if isinstance(n, ast.FunctionDef) and n.name == name]
    assert ast.get_docstring(step) is None
    assert "Args:" in components.STEPS[name].python_func.__doc__
    assert components.STEPS[name].component_spec.description


@pytest.mark.parametrize(
    "source",
    ['def f(): "doc"; return 1\n', "def f():\n  if 1:\n    return 2\n"],
)
def test_a_text_that_would_mean_something_else_is_refused(source):
    """Legal Python that shortening would break."""
    with pytest.raises(ValueError, match="cannot be carried: without its remarks it means something else"):
        carry._refuse_other_meaning(source)


def test_texts_of_several_lines_keep_their_blanks():
    """Also behind characters that are ends of lines to some readers, and in f-strings of every Python."""
    source = 'def f(a):\n    s = "x\x0by"\n    return s, """p\n        q""", f"""r\n\n        {a}\n    s"""\n'
    carry._refuse_other_meaning(source)
    assert carry._shortened(source) == source.replace("\n    s =", "\n s =").replace("\n    return", "\n return")


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
    """Only the last word of the command changes: modules at its front, and no docstring and comment."""

    @dsl.component(base_image="python:3.11-slim")
    def plain(rows: int = 3):
        """Do nothing."""
        from roadsafety_components.core import split  # noqa: F401

    before = list(plain.component_spec.implementation.container.command)
    after = carry.carries_core(plain).component_spec.implementation.container.command
    assert after[:-1] == before[:-1]
    assert after[-1].startswith(carry.MARK)
    own = before[-1].replace('    """Do nothing."""\n', "").replace("  # noqa: F401", "")
    own = re.sub("^ +", lambda blanks: " " * (len(blanks[0]) // 4), own, flags=re.MULTILINE)
    own = re.sub("\n+", "\n", own)
    assert after[-1].endswith(own)
