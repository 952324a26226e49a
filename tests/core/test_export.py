"""Models as ONNX: the same answers by onnxruntime, or no file at all."""

import copy
import functools
import itertools
import json
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
import pytest
from sklearn.dummy import DummyClassifier

from roadsafety_components.core import export, onnx_graph, store
from roadsafety_components.core.calibrate import calibrate_classifier
from roadsafety_components.core.calibrated import CalibratedClassifier
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.estimators import ALGORITHMS, Settings
from roadsafety_components.core.model import read_model
from roadsafety_components.core.model_writer import write_model
from roadsafety_components.core.onnx_model import inputs_of, to_onnx
from roadsafety_components.core.predict import answers, probabilities
from roadsafety_components.core.train import train_classifier

from .make import small_model

ORDER = ("slight", "serious", "fatal")
KINDS = {
    "all": ["road", "code", "age", "speed", "cell", "number"],
    "codes": ["road", "code"],
    "numbers": ["age", "speed"],
    "numbers and many": ["age", "cell"],
}


def rows(number: int = 1200, seed: int = 0, classes: int = 2) -> pa.Table:
    """Text and codes, with 150 values and 130, and numbers; a tenth of most is missing. All of them tell the class."""
    rng = np.random.default_rng(seed)
    road = np.array(["A", "B", "M", "A(M)", "C & \u00e9"], object)[rng.integers(0, 5, number)]
    cell, many = rng.integers(0, 150, number), rng.integers(0, 130, number)
    code, speed, age = (
        rng.integers(-1, 14, number),
        rng.choice([20, 30, 40, 60, 70], number),
        rng.normal(40, 17, number),
    )
    score = (road == "M") + (code % 3 == 0) + age / 30 + speed / 40 + (many % 5 == 0) + (cell < 30)
    score = score + rng.normal(0, 1, number)
    worse = np.searchsorted(np.quantile(score, [0.6, 0.85][: classes - 1]), score)

    def gappy(values, kind):
        return pa.array(values, kind, mask=rng.random(number) < 0.1)

    table = pa.table({
        "road": gappy(road, pa.string()), "code": gappy(code, pa.int16()), "age": gappy(age, pa.float64()),
        "cell": gappy([f"{i}/1" for i in cell], pa.string()), "number": gappy(many, pa.int16()),
        "speed": pa.array(speed, pa.int16()), "y": np.array(ORDER, object)[worse],
    })  # fmt: skip
    return store.mark_columns(table, {"code": store.CATEGORY, "number": store.CATEGORY})


def strange(classes: int = 2) -> pa.Table:
    """Rows that training has not seen, some with values that it has not."""
    table = rows(3000, 1, classes)
    some = np.arange(3000) % 17 == 0
    new = {"road": pa.array(np.where(some, "new", table["road"].to_numpy(zero_copy_only=False)), from_pandas=True),
           "code": pa.array(np.where(some, 99, table["code"].to_numpy()), from_pandas=True)}  # fmt: skip
    for name, values in new.items():
        table = table.set_column(table.column_names.index(name), name, values)
    return table


@functools.cache
def learned(algorithm, classes, order, kind, monotonic):
    """Return a small model, its facts and rows out of fold."""
    table = rows(classes=classes).select([*KINDS[kind], "y"])
    settings = Settings(algorithm, n_estimators=15, max_leaf_nodes=12)
    return train_classifier(table, "y", settings, folds=2, ordered_classes=order, monotonic=dict(monotonic))


def trained(algorithm, classes=2, order=(), kind="all", calibration="none", target_recall=0.0, monotonic=()):
    """Return a small model and its facts."""
    model, facts, held = learned(algorithm, classes, order, kind, monotonic)
    return calibrate_classifier(copy.deepcopy(model), dict(facts), held, calibration, target_recall=target_recall)


def answered(model, facts, table):
    """What onnxruntime answers."""
    session = onnxruntime.InferenceSession(to_onnx(model, facts, {})[0].SerializeToString())
    return session.run(None, export.requested(facts, table))


@pytest.mark.parametrize("calibration", ["none", "sigmoid", "isotonic"])
@pytest.mark.parametrize(("classes", "order"), [(2, ()), (3, ()), (3, ORDER)], ids=["two", "three", "ordered"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_onnxruntime_answers_as_scikit_learn_does(algorithm, classes, order, calibration):
    """Every algorithm, on text and codes, few and many, numbers, gaps and values never seen."""
    model, facts = trained(algorithm, classes, order, calibration=calibration)
    table = strange(classes)
    given, label = answered(model, facts, table)
    right = probabilities(model, facts, table)
    assert len(np.unique(right[:, 0])) > 30
    assert abs(given - right).max() < 1e-8
    assert given.shape == (3000, classes)
    assert label[:, 0].tolist() == [facts["classes"][at] for at in answers(right, facts)]


@pytest.mark.filterwarnings("ignore:The y_prob values do not sum to one")  # of float32, while it is trained
@pytest.mark.parametrize("kind", list(KINDS)[1:])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_model_may_lack_a_kind_of_column(algorithm, kind):
    """Codes alone, numbers alone (which scikit-learn's regression reckons in float32), numbers and shares."""
    model, facts = trained(algorithm, kind=kind, calibration="sigmoid")
    table = strange()
    assert abs(answered(model, facts, table)[0] - probabilities(model, facts, table)).max() < 5e-7


def test_a_constrained_model_and_one_of_single_leaves_are_exported():
    """Monotonic boosting; trees that do not ask for anything."""
    table = strange()
    for how in ({"monotonic": (("speed", 1),)}, {"order": ORDER[:2], "monotonic": (("age", -1),)}):
        model, facts = trained("hist_gradient_boosting", **how)
        assert abs(answered(model, facts, table)[0] - probabilities(model, facts, table)).max() < 1e-8
    for algorithm in ALGORITHMS[:2]:
        model, facts = small_model(rows(), "y", algorithm=algorithm, min_samples_leaf=1200, n_estimators=2)
        assert abs(answered(model, facts, table)[0] - probabilities(model, facts, table)).max() < 1e-8


@pytest.mark.parametrize("positive", ["serious", "slight"])
def test_the_label_follows_the_threshold(positive):
    """Where the model has one; a row at the threshold is positive."""
    model, facts = trained("hist_gradient_boosting", target_recall=0.9)
    value = probabilities(model, facts, strange())[7, facts["classes"].index(positive)]
    facts |= {"threshold": {"positive_class": positive, "value": value}}
    given, label = answered(model, facts, strange())
    reached = given[:, facts["classes"].index(positive)] >= value
    assert 0 < reached.mean() < 1
    assert label[:, 0].tolist() == np.where(reached, positive, ({*facts["classes"]} - {positive}).pop()).tolist()


def test_no_value_is_nan_or_empty_text():
    """A request says it so; rows come one at a time or many."""
    model, facts = trained("hist_gradient_boosting")
    session = onnxruntime.InferenceSession(to_onnx(model, facts, {})[0].SerializeToString())
    kinds = [("road", "tensor(string)"), ("code", "tensor(float)"), ("age", "tensor(float)")]
    assert [(i.name, i.type) for i in session.get_inputs()][:3] == kinds
    nothing = {n: np.array([["" if k == "BYTES" else np.nan]], export.DTYPES[k]) for n, k in inputs_of(facts).items()}
    missing = pa.table(
        {n: pa.nulls(1, pa.string() if k == "BYTES" else pa.int16()) for n, k in inputs_of(facts).items()}
    )
    assert abs(session.run(None, nothing)[0] - probabilities(model, facts, missing)).max() < 1e-9


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_same_model_gives_the_same_bytes(algorithm, tmp_path):
    """Also after it was stored and read."""
    model, facts = trained(algorithm)
    write_model(model, facts, tmp_path / "model.skops")
    files = []
    for number in range(2):
        told = export.export_model(*read_model(tmp_path / "model.skops"), tmp_path / str(number))
        files.append((tmp_path / str(number) / "model/1/model.onnx").read_bytes())
    assert files[0] == files[1]
    assert to_onnx(model, facts, {})[0].graph == onnx.load_from_string(files[0]).graph
    assert told["onnx_bytes"] == len(files[0])


def test_the_folder_is_what_the_server_reads(tmp_path):
    """A model repository of Triton: configuration, version, file; nothing else."""
    model, facts = trained("random_forest", kind="codes", target_recall=0.8)
    facts["sha256"] = "sha256:ab"
    told = export.export_model(model, facts, tmp_path / "exported", "severity", check_data=strange())
    found = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert found == ["exported/severity/1/model.onnx", "exported/severity/config.pbtxt"]
    assert (tmp_path / "exported/severity/config.pbtxt").read_text() == (
        'name: "severity"\n'
        'backend: "onnxruntime"\n'
        "max_batch_size: 0\n"
        "instance_group [ { kind: KIND_CPU } ]\n"
        'input { name: "road" data_type: TYPE_STRING dims: [ -1, 1 ] }\n'
        'input { name: "code" data_type: TYPE_FP32 dims: [ -1, 1 ] }\n'
        'output { name: "probabilities" data_type: TYPE_FP64 dims: [ -1, 2 ] }\n'
        'output { name: "label" data_type: TYPE_STRING dims: [ -1, 1 ] }\n'
    )
    stored = onnx.load(tmp_path / "exported/severity/1/model.onnx")
    written = {p.key: p.value for p in stored.metadata_props}
    assert json.loads(written["features"]) == {"road": "BYTES", "code": "FP32"}
    assert json.loads(written["classes"]) == ["serious", "slight"]
    assert json.loads(written["threshold"]) == facts["threshold"]
    assert (written["model"], written["algorithm"]) == ("sha256:ab", "random_forest")
    assert {o.domain or "ai.onnx": o.version for o in stored.opset_import} == {"ai.onnx": 17, "ai.onnx.ml": 3}
    assert told["inputs"] == {"road": "BYTES", "code": "FP32"}
    assert told["outputs"] == {"probabilities": "FP64", "label": "BYTES"}
    assert (told["served_name"], told["checked_rows"], told["sha256"]) == ("severity", 13_000, "sha256:ab")
    assert told["largest_difference"] < 1e-9
    assert told["versions"]["onnxruntime"] == onnxruntime.__version__


difference = export.largest_difference


class Optimist(CalibratedClassifier):
    """Answers a little more than the curve it was exported with."""

    def predict_proba(self, x):
        """By two millionths."""
        return super().predict_proba(x) + np.array([2e-6, -2e-6])


def test_a_file_that_would_answer_otherwise_is_not_written(tmp_path):
    """The step says how far off it is, and leaves nothing."""
    model, facts = trained("hist_gradient_boosting", calibration="sigmoid")
    off = Optimist(model.estimator, model.calibrators, model.method)
    with pytest.raises(
        InputError, match="up to 2e-06 apart on made-up rows, and 1e-06 is the most; nothing was written"
    ):
        export.export_model(off, facts, tmp_path / "exported")
    assert list(tmp_path.iterdir()) == []


def test_rows_that_are_given_are_tried_too(tmp_path, monkeypatch):
    """What the made-up rows do not show, they may."""
    model, facts = trained("hist_gradient_boosting", calibration="sigmoid")
    off = Optimist(model.estimator, model.calibrators, model.method)
    right = export.made_up_rows
    monkeypatch.setattr(export, "made_up_rows", lambda *a: right(*a).slice(0, 0))
    monkeypatch.setattr(export, "largest_difference", lambda *a: difference(*a) if a[3].num_rows else 0.0)
    with pytest.raises(InputError, match="apart on check_data"):
        export.export_model(off, facts, tmp_path / "exported", check_data=strange())


def test_a_probability_that_is_none_is_not_equal():
    """NaN on one side is a difference."""
    model, facts = trained("logistic_regression")

    class Broken:
        def run(self, names, feed):
            given = np.full((len(feed["age"]), 2), np.nan)
            return given, np.full((len(given), 1), facts["classes"][0], dtype=object)

    assert np.isnan(difference(Broken(), model, facts, strange()))


def test_a_label_that_does_not_follow_is_told():
    """The probabilities may be right and the label not."""
    model, facts = trained("logistic_regression")

    class Contrary:
        def run(self, names, feed):
            given = np.tile([0.9, 0.1], (len(feed["age"]), 1))
            return given, np.full((len(given), 1), "slight", dtype=object)

    with pytest.raises(InputError, match="as ONNX 3000 of 3000 labels do not follow"):
        difference(Contrary(), model, facts, strange())


def test_made_up_rows_stand_where_answers_turn():
    """At each threshold and beside it, every category, values never seen, and none."""
    model, facts = trained("hist_gradient_boosting", kind="all")
    turns = to_onnx(model, facts, {})[1]
    assert set(turns) == set(facts["features"])
    assert {"A", "B", "M", "A(M)", "C & \u00e9"} < set(turns["road"])
    table = export.made_up_rows(inputs_of(facts), turns)
    assert table.num_rows == 10_000
    assert set(table["road"].to_pylist()) == {*turns["road"], "", None}
    speeds = set(table["speed"].drop_null().to_pylist())
    for threshold in turns["speed"]:
        at = np.float32(threshold)
        assert {float(np.nextafter(at, np.float32(side))) for side in (-np.inf, 0, np.inf)} & speeds
        assert float(at) in speeds
    assert all(0.05 < table[n].null_count / 10_000 < 0.15 for n in table.column_names)
    assert table.equals(export.made_up_rows(inputs_of(facts), turns))


def test_what_cannot_be_exported_is_refused(tmp_path):
    """With the reason, and what to do."""
    model, facts = trained("logistic_regression", kind="codes")
    with pytest.raises(InputError, match="feature label has the name of an output; rename the column"):
        to_onnx(model, facts | {"features": ["label", "code"]}, {})
    model.steps[-1] = ("classify", DummyClassifier())
    with pytest.raises(InputError, match="a DummyClassifier cannot be exported, what train_classifier makes can"):
        to_onnx(model, facts, {})
    for name in ("", "../x", "a/b", ".x", "x y"):
        with pytest.raises(InputError, match="served_name is"):
            export.export_model(model, facts, tmp_path, name)


def test_empty_text_cannot_be_a_category():
    """In a request it stands for no value."""
    table = rows()
    road = table["road"].fill_null("")
    model, facts = small_model(table.set_column(0, "road", road), "y")
    with pytest.raises(InputError, match="feature road has the empty text for a category"):
        to_onnx(model, facts, {})


def test_empty_text_never_learned_is_a_missing_value(tmp_path):
    """In check_data too, as a server would take it."""
    model, facts = trained("logistic_regression", kind="codes")
    table = strange()
    table = table.set_column(0, "road", table["road"].fill_null(""))
    assert export.export_model(model, facts, tmp_path / "x", check_data=table)["largest_difference"] < 1e-9


def test_rows_of_another_kind_are_refused(tmp_path):
    """As predict_batch refuses them."""
    model, facts = trained("random_forest", kind="codes")
    with pytest.raises(InputError, match="check_data: no feature code"):
        export.export_model(model, facts, tmp_path / "x", check_data=strange().select(["road"]))


def test_a_file_beyond_two_gigabytes_is_refused(monkeypatch):
    """ONNX files cannot be larger; here the limit is lower."""
    model, facts = trained("random_forest")
    monkeypatch.setattr(onnx_graph.onnx.checker, "MAXIMUM_PROTOBUF", 10_000)
    with pytest.raises(
        InputError, match=r"as ONNX it has \d+ bytes, and such a file may have 2 GB\. Train it with fewer"
    ):
        to_onnx(model, facts, {})


def test_a_feature_that_the_model_never_asks_for_is_an_input_all_the_same(tmp_path):
    """The request does not depend on what the trees happened to use."""
    table = rows().append_column("lost", pa.nulls(1200, pa.float64()))
    model, facts = small_model(rows(), "y", algorithm="hist_gradient_boosting")
    facts["features"] = ["lost", *facts["features"]]
    told = export.export_model(model, facts, tmp_path / "x", check_data=table)
    assert next(iter(told["inputs"])) == "lost"


def test_metrics_tell_what_was_checked():
    """As numbers that KFP takes."""
    logged = {}

    class Metrics:
        def log_metric(self, name, value, /):
            logged[name] = value

    export.log_export({"checked_rows": 10_000, "largest_difference": 2e-13, "onnx_bytes": 12345}, Metrics())
    assert logged == {"checked_rows": 10_000.0, "largest_difference": 2e-13, "onnx_bytes": 12345.0}
    assert {type(value) for value in logged.values()} == {float}


_WITHOUT = """
import sys
import numpy as np, pyarrow as pa
import roadsafety_components
from roadsafety_components.core.estimators import Settings
from roadsafety_components.core.predict import probabilities
from roadsafety_components.core.train import train_classifier
table = pa.table({"x": np.arange(60.0), "y": ["a", "b"] * 30})
model, facts, _ = train_classifier(table, "y", Settings(n_estimators=2), folds=0)
probabilities(model, facts, table)
print(sorted({m.partition(".")[0] for m in sys.modules} & {"onnx", "onnxruntime", "skl2onnx", "kubernetes"}))
"""


def test_nothing_else_needs_what_exports():
    """The package with all its steps, training and prediction import none of the extra."""
    done = subprocess.run([sys.executable, "-c", _WITHOUT], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_pair_of_outputs_is_named_apart():
    """No name within the graph is given twice, whatever the features are called."""
    model, facts = trained("hist_gradient_boosting", 3, ORDER, calibration="isotonic")
    graph = to_onnx(model, facts, {})[0].graph
    names = [*itertools.chain(*(n.output for n in graph.node)), *(c.name for c in graph.initializer),
             *(i.name for i in graph.input)]  # fmt: skip
    assert len(names) == len(set(names))
