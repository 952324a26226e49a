"""Whether current data still are what a model learned from.

Features, scores, target and performance are compared; ``effects.py`` has the tests.
"""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from roadsafety_components.core import distance
from roadsafety_components.core.distance import ColumnPair, Numbers, OpenDataset, family
from roadsafety_components.core.effects import ALPHA, ColumnDrift, Figure, area, hold, holm, mean
from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.store import CATEGORY, IDENTIFIER, MODEL_FACTS, OUTCOME, Facts, marked, with_facts

_TESTED = ("limit", "low", "statistic", "p_value", "p_adjusted", "verdict")


@dataclass(frozen=True)
class Limits:
    """Beyond which, and beyond doubt, to retrain.

    Attributes:
        max_psi: PSI of a feature, beyond chance; above it the feature has drifted.
        max_drifted_share: of the features.
        max_score_psi: PSI of the model's probabilities, beyond chance. The target is held against it too, but never a
            reason: where shares moved, probabilities can be corrected.
        max_auc_drop: ROC-AUC of the reference less that of the current data.

    Raises:
        InputError: a number out of range.
    """

    max_psi: float = 0.25
    max_drifted_share: float = 0.2
    max_score_psi: float = 0.1
    max_auc_drop: float = 0.05

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least, most = (0.001, 100) if name.endswith("psi") else (0, 1)
            if not least <= value <= most:
                raise InputError(f"{name} is {value}; it can be {least} to {most}.")


@dataclass
class Drift:
    """What was found.

    Attributes:
        columns: features, then score and target, each the most drifted first.
        shares: of each class of the target, if both have it.
        figures: if there are predictions ``mean_probability`` of ``positive_class`` and, if both have the target,
            ``roc_auc`` of that class against all others.
        notes: what was not compared, and why.
    """

    rows: tuple[int, int]
    limits: Limits
    made_from: dict[str, str]
    positive_class: str = ""
    columns: list[ColumnDrift] = field(default_factory=list)
    shares: dict[str, Figure] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def features(self) -> list[ColumnDrift]:
        """All but score and target."""
        return [c for c in self.columns if c.part == "feature"]

    @property
    def drifted_share(self) -> float:
        """Of the features."""
        return sum(c.verdict == "drift" for c in self.features) / len(self.features)

    @property
    def reasons(self) -> list[str]:
        """Why to retrain."""
        found, allowed, auc = [], self.limits, self.figures.get("roc_auc")
        if self.drifted_share > allowed.max_drifted_share:
            share = f"{self.drifted_share:.0%} of the columns drifted"
            found.append(f"{share} ({allowed.max_drifted_share:.0%} is allowed)")
        for c in self.columns:
            if (c.part, c.verdict) == ("score", "drift"):
                found.append(f"the scores drifted (PSI {c.pair.psi:.3f}; {c.limit:g} is allowed)")
        if auc and -auc.interval(2 * ALPHA)[1] > allowed.max_auc_drop:
            found.append(f"the ROC-AUC fell by {-auc.change:.3f} ({allowed.max_auc_drop:g} is allowed)")
        return found

    @property
    def decision(self) -> str:
        """``retrain`` if there is a reason to, or ``keep``."""
        return "retrain" if self.reasons else "keep"

    def table(self) -> pa.Table:
        """One row a column."""
        rows = [
            {"part": c.part, "column": c.pair.name, "compared_as": c.pair.compared_as, "psi": c.pair.psi,
             "by_chance": c.pair.chance, "distance": c.pair.distance, "missing_reference": c.pair.missing[0],
             "missing_current": c.pair.missing[1]} | {n: getattr(c, n) for n in _TESTED}
            for c in self.columns
        ]  # fmt: skip
        told = {n: getattr(self, n) for n in ("decision", "reasons", "notes", "made_from")}
        return with_facts(pa.Table.from_pylist(rows), told | {"limits": asdict(self.limits)})

    def metrics(self) -> dict[str, float]:
        """Figures for the run comparison."""
        found = {"rows_reference": self.rows[0], "rows_current": self.rows[1], "columns_compared": len(self.features),
                 "drifted_share": self.drifted_share}  # fmt: skip
        for part in ("target", "score", "feature"):
            found |= {f"largest_{part}_psi": c.pair.psi for c in self.columns[::-1] if c.part == part}
        for name, f in self.figures.items():
            found |= {f"{name}_reference": f.reference[0], f"{name}_current": f.current[0]}
        return {name: float(value) for name, value in found.items()}


def detect_drift(
    reference: OpenDataset,
    current: OpenDataset,
    limits: Limits,
    facts: Facts | None = None,
    predictions: Sequence[OpenDataset] = (),
    target_column: str = "",
    group_column: str = "",
    columns: Sequence[str] = (),
    ignore_columns: Sequence[str] = (),
    labels: Mapping[str, Mapping[str, str]] | None = None,
) -> Drift:
    """Compare current data with a reference.

    Args:
        reference: from ``open_dataset``.
        current: the same; it need not have the target.
        limits: beyond which to retrain.
        facts: a model's, from ``model_facts``.
        predictions: of the model for the reference and for the current data, as ``predict_batch`` writes them; without
            them neither scores nor performance are compared.
        target_column: "" for the model's.
        group_column: rows that belong together; "" for the one that the facts of the data name, if any.
        columns: only these; by default the model's features, or without a model all columns that both have but the
            target and those marked IDENTIFIER or OUTCOME.
        ignore_columns: not these.
        labels: column, code (as text) and its words.

    Raises:
        InputError: a column that is not there or of another type, none left to compare, predictions of other data.
    """
    both, facts, labels = (reference, current), facts or {}, labels or {}
    every = [*reference.schema.names, *current.schema.names]
    for name in [*columns, *ignore_columns, target_column, group_column]:
        if name not in ["", *every]:
            raise InputError(f"neither dataset has a column {name!r}.{nearest(str(name), every)}")
    if len(predictions) == 1:
        raise InputError(f"there are {predictions[0].name} alone; give those of both datasets, or none.")
    target = target_column or facts.get("target_column", "")
    found = Drift((reference.rows, current.rows), limits, {d.name: str(d.facts["sha256"]) for d in both})
    names = _to_compare(both, columns or facts.get("features", ()), {target, *ignore_columns}, found)
    sides = [_side(d, target, group_column) for d in both]
    categories = {n for d in both for n in marked(d.schema, CATEGORY)}
    values = zip(names, reference.columns(names), current.columns(names), strict=True)
    features = holm([
        _measured("feature", n, (a, b), n in categories, limits.max_psi, sides, labels.get(n, {})) for n, a, b in values
    ])  # fmt: skip
    found.columns += sorted(features, key=lambda c: -c.pair.moved)
    if predictions:
        _compare_scores(predictions, facts, sides, found)
    if all(s.labelled.any() for s in sides):
        words, truth = labels.get(target, {}), [s.truth for s in sides]
        found.columns.append(_measured("target", target, truth, True, limits.max_score_psi, sides, words))
        for name in sorted({n for t in truth for n in t.unique().drop_null().to_pylist()}):
            found.shares[words.get(name, name)] = Figure(*(mean(s.of(name), s.groups[s.labelled]) for s in sides))
    elif target:
        lack = " and the ".join(d.name for d, s in zip(both, sides, strict=True) if not s.labelled.any())
        found.notes.append(f"The {lack} data have no {target}: neither it nor the performance is compared.")
    return found


def log_drift(drift: Drift, metrics: Any) -> None:
    """Log the figures, print each reason to retrain."""
    for name, value in drift.metrics().items():
        metrics.log_metric(name, value)
    for reason in drift.reasons:
        print(f"WARNING: retrain: {reason}")


def model_facts(path: str | Path) -> Facts:
    """The facts in a model's file.

    As ``read_model`` gives them, but the model is not loaded.

    Raises:
        InputError: no file of train_classifier.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return dict(json.loads(archive.read(MODEL_FACTS)))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"model: {path} is no model of train_classifier ({error}).") from error


@dataclass(frozen=True)
class _Side:
    """What is known of a dataset's rows.

    Attributes:
        groups: each row's, as a number.
        truth: text, null where not known.
        labelled: whether the truth is known.
        size: how many independent rows it is worth, see ``effects.py``.
    """

    groups: Numbers
    truth: pa.ChunkedArray
    labelled: Numbers
    size: float

    def of(self, name: str) -> Numbers:
        """Whether each labelled row is of a class."""
        return np.asarray(pc.equal(self.truth, name).drop_null())


def _side(data: OpenDataset, target: str, group_column: str) -> _Side:
    group_column = group_column or str(data.facts.get("group_column", ""))
    groups, truth = np.arange(data.rows), pa.chunked_array([pa.nulls(data.rows, pa.string())])
    if group_column in data.schema.names:
        values = next(data.columns([group_column])).combine_chunks()
        groups = np.asarray(values.dictionary_encode(null_encoding="encode").indices)
    if target in data.schema.names:
        truth = next(data.columns([target])).cast(pa.string())
    size = data.rows**2 / (np.bincount(groups).astype(float) ** 2).sum()
    return _Side(groups, truth, np.asarray(truth.is_valid()), float(size))


def _to_compare(both: Sequence[OpenDataset], wanted: Sequence[str], without: set[str], found: Drift) -> list[str]:
    """Names of the columns.

    What only one of the two has is noted, or refused if it was named.
    """
    named = bool(wanted)
    if not named:
        wanted = list(dict.fromkeys(n for d in both for n in d.schema.names))
        without = without.union(*(marked(d.schema, mark) for d in both for mark in (IDENTIFIER, OUTCOME)))
    wanted = [n for n in wanted if n not in without]
    names = [n for n in wanted if all(n in d.schema.names for d in both)]
    if lost := [n for n in wanted if n not in names]:
        if named:
            raise InputError(f"not in both datasets: {', '.join(lost)}. Make both as the training data were made, or "
                             "leave these out with ignore_columns.")  # fmt: skip
        found.notes.append(f"Not in both, so not compared: {', '.join(lost)}.")
    if not names:
        raise InputError("there is no column to compare: reference and current data share none, or all are ignored.")
    for name in names:
        if len(kinds := _kinds(d.schema.field(name) for d in both)) > 1:
            raise InputError(f"column {name} is {' in one dataset and '.join(sorted(kinds))} in the other; read both "
                             "alike, or leave it out with ignore_columns.")  # fmt: skip
    return names


def _kinds(both: Any) -> set[str]:
    """Families of a column.

    Two where they differ; a column of nulls has none.
    """
    return {family(values.type) for values in both} - {"null"}


def _measured(
    part: str, name: str, both: Sequence[pa.ChunkedArray], is_category: bool, limit: float, sides: Sequence[_Side],
    words: Mapping[str, str],
) -> ColumnDrift:  # fmt: skip
    """Hold a column against its limit.

    Missing values are a bin of their own.
    """
    kind, sizes = min(_kinds(both), default="null"), [s.size for s in sides]
    if comparable := kind in distance.FAMILIES:
        both = [v if pa.types.is_null(v.type) else distance.FAMILIES[kind][1](v) for v in both]
    missing, rows = np.array([v.null_count for v in both]), np.array([len(v) for v in both])
    reference, current = (missing / rows).tolist()
    pair, bins = ColumnPair(name, missing=(reference, current)), (rows - missing)[:, None]
    if comparable and bins.all():
        values, counts = distance.counted(*both)
        pair, bins = distance.compare_values(pair, kind, is_category, values, counts, min(sizes))
    names = [words.get(code, code) for code, *_ in pair.shares] or ["known"]
    bins = np.column_stack([bins, missing])
    if not pair.quantiles:
        p, q = bins / rows[:, None]
        shares = [s for s in zip([*names, "missing"], p.tolist(), q.tolist(), strict=True) if s[1] or s[2]]
        pair = replace(pair, shares=shares, distance=float(abs(p - q).sum() / 2))
    return hold(part, pair, bins[:, bins.any(axis=0)], sizes, limit)


def _compare_scores(predictions: Sequence[OpenDataset], facts: Facts, sides: Sequence[_Side], found: Drift) -> None:
    """The probability of one class, and how well it tells that class.

    It is the class with the least mean probability in the reference.
    """
    for data, source in zip(predictions, found.made_from.values(), strict=True):
        if data.facts.get("made_from", {}).get("data") != source or "probability_columns" not in data.facts:
            raise InputError(f"{data.name}: these are not predict_batch's predictions for the data beside them.")
    if len(models := {d.facts["made_from"]["model"] for d in predictions}) > 1:
        raise InputError(f"the predictions are of two models ({', '.join(sorted(models))}); take those of one.")
    told = predictions[0].facts
    if any(d.facts.get("class_shares") != told.get("class_shares") for d in predictions):
        raise InputError("the predictions were corrected for different class shares, which moves all scores; compare "
                         "those of predict_batch without class_shares.")  # fmt: skip
    columns = {told["mean_probability"][name]: (name, column) for column, name in told["probability_columns"].items()}
    found.positive_class, column = columns[min(columns)]
    values = [next(data.columns([column])) for data in predictions]
    scored = [(np.asarray(v), s, s.of(found.positive_class)) for v, s in zip(values, sides, strict=True)]
    areas = [
        area(is_class, v[s.labelled], s.groups[s.labelled]) if is_class.any() and not is_class.all() else None
        for v, s, is_class in scored
    ]
    if told["training_data"] == found.made_from["reference"]:
        found.notes.append("The reference is what the model learned from, where its scores are what it remembers: "
                           "they are not compared. Take rows that it has not seen as reference.")  # fmt: skip
        known = facts.get("out_of_fold", {}).get("roc_auc")  # of two classes it is the same for both
        areas[0] = None
        if known and len(columns) == 2:
            areas[0] = known, 0.0
            found.notes.append("Its ROC-AUC is the one that training measured out of fold, taken as exact.")
    else:
        name, limit = f"probability of {found.positive_class}", found.limits.max_score_psi
        found.columns.append(_measured("score", name, values, False, limit, sides, {}))
        found.figures["mean_probability"] = Figure(*(mean(v, s.groups) for v, s, _ in scored))
    both = [a for a in areas if a]
    if len(both) == 2:
        found.figures["roc_auc"] = Figure(*both)
