"""What drifted, by tables of known shares, and what is decided; predictions beside the data."""

import inspect
import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kfp.dsl import HTML, Dataset, Metrics

from roadsafety_components.components.detect_drift import detect_drift as step
from roadsafety_components.core import store
from roadsafety_components.core.distance import open_dataset
from roadsafety_components.core.drift import Drift, Limits, detect_drift, log_drift, model_facts
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.model import read_model
from roadsafety_components.core.model_writer import write_model
from roadsafety_components.core.predict_batch import predict_batch
from roadsafety_components.core.train import train_classifier


class Oracle:
    """A model whose feature is the probability of ``ksi``."""

    def predict_proba(self, frame):
        """Of ksi and slight."""
        given = frame["risk"].to_numpy(np.float64)
        return np.column_stack([given, 1 - given])


MODEL = {
    "features": ["risk"], "text_features": [], "classes": ["ksi", "slight"], "target_column": "outcome",
    "class_counts": {"ksi": 1, "slight": 3}, "algorithm": "oracle", "training_data": "sha256:0", "categories": {},
}  # fmt: skip


@pytest.fixture
def compare(tmp_path: Path):
    """Write two tables and compare them: ``compare(old, new, columns=["x"])``; with ``model`` its predictions too."""

    def written(name: str, data: pa.Table | dict, marks: dict, facts: dict) -> Path:
        table = data if isinstance(data, pa.Table) else pa.table(data)
        store.write_dataset(store.with_facts(store.mark_columns(table, marks), facts), tmp_path / name)
        return tmp_path / name

    def run(old, new, marks=None, facts=None, model=None, limits=None, model_only=None, **parameters) -> Drift:
        names = ("reference", "current")
        paths = [written(n, d, marks or {}, facts or {}) for n, d in zip(names, (old, new), strict=True)]
        data, predictions = [open_dataset(p, n) for n, p in zip(names, paths, strict=True)], []
        if model and model["training_data"] == "reference":
            model = model | {"training_data": data[0].facts["sha256"]}
        for name, path in zip(names, paths if model else (), strict=False):
            predict_batch(Oracle(), model, path, tmp_path / f"{name}_predictions")
            predictions.append(open_dataset(tmp_path / f"{name}_predictions", f"{name}_predictions"))
        return detect_drift(*data, limits or Limits(), model or model_only, predictions, **parameters)

    return run


def verdicts(found: Drift) -> dict[str, str]:
    """Verdict of each column, in the order of the table."""
    return {c.pair.name: c.verdict for c in found.columns}


HALVES, MOVED = ["a", "b"] * 500, ["a"] * 900 + ["b"] * 100


# Features


def test_columns_that_moved_come_first(compare):
    """Shares 0.5 and 0.9: a PSI of 0.4 ln 1.8 + 0.4 ln 5; the other column did not move."""
    found = compare({"calm": HALVES, "x": HALVES}, {"calm": HALVES, "x": MOVED})
    assert verdicts(found) == {"x": "drift", "calm": "stable"}
    first = found.columns[0]
    assert first.pair.psi == pytest.approx(0.4 * math.log(1.8) + 0.4 * math.log(5), rel=0.01)
    assert first.pair.chance == pytest.approx(2 / 1000)
    assert first.pair.distance == pytest.approx(0.4)
    assert first.pair.shares == [("a", 0.5, 0.9), ("b", 0.5, 0.1)]
    assert first.p_adjusted == 2 * first.p_value
    assert 0.25 < first.low < first.pair.psi


def test_too_many_columns_that_drift_lead_to_retraining(compare):
    """One of two is more than a fifth; one of two may, if half may."""
    old, new = {"calm": HALVES, "x": HALVES}, {"calm": HALVES, "x": MOVED}
    found = compare(old, new)
    assert (found.decision, found.reasons) == ("retrain", ["50% of the columns drifted (20% is allowed)"])
    assert compare(old, new, limits=Limits(max_drifted_share=0.5)).decision == "keep"
    assert compare(old, new, limits=Limits(max_psi=1.0)).decision == "keep"


def mixed(seed: int, rows: int) -> dict:
    """Codes, rare codes, names, quantities and gaps."""
    rng = np.random.default_rng(seed)
    return {
        "even": rng.integers(0, 12, rows),
        "rare": rng.choice(20, rows, p=np.array([0.9, *[0.1 / 19] * 19])),
        "hour": rng.integers(0, 24, rows),
        "name": rng.choice([f"n{i}" for i in range(300)], rows),
        "far": rng.lognormal(size=rows),
        "gaps": np.where(rng.random(rows) < 0.3, np.nan, rng.normal(size=rows)),
    }


@pytest.mark.parametrize("rows", [200, 2000, 50_000])
def test_two_samples_of_one_population_are_kept(compare, rows):
    """However few or many the rows."""
    for seed in range(0, 6, 2):
        found = compare(mixed(seed, rows), mixed(seed + 1, rows))
        assert set(verdicts(found).values()) <= {"stable", "uncertain"}
        assert found.decision == "keep"


def test_rows_of_one_collision_count_once(compare):
    """30 buses of 20 casualties are 30 observations: what 600 rows would prove is uncertain."""
    old, new = {"x": ["a"] * 300 + ["b"] * 300}, {"x": ["a"] * 500 + ["b"] * 100}
    key = {"collision_index": [f"c{i // 20}" for i in range(600)]}
    assert verdicts(compare(old | key, new | key)) == {"x": "drift", "collision_index": "stable"}
    marks = {"collision_index": store.IDENTIFIER}
    expected = pytest.approx(2 / 30)
    for given in ({"facts": {"group_column": "collision_index"}}, {"group_column": "collision_index"}):
        found = compare(old | key, new | key, marks, **given)
        assert verdicts(found) == {"x": "uncertain"}
        assert found.columns[0].pair.chance == expected


def test_missing_values_are_a_value(compare):
    """A code or a quantity that is missing in half of the rows, or in all, has drifted."""
    half = {"code": ["a", None] * 500, "size": [0.5, None] * 500, "gone": pa.nulls(1000, pa.string())}
    found = compare({"code": ["a"] * 1000, "size": [0.5] * 1000, "gone": HALVES}, half)
    assert set(verdicts(found).values()) == {"drift"}
    assert {c.pair.name: c.pair.missing for c in found.columns} == {
        "code": (0, 0.5), "size": (0, 0.5), "gone": (0, 1),
    }  # fmt: skip
    shares = {c.pair.name: c.pair.shares for c in found.columns}
    assert shares["gone"] == [("known", 1, 0), ("missing", 0, 1)]
    assert shares["code"] == [("a", 1, 0.5), ("missing", 0, 0.5)]


def test_all_columns_but_keys_and_outcomes_are_compared(compare):
    """Not the target, nor what is ignored; what one dataset lacks is told."""
    old = {"key": HALVES, "late": HALVES, "y": HALVES, "x": HALVES, "z": HALVES, "only": HALVES}
    marks = {"key": store.IDENTIFIER, "late": store.OUTCOME}
    new = {n: v for n, v in old.items() if n != "only"}
    found = compare(old, new, marks, target_column="y", ignore_columns=["z"])
    assert [(c.part, c.pair.name) for c in found.columns] == [("feature", "x"), ("target", "y")]
    assert found.notes == ["Not in both, so not compared: only."]
    assert list(verdicts(compare(old, old, marks, columns=["z", "key"]))) == ["z", "key"]


def test_a_models_features_are_compared_and_no_other_column(compare):
    """Its target is that of the data; both datasets need its features."""
    facts = MODEL | {"features": ["x", "t"]}
    table = {"x": HALVES, "t": HALVES, "other": HALVES, "outcome": HALVES}
    found = compare(table, table, model_only=facts)
    assert [(c.part, c.pair.name) for c in found.columns] == [("feature", "x"), ("feature", "t"), ("target", "outcome")]
    with pytest.raises(InputError, match=r"not in both datasets: t\. Make both as the training data were made"):
        compare(table, {"x": HALVES, "outcome": HALVES}, model_only=facts)


def test_the_facts_of_a_model_are_in_its_file(tmp_path):
    """As read_model gives them, but for the digest; another file is refused."""
    model, facts, *_ = train_classifier(pa.table({"x": [1, 1, 2, 2] * 10, "y": ["a", "b"] * 20}), "y")
    write_model(model, facts, tmp_path / "model")
    read = read_model(tmp_path / "model")[1]
    del read["sha256"]
    assert model_facts(tmp_path / "model") == read
    for name in ("none", "text"):
        (tmp_path / "text").write_text("no model")
        with pytest.raises(InputError, match=f"model: {tmp_path / name} is no model of train_classifier"):
            model_facts(tmp_path / name)


def test_codes_are_told_in_words(compare):
    """One without words as it is."""
    table = {"weather": [1, 2, 3] * 100}
    found = compare(table, table, {"weather": store.CATEGORY}, labels={"weather": {"1": "fine", "2": "rain"}})
    assert [s[0] for s in found.columns[0].pair.shares] == ["fine", "rain", "3"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"columns": ["x11"]}, "neither dataset has a column 'x11'. Nearest name: x1."),
        ({"ignore_columns": ["none"]}, "neither dataset has a column 'none'."),
        ({"target_column": "none"}, "neither dataset has a column 'none'."),
        ({"group_column": "none"}, "neither dataset has a column 'none'."),
        ({"ignore_columns": ["x1", "t"]}, "there is no column to compare: reference and current data share none"),
        ({}, "column t is number in one dataset and text in the other; read both alike, or leave it out"),
    ],
)
def test_bad_parameters(compare, parameters, message):
    """One sentence with the name and what to do."""
    with pytest.raises(InputError) as error:
        compare({"x1": [1, 2], "t": ["a", "b"]}, {"x1": [1, 2], "t": [0.5, 0.5]}, **parameters)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ({"max_psi": 0.0}, "max_psi is 0.0; it can be 0.001 to 100."),
        ({"max_score_psi": math.nan}, "max_score_psi is nan; it can be 0.001 to 100."),
        ({"max_drifted_share": 1.5}, "max_drifted_share is 1.5; it can be 0 to 1."),
        ({"max_auc_drop": -0.1}, "max_auc_drop is -0.1; it can be 0 to 1."),
    ],
)
def test_bad_limits(limit, message):
    """Each has a range."""
    with pytest.raises(InputError, match=message):
        Limits(**limit)


# Target


def test_shares_of_the_classes(compare):
    """An eighth and a quarter of 800 rows: errors are the roots of p (1 - p) / 800."""
    old, new = ["ksi"] * 100 + ["slight"] * 700, ["ksi"] * 200 + ["slight"] * 600
    found = compare({"x": [1] * 800, "y": old}, {"x": [1] * 800, "y": new}, target_column="y")
    assert list(found.shares) == ["ksi", "slight"]
    ksi = found.shares["ksi"]
    assert ksi.reference == (0.125, pytest.approx(math.sqrt(0.125 * 0.875 / 800)))
    assert ksi.current == (0.25, pytest.approx(math.sqrt(0.25 * 0.75 / 800)))
    assert (found.columns[-1].part, found.columns[-1].pair.distance) == ("target", pytest.approx(0.125))
    assert found.decision == "keep"


def test_rows_without_a_label_do_not_count(compare):
    """Half of the labelled ones are of a class; without any label the target is not compared."""
    old, some = {"x": [1] * 8, "y": [1, 2] * 4}, {"x": [1] * 8, "y": [1, 2, None, None] * 2}
    assert compare(old, some, target_column="y").shares["1"].current[0] == 0.5
    for new in ({"x": [1] * 8}, {"x": [1] * 8, "y": pa.nulls(8, pa.int64())}):
        found = compare(old, new, target_column="y")
        assert found.notes[-1] == "The current data have no y: neither it nor the performance is compared."
        assert found.shares == {}


# Scores and performance


def scored(seed: int, rows: int, shift: float = 0.0, skill: float = 1.0) -> dict:
    """Risks between 0.05 and 0.45, and outcomes that follow them to a degree."""
    rng = np.random.default_rng(seed)
    risk = rng.uniform(0.05, 0.45, rows)
    outcome = np.where(rng.random(rows) < skill * risk + (1 - skill) * 0.25, "ksi", "slight")
    return {"risk": risk + shift, "outcome": outcome}


def test_scores_and_performance_that_hold(compare):
    """Mean probability and ROC-AUC of the rarer class, in both; only the model's feature is compared."""
    found = compare(scored(0, 4000), scored(1, 4000), model=MODEL)
    assert found.positive_class == "ksi"
    assert verdicts(found) == {"risk": "stable", "probability of ksi": "stable", "outcome": "stable"}
    assert found.decision == "keep"
    assert found.figures["mean_probability"].reference[0] == pytest.approx(0.25, abs=0.01)
    auc = found.figures["roc_auc"]
    assert auc.reference[0] == pytest.approx(0.68, abs=0.03)
    assert auc.interval()[0] < 0 < auc.interval()[1]


def test_scores_that_moved_lead_to_retraining(compare):
    """All by 0.2."""
    limits = Limits(max_drifted_share=1.0)
    found = compare(scored(0, 4000), scored(1, 4000, shift=0.2), model=MODEL, limits=limits)
    assert found.decision == "retrain"
    assert [r.split(" (")[0] for r in found.reasons] == ["the scores drifted"]


def test_a_model_that_lost_its_skill_leads_to_retraining(compare):
    """Its features and scores are as ever, the outcomes no longer follow; few rows do not prove it."""
    found = compare(scored(0, 4000), scored(1, 4000, skill=0.0), model=MODEL)
    assert found.decision == "retrain"
    assert found.reasons[0].startswith("the ROC-AUC fell by 0.1")
    assert compare(scored(0, 100), scored(1, 100, skill=0.0), model=MODEL).decision == "keep"


def test_unlabelled_data_have_scores(compare):
    """But no performance."""
    new = {"risk": scored(1, 500)["risk"]}
    found = compare(scored(0, 500), new, model=MODEL)
    assert list(found.figures) == ["mean_probability"]
    assert found.notes == ["The current data have no outcome: neither it nor the performance is compared."]


def test_what_a_model_remembers_is_no_reference(compare):
    """On its training rows it scores too well; what was measured out of fold is one."""
    model = MODEL | {"training_data": "reference"}
    found = compare(scored(0, 500), scored(1, 500), model=model)
    assert found.figures == {}
    assert [c.part for c in found.columns] == ["feature", "target"]
    found = compare(scored(0, 500), scored(1, 500), model=model | {"out_of_fold": {"roc_auc": 0.9}})
    assert found.figures["roc_auc"].reference == (0.9, 0.0)
    assert found.reasons[0].startswith("the ROC-AUC fell by 0.2")
    assert found.notes[0].startswith("The reference is what the model learned from, where its scores are what it")
    assert found.notes[1] == "Its ROC-AUC is the one that training measured out of fold, taken as exact."


def test_predictions_of_other_data_are_refused(compare, tmp_path):
    """They are rows beside rows; and both are needed."""
    compare(scored(0, 50), scored(1, 50), model=MODEL)
    data = [open_dataset(tmp_path / n, n) for n in ("reference", "current")]
    given = [open_dataset(tmp_path / f"{n}_predictions", f"{n}_predictions") for n in ("reference", "current")]
    for wrong in (given[::-1], data):
        with pytest.raises(InputError, match="these are not predict_batch's predictions for the data beside them"):
            detect_drift(*data, Limits(), MODEL, wrong)
    table = pq.read_table(tmp_path / "current_predictions")
    facts = store.facts_of(table)
    facts["made_from"]["model"] = "sha256:1"
    store.write_dataset(store.with_facts(table, facts), tmp_path / "other")
    with pytest.raises(InputError, match="the predictions are of two models"):
        detect_drift(*data, Limits(), MODEL, [given[0], open_dataset(tmp_path / "other", "current_predictions")])
    with pytest.raises(InputError, match="there are current_predictions alone; give those of both datasets, or none"):
        detect_drift(*data, Limits(), MODEL, given[1:])


# Outputs


def test_the_table_of_columns(compare):
    """Plain types, nothing missing, facts that a file can hold."""
    found = compare(scored(0, 300), scored(1, 300), model=MODEL)
    table = found.table()
    assert table.column_names == [
        "part", "column", "compared_as", "psi", "by_chance", "distance", "missing_reference", "missing_current",
        "limit", "low", "statistic", "p_value", "p_adjusted", "verdict",
    ]  # fmt: skip
    assert table["part"].to_pylist() == ["feature", "score", "target"]
    assert sum(c.null_count for c in table.columns) == 0
    numbers = [c for c in table.columns if pa.types.is_floating(c.type)]
    assert np.isfinite(np.array([c.to_pylist() for c in numbers])).all()
    facts = store.facts_of(table)
    assert (facts["decision"], facts["limits"]["max_psi"], facts["reasons"]) == (found.decision, 0.25, found.reasons)
    assert "null" not in json.dumps(facts)
    assert all(digest.startswith("sha256:") for digest in facts["made_from"].values())


def test_the_figures(compare):
    """Plain finite floats, those that are known."""
    figures = compare({"x": HALVES, "y": HALVES}, {"x": MOVED, "y": HALVES}).metrics()
    assert figures == {
        "rows_reference": 1000, "rows_current": 1000, "columns_compared": 2, "drifted_share": 0.5,
        "largest_feature_psi": pytest.approx(0.877, abs=0.01),
    }  # fmt: skip
    assert {type(v) for v in figures.values()} == {float}
    assert list(compare(scored(0, 300), scored(1, 300), model=MODEL).metrics())[4:] == [
        "largest_target_psi", "largest_score_psi", "largest_feature_psi", "mean_probability_reference",
        "mean_probability_current", "roc_auc_reference", "roc_auc_current",
    ]  # fmt: skip


def test_a_line_for_each_reason(compare, capsys):
    """None to keep a model."""
    log_drift(compare({"x": HALVES}, {"x": MOVED}), Metrics())
    assert capsys.readouterr().out == "WARNING: retrain: 100% of the columns drifted (20% is allowed)\n"
    log_drift(compare({"x": HALVES}, {"x": HALVES}), Metrics())
    assert capsys.readouterr().out == ""


def test_a_folder_by_year_compares_as_a_file(tmp_path):
    """Whichever side it is on."""
    table = store.mark_columns(pa.table({"year": [2022] * 500 + [2023] * 500, "x": HALVES}), {"year": store.IDENTIFIER})
    store.write_dataset(table, tmp_path / "file")
    for year in (2022, 2023):
        part = tmp_path / "folder" / f"year={year}" / "part-0.parquet"
        part.parent.mkdir(parents=True)
        pq.write_table(table.filter(pa.array([y == year for y in table["year"].to_pylist()])), part)
    pq.write_metadata(table.schema, tmp_path / "folder" / store.FOLDER_FACTS)
    for old, new in (("file", "folder"), ("folder", "file")):
        found = detect_drift(
            open_dataset(tmp_path / old, "reference"), open_dataset(tmp_path / new, "current"), Limits()
        )
        assert [(c.pair.name, c.pair.psi) for c in found.columns] == [("x", pytest.approx(0, abs=1e-12))]


@pytest.mark.parametrize(("new", "expected"), [(HALVES, "keep"), (MOVED, "retrain")])
def test_the_step_ends_well_either_way(tmp_path, new, expected):
    """Decision as text, the table, the page and the figures."""
    for name, values in (("old", HALVES), ("new", new)):
        store.write_dataset(pa.table({"x": values}), tmp_path / name)
    table, figures, page = Dataset(), Metrics(), HTML()
    table.path, page.path = str(tmp_path / "out" / "drift"), str(tmp_path / "out" / "report")
    step.python_func(
        Dataset(uri=str(tmp_path / "old")), Dataset(uri=str(tmp_path / "new")), table, figures, page,
        str(tmp_path / "out" / "decision"),
    )  # fmt: skip
    assert (tmp_path / "out" / "decision").read_text() == expected
    assert pq.read_table(table.path)["column"].to_pylist() == ["x"]
    assert table.metadata["decision"] == expected
    assert figures.metadata["rows_reference"] == 1000
    assert (tmp_path / "out" / "report").read_text().startswith("<!DOCTYPE html>")


def test_the_step_allows_what_core_does():
    """Defaults stand in two places, because KFP reads signatures."""
    defaults = {n: p.default for n, p in inspect.signature(step.python_func).parameters.items()}
    assert {n: defaults[n] for n in vars(Limits())} == vars(Limits())
