"""A model's probabilities and answers, and what a table must have for them."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.predict import answers, check_features, probabilities

FACTS = {"classes": ["ksi", "slight"], "features": ["speed", "place"], "text_features": ["place"]}
GIVEN = np.array([[0.2, 0.8], [0.5, 0.5], [0.6, 0.4], [0.3, 0.7]])


class Recorder:
    """A model that remembers what it was given."""

    def predict_proba(self, frame):
        """Float32, as some algorithms answer."""
        self.frame = frame
        return np.full((len(frame), 2), 0.5, np.float32)


def test_the_model_gets_its_features_in_its_order():
    """Other columns do not matter; probabilities are float64."""
    model = Recorder()
    table = pa.table({"place": ["town", None], "other": [1, 2], "speed": [30, 60]})
    given = probabilities(model, FACTS, table)
    assert model.frame["speed"].tolist() == [30, 60]
    assert list(model.frame.columns) == ["speed", "place"]
    assert (given.dtype, given.tolist()) == (np.float64, [[0.5, 0.5], [0.5, 0.5]])


def test_the_likeliest_class_is_the_answer():
    """The first one of two that are as likely."""
    assert answers(GIVEN, FACTS).tolist() == [1, 0, 0, 1]
    assert answers(GIVEN, FACTS | {"threshold": {}}).tolist() == [1, 0, 0, 1]


@pytest.mark.parametrize(("positive", "expected"), [("ksi", [1, 0, 0, 0]), ("slight", [1, 1, 1, 1])])
def test_a_threshold_decides_where_the_model_has_one(positive, expected):
    """A row at the threshold is positive."""
    threshold = {"positive_class": positive, "value": 0.3}
    assert answers(GIVEN, FACTS | {"threshold": threshold}).tolist() == expected


@pytest.mark.parametrize(
    "speed",
    [
        pa.array([1, None], pa.int8()),
        pa.array([1.5, None], pa.float64()),
        pa.array([True, None]),
        pa.array([1, None]).dictionary_encode(),
        pa.array([1, None]).cast(pa.decimal128(21, 1)),
        pa.nulls(2),
    ],
    ids=lambda v: str(v.type),
)
@pytest.mark.parametrize("place", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())], ids=str)
def test_any_number_is_a_number_and_any_text_is_text(speed, place):
    """Whatever wrote the table: the model gets float32 and objects."""
    table = pa.table({"speed": speed, "place": pa.array(["a", None], place)})
    check_features(FACTS, table.schema, "data")
    model = Recorder()
    probabilities(model, FACTS, table)
    assert [str(t) for t in model.frame.dtypes] == ["float32", "object"]
    assert model.frame["speed"].iloc[0] >= 1 or speed.type == pa.null()


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"other": [1]}, "data: no feature speed, place; make it as the training table was made."),
        ({"speed": ["30"], "place": ["a"]}, "data: feature speed is string, in training number; read both tables "
         "alike."),
        ({"speed": [30], "place": [1]}, "data: feature place is int64, in training text; read both tables alike."),
        ({"speed": [date(2024, 1, 1)], "place": ["a"]}, "data: feature speed is date32[day], in training number; read "
         "both tables alike."),
        ({"speed": [[1]], "place": ["a"]}, "data: feature speed is list<item: int64>, in training number; read both "
         "tables alike."),
        ({"speed": [30], "place": [None]}, "data: feature place is null, in training text; read both tables alike."),
    ],
)  # fmt: skip
def test_a_table_that_does_not_fit_is_refused(columns, told):
    """With the feature, what it is and what it was."""
    with pytest.raises(InputError) as error:
        check_features(FACTS, pa.table(columns).schema, "data")
    assert str(error.value) == told
