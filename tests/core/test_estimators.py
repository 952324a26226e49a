"""Settings, the three algorithms as pipelines, and classes in an order."""

import numpy as np
import pandas as pd
import pytest

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.estimators import ALGORITHMS, Columns, Settings, build
from roadsafety_components.core.ordinal import OrdinalClassifier

ORDER = ["slight", "serious", "fatal"]


class Fixed:
    """A binary classifier whose probability of the second class is one of its features."""

    def __init__(self, column: int) -> None:
        self.column = column

    def predict_proba(self, x):
        """The feature."""
        return np.stack([1 - x[:, self.column], x[:, self.column]], axis=1)


def ordinal() -> OrdinalClassifier:
    """Beyond slight: column 0; beyond serious: column 1."""
    return OrdinalClassifier([Fixed(0), Fixed(1)], ORDER)


def test_a_class_in_an_order_gets_the_difference_of_its_steps():
    """Classes come out sorted by name, as everywhere: fatal, serious, slight."""
    model = ordinal()
    assert model.classes_.tolist() == ["fatal", "serious", "slight"]
    assert model.predict_proba(np.array([[0.75, 0.25], [1.0, 0.5]])).tolist() == [[0.25, 0.5, 0.25], [0.5, 0.5, 0.0]]


def test_steps_that_cross_give_no_negative_probability():
    """Fatal cannot be likelier than fatal or serious: the later step comes down to the earlier."""
    assert ordinal().predict_proba(np.array([[0.25, 0.75]])).tolist() == [[0.25, 0.0, 0.75]]


def test_the_answer_is_the_likeliest_class():
    """By name."""
    assert ordinal().predict(np.array([[0.75, 0.125], [0.25, 0.125], [1.0, 0.75]])).tolist() == [
        "serious", "slight", "fatal",
    ]  # fmt: skip


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_takes_gaps_categories_and_strange_values(algorithm):
    """Trained on text, codes, a quantity with gaps and a category of many values; answered with none of them known."""
    rng = np.random.default_rng(0)
    rows = 600
    x = pd.DataFrame(
        {
            "road": [("A", "B", None)[i % 3] for i in range(rows)],
            "code": np.float32(np.arange(rows) % 4),
            "age": np.where(np.arange(rows) % 5 == 0, np.nan, rng.normal(size=rows)).astype(np.float32),
            "cell": [f"{i % 150}" for i in range(rows)],
        }
    )
    y = np.where((x["road"] == "A") ^ (rng.random(rows) < 0.1), "ksi", "slight")
    columns = Columns(list(x), ["road", "cell"], ["road", "code", "cell"], ["cell"])
    model = build(Settings(algorithm, n_estimators=20), columns).fit(x, y)
    right = model.predict(x) == y
    assert right.mean() > 0.85
    strange = pd.DataFrame({"road": ["M"], "code": np.float32([9]), "age": np.float32([np.nan]), "cell": ["new"]})
    given = model.predict_proba(strange)
    assert given.shape == (1, 2)
    assert np.isfinite(given).all()


def test_a_feature_may_only_raise_the_probability():
    """With a constraint upwards the noise no longer lowers it anywhere."""
    rng = np.random.default_rng(1)
    speed = rng.integers(20, 71, 800).astype(np.float32)
    y = np.where(rng.random(800) < speed / 100, "worse", "better")
    x = pd.DataFrame({"speed": speed})
    ladder = pd.DataFrame({"speed": np.arange(20, 71, dtype=np.float32)})
    steps = {}
    for sign in (0, 1, -1):
        columns = Columns(["speed"], [], [], [], {"speed": sign})
        steps[sign] = np.diff(build(Settings(n_estimators=50), columns).fit(x, y).predict_proba(ladder)[:, 1])
    assert steps[0].min() < 0 < steps[0].max()
    assert steps[1].min() >= 0
    assert steps[-1].max() <= 0


def test_parameters_take_the_place_of_settings():
    """Numbers may come as floats; the settings themselves stay."""
    settings = Settings("random_forest")
    assert settings.replaced({"n_estimators": 50.0, "max_features": 0.5}) == Settings(
        "random_forest", n_estimators=50, max_features=0.5
    )
    assert settings == Settings("random_forest")


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        (
            {"n_estimator": 5},
            "parameters has 'n_estimator', which is no setting. Nearest name: n_estimators. There are",
        ),
        ({"n_estimators": 1.5}, "n_estimators is 1.5; it is a whole number, 1 to 100000."),
        ({"max_leaf_nodes": 1}, "max_leaf_nodes is 1; it is a whole number, 2 or more."),
        ({"max_features": 1.5}, "max_features is 1.5; it is a number, 0 to 1."),
        ({"l2_regularization": -1.0}, "l2_regularization is -1.0; it is a number, 0 or more."),
        ({"l2_regularization": float("nan")}, "l2_regularization is nan; it is a number, 0 or more."),
    ],
)
def test_a_parameter_that_cannot_be_is_told(parameters, told):
    """By name, with what it can be."""
    with pytest.raises(InputError) as error:
        Settings().replaced(parameters)
    assert str(error.value).startswith(told)


def test_facts_name_the_settings_that_an_algorithm_uses():
    """A learning rate in the facts of a forest would mislead."""
    assert Settings("logistic_regression", seed=3).told() == {"class_weight": "none", "seed": 3}
    assert "learning_rate" not in Settings("random_forest").told()
    assert Settings().told()["learning_rate"] == 0.04
