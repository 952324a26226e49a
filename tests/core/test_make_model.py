"""Make and model apart."""

import pyarrow as pa
import pytest

from roadsafety_components.core.make_model import make_and_model, split_make_and_model


@pytest.mark.parametrize(
    ("text", "make", "model"),
    [
        ("VOLKSWAGEN GOLF", "Volkswagen", "Golf"),
        ("BMW 3 SERIES", "BMW", "3 Series"),
        ("AUDI A3", "Audi", "A3"),
        ("LAND ROVER RANGE ROVER SPORT", "Land Rover", "Range Rover Sport"),
        ("RANGE ROVER EVOQUE", "Land Rover", "Range Rover Evoque"),
        ("ALFA ROMEO MITO", "Alfa Romeo", "Mito"),
        ("DENNIS DART", "Alexander Dennis", "Dart"),
        ("ALEXANDER DENNIS MODEL MISSING", "Alexander Dennis", None),
        ("VOLVO MODEL MISSING", "Volvo", None),
        ("LONDON TAXIS INT TX4", "London Taxis International", "TX4"),
        ("VW UP", "Volkswagen", "Up"),
        ("OPEL CORSA", "Vauxhall", "Corsa"),
        ("HARLEY-DAVIDSON MODEL MISSING", "Harley-Davidson", None),
        ("MAKE AND MODEL REDACTED", None, None),
        ("OTHER BRITISH MODEL MISSING", None, None),
        ("  ford   fiesta ", "Ford", "Fiesta"),
        ("FORD", "Ford", None),
        ("OTHERMAKE X", "Othermake", "X"),
        ("", None, None),
    ],
)
def test_a_name_is_split(text: str, make: str | None, model: str | None) -> None:
    """Makes of two words, other names of a make, what is not told."""
    assert split_make_and_model(text) == (make, model)


def test_a_column_is_split_row_by_row() -> None:
    """Null stays null; pieces of a column do not matter."""
    names = pa.chunked_array([["FORD KA", None], ["FORD KA", "MG ZS"]])
    split = {n: c.to_pylist() for n, c in make_and_model(names).items()}
    assert split == {"vehicle_make": ["Ford", None, "Ford", "MG"], "vehicle_model": ["Ka", None, "Ka", "Zs"]}
