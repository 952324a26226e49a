"""The page of single rows: what it says, its bars, what it escapes, and that it stands alone."""

import re
from dataclasses import replace

from roadsafety_components.core.contributions import Contributions
from roadsafety_components.core.contributions_report import contributions_report

FOUND = Contributions(
    [{"collision_index": "A", "casualty_reference": 2}, {"collision_index": "B", "casualty_reference": 1}],
    [7, 3],
    [0.6, 0.05],
    {"road_user": ["Pedestrian", "Car occupant"], "speed_limit": ["30", "20"]},
    {"road_user": [0.5, -0.1], "speed_limit": [-0.025, 0.025]},
    {"positive_class": "ksi", "mean_probability": 0.125, "orders": 200, "rows_given": 1234, "synthetic": False},
)
PAGE = contributions_report(FOUND)


def rows(page: str) -> list[list[str]]:
    """Return the text of every table row."""
    found = re.split("<tr>", re.sub("(?s)</table>.*?(</caption>|$)", "", page))[1:]
    return [[re.sub(r"<[^>]*>", "", c).strip() for c in re.split(r"<t[hd][^>]*>", r)[1:]] for r in found]


def test_a_table_a_row():
    """From the mean to the probability, the largest part first; dark bars raise, light ones lower."""
    assert "The mean probability is 0.125." in PAGE
    assert "Rows taken apart: 2 of 1,234" in PAGE
    assert "not cause" in PAGE
    assert PAGE.index("<h2>Probability 0.600</h2>") < PAGE.index("<h2>Probability 0.050</h2>")
    assert "<caption>collision index A, casualty reference 2</caption>" in PAGE
    assert rows(PAGE) == [
        ["column", "value", "contribution", ""],
        ["road user", "Pedestrian", "+0.500", "\u2588" * 20],
        ["speed limit", "30", "-0.025", "\u2591"],
        ["column", "value", "contribution", ""],
        ["road user", "Car occupant", "-0.100", "\u2591" * 20],
        ["speed limit", "20", "+0.025", "\u2588" * 5],
    ]


def test_small_parts_are_told_together():
    """Eight with a bar each, and the sum of the others."""
    parts = {f"c{i}": [0.1 / 2**i] for i in range(10)}
    one = replace(FOUND, keys=[{}], rows=[7], probabilities=[0.3], values={n: ["1"] for n in parts}, parts=parts)
    page = contributions_report(one)
    assert [row[0] for row in rows(page)] == ["column", *(f"c{i}" for i in range(8)), "2 others"]
    assert rows(page)[-1][1:3] == ["", "+0.001"]
    assert "<caption>row 7</caption>" in page


def test_a_row_of_nothing():
    """Without a bar, and without a division by 0."""
    none = replace(FOUND, parts={"road_user": [0.0, 0.0], "speed_limit": [0.0, 0.0]})
    assert rows(contributions_report(none))[1] == ["road user", "Pedestrian", "+0.000", ""]


def test_generated_rows_are_told():
    """In a box at the head."""
    page = contributions_report(replace(FOUND, facts=FOUND.facts | {"synthetic": True}))
    assert '<p class="warning">SYNTHETIC DATA' in page
    assert 'class="warning"' not in PAGE


def test_what_comes_from_data_is_escaped():
    """Names, values, keys and classes; nothing runs and nothing is fetched."""
    evil = "<script>alert('1')</script>"
    page = contributions_report(Contributions(
        [{evil: evil}], [0], [0.5], {evil: [evil]}, {evil: [0.1]}, FOUND.facts | {"positive_class": evil}
    ))  # fmt: skip
    assert "<script" not in page
    assert "&lt;script&gt;alert(" in page
    assert "://" not in page
