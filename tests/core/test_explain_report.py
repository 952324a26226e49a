"""The page that people read: what it says, in which order, what it escapes, and that it stands alone."""

import re
from dataclasses import replace

import pytest

from roadsafety_components.core.dependence import Dependence
from roadsafety_components.core.explain import Explanation
from roadsafety_components.core.explain_report import explanation_report

AGE = Dependence(
    "age",
    "age_of_casualty",
    ["20", "70"],
    [20.0, 70.0],
    [0.1, 0.3],
    [0.5, 0.375],
    [[0.1, 0.2], [0.1, 0.4]],
    (0.15, 0.125),
)
USER = Dependence("road_user", "casualty_type", ["Car", "Cyclist"], [], [0.1, 0.2], [0.75, 0.25], [[0.1, 0.2]])


def cost(column: str, mean: float, low: float, **others: str) -> dict[str, object]:
    """Return an importance."""
    told = {"column": column, "importance": mean, "low": low, "high": 0.25, "features": column, "meaning": ""}
    return told | others


EXPLAINED = Explanation(
    {"target": "ksi", "positive_class": "ksi", "positive_share": 0.135, "figure": "average_precision",
     "figure_before": 0.35621, "repeats": 5, "rows_used": 20000, "rows_given": 46366},
    [cost("road_user", 0.16, 0.15, features="casualty_type, is_driver", meaning="who was hurt"),
     cost("age", 0.03, 0.02), cost("month", 0.0001, -0.001)],
    [USER, AGE],
    [],
)  # fmt: skip
PAGE = explanation_report(EXPLAINED)


def test_the_verdict_comes_first():
    """The leading columns, what the first of them costs, and that none of it is cause."""
    verdict = "The model goes mostly by road user, age. Shuffling road user makes its average precision of 0.356 worse "
    verdict += "by 0.160."
    assert f"<p><b>{verdict}</b>" in PAGE
    assert PAGE.index(verdict) < PAGE.index("association in the data as recorded, not cause")
    assert "20,000 of 46,366" in PAGE
    assert "the probability of ksi, 13.5% of them" in PAGE


def test_a_model_that_goes_by_nothing():
    """No range above 0."""
    page = explanation_report(replace(EXPLAINED, importance=[cost("month", 0.0001, -0.001)], dependences=[]))
    assert "<b>No column matters" in page


def test_all_columns_are_in_a_table():
    """Folded, with what they are made of and mean."""
    folded = PAGE[PAGE.index("<details>") : PAGE.index("</details>")]
    assert "<summary>All columns: 3</summary>" in folded
    row = "<th>road user<td>0.1600<td>0.1500<td>0.2500<td>casualty_type, is_driver<td>who was hurt"
    assert row in folded
    assert "<th>month<td>0.0001<td>-0.0010" in folded


def test_pictures():
    """Importance, then a picture a leading column, with words, shares and what is missing."""
    assert re.findall(r'aria-label="([^"]*)"', PAGE) == ["Importance", "Dependence on road_user", "Dependence on age"]
    assert ">Car 75%</text>" in PAGE
    assert ">Cyclist 25%</text>" in PAGE
    assert ">missing: 12.5% of the rows</text>" in PAGE
    assert ">age of casualty</text>" in PAGE


def test_hardly_ever_missing_is_not_drawn():
    """A line for a few rows tells nothing."""
    page = explanation_report(replace(EXPLAINED, dependences=[replace(AGE, missing=(0.15, 0.004))]))
    assert "missing:" not in page


def test_twenty_bars_at_most():
    """The leading ones; the table has all."""
    many = [cost(f"column {i}", 0.1, 0.1) for i in range(30)]
    page = explanation_report(replace(EXPLAINED, importance=many, dependences=[]))
    assert len(re.findall(r">column \d+</text>", page)) == 20
    assert len(re.findall(r"<th>column \d+", page)) == 30


def test_a_column_of_one_value_is_drawn():
    """Without a width to divide by."""
    one = replace(AGE, values=["20"], at=[20.0], mean=[0.1], shares=[1.0], lines=[[0.1]], missing=None)
    assert explanation_report(replace(EXPLAINED, dependences=[one])).count("<svg ") == 2


def test_what_comes_from_data_is_escaped():
    """Names, words and classes are text on the page, in its pictures too."""
    evil = "<script>alert('1')</script>--><b>$x^2$"
    page = explanation_report(Explanation(
        EXPLAINED.facts | {"target": evil, "positive_class": evil},
        [cost(evil, 0.1, 0.1, meaning=evil)],
        [replace(USER, column=evil, feature=evil, values=[evil, evil]), replace(AGE, column=evil, feature=evil)],
        [evil],
    ))  # fmt: skip
    assert "<script" not in page
    assert "--><b>" not in page
    assert "&lt;script&gt;alert(" in page


@pytest.mark.parametrize("explanation", [EXPLAINED, replace(EXPLAINED, dependences=[])])
def test_the_page_stands_alone_and_repeats(explanation):
    """Nothing is fetched and nothing runs; the same explanation gives the same page."""
    page = explanation_report(explanation)
    assert page == explanation_report(explanation)
    assert "://" not in page
    assert not re.search(r"<(script|link|img|iframe|object)|@import|url\((?!#)", page)
    assert page.count("<svg ") == page.count("</svg>")
