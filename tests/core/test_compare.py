"""A challenger replaces the champion where it is better beyond chance, and the record says why."""

import inspect
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from kfp.dsl import Dataset, Markdown, Metrics, Model

from roadsafety_components.components.compare_classifiers import compare_classifiers as step
from roadsafety_components.core.compare import BETTER, Comparison, Rules, compare_classifiers, log_comparison
from roadsafety_components.core.decision_record import decision_record
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.estimators import Settings
from roadsafety_components.core.evaluate import DEFINITIONS
from roadsafety_components.core.model_writer import write_model
from roadsafety_components.core.store import with_facts, write_dataset
from roadsafety_components.core.train import train_classifier

GUARDS = {"brier": 0.0, "roc_auc": 0.0}


class Oracle:
    """A model whose features are the probabilities that it answers, one column a class."""

    def predict_proba(self, frame):
        """The columns; features come as float32, so their sum is made 1 again."""
        given = frame.to_numpy(np.float64)
        return given / given.sum(axis=1, keepdims=True)


def facts(name: str, classes=("ksi", "slight"), **changes) -> dict:
    """Facts of an Oracle whose columns are called after it."""
    return {
        "classes": list(classes), "features": [f"{name}_{c}" for c in classes], "text_features": [],
        "target_column": "outcome",
    } | changes  # fmt: skip


# Twenty ksi, twenty slight.
TRUTH = ["ksi", "slight"] * 20


def two(given: dict[str, list[float]], truth: list[str] = TRUTH) -> pa.Table:
    """A test table from the probability that each model gives the true class."""
    columns = {"outcome": truth, "crash": list(range(len(truth)))}
    for name, own in given.items():
        columns[f"{name}_ksi"] = [p if t == "ksi" else 1 - p for p, t in zip(own, truth, strict=True)]
        columns[f"{name}_slight"] = [1 - p if t == "ksi" else p for p, t in zip(own, truth, strict=True)]
    return pa.table(columns)


def compared(table: pa.Table, rules: Rules | None = None, old=None, new=None, **options) -> Comparison:
    """Compare the Oracles ``old`` and ``new``; given facts are changes to theirs."""
    champion, challenger = (facts(n, **(c or {})) for n, c in (("old", old), ("new", new)))
    options = {"resamples": 100} | options
    return compare_classifiers(
        (Oracle(), champion), (Oracle(), challenger), table, rules or Rules(max_losses=GUARDS), **options
    )


# Figures and gains


def test_a_gain_that_every_row_shows_has_no_spread():
    """The champion gives the truth 0.4, the challenger 0.9: squared errors 0.36 and 0.01 in every draw."""
    found = compared(two({"old": [0.4] * 40, "new": [0.9] * 40}), Rules("brier", 0.34))
    assert found.measured["brier"] == {
        "champion": pytest.approx((0.36, 0.36, 0.36)),
        "challenger": pytest.approx((0.01, 0.01, 0.01)),
        "gain": pytest.approx((0.35, 0.35, 0.35)),
    }
    assert found.decision == "promote"
    assert found.class_counts == {"ksi": 20, "slight": 20}


def test_the_gain_has_to_exceed_what_was_asked_for():
    """A gain of 0.35 is not above 0.36."""
    found = compared(two({"old": [0.4] * 40, "new": [0.9] * 40}), Rules("brier", 0.36))
    assert found.decision == "keep"
    assert found.lost == []


def test_a_gain_is_above_0_where_the_challenger_is_better():
    """Of figures where the higher is better, the lower, or the nearer to 1."""
    rng = np.random.default_rng(0)
    old = rng.uniform(0.2, 0.8, 40).tolist()
    found = compared(two({"old": old, "new": [min(p + 0.15, 0.95) for p in old]}))
    for name, sides in found.measured.items():
        a, b = sides["champion"][0], sides["challenger"][0]
        by_hand = {1: b - a, -1: a - b, 0: abs(a - 1) - abs(b - 1)}[BETTER[name]]
        assert sides["gain"][0] == pytest.approx(by_hand)
        assert sides["gain"][1] <= sides["gain"][2]
    assert found.measured["accuracy"]["gain"][0] > 0
    assert found.measured["log_loss"]["gain"][0] > 0
    assert set(found.measured) == set(BETTER)


def test_every_figure_has_a_definition():
    """What can decide is defined where figures are."""
    assert set(BETTER) < set(DEFINITIONS)


def test_what_is_hard_for_both_cancels_out():
    """Half of the rows are hard; the challenger gives each truth a little more, which alone is compared."""
    old = [0.5, 0.5, 0.9, 0.9] * 10
    found = compared(two({"old": old, "new": [p + 0.03 for p in old]}), Rules("brier"))
    sides = found.measured["brier"]
    assert sides["champion"][1] < sides["challenger"][2]  # their own intervals overlap
    assert sides["gain"][1] > 0
    assert found.decision == "promote"


def test_equal_models_leave_the_champion():
    """No gain, no limits, nothing broken."""
    found = compared(two({"old": [0.3, 0.8] * 20, "new": [0.3, 0.8] * 20}))
    assert found.measured["average_precision"]["gain"] == (0, 0, 0)
    assert found.decision == "keep"
    assert found.lost == []


def test_a_gain_that_may_be_chance_leaves_the_champion():
    """One row of forty is answered better, none worse: a draw may not hold it."""
    old = [0.4] + [0.6] * 39
    found = compared(two({"old": old, "new": [0.6] * 40}), Rules("accuracy"))
    assert found.measured["accuracy"]["gain"][:2] == pytest.approx((1 / 40, 0))
    assert found.decision == "keep"


def mixed() -> pa.Table:
    """The challenger answers all rows rightly but hesitantly; the champion half of them, with certainty.

    Squared errors: of the champion 0 and 0.2601, in the mean 0.13005; of the challenger 0.2401.
    """
    return two({"old": [1.0, 1.0, 0.49, 0.49] * 10, "new": [0.51] * 40})


def test_a_guard_that_is_broken_keeps_the_champion():
    """The accuracy gains 0.5, and the Brier score loses 0.11005."""
    found = compared(mixed(), Rules("accuracy", max_losses={"brier": 0.0}))
    assert found.measured["accuracy"]["gain"][0] == pytest.approx(0.5)
    assert found.measured["brier"]["gain"][0] == pytest.approx(-0.11005)
    assert found.gained
    assert found.lost == ["brier"]
    assert found.decision == "keep"


def test_a_loss_can_be_let_pass():
    """A guard that allows more than the loss is not broken."""
    found = compared(mixed(), Rules("accuracy", max_losses={"brier": 0.2}))
    assert found.lost == []
    assert found.decision == "promote"


def test_rows_of_a_group_are_drawn_together():
    """Every row five times, as one group, tells no more than every row once."""
    rng = np.random.default_rng(1)
    once = two({n: rng.uniform(0.1, 0.9, 40).tolist() for n in ("old", "new")})
    often = once.take(np.repeat(np.arange(40), 5))
    grouped = with_facts(often, {"group_column": "crash"})
    expected = compared(once).measured["brier"]["gain"]
    assert compared(grouped).measured["brier"]["gain"] == pytest.approx(expected)
    assert compared(often, group_column="crash").measured["brier"]["gain"] == pytest.approx(expected)
    low, high = compared(often).measured["brier"]["gain"][1:]
    assert high - low < (expected[2] - expected[1]) / 1.5
    assert compared(grouped).groups == 40


def test_the_threshold_of_each_model_counts():
    """Both give the truth 0.4; the challenger calls ksi from 0.3 on, so it finds every one and flags every row."""
    threshold = {"positive_class": "ksi", "value": 0.3, "chosen_for": "recall of 0.9"}
    found = compared(two({"old": [0.4] * 40, "new": [0.4] * 40}), Rules("recall"), new={"threshold": threshold})
    assert found.measured["recall"]["challenger"] == (1, 1, 1)
    assert found.measured["recall"]["champion"] == (0, 0, 0)
    assert found.decision == "promote"


def test_the_same_seed_gives_the_same_limits():
    """Another one gives others."""
    rng = np.random.default_rng(2)
    table = two({n: rng.uniform(0.1, 0.9, 40).tolist() for n in ("old", "new")})
    assert compared(table, seed=3) == compared(table, seed=3)
    assert compared(table, seed=3).measured != compared(table, seed=4).measured


def three(new=None) -> tuple[pa.Table, dict, dict]:
    """Three classes, ten rows each: the champion gives the truth 0.4, the challenger 0.8."""
    classes = ("fatal", "serious", "slight")
    truth = list(classes) * 10
    columns = {
        f"{name}_{c}": [own if c == t else (1 - own) / 2 for t in truth]
        for name, own in (("old", 0.4), ("new", 0.8)) for c in classes
    }  # fmt: skip
    return pa.table({"outcome": truth} | columns), facts("old", classes), facts("new", classes, **(new or {}))


def test_three_classes():
    """The Brier score sums squared errors over the classes: 0.36 + 2 * 0.09 and 0.04 + 2 * 0.01."""
    table, old, new = three()
    found = compare_classifiers((Oracle(), old), (Oracle(), new), table, Rules("brier"), resamples=100)
    assert found.measured["brier"]["gain"] == pytest.approx((0.48, 0.48, 0.48), abs=1e-6)
    assert found.positive_class == ""
    assert found.decision == "promote"


def test_the_truth_may_have_another_name_in_the_test():
    """The models share a target, whatever the test calls it."""
    table = two({"old": [0.4] * 40, "new": [0.9] * 40}).rename_columns({"outcome": "officer_said"})
    found = compared(table, Rules("brier"), target_column="officer_said")
    assert found.target_column == "officer_said"
    assert found.decision == "promote"


# What is refused


def refusal(table: pa.Table | None = None, rules: Rules | None = None, old=None, new=None, **options) -> str:
    """Compare; the message with which it is refused."""
    with pytest.raises(InputError) as caught:
        compared(table or two({"old": [0.4] * 40, "new": [0.9] * 40}), rules, old, new, **options)
    return str(caught.value)


def test_models_of_other_classes_cannot_be_compared():
    """Nor of another target, unit or kind of target."""
    assert refusal(new={"classes": ["fatal", "slight"]}) == (
        "classes of the challenger is ['fatal', 'slight'], of the comparison ['ksi', 'slight']; compare models of one "
        "target, on rows made as their training rows were."
    )
    assert refusal(new={"target_column": "severity"}).startswith(
        "target_column of the challenger is severity, of the comparison outcome;"
    )
    table = with_facts(two({"old": [0.4] * 40, "new": [0.9] * 40}), {"unit": "casualty", "target": "ksi"})
    assert refusal(table, old={"unit": "vehicle"}).startswith(
        "unit of the champion is vehicle, of the comparison casualty;"
    )
    assert refusal(table, old={"unit": "casualty"}, new={"target": "severity"}).startswith(
        "target of the challenger is severity, of the comparison ksi;"
    )


def test_a_challenger_is_not_judged_on_what_it_learned():
    """The champion may be: it is flattered, and the record warns."""
    table = with_facts(two({"old": [0.4] * 40, "new": [0.9] * 40}), {"sha256": "sha256:1"})
    assert refusal(table, new={"training_data": "sha256:1"}) == (
        "test_data is what the challenger was trained on; compare on rows that it has not seen."
    )
    warned = compared(table, old={"training_data": "sha256:1"})
    assert [w.split(":")[0] for w in warned.warnings] == ["TRAINING DATA"]


def test_each_model_needs_its_features():
    """The message names whose they are."""
    table = two({"old": [0.4] * 40, "new": [0.9] * 40}).drop_columns("new_slight")
    assert refusal(table).startswith("test_data, for the challenger: no feature new_slight")


def test_rules_are_checked():
    """Names, the gain and the losses."""
    with pytest.raises(InputError, match=r"^there is no figure 'roc'\. Nearest name: roc_auc\. It can be average_prec"):
        Rules("roc")
    with pytest.raises(InputError, match=r"^there is no figure 'briar'. Nearest name: brier."):
        Rules(max_losses={"briar": 0.0})
    with pytest.raises(InputError, match=r"^max_losses lets brier lose -0.1; it is a number, 0 or more.$"):
        Rules(max_losses={"brier": -0.1})
    with pytest.raises(InputError, match=r"^min_gain is nan; it is a number, such as 0.005.$"):
        Rules(min_gain=float("nan"))


def test_parameters_are_checked():
    """Resamples, seed, the positive class, the group column."""
    told = "limits that decide need 100 draws or more, a seed is 0 or more."
    assert refusal(resamples=99) == f"resamples is 99, seed 0; {told}"
    assert refusal(seed=-1) == f"resamples is 100, seed -1; {told}"
    assert refusal(resamples=100.5) == "resamples is 100.5; it is a whole number, 0 (no intervals) or more."
    assert refusal(positive_class="fatal") == "positive_class is 'fatal'; the classes are ksi, slight."
    assert "crush" in refusal(group_column="crush")
    assert "Nearest name: crash." in refusal(group_column="crush")


def test_a_figure_that_the_test_does_not_give_cannot_decide():
    """Recall needs two classes; a class of one row is absent from one draw in three."""
    table, old, new = three()
    with pytest.raises(InputError, match=r"^recall cannot be told from this test: recall, precision and calibration_s"):
        compare_classifiers((Oracle(), old), (Oracle(), new), table, Rules("recall"), resamples=100)
    rare = two({"old": [0.4] * 40, "new": [0.9] * 40}, ["ksi"] + ["slight"] * 39)
    assert refusal(rare, Rules("roc_auc")).startswith("roc_auc cannot be told from this test:")


# Warnings, metrics, record


def test_warnings():
    """Each says what it does to the decision; none is said twice."""
    data = {"synthetic": True, "years": [2023, 2024], "split": {"method": "year"}}
    table = with_facts(two({"old": [0.4] * 40, "new": [0.9] * 40}), data)
    found = compared(
        table, old={"known_at": "before", "years": [2023]}, new={"known_at": "impact", **data, "years": [2023, 2024]}
    )
    assert [w.split(":")[0].split("?")[0] for w in found.warnings] == [
        "SYNTHETIC DATA", "DIFFERENT KNOWLEDGE", "ROWS SEEN",
    ]  # fmt: skip
    assert "The champion learned from the test's years" in found.warnings[-1]


def test_a_champion_of_earlier_years_has_not_seen_the_test():
    """The rows' own years count, not those of the whole that the test was cut from."""
    table = two({"old": [0.4] * 40, "new": [0.9] * 40}).append_column("year", pa.array([2024] * 40))
    split = {"split": {"method": "year"}, "years": [2023, 2024]}
    found = compared(with_facts(table, split), old={"years": [2022, 2023]}, new=split)
    assert found.warnings == []


def test_metrics():
    """Figures of both, gains with their limits, all plain numbers."""
    metrics = Metrics()
    log_comparison(compared(two({"old": [0.4] * 40, "new": [0.9] * 40}), Rules("brier")), metrics)
    logged = metrics.metadata
    assert logged["promoted"] == 1
    assert logged["champion_brier"] == pytest.approx(0.36)
    assert logged["challenger_brier"] == pytest.approx(0.01)
    assert [logged[f"gain_brier{end}"] for end in ("", "_low", "_high")] == pytest.approx([0.35] * 3)
    assert all(type(v) is float for v in logged.values())
    json.dumps(logged, allow_nan=False)


def test_the_record_of_a_promotion():
    """Decision, reason, what would change it, and both models."""
    table = with_facts(two({"old": [0.4] * 40, "new": [0.9] * 40}), {"sha256": "sha256:t"})
    found = compared(
        table, Rules("brier", 0.1, {"roc_auc": 0.0}),
        old={"algorithm": "logistic_regression", "sha256": "sha256:a"},
        new={"algorithm": "random_forest", "parameters": {"seed": 0, "monotonic": {}}, "sha256": "sha256:b"},
    )  # fmt: skip
    text = decision_record(found)
    assert text.startswith("# Decision: promote the challenger\n\n**Promote: the challenger's gain in brier, +0.3500 ")
    assert "has its lower limit above 0.1; no guarded figure is worse beyond chance.**" in text
    assert "With a min_gain from about 0.3500 on the champion would have been kept." in text
    assert "| brier | lower | 0.3600 (0.3600 to 0.3600) | 0.0100 (0.0100 to 0.0100) | +0.3500 (+0.3500 to" in text
    assert "| algorithm | logistic_regression | random_forest |  |" in text
    assert "| parameters |  | seed 0 |  |" in text
    assert "Features of the challenger alone: new_ksi, new_slight." in text
    assert "\n\nchampion: file sha256:a\n\n" in text
    assert text.endswith("\n\ntest: file sha256:t\n")
    assert "None" not in text
    assert text == decision_record(found)


def test_the_record_of_a_broken_guard():
    """It says which, by how much, and what would have to be let pass."""
    text = decision_record(compared(mixed(), Rules("accuracy", max_losses={"brier": 0.0})))
    assert text.startswith("# Decision: keep the champion")
    assert "it is worse beyond chance in brier, -0.1101 (" in text
    assert "max_losses would have to let brier lose 0.0" in text


def test_the_record_of_a_gain_that_may_be_chance():
    """It says how many groups would show it: the distance to the limit has to shrink to the gain."""
    old = [0.4, 0.4] + [0.6] * 38
    found = compared(two({"old": old, "new": [0.6] * 40}), Rules("accuracy"))
    value, low, _ = found.measured["accuracy"]["gain"]
    assert (value, low) == pytest.approx((0.05, 0))
    text = decision_record(found)
    assert "A test like this one tells a gain from about 0.0500 on." in text
    assert "If the gain is what it seems, 40 groups would show it." in text


def test_a_record_escapes_what_comes_from_data():
    """Names in the data are no Markdown and no HTML."""
    table = two({"old": [0.4] * 40, "new": [0.9] * 40}).rename_columns(
        {"new_ksi": "new|*<b>*", "outcome": "_<i>outcome_"}
    )
    changes = {"target_column": "_<i>outcome_"}
    text = decision_record(compared(table, old=changes, new=changes | {"features": ["new|*<b>*", "new_slight"]}))
    assert r"new\|\*&lt;b&gt;\*" in text
    assert r"at telling \_&lt;i&gt;outcome\_ in 40 rows" in text
    assert "<" not in text


# The step


@pytest.mark.parametrize(("swapped", "expected"), [(False, "promote"), (True, "keep")])
def test_the_step_ends_well_either_way(tmp_path: Path, swapped: bool, expected: str):
    """Decision as text, record and metrics; the better of two stored models stays."""
    rng = np.random.default_rng(0)
    speed = rng.integers(20, 70, 240)
    table = pa.table({"speed": speed, "noise": rng.random(240), "ksi": np.where(speed > 50, "ksi", "slight")})
    settings = Settings("random_forest", n_estimators=5, min_samples_leaf=5)
    for name, left_out in (("weak", ["speed"]), ("good", [])):
        write_model(*train_classifier(table.slice(0, 120), "ksi", settings, left_out)[:2], tmp_path / name)
    write_dataset(table.slice(120), tmp_path / "test")
    order = ("good", "weak") if swapped else ("weak", "good")
    champion, challenger = (Model(uri=str(tmp_path / n)) for n in order)
    record, metrics = Markdown(uri=str(tmp_path / "out" / "record")), Metrics()
    decision = tmp_path / "out" / "decision"
    step.python_func(
        champion, challenger, Dataset(uri=str(tmp_path / "test")), record, metrics, str(decision), resamples=100
    )
    assert decision.read_text() == expected
    assert metrics.metadata["promoted"] == (expected == "promote")
    assert Path(record.path).read_text().startswith(f"# Decision: {expected} the")


def test_the_step_asks_for_what_core_does():
    """Defaults stand in two places, because KFP reads signatures."""
    defaults = {n: p.default for n, p in inspect.signature(step.python_func).parameters.items()}
    core = inspect.signature(compare_classifiers).parameters
    assert all(defaults[n] == core[n].default for n in ("target_column", "positive_class", "resamples", "seed"))
    assert (defaults["figure"], defaults["min_gain"]) == (Rules().figure, Rules().min_gain)
    assert defaults["max_losses"] == GUARDS
