"""Models on disk: the same before and after, and nothing loaded that is not trusted."""

import functools
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import sklearn
import skops.io
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from roadsafety_components.core import files, store
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.frame import to_frame
from roadsafety_components.core.model import read_model
from roadsafety_components.core.model_writer import write_model

from .make import small_model


def records(classes: int) -> pa.Table:
    """Numbers, text, codes, gaps and a target."""
    rows = 90
    table = pa.table(
        {
            "speed_limit": [(20, 30, 60)[i % 3] for i in range(rows)],
            "age": [None if i % 7 == 0 else float(i) for i in range(rows)],
            "place": [("town", None, "village")[i // 2 % 3] for i in range(rows)],
            "road_type": [i % 5 for i in range(rows)],
            "severity": [("slight", "serious", "fatal")[(i // 3 + i) % classes] for i in range(rows)],
        }
    )
    return store.mark_columns(table, {"road_type": store.CATEGORY})


@pytest.fixture(scope="module")
def trained() -> tuple[Pipeline, store.Facts]:
    """A small forest."""
    return small_model(records(2), "severity", n_estimators=5)


def stored(trained: tuple[Pipeline, store.Facts], path: Path) -> Path:
    """The model in a file."""
    write_model(*trained, path)
    return path


def altered(path: Path, **entries: bytes | None) -> Path:
    """The file with entries replaced, or left out where None, by name without ``.json``."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content |= {f"{name}.json": text for name, text in entries.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in content.items():
            if text is not None:
                archive.writestr(name, text)
    return path


# The round trip


@pytest.mark.parametrize(
    "how",
    [
        {"algorithm": "random_forest", "folds": 2},
        {"algorithm": "hist_gradient_boosting", "folds": 3},
        {"algorithm": "hist_gradient_boosting", "ordered_classes": ["slight", "serious", "fatal"]},
        {"algorithm": "logistic_regression", "weight_column": "speed_limit"},
    ],
    ids=["forest", "boosting", "ordinal", "logistic"],
)
def test_the_same_training_gives_the_same_bytes(tmp_path: Path, how: dict) -> None:
    """In another process, with another number of threads and other hashes; and the model survives the file."""
    table = records(3)
    store.write_dataset(table, tmp_path / "data")
    code = (
        "import sys, json; sys.path.insert(0, sys.argv[1])\n"
        "from tests.core.make import small_model\n"
        "from roadsafety_components.core import datasets, model_writer\n"
        "table = datasets.read_dataset(sys.argv[2] + '/data')\n"
        "made = small_model(table, 'severity', **json.loads(sys.argv[3]))\n"
        "model_writer.write_model(*made, sys.argv[2] + '/' + sys.argv[4])"
    )
    for threads in ("1", "2"):
        variables = {**os.environ, "OMP_NUM_THREADS": threads, "PYTHONHASHSEED": threads}
        root = str(Path(__file__).parents[2])
        subprocess.run(
            [sys.executable, "-c", code, root, tmp_path, json.dumps(how), threads], check=True, env=variables
        )
    assert files.digest(tmp_path / "1") == files.digest(tmp_path / "2")
    model, facts = read_model(tmp_path / "1")
    again, _ = small_model(table, "severity", **how)
    x = to_frame(table, facts["features"])
    assert np.array_equal(model.predict_proba(x), again.predict_proba(x))


@pytest.mark.parametrize("class_weight", ["none", "balanced"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("algorithm", ["random_forest", "hist_gradient_boosting"])
def test_a_model_answers_the_same_before_and_after(
    tmp_path: Path, algorithm: str, classes: int, class_weight: str
) -> None:
    """Probabilities to the last bit, classes, and facts with the digest of the file."""
    table = records(classes)
    how = {"algorithm": algorithm, "class_weight": class_weight, "n_estimators": 5, "seed": 1}
    model, facts = small_model(table, "severity", **how)
    assert write_model(model, facts, tmp_path / "model") == facts
    back, told = read_model(tmp_path / "model")
    assert told == {**facts, "sha256": files.digest(tmp_path / "model")}
    assert back.classes_.tolist() == facts["classes"]
    x = to_frame(table, facts["features"])
    assert np.array_equal(back.predict_proba(x), model.predict_proba(x))
    assert back.predict(x).tolist() == model.predict(x).tolist()


def test_a_model_of_boosting_that_stopped_early_is_stored_too(tmp_path: Path) -> None:
    """Beyond 10,000 rows it keeps more about its own scores."""
    rng = np.random.default_rng(0)
    table = pa.table({"x": rng.random(11_000), "severity": rng.choice(["a", "b"], 11_000)})
    model, facts = small_model(table, "severity", algorithm="hist_gradient_boosting", n_estimators=30)
    write_model(model, facts, tmp_path / "model")
    x = to_frame(table, ["x"])
    assert np.array_equal(read_model(tmp_path / "model")[0].predict_proba(x), model.predict_proba(x))


def test_any_skops_can_open_the_file(trained, tmp_path: Path) -> None:
    """The facts are one more entry in it."""
    path = stored(trained, tmp_path / "model")
    model = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    assert model.classes_.tolist() == ["serious", "slight"]
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("roadsafety.json")) == trained[1]


def test_a_failure_leaves_no_file(trained, tmp_path: Path) -> None:
    """Facts that are no JSON stop the writing; an older model stays."""
    path = stored(trained, tmp_path / "model")
    before = path.read_bytes()
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_model(trained[0], {"table": object()}, path)
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_written_to_is_told(trained, tmp_path: Path) -> None:
    """A regular file stands in the way."""
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot write .*/file"):
        write_model(*trained, tmp_path / "file" / "model")


# What is not loaded


def test_no_file_is_told(tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(InputError, match=r"model: there is no file at .*nowhere"):
        read_model(tmp_path / "nowhere")


def zip_of_anything() -> bytes:
    """A zip that has nothing to do with a model."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.csv", "a,b\n")
    return content.getvalue()


class Bomb:
    """What a pickle may do when it is opened."""

    def __reduce__(self) -> tuple:
        """Ask for a file to be made."""
        return (Path.touch, (Path("exploded"),))


@pytest.mark.parametrize(
    "content",
    [pickle.dumps(Bomb()), b"", zip_of_anything(), zip_of_anything()[:-20], b"PAR1"],
    ids=["pickle", "empty", "zip", "zip cut short", "parquet"],
)
def test_what_is_no_skops_file_is_not_opened(tmp_path: Path, monkeypatch, content: bytes) -> None:
    """A pickle is told apart and does nothing."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").write_bytes(content)
    with pytest.raises(InputError, match=r"model: .*/model is not a skops file\. Models are read as skops only"):
        read_model(tmp_path / "model")
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_a_file_cut_short_is_told(trained, tmp_path: Path) -> None:
    """As half a download is."""
    path = stored(trained, tmp_path / "model")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="is not a skops file"):
        read_model(path)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_a_damaged_file_is_told(trained, tmp_path: Path, share: float) -> None:
    """A few bytes overwritten in what the zip packs."""
    path = stored(trained, tmp_path / "model")
    whole = path.read_bytes()
    at = int(len(whole) * share)
    path.write_bytes(whole[:at] + b"\xff" * 300 + whole[at + 300 :])
    with pytest.raises(InputError, match=r"model: .* cannot be loaded; it is damaged or of another version \(.+\)"):
        read_model(path)


@pytest.mark.parametrize(
    "entries",
    [{"schema": b"{"}, {"schema": b"{}"}, {"schema": b"[1]"}, {"roadsafety": b"{"}, {"roadsafety": b"{}"}],
    ids=["schema cut short", "schema empty", "schema strange", "facts cut short", "facts empty"],
)
def test_a_file_with_strange_entries_is_told(trained, tmp_path: Path, entries: dict[str, bytes]) -> None:
    """A zip that only looks like a model of ours."""
    path = altered(stored(trained, tmp_path / "model"), **entries)
    with pytest.raises(InputError, match=r"model: .* cannot be loaded; it is damaged or of another version"):
        read_model(path)


def test_a_skops_file_without_facts_is_told(trained, tmp_path: Path) -> None:
    """Its features and classes would be guesses."""
    skops.io.dump(trained[0], tmp_path / "model")
    with pytest.raises(InputError, match=r"has no facts about its features and classes \(entry roadsafety\.json\)"):
        read_model(tmp_path / "model")


class Foreign(DummyClassifier):
    """A type of somebody else's."""


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (FunctionTransformer(os.system), "posix.system"),
        (FunctionTransformer(functools.partial(os.system, "touch exploded")), "posix.system"),
        (FunctionTransformer(eval), "builtins.eval"),
        (Foreign(), "Foreign"),
    ],
    ids=["function", "partial", "eval", "class"],
)
def test_a_type_that_is_not_trusted_is_named_and_not_loaded(
    trained, tmp_path: Path, monkeypatch, step: object, told: str
) -> None:
    """Also within a partial, and though the facts are in order."""
    monkeypatch.chdir(tmp_path)
    write_model(Pipeline([("step", step)]), trained[1], tmp_path / "model")
    with pytest.raises(InputError, match=rf"holds types that are not trusted: .*{told}.* It was not loaded"):
        read_model(tmp_path / "model")
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


# Versions


@pytest.mark.parametrize(
    ("trained_with", "warns"),
    [("0.24.2", True), ("1.0.0", True), ("2.0.0", True), (sklearn.__version__, False)],
)
def test_another_minor_version_of_scikit_learn_is_said(
    trained, tmp_path: Path, capsys, trained_with: str, warns: bool
) -> None:
    """Loaded, with one line that names both versions; the same version says nothing."""
    model, facts = trained
    write_model(model, {**facts, "versions": {"scikit-learn": trained_with}}, tmp_path / "model")
    back, _ = read_model(tmp_path / "model")
    assert back.classes_.tolist() == ["serious", "slight"]
    told = (
        f"WARNING: the model was trained with scikit-learn {trained_with}; this is {sklearn.__version__}. Its scores "
        "may differ; train it again.\n"
    )
    assert capsys.readouterr().out == (told if warns else "")


def test_another_patch_version_is_no_matter(trained, tmp_path: Path, capsys) -> None:
    """1.9.0 and 1.9.1 are the same to a model."""
    major, minor = sklearn.__version__.split(".")[:2]
    write_model(trained[0], {**trained[1], "versions": {"scikit-learn": f"{major}.{minor}.99"}}, tmp_path / "model")
    read_model(tmp_path / "model")
    assert capsys.readouterr().out == ""
