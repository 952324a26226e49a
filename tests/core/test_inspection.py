"""What recall costs and which errors are the surest, against values worked out by hand, and the page about them."""

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.inspection import Inspection, inspect_answers, inspection_report
from roadsafety_components.core.store import IDENTIFIER, mark_columns

from .test_report import Cells


class Oracle:
    """A model whose features are the probabilities that it answers, one column a class."""

    def predict_proba(self, frame):
        """The columns; features come as float32."""
        return frame.to_numpy(np.float64).round(6)


def inspected(truth: list[str], positive_class: str = "", threshold: dict | None = None, **given) -> Inspection:
    """Inspect the answers of an Oracle."""
    facts = {"classes": sorted(given), "features": sorted(given), "text_features": [], "target_column": "outcome"}
    facts |= {"algorithm": "random_forest", "threshold": threshold or {}}
    return inspect_answers(Oracle(), facts, pa.table({"outcome": truth} | given), positive_class=positive_class)


TRUTH, B = ["b"] * 5 + ["a"] * 5, [0.9, 0.8, 0.7, 0.45, 0.2, 0.75, 0.4, 0.3, 0.1, 0.1]
A = [1 - v for v in B]


def test_what_recall_costs():
    """For four of the five b the threshold is 0.45: five rows are called b, one of them wrongly."""
    found = inspected(TRUTH, "b", a=A, b=B).thresholds
    assert list(found) == [*(f"recall {r}%" for r in (20, 40, 50, 60, 70, 80, 90, 95)), "the model's answers"]
    assert found["recall 60%"] == pytest.approx((0.7, 3 / 5, 3 / 4, 4 / 10, 1 / 3))
    assert found["recall 50%"] == found["recall 60%"]  # two of five are not enough
    assert found["recall 80%"] == pytest.approx((0.45, 4 / 5, 4 / 5, 5 / 10, 1 / 4))
    assert found["the model's answers"] == pytest.approx((0.5, 3 / 5, 3 / 4, 4 / 10, 1 / 3))


def test_the_models_own_threshold():
    """Its answers follow it; of the other class the limit is what is left to 1."""
    own = {"positive_class": "b", "value": 0.25}
    found = inspected(TRUTH, "b", own, a=A, b=B).thresholds["the model's answers"]
    assert found == pytest.approx((0.25, 4 / 5, 4 / 7, 7 / 10, 3 / 4))
    assert inspected(TRUTH, "a", own, a=A, b=B).thresholds["the model's answers"][0] == 0.75


def test_the_positive_class_is_the_rarer():
    """Unless it is named."""
    assert inspected(["b", "a", "a"], a=[0.5] * 3, b=[0.5] * 3).positive_class == "b"


def test_a_class_that_is_never_answered_costs_nothing():
    """No division by nothing."""
    found = inspected(["a", "a", "b"], "b", a=[0.9, 0.8, 0.7], b=[0.1, 0.2, 0.3])
    assert found.thresholds["the model's answers"] == (0.5, 0, 0, 0, 0)


def test_more_classes_have_errors_and_no_thresholds():
    """There is no one probability to cut."""
    found = inspected(["a", "c"], a=[0.5, 0.6], b=[0.3, 0.3], c=[0.2, 0.1])
    assert (found.positive_class, found.thresholds) == ("", {})
    assert [(name, len(errors)) for name, errors in found.errors.items()] == [("a", 0), ("b", 0), ("c", 1)]


LIGHT = pa.table({
    "key": ["k1", "k2", "k3", "k4"], "outcome": ["a", "b", "a", "a"], "a": [0.4, 0.9, 0.1, 0.8],
    "b": [0.6, 0.1, 0.9, 0.2], "light": [4, 1, None, 1], "speed": [30.0, 20.0, 60.5, 30.0],
})  # fmt: skip
FACTS = {
    "classes": ["a", "b"], "features": ["a", "b"], "text_features": [], "target_column": "outcome",
    "algorithm": "random_forest",
}  # fmt: skip


def test_errors_begin_with_the_surest():
    """Of each true class the rows answered otherwise: key, answer, its probability, columns in words."""
    labels = {"light": {"1": "daylight", "4": "darkness"}, "speed": {}, "unheard_of": {}}
    found = inspect_answers(Oracle(), FACTS, mark_columns(LIGHT, {"key": IDENTIFIER}), labels=labels)
    assert found.errors["a"] == [
        {"row": "k3", "answer": "b", "probability of a": 0.1, "light": "missing", "speed": "60.5", "a": "0.1",
         "b": "0.9"},
        {"row": "k1", "answer": "b", "probability of a": 0.4, "light": "darkness", "speed": "30", "a": "0.4",
         "b": "0.6"},
    ]  # fmt: skip
    assert [list(e.values())[:2] for e in found.errors["b"]] == [["k2", "a"]]
    assert list(found.errors) == ["b", "a"]  # the positive class first


def test_ten_errors_are_enough():
    """Without identifiers a row is named by its place."""
    found = inspected(["a"] * 15 + ["b"], a=[i / 100 for i in range(15)] + [0.1], b=[0.9] * 16)
    assert [e["row"] for e in found.errors["a"]] == [str(i) for i in range(10)]
    assert found.errors["b"] == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"positive_class": "c"}, r"positive_class is 'c'; the classes are a, b\."),
        ({"target_column": "light"}, r"test table: target column light is null in 1 of 4 rows"),
    ],
)
def test_what_is_refused(options, told):
    """As evaluate_classifier refuses it."""
    with pytest.raises(InputError, match=f"^{told}"):
        inspect_answers(Oracle(), FACTS, LIGHT, **options)


def test_features_must_be_there():
    """The message names those that are not."""
    with pytest.raises(InputError, match=r"^test table: no feature b; make it as"):
        inspect_answers(Oracle(), FACTS, LIGHT.drop_columns("b"))


FOUND = Inspection(
    "severity", "ksi", 1200,
    {"recall 80%": (0.25, 0.8, 0.5, 0.125, 1.0), "the model's answers": (0.5, 0.4, 1.0, 0.04, 0.0)},
    {"ksi": [{"row": "2024a, 1", "answer": "slight", "probability of ksi": 0.03125, "road_type": "slip road"}],
     "slight": []},
    {"algorithm": "random_forest"}, ["SYNTHETIC DATA: rows are generated."],
)  # fmt: skip


def test_the_page():
    """Warnings, the costs, and a table for each class that has errors."""
    page = inspection_report(FOUND)
    assert "<h1>Answers: severity by random forest</h1>" in page
    assert page.index("SYNTHETIC") < page.index("<p>1,200 test rows.")
    assert re.findall("<h2>([^<]*)", page) == ["What finding ksi costs", "ksi, called otherwise"]
    assert Cells(page).tables == [
        [
            ["aim", "threshold", "recall", "precision", "rows called so", "false alarms for each found"],
            ["recall 80%", "0.250", "0.800", "0.500", "12.5%", "1.000"],
            ["the model's answers", "0.500", "0.400", "1.000", "4.0%", "0.000"],
        ],
        [["row", "answer", "probability of ksi", "road type"], ["2024a, 1", "slight", "0.031", "slip road"]],
    ]
    assert "<h2>" not in inspection_report(replace(FOUND, thresholds={}, errors={"ksi": []}))


def test_what_comes_from_data_is_escaped():
    """Names of classes and columns, and values."""
    evil = "<script>alert('1')</script>--><b>"
    page = inspection_report(
        replace(FOUND, target_column=evil, positive_class=evil, errors={evil: [{"row": evil, evil: evil}]})
    )
    assert "<script" not in page
    assert "--><b>" not in page
    assert "://" not in page
