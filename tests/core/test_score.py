"""A candidate's cross-validated figure: which groups it is judged on, what it is worth, what fails it."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.ensemble import RandomForestClassifier

from roadsafety_components.core import folds, store
from roadsafety_components.core.candidates import DIRECTIONS
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.estimators import Settings
from roadsafety_components.core.figures import figures
from roadsafety_components.core.frame import to_frame
from roadsafety_components.core.score import score_candidate

COLLISIONS = 90
FOREST = Settings("random_forest", n_estimators=8)


def casualties(collisions=COLLISIONS, classes=("slight", "serious")):
    """Two casualties a collision; who is seriously hurt follows from speed, but for every seventh."""
    number = np.arange(2 * collisions)
    speed = np.array([20, 30, 60])[number // 2 % 3]
    hurt = np.where(number % 7 == 0, 1, speed == 60) + (number % 5 == 0) * (len(classes) - 2)
    facts = {"group_column": "collision_index", "sha256": "sha256:1"}
    table = pa.table({
        "collision_index": [f"C{n // 2}" for n in number],
        "speed_limit": pa.array(speed, pa.int16()),
        "age": pa.array(number * 37 % 90, pa.int16()),
        "severity": [classes[min(h, len(classes) - 1)] for h in hurt],
    })  # fmt: skip
    return store.with_facts(table, facts)


def test_the_score_says_what_was_judged_and_how():
    """The mean is that of the folds; the facts are those that scores of one search share."""
    found, facts = score_candidate(casualties(), "severity", {"id": 4.0, "min_samples_leaf": 3.0}, FOREST, folds=3)
    assert (found.candidate, found.share, found.groups, found.rows, found.rounds) == (4, 1.0, 90, 180, 0)
    assert (found.status, found.message, found.parameters) == ("ok", "", {"min_samples_leaf": 3})
    assert len(found.by_fold) == 3
    assert found.mean == pytest.approx(sum(found.by_fold) / 3)
    assert 0 < found.mean < 0.69  # better than a coin
    assert found.seconds > 0
    assert facts == {
        "algorithm": "random_forest", "class_weight": "none", "figure": "log_loss", "folds": 3, "share": 1.0, "seed": 0,
        "target_column": "severity", "group_column": "collision_index", "synthetic": False, "status": "ok",
        "mean": found.mean, "made_from": {"train_data": "sha256:1"},
    }  # fmt: skip


@pytest.mark.parametrize("figure", DIRECTIONS)
@pytest.mark.parametrize("classes", [("slight", "serious"), ("slight", "serious", "fatal")])
def test_a_figure_is_the_one_of_the_evaluation(figure, classes):
    """On the same held-out rows, of the rarer of two classes and the mean over three."""
    table = casualties(classes=classes)
    found, _ = score_candidate(table, "severity", {"id": 1}, FOREST, figure=figure, folds=2)
    y = np.array(table["severity"].to_pylist(), object)
    groups = np.arange(len(y)) // 2
    names = sorted(classes)
    rows = folds.Rows(to_frame(table, ["speed_limit", "age"]), y, groups)
    sides = folds.grouped_folds(y, groups, 2, 0)
    columns = folds.Columns(["speed_limit", "age"], [], [], [])
    held = folds.out_of_fold(rows, FOREST, columns, (), sides)
    truth = np.array([names.index(c) for c in y])
    positive = names.index("serious") if len(names) == 2 else -1
    expected = [figures(truth[at], held.probabilities[at], None, positive)[figure] for _, at in sides]
    assert found.by_fold == pytest.approx(expected)


def test_a_better_candidate_has_a_better_score():
    """A leaf of 100 rows cannot tell what a leaf of 5 can."""
    fine, coarse = (
        score_candidate(casualties(), "severity", {"id": 1, "min_samples_leaf": n}, FOREST, folds=3)[0]
        for n in (5, 100)
    )
    assert fine.mean < coarse.mean


def test_boosting_tells_its_rounds():
    """Of the 30 that it may have, those with the least loss on held-out rows."""
    settings = Settings(n_estimators=30)
    found, _ = score_candidate(casualties(), "severity", {"id": 0, "learning_rate": 0.3}, settings, folds=2)
    assert 1 <= found.rounds <= 30
    assert found.parameters == {"learning_rate": 0.3}


def test_a_feature_with_values_in_one_fold_only_is_left_out():
    """Boosting dies of a column that is empty where it is fitted, and a rare one would fail every candidate."""
    rare = pa.array([7.5] + [None] * 179, pa.float64())
    table = casualties().append_column("rare", rare)
    settings = Settings(n_estimators=3)
    found, _ = score_candidate(table, "severity", {}, settings, folds=2)
    alike, _ = score_candidate(casualties(), "severity", {}, settings, folds=2)
    assert (found.status, found.by_fold) == ("ok", alike.by_fold)


def drawn(monkeypatch, share, seed=0, table=None):
    """The groups that a share is judged on."""
    seen = []

    def look(rows, *_):
        seen.append({int(c) for c in rows.x["collision"]})
        raise ValueError("seen")

    monkeypatch.setattr(folds, "out_of_fold", look)
    table = casualties(2000) if table is None else table
    number = pa.array([int(c[1:]) for c in table["collision_index"].to_pylist()])
    settings = Settings("random_forest", seed=seed)
    score_candidate(table.append_column("collision", number), "severity", {}, settings, share=share, folds=2)
    return seen[0]


def test_a_larger_share_holds_the_groups_of_a_smaller_one(monkeypatch):
    """Of 2,000 collisions a third is 667 (each class's share is rounded up); another seed draws others."""
    third, half, whole = (drawn(monkeypatch, share) for share in (1 / 3, 0.5, 1.0))
    assert (len(third), len(half), len(whole)) == (668, 1000, 2000)
    assert third < half < whole
    assert drawn(monkeypatch, 1 / 3, seed=1) != third
    assert drawn(monkeypatch, 1 / 3) == third


def test_a_small_share_is_500_groups(monkeypatch):
    """Fewer are too few to rank by; of a small table it is all."""
    assert 500 <= len(drawn(monkeypatch, 0.01)) <= 502
    assert len(drawn(monkeypatch, 0.01, table=casualties(40))) == 40


def test_each_class_keeps_as_many_groups_as_there_are_folds(monkeypatch):
    """Of 3 fatal among 4,000 collisions a share of an eighth would be none, or one."""
    table = casualties(4000)
    severity = table["severity"].to_pylist()
    for row in (10, 20, 30):
        severity[row] = "fatal"
    table = table.set_column(3, "severity", [severity])
    assert len({5, 10, 15} & drawn(monkeypatch, 0.125, table=table)) == 2


def test_groups_stay_whole_and_are_no_feature(monkeypatch):
    """The group's column is left out although it is text; each row is its own group where none is named."""
    seen = []
    whole = folds.out_of_fold

    def look(rows, settings, columns, order, sides):
        seen.append((columns.features, [set(rows.groups[a]) & set(rows.groups[b]) for a, b in sides]))
        return whole(rows, settings, columns, order, sides)

    monkeypatch.setattr(folds, "out_of_fold", look)
    score_candidate(casualties(), "severity", {}, FOREST, folds=2)
    assert seen == [(["speed_limit", "age"], [set(), set()])]
    table = store.with_facts(casualties(), {}).rename_columns(["name", "speed_limit", "age", "severity"])
    found, facts = score_candidate(table, "severity", {}, FOREST, exclude_columns=["name"], folds=2)
    assert (found.groups, facts["group_column"]) == (180, "")


@pytest.mark.parametrize("error", [MemoryError("no room"), ValueError("a  long\nmessage"), RuntimeError("x")])
def test_whatever_a_fit_raises_fails_the_candidate_alone(monkeypatch, error):
    """The score says so and has no figure; the step goes on."""

    def burst(*_, **__):
        raise error

    monkeypatch.setattr(RandomForestClassifier, "fit", burst)
    found, facts = score_candidate(casualties(), "severity", {"id": 2, "max_depth": 4}, FOREST, folds=2)
    message = f"{type(error).__name__}: {' '.join(str(error).split())}"
    assert (found.status, found.message, found.mean, found.by_fold) == ("failed", message, None, ())
    assert found.parameters == {"max_depth": 4}
    assert (facts["status"], "mean" in facts) == ("failed", False)


def test_a_fold_without_a_class_fails_what_needs_it(monkeypatch):
    """The log loss of slight casualties alone can be told, a ROC-AUC cannot."""
    table = casualties()
    is_slight = np.array([c == "slight" for c in table["severity"].to_pylist()])
    some = is_slight & (np.arange(180) < 90)
    sides = [(np.flatnonzero(~some), np.flatnonzero(some))]
    monkeypatch.setattr(folds, "grouped_folds", lambda *_: sides)
    status = {f: score_candidate(table, "severity", {}, FOREST, figure=f)[0].status for f in DIRECTIONS}
    assert status == {"log_loss": "ok", "brier": "ok", "average_precision": "failed", "roc_auc": "failed"}
    found, _ = score_candidate(table, "severity", {}, FOREST, figure="roc_auc")
    assert found.message == "ValueError: a fold has no rows of a class, so that it has no roc_auc; use fewer folds"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"figure": "accuracy"}, "figure is 'accuracy'; it can be log_loss, brier, average_precision, roc_auc."),
        ({"share": 0}, "share is 0; it is above 0 and at most 1."),
        ({"share": 1.5}, "share is 1.5"),
        ({"folds": 1}, "folds is 1; it is a whole number, 2 or more."),
        ({"folds": 100}, "100 folds need at least as many"),
        ({"target_column": "sever"}, "no target column 'sever'. Nearest name: severity."),
        ({"group_column": "collision"}, "there is no group_column 'collision'. Nearest name: collision_index."),
        ({"candidate": {"id": 1, "max_dept": 3}}, "parameters has 'max_dept', which is no setting."),
        ({"candidate": {"id": 1, "max_depth": -1}}, "max_depth is -1; it is a whole number, 0 or more."),
        ({"exclude_columns": ["age", "speed_limit"]}, "no feature column is left"),
    ],
)
def test_input_that_no_candidate_could_use_is_refused(change, message):
    """That is no failed candidate: all of them would fail."""
    given = {"table": casualties(), "target_column": "severity", "candidate": {"id": 0}, "settings": FOREST}
    with pytest.raises(InputError, match=message):
        score_candidate(**given | change)
