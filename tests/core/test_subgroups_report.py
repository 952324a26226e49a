"""The page that people read: which subgroups it says stand out, what it escapes, and that it stands alone."""

import re
from dataclasses import replace

from roadsafety_components.core.subgroups import Subgroup, Subgroups
from roadsafety_components.core.subgroups_report import subgroups_report

from .test_report import Cells


def part(column: str, name: str, rows: int, roc_auc: tuple = (), gap: tuple = ()) -> Subgroup:
    """Return a subgroup; no figures for a small one."""
    if not roc_auc:
        return Subgroup(column, name, rows, {})
    each = dict.fromkeys(("average_precision", "recall", "precision", "brier"), (0.25, 0.125, 0.5))
    share = {"share": (0.2, 0.1, 0.3), "mean_probability": (0.25, 0.2, 0.3)}
    return Subgroup(column, name, rows, share | {"gap": gap, "roc_auc": roc_auc} | each)


WHOLE = part("", "", 1200, (0.75, 0.7, 0.8), (0.0, -0.01, 0.01))
FOUND = Subgroups(
    "outcome", "ksi", 100, WHOLE,
    [
        part("road_user", "car", 800, (0.9, 0.8, 1.0), (0.05, 0.01, 0.09)),
        part("road_user", "cycle", 350, (0.5, 0.4, 0.6), (-0.2, -0.5, 0.1)),
        part("road_user", "horse", 50),
        part("sex", "male", 1190, (0.75, 0.7, 0.8), (0.01, -0.1, 0.1)),
        part("sex", "missing", 10),
    ],
    {"algorithm": "random_forest"}, {}, ["SYNTHETIC DATA: rows are generated."], ["95 % intervals: 20 draws."],
)  # fmt: skip
PAGE = subgroups_report(FOUND)


def test_what_stands_out_comes_first():
    """After the warnings: how many subgroups, and which on either side."""
    assert "<h1>Subgroups: ksi by random forest</h1>" in PAGE
    assert (
        "<b>In ROC-AUC 2 of 3 subgroups differ from 0.750 beyond their intervals (chance alone: about one in twenty); "
        "below it: road user cycle (0.500); above it: road user car (0.900).</b>"
    ) in PAGE
    assert "In mean probability minus share 1 of 3 subgroups differ from 0.000 beyond" in PAGE
    assert "above it: road user car (0.050).</b>" in PAGE
    assert PAGE.index("SYNTHETIC") < PAGE.index("In ROC-AUC 2 of 3") < PAGE.index("95 % intervals: 20 draws.")


def test_when_nothing_stands_out_the_page_says_so():
    """And without intervals it does not pretend to know."""
    page = subgroups_report(replace(FOUND, parts=FOUND.parts[3:]))
    assert "<b>No subgroup&#x27;s ROC-AUC differs from 0.750 beyond its interval.</b>" in page
    page = subgroups_report(replace(FOUND, parts=[part("sex", "male", 1190, (0.5,), (0.1,))]))
    assert "<b>No subgroup has an interval of its ROC-AUC.</b>" in page


def test_no_more_than_six_are_named():
    """Of each side; the tables have all."""
    parts = [part("area", f"a{i}", 200, (i / 100, i / 100, i / 100), (0.0, -1.0, 1.0)) for i in range(1, 9)]
    page = subgroups_report(replace(FOUND, parts=parts))
    assert "below it: area a1 (0.010), area a2 (0.020), area a3 (0.030), area a4 (0.040), area a5 (0.050), " in page
    assert "area a6 (0.060) and 2 more.</b>" in page


def test_a_table_a_column():
    """Rows as a share of the whole; limits below the figures; the small ones are named."""
    whole, users, sexes = Cells(PAGE).tables
    assert whole[3] == [
        "gap",
        "+0.000 -0.010\xa0to\xa0+0.010",
        "mean probability minus share: calibration in the large",
    ]
    assert users[0] == [
        "subgroup", "rows", "share", "mean probability", "gap", "ROC-AUC", "average precision", "recall", "precision",
        "brier",
    ]  # fmt: skip
    assert users[1] == [
        "car", "66.7% 800", "0.200", "0.250", "+0.050 +0.010\xa0to\xa0+0.090", "0.900 0.800\xa0to\xa01.000",
        "0.250", *["0.250 0.125\xa0to\xa00.500"] * 2, "0.250",
    ]  # fmt: skip
    assert [row[0] for row in users[1:] + sexes[1:]] == ["car", "cycle", "male"]
    assert "<p>Too small to judge (fewer than 100 rows): horse (50)." in PAGE
    assert "<p>Too small to judge (fewer than 100 rows): missing (10)." in PAGE


def test_a_picture_a_column():
    """Dots with intervals; none where all subgroups are too small."""
    assert re.findall(r'aria-label="([^"]*)"', PAGE) == [
        "road user: ROC-AUC and calibration", "sex: ROC-AUC and calibration",
    ]  # fmt: skip
    assert PAGE.count(">cycle</text>") == 1
    page = subgroups_report(replace(FOUND, parts=[part("sex", "male", 10)]))
    assert "<svg" not in page
    assert "Too small to judge (fewer than 100 rows): male (10)." in page


def test_a_subgroup_of_one_class_is_on_the_page():
    """It has no ROC-AUC, so it has no dot there and an empty cell."""
    one = Subgroup("sex", "male", 200, {"share": (0.0,), "gap": (0.1, 0.05, 0.2)})
    page = subgroups_report(replace(FOUND, parts=[one]))
    assert "1 of 1 subgroups differ from 0.000" in page
    assert Cells(page).tables[1][1] == ["male", "16.7% 200", "0.000", "", "+0.100 +0.050\xa0to\xa0+0.200", *[""] * 5]


def test_what_comes_from_data_is_escaped():
    """Names of columns, subgroups and classes, in pictures too."""
    evil = "<script>alert('1')</script>--><b>$x^2$"
    parts = [part(evil, evil, 800, (0.9, 0.8, 1.0), (0.05, 0.01, 0.09)), part(evil, evil + "2", 5)]
    page = subgroups_report(
        replace(FOUND, parts=parts, positive_class=evil, target_column=evil, model_facts={"algorithm": evil})
    )
    assert "<script" not in page
    assert "--><b>" not in page
    assert "&lt;script&gt;alert(" in page


def test_the_page_stands_alone_and_repeats():
    """Nothing is fetched and nothing runs; the same subgroups give the same page."""
    assert subgroups_report(FOUND) == PAGE
    assert "://" not in PAGE
    assert not re.search(r"<(script|link|img|iframe|object)|@import|url\((?!#)", PAGE)
    assert PAGE.count("<svg ") == PAGE.count("</svg>") == 2
