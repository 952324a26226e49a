"""Predictions written batch by batch: the same as in one piece, whole or not at all, of data that fit the model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from kfp.dsl import Dataset, Metrics, Model
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from roadsafety_components.components.predict_batch import predict_batch as step
from roadsafety_components.core import predict_batch as module
from roadsafety_components.core import store
from roadsafety_components.core.clean import preprocess
from roadsafety_components.core.engineer import engineer
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.estimators import ALGORITHMS
from roadsafety_components.core.frame import to_frame
from roadsafety_components.core.harmonise import harmonise
from roadsafety_components.core.merge import merge_datasets
from roadsafety_components.core.model_writer import write_model
from roadsafety_components.core.predict import probabilities
from roadsafety_components.core.predict_batch import categories, predict_batch, probability_columns
from roadsafety_components.core.read import load_tables

from .make import small_model


class Oracle:
    """A model whose feature is its answer."""

    def predict_proba(self, frame: Any) -> Any:
        """The column ``chance`` is the probability of the first class."""
        chance = frame["chance"].to_numpy(np.float64)
        return np.stack([chance, 1 - chance], axis=1)


FACTS = {
    "features": ["chance", "place"], "text_features": ["place"], "classes": ["ksi", "slight"], "target_column": "ksi",
    "class_counts": {"ksi": 20, "slight": 80}, "parameters": {}, "algorithm": "oracle", "training_data": "sha256:1",
    "categories": {"place": ["town", "village"]}, "sha256": "sha256:2", "unit": "casualty", "known_at": "involved",
    "target": "ksi",
}  # fmt: skip


def rows(**changed: Any) -> pa.Table:
    """Four casualties that nobody has judged, and who stands for what."""
    columns = {
        "collision_index": ["a", "a", "b", "c"],
        "year": pa.array([2023, 2023, 2024, 2024], pa.int16()),
        "chance": [0.5, 0.75, 0.25, 0.125],
        "place": ["town", "moor", None, "village"],
        "speed": pa.array([30, 40, None, 60], pa.int32()),
    } | changed
    table = store.mark_columns(pa.table(columns), dict.fromkeys(["collision_index", "year"], store.IDENTIFIER))
    return store.with_facts(
        table, {"unit": "casualty", "known_at": "involved", "target": "none", "years": [2023, 2024]}
    )


def predicted(table: pa.Table, folder: Path, facts: Any = None, model: Any = None, **how: Any) -> pa.Table:
    """What the model makes of a table."""
    store.write_dataset(table, folder / "data")
    predict_batch(model or Oracle(), facts or FACTS, folder / "data", folder / "predictions", **how)
    return pq.read_table(folder / "predictions")


def refusal(work: Callable[[], object]) -> str:
    """What is said of bad input."""
    with pytest.raises(InputError) as error:
        work()
    return str(error.value)


# What is written


def test_identifiers_probabilities_and_answers(tmp_path: Path) -> None:
    """In the order of the data; the first of two classes as likely is the answer."""
    table = predicted(rows(), tmp_path)
    assert table.to_pydict() == {
        "collision_index": ["a", "a", "b", "c"],
        "year": [2023, 2023, 2024, 2024],
        "probability_ksi": [0.5, 0.75, 0.25, 0.125],
        "probability_slight": [0.5, 0.25, 0.75, 0.875],
        "prediction": ["ksi", "ksi", "slight", "slight"],
    }
    assert table.schema.field("probability_ksi").type == pa.float64()
    assert store.marked(table, store.IDENTIFIER) == ["collision_index", "year"]


def test_columns_are_kept_by_name(tmp_path: Path) -> None:
    """Beside the identifiers, in the order of the data, with their types and gaps."""
    table = predicted(rows(), tmp_path, keep_columns=["speed", "place"])
    assert table.column_names[:4] == ["collision_index", "year", "place", "speed"]
    assert table["speed"].to_pylist() == [30, 40, None, 60]
    assert table.schema.field("speed").type == pa.int32()


def test_facts_travel_in_the_file(tmp_path: Path) -> None:
    """What the rows are, of what and by which model they were made, and what was counted."""
    store.write_dataset(rows(), tmp_path / "data")
    facts = predict_batch(Oracle(), FACTS, tmp_path / "data", tmp_path / "predictions")
    assert facts == {
        "unit": "casualty",
        "known_at": "involved",
        "years": [2023, 2024],
        "rows": 4,
        "columns": 5,
        "target_column": "ksi",
        "classes": ["ksi", "slight"],
        "probability_columns": {"probability_ksi": "ksi", "probability_slight": "slight"},
        "threshold": {},
        "predicted": {"ksi": 2, "slight": 2},
        "mean_probability": {"ksi": 0.40625, "slight": 0.59375},
        "unseen_categories": {"place": 1},
        "rows_with_unseen_categories": 1,
        "missing_shares": {"place": 0.25},
        "algorithm": "oracle",
        "training_data": "sha256:1",
        "made_from": {"data": module.digest(tmp_path / "data"), "model": "sha256:2"},
    }
    assert store.facts_of(pq.read_schema(tmp_path / "predictions")) == facts
    assert store.facts_of(pq.read_table(tmp_path / "predictions")) == facts


def test_a_row_with_two_unseen_values_counts_once(tmp_path: Path) -> None:
    """By feature each of them; numbers that stand for names are looked up as numbers, NaN is missing."""
    facts = FACTS | {"features": ["chance", "place", "road"], "categories": {"place": ["town"], "road": [1.0, 3.0]}}
    for road in (pa.array([1, 6, 3, None], pa.int16()), [1.0, 6.0, 3.0, float("nan")]):
        told = store.facts_of(predicted(rows(road=road), tmp_path, facts))
        assert told["unseen_categories"] == {"place": 2, "road": 1}
        assert told["rows_with_unseen_categories"] == 2
        assert told["missing_shares"] == {"place": 0.25, "road": 0.25}


def test_a_threshold_decides(tmp_path: Path) -> None:
    """As the model's facts say."""
    facts = FACTS | {"threshold": {"positive_class": "ksi", "value": 0.25, "chosen_for": "recall of 0.8"}}
    table = predicted(rows(), tmp_path, facts)
    assert table["prediction"].to_pylist() == ["ksi", "ksi", "ksi", "slight"]
    assert store.facts_of(table)["threshold"] == facts["threshold"]


def test_names_of_probability_columns_are_safe_and_differ() -> None:
    """Letters, digits and underscores."""
    assert probability_columns(["not hurt", "not-hurt", "1", "schwer verletzt: \u00e4"]) == [
        "probability_not_hurt", "probability_not_hurt_", "probability_1", "probability_schwer_verletzt___",
    ]  # fmt: skip


# The same in any pieces


def records(number: int = 60) -> pa.Table:
    """Numbers, fractions, booleans, text and codes with gaps; who is hurt follows from speed and place."""
    speed = [(20, 30, 60)[i % 3] for i in range(number)]
    table = pa.table(
        {
            "collision_index": [f"2024{i // 2:04}" for i in range(number)],
            "year": pa.array([2023 + (i > number // 3) for i in range(number)], pa.int16()),
            "speed": pa.array(speed, pa.int32()),
            "age": [None if i % 7 == 0 else i % 80 / 2 for i in range(number)],
            "urban": [i % 2 == 0 for i in range(number)],
            "place": [("town", None, "village", "moor")[i // 3 % 4] for i in range(number)],
            "road": pa.array([None if i % 11 == 0 else (1, 3, 6, 9)[i % 4] for i in range(number)], pa.int16()),
            "hurt": [("slight", "serious", "fatal")[(s == 60) + (i % 5 == 0)] for i, s in enumerate(speed)],
        }
    )
    marks = dict.fromkeys(["collision_index", "year"], store.IDENTIFIER) | {"road": store.CATEGORY}
    return store.mark_columns(table, marks)


def trained(algorithm: str = "hist_gradient_boosting", table: pa.Table | None = None) -> tuple[Any, store.Facts]:
    """A small model of the records."""
    return small_model(table or records(), "hurt", algorithm=algorithm, n_estimators=5, min_samples_leaf=2)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_seven_rows_at_a_time_as_all_at_once(tmp_path: Path, algorithm: str) -> None:
    """To the last bit, and as the model answers without any batch."""
    model, facts = trained(algorithm)
    data = records(50).drop_columns("hurt")
    one, seven = (predicted(data, tmp_path, facts, model, batch_rows=n) for n in (1000, 7))
    assert seven.equals(one, check_metadata=True)
    given = probabilities(model, facts, data)
    assert np.stack([one[f"probability_{c}"] for c in facts["classes"]], axis=1).tolist() == given.tolist()
    assert one["prediction"].to_pylist() == [facts["classes"][i] for i in given.argmax(axis=1)]
    assert one["collision_index"].equals(data["collision_index"])


@pytest.mark.parametrize("estimate_shares", [False, True])
def test_a_folder_by_year_as_one_file(tmp_path: Path, estimate_shares: bool) -> None:
    """The same rows, the same counts."""
    model, facts = trained()
    data = store.with_facts(records(), {"unit": "casualty", "synthetic": False})
    how = {"estimate_shares": estimate_shares, "keep_columns": ["age"]}
    one = predicted(data, tmp_path, facts, model, **how)
    merge_datasets([tmp_path / "data"], tmp_path / "folder")
    told = predict_batch(model, facts, tmp_path / "folder", tmp_path / "by_year", **how)
    by_year = pq.read_table(tmp_path / "by_year")
    assert by_year.equals(one)
    assert by_year.column_names[:3] == ["collision_index", "year", "age"]
    assert told["made_from"]["data"] == module.digest(tmp_path / "folder" / "_common_metadata")
    usual = store.facts_of(one)
    del told["made_from"], told["years"], usual["made_from"]
    assert told == usual


@pytest.mark.parametrize("row_group", [1, 13, 60])
def test_it_does_not_matter_who_wrote_the_data(tmp_path: Path, row_group: int) -> None:
    """Dictionaries, string views, large strings, float64, row groups of any size: the rows are the same."""
    model, facts = trained()
    data = records()
    one = predicted(data, tmp_path, facts, model)
    for text in (pa.dictionary(pa.int32(), pa.string()), pa.string_view(), pa.large_string()):
        types = {"place": text, "collision_index": text, "speed": pa.float64(), "road": pa.int64()}
        other = pa.table({n: data[n].cast(types.get(n, data[n].type)) for n in data.column_names})
        other = store.mark_columns(other, dict.fromkeys(["collision_index", "year"], store.IDENTIFIER))
        pq.write_table(other, tmp_path / "other", row_group_size=row_group)
        told = predict_batch(model, facts, tmp_path / "other", tmp_path / "out", batch_rows=17)
        same = pq.read_table(tmp_path / "out").cast(one.schema.remove_metadata())
        assert same.to_pydict() == one.to_pydict()
        assert told["unseen_categories"] == {}


def test_rows_that_nobody_has_judged_are_answered_like_judged_ones(sample: Path, tmp_path: Path) -> None:
    """From harmonised tables without any severity, through all steps; a column for reports changes nothing."""
    tables = harmonise(load_tables(str(sample), {}))
    outcome = ("severity", "injury_based")
    bare = {t: v.drop_columns([n for n in v.column_names if any(o in n for o in outcome)]) for t, v in tables.items()}

    def featured(given: dict[str, pa.Table], target: str, *report: str) -> pa.Table:
        clean = preprocess(given, "casualty", target, keep_constant=True, report_columns=report)
        return engineer(clean, given["collision"], given["vehicle"])

    judged = featured(tables, "ksi")
    model, facts = small_model(judged, "ksi", algorithm="hist_gradient_boosting", n_estimators=5)
    unjudged = featured(bare, "none", "police_force")
    assert predicted(unjudged, tmp_path, facts, model).equals(predicted(judged, tmp_path, facts, model))
    other = preprocess(bare, "casualty", "none", "before", keep_constant=True)
    assert "data: known_at is before; the model was trained with known_at involved" in refusal(
        lambda: predicted(other, tmp_path, facts, model)
    )


# Categories of real models


@pytest.mark.parametrize(("algorithm", "codes"), [(a, a != "random_forest") for a in ALGORITHMS])
def test_a_model_s_own_encoders_tell_what_it_has_seen(algorithm: str, codes: bool) -> None:
    """Text, and numbers that stand for names where the algorithm has codes for them; also when calibrated."""
    model, facts = trained(algorithm)
    wrapped = CalibratedClassifierCV(FrozenEstimator(model), cv=2)
    wrapped.fit(to_frame(records(), facts["features"]), records()["hurt"].to_pylist())
    for each in (model, wrapped):
        known = {n: set(v.to_pylist()) - {None} for n, v in categories(each, facts).items()}
        assert known.pop("place") == {"town", "village", "moor"}
        assert known == ({"road": {1, 3, 6, 9}} if codes else {})


def test_categories_given_as_class_shares_are_known_too(tmp_path: Path) -> None:
    """More than 100 values have an encoder of their own; one that is new is counted."""
    table = records(240).append_column("cell", pa.array([f"cell {i // 2}" for i in range(240)]))
    model, facts = trained(table=table)
    assert len(categories(model, facts)["cell"]) == 120
    new = table.set_column(table.num_columns - 1, "cell", pa.array(["cell 1", "nowhere", None] * 80))
    assert store.facts_of(predicted(new, tmp_path, facts, model))["unseen_categories"] == {"cell": 80}


# Other class shares


def test_probabilities_follow_the_shares_to_expect(tmp_path: Path) -> None:
    """A fifth in training, a half to expect: the odds are 4 times as high."""
    table = predicted(rows(), tmp_path, class_shares={"slight": 0.5, "ksi": 0.5})
    assert table["probability_ksi"].to_pylist() == pytest.approx([4 / 5, 12 / 13, 4 / 7, 4 / 11])
    assert pc.add(table["probability_ksi"], table["probability_slight"]).to_pylist() == pytest.approx([1] * 4)
    assert table["prediction"].to_pylist() == ["ksi", "ksi", "ksi", "slight"]
    told = store.facts_of(table)
    assert told["class_shares"] == {
        "learned": {"ksi": 0.2, "slight": 0.8}, "expected": {"ksi": 0.5, "slight": 0.5}, "origin": "given",
    }  # fmt: skip
    assert told["predicted"] == {"ksi": 3, "slight": 1}
    assert told["mean_probability"]["ksi"] == pytest.approx((4 / 5 + 12 / 13 + 4 / 7 + 4 / 11) / 4)


def flagged(share: float, number: int) -> pa.Table:
    """Rows of which that share is ksi: 0.8 of them are flagged, of the slight 0.3; half of the training was ksi."""
    count = round(number * (share * 0.8 + (1 - share) * 0.3))
    chance = np.array([0.8 / 1.1] * count + [0.2 / 0.9] * (number - count))
    order = np.random.default_rng(1).permutation(number)
    return pa.table({"chance": chance[order], "place": ["town"] * number})


EVEN = FACTS | {"class_counts": {"ksi": 50, "slight": 50}}


def test_shares_are_estimated_from_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From all rows where there are no more than 200,000; with a word on when that is right."""
    told = store.facts_of(predicted(flagged(0.2, 1000), tmp_path, EVEN, estimate_shares=True))
    assert told["class_shares"]["expected"]["ksi"] == pytest.approx(0.2, abs=1e-3)
    assert told["class_shares"]["origin"] == "estimated from 1000 rows"
    assert "They are right only if rows of a class are as they were in training" in capsys.readouterr().out
    assert told["mean_probability"]["ksi"] == pytest.approx(0.2, abs=1e-3)


def test_shares_are_estimated_from_a_sample_of_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same one in batches of any size."""
    monkeypatch.setattr(module, "_SAMPLE", 2000)
    some, others = (
        predicted(flagged(0.2, 8000), tmp_path, EVEN, estimate_shares=True, batch_rows=n) for n in (100, 9999)
    )
    assert some.equals(others)
    told = store.facts_of(some)["class_shares"]
    assert told == store.facts_of(others)["class_shares"]
    assert 1800 < int(told["origin"].split()[2]) < 2200
    assert told["expected"]["ksi"] == pytest.approx(0.2, abs=0.06)  # three standard errors of such a sample


# Refused


@pytest.mark.parametrize(
    ("fact", "value", "was"),
    [("unit", "vehicle", "casualty"), ("known_at", "impact", "involved"), ("target", "severity", "ksi"),
     ("codes", "as published", "2024"), ("cell_km", 5.0, 1.0)],
)  # fmt: skip
def test_data_of_another_kind_are_refused(tmp_path: Path, fact: str, value: Any, was: Any) -> None:
    """With both sides of it; a fact that one of the two does not tell is no matter."""
    data = store.with_facts(rows(), {fact: value})
    told = refusal(lambda: predicted(data, tmp_path, FACTS | {fact: was}))
    assert told == (
        f"data: {fact} is {value}; the model was trained with {fact} {was}. Make the data as the training data were "
        "made, or take a model that was trained on such data."
    )
    facts = {k: v for k, v in FACTS.items() if k != fact}
    assert predicted(data, tmp_path, facts).num_rows == 4
    assert predicted(store.with_facts(rows(), {}), tmp_path).num_rows == 4


def test_a_feature_that_was_left_out_has_its_reason(tmp_path: Path) -> None:
    """Few rows often have constant columns."""
    data = store.with_facts(rows().drop_columns("place"), {"columns_left_out": {"place": "it has one value only"}})
    assert refusal(lambda: predicted(data, tmp_path)) == (
        "data: no feature place; the step that made it left place out because it has one value only. A constant "
        "column stays with keep_constant=True."
    )


@pytest.mark.parametrize(
    ("changed", "how", "told"),
    [
        ({"place": [1, 2, 3, 4]}, {}, "data: feature place is int64, in training text; read both tables alike."),
        ({}, {"keep_columns": ["sped"]}, "keep_columns has 'sped', which the data do not have. Nearest name: speed."),
        ({"prediction": [1] * 4}, {"keep_columns": ["prediction"]},
         "data: prediction is the name of a prediction; rename the column, or do not keep it."),
        ({}, {"batch_rows": 0}, "batch_rows is 0; it is a whole number, 1 or more."),
        ({}, {"batch_rows": 1.5}, "batch_rows is 1.5; it is a whole number, 1 or more."),
        ({}, {"class_shares": {"ksi": 1.0}}, "class_shares has ksi; give a share of every class: ksi, slight."),
        ({}, {"class_shares": {"ksi": 0.5, "slight": 0.5}, "estimate_shares": True},
         "give class_shares or estimate_shares, not both: each decides the shares."),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told(tmp_path: Path, changed: dict, how: dict, told: str) -> None:
    """Before anything is written."""
    assert refusal(lambda: predicted(rows(**changed), tmp_path, **how)) == told
    assert [p.name for p in tmp_path.iterdir()] == ["data"]


def test_nothing_is_left_of_predictions_that_fail_on_the_way(tmp_path: Path) -> None:
    """A number that no model takes stands in the last batch: neither half a file nor the one before it is lost."""
    (tmp_path / "predictions").write_text("of yesterday")
    data = rows(chance=[0.5, 0.5, 0.5, float("inf")])
    assert "feature chance holds infinite numbers" in refusal(lambda: predicted(data, tmp_path, batch_rows=1))
    assert (tmp_path / "predictions").read_text() == "of yesterday"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "predictions"]


def test_data_that_are_none_are_told(tmp_path: Path) -> None:
    """No file, no Parquet, no rows."""
    out = tmp_path / "out"
    (tmp_path / "a.csv").write_text("chance,place\n0.5,town\n")
    pq.write_table(rows().slice(0, 0), tmp_path / "empty")
    for name, told in (
        ("nothing", "data: there is no file at"),
        ("a.csv", "is not a Parquet file that can be read"),
        ("empty", "has columns but no rows."),
    ):
        assert told in refusal(lambda name=name: predict_batch(Oracle(), FACTS, tmp_path / name, out))


# The step


def test_the_step_writes_logs_and_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Metadata that KFP takes, plain finite figures, and a word on what is strange."""
    model, facts = trained()
    write_model(model, facts, tmp_path / "model")
    new = pa.array(["town", "nowhere"] * 30)
    data = records()
    store.write_dataset(data.set_column(data.column_names.index("place"), "place", new), tmp_path / "data")
    given, out, figures = Model(uri=str(tmp_path / "model")), Dataset(), Metrics()
    out.path = str(tmp_path / "out" / "predictions")
    shares = {"fatal": 0.5, "serious": 0.25, "slight": 0.25}
    step.python_func(given, Dataset(uri=str(tmp_path / "data")), out, figures, ["hurt"], shares)
    table = pq.read_table(out.path)
    assert table.column_names == [
        "collision_index",
        "year",
        "hurt",
        *probability_columns(facts["classes"]),
        "prediction",
    ]
    assert out.metadata["rows"] == figures.metadata["rows"] == 60
    assert out.metadata["made_from"]["model"].startswith("sha256:")
    assert json.loads(json.dumps(out.metadata, allow_nan=False)) == out.metadata
    assert set(figures.metadata) == {"rows", "rows_with_unseen_categories"} | {
        f"{what}_{c}" for what in ("share_predicted", "mean_probability") for c in facts["classes"]
    }
    assert all(type(v) is float for v in figures.metadata.values())
    assert sum(figures.metadata[f"mean_probability_{c}"] for c in facts["classes"]) == pytest.approx(1)
    said = capsys.readouterr().out
    assert said.startswith("60 rows: ")
    assert "feature place: a value never seen in training in 30 of 60 rows" in said
    assert "class fatal: share 0.0667 learned, 0.5000 given" in said
