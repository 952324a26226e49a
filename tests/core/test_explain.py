"""What a model goes by, on tables whose answer is known, and what is refused."""

import json

import numpy as np
import pyarrow as pa
import pytest

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.explain import explain_classifier
from roadsafety_components.core.model import read_model
from roadsafety_components.core.model_writer import write_model
from roadsafety_components.core.store import facts_of, with_facts

from .make import small_model


class Model:
    """Answers p for ksi, whatever noise is."""

    def predict_proba(self, frame):
        """The probabilities of ksi and of slight."""
        given = frame["p"].to_numpy(np.float64)
        return np.column_stack([given, 1 - given])


FACTS = {
    "classes": ["ksi", "slight"], "class_counts": {"ksi": 1, "slight": 9}, "features": ["noise", "p"],
    "text_features": [], "target_column": "severity", "sha256": "m",
}  # fmt: skip
TABLE = with_facts(
    pa.table({"collision": list("abbcc"), "severity": ["ksi", "ksi", "slight", "slight", "slight"],
              "p": [0.9, 0.7, 0.3, 0.2, 0.1], "noise": [1, 2, 3, 4, 5]}),
    {"sha256": "d", "group_column": "collision"},
)  # fmt: skip


def explained(table: pa.Table = TABLE, facts=FACTS, **parameters):
    """Explain the model."""
    return explain_classifier(Model(), facts, table, **parameters)


def test_importance_falls():
    """The column used first, with its range and meaning; the other costs nothing."""
    found = explained(meanings={"p": "the answer"})
    first, second = found.table().to_pylist()
    assert list(first) == ["column", "importance", "low", "high", "features", "meaning"]
    assert (first["column"], first["features"], first["meaning"]) == ("p", "p", "the answer")
    assert 0 <= first["low"] <= first["importance"] <= first["high"] <= 1
    assert first["importance"] > 0
    assert second == {
        "column": "noise", "importance": 0.0, "low": 0.0, "high": 0.0, "features": "noise", "meaning": ""
    }  # fmt: skip


def test_what_it_is_about():
    """Facts of the table, for whoever has nothing but the file."""
    assert facts_of(explained().table()) == {
        "target": "severity", "positive_class": "ksi", "positive_share": 0.4, "figure": "average_precision",
        "figure_before": 1.0, "repeats": 5, "rows_used": 5, "rows_given": 5, "synthetic": False,
        "made_from": {"model": "m", "data": "d"},
    }  # fmt: skip


def test_metrics_are_few_and_plain():
    """Floats that KFP takes."""
    found = explained(figure="roc_auc").metrics()
    assert found.pop("largest_importance") > 0
    assert found == {"roc_auc": 1.0, "columns": 2.0, "rows": 5.0}
    assert {type(v) for v in found.values()} == {float}


def test_only_columns_that_matter_are_varied():
    """The leading ones, as many as asked for, and none that costs nothing."""
    assert [d.column for d in explained().dependences] == ["p"]
    assert explained(top=0).dependences == []


def test_a_group_counts_as_one():
    """By its name, with its features in the group's order."""
    found = explained(groups={"both": ["p", "noise", "not there"]})
    assert [(i["column"], i["features"]) for i in found.importance] == [("both", "p, noise")]
    assert found.dependences[0].feature == "p"


def test_the_sample_is_of_whole_groups():
    """Of at most so many rows; b and c have two each, so three rows are a and one of them."""
    found = explained(max_rows=3)
    assert (found.facts["rows_used"], found.facts["rows_given"]) == (3, 5)
    found = explained(TABLE.drop_columns(["collision"]), max_rows=4)
    assert found.facts["rows_used"] == 4


def test_the_class_can_be_another():
    """The mirror of two has the same ROC-AUC."""
    found = explained(positive_class="slight", figure="roc_auc")
    assert (found.facts["positive_class"], found.facts["positive_share"]) == ("slight", 0.6)
    assert found.dependences[0].mean == pytest.approx([0.1, 0.3, 0.7, 0.8, 0.9][::-1])


def test_numbers_may_come_as_floats():
    """As they do from a local run."""
    assert explained(repeats=5.0, top=8.0, max_rows=20000.0, seed=0.0) == explained()


def test_the_same_seed_explains_the_same():
    """And another does not."""
    assert explained() == explained()
    assert explained(seed=1).importance != explained().importance


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"figure": "accuracy"}, "figure is 'accuracy'; it can be average_precision, roc_auc, log_loss."),
        ({"repeats": 0}, "repeats is 0; it is a whole number, 1 or more."),
        ({"top": 1.5}, "top is 1.5; it is a whole number, 0 or more."),
        ({"max_rows": 0}, "max_rows is 0; it is a whole number, 1 or more."),
        ({"seed": -1}, "seed is -1; it is a whole number, 0 or more."),
        ({"positive_class": "fatal"}, "positive_class is 'fatal'; the classes are ksi, slight."),
        ({"table": TABLE.drop_columns(["noise"])}, "data: no feature noise; make it as the training table was made."),
        ({"target_column": "ksi"}, "target column ksi is missing"),
        ({"groups": {"a": ["p"], "b": ["p"]}}, "groups: feature p is in a and in b; leave it in one."),
        ({"max_rows": 1}, "rows drawn are ksi, there must be both; give more rows, or raise max_rows (1)."),
    ],
)
def test_what_is_refused(changed, told):
    """With what to do."""
    with pytest.raises(InputError) as refused:
        explained(**changed)
    assert told in str(refused.value)


def test_doubts_are_told():
    """What is generated is not about the world."""
    table = with_facts(TABLE, facts_of(TABLE) | {"synthetic": True})
    found = explained(table)
    assert found.facts["synthetic"] is True
    assert found.warnings[0].startswith("SYNTHETIC DATA")


@pytest.mark.parametrize("algorithm", ["random_forest", "hist_gradient_boosting"])
def test_a_stored_model_of_three_classes(tmp_path, algorithm):
    """Text, missing values and three classes; the rarest is explained by the column that tells it."""
    rng = np.random.default_rng(0)
    kind = rng.choice(["car", "cycle", "bus"], 300, p=[0.6, 0.3, 0.1]).tolist()
    age = pa.array(np.where(rng.random(300) < 0.1, np.nan, rng.integers(1, 90, 300)), from_pandas=True)
    table = pa.table({"injury": [f"by {k}" for k in kind], "kind": kind, "age": age})
    write_model(*small_model(table, "injury", algorithm=algorithm), tmp_path / "model.skops")
    found = explain_classifier(*read_model(tmp_path / "model.skops"), table, repeats=2)
    assert found.facts["positive_class"] == "by bus"
    assert found.importance[0]["column"] == "kind"
    assert found.dependences[0].values[-1] == "bus"
    assert json.loads(json.dumps(facts_of(found.table()))) == found.facts
