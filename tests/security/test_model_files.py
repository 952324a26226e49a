"""Model files that an attacker wrote: refused before anything in them runs."""

import functools
import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pyarrow as pa
import pytest
import skops.io
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from roadsafety_components.core.calibrate import calibrators
from roadsafety_components.core.calibrated import CalibratedClassifier
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.model import read_model
from roadsafety_components.core.model_writer import write_model
from roadsafety_components.core.store import CATEGORY, mark_columns

from ..core.make import small_model

PAYLOAD = "touch exploded"


def records(classes: int = 2) -> pa.Table:
    """Text of few and of many values, a code, a number with gaps, a target."""
    rows = 120
    table = pa.table(
        {
            "place": [("town", None, "village")[i // 2 % 3] for i in range(rows)],
            "district": [f"district {i % 40}" for i in range(rows)],
            "road_type": [i % 5 for i in range(rows)],
            "age": [None if i % 7 == 0 else float(i * 37 % 90) for i in range(rows)],
            "severity": [("slight", "serious", "fatal")[(i // 3 + i) % classes] for i in range(rows)],
        }
    )
    return mark_columns(table, {"road_type": CATEGORY})


@pytest.fixture(scope="module")
def trained() -> tuple[Any, dict]:
    """A small forest and its facts."""
    return small_model(records(), "severity", n_estimators=3)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    """The working folder, where a payload would leave its mark."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def node(loader: str, name: str, **more: Any) -> dict:
    """A node of a skops schema, by hand."""
    module, _, kind = name.rpartition(".")
    return {"__loader__": loader, "__module__": module, "__class__": kind, **more}


def text(value: str) -> dict:
    """A text within a schema."""
    return node("JsonNode", "builtins.str", content=json.dumps(value), is_json=True)


def together(*items: dict) -> dict:
    """A tuple within a schema."""
    return node("TupleNode", "builtins.tuple", content=list(items))


def packed(path: Path, entries: dict[str, bytes]) -> Path:
    """A zip of entries."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def entries_of(path: Path) -> dict[str, bytes]:
    """The entries of a zip."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_schema(trained: tuple[Any, dict], path: Path, change: Callable[[dict], Any]) -> Path:
    """A model of ours whose schema is what ``change`` makes of it; facts and arrays stay."""
    write_model(*trained, path)
    entries = entries_of(path)
    schema = json.loads(entries["schema.json"])
    entries["schema.json"] = json.dumps(change(schema) or schema).encode()
    return packed(path, entries)


def hung_in(part: dict) -> Callable[[dict], None]:
    """What puts a node where the model keeps an attribute that nothing reads."""

    def change(schema: dict) -> None:
        schema["content"]["content"]["verbose"] = part

    return change


SYSTEM = node("FunctionNode", "posix.system")
NOTHING = node("DictNode", "builtins.dict", content={}, key_types=node("ListNode", "builtins.list", content=[]))
ATTACKS = {
    "a function that runs commands": SYSTEM,
    "the same as a type": node("TypeNode", "posix.system"),
    "a builtin that runs code": node("TypeNode", "builtins.eval"),
    "a constructor that starts a process": node(
        "ConstructorFromReduceNode", "subprocess.Popen",
        content=together(node("ListNode", "builtins.list", content=[text(word) for word in PAYLOAD.split()])),
    ),
    "a partial around a command": node(
        "PartialNode", "functools.partial",
        content={"func": SYSTEM, "args": together(text(PAYLOAD)), "kwds": NOTHING, "namespace": NOTHING},
    ),
    "operator.methodcaller": node("OperatorFuncNode", "operator.methodcaller", attrs=together(text("system"))),
    "operator.attrgetter": node("OperatorFuncNode", "operator.attrgetter", attrs=together(text("__globals__"))),
    "a constructor under the name of one that is trusted": node("LossNode", "subprocess.Popen", content=NOTHING,
                                                                __reduce__={"args": together(text(PAYLOAD))}),
    "a bit generator that is none": node("RandomGeneratorNode", "numpy.random.mtrand.RandomState", content={}),
    "another module's class of a known name": node("ObjectNode", "os.Pipeline", content=NOTHING),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_crafted_schema_is_refused_before_anything_runs(trained, folder: Path, attack: str) -> None:
    """The rest of the file is a good model of ours, facts and all."""
    path = with_schema(trained, folder / "model", hung_in(ATTACKS[attack]))
    with pytest.raises(InputError, match=r"holds types that are not trusted|Untrusted types found"):
        read_model(path)
    assert [p.name for p in folder.iterdir()] == ["model"]


def test_the_attacks_are_real(trained, folder: Path) -> None:
    """With every type in it trusted, skops would start the process: what protects is the list."""
    path = with_schema(trained, folder / "model", hung_in(ATTACKS["a constructor that starts a process"]))
    model = skops.io.load(path, trusted=[*skops.io.get_untrusted_types(file=path), "posix.system"])
    model.verbose.wait(10)
    assert (folder / "exploded").exists()


def test_a_bound_method_of_a_known_type_is_refused(trained, folder: Path) -> None:
    """``MethodNode`` has the class of its owner, which is trusted; the method is not."""

    def change(schema: dict) -> dict:
        owner = {key: value for key, value in schema.items() if key not in ("protocol", "_skops_version")}
        name = f"{schema['__module__']}.{schema['__class__']}"
        method = node("MethodNode", name, content={"func": "fit", "obj": owner})
        return {**node("ListNode", "builtins.list", content=[method]), "protocol": schema["protocol"]}

    path = with_schema(trained, folder / "model", change)
    with pytest.raises(InputError, match=r"Untrusted types found.*Pipeline\.fit"):
        read_model(path)


@pytest.mark.parametrize(
    "step",
    [
        FunctionTransformer(os.system),
        FunctionTransformer(functools.partial(os.system, PAYLOAD)),
        CountVectorizer(input="filename"),
        Pipeline([("inner", CountVectorizer(input="filename"))], memory="/somewhere"),
    ],
    ids=["command", "partial", "reads files that the data name", "nested"],
)
def test_only_the_estimators_that_our_models_have_are_loaded(trained, folder: Path, step: Any) -> None:
    """Of skops: it trusts all of scikit-learn's; one of them opens the files that its input names."""
    write_model(Pipeline([("step", step)]), trained[1], folder / "model")
    with pytest.raises(InputError, match=r"holds types that are not trusted: .*(posix\.system|CountVectorizer)"):
        read_model(folder / "model")
    assert [p.name for p in folder.iterdir()] == ["model"]


class Bomb:
    """What a pickle does when it is opened."""

    def __reduce__(self) -> tuple:
        """Ask for a command to be run."""
        return (os.system, (PAYLOAD,))


def joblib_bytes(value: Any) -> bytes:
    """A value as joblib stores it."""
    file = io.BytesIO()
    joblib.dump(value, file)
    return file.getvalue()


@pytest.mark.parametrize("as_entry", [False, True], ids=["file", "within a zip"])
@pytest.mark.parametrize("dump", [pickle.dumps, joblib_bytes], ids=["pickle", "joblib"])
def test_a_pickle_is_never_opened(folder: Path, dump: Callable[[Any], bytes], as_entry: bool) -> None:
    """By any name, alone or in a zip beside a schema."""
    content = dump(Bomb())
    if as_entry:
        packed(folder / "model", {"schema.json": content, "model.pkl": content})
    else:
        (folder / "model").write_bytes(content)
    with pytest.raises(InputError, match=r"is not a skops file|cannot be loaded"):
        read_model(folder / "model")
    assert [p.name for p in folder.iterdir()] == ["model"]


def test_an_array_of_objects_is_not_unpickled(trained, folder: Path) -> None:
    """An array file can hold a pickle."""
    write_model(*trained, folder / "model")
    entries = entries_of(folder / "model")
    file = io.BytesIO()
    np.save(file, np.array([Bomb()], dtype=object), allow_pickle=True)
    entries |= {name: file.getvalue() for name in entries if name.endswith(".npy")}
    packed(folder / "model", entries)
    with pytest.raises(InputError, match="cannot be loaded"):
        read_model(folder / "model")
    assert [p.name for p in folder.iterdir()] == ["model"]


# Archives


def test_an_archive_that_unpacks_to_many_times_its_size_is_refused(trained, folder: Path) -> None:
    """50 MB of zeros beside a good model of a few kB."""
    write_model(*trained, folder / "model")
    packed(folder / "model", entries_of(folder / "model") | {"more.npy": bytes(50_000_000)})
    with pytest.raises(InputError, match="unpacks to over 100 times its size"):
        read_model(folder / "model")


def test_an_array_that_claims_to_be_huge_is_refused(trained, folder: Path) -> None:
    """The header of an array is believed by nobody."""
    write_model(*trained, folder / "model")
    entries = entries_of(folder / "model")
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**15,)})
    entries |= {name: file.getvalue() for name in entries if name.endswith(".npy")}
    packed(folder / "model", entries)
    with pytest.raises(InputError, match="cannot be loaded"):
        read_model(folder / "model")


def test_a_schema_that_is_nested_without_end_is_refused(trained, folder: Path) -> None:
    """Brackets alone."""
    write_model(*trained, folder / "model")
    packed(folder / "model", entries_of(folder / "model") | {"schema.json": b"[" * 200_000 + b"]" * 200_000})
    with pytest.raises(InputError, match=r"cannot be loaded|over 100 times"):
        read_model(folder / "model")


def test_names_in_the_archive_never_become_paths(trained, folder: Path) -> None:
    """A model is read in memory: entries that point elsewhere are bytes, not files."""
    write_model(*trained, folder / "model")
    evil = dict.fromkeys(("../evil", "/tmp/roadsafety-evil", "..\\evil", "a/../../evil"), b"x")
    packed(folder / "model", entries_of(folder / "model") | evil)
    model, _ = read_model(folder / "model")
    assert model.classes_.tolist() == ["serious", "slight"]
    assert [p.name for p in folder.iterdir()] == ["model"]
    assert not (folder.parent / "evil").exists()
    assert not Path("/tmp/roadsafety-evil").exists()


# Trees, whose indices compiled code follows without a look


TREES = [
    ("random_forest", "left_child", 10**8),
    ("random_forest", "right_child", 10**8),
    ("random_forest", "left_child", -5),
    ("random_forest", "left_child", 0),  # back to itself: predicting would never end
    ("random_forest", "feature", 10**8),
    ("random_forest", "feature", -3),
    ("hist_gradient_boosting", "left", 10**8),
    ("hist_gradient_boosting", "right", 0),
    ("hist_gradient_boosting", "feature_idx", 4),  # one beyond the last column
    ("hist_gradient_boosting", "feature_idx", -1),
    ("hist_gradient_boosting", "bitset_idx", 10**6),
]


@pytest.mark.parametrize(("algorithm", "field", "value"), TREES)
def test_a_tree_that_leads_out_of_itself_is_refused(folder: Path, algorithm: str, field: str, value: int) -> None:
    """scikit-learn would read another's memory, crash, or go in circles; every type in the file is a trusted one."""
    write_model(*small_model(records(), "severity", algorithm=algorithm, n_estimators=3), folder / "model")
    entries, changed = entries_of(folder / "model"), 0
    for name, content in entries.items():
        nodes = np.load(io.BytesIO(content)) if name.endswith(".npy") else np.zeros(0)
        if field in (nodes.dtype.names or ()):
            chosen = nodes["is_categorical"].astype(bool) if field == "bitset_idx" else slice(1)
            nodes[field][chosen] = value
            changed += nodes[chosen].size
            file = io.BytesIO()
            np.save(file, nodes)
            entries[name] = file.getvalue()
    assert changed
    packed(folder / "model", entries)
    with pytest.raises(InputError, match="a tree in it leads out of itself"):
        read_model(folder / "model")


def turned_back(tree: Any) -> None:
    """Make the root of a fitted tree its own child."""
    state = tree.__getstate__()
    state["nodes"] = state["nodes"].copy()
    state["nodes"]["left_child"][0] = 0
    tree.__setstate__(state)


def given_once(path: Path, kind: str) -> int:
    """Leave of each object of a kind that a schema has again only its number, as skops allows; how many were left."""
    entries, seen, cut = entries_of(path), set(), 0

    def see(part: dict) -> dict:
        nonlocal cut
        if part.get("__class__") != kind or "__id__" not in part or part["__id__"] not in seen:
            seen.add(part.get("__id__"))
            return part
        cut += 1
        return {name: part[name] for name in ("__class__", "__module__", "__loader__", "__id__")}

    entries["schema.json"] = json.dumps(json.loads(entries["schema.json"], object_hook=see)).encode()
    packed(path, entries)
    return cut


def refused_where_given_once(model: Any, facts: Any, path: Path, kind: str) -> None:
    """The model is refused for its bad tree, though parts of the kind are in the file once and given twice."""
    write_model(model, facts, path)
    assert given_once(path, kind)
    with pytest.raises(InputError, match="a tree in it leads out of itself"):
        read_model(path)


def test_a_tree_that_is_given_twice_hides_no_other(folder: Path) -> None:
    """As many trees as there are in the file lead on, but one of those is counted twice, and the last never ends."""
    model, facts = small_model(records(), "severity", n_estimators=2)
    forest = model["classify"]
    good, bad = forest.estimators_
    turned_back(bad.tree_)
    forest.estimators_ = [good, good, bad]
    refused_where_given_once(model, facts, folder / "model", "DecisionTreeClassifier")


def test_a_part_that_is_given_twice_hides_no_other(folder: Path) -> None:
    """The same one level up, among the parts of an ordinal model."""
    how = {"algorithm": "random_forest", "ordered_classes": ["slight", "serious", "fatal"]}
    model, facts = small_model(records(3), "severity", n_estimators=2, **how)
    ordinal = model["classify"]
    good, bad = ordinal.estimators
    for tree in bad.estimators_:
        turned_back(tree.tree_)
    ordinal.estimators = [good, good, bad]
    refused_where_given_once(model, facts, folder / "model", "RandomForestClassifier")


def as_a_curve(model: Any) -> Any:
    """A tree of the forest as what calibrates: it would be asked with one column, and is not told how many it had."""
    tree = model["classify"].estimators_[0]
    del tree.n_features_in_
    return CalibratedClassifier(model, [tree], "sigmoid")


def behind_another_pipeline(model: Any) -> Any:
    """The forest is asked by a pipeline within, whose encoder may give fewer columns."""
    inner = Pipeline(model.steps)
    inner.estimators_ = model["classify"].estimators_
    model.steps = [model.steps[0], ("classify", inner)]
    return model


def behind_a_false_estimator(model: Any) -> Any:
    """A pipeline with an attribute that only calibrated models have: another forest than the one that is asked."""
    model.estimator = Pipeline(model.steps)
    model.steps = [model.steps[0], ("classify", Pipeline(model.steps))]
    return model


def in_place_of_a_tree(model: Any) -> Any:
    """The tree of one member is another member, which has a tree of its own."""
    first, second, _ = model["classify"].estimators_
    for name in ("children_left", "children_right", "feature"):
        setattr(second, name, getattr(first.tree_, name))
    first.tree_ = second
    return model


@pytest.mark.parametrize("moved", [as_a_curve, behind_another_pipeline, behind_a_false_estimator, in_place_of_a_tree])
def test_trees_are_asked_only_where_they_were_looked_at(folder: Path, moved: Callable[[Any], Any]) -> None:
    """The trees are good; elsewhere they would be asked with fewer columns than they know, or be others."""
    model, facts = small_model(records(), "severity", n_estimators=3)
    write_model(moved(model), facts, folder / "model")
    assert given_once(folder / "model", "DecisionTreeClassifier")
    with pytest.raises(InputError, match=r"cannot be loaded.* \(\{'\w+'\}, not "):
        read_model(folder / "model")


def test_a_model_of_fewer_columns_than_its_trees_know_is_refused(folder: Path) -> None:
    """The width counts that the encoder gives, not what the classifier says of itself."""
    model, facts = small_model(records(), "severity", algorithm="hist_gradient_boosting", n_estimators=3)
    model.named_steps["classify"]._preprocessor = None
    model.named_steps["encode"].transformers_ = model.named_steps["encode"].transformers_[:1]
    write_model(model, facts, folder / "model")
    with pytest.raises(InputError, match="cannot be loaded"):
        read_model(folder / "model")


# What is ours is loaded


@pytest.mark.parametrize("calibration", ["none", "sigmoid", "isotonic"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    "how",
    [
        {"algorithm": "random_forest"},
        {"algorithm": "hist_gradient_boosting", "max_features": 0.5},
        {"algorithm": "hist_gradient_boosting", "ordered_classes": True},
        {"algorithm": "logistic_regression", "class_weight": "balanced"},
    ],
    ids=["forest", "boosting", "ordinal", "logistic"],
)
def test_every_kind_of_model_that_the_steps_write_is_loaded(tmp_path, how: dict, classes: int, calibration) -> None:
    """The list of types is long enough."""
    order = ["slight", "serious", "fatal"][:classes]
    how = how | ({"ordered_classes": order} if how.get("ordered_classes") else {})
    model, facts = small_model(records(classes), "severity", n_estimators=3, **how)
    if calibration != "none":
        rng = np.random.default_rng(0)
        given = rng.dirichlet(np.ones(classes), 60)
        y = np.array(facts["classes"], dtype=object)[rng.integers(0, classes, 60)]
        model = CalibratedClassifier(model, calibrators(given, y, facts["classes"], calibration), calibration)
    write_model(model, facts, tmp_path / "model")
    assert read_model(tmp_path / "model")[0].classes_.tolist() == facts["classes"]
