"""Which features are one thing, whose probability is explained, and values in words."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.feature_groups import asking, check_whole, grouped, in_words, spread


def test_a_feature_is_in_its_group_or_alone():
    """In the order of the features; within a group in the group's own."""
    groups = {"time": ["hour", "rush_hour"], "place": ["cell"]}
    assert grouped(["rush_hour", "speed", "hour"], groups) == {"time": ["hour", "rush_hour"], "speed": ["speed"]}


def test_features_that_the_model_does_not_have_are_told(capsys):
    """A list of groups serves many models; a misspelt feature is in the log."""
    grouped(["hour"], {"time": ["hour", "rush_huor"]})
    assert capsys.readouterr().out == "features of groups that the model does not have: rush_huor\n"


def test_a_feature_is_in_one_group():
    """Its importance would count twice."""
    with pytest.raises(InputError, match=r"groups: feature hour is in time and in light; leave it in one\."):
        grouped(["hour"], {"time": ["hour"], "light": ["dark", "hour"]})


def test_a_group_is_not_called_like_a_feature_outside_it():
    """Two rows would have the same name."""
    with pytest.raises(InputError, match=r"groups: dark is a feature, but not in the group of that name"):
        grouped(["hour", "dark"], {"dark": ["hour"]})


class Model:
    """Gives the classes a, b and c the probabilities 0.2, 0.3 and 0.5."""

    def predict_proba(self, frame):
        """The same for every row."""
        return np.tile([0.2, 0.3, 0.5], (len(frame), 1))


FACTS = {"classes": ["a", "b", "c"], "class_counts": {"a": 5, "b": 2, "c": 3}}


@pytest.mark.parametrize(("asked", "name", "given"), [("", "b", 0.3), ("c", "c", 0.5)])
def test_the_rarest_class_of_the_training_is_explained(asked, name, given):
    """Unless another is asked for."""
    found, position, ask = asking(Model(), FACTS, asked)
    assert (found, FACTS["classes"][position]) == (name, name)
    assert ask(pd.DataFrame({"x": [1, 2]})).tolist() == [given, given]


def test_a_class_that_there_is_not():
    """The message has those that there are."""
    with pytest.raises(InputError, match=r"positive_class is 'ksi'; the classes are a, b, c\."):
        asking(Model(), FACTS, "ksi")


@pytest.mark.parametrize("value", [0, 1.5])
def test_numbers_of_rows_are_whole(value):
    """Lists and dicts of numbers come as floats, so 5.0 is whole."""
    check_whole(1, repeats=5.0)
    with pytest.raises(InputError, match=rf"repeats is {value}; it is a whole number, 1 or more\."):
        check_whole(1, repeats=value)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (pa.array([1, 9, None], pa.int16()), ["Pedestrian", "9", "missing"]),
        (pa.array(["1", "9", None]), ["Pedestrian", "9", "missing"]),
        (pa.array(["1", "9", None]).dictionary_encode(), ["Pedestrian", "9", "missing"]),
        (pa.array([1, 9, None]).dictionary_encode(), ["Pedestrian", "9", "missing"]),
        (pa.array([True, False, None]), ["yes", "no", "missing"]),
        (pa.array([0.1, float("nan"), 412500.0], pa.float32()), ["0.1", "missing", "412500"]),
    ],
)
def test_values_in_words(values, told):
    """A code has the words given for it; a code without words stays as it is."""
    assert in_words(pa.table({"user": values}), "user", {"user": {"1": "Pedestrian"}}) == told


def test_evenly_spaced():
    """From the middle of as many parts; all where there are no more."""
    assert spread(np.arange(10), 2).tolist() == [2, 7]
    assert spread(np.arange(3), 5).tolist() == [0, 1, 2]
