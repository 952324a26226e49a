"""The search for settings as a pipeline: run on a small table, and built into another."""

import json
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import ANY

import pyarrow as pa
import pytest
from kfp import dsl
from kfp.dsl import Dataset

from roadsafety_components import components, containers
from roadsafety_components.core import store
from roadsafety_components.core.candidates import Score, scores_table
from roadsafety_components.core.datasets import read_dataset
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.model import read_model
from roadsafety_components.packaging import local, specs


@pytest.fixture
def pipelines(checkout, monkeypatch):
    """Return the module of the pipeline, imported as another pipeline's file would."""
    monkeypatch.syspath_prepend(checkout / "pipelines")
    import tune_classifier_pipeline

    return tune_classifier_pipeline


def collisions():
    """180 casualties, two a collision; who is seriously hurt follows from speed and age together."""
    rows = range(180)
    speed, age = [(20, 30, 60)[i // 2 % 3] for i in rows], [i * 37 % 90 for i in rows]
    table = pa.table({
        "collision_index": [f"C{i // 2}" for i in rows],
        "speed_limit": pa.array(speed, pa.int16()),
        "age": pa.array(age, pa.int16()),
        "severity": ["serious" if s + a > 90 else "slight" for s, a in zip(speed, age, strict=True)],
    })  # fmt: skip
    table = store.mark_columns(table, {"collision_index": store.IDENTIFIER})
    return store.with_facts(table, {"group_column": "collision_index", "synthetic": True})


def test_a_search_ends_in_a_model_with_the_best_settings(pipelines, checkout, tmp_path):
    """Four candidates, of them one and the defaults twice: a stump, a forest of stumps and a tree that can tell."""
    store.write_dataset(collisions(), tmp_path / "train.parquet")
    spec = tmp_path / "tune.yaml"
    spec.write_text(specs.compile_readable(specs.pipeline_in(checkout / "pipelines/tune_classifier_pipeline.py")))
    arguments = {
        "data": str(tmp_path / "train.parquet"), "target_column": "severity", "algorithm": "hist_gradient_boosting",
        "candidates": 4, "folds": 2,
        "space": {"n_estimators": [12], "max_leaf_nodes": [2, 3, 8], "learning_rate": [0.3], "min_samples_leaf": [4]},
    }  # fmt: skip
    run = local.run_pipeline(spec, arguments, tmp_path / "out", tmp_path / "log")
    assert run.failed is None, run.failed.message
    told = [s.label for s in run.steps]
    assert [sum(t.endswith(f" of {n}") for t in told) for n in (4, 2)] == [4, 4]
    assert [t for t in told if " of " not in t] == [
        "sample_candidates", "select_best", "select_best", "select_best", "train_classifier",
    ]  # fmt: skip

    table = read_dataset(run.artifacts["select-best-3.table"]["uri"])
    rows = table.to_pylist()
    assert [(round(r["share"], 3), r["status"], r["groups"]) for r in rows] == [
        (share, "ok", 90) for share in (0.111, 0.111, 0.111, 0.111, 0.333, 0.333, 1.0, 1.0)
    ]
    best = store.facts_of(table)["parameters"]
    assert best["learning_rate"] == 0.3
    _, facts = read_model(run.artifacts["train-classifier.model"]["uri"])
    assert {n: facts["parameters"][n] for n in best if n != "n_estimators"} == {
        n: v for n, v in best.items() if n != "n_estimators"
    }
    assert 1 <= facts["parameters"]["n_estimators"] <= 12  # early stopping
    assert "SYNTHETIC" in Path(run.artifacts["select-best-3.report"]["uri"]).read_text()


@pytest.mark.parametrize("steps", [components, containers], ids=["lightweight", "container"])
def test_it_can_be_part_of_another_pipeline(pipelines, steps):
    """With the steps of either packaging, as one box with three loops, whose outputs are there for the next steps."""
    tune = pipelines.tuning(steps)

    @dsl.pipeline(name="outer")
    def outer(data: str):
        found = dsl.importer(artifact_uri=data, artifact_class=Dataset)
        parts = steps.split_dataset(data=found.output, target_column="ksi", group_column="collision_index")
        tuned = tune(train_data=parts.outputs["train_data"], target_column="ksi")
        steps.train_classifier(
            train_data=parts.outputs["train_data"], target_column="ksi", parameters=tuned.outputs["best"]
        )

    inner = outer.pipeline_spec.components["comp-tune"]
    loops = [t for t in inner.dag.tasks.values() if t.HasField("parameter_iterator")]
    assert len(loops) == 3
    assert sorted(inner.output_definitions.artifacts) == ["report", "table"]
    assert list(inner.output_definitions.parameters) == ["best"]


def test_the_example_in_the_documentation_compiles(pipelines, checkout, tmp_path):
    """As it stands there, beside the pipeline's file; the command finds one pipeline in it."""
    code = (checkout / "docs/tuning.md").read_text().split("```python\n")[1].split("```")[0]
    (tmp_path / "tuned.py").write_text(code)
    assert "comp-tune" in specs.pipeline_in(tmp_path / "tuned.py").pipeline_spec.components


@pytest.fixture
def artifacts(tmp_path):
    """Return a function that makes a stand-in for an artifact of a name."""
    return lambda name: SimpleNamespace(path=str(tmp_path / name), metadata={})


def test_the_steps_hand_each_other_what_they_write(artifacts, tmp_path):
    """Candidates, the score of each, the selection: files and metadata, without a pipeline."""
    train, table, report = (artifacts(n) for n in ("train", "table", "report"))
    store.write_dataset(collisions(), train.path)
    space = {"n_estimators": [9.0], "max_depth": [1.0, 6.0], "min_samples_leaf": [1.0]}
    components.sample_candidates.python_func(str(tmp_path / "candidates"), "random_forest", 3, space)
    candidates = json.loads((tmp_path / "candidates").read_text())
    own = {"n_estimators": 9, "min_samples_leaf": 1}
    assert candidates == [
        {"id": 0, "n_estimators": 500, "max_depth": 0, "min_samples_leaf": 20},
        {"id": 1, "max_depth": ANY} | own, {"id": 2, "max_depth": ANY} | own,
    ]  # fmt: skip
    scores = [artifacts(f"score-{c['id']}") for c in candidates[1:]]
    for candidate, score in zip(candidates[1:], scores, strict=True):
        components.score_candidate.python_func(train, "severity", candidate, score, "random_forest", folds=2)
        assert (score.metadata["rows"], score.metadata["status"], score.metadata["synthetic"]) == (1, "ok", True)
    paths = [str(tmp_path / n) for n in ("survivors", "best")]
    components.select_best.python_func(scores, *paths, table, report)
    survivors, best = (json.loads(Path(p).read_text()) for p in paths)
    deep = next(c for c in candidates[1:] if c["max_depth"] == 6)
    assert survivors == [deep]
    assert best == {"max_depth": 6} | own
    assert table.metadata["best"] == deep["id"]
    assert table.metadata["parameters"] == best


def test_a_search_without_a_score_writes_nothing(artifacts, tmp_path):
    """All candidates failed: the messages, and no half output."""
    score, table, report = (artifacts(n) for n in ("score", "table", "report"))
    facts = {"algorithm": "random_forest", "class_weight": "none", "figure": "log_loss", "folds": 2, "seed": 0,
             "group_column": "", "made_from": {}, "target_column": "severity", "share": 1.0}  # fmt: skip
    failed = Score(0, 1.0, 90, 180, status="failed", message="MemoryError: no room")
    store.write_dataset(scores_table([failed], facts), score.path)
    paths = [str(tmp_path / n) for n in ("survivors", "best")]
    with pytest.raises(InputError, match=r"^all 1 candidates failed: MemoryError: no room$"):
        components.select_best.python_func([score], *paths, table, report)
    assert [p.name for p in tmp_path.iterdir()] == ["score"]


def test_kfp_dsl_compile_finds_one_pipeline_in_the_file(pipelines):
    """The nested one is kept where the command does not look."""
    from kfp.cli.compile_ import collect_pipeline_or_component_from_module

    assert collect_pipeline_or_component_from_module(pipelines) is pipelines.tune_classifier_pipeline
