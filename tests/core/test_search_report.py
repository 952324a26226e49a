"""The page of a search: what it says first, its rungs, its pictures."""

import re

import pytest

from roadsafety_components.core.halving import select_candidates
from roadsafety_components.core.search_report import search_report

from .test_halving import failed, score, tables


@pytest.fixture
def search():
    """Return a search of two rungs: candidate 2 is best, the defaults go along, candidate 3 failed."""
    first = select_candidates(tables(score(0, 0.5, 0.6), score(2, 0.3, 0.4), score(1, 0.6, 0.6), failed(3, "a < b")))
    last = tables(score(2, 0.2, 0.4, share=1.0), score(0, 0.3, 0.7, share=1.0))
    return select_candidates(last, earlier=first.table())


def text(page):
    """The page as it is read."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_first_sentence_is_the_gain_over_the_defaults(search):
    """0.3 against 0.5, and the standard error of the folds' differences 0.1 and 0.3."""
    told = "Candidate 2 is best: mean log loss 0.3000 on all 40 groups; the defaults have 0.5000, 0.2000 \xb1 0.1000"
    assert told in text(search_report(search))


def test_defaults_that_are_best_are_said_to_be(search):
    """Of one rung alone, too."""
    page = text(search_report(select_candidates(tables(score(0, 0.2, 0.4), score(1, 0.1, 0.6)))))
    assert "The defaults are best: mean log loss 0.3000 on 40 groups." in page
    assert "The folds do not tell it from 1 (within one standard error)." in page


def test_all_rungs_are_shown_the_last_first(search):
    """A table each; the failed candidate with its message, escaped."""
    page = search_report(search)
    heads = re.findall(r"<tr><th>([^<]+)<td>(\d\.\d{4}|failed)", page)
    assert heads == [
        ("2", "0.3000"), ("0 (defaults)", "0.5000"),
        ("2", "0.3500"), ("0 (defaults)", "0.5500"), ("1", "0.6000"), ("3", "failed"),
    ]  # fmt: skip
    assert "<p>Candidate 3 failed: a &lt; b" in page


def test_there_is_a_picture_of_each_rung_and_of_each_setting(search):
    """Of a rung with one candidate there is none to compare."""
    assert re.findall(r'aria-label="([^"]+)"', search_report(search)) == [
        "log loss by fold of 40 groups, share 1", "log loss by fold of 40 groups, share 0.5",
        "log loss by min samples leaf",
    ]  # fmt: skip
    alone = select_candidates(tables(score(2, 0.2, 0.4)))
    assert re.findall(r'aria-label="([^"]+)"', search_report(alone)) == ["log loss by min samples leaf"]


def test_synthetic_data_are_said_and_the_page_is_the_same_again(search):
    """A made-up figure is not to be believed; no time or chance is in the page."""
    assert "SYNTHETIC" not in search_report(search)
    assert search_report(search) == search_report(search)
    page = search_report(select_candidates(tables(score(0, 1, 1), synthetic=True)))
    assert '<p class="warning">SYNTHETIC DATA' in page


def test_a_wide_range_is_drawn_on_a_logarithmic_axis_with_plain_numbers():
    """No dollar signs of mathematics are left in the labels; 0 has its place beside 0.01 to 100."""
    scores = [
        score(n, n / 10, n / 10, parameters={"l2_regularization": v, "min_samples_leaf": v + 1})
        for n, v in enumerate([0, 0.01, 1, 100])
    ]
    page = search_report(select_candidates(tables(*scores)))
    labels = re.findall(r"<text[^>]*>([^<]+)</text>", page)
    assert "$" not in "".join(labels)
    assert {"0", "0.01", "1", "100"} <= set(labels)
