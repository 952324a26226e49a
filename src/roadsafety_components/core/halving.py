"""Which candidates of a search go on: ranks, and one rung after the other of successive halving."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from roadsafety_components.core.candidates import COLUMNS, DIRECTIONS, Score, scores_table
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.store import Facts, facts_of

# Facts that scores share; those of one rung share "share", too.
_IN_COMMON = ("algorithm", "class_weight", "figure", "folds", "group_column", "made_from", "seed", "target_column")


@dataclass(frozen=True)
class Selection:
    """A rung: its candidates by rank, and what the folds say of the difference.

    Attributes:
        ranked: best first, those that failed last.
        close: candidates other than the best that one standard error does not tell from it, see ``select_candidates``.
        earlier: scores of the rungs before.
        facts: what the scores have in common.
    """

    ranked: list[Score]
    close: list[Score]
    earlier: list[Score]
    facts: Facts

    @property
    def best(self) -> Score:
        """The candidate of the first rank."""
        return self.ranked[0]

    @property
    def survivors(self) -> list[dict[str, float]]:
        """Those that go on, as ``sample_candidates`` gives them; never empty."""
        return [{"id": s.candidate, **s.parameters} for s in self.ranked if s.kept]

    def table(self) -> pa.Table:
        """The scores of this rung and those before, in the order of rungs and ranks."""
        found = {"best": self.best.candidate, "parameters": dict(self.best.parameters), "mean": self.best.mean}
        return scores_table([*self.earlier, *self.ranked], self.facts | found)


def select_candidates(tables: Sequence[pa.Table], keep_one_in: int = 3, earlier: pa.Table | None = None) -> Selection:
    """Rank candidates by their mean figure and keep the best: one rung of successive halving.

    Successive halving (Jamieson and Talwalkar, Non-stochastic best arm identification and hyperparameter optimization,
    2016) gives all candidates a little data, the best of them more, and only the last few all.

    The folds of two candidates hold the same rows, so that their difference is taken fold by fold. A candidate is close
    to the best where the mean difference is at most its standard error (the rule of Breiman and others, Classification
    and Regression Trees, 1984, on differences). Folds share training rows, so the standard error is too small rather
    than too large (Bengio and Grandvalet, 2004).

    Args:
        tables: one of ``scores_table`` each, of one rung.
        keep_one_in: one candidate in so many goes on, to the nearest whole number, and with them candidate 0, the
            defaults: the last rung tells what the search has gained. A failed one does not go on.
        earlier: the table of the selection before, if there was one.

    Raises:
        InputError: no score, or scores of different searches; every candidate failed; keep_one_in is below 1.
    """
    if keep_one_in < 1 or keep_one_in != int(keep_one_in):
        raise InputError(f"keep_one_in is {keep_one_in}; it is a whole number, 1 or more.")
    if not tables:
        raise InputError("scores: there is none; give the scores of at least one candidate.")
    scores = [s for at, table in enumerate(tables) for s in _read(table, f"scores, table {at + 1}")]
    before = _read(earlier, "earlier") if earlier is not None else []
    facts = _common_facts(tables, earlier)
    good = sorted((s for s in scores if s.mean is not None), key=lambda s: (_loss(s, facts), s.candidate))
    failed = sorted((s for s in scores if s.mean is None), key=lambda s: s.candidate)
    if not good:
        told = "; ".join(dict.fromkeys(s.message for s in failed))
        raise InputError(f"all {len(failed)} candidates failed: {told}")
    keep = max(1, round(len(scores) / keep_one_in))
    ranked = [replace(s, rank=at + 1, kept=at < keep or s.candidate == 0) for at, s in enumerate(good)]
    close = [s for s in ranked[1:] if (d := difference(ranked[0], s))[0] <= d[1]]
    return Selection([*ranked, *failed], close, before, facts)


def difference(one: Score, other: Score) -> tuple[float, float]:
    """Mean difference of the figure over the folds of two scores, without its sign, and its standard error."""
    by_fold = np.subtract(one.by_fold, other.by_fold)
    return float(abs(by_fold.mean())), float(by_fold.std(ddof=1) / math.sqrt(len(by_fold)))


def log_selection(selection: Selection) -> None:
    """Print what goes on, and a warning for each candidate that failed."""
    for s in selection.ranked:
        if s.status != "ok":
            print(f"WARNING: candidate {s.candidate} failed: {s.message}")
    best, kept = selection.best, [s["id"] for s in selection.survivors]
    print(f"candidate {best.candidate} has the best mean {selection.facts['figure']}, {best.mean:.4f}; "
          f"on go {', '.join(map(str, kept))} of {len(selection.ranked)}.")  # fmt: skip


def _loss(score: Score, facts: Facts) -> float:
    """The mean, turned so that lower is better."""
    return -DIRECTIONS[facts["figure"]] * float(score.mean or 0)


def _common_facts(tables: Sequence[pa.Table], earlier: pa.Table | None) -> Facts:
    first = facts_of(tables[0])
    names = (*_IN_COMMON, "share")
    compared = [(t, names) for t in tables] + ([(earlier, _IN_COMMON)] if earlier is not None else [])
    for table, alike in compared:
        for name in alike:
            if (other := facts_of(table).get(name)) != first.get(name):
                raise InputError(f"scores: {name} is {first.get(name)} of one and {other} of another; rank candidates "
                                 "of one search only.")  # fmt: skip
    return {name: first[name] for name in _IN_COMMON} | {"synthetic": first.get("synthetic", False)}


def _read(table: pa.Table, name: str) -> list[Score]:
    """The scores of a table that ``scores_table`` made.

    Args:
        table: of one or many.
        name: what to call it in a message.

    Raises:
        InputError: a column or fact of it is missing.
    """
    lost = [c for c in COLUMNS if c not in table.column_names] + [f for f in _IN_COMMON if f not in facts_of(table)]
    if lost:
        raise InputError(f"{name}: no {', '.join(lost)}; give the output score of score_candidate.")
    found = []
    for row in table.to_pylist():
        parameters = {n: v for n, v in row.items() if n not in COLUMNS and v is not None}
        whole = {n: int(v) if v == int(v) else v for n, v in parameters.items()}
        found.append(Score(**{n: row[n] for n in COLUMNS}, parameters=whole))
    return found
