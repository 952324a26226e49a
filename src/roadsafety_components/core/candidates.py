"""What a search knows of a candidate: its settings and how it did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from roadsafety_components.core.store import Facts, with_facts

# What candidates can be ranked by: 1 where higher is better, -1 where lower is; see figures.DEFINITIONS.
DIRECTIONS = {"log_loss": -1, "brier": -1, "average_precision": 1, "roc_auc": 1}


@dataclass(frozen=True)
class Score:
    """A candidate's figure by cross-validation, or why it has none.

    Attributes:
        candidate: its id.
        share: of the groups, that it was judged on.
        groups, rows: how many that is.
        mean: of ``by_fold``; None if it failed.
        by_fold: the figure on each fold's held-out rows.
        rounds: of boosting, chosen by early stopping; 0 for other algorithms.
        seconds: of fitting and judging.
        status: ``ok`` or ``failed``.
        message: what the failed one raised.
        rank: in its rung, from 1; 0 if it failed or is not ranked yet.
        kept: whether it goes on.
        parameters: settings by name.
    """

    candidate: int
    share: float
    groups: int
    rows: int
    mean: float | None = None
    by_fold: Sequence[float] = ()
    rounds: int = 0
    seconds: float = 0.0
    status: str = "ok"
    message: str = ""
    rank: int = 0
    kept: bool = False
    parameters: Mapping[str, float] = field(default_factory=dict)


COLUMNS = {
    "candidate": pa.int64(), "share": pa.float64(), "groups": pa.int64(), "rows": pa.int64(), "mean": pa.float64(),
    "by_fold": pa.list_(pa.float64()), "rounds": pa.int64(), "seconds": pa.float64(), "status": pa.string(),
    "message": pa.string(), "rank": pa.int64(), "kept": pa.bool_(),
}  # fmt: skip


def scores_table(scores: Sequence[Score], facts: Facts) -> pa.Table:
    """One row a score: the fields of ``Score``, then a column (float64) for each parameter."""
    names = list(dict.fromkeys(name for s in scores for name in s.parameters))
    schema = pa.schema([*COLUMNS.items(), *((name, pa.float64()) for name in names)])
    rows = [{name: getattr(s, name) for name in COLUMNS} | dict(s.parameters) for s in scores]
    return with_facts(pa.Table.from_pylist(rows, schema), facts)
