"""Standard errors by hand and against scikit-learn, and a test that stays honest however many rows there are."""

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from roadsafety_components.core.distance import ColumnPair
from roadsafety_components.core.effects import ColumnDrift, Figure, area, hold, holm, mean, psi_to_test

LIMIT = 0.25


def held(a, b, limit: float = LIMIT, sizes: tuple[float, float] | None = None) -> ColumnDrift:
    """Hold two rows of counts against a limit; each row is its own group by default."""
    bins = np.array([a, b])
    bins = bins[:, bins.any(axis=0)]
    return hold("feature", ColumnPair("x"), bins, sizes or tuple(map(float, bins.sum(axis=1))), limit)


def divergence(p, q) -> float:
    """Sum of (p - q) ln(p / q)."""
    return float(((p - q) * np.log(p / q)).sum())


def tilted(p: np.ndarray, direction: np.ndarray, psi: float) -> np.ndarray:
    """Return shares that are apart from ``p`` by a PSI, more of what ``direction`` is high in."""
    low, high = 0.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        q = p * np.exp(middle * direction)
        q /= q.sum()
        low, high = (middle, high) if divergence(p, q) < psi else (low, middle)
    return q


TEN, TWENTY_FOUR = np.full(10, 0.1), np.full(24, 1 / 24)
RARE = np.array([0.002, *np.full(9, 0.998 / 9)])
SHAPES = {
    "all deciles move": (TEN, np.linspace(-1, 1, 10)),
    "hours": (TWENTY_FOUR, np.repeat([1.0, -1.0], 12)),
    "a rare code grows": (RARE, np.eye(10)[0]),
    "one of two": (np.array([0.13, 0.87]), np.array([1.0, 0.0])),
}


# The test


@pytest.mark.parametrize("rows", [200, 1000, 10_000, 100_000, 1_000_000])
@pytest.mark.parametrize("shape", ["hours", "a rare code grows"])
def test_two_samples_of_one_population_are_no_drift(shape, rows):
    """Of 400 pairs of samples none, although many of the small ones have a PSI above the limit."""
    p = SHAPES[shape][0]
    rng = np.random.default_rng(rows)
    found = [held(*rng.multinomial(rows, p, 2)) for _ in range(400)]
    assert [c.verdict for c in found if c.verdict == "drift"] == []
    if (shape, rows) == ("hours", 200):
        assert sum(c.pair.psi > LIMIT for c in found) > 100


@pytest.mark.parametrize("rows", [(200, 200), (2000, 100_000), (100_000, 2000), (1_000_000, 1_000_000)])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_move_of_just_the_limit_is_called_drift_as_seldom_as_is_stated(shape, rows):
    """The worst case that is no drift: at most 5 % of 400 pairs, and what chance adds to that (four deviations)."""
    p, direction = SHAPES[shape]
    q = tilted(p, direction, LIMIT)
    rng = np.random.default_rng(0)
    found = [held(rng.multinomial(rows[0], p), rng.multinomial(rows[1], q)) for _ in range(400)]
    assert np.mean([c.verdict == "drift" for c in found]) <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 400)


def test_a_test_of_no_difference_would_call_any_of_many_rows_drift():
    """A PSI of 0.01 in a million rows: the chi-square of no difference is far beyond its limit, and it is no drift."""
    q = tilted(TEN, SHAPES["all deciles move"][1], 0.01)
    rng = np.random.default_rng(0)
    a, b = rng.multinomial(1_000_000, TEN), rng.multinomial(1_000_000, q)
    expected = (a + b) / 2
    assert 2 * ((a - expected) ** 2 / expected).sum() > 4000  # 9 degrees of freedom: above 27.9 once in 1000
    found = held(a, b)
    assert (found.verdict, found.p_value) == ("stable", pytest.approx(1))


@pytest.mark.parametrize(("psi", "rows"), [(0.6, 1000), (0.35, 10_000), (0.27, 1_000_000)])
@pytest.mark.parametrize("shape", ["all deciles move", "hours", "one of two"])
def test_a_move_beyond_the_limit_is_found(shape, psi, rows):
    """The more rows, the closer to the limit: at least nine times in ten."""
    p, direction = SHAPES[shape]
    q = tilted(p, direction, psi)
    rng = np.random.default_rng(0)
    found = [held(*(rng.multinomial(rows, x) for x in (p, q))) for _ in range(100)]
    assert np.mean([c.verdict == "drift" for c in found]) > 0.9


def test_rows_of_one_event_are_no_proof():
    """Four rows of each event: without their number a third of the pairs at the limit would be drift."""
    p, direction = SHAPES["all deciles move"]
    q = tilted(p, direction, LIMIT)
    rng = np.random.default_rng(0)
    pairs = [(4 * rng.multinomial(500, p), 4 * rng.multinomial(500, q)) for _ in range(400)]
    right = np.mean([held(a, b, sizes=(500.0, 500.0)).verdict == "drift" for a, b in pairs])
    assert right <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 400)
    assert np.mean([held(a, b).verdict == "drift" for a, b in pairs]) > 0.15


def test_a_bin_that_is_empty_on_one_side_is_drift():
    """Half of the current rows have a code that none of the reference has."""
    found = held([10_000, 0], [5000, 5000])
    assert found.verdict == "drift"
    assert found.low > 1


def test_above_the_limit_by_few_rows_is_uncertain():
    """Half against three quarters: a PSI of 0.27 in 40 rows."""
    found = held([20, 20], [30, 10], limit=0.1)
    assert (found.verdict, found.low) == ("uncertain", 0)


def test_equal_shares_and_a_single_bin_have_a_finite_statistic():
    """PSI 0, far below the limit."""
    for counts in ([50, 50], [100]):
        found = held(counts, counts)
        assert found.pair.psi == pytest.approx(0)
        assert math.isfinite(found.statistic)
        assert found.verdict == "stable"


def test_the_error_is_that_of_the_delta_method():
    """Shares 0.5 and 0.25 of the first bin, 10,000 rows each; half a row more in each bin hardly counts.

    A row of the first bin moves the PSI by ln 2 + 1 - 1/2 on the one side and by ln 1/2 + 1 - 2 on the other, one of
    the second by ln 2/3 + 1 - 3/2 and ln 3/2 + 1 - 2/3; of two values with the shares p and 1 - p the variance is
    p (1 - p) times the square of their difference.
    """
    u = np.log(2) + 0.5, np.log(2 / 3) - 0.5
    v = np.log(1 / 2) - 1, np.log(3 / 2) + 1 / 3
    variance = (0.5 * 0.5 * (u[0] - u[1]) ** 2 + 0.25 * 0.75 * (v[0] - v[1]) ** 2) / 10_000
    psi, error = psi_to_test(np.array([[5000, 5000], [2500, 7500]]), (1e4, 1e4))
    assert psi == pytest.approx(0.25 * np.log(2) + 0.25 * np.log(1.5), rel=1e-3)
    assert error == pytest.approx(math.sqrt(variance), rel=1e-3)


def test_holm():
    """Three p-values: the least counts three times, the next twice, none less than the one before."""
    columns = [ColumnDrift("feature", ColumnPair(str(p)), 0.25, 0, 2, p, p) for p in (0.03, 0.01, 0.02)]
    assert [(c.p_value, c.p_adjusted, c.verdict) for c in holm(columns)] == [
        (0.01, 0.03, "drift"), (0.02, 0.04, "drift"), (0.03, 0.04, "drift"),
    ]  # fmt: skip
    assert [c.p_adjusted for c in holm([columns[0]] * 2)] == [0.06, 0.06]
    assert [c.p_adjusted for c in holm([ColumnDrift("f", ColumnPair("x"), 1, 0, 0, 0.9, 0.9)] * 3)] == [1, 1, 1]


# Figures


def test_a_mean_by_groups():
    """Values 0, 1 and 2, 5: deviations -2, -1, 0, 3; alone 14 / 16, the first two together (9 + 0 + 9) / 16."""
    values = np.array([0.0, 1, 2, 5])
    assert mean(values, np.arange(4)) == (2, pytest.approx(math.sqrt(14 / 16)))
    assert mean(values, np.array([0, 0, 1, 2])) == (2, pytest.approx(math.sqrt(18 / 16)))


def test_an_area_by_hand():
    """Scores 3, 1 against 2, 1: placements 1 and 1/4 of the ones, 1/2 and 3/4 of the others.

    The mean is 5/8; parts are 2 * (3/8, -3/8, -1/8, 1/8), whose squares sum to 20/16.
    """
    value, error = area(np.array([True, True, False, False]), np.array([3.0, 1, 2, 1]), np.arange(4))
    assert (value, error) == (5 / 8, pytest.approx(math.sqrt(20 / 16) / 4))


def test_an_area_is_scikit_learns_and_its_error_that_of_repeated_samples():
    """Pairs of rows that share class and score nearly: the error is that of other samples of pairs."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(300):
        is_class = np.repeat(rng.random(300) < 0.3, 2)
        score = np.round(np.repeat(rng.normal(size=300), 2) + is_class, 1)
        found.append(area(is_class, score, np.repeat(np.arange(300), 2)))
    assert found[-1][0] == pytest.approx(roc_auc_score(is_class, score))
    values, errors = np.array(found).T
    assert errors.mean() == pytest.approx(values.std(), rel=0.1)


def test_the_interval_of_a_change():
    """0.5 with an error of 0.03 to 0.4 with 0.04: the change has 0.05."""
    figure = Figure((0.5, 0.03), (0.4, 0.04))
    assert figure.change == pytest.approx(-0.1)
    assert figure.interval() == (pytest.approx(-0.198, abs=1e-4), pytest.approx(-0.002, abs=1e-4))
    assert figure.interval(0.1)[1] == pytest.approx(-0.1 + 1.6449 * 0.05, abs=1e-4)
