"""A model card: what a model is, what it is for, how good it is and where its limits are.

Sections after Mitchell et al. (2019), Model Cards for Model Reporting.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from roadsafety_components.core import stats19_limits
from roadsafety_components.core.document import bullets, document, to_html, within
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.markdown import plain, table
from roadsafety_components.core.page import page, words
from roadsafety_components.core.store import Facts, facts_of
from roadsafety_components.core.truth import doubts

_FIGURES = ("part", "group", "model", "figure", "value", "low", "high", "rows")
_IMPORTANCE = ("column", "importance", "low", "high", "meaning")
_BETTER = {"log_loss": "lower", "brier": "lower", "calibration_error": "lower", "calibration_slope": "nearer to 1"}
_LEADING = 15  # columns told of those that the model leans on


@dataclass(frozen=True)
class Said:
    """What only people know: texts of a card. Empty ones are left out."""

    title: str = ""
    intended_use: str = ""
    not_for: Sequence[str] = ()
    limits: Sequence[str] = ()
    data_licence: str = ""
    model_licence: str = ""
    contact: str = ""


def model_card(
    facts: Facts,
    results: pa.Table,
    said: Said,
    subgroups: pa.Table | None = None,
    importance: pa.Table | None = None,
    decision_record: str = "",
) -> tuple[str, str]:
    """Write the card of a model, the same for the same inputs.

    Args:
        facts: the model's, from ``read_model``.
        results: figures table of evaluate_classifier.
        said: the texts.
        subgroups: figures table of evaluate_subgroups.
        importance: table of explain_classifier.
        decision_record: Markdown of compare_classifiers.

    Returns:
        Markdown, and the same as a self-contained page. All data and texts in them are escaped.

    Raises:
        InputError: a table without the columns that are told of, or made of another model than this.
    """
    _check(facts, results, "results", _FIGURES)
    if subgroups is not None:
        _check(facts, subgroups, "subgroup_results", _FIGURES)
    if importance is not None:
        _check(facts, importance, "importance", _IMPORTANCE)
    if decision_record and facts.get("sha256", "") not in decision_record:
        raise InputError(f"decision_record does not name this model's file ({facts['sha256']}): it is about others. "
                         "Give the record of a comparison with this model.")  # fmt: skip
    title, warnings = said.title or f"Model card: {_what(facts)}", _warnings(facts, results)
    told = [r for r in results.to_pylist() if r["part"] == "test"]
    judged = [] if subgroups is None else subgroups.to_pylist()
    body = document([
        plain(_summary(facts, told)),
        "## Model details", _details(facts, said),
        "## Intended use", plain(said.intended_use),
        "### Not for", bullets(map(plain, [*said.not_for, *stats19_limits.not_for(facts)])),
        "## Training data", *_training(facts),
        "## Evaluation data", *_evaluation(facts, results, told),
        "## Figures", *_figures(told),
        "### By subgroup", *_subgroups(judged),
        "## What the model leans on", *_leaning(importance),
        "## Features", plain(", ".join(facts["features"])),
        "## Ethical considerations and limits", bullets(map(plain, _limits(facts, said, judged))),
        "## Decision record", within(decision_record),
        "## Licences", bullets(map(plain, _licences(facts, said))),
        "## Versions and digests", _digests(facts, results),
    ])  # fmt: skip
    text = document([f"# {plain(title)}", *(f"> {plain(w)}" for w in warnings), body])
    return text, page(title, warnings, to_html(body))


def _check(facts: Facts, given: pa.Table, name: str, columns: Iterable[str]) -> None:
    if lost := [c for c in columns if c not in given.column_names]:
        raise InputError(f"{name} has no column {', '.join(lost)}; it has {', '.join(given.column_names)}. Give the "
                         "output of the step that makes it.")  # fmt: skip
    made_from = _made_from(given, "model")
    if made_from and made_from != facts.get("sha256"):
        raise InputError(f"{name} is about another model ({made_from}) than this ({facts.get('sha256')}); give what "
                         "was made with this one.")  # fmt: skip


def _made_from(given: pa.Table, what: str) -> str:
    """Digest of what a table was made from, as far as it tells."""
    return str(facts_of(given).get("made_from", {}).get(what, ""))


def _what(facts: Facts) -> str:
    return f"{facts['target_column']} by {words(facts.get('algorithm', 'a classifier'))}"


def _warnings(facts: Facts, results: pa.Table) -> list[str]:
    tested = _made_from(results, "test_data")
    told = doubts(facts, {"sha256": tested} if tested else {})
    if leaks := facts.get("suspected_leaks"):
        names = ", ".join(f"{n} ({auc:.3f})" for n, auc in leaks.items())
        told.append(f"POSSIBLE LEAK: features that tell the class by themselves, with their ROC-AUC: {names}.")
    return told


def _summary(facts: Facts, told: list[dict[str, Any]]) -> str:
    values = {(r["model"], r["figure"]): r for r in told}
    text = f"Tells {facts['target_column']} ({', '.join(facts['classes'])}) of a {facts.get('unit', 'row')}."
    shown = [
        f"{words(name)} {_range(row)}" + (f", no skill {values['no skill', name]['value']:.3f}"
                                          if ("no skill", name) in values else "")
        for name in ("roc_auc", "average_precision", "balanced_accuracy") if (row := values.get(("model", name)))
    ]  # fmt: skip
    return f"{text} On {told[0]['rows']:,} rows that it has not seen: {'; '.join(shown)}." if shown else text


def _details(facts: Facts, said: Said) -> str:
    threshold = facts.get("threshold")
    answer = "the likeliest class"
    if threshold:
        answer = (f"{threshold['positive_class']} from a probability of {threshold['value']:.4f} on, chosen for "
                  f"{threshold['chosen_for']}: on held-out training rows recall {threshold['recall']:.3f}, precision "
                  f"{threshold['precision']:.3f}")  # fmt: skip
    held_out = {n: v for n, v in facts.get("out_of_fold", {}).items() if not isinstance(v, (dict, list))}
    return _table([
        ("algorithm", words(facts.get("algorithm", ""))),
        ("settings", facts.get("parameters")),
        ("classes", facts["classes"]),
        ("answer", answer),
        ("features", str(len(facts["features"]))),
        ("on held-out training rows", held_out),
        ("contact", said.contact),
    ])  # fmt: skip


def _training(facts: Facts) -> list[str]:
    counts, rows = facts.get("class_counts", {}), facts.get("training_rows", 0)
    shares = [f"{n} {count:,} ({count / (rows or 1):.1%})" for n, count in counts.items()]
    out: dict[str, list[str]] = {}
    for name, reason in (facts.get("features_left_out", {}) | facts.get("columns_left_out", {})).items():
        out.setdefault(str(reason), []).append(name)
    left_out = [f"{plain(reason)}: {plain(', '.join(names))}" for reason, names in sorted(out.items())]
    return [
        _table([
            ("rows", f"{rows:,}" if rows else ""),
            ("classes", shares),
            ("unit", facts.get("unit")),
            ("years", facts.get("years")),
            ("the model may know", stats19_limits.KNOWN_AT.get(facts.get("known_at", ""), facts.get("known_at"))),
            ("groups kept whole", facts.get("group_column")),
            ("digest", facts.get("training_data")),
        ]),
        "### Left out, and why", bullets(left_out),
    ]  # fmt: skip


def _evaluation(facts: Facts, results: pa.Table, told: list[dict[str, Any]]) -> list[str]:
    known = facts_of(results)
    return [_table([
        ("rows", f"{told[0]['rows']:,}" if told else ""),
        ("split", facts.get("split")),
        ("positive class", known.get("positive_class")),
        ("digest", _made_from(results, "test_data")),
    ])]  # fmt: skip


def _figures(told: list[dict[str, Any]]) -> list[str]:
    if not told:
        return []
    models = _seen(told, "model")
    values = {(r["figure"], r["model"]): _range(r) for r in told}
    rows = [
        (words(n) + (f" ({_BETTER[n]} is better)" if n in _BETTER else ""), *(values.get((n, m), "") for m in models))
        for n in _seen(told, "figure")
    ]  # fmt: skip
    intervals = "In brackets 95 % intervals. " if any(r["low"] is not None for r in told) else ""
    skill = "No skill gives every row the test's class shares." if "no skill" in models else ""
    return [(intervals + skill).strip(), table(["figure", *models], rows)]


def _subgroups(judged: list[dict[str, Any]]) -> list[str]:
    blocks = []
    for part in _seen(judged, "part"):
        mine = [r for r in judged if r["part"] == part and r["model"] == "model" and part != "test"]
        names = _seen(mine, "figure")
        values = {(r["group"], r["figure"]): _range(r) for r in mine}
        sizes = {r["group"]: f"{r['rows']:,}" for r in mine}
        if mine:
            rows = [(g, n, *(values.get((g, f), "") for f in names)) for g, n in sizes.items()]
            blocks += [f"#### {plain(words(part))}", table([words(part), "rows", *map(words, names)], rows)]
    return blocks


def _leaning(importance: pa.Table | None) -> list[str]:
    if importance is None:
        return []
    figure = words(facts_of(importance).get("figure", "the figure"))
    leading = sorted(importance.to_pylist(), key=lambda r: -r["importance"])[:_LEADING]
    meant = any(r["meaning"] for r in leading)
    return [
        f"What a shuffle of the column costs in {plain(figure)}. This is association in the data, not cause: what the "
        "model leans on need not be what makes the outcome, and columns that go together share the credit.",
        table(["column", "importance", *["meaning"] * meant],
              [(words(r["column"]), _range(r, "importance", 4), *[r["meaning"] or ""] * meant) for r in leading]),
    ]  # fmt: skip


def _limits(facts: Facts, said: Said, judged: list[dict[str, Any]]) -> list[str]:
    told = [*said.limits, *stats19_limits.limits(facts)]
    told.append("What the model has learned is association, not cause; and it holds for rows like those that it was "
                "trained and tested on.")  # fmt: skip
    if not judged:
        told.append("How good the model is for subgroups was not measured.")
    return told


def _licences(facts: Facts, said: Said) -> list[str]:
    data = said.data_licence or stats19_limits.licence(facts)
    return [f"{what}: {text}" for what, text in (("Data", data), ("Model", said.model_licence)) if text]


def _digests(facts: Facts, results: pa.Table) -> str:
    return _table([
        ("model file", facts.get("sha256")),
        ("training data", facts.get("training_data")),
        ("test data", _made_from(results, "test_data")),
        *facts.get("versions", {}).items(),
    ])  # fmt: skip


def _seen(rows: list[dict[str, Any]], key: str) -> list[str]:
    """Values of a column in the order of their first row."""
    return list(dict.fromkeys(r[key] for r in rows))


def _range(row: Mapping[str, Any], key: str = "value", digits: int = 3) -> str:
    """A figure with its interval, where it has one."""
    if row[key] is None:
        return ""
    limits = "" if row["low"] in (None, row["high"]) else f" ({row['low']:.{digits}f} to {row['high']:.{digits}f})"
    return f"{row[key]:.{digits}f}{limits}"


def _table(rows: Iterable[tuple[str, Any]]) -> str:
    """Facts by name; those that nobody knows are left out."""
    told = [(name, text) for name, value in rows if (text := _told(value))]
    return table(["", ""], told) if told else ""


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{words(str(n))} {text}" for n, v in value.items() if (text := _told(v)))
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_told, value))
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
