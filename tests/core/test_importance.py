"""What shuffles cost, against values worked out by hand."""

from math import log

import numpy as np
import pandas as pd
import pytest

from roadsafety_components.core.importance import importance

TRUTH = np.array([True, True, False, False])
FRAME = pd.DataFrame(
    {"p": [0.9, 0.8, 0.2, 0.1], "q": [0.9, 0.8, 0.2, 0.1], "noise": [1.0, 2, 3, 4], "empty": [np.nan] * 4}
)


def by_p(frame):
    """Answer p."""
    return frame["p"].to_numpy()


def by_both(frame):
    """Answer p only where q agrees."""
    return np.where(frame["p"] == frame["q"], frame["p"], 0.5)


@pytest.mark.parametrize(
    ("figure", "before"),
    [("average_precision", 1.0), ("roc_auc", 1.0), ("log_loss", -(log(0.9) + log(0.8)) / 2)],
)
def test_a_shuffle_costs_what_the_figure_loses(figure, before):
    """Whichever way the figure points; a column that the model does not use costs nothing."""
    found, costs = importance(by_p, FRAME, TRUTH, {"p": ["p"], "noise": ["noise"], "empty": ["empty"]}, figure, 50, 0)
    assert found == pytest.approx(before)
    assert costs["p"].shape == (50,)
    assert costs["p"].mean() > 0.1
    assert costs["noise"].tolist() == costs["empty"].tolist() == [0.0] * 50


def test_all_orders_of_four_rows():
    """Of ROC-AUC 1 a random order leaves 0.5 on average."""
    _, costs = importance(by_p, FRAME, TRUTH, {"p": ["p"]}, "roc_auc", 400, 0)
    assert costs["p"].mean() == pytest.approx(0.5, abs=0.06)
    assert (costs["p"].min(), costs["p"].max()) == (0.0, 1.0)


def test_a_group_is_shuffled_together():
    """Columns of a group still fit each other: the answers are those of other rows, never 0.5."""
    asked = []

    def ask(frame):
        asked.append(by_both(frame))
        return asked[-1]

    importance(ask, FRAME, TRUTH, {"both": ["p", "q"]}, "roc_auc", 20, 0)
    assert all(sorted(given.tolist()) == [0.1, 0.2, 0.8, 0.9] for given in asked)
    importance(ask, FRAME, TRUTH, {"p": ["p"], "q": ["q"]}, "roc_auc", 20, 0)
    assert any(0.5 in given for given in asked)


def test_the_same_seed_gives_the_same_shuffles():
    """For every group, so that they compare."""
    groups = {"p": ["p"], "again": ["p"]}
    _, costs = importance(by_p, FRAME, TRUTH, groups, "log_loss", 5, 7)
    assert costs["p"].tolist() == costs["again"].tolist()
    assert costs["p"].tolist() == importance(by_p, FRAME, TRUTH, groups, "log_loss", 5, 7)[1]["p"].tolist()
    assert costs["p"].tolist() != importance(by_p, FRAME, TRUTH, groups, "log_loss", 5, 8)[1]["p"].tolist()
