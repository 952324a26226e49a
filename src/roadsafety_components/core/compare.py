"""Champion and challenger: whether a new model is better than the one in use, on the same rows and beyond chance."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from roadsafety_components.core import predict
from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.figures import figures
from roadsafety_components.core.intervals import Weights, bootstrap, choose_groups, interval
from roadsafety_components.core.store import Facts, facts_of
from roadsafety_components.core.truth import doubts, true_classes

# What is better in a figure that can decide or be guarded: 1 the higher, -1 the lower, 0 the nearer to 1.
BETTER = {
    "average_precision": 1, "roc_auc": 1, "balanced_accuracy": 1, "macro_f1": 1, "recall": 1, "precision": 1,
    "accuracy": 1, "log_loss": -1, "brier": -1, "calibration_error": -1, "calibration_slope": 0,
}  # fmt: skip

Fitted = tuple[Any, Facts]  # of read_model
Measured = tuple[float, float, float]  # a figure and the limits of its 95 % interval


class _Metrics(Protocol):
    def log_metric(self, metric: str, value: float, /) -> None: ...


@dataclass(frozen=True)
class Rules:
    """What decides.

    Attributes:
        figure: of BETTER; what the challenger has to gain in.
        min_gain: what the lower limit of the gain's 95 % interval has to exceed; below 0 lets a model replace one that
            is a little better.
        max_losses: figures guarded, and the loss in each that is let pass. A guard is broken where the loss exceeds it
            beyond chance: where all of the loss's 95 % interval does.
    """

    figure: str = "average_precision"
    min_gain: float = 0.0
    max_losses: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in {self.figure: 0.0, **self.max_losses}.items():
            if name not in BETTER:
                raise InputError(f"there is no figure {name!r}.{nearest(name, BETTER)} It can be {', '.join(BETTER)}.")
            if not 0 <= value < inf:
                raise InputError(f"max_losses lets {name} lose {value}; it is a number, 0 or more.")
        if not isfinite(self.min_gain):
            raise InputError(f"min_gain is {self.min_gain}; it is a number, such as 0.005.")


@dataclass(frozen=True)
class Comparison:
    """Plain values. A gain is above 0 where the challenger is better, whatever the figure."""

    rules: Rules
    measured: dict[str, dict[str, Measured]]  # by figure: champion, challenger, gain
    facts: dict[str, Facts]  # champion, challenger, test
    target_column: str
    positive_class: str  # or ""
    class_counts: dict[str, int]
    drawn: str  # a sentence
    groups: int
    warnings: list[str]

    @property
    def gained(self) -> bool:
        """Whether the figure that decides is better beyond chance."""
        return self.measured[self.rules.figure]["gain"][1] > self.rules.min_gain

    @property
    def lost(self) -> list[str]:
        """Guards that are broken."""
        return [n for n, loss in self.rules.max_losses.items() if self.measured[n]["gain"][2] < -loss]

    @property
    def decision(self) -> str:
        """The text ``promote`` or ``keep``."""
        return "promote" if self.gained and not self.lost else "keep"


def compare_classifiers(
    champion: Fitted,
    challenger: Fitted,
    table: pa.Table,
    rules: Rules,
    target_column: str = "",
    positive_class: str = "",
    group_column: str = "",
    resamples: int = 500,
    seed: int = 0,
) -> Comparison:
    """Judge two models on the same test rows, with a paired bootstrap over groups.

    Each draw takes the same groups for both, so that what makes a draw easy or hard for both cancels out of the gain.

    Args:
        champion: model in use and its facts, from ``read_model``.
        challenger: model that may replace it. Its features may differ; its classes and target may not.
        table: test rows, with the features of both.
        rules: what decides.
        target_column: "" for the models' own.
        positive_class: of two classes the one that the figures are about; "" for the rarer in the test.
        group_column: rows that share its value are drawn together; "" for that of the table's facts, if any.
        resamples: of the bootstrap, 100 or more.
        seed: of the draws.

    Returns:
        The comparison, with its decision. Figures are those of BETTER that both models have, also in the draws.

    Raises:
        InputError: models of different targets, or not of the test's; a challenger trained on the test; columns that
            are missing; a parameter out of range; a figure of the rules that this test does not give.
    """
    if resamples < 100 or seed < 0:
        raise InputError(f"resamples is {resamples}, seed {seed}; limits that decide need 100 draws or more, a seed is "
                         "0 or more.")  # fmt: skip
    facts = {"champion": champion[1], "challenger": challenger[1], "test": facts_of(table)}
    classes, target_column = champion[1]["classes"], target_column or champion[1]["target_column"]
    for name in ("champion", "challenger"):
        _check(name, facts)
        predict.check_features(facts[name], table.schema, f"test_data, for the {name}")
    if positive_class not in ["", *classes]:
        raise InputError(f"positive_class is {positive_class!r}; the classes are {', '.join(classes)}.")
    groups, drawn = choose_groups(table, group_column, resamples, challenger[1].get("group_column", ""))
    truth = true_classes(table, target_column, classes)
    counts = np.bincount(truth, minlength=len(classes))
    positive = classes.index(positive_class or classes[counts.argmin()]) if len(classes) == 2 else -1
    one, other = (_scores(*fitted, table, truth, positive) for fitted in (champion, challenger))
    measured = _measured(one, other, groups, int(resamples), int(seed))
    if lacking := {rules.figure, *rules.max_losses} - set(measured):
        raise InputError(f"{', '.join(sorted(lacking))} cannot be told from this test: recall, precision and "
                         "calibration_slope need two classes, each figure enough rows of the rarest.")  # fmt: skip
    return Comparison(
        rules, measured, facts, target_column, classes[positive] if positive >= 0 else "",
        dict(zip(classes, counts.tolist(), strict=True)), drawn, int(groups.max()) + 1, _warnings(facts, table),
    )  # fmt: skip


def log_comparison(comparison: Comparison, metrics: _Metrics) -> None:
    """Log figures of both models and gains (``gain_<figure>``), these with their limits (``_low``, ``_high``)."""
    metrics.log_metric("promoted", float(comparison.decision == "promote"))
    for figure, sides in comparison.measured.items():
        for side, (value, low, high) in sides.items():
            limits = {"_low": low, "_high": high} if side == "gain" else {}
            for end, number in {"": value, **limits}.items():
                metrics.log_metric(f"{side}_{figure}{end}", number)


def _check(name: str, facts: Mapping[str, Facts]) -> None:
    """Raise InputError for a model that cannot be compared with the champion on this test."""
    model, test = facts[name], facts["test"]
    told = test | {n: facts["champion"][n] for n in ("classes", "target_column")}
    for fact in ("classes", "target_column", "unit", "target"):
        if model.get(fact, told.get(fact)) != told.get(fact, model.get(fact)):
            raise InputError(f"{fact} of the {name} is {model[fact]}, of the comparison {told[fact]}; compare models "
                             "of one target, on rows made as their training rows were.")  # fmt: skip
    if name == "challenger" and test.get("sha256", 0) == model.get("training_data"):
        raise InputError("test_data is what the challenger was trained on; compare on rows that it has not seen.")


def _scores(model: Any, facts: Facts, table: pa.Table, truth: Any, positive: int) -> Callable[[Weights], Any]:
    """The figures of a model for given weights of the rows."""
    given = predict.probabilities(model, facts, table)
    answers = predict.answers(given, facts)
    order = np.argsort(-given[:, positive], kind="stable")  # sorted once, each draw is sorted quickly
    rows = truth[order], given[order]
    return lambda weights: figures(*rows, weights[order], positive, answers[order])


def _measured(one: Any, other: Any, groups: Any, resamples: int, seed: int) -> dict[str, dict[str, Measured]]:
    def both(weights: Weights) -> dict[str, float]:
        found: dict[str, float] = {}
        a, b = one(weights), other(weights)
        for n in [n for n in BETTER if n in a and n in b]:
            gain = BETTER[n] * (b[n] - a[n]) if BETTER[n] else abs(a[n] - 1) - abs(b[n] - 1)
            found |= {f"champion {n}": a[n], f"challenger {n}": b[n], f"gain {n}": gain}
        return found

    drawn = bootstrap(groups, both, resamples, seed)
    measured: dict[str, dict[str, Measured]] = {}
    for key, value in both(np.ones(len(groups))).items():
        if len(drawn.get(key, ())) > 0.9 * resamples:  # a class may be absent from a draw
            side, name = key.split()
            measured.setdefault(name, {})[side] = (value, *interval(drawn[key]))
    return measured


def _warnings(facts: Mapping[str, Facts], table: pa.Table) -> list[str]:
    champion, challenger, test = facts.values()
    told = doubts(champion, test) + doubts(challenger, test)
    if champion.get("known_at") != challenger.get("known_at"):
        told.append("DIFFERENT KNOWLEDGE: known_at of the models differs; the better may be one that comes too late.")
    # Facts of a test cut by year tell the years of the whole.
    years = set(table["year"].to_pylist() if "year" in table.column_names else test.get("years", []))
    for name, model in list(facts.items())[:2]:
        if years & set(model.get("years", [])) and any(model.get(n) != test.get(n) for n in ("split", "years")):
            told.append(f"ROWS SEEN? The {name} learned from the test's years, by another split: it may know rows of "
                        "the test, which flatters it.")  # fmt: skip
    return list(dict.fromkeys(told))
