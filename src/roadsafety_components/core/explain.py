"""What a classifier goes by: columns shuffled, and the leading columns varied.

All of it describes the model, and so association in the data that it learned from; none of it is cause.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from roadsafety_components.core.dependence import Dependence, dependence
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.feature_groups import Groups, Labels, Positions, asking, check_whole, grouped, spread
from roadsafety_components.core.frame import to_frame
from roadsafety_components.core.importance import COSTS, importance
from roadsafety_components.core.predict import check_features
from roadsafety_components.core.store import Facts, facts_of, with_facts
from roadsafety_components.core.truth import doubts, true_classes

_VARIED = 1000  # rows of a dependence
_NONE = 1e-9  # of importance: the figure's own rounding


@dataclass(frozen=True)
class Explanation:
    """Plain values, floats finite."""

    facts: Facts  # target, positive_class, positive_share, figure, figure_before, repeats, rows_used, rows_given, ...
    importance: list[dict[str, Any]]  # falling: column, importance, low, high, features, meaning
    dependences: list[Dependence]  # of the leading columns
    warnings: list[str]

    def table(self) -> pa.Table:
        """The importance, one row a column."""
        return with_facts(pa.Table.from_pylist(self.importance), self.facts)

    def metrics(self) -> dict[str, float]:
        """The figure of the rows as they are, the largest importance, and how many rows and columns there are."""
        return {
            self.facts["figure"]: self.facts["figure_before"],
            "largest_importance": self.importance[0]["importance"],
            "columns": float(len(self.importance)),
            "rows": float(self.facts["rows_used"]),
        }


def explain_classifier(
    model: Any,
    facts: Facts,
    table: pa.Table,
    target_column: str = "",
    positive_class: str = "",
    groups: Groups | None = None,
    labels: Labels | None = None,
    meanings: Mapping[str, str] | None = None,
    figure: str = "average_precision",
    repeats: int = 5,
    top: int = 8,
    max_rows: int = 20000,
    seed: int = 0,
) -> Explanation:
    """Say what a model goes by, on rows that it has not seen; see ``importance`` and ``dependence`` for the methods.

    Args:
        model: anything with ``predict_proba``.
        facts: the model's.
        table: rows with the target.
        target_column: "" for the model's own.
        positive_class: against the rest; "" for the rarest of the training.
        groups: features that are made of one thing, the most telling first; the model need not have them all.
        labels: words of codes by column.
        meanings: of groups and features.
        figure: what a shuffle costs, one of COSTS.
        repeats: shuffles of each column.
        top: how many leading columns are varied.
        max_rows: at most so many rows, a sample of whole groups of the data's group column (collisions).
        seed: of the sample, the shuffles and the draws.

    Returns:
        The explanation; the same for the same input and seed.

    Raises:
        InputError: a parameter out of range, a feature missing or in two groups, the target missing, null, unknown to
            the model or of one class.
    """
    if figure not in COSTS:
        raise InputError(f"figure is {figure!r}; it can be {', '.join(COSTS)}.")
    check_whole(1, repeats=repeats, max_rows=max_rows)
    check_whole(0, top=top, seed=seed)
    repeats, seed, data = int(repeats), int(seed), facts_of(table)
    of = grouped(facts["features"], groups or {})
    check_features(facts, table.schema, "data")
    positive_class, position, ask = asking(model, facts, positive_class)
    target = target_column or facts["target_column"]
    truth = true_classes(table, target, facts["classes"]) == position
    used = _sample(table, data.get("group_column"), int(max_rows), seed)
    rows, truth = table.take(pa.array(used)), truth[used]
    if truth.all() or not truth.any():
        raise InputError(f"data: {truth.sum()} of the {len(used)} rows drawn are {positive_class}, there must be both; "
                         f"give more rows, or raise max_rows ({max_rows}).")  # fmt: skip
    frame = to_frame(rows, facts["features"])
    before, costs = importance(ask, frame, truth, of, figure, repeats, seed)
    found: list[dict[str, Any]] = [
        {"column": n, "importance": float(c.mean()), "low": float(c.min()), "high": float(c.max()),
         "features": ", ".join(of[n]), "meaning": (meanings or {}).get(n, "")} for n, c in costs.items()
    ]  # fmt: skip
    found.sort(key=lambda i: -i["importance"])
    leading = [i["column"] for i in found[: int(top)] if i["importance"] > _NONE]
    varied = spread(np.argsort(ask(frame), kind="stable"), _VARIED)
    about = {
        "target": target,
        "positive_class": positive_class,
        "positive_share": float(truth.mean()),
        "figure": figure,
        "figure_before": before,
        "repeats": repeats,
        "rows_used": len(used),
        "rows_given": table.num_rows,
        "synthetic": bool(facts.get("synthetic") or data.get("synthetic")),
        "made_from": {"model": facts.get("sha256", ""), "data": data.get("sha256", "")},
    }
    dependences = [dependence(ask, frame, rows, (n, of[n]), varied, labels or {}, seed) for n in leading]
    return Explanation(about, found, dependences, doubts(facts, data))


def _sample(table: pa.Table, group_column: str | None, max_rows: int, seed: int) -> Positions:
    """Positions of a random sample of whole groups, in their order; one group at least."""
    blocks = np.arange(table.num_rows)
    if group_column in table.column_names:
        blocks, _ = pd.factorize(table[group_column].to_pandas(), use_na_sentinel=False)
    order = np.random.default_rng(seed).permutation(blocks.max() + 1)
    fitting = int((np.bincount(blocks)[order].cumsum() <= max_rows).sum())
    return np.flatnonzero(np.isin(blocks, order[: max(1, fitting)]))
