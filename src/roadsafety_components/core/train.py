"""A classifier for any table and any target column."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import sklearn
from sklearn import metrics as sk
from sklearn.pipeline import Pipeline

from roadsafety_components.core.errors import InputError, nearest
from roadsafety_components.core.estimators import Columns, Settings
from roadsafety_components.core.folds import OutOfFold, Rows, fit, grouped_folds, out_of_fold
from roadsafety_components.core.leaks import SUSPECT_AUC, leak_warnings, single_feature_auc
from roadsafety_components.core.store import IDENTIFIER, Facts, facts_of, marked, with_facts
from roadsafety_components.core.training_rows import check_target, group_column_of, rows_of

# What tells a model's rows out of fold from another's of the same data.
OF_A_MODEL = ("algorithm", "parameters", "features", "classes")
# Facts of the training data that a reader of the model should know.
_KEPT_FACTS = ("unit", "target", "known_at", "codes", "cell_km", "years", "generation", "synthetic", "split",
               "target_shares", "columns_left_out")  # fmt: skip


def train_classifier(
    table: pa.Table,
    target_column: str,
    settings: Settings | None = None,
    exclude_columns: Sequence[str] = (),
    group_column: str = "",
    folds: int = 5,
    ordered_classes: Sequence[str] = (),
    monotonic: Mapping[str, float] | None = None,
    weight_column: str = "",
) -> tuple[Pipeline, Facts, pa.Table]:
    """Fit a classifier on every column that is a feature.

    Categories (text, and columns marked CATEGORY) of more than 100 values, such as cells of a grid, are given as the
    class shares of their rows in other folds, shrunk to the mean (Micci-Barreca 2001); fewer are codes.

    Args:
        table: training rows. Features are all columns of numbers, booleans or text but the target, those marked
            IDENTIFIER in the file and ``exclude_columns``. Missing values are allowed in features.
        target_column: the classes; text, booleans or whole numbers.
        settings: of the algorithm, defaults if None. ``n_estimators`` is the number of trees, or the most rounds of
            boosting; 0 for ``max_depth`` is no limit, for ``max_features`` the algorithm's own share.
        exclude_columns: no features.
        group_column: rows with one value of it stay on one side of every fold; "" for the one that the facts of the
            data name, else each row is its own.
        folds: how many, to judge every row by a model that has not seen its group, and to give boosting the rounds with
            the least log loss on such rows; 0 for none, and all rounds.
        ordered_classes: all from the least to the most, see ``ordinal.OrdinalClassifier``.
        monotonic: 1 or -1 by feature: the rarer of two classes (the classes further on, in an order) never gets less
            likely, or never more likely, with it; for boosting.
        weight_column: what each row counts.

    Returns:
        A fitted scikit-learn Pipeline (steps ``encode`` and ``classify``) that takes ``to_frame(table, features)``; its
        facts: features, classes, class counts, parameters, figures out of fold, suspected leaks, versions, digest
        of the training data; and the rows out of fold: identifiers, target, weight, ``fold`` and
        ``probability_<class>`` for each class, no rows without folds.

    Raises:
        InputError: a parameter out of range, the target missing, empty in places or with one class, no feature, an
            infinite number, too few groups for the folds.
    """
    settings, monotonic = settings or Settings(), monotonic or {}
    classes = check_target(table, target_column)
    group_column = group_column_of(table, group_column)
    kept = list(dict.fromkeys([*marked(table, IDENTIFIER), target_column, *filter(None, [weight_column])]))
    _check_names(target_column, group_column, weight_column, kept, classes)
    rows, columns, left_out = rows_of(table, target_column, exclude_columns, group_column, weight_column)
    counts = {c: int((rows.y == c).sum()) for c in classes}
    order = [str(c) for c in ordered_classes]
    if order and sorted(order) != classes:
        raise InputError(f"ordered_classes is {', '.join(order)}; it names each class once: {', '.join(classes)}, from "
                         "the least to the most.")  # fmt: skip
    columns = replace(columns, monotonic=_signs(columns, settings, monotonic, counts, order))
    held = None
    if folds:
        sides = grouped_folds(rows.y, rows.groups, folds, settings.seed)
        held = out_of_fold(rows, settings, columns, order, sides)
        settings = replace(settings, n_estimators=held.rounds or settings.n_estimators)
    model = fit(rows, settings, columns, order)
    alone = single_feature_auc(rows, columns.categories)
    for warning in leak_warnings(alone):
        print(f"WARNING: {warning}")
    facts = {k: v for k, v in facts_of(table).items() if k in _KEPT_FACTS}
    facts |= {
        "algorithm": settings.algorithm,
        "parameters": settings.told()
        | {"ordered_classes": order, "monotonic": dict(monotonic), "weight_column": weight_column},
        "features": columns.features,
        "text_features": columns.text,
        "share_features": columns.many,
        "features_left_out": left_out,
        "target_column": target_column,
        "group_column": group_column,
        "classes": classes,
        "class_counts": counts,
        "out_of_fold": _figures(held.probabilities, rows, counts) | {"folds": int(folds)} if held else {},
        "single_feature_auc": alone,
        "suspected_leaks": {n: v for n, v in alone.items() if v > SUSPECT_AUC},
        "training_rows": table.num_rows,
        "training_data": facts_of(table).get("sha256", ""),
        "versions": {"scikit-learn": sklearn.__version__, "pyarrow": pa.__version__},
    }  # fmt: skip
    return model, facts, _held_rows(table.select(kept), facts, held)


def _check_names(target: str, group: str, weight: str, kept: list[str], classes: list[str]) -> None:
    for name, value in (("group_column", group), ("weight_column", weight)):
        if value == target:
            raise InputError(f"{name} is {value}, which is the target.")
    if taken := {"fold", *(f"probability_{c}" for c in classes)} & {*kept}:
        raise InputError(f"column {min(taken)} has a name that the rows out of fold need; rename it.")


def _held_rows(rows: pa.Table, facts: Facts, held: OutOfFold | None) -> pa.Table:
    rows = rows.slice(0, None if held else 0)
    fold, given = (held.fold, held.probabilities) if held else ([], np.empty((0, len(facts["classes"]))))
    rows = rows.append_column("fold", pa.array(fold, pa.int16()))
    for i, name in enumerate(facts["classes"]):
        rows = rows.append_column(f"probability_{name}", pa.array(given[:, i]))
    return with_facts(rows, {"made_from": {"data": facts["training_data"]}} | {n: facts[n] for n in OF_A_MODEL})


def _signs(
    columns: Columns, settings: Settings, wanted: Mapping[str, float], counts: Mapping[str, int], order: list[str]
) -> dict[str, int]:
    """Of monotonic features, by the second class, or by the classes further on, as boosting wants them."""
    if wanted and (settings.algorithm != "hist_gradient_boosting" or not (order or len(counts) == 2)):
        raise InputError("monotonic is for hist_gradient_boosting, of two classes or with ordered_classes.")
    for name, sign in wanted.items():
        if name not in columns.features or name in columns.categories:
            raise InputError(f"monotonic names {name!r}, which is no feature with an order of its values."
                             f"{nearest(str(name), columns.features)}")  # fmt: skip
        if sign not in (1, -1):
            raise InputError(f"monotonic of {name} is {sign}; it is 1 (rises) or -1 (falls).")
    first, second, *_ = counts.values()
    return {name: int(sign) * (1 if order or second < first else -1) for name, sign in wanted.items()}


def _figures(given: Any, rows: Rows, counts: Mapping[str, int]) -> Facts:
    """Of two classes about the rarer, of more the means over them."""
    classes, rarest = list(counts), list(counts.values()).index(min(counts.values()))
    scored = [rarest] if len(classes) == 2 else list(range(len(classes)))
    is_class, score = np.stack([rows.y == classes[i] for i in scored], axis=1), given[:, scored]
    how = {"sample_weight": rows.weights}
    found = {
        "roc_auc": sk.roc_auc_score(is_class, score, **how),
        "average_precision": sk.average_precision_score(is_class, score, **how),
        "brier": sk.brier_score_loss(rows.y, given, labels=classes, **how),
        "log_loss": sk.log_loss(rows.y, given, labels=classes, **how),
    }
    return {name: float(value) for name, value in found.items()}
