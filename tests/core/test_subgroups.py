"""A model by subgroup: figures worked out by hand, which rows are one, and what is refused."""

import numpy as np
import pyarrow as pa
import pytest

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.store import CATEGORY, facts_of, mark_columns, with_facts
from roadsafety_components.core.subgroups import FIGURES, Subgroup, Subgroups, evaluate_subgroups

FACTS = {
    "classes": ["ksi", "slight"], "features": ["p"], "text_features": [], "target_column": "outcome",
    "algorithm": "random_forest", "sha256": "sha256:1",
}  # fmt: skip


class Oracle:
    """A model whose only feature is the probability of ksi that it answers."""

    def predict_proba(self, frame):
        """The column, and what is left to 1; features come as float32."""
        given = frame.to_numpy(np.float64).round(6)
        return np.hstack([given, 1 - given])


CYCLE_CAR = pa.table({
    "outcome": ["ksi", "ksi", "slight", "slight", "ksi", "slight", "slight", "slight"],
    "p": [0.8, 0.4, 0.6, 0.2, 0.5, 0.1, 0.1, 0.1],
    "road_user": ["cycle"] * 4 + ["car"] * 4,
})  # fmt: skip


def judged(table: pa.Table, columns: list[str], resamples: int = 0, min_rows: int = 1, **options) -> Subgroups:
    """Judge an Oracle without intervals, however small the subgroups."""
    return evaluate_subgroups(Oracle(), FACTS, table, columns, resamples=resamples, min_rows=min_rows, **options)


def sizes(found: Subgroups) -> dict[str, int]:
    """Names of the subgroups, in order, and their rows."""
    return {p.name: p.rows for p in found.parts}


# Figures


def test_figures_of_a_subgroup():
    """Of the cyclists two of four are ksi; 0.4 for one of them is below 0.6 for one who is not."""
    found = judged(CYCLE_CAR, ["road_user"])
    assert found.positive_class == "ksi"
    car, cycle = found.parts
    assert cycle.figures == {
        "share": (1 / 2,),
        "mean_probability": (pytest.approx(0.5),),
        "gap": (pytest.approx(0.0),),
        "roc_auc": (3 / 4,),
        "average_precision": (pytest.approx((1 + 2 / 3) / 2),),
        "recall": (1 / 2,),
        "precision": (1 / 2,),
        "brier": (pytest.approx((0.04 + 0.36 + 0.36 + 0.04) / 4),),
    }
    assert car.figures["share"] == (1 / 4,)
    assert car.figures["gap"] == (pytest.approx(0.2 - 0.25),)
    assert car.figures["roc_auc"] == (1,)
    assert list(car.figures) == list(FIGURES)
    assert found.whole.figures["share"] == (3 / 8,)


def test_each_figure_lies_within_its_interval():
    """Of the whole and of every subgroup."""
    rng = np.random.default_rng(0)
    p = rng.beta(1, 2, 400).round(3)
    outcome = np.where(rng.random(400) < p, "ksi", "slight")
    table = pa.table({"outcome": outcome, "p": p, "sex": ["male", "female"] * 200})
    found = judged(table, ["sex"], resamples=100)
    for part in (found.whole, *found.parts):
        for name, (value, low, high) in part.figures.items():
            assert low < value < high, (part.name, name)


def test_a_subgroup_of_one_class_has_no_ranking():
    """It has a share, a gap and a Brier score all the same."""
    table = CYCLE_CAR.set_column(0, "outcome", pa.array(["ksi", "slight"] * 2 + ["slight"] * 4))
    car = judged(table, ["road_user"], resamples=20).parts[0]
    assert set(car.figures) == {"share", "mean_probability", "gap", "precision", "brier"}


def test_casualties_of_a_collision_are_drawn_together():
    """By the column that the facts of the data name."""
    table = CYCLE_CAR.append_column("key", pa.array([str(i // 2) for i in range(8)]))
    found = judged(with_facts(table, {"group_column": "key"}), ["road_user"], resamples=20)
    assert found.notes == ["95 % intervals: 20 draws of whole groups, 4 values of key."]


def test_of_three_classes_one_is_judged_against_the_others():
    """The rarest, unless another is named."""

    class Three:
        def predict_proba(self, frame):
            return np.tile([0.2, 0.3, 0.5], (len(frame), 1))

    facts = FACTS | {"classes": ["fatal", "serious", "slight"]}
    table = pa.table({"outcome": ["serious", "serious", "fatal", "slight", "slight", "slight"], "p": [0.0] * 6})
    one, other = (
        evaluate_subgroups(Three(), facts, table, ["p"], positive_class=c, resamples=0, min_rows=1)
        for c in ("", "serious")
    )  # fmt: skip
    assert (one.positive_class, one.whole.figures["mean_probability"]) == ("fatal", (pytest.approx(0.2),))
    assert other.whole.figures["gap"] == (pytest.approx(0.3 - 1 / 3),)


# Which rows are a subgroup


def test_codes_in_words():
    """In the order of the codes; codes of the same words are one, a code without words stays, missing comes last."""
    table = CYCLE_CAR.append_column("light", pa.array([10, 4, 5, 1, None, 4, 6, 1]))
    found = judged(table, ["light"], labels={"light": {"1": "daylight", "4": "darkness", "5": "darkness"}})
    assert sizes(found) == {"daylight": 2, "darkness": 3, "6": 1, "10": 1, "missing": 1}


def test_a_value_called_missing_is_missing():
    """One subgroup, not two of one name."""
    table = CYCLE_CAR.append_column("sex", pa.array([1, 1, -1, None, 1, -1, 1, 1]))
    assert sizes(judged(table, ["sex"], labels={"sex": {"-1": "missing", "1": "male"}})) == {"missing": 3, "male": 5}


def test_quantities_are_cut_in_quarters():
    """Ages 0 to 39, each twice, and missing ones; NaN is missing."""
    rows = 84
    ages = [float(i // 2) for i in range(80)] + [None, None, float("nan"), float("nan")]
    table = pa.table({"outcome": ["ksi", "slight"] * 42, "p": [0.5] * rows, "age": ages})
    assert sizes(judged(table, ["age"])) == {"0 to 9": 20, "10 to 19": 20, "20 to 29": 20, "30 to 39": 20, "missing": 4}


def test_a_quantity_with_one_common_value_has_fewer_parts():
    """Most engines here have the same size."""
    sizes_cc = [1000] * 60 + list(range(2000, 2040))
    table = pa.table({"outcome": ["ksi", "slight"] * 50, "p": [0.5] * 100, "cc": sizes_cc})
    assert sizes(judged(table, ["cc"])) == {"1000 to 1000": 60, "2000 to 2014": 15, "2015 to 2039": 25}


@pytest.mark.parametrize("how", ["few", "marked", "labelled", "text"])
def test_what_is_no_quantity_keeps_its_values(how):
    """Twenty values or fewer, codes, columns with labels, and text."""
    number = 20 if how == "few" else 30
    values = pa.array(range(number))
    table = pa.table({"outcome": ["ksi", "slight"] * (number // 2), "p": [0.5] * number,
                      "code": values.cast(pa.string()) if how == "text" else values})  # fmt: skip
    table = mark_columns(table, {"code": CATEGORY} if how == "marked" else {})
    found = judged(table, ["code"], labels={"code": {"0": "none"}} if how == "labelled" else {})
    assert len(found.parts) == number


def test_a_dictionarys_unused_values_are_no_subgroups():
    """A part of a table has the whole's dictionary."""
    table = CYCLE_CAR.set_column(2, "road_user", CYCLE_CAR["road_user"].combine_chunks().dictionary_encode())
    assert sizes(judged(table.slice(0, 4), ["road_user"])) == {"cycle": 4}


def test_small_subgroups_are_named_and_not_judged():
    """Of fewer rows than min_rows."""
    found = judged(CYCLE_CAR.append_column("sex", pa.array(["male"] * 6 + ["female"] * 2)), ["sex"], min_rows=5)
    assert [(p.name, p.rows, bool(p.figures)) for p in found.parts] == [("female", 2, False), ("male", 6, True)]


# What stands out, and what is handed on

APART = Subgroups(
    "outcome", "ksi", 100, Subgroup("", "", 900, {"roc_auc": (0.75, 0.7, 0.8), "gap": (0.0, -0.1, 0.1)}),
    [
        Subgroup("user", "car", 400, {"roc_auc": (0.9, 0.8, 1.0), "gap": (0.05, 0.01, 0.09)}),
        Subgroup("user", "cycle", 300, {"roc_auc": (0.5, 0.4, 0.6), "gap": (-0.2, -0.5, 0.1)}),
        Subgroup("user", "bus", 150, {"roc_auc": (0.7, 0.5, 0.9), "gap": (-0.01, -0.1, 0.2)}),
        Subgroup("user", "horse", 50, {}),
    ],
    FACTS, {}, [], [],
)  # fmt: skip


def test_a_subgroup_stands_out_beyond_its_interval():
    """Against the whole's ROC-AUC, and against no gap; the lowest first."""
    assert [p.name for p in APART.outstanding("roc_auc")] == ["cycle", "car"]
    assert [p.name for p in APART.outstanding("gap")] == ["car"]


def test_without_intervals_nothing_stands_out():
    """A difference alone says nothing."""
    assert judged(CYCLE_CAR, ["road_user"]).outstanding("roc_auc") == []


def test_metrics():
    """Plain floats; the largest gap keeps its sign."""
    assert APART.metrics() == {
        "subgroups": 3, "subgroups_too_small": 1, "subgroups_outstanding_roc_auc": 2, "subgroups_outstanding_gap": 1,
        "lowest_roc_auc": 0.5, "highest_roc_auc": 0.9, "largest_gap": -0.2,
    }  # fmt: skip
    assert {type(v) for v in APART.metrics().values()} == {float}
    assert judged(CYCLE_CAR, ["road_user"], min_rows=99).metrics() == {
        "subgroups": 0, "subgroups_too_small": 2, "subgroups_outstanding_roc_auc": 0, "subgroups_outstanding_gap": 0,
    }  # fmt: skip


def test_results_are_a_table_for_other_steps():
    """A row a subgroup and figure, the whole's first."""
    found = APART.results()
    assert [tuple(r.values()) for r in found.to_pylist()][:3] == [
        ("test", "", "model", "roc_auc", 0.75, 0.7, 0.8, 900),
        ("test", "", "model", "gap", 0.0, -0.1, 0.1, 900),
        ("user", "car", "model", "roc_auc", 0.9, 0.8, 1.0, 400),
    ]
    assert found.num_rows == 8
    assert facts_of(found) == {
        "made_from": {"model": "sha256:1", "test_data": ""}, "min_rows": 100, "positive_class": "ksi",
        "target_column": "outcome",
    }  # fmt: skip


# What is refused


@pytest.mark.parametrize(
    ("columns", "options", "told"),
    [
        ([], {}, r"subgroup_columns is empty; name one column of the test table or more."),
        (["road_usr"], {}, r"subgroup_columns has 'road_usr', which the test table does not have. Nearest name: road_"),
        (["road_user"], {"min_rows": 0}, r"min_rows is 0; it is a whole number, 1 or more."),
        (["road_user"], {"positive_class": "fatal"}, r"positive_class is 'fatal'; the classes are ksi, slight."),
        (["road_user"], {"resamples": -1}, r"resamples is -1; it is a whole number"),
        (["road_user"], {"target_column": "p"}, r"test table: target column p has classes unknown to the model: 0.1 "),
    ],
)
def test_what_is_refused(columns, options, told):
    """The message names the parameter and what it can be."""
    with pytest.raises(InputError, match=f"^{told}"):
        judged(CYCLE_CAR, columns, **options)


def test_a_class_that_the_test_lacks_is_refused():
    """There is nothing to find."""
    facts = FACTS | {"classes": ["fatal", "ksi", "slight"]}
    with pytest.raises(InputError, match=r"^positive_class is 'fatal', and no row of the test table is of it"):
        evaluate_subgroups(Oracle(), facts, CYCLE_CAR, ["road_user"], positive_class="fatal")
