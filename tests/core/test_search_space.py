"""Candidates of a search: the defaults first, ranges covered, choices, what is refused."""

import pytest

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.estimators import ALGORITHMS, Settings
from roadsafety_components.core.search_space import SPACES, sample_candidates


def test_the_first_candidate_is_the_defaults_of_what_is_searched():
    """Whatever the seed; whole numbers stay whole."""
    first = {
        "id": 0, "learning_rate": 0.04, "max_leaf_nodes": 31, "min_samples_leaf": 20, "l2_regularization": 0.0,
        "max_features": 0.0,
    }  # fmt: skip
    assert sample_candidates("hist_gradient_boosting", 1) == [first]
    assert sample_candidates("hist_gradient_boosting", 5, seed=7)[0] == first
    assert sample_candidates("random_forest", 1, space={"max_depth": ["uniform", 2, 9]}) == [{"id": 0, "max_depth": 0}]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_has_a_space_and_its_candidates_are_settings(algorithm):
    """Each of 30 candidates passes the checks of the settings; ids count from 0."""
    drawn = sample_candidates(algorithm, 30 if SPACES[algorithm] else 1)
    assert [c["id"] for c in drawn] == list(range(len(drawn)))
    for candidate in drawn:
        assert set(candidate) == {"id", *SPACES[algorithm]}
        Settings(algorithm).replaced({n: v for n, v in candidate.items() if n != "id"})


def test_each_piece_of_a_range_is_drawn_from_once():
    """Ten draws from 0 to 1 have one value in each tenth; ten from 1 to 1024, logarithmic, one in each doubling."""
    space = {"max_features": ["uniform", 0.0, 1.0], "l2_regularization": ["log", 1, 1024]}
    drawn = sample_candidates("hist_gradient_boosting", 11, seed=3, space=space)[1:]
    assert sorted(int(c["max_features"] * 10) for c in drawn) == list(range(10))
    limits = [2**k for k in range(11)]
    found = sorted(c["l2_regularization"] for c in drawn)
    assert all(limits[at] <= value <= limits[at + 1] for at, value in enumerate(found))


def test_whole_numbers_are_rounded_and_others_have_four_digits():
    """A leaf has 7 rows, not 7.3; JSON shows no long tails."""
    space = {"min_samples_leaf": ["log", 5, 500], "learning_rate": ["log", 0.02, 0.3]}
    for candidate in sample_candidates("hist_gradient_boosting", 20, space=space):
        assert type(candidate["min_samples_leaf"]) is int
        assert len(f"{candidate['learning_rate']:g}".removeprefix("0.").lstrip("0")) <= 4


def test_choices_come_as_they_are_each_as_often():
    """Of 3 values each is drawn 2 times in 6, whole though KFP hands them over as floats; equal candidates are one."""
    choices = {"max_depth": [3.0, 6.0, 9.0], "max_features": ["uniform", 0.1, 0.9]}
    drawn = sample_candidates("random_forest", 7, space=choices)[1:]
    assert sorted(c["max_depth"] for c in drawn) == [3, 3, 6, 6, 9, 9]
    assert {type(c["max_depth"]) for c in drawn} == {int}


def test_equal_candidates_are_one_and_it_is_said(capsys):
    """Two values and the default are all that there is."""
    drawn = sample_candidates("random_forest", 9, space={"max_depth": [3, 6]})
    assert sorted(c["max_depth"] for c in drawn) == [0, 3, 6]
    assert [c["id"] for c in drawn] == [0, 1, 2]
    told = "WARNING: the space holds 3 different candidates of the 9 asked for: max_depth.\n"
    assert capsys.readouterr().out == told


def test_an_algorithm_without_settings_gives_the_defaults_alone(capsys):
    """A search of one: the pipeline goes on."""
    assert sample_candidates("logistic_regression", 4) == [{"id": 0}]
    assert "logistic_regression has no setting to search" in capsys.readouterr().out


def test_a_seed_repeats_its_draws():
    """And another draws others."""
    one, again, other = (sample_candidates("random_forest", 4, seed=s) for s in (1, 1, 2))
    assert one == again
    assert one[1:] != other[1:]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"algorithm": "svm"}, "algorithm is 'svm'; it can be"),
        ({"number": 0}, "candidates is 0; it is a whole number, 1 or more."),
        ({"number": 2.5}, "candidates is 2.5"),
        ({"space": {"max_dept": [1]}}, "space has 'max_dept', which is no setting of random_forest that is a number. "
         "Nearest name: max_depth. There are n_estimators, "),
        ({"space": {"class_weight": ["none"]}}, "space has 'class_weight', which is no setting"),
        ({"space": {"learning_rate": [0.1]}}, "space has 'learning_rate', which is no setting of random_forest"),
        ({"space": {"seed": [1]}}, "space has 'seed'"),
        ({"space": {"max_depth": []}}, r"space of max_depth is \[\]; it is a range"),
        ({"space": {"max_depth": 3}}, "space of max_depth is 3; it is a range"),
        ({"space": {"max_depth": ["log", 0, 3]}}, "low above 0"),
        ({"space": {"max_depth": ["uniform", 3, 2]}}, "it is a range"),
        ({"space": {"max_depth": ["uniform", 3]}}, "it is a range"),
        ({"space": {"max_depth": ["normal", 3, 4]}}, "it is a range"),
        ({"space": {"max_depth": ["3", "4"]}}, "it is a range"),
        ({"space": {"max_depth": [True, 4]}}, "it is a range"),
        ({"space": {"max_depth": [3, float("nan")]}}, "it is a range"),
        ({"space": {"max_features": ["uniform", 1, 3]}}, "space: max_features is "),
        ({"space": {"max_depth": [2.5]}}, "space: max_depth is 2.5; it is a whole number"),
    ],
)  # fmt: skip
def test_a_space_that_is_none_is_refused(change, message):
    """Before anything is fitted."""
    with pytest.raises(InputError, match=message):
        sample_candidates(**{"algorithm": "random_forest", "number": 5} | change)
