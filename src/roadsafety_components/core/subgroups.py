"""A classifier judged by subgroup of the test: whom it serves worse than the whole."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from roadsafety_components.core.code_words import in_words
from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.figures import figures
from roadsafety_components.core.intervals import bootstrap, choose_groups, interval
from roadsafety_components.core.predict import answers, check_features, probabilities
from roadsafety_components.core.results import Estimate, results_table
from roadsafety_components.core.store import CATEGORY, Facts, facts_of, is_text, marked, plain_type
from roadsafety_components.core.truth import doubts, true_classes

# What is measured of a subgroup, beside its rows.
FIGURES = {
    "share": "share of the rows that are of the positive class",
    "mean_probability": "mean of the probabilities given to it",
    "gap": "mean probability minus share: calibration in the large",
    "roc_auc": "chance that a row of the class gets a higher probability than another of the subgroup",
    "average_precision": "precision averaged over recall; rises with the share",
    "recall": "share of the class's rows that is found",
    "precision": "share of the rows called so that is right",
    "brier": "mean squared error of the probability; rises with the share",
}
# Figures in which a subgroup can stand out: they do not depend on the share.
JUDGED = ("roc_auc", "gap")
_MOST_VALUES = 20  # of a quantity that is not cut


@dataclass(frozen=True)
class Subgroup:
    """Rows with one value of a column, or in one quarter of a quantity; no figures if too few."""

    column: str
    name: str
    rows: int
    figures: dict[str, Estimate]


@dataclass(frozen=True)
class Subgroups:
    """Plain values; the whole has neither column nor name."""

    target_column: str
    positive_class: str
    min_rows: int
    whole: Subgroup
    parts: list[Subgroup]
    model_facts: Facts
    data_facts: Facts
    warnings: list[str]
    notes: list[str]

    def usual(self, figure: str) -> float:
        """What a subgroup's figure is held against: the whole's; of the gap 0."""
        return 0.0 if figure == "gap" else self.whole.figures[figure][0]

    def outstanding(self, figure: str) -> list[Subgroup]:
        """Subgroups whose interval does not hold the usual value, the lowest first."""
        usual = self.usual(figure)
        found = [p for p in self.parts if len(e := p.figures.get(figure, ())) > 1 and not e[1] <= usual <= e[2]]
        return sorted(found, key=lambda p: p.figures[figure][0])

    def results(self) -> pa.Table:
        """The figures as a dataset; see ``results_table``."""
        made_from = {"model": self.model_facts.get("sha256", ""), "test_data": self.data_facts.get("sha256", "")}
        facts = {"made_from": made_from, "target_column": self.target_column, "positive_class": self.positive_class}
        return results_table(
            ((p.column or "test", p.name, "model", name, value, *(limits or (None, None)), p.rows)
             for p in (self.whole, *self.parts) for name, (value, *limits) in p.figures.items()),
            facts | {"min_rows": self.min_rows},
        )  # fmt: skip

    def metrics(self) -> dict[str, float]:
        """Figures for the run comparison."""
        judged = sum(bool(p.figures) for p in self.parts)
        told: dict[str, float] = {"subgroups": judged, "subgroups_too_small": len(self.parts) - judged}
        told |= {f"subgroups_outstanding_{name}": len(self.outstanding(name)) for name in JUDGED}
        if aucs := [p.figures["roc_auc"][0] for p in self.parts if "roc_auc" in p.figures]:
            told |= {"lowest_roc_auc": min(aucs), "highest_roc_auc": max(aucs)}
        if gaps := [p.figures["gap"][0] for p in self.parts if p.figures]:
            told["largest_gap"] = max(gaps, key=abs)
        return {name: float(value) for name, value in told.items()}


def evaluate_subgroups(
    model: Any,
    facts: Facts,
    table: pa.Table,
    subgroup_columns: Sequence[str],
    labels: Mapping[str, Mapping[str, str]] | None = None,
    target_column: str = "",
    positive_class: str = "",
    group_column: str = "",
    resamples: int = 200,
    min_rows: int = 100,
) -> Subgroups:
    """Judge a model on the rows of each value of some columns.

    Args:
        model: from ``read_model``.
        facts: the model's.
        table: test rows.
        subgroup_columns: any columns of the table, features or not. Quantities (numbers neither marked CATEGORY nor
            with labels) of more than 20 values are cut in quarters; missing is a subgroup of its own.
        labels: column, code, words; codes with the same words are one subgroup.
        target_column: "" for the model's own.
        positive_class: "" for the rarest in the test; it is judged against all others.
        group_column: rows of one value are drawn together for the intervals; "" for the table's own.
        resamples: draws for the intervals; 0 for none.
        min_rows: subgroups of fewer rows are named, and not judged.

    Raises:
        InputError: no subgroup column, an unknown one; min_rows no whole number from 1 on;
            otherwise as ``evaluate_classifier``.
    """
    names, classes, target_column = table.column_names, facts["classes"], target_column or facts["target_column"]
    if not subgroup_columns:
        raise InputError("subgroup_columns is empty; name one column of the test table or more.")
    for column in subgroup_columns:
        if column not in names:
            raise InputError(f"subgroup_columns has {column!r}, which the test table does not have."
                             f"{nearest(str(column), names)}")  # fmt: skip
    if min_rows < 1 or min_rows != int(min_rows):
        raise InputError(f"min_rows is {min_rows}; it is a whole number, 1 or more.")
    truth = true_classes(table, target_column, classes)
    if positive_class not in ["", *classes]:
        raise InputError(f"positive_class is {positive_class!r}; the classes are {', '.join(classes)}.")
    check_features(facts, table.schema, "test table")
    groups, how = choose_groups(table, group_column, resamples, facts.get("group_column", ""))
    counts = np.bincount(truth, minlength=len(classes))
    positive = classes.index(positive_class) if positive_class else int(np.where(counts, counts, len(truth)).argmin())
    if not counts[positive]:
        raise InputError(f"positive_class is {positive_class!r}, and no row of the test table is of it; name another.")
    given = probabilities(model, facts, table)
    called, marks = answers(given, facts), marked(table, CATEGORY)
    rows = {("", ""): np.arange(len(truth))}
    for column in dict.fromkeys(subgroup_columns):
        words = (labels or {}).get(column, {})
        rows |= {(column, name): r for name, r in _parts(table[column], words, column in marks or bool(words))}

    def judge(weights: npt.NDArray[np.float64]) -> dict[str, float]:
        return {
            f"{i}/{n}": v
            for i, r in enumerate(rows.values()) if len(r) >= min_rows or i == 0
            for n, v in _figures(truth[r], given[r], weights[r], positive, called[r]).items()
        }  # fmt: skip

    drawn = bootstrap(groups, judge, int(resamples))
    found: list[dict[str, Estimate]] = [{} for _ in rows]
    for key, value in judge(np.ones(len(truth))).items():
        i, _, name = key.partition("/")
        found[int(i)][name] = (value, *(interval(drawn[key]) if key in drawn else ()))
    whole, *each = (Subgroup(*key, len(r), f) for (key, r), f in zip(rows.items(), found, strict=True))
    return Subgroups(
        target_column, classes[positive], int(min_rows), whole, each, facts, facts_of(table),
        doubts(facts, facts_of(table)), [how] * bool(how),
    )  # fmt: skip


def _figures(truth: Any, given: Any, weights: Any, positive: int, called: Any) -> dict[str, float]:
    if not weights.any():  # a subgroup that this draw leaves out
        return {}
    share, mean = (float(weights @ v / weights.sum()) for v in (truth == positive, given[:, positive]))
    found = figures(truth, given, weights, positive, called)
    found |= {"share": share, "mean_probability": mean, "gap": mean - share}
    return {name: found[name] for name in FIGURES if name in found}


def _parts(
    column: pa.ChunkedArray, words: Mapping[str, str], coded: bool
) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """Names of the subgroups of a column, in the order of its values, and their rows."""
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_finite(column), column, None)
    column = column.cast(plain_type(column.type))  # a part of a table need not have all the dictionary's values
    encoded = column.combine_chunks().dictionary_encode()
    values = encoded.dictionary.to_pylist()
    codes = np.asarray(encoded.indices.fill_null(len(values)))
    order = sorted(range(len(values)), key=values.__getitem__)
    if coded or is_text(column.type) or len(values) <= _MOST_VALUES:
        names = [in_words(v, words) for v in values]
    else:
        known = np.array(values)[codes[codes < len(values)]]
        limits = np.unique(np.quantile(known, [0.25, 0.5, 0.75], method="inverted_cdf"))
        quarter = np.searchsorted(limits, values)
        held = [[v for v, q in zip(values, quarter, strict=True) if q == k] for k in range(4)]
        names = [f"{min(held[q]):g} to {max(held[q]):g}" for q in quarter]
    if encoded.null_count:
        order.append(len(values))
        names.append(in_words(None, {}))
    for name in dict.fromkeys(names[i] for i in order):
        yield name, np.flatnonzero(np.isin(codes, [i for i in order if names[i] == name]))
