"""Single probabilities taken apart: how much each column raises or lowers them.

They describe the model and rest on association in the data that it learned from; none of it is cause.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from roadsafety_components.core.errors import InputError
from roadsafety_components.core.feature_groups import (
    Ask,
    Groups,
    Labels,
    Numbers,
    asking,
    check_whole,
    grouped,
    in_words,
    spread,
)
from roadsafety_components.core.frame import to_frame
from roadsafety_components.core.predict import check_features
from roadsafety_components.core.store import IDENTIFIER, Facts, facts_of, marked, with_facts


@dataclass(frozen=True)
class Contributions:
    """Rows taken apart, from the highest probability to the lowest; floats finite."""

    keys: list[dict[str, Any]]  # columns marked as identifiers
    rows: list[int]  # of the data, from 0
    probabilities: list[float]
    values: dict[str, list[str]]  # by column in words, of a group's first; one a row
    parts: dict[str, list[float]]  # by column, one a row
    facts: Facts  # positive_class, mean_probability, orders, rows_given, synthetic, made_from

    def table(self) -> pa.Table:
        """One row a row taken apart and column: its key, ``row, probability, column, value, contribution``."""
        told = [
            key | {"row": row, "probability": given, "column": column, "value": self.values[column][at],
                   "contribution": parts[at]}
            for at, (key, row, given) in enumerate(zip(self.keys, self.rows, self.probabilities, strict=True))
            for column, parts in self.parts.items()
        ]  # fmt: skip
        return with_facts(pa.Table.from_pylist(told), self.facts)


def explain_predictions(
    model: Any,
    facts: Facts,
    table: pa.Table,
    positive_class: str = "",
    groups: Groups | None = None,
    labels: Labels | None = None,
    rows: int = 10,
    orders: int = 200,
    seed: int = 0,
) -> Contributions:
    """Take some probabilities apart, from the highest to the lowest, evenly spaced by rank.

    Args:
        model: anything with ``predict_proba``.
        facts: the model's.
        table: rows; the target is not used.
        positive_class: whose probability; "" for the rarest of the training.
        groups: features that are made of one thing and are credited together, the most telling first.
        labels: words of codes by column.
        rows: how many to take apart.
        orders: in which columns are changed, each from a row of its own; more are more exact.
        seed: of the orders.

    Returns:
        Contributions that add up to the row's probability less the mean probability of ``orders`` rows, which are
        evenly spaced by rank.

    Raises:
        InputError: a parameter out of range, a feature missing or in two groups, fewer than two rows.
    """
    check_whole(1, rows=rows)
    check_whole(2, orders=orders)
    check_whole(0, seed=seed)
    check_features(facts, table.schema, "data")
    if table.num_rows < 2:
        raise InputError("data: there is one row only, and nothing to hold it against; give it among others.")
    of, (positive_class, _, ask) = grouped(facts["features"], groups or {}), asking(model, facts, positive_class)
    frame = to_frame(table, facts["features"])
    given = ask(frame)
    rising = np.argsort(given, kind="stable")
    chosen = rising[::-1][np.unique(np.linspace(0, len(rising) - 1, int(rows)).astype(np.int64))]
    background = spread(rising, int(orders))
    parts = shapley_values(ask, frame.iloc[chosen], frame.iloc[background], of, int(seed))
    some, data = table.take(pa.array(chosen)), facts_of(table)
    return Contributions(
        some.select(marked(some, IDENTIFIER)).to_pylist(), chosen.tolist(), given[chosen].tolist(),
        {group: in_words(some, features[0], labels or {}) for group, features in of.items()},
        dict(zip(of, parts.T.tolist(), strict=True)),
        {"positive_class": positive_class, "mean_probability": float(given[background].mean()),
         "orders": len(background), "rows_given": table.num_rows,
         "synthetic": bool(facts.get("synthetic") or data.get("synthetic")),
         "made_from": {"model": facts.get("sha256", ""), "data": data.get("sha256", "")}},
    )  # fmt: skip


def shapley_values(ask: Ask, frame: pd.DataFrame, background: pd.DataFrame, groups: Groups, seed: int) -> Numbers:
    """Shapley values of groups of columns by sampling (Strumbelj and Kononenko 2014).

    From each row of the background a chain leads to the explained row: one group after another, in a random order,
    takes on the explained row's values. A group's contribution is the mean of what its step adds to the probability.
    Half of the orders are the other half backwards, so that chance cancels in part.

    Args:
        ask: probabilities.
        frame: rows to explain.
        background: rows that stand for all.
        groups: of all columns, by name.
        seed: of the orders.

    Returns:
        Rows by groups. The contributions of a row add up to its probability less the mean of the background's.
    """
    rng = np.random.default_rng(seed)
    half = [rng.permutation(len(groups)) for _ in range((len(background) + 1) // 2)]
    orders = np.array([*half, *(order[::-1] for order in half)])[: len(background)]
    step_of = np.argsort(orders, axis=1)  # chains by groups
    steps = np.arange(len(groups) + 1)
    changed = {name: steps > step_of[:, i, None] for i, names in enumerate(groups.values()) for name in names}
    found = []
    for at in range(len(frame)):
        mixed = {
            name: np.where(changed[name], frame[name].to_numpy()[at], background[name].to_numpy()[:, None]).ravel()
            for name in frame.columns
        }
        added = np.diff(ask(pd.DataFrame(mixed)).reshape(len(background), -1), axis=1)
        found.append(np.take_along_axis(added, step_of, axis=1).mean(axis=0))
    return np.array(found)
