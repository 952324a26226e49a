"""What docs/serving.md says of exporting and of asking an exported model is so."""

import json
import re

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest

from roadsafety_components.core.export import export_model
from roadsafety_components.core.predict import answers, probabilities
from roadsafety_components.core.train import train_classifier

TYPES = {"FP32": np.float32, "BYTES": object}


@pytest.fixture
def page(checkout):
    """Return the page up to its heading Deploy."""
    return (checkout / "docs" / "serving.md").read_text().partition("\n## Deploy\n")[0]


@pytest.fixture
def model(tmp_path):
    """Return a model of the three features of the page, and its facts; it is exported to the page's folder."""
    at = np.arange(300)
    table = pa.table({
        "speed_limit": pa.array([20, 30, 60] * 100, pa.int16()),
        "age_of_driver": pa.array((at * 37) % 70 + 17, pa.int16(), mask=at % 9 == 0),
        "road_user": pa.array([("car", "cyclist", None)[i // 3 % 3] for i in at]),
        "ksi": np.where((at % 3 == 2) ^ (at // 3 % 3 == 1) ^ (at % 11 == 0), "ksi", "slight"),
    })  # fmt: skip
    model, facts, _ = train_classifier(table, "ksi", folds=0)
    export_model(model, facts, tmp_path / "exported", "severity")
    return model, facts


def blocks(page, language):
    """Return the page's blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_the_request_on_the_page_is_answered(page, model, tmp_path):
    """Each input is taken as the protocol says; the answer has the form of the page's."""
    request, response = (json.loads(block) for block in blocks(page, "json"))
    feed = {i["name"]: np.array(i["data"], TYPES[i["datatype"]]).reshape(i["shape"]) for i in request["inputs"]}
    session = onnxruntime.InferenceSession(tmp_path / "exported/severity/1/model.onnx")
    given, label = session.run(None, feed)
    table = pa.table({
        "speed_limit": [30, 60], "age_of_driver": [47, None], "road_user": pa.array(["car", None]),
    })  # fmt: skip
    right = probabilities(*model, table)
    assert abs(given - right).max() < 1e-9
    assert label[:, 0].tolist() == [model[1]["classes"][at] for at in answers(right, model[1])]
    shown = {o["name"]: o for o in response["outputs"]}
    assert {o.name: [*o.shape[1:]] for o in session.get_outputs()} == {n: o["shape"][1:] for n, o in shown.items()}
    assert [len(o["data"]) for o in shown.values()] == [given.size, label.size]
    assert (given.dtype, shown["probabilities"]["datatype"]) == (np.float64, "FP64")
    assert np.sum(np.reshape(shown["probabilities"]["data"], (2, 2)), axis=1).tolist() == [1, 1]


def test_python_on_the_page_runs(page, model, tmp_path, monkeypatch):
    """The row without a server, and one of which nothing is known."""
    (block,) = blocks(page, "python")
    monkeypatch.chdir(tmp_path)
    for row, told in ((None, [30, 47, "car"]), ("{}", [None, None, None])):
        found = {}
        exec(re.sub(r"row = .*", f"row = {row}", block) if row else block, found)
        kinds = (pa.int16(), pa.int16(), pa.string())
        table = pa.table({n: pa.array([v], k) for n, v, k in zip(model[1]["features"], told, kinds, strict=True)})
        assert abs(found["probabilities"] - probabilities(*model, table)).max() < 1e-9
        assert found["label"].shape == (1, 1)


def test_the_folder_on_the_page_is_what_is_written(page, model, tmp_path):
    """File by file."""
    shown = re.findall(r"^(exported/\S+) ", page, re.MULTILINE)
    written = [p for p in (tmp_path / "exported").rglob("*") if p.is_file()]
    assert sorted(shown) == sorted(str(p.relative_to(tmp_path)) for p in written)
