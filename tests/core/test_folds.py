"""Folds that keep groups whole, and probabilities from models that have not seen the row."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.estimators import Columns, Settings
from roadsafety_components.core.folds import Rows, fit, grouped_folds, out_of_fold

COLUMNS = Columns(["x"], [], [], [])


def rows(number: int = 400, noise: float = 1.0) -> Rows:
    """Pairs of rows, one group each; the class follows from x and noise."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=number)
    y = np.where(x + noise * rng.normal(size=number) > 0.8, "ksi", "slight").astype(object)
    return Rows(pd.DataFrame({"x": x.astype(np.float32)}), y, np.arange(number) // 2)


def test_every_row_is_held_out_once_with_its_group():
    """And both classes are in each fold, about as often."""
    data = rows()
    folds = grouped_folds(data.y, data.groups, 5, seed=1)
    assert sorted(np.concatenate([held for _, held in folds])) == list(range(400))
    for others, held in folds:
        assert not set(data.groups[others]) & set(data.groups[held])
        assert abs(np.mean(data.y[held] == "ksi") - np.mean(data.y == "ksi")) < 0.05


def test_a_class_in_fewer_groups_than_folds_is_told():
    """With what to do."""
    y = np.array(["a"] * 10 + ["b"] * 4)
    groups = np.array([*range(10), 10, 10, 11, 11])
    with pytest.raises(InputError, match="class b occurs in 2 groups; 5 folds need at least as many"):
        grouped_folds(y, groups, 5, 0)
    with pytest.raises(InputError, match=r"folds is 1; it is a whole number, 2 or more\."):
        grouped_folds(y, groups, 1, 0)


def test_no_row_is_judged_by_a_model_that_saw_its_group():
    """Groups are told apart by x alone and their class is a coin's: a forest that saw them would know every one."""
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(100), 3)
    y = rng.permuted(np.repeat(["a", "b"], 50))[group].astype(object)
    data = Rows(pd.DataFrame({"x": group.astype(np.float32)}), y, group)
    settings = Settings("random_forest", n_estimators=20, min_samples_leaf=1)
    held = out_of_fold(data, settings, COLUMNS, (), grouped_folds(data.y, group, 5, 0))
    seen = fit(data, settings, COLUMNS).predict_proba(data.x)
    truth = data.y == "b"
    assert np.mean((seen[:, 1] > 0.5) == truth) > 0.95
    assert 0.3 < np.mean((held.probabilities[:, 1] > 0.5) == truth) < 0.7


def test_boosting_stops_where_held_out_rows_are_predicted_best():
    """On noise few rounds are best; the probabilities are those after the chosen round."""
    data = rows(noise=2.0)
    folds = grouped_folds(data.y, data.groups, 4, 0)
    settings = Settings(n_estimators=80, learning_rate=0.3)
    held = out_of_fold(data, settings, COLUMNS, (), folds)
    assert 1 <= held.rounds < 30
    chosen = replace(settings, n_estimators=held.rounds)
    by_hand = np.zeros((400, 2))
    for others, out in folds:
        by_hand[out] = fit(data.take(others), chosen, COLUMNS).predict_proba(data.x.iloc[out])
    assert np.allclose(held.probabilities, by_hand)


def test_an_algorithm_without_rounds_has_none():
    """A forest is fitted with all its trees."""
    data = rows(100)
    held = out_of_fold(
        data, Settings("random_forest", n_estimators=3), COLUMNS, (), grouped_folds(data.y, data.groups, 2, 0)
    )
    assert held.rounds == 0
    assert np.allclose(held.probabilities.sum(axis=1), 1)


def test_class_shares_of_a_category_never_come_from_its_own_group():
    """Each group has a cell of its own: in training its share is that of all rows, so that the cell tells nothing."""
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(150), 4)
    y = rng.permuted(np.repeat(["a", "b"], 75))[group].astype(object)
    x = pd.DataFrame({"cell": [f"cell {g}" for g in group], "noise": rng.normal(size=600).astype(np.float32)})
    columns = Columns(["cell", "noise"], ["cell"], ["cell"], ["cell"])
    model = fit(Rows(x, y, group), Settings(n_estimators=30), columns)
    # A model that had been told the own class by the cell would know these rows by heart.
    assert np.mean(model.predict(x) == y) < 0.75
    # The folds, which hold every row's number, are no part of the model.
    assert model["encode"].named_transformers_["shares"].cv is None


def test_weights_count_rows_as_often():
    """A weight of 3 does what three rows do, and 0 what none does."""
    data = rows(200)
    weights = np.where(np.arange(200) % 2, 3.0, 0.0)
    settings = Settings("logistic_regression")
    weighted = fit(Rows(data.x, data.y, data.groups, weights), settings, COLUMNS)
    repeated = fit(data.take(np.repeat(np.arange(1, 200, 2), 3)), settings, COLUMNS)
    # The scaler knows no weights: the same fit in other units, but for the penalty.
    assert np.allclose(weighted.predict_proba(data.x), repeated.predict_proba(data.x), atol=0.02)


def test_classes_in_an_order_stop_all_their_steps_together():
    """After the chosen round of both steps the probabilities are those of a model with as many rounds."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=600)
    rank = np.clip(np.round(x + rng.normal(size=600)), 0, 2).astype(int)
    y = np.array(["slight", "serious", "fatal"], dtype=object)[rank]
    data, order = Rows(pd.DataFrame({"x": x.astype(np.float32)}), y, np.arange(600)), ["slight", "serious", "fatal"]
    folds = grouped_folds(y, data.groups, 3, 0)
    held = out_of_fold(data, Settings(n_estimators=30), COLUMNS, order, folds)
    by_hand = np.zeros((600, 3))
    for others, out in folds:
        model = fit(data.take(others), Settings(n_estimators=held.rounds), COLUMNS, order)
        by_hand[out] = model.predict_proba(data.x.iloc[out])
    assert np.allclose(held.probabilities, by_hand)
    assert model.classes_.tolist() == ["fatal", "serious", "slight"]


def test_a_column_that_is_empty_in_a_fold_is_no_obstacle():
    """All its values are in one group: the models of the other folds have it, that of its own has not."""
    data = rows(60)
    rare = np.full(60, np.nan, np.float32)
    rare[:2] = [1, 2]
    x = data.x.assign(rare=rare)
    columns = Columns(["x", "rare"], [], [], [])
    folds = grouped_folds(data.y, data.groups, 3, 0)
    held = out_of_fold(Rows(x, data.y, data.groups), Settings(n_estimators=5), columns, (), folds)
    assert np.isfinite(held.probabilities).all()
