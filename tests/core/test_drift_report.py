"""The page that people read: what it says, in which order, what it escapes, and that it stands alone."""

import re
from dataclasses import replace
from html import unescape

import pytest

from roadsafety_components.core.distance import QUANTILES, ColumnPair
from roadsafety_components.core.drift import Drift, Limits
from roadsafety_components.core.drift_report import drift_report
from roadsafety_components.core.effects import ColumnDrift, Figure


def column(name: str, psi: float, verdict: str = "stable", part: str = "feature", **parts) -> ColumnDrift:
    """Return a column with this PSI and verdict."""
    shares = [("20", 0.25, 0.5), ("30", 0.75, 0.5)]
    pair = replace(ColumnPair(name, "codes", (0.0, 0.125), psi, 0.003, 0.25, shares), **parts)
    p, statistic = {"drift": (0.001, 3.0), "uncertain": (0.2, 1.0), "stable": (0.9, -1.0)}[verdict]
    return ColumnDrift(part, pair, 0.25, psi / 2, statistic, p, p)


CALM = column("weekday", 0.004)
MOVED = column("speed_limit", 0.5, "drift")
UNSURE = column("age", 0.4, "uncertain", shares=(), quantiles=[(q * 80, q * 90) for q in QUANTILES])
SCORE = column("probability of ksi", 0.2, "drift", "score", shares=(), quantiles=[(q, q / 2) for q in QUANTILES])
TARGET = column("ksi", 0.1, "stable", "target")
FIGURES = {
    "mean_probability": Figure((0.125, 0.001), (0.126, 0.001)), "roc_auc": Figure((0.76, 0.003), (0.66, 0.004)),
}  # fmt: skip
SHARES = {"ksi": Figure((0.125, 0.003), (0.25, 0.004)), "slight": Figure((0.875, 0.003), (0.75, 0.004))}


def found(columns: list[ColumnDrift], **parts) -> Drift:
    """Return what was found in 12,000 rows against 9,000."""
    return Drift((12000, 9000), Limits(), {}, "ksi", columns, **parts)


RETRAIN = found([MOVED, UNSURE, CALM, SCORE, TARGET], figures=FIGURES, shares=SHARES, notes=["Not in both: lane."])
PAGE = drift_report(RETRAIN)


def rows(page: str) -> list[list[str]]:
    """Return the text of every table row."""
    split = re.split("<tr>", re.sub("(?s)</table>.*?(</caption>|$)", "", page))[1:]
    return [[unescape(re.sub(r"<[^>]*>", "", c)).strip() for c in re.split(r"<t[hd][^>]*>", r)[1:]] for r in split]


def test_the_verdict_comes_first_and_says_why():
    """A reason to retrain in a box, then the rows and what was not compared."""
    verdict = (
        '<p class="warning">Retrain: 33% of the columns drifted (20% is allowed); the scores drifted (PSI 0.200; '
        "0.25 is allowed); the ROC-AUC fell by 0.100 (0.05 is allowed).\n"
    )
    assert verdict in PAGE
    counted = "<p>Reference: 12,000 rows. Current: 9,000 rows. Columns compared: 3, drifted: 33%."
    assert PAGE.index(verdict) < PAGE.index(counted) < PAGE.index("<p>Not in both: lane.") < PAGE.index("<h2>Features")


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        ({}, "Keep: 0% of the columns drifted, 20% is allowed."),
        (
            {"figures": {"mean_probability": FIGURES["mean_probability"]}},
            "Keep: 0% of the columns drifted, 20% is allowed; scores did not move beyond the limits.",
        ),
        (
            {"figures": FIGURES | {"roc_auc": Figure((0.76, 0.01), (0.75, 0.01))}},
            "Keep: 0% of the columns drifted, 20% is allowed; scores and performance did not move beyond the limits.",
        ),
    ],
)
def test_to_keep_a_model_is_no_warning(parts, verdict):
    """In bold, with what was compared."""
    page = drift_report(found([CALM], **parts))
    assert f"<p><b>{verdict}</b>" in page
    assert 'class="warning"' not in page


def test_columns_by_how_much_they_drifted_and_the_stable_ones_folded():
    """A row a column with its figures."""
    folded = PAGE[PAGE.index("<details>") : PAGE.index("</details>")]
    assert rows(PAGE[: PAGE.index("<details>")])[1:] == [
        ["speed_limit", "drift", "0.500", "0.003", "0.250", "0.250", "0.250", "0.0%", "12.5%"],
        ["age", "uncertain", "0.400", "0.003", "0.200", "0.250", "0.250", "0.0%", "12.5%"],
    ]
    assert "<summary>Stable: 1</summary>" in folded
    assert [r[0] for r in rows(folded)[1:]] == ["weekday"]


def test_scores_target_and_performance():
    """Columns, then figures with the interval of their change."""
    after = rows(PAGE[PAGE.index("<h2>Scores and target</h2>") :])
    assert [r[:2] for r in after[1:3]] == [["probability of ksi", "drift"], ["ksi", "stable"]]
    assert after[3:] == [
        ["figure", "reference", "current", "change", "95 % interval"],
        ["mean probability of ksi", "0.125", "0.126", "+0.001", "-0.002 to +0.004"],
        ["ROC-AUC of ksi", "0.760", "0.660", "-0.100", "-0.110 to -0.090"],
        ["share of ksi", "0.125", "0.250", "+0.125", "+0.115 to +0.135"],
        ["share of slight", "0.875", "0.750", "-0.125", "-0.135 to -0.115"],
    ]
    assert "Scores and target" not in drift_report(found([CALM]))


@pytest.mark.parametrize(("current", "told"), [((0.25, 0.004), True), ((0.13, 0.001), False), ((0.25, 0.1), False)])
def test_class_shares_that_moved_may_be_recorded_in_another_way(current, told):
    """Not if they moved by less than a tenth of themselves, or no more than chance explains."""
    page = drift_report(found([CALM, TARGET], shares={"ksi": Figure((0.125, 0.0), current)}))
    assert ("Perhaps the target is recorded in another way" in page) is told
    assert ("class_shares" in page) is told


def test_leading_columns_are_drawn_then_score_and_target():
    """Bars for codes, lines for quantities; not what hardly moved; nine at most."""
    assert re.findall(r'aria-label="([^"]*)"', PAGE) == ["speed_limit", "age", "probability of ksi", "ksi"]
    many = drift_report(found([column(f"c{i}", 1 - i / 100) for i in range(20)]))
    assert re.findall(r'aria-label="([^"]*)"', many) == [f"c{i}" for i in range(9)]


def test_what_comes_from_data_is_escaped():
    """Names of columns, codes, classes and notes are text on the page, in its pictures too."""
    evil = "<script>alert('1')</script>--><b>$x^2$"
    columns = [column(evil, 0.5, "drift", shares=[(evil, 0.5, 0.5)]), column(evil, 0.1, part="target")]
    drift = found(columns, shares={evil: SHARES["ksi"]}, figures=FIGURES, notes=[evil])
    page = drift_report(replace(drift, positive_class=evil))
    assert "<script" not in page
    assert "--><b>" not in page
    assert "&lt;script&gt;alert(" in page


@pytest.mark.parametrize("drift", [RETRAIN, found([CALM])])
def test_the_page_stands_alone_and_repeats(drift):
    """Nothing is fetched and nothing runs; the same data give the same page."""
    page = drift_report(drift)
    assert page == drift_report(drift)
    assert "://" not in page
    assert not re.search(r"<(script|link|img|iframe|object)|@import|url\((?!#)", page)
    assert page.count("<svg ") == page.count("</svg>")
