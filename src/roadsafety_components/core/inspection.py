"""A classifier's answers looked at: what recall costs at each threshold, and the errors it is surest of."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pyarrow as pa

from roadsafety_components.core.code_words import in_words
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.page import page, words
from roadsafety_components.core.page import table as page_table
from roadsafety_components.core.predict import answers, check_features, probabilities
from roadsafety_components.core.store import IDENTIFIER, Facts, facts_of, marked
from roadsafety_components.core.truth import doubts, true_classes

_RECALLS = (0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
_ERRORS, _COLUMNS = 10, 6


@dataclass(frozen=True)
class Inspection:
    """Plain values.

    Attributes:
        positive_class: of two classes; or empty.
        thresholds: of two classes, by what is aimed at: threshold, recall, precision, share of the rows called
            positive, false alarms for each row found.
        errors: by true class the rows answered otherwise to which the model gave it least: identifiers, answer,
            probability of the true class, some columns in words.
    """

    target_column: str
    positive_class: str
    rows: int
    thresholds: dict[str, tuple[float, ...]]
    errors: dict[str, list[dict[str, Any]]]
    model_facts: Facts
    warnings: list[str]


def inspect_answers(
    model: Any,
    facts: Facts,
    table: pa.Table,
    target_column: str = "",
    positive_class: str = "",
    labels: Mapping[str, Mapping[str, str]] | None = None,
) -> Inspection:
    """Look at a model's answers on rows it has not seen.

    Args:
        model: from ``read_model``.
        facts: the model's.
        table: test rows.
        target_column: "" for the model's own.
        positive_class: of two, "" for the rarer in the test.
        labels: column, code, words; errors show these columns first, six in all, then features.

    Raises:
        InputError: as ``evaluate_classifier``.
    """
    classes, target_column = facts["classes"], target_column or facts["target_column"]
    truth = true_classes(table, target_column, classes)
    if positive_class not in ["", *classes]:
        raise InputError(f"positive_class is {positive_class!r}; the classes are {', '.join(classes)}.")
    check_features(facts, table.schema, "test table")
    given = probabilities(model, facts, table)
    called, costs = answers(given, facts), {}
    if len(classes) == 2:
        positive_class = positive_class or classes[np.bincount(truth, minlength=2).argmin()]
        positive, own = classes.index(positive_class), facts.get("threshold") or {}
        limit = own.get("value", 0.5)
        limit = limit if own.get("positive_class", positive_class) == positive_class else 1 - limit
        costs = _thresholds(truth == positive, given[:, positive], called == positive, limit)
    else:
        positive_class = ""
    shown = [c for c in dict.fromkeys([*(labels or {}), *facts["features"]]) if c in table.column_names][:_COLUMNS]
    keys, errors = marked(table, IDENTIFIER), {}
    for i, name in sorted(enumerate(classes), key=lambda c: c[1] != positive_class):
        wrong = np.flatnonzero((truth == i) & (called != i))
        worst = wrong[np.argsort(given[wrong, i], kind="stable")[:_ERRORS]]
        errors[name] = [
            {"row": ", ".join(str(row[k]) for k in keys) or str(at), "answer": classes[called[at]],
             f"probability of {name}": float(given[at, i])}
            | {c: in_words(row[c], (labels or {}).get(c, {})) for c in shown}
            for at, row in zip(worst.tolist(), table.take(worst).to_pylist(), strict=True)
        ]  # fmt: skip
    return Inspection(
        target_column, positive_class, len(truth), costs, errors, facts, doubts(facts, facts_of(table))
    )  # fmt: skip


def inspection_report(inspection: Inspection) -> str:
    """Write an inspection as a page for people, the same for the same inspection.

    Returns:
        HTML with its style inside, no script, and what comes from data escaped.
    """
    i, body = inspection, [f"<p>{inspection.rows:,} test rows."]
    if i.thresholds:
        body += [f"<h2>What finding {escape(i.positive_class)} costs</h2>", page_table(
            f"Rows are called {i.positive_class} from a threshold of its probability on. Choose one on other rows than "
            "the test's.",
            ["aim", "threshold", "recall", "precision", "rows called so", "false alarms for each found"],
            [(n, t, recall, precision, f"{called:.1%}", alarms)
             for n, (t, recall, precision, called, alarms) in i.thresholds.items()],
        )]  # fmt: skip
    body += [
        f"<h2>{escape(name)}, called otherwise</h2>" + page_table(
            f"Those first to which the model gives the least probability of {name}",
            list(map(words, errors[0])), [list(error.values()) for error in errors],
        ) for name, errors in i.errors.items() if errors
    ]  # fmt: skip
    title = f"Answers: {i.target_column} by {i.model_facts['algorithm'].replace('_', ' ')}"
    return page(title, i.warnings, body)


def _thresholds(is_class: Any, given: Any, called: Any, limit: float) -> dict[str, tuple[float, ...]]:
    found = np.sort(given[is_class])[::-1]
    flagged: dict[str, tuple[float, Any]] = {}
    for recall in _RECALLS:
        least = found[int(np.ceil(round(recall * len(found), 6))) - 1]
        flagged[f"recall {recall:.0%}"] = least, given >= least
    flagged["the model's answers"] = limit, called
    costs = {}
    for name, (least, rows) in flagged.items():
        hits, number = (is_class & rows).sum(), rows.sum()
        cost = hits / len(found), hits / max(number, 1), number / len(given), (number - hits) / max(hits, 1)
        costs[name] = float(least), *map(float, cost)
    return costs
