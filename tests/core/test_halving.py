"""Ranks of candidates, who goes on, what the folds tell, and the table of a whole search."""

import math
from dataclasses import replace

import pytest

from roadsafety_components.core.candidates import Score, scores_table
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.halving import difference, log_selection, select_candidates
from roadsafety_components.core.store import facts_of

FACTS = {
    "algorithm": "random_forest", "class_weight": "none", "figure": "log_loss", "folds": 2, "group_column": "",
    "made_from": {"train_data": "sha256:1"}, "seed": 0, "share": 0.5, "target_column": "severity", "synthetic": False,
}  # fmt: skip


def score(number, *by_fold, share=0.5, **changes):
    """A score of a candidate whose mean is that of its folds."""
    made = Score(number, share, 40, 50, sum(by_fold) / 2, by_fold, 0, 1.5, parameters={"min_samples_leaf": number + 1})
    return replace(made, **changes)


def failed(number, message="MemoryError: "):
    """A score of a candidate that could not be fitted."""
    return score(number, 0, 0, mean=None, by_fold=(), status="failed", message=message)


def tables(*scores, **facts):
    """One table a score, as score_candidate writes them."""
    return [scores_table([s], FACTS | {"share": s.share} | facts) for s in scores]


def test_the_lowest_loss_is_best_and_the_highest_average_precision():
    """A figure has a direction; of equal means the earlier candidate is first."""
    scores = [score(0, 0.4, 0.6), score(1, 0.3, 0.5), score(2, 0.5, 0.5)]
    assert [s.candidate for s in select_candidates(tables(*scores)).ranked] == [1, 0, 2]
    found = select_candidates(tables(*scores, figure="average_precision"))
    assert [(s.candidate, s.rank) for s in found.ranked] == [(0, 1), (2, 2), (1, 3)]


def test_a_third_goes_on_best_first_and_the_defaults_with_them():
    """Of twelve the best four, and candidate 0, wherever it stands; settings are whole numbers again."""
    scores = [score(0, 0.9, 0.9)] + [score(n, n / 20, n / 20) for n in range(1, 12)]
    found = select_candidates(tables(*scores))
    assert found.survivors == [{"id": n, "min_samples_leaf": n + 1} for n in (1, 2, 3, 4, 0)]
    assert type(found.survivors[0]["min_samples_leaf"]) is int
    assert found.best.parameters == {"min_samples_leaf": 2}


@pytest.mark.parametrize(
    ("number", "keep_one_in", "kept"), [(1, 3, 1), (2, 3, 1), (4, 3, 1), (5, 3, 2), (9, 3, 3), (4, 1, 4)]
)
def test_how_many_go_on(number, keep_one_in, kept):
    """To the nearest whole number, and at least one: a loop over nothing fails."""
    scores = [score(n, n / 10, n / 10) for n in range(number)]
    assert len(select_candidates(tables(*scores), keep_one_in).survivors) == kept


def test_a_failed_candidate_is_last_and_out(capsys):
    """The search goes on without it, and says so."""
    found = select_candidates(tables(failed(0), score(1, 0.5, 0.7), failed(2)), keep_one_in=1)
    assert [(s.candidate, s.rank, s.kept) for s in found.ranked] == [(1, 1, True), (0, 0, False), (2, 0, False)]
    assert [s["id"] for s in found.survivors] == [1]
    log_selection(found)
    assert capsys.readouterr().out.splitlines() == [
        "WARNING: candidate 0 failed: MemoryError: ",
        "WARNING: candidate 2 failed: MemoryError: ",
        "candidate 1 has the best mean log_loss, 0.6000; on go 1 of 3.",
    ]


def test_if_all_fail_the_messages_are_told_once_each():
    """There is nothing to train with."""
    given = tables(failed(0, "ValueError: a"), failed(1, "ValueError: b"), failed(2, "ValueError: a"))
    with pytest.raises(InputError, match=r"^all 3 candidates failed: ValueError: a; ValueError: b$"):
        select_candidates(given)


def test_the_difference_is_taken_fold_by_fold():
    """Folds that differ more than the candidates do not hide that one is better in each of them, by hand:
    differences 0.1 and 0.3, mean 0.2, standard error sqrt(((-0.1)^2 + 0.1^2) / 1) / sqrt(2) = 0.1.
    """
    best, other = score(1, 0.1, 0.8), score(2, 0.2, 1.1)
    assert difference(best, other) == pytest.approx((0.2, 0.1))
    assert difference(other, best) == pytest.approx((0.2, 0.1))
    assert select_candidates(tables(best, other)).close == []


def test_what_one_standard_error_does_not_tell_apart_is_close():
    """Differences -0.1 and 0.3: mean 0.1, standard error 0.2."""
    best, other = score(1, 0.5, 0.5), score(2, 0.4, 0.8)
    assert difference(best, other) == pytest.approx((0.1, 0.4 / math.sqrt(2) / math.sqrt(2)))
    assert [s.candidate for s in select_candidates(tables(best, other, score(3, 0.9, 0.9))).close] == [2]


def test_the_table_has_all_rungs():
    """Those before, then this one, by rank; a column a setting."""
    first = select_candidates(tables(score(0, 0.4, 0.4), score(1, 0.2, 0.2), failed(2)))
    second = select_candidates(tables(score(1, 0.1, 0.3, share=1.0), score(0, 0.3, 0.3, share=1.0)), 3, first.table())
    table = second.table()
    columns = ["share", "candidate", "rank", "kept", "mean", "min_samples_leaf", "by_fold", "status"]
    assert [tuple(row.values()) for row in table.select(columns).to_pylist()] == [
        (0.5, 1, 1, True, 0.2, 2.0, [0.2, 0.2], "ok"),
        (0.5, 0, 2, True, 0.4, 1.0, [0.4, 0.4], "ok"),
        (0.5, 2, 0, False, None, 3.0, [], "failed"),
        (1.0, 1, 1, True, 0.2, 2.0, [0.1, 0.3], "ok"),
        (1.0, 0, 2, True, 0.3, 1.0, [0.3, 0.3], "ok"),
    ]
    facts = {k: v for k, v in FACTS.items() if k != "share"}
    assert facts_of(table) == facts | {"best": 1, "mean": 0.2, "parameters": {"min_samples_leaf": 2}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keep_one_in": 0}, "keep_one_in is 0; it is a whole number, 1 or more."),
        ({"keep_one_in": 1.5}, "keep_one_in is 1.5"),
        ({"tables": []}, "scores: there is none"),
        ({"tables": tables(score(0, 1, 1)) + tables(score(1, 1, 1), figure="brier")},
         "scores: figure is log_loss of one and brier of another; rank candidates of one search only."),
        ({"tables": tables(score(0, 1, 1), score(1, 1, 1, share=0.2))}, "scores: share is 0.5 of one and 0.2"),
        ({"tables": tables(score(0, 1, 1)) + tables(score(1, 1, 1), seed=4)}, "scores: seed is 0 of one and 4"),
        ({"earlier": tables(score(0, 1, 1), folds=3)[0]}, "scores: folds is 2 of one and 3 of another"),
        ({"tables": [tables(score(0, 1, 1))[0].drop_columns("by_fold")]},
         "scores, table 1: no by_fold; give the output score of score_candidate."),
        ({"earlier": tables(score(0, 1, 1))[0].replace_schema_metadata(None)}, "earlier: no algorithm, class_weight"),
    ],
)  # fmt: skip
def test_scores_that_cannot_be_ranked_are_refused(change, message):
    """They are of two searches, or are none."""
    with pytest.raises(InputError, match=message):
        select_candidates(**{"tables": tables(score(0, 1, 1))} | change)
