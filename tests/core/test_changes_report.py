"""The page that people read: what it says, in which order, what it escapes, and that it stands alone."""

import re
from dataclasses import replace
from html import unescape

import pytest

from roadsafety_components.core.changes import Change, Comparison, Limits
from roadsafety_components.core.changes_report import changes_report
from roadsafety_components.core.distance import QUANTILES, ColumnPair

CALM = ColumnPair("weekday", "codes", (0.0, 0.125), 0.004, 0.003, 0.02, [("1", 0.5, 0.49), ("2", 0.5, 0.51)])
CODES = ColumnPair(
    "speed_limit", "codes", psi=0.5, chance=0.01, distance=0.3, shares=[("20", 0.1, 0.4), ("30", 0.9, 0.6)]
)
QUANTITY = ColumnPair("age", "quantity", psi=0.2, chance=0.01, quantiles=[(q * 80, q * 90) for q in QUANTILES])


def change(
    column: str, kind: str, level: str = "refuse", told: tuple[str, str] = ("a", "b"), why: str = "It did."
) -> Change:
    """Return a change with these words and figures that the page does not show."""
    return Change(column, kind, level, *told, 1.0, 0.5, 10, why)


def compared(changes: list[Change], columns: list[ColumnPair], **parts) -> Comparison:
    """Return a comparison of 12,000 rows with 9,000."""
    return replace(Comparison((12000, 9000), columns, changes, Limits(max_rows_ratio=2), {}), **parts)


REFUSED = compared(
    [
        change("", "rows", told=("12,000", "9,000")),
        change("speed_limit", "distribution", told=("20: 10.0%; 30: 90.0%", "20: 40.0%; 30: 60.0%"), why="PSI 0.500."),
        change("road", "empty", told=("1.0% missing", "100% missing")),
        change("lane", "empty", told=("2.0% missing", "100% missing")),
        change("age", "mean", "note", ("36.1", "40.2"), "The mean moved."),
    ],
    [CALM, CODES, QUANTITY],
)
PAGE = changes_report(REFUSED)


def rows(page: str) -> list[list[str]]:
    """Return the text of every table row, lines within a cell set apart by a bar."""
    found = re.split("<tr>", re.sub("(?s)</table>.*?(</caption>|$)", "", page.replace("<br>", "|")))[1:]
    return [[unescape(re.sub(r"<[^>]*>", "", c)).strip() for c in re.split(r"<t[hd][^>]*>", r)[1:]] for r in found]


def test_the_verdict_comes_first_and_says_why():
    """A refusal in a box, with the columns by kind."""
    verdict = '<p class="warning">Refuse: rows; distribution speed_limit; empty road, lane.\n'
    assert verdict in PAGE
    assert PAGE.index(verdict) < PAGE.index("<p>Reference: 12,000 rows. Current: 9,000 rows. Columns compared: 3.")


def test_many_columns_are_not_all_in_the_verdict():
    """Three of them; the table has all."""
    many = compared([change(f"c{i}", "type") for i in range(5)], [CALM])
    assert "Refuse: type c0, c1, c2, ..." in changes_report(many)


def test_an_acceptance_is_no_warning():
    """In bold, with the number of what is noted."""
    page = changes_report(compared([change("age", "mean", "note")], [CALM]))
    assert "<p><b>Accept: nothing is beyond what is allowed. Changes noted: 1.</b>" in page
    assert 'class="warning"' not in page
    assert "Reasons to refuse" not in page


def test_refusals_then_notes():
    """A row a change, each item on its line; a column that is only gone or empty is told with its like."""
    assert PAGE.index("<h2>Reasons to refuse</h2>") < PAGE.index("<h2>Noted</h2>") < PAGE.index("<h2>Unchanged</h2>")
    assert rows(PAGE)[:6] == [
        ["column", "reference", "current", "change"],
        ["all rows", "12,000", "9,000", "rows|It did."],
        ["speed_limit", "20:\xa010.0%|30:\xa090.0%", "20:\xa040.0%|30:\xa060.0%", "distribution|PSI 0.500."],
        ["2 columns", "1.0%\xa0missing|2.0%\xa0missing", "100%\xa0missing", "empty|It did.|road, lane"],
        ["column", "reference", "current", "change"],
        ["age", "36.1", "40.2", "mean|The mean moved."],
    ]


def test_what_did_not_change_is_folded():
    """The columns without a change, with their figures."""
    folded = PAGE[PAGE.index("<details>") : PAGE.index("</details>")]
    assert "<summary>Columns: 1</summary>" in folded
    assert rows(folded)[1:] == [["weekday", "codes", "0.0%", "12.5%", "0.004", "0.003", "0.020"]]


def test_what_is_allowed_stands_at_the_end():
    """A reader need not ask for the parameters."""
    allowed = dict(r for r in rows(PAGE[PAGE.index("<h2>What is allowed</h2>") :]) if len(r) == 2)
    assert allowed["max psi"] == "0.250"
    assert allowed["max rows ratio"] == "2"
    assert allowed["refuse on"].startswith("rows, schema_version, ")


def test_columns_that_moved_are_drawn_the_most_moved_first():
    """Bars for codes, lines for quantities; not those that chance explains."""
    assert re.findall(r'aria-label="([^"]*)"', PAGE) == ["speed_limit", "age"]
    assert PAGE.count("share of the rows below") == 1
    assert ">PSI 0.50 (0.010)</text>" in PAGE
    assert "moved most" not in changes_report(compared([], [CALM]))


def test_no_more_than_nine_pictures():
    """Of a table in which everything moved."""
    page = changes_report(compared([], [replace(CODES, name=f"c{i}", psi=0.5 + i) for i in range(20)]))
    assert re.findall(r'aria-label="([^"]*)"', page) == [f"c{i}" for i in range(19, 10, -1)]


def test_of_many_codes_the_commonest_are_drawn():
    """Ten of them, in the order of the codes."""
    shares = [(f"code {i}", i / 1000, i / 1000) for i in range(30)]
    page = changes_report(compared([], [replace(CODES, shares=shares)]))
    assert re.findall(r">code (\d+)</text>", page) == [str(i) for i in range(20, 30)]


def test_what_comes_from_data_is_escaped():
    """Names of columns, codes and texts are text on the page, in its pictures too."""
    evil = "<script>alert('1')</script>--><b>$x^2$"
    changes = [change(evil, "new_code", told=(evil, evil), why=evil), change(evil, "mean", "note")]
    pairs = [replace(CODES, name=evil, shares=[(evil, 0.5, 0.5)]), replace(QUANTITY, name=evil), CALM]
    page = changes_report(compared(changes, pairs, limits=Limits(ignore_columns=[evil])))
    assert "<script" not in page
    assert "--><b>" not in page
    assert "&lt;script&gt;alert(" in page


@pytest.mark.parametrize("comparison", [REFUSED, compared([], []), compared([], [CALM])])
def test_the_page_stands_alone_and_repeats(comparison):
    """Nothing is fetched and nothing runs; the same comparison gives the same page."""
    page = changes_report(comparison)
    assert page == changes_report(comparison)
    assert "://" not in page
    assert not re.search(r"<(script|link|img|iframe|object)|@import|url\((?!#)", page)
    assert page.count("<svg ") == page.count("</svg>")
