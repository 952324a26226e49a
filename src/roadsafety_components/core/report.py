"""An evaluation as one HTML page that needs nothing beside itself."""

import io
from html import escape
from typing import Any

from roadsafety_components.core.evaluate import DEFINITIONS, Evaluation

_STYLE = """body{font:1em/1.5 sans-serif;color:#111;background:#fff;max-width:62em;margin:auto;padding:1em}
.warning{background:#fff1cc;border:3px solid #8a4b00;padding:.7em;font-weight:700}
[tabindex]{overflow-x:auto}table{border-collapse:collapse}caption,th,td{text-align:left;vertical-align:top}
th,td{padding:.3em .5em;border-bottom:1px solid #bbb}th+td:last-child{overflow-wrap:anywhere}small{display:block}
tr>th:first-child{white-space:nowrap}.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(18em,1fr))}figure{margin:0;break-inside:avoid}"""


def evaluation_report(evaluation: Evaluation) -> str:
    """Write an evaluation as a page for people, the same for the same evaluation.

    Returns:
        HTML with style and pictures (SVG) inside, no script, and what comes from data escaped.
    """
    e, model, blind = evaluation, evaluation.model_facts, evaluation.baseline
    rows, trained = int(e.metrics["rows"]), model["class_counts"]
    title = f"Evaluation: {e.target_column} by {model['algorithm'].replace('_', ' ')}"
    drawn = [e.positive_class] if len(e.classes) == 2 else list(e.curves)[:4]
    scores = ["precision", "recall", "f1", "roc_auc", "average_precision"]

    def lines(score: str, x: str, y: str) -> Any:
        return [(f"{e.per_class[c][score]:.3f} {c}", e.curves[c][x], e.curves[c][y]) for c in drawn]

    return "\n".join([
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>',
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style><h1>{escape(title)}</h1>',
        *(f'<p class="warning">{escape(w)}' for w in e.warnings),
        f"<p><b>{escape(_verdict(e))}</b>",
        _table(f"{rows:,} test rows. No skill: every row is given the test's class shares, so the answer is always "
               f"{e.majority_class}.", ["figure", "model", "no skill", "meaning"],
               [(_label(n), e.metrics[n], blind[n], text) for n, text in DEFINITIONS.items()]),
        *(f"<p>{escape(n)}" for n in e.notes),
        "<p>Micro-F1 is often published, and it flatters: it is the accuracy, and answering always "
        f"{escape(e.majority_class)} already scores {blind['micro_f1']:.3f}. Macro-F1 weighs all classes alike and "
        f"gives that answer {blind['macro_f1']:.3f}.",
        "<h2>Confusion matrix</h2>",
        _table("Share (and number) of a true class's rows that got the answer",
               ["true class", *(f"answer {c}" for c in e.classes)],
               [(c, *((n, sum(row)) for n in row)) for c, row in zip(e.classes, e.confusion, strict=True)]),
        "<h2>Classes</h2>",
        _table("Without skill the ROC-AUC is 0.5 and the average precision is the share of the test rows.",
               ["class", "training rows", "test rows", *map(_label, scores)],
               [(c, (trained.get(c, 0), sum(trained.values())), (int(s["support"]), rows),
                 *(s.get(n, "none") for n in scores)) for c, s in e.per_class.items()]),
        f"<h2>Probabilities: {escape(', '.join(drawn))}</h2>",
        "<p>Grey lines: no skill in the ROC curve, probabilities that come true in the calibration.",
        '<div class="charts">',
        _chart("ROC curve", "share of other rows called so", "share found (recall)", lines("roc_auc", "fpr", "tpr")),
        _chart("Precision and recall", "share found (recall)", "share right (precision)",
               lines("average_precision", "recall", "precision"), 0),
        *(_calibration(c, *zip(*e.calibration[c], strict=True)) for c in drawn),
        "</div><h2>The model</h2>", _facts(model),
        "<h2>The test data, where it differs</h2>",
        _facts({k: v for k, v in e.data_facts.items() if model.get(k) != v}),
    ])  # fmt: skip


def _verdict(e: Evaluation) -> str:
    (balanced, chance), (right, blind) = ((e.metrics[n], e.baseline[n]) for n in ("balanced_accuracy", "accuracy"))
    way, auc = (balanced - chance) / (1 - chance), e.metrics["roc_auc"]
    how = "hardly" if way < 0.1 else "weakly" if way < 0.3 else "partly" if way < 0.6 else "clearly"
    text = f"The model's answers {how} separate the classes: balanced accuracy {balanced:.3f} (chance {chance:.3f}), "
    return text + f"accuracy {right:.3f} (always {e.majority_class}: {blind:.3f}), ROC-AUC {auc:.3f} (0.500)."


def _table(caption: str, head: list[str], rows: Any) -> str:
    lines = ["".join(f"<th>{escape(h)}" for h in head)]
    lines += [f"<th>{escape(name)}{''.join(map(_td, cells))}" for name, *cells in rows]
    return f'<div tabindex="0"><table><caption>{escape(caption)}</caption><tr>{"<tr>".join(lines)}</table></div>'


def _facts(facts: Any) -> str:
    return _table("", [], [(_label(name), value) for name, value in facts.items()])


def _label(name: str) -> str:
    return name.replace("_", " ").replace("roc auc", "ROC-AUC").replace("f1", "F1")


def _td(value: Any) -> str:
    if isinstance(value, tuple):
        number, whole = value
        share = number / (whole or 1)
        return f'<td style="background:rgb(11 83 148/{share * 0.4:.2f})">{share:.1%}<small>{number:,}</small>'
    if isinstance(value, dict):
        value = [f"{k}: {v}" for k, v in value.items()]
    if not isinstance(value, list):
        return f"<td>{escape(f'{value:.3f}' if isinstance(value, float) else str(value))}"
    text = "<br>".join(escape(str(v)) for v in value)
    return f"<td>{text}" if len(value) < 9 else f"<td><details><summary>{len(value)} entries</summary>{text}</details>"


def _calibration(name: str, given: Any, seen: Any, rows: Any) -> str:
    line = f"{len(rows)} bins of {min(rows):,} rows or more", given, seen
    return _chart(f"Calibration: {name}", "mean probability given", "share observed", [line], max(given + seen), "o")


def _chart(title: str, x_label: str, y_label: str, lines: Any, diagonal: float = 1, marker: str = "") -> str:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # Ids that repeat from run to run, but not from picture to picture.
    with rc_context({"svg.hashsalt": title, "svg.fonttype": "none", "text.parse_math": False}):
        figure, text = Figure(figsize=(4, 4), layout="constrained"), io.StringIO()
        axes = figure.subplots()
        axes.plot([0, diagonal], [0, diagonal], "#999999")
        for (name, x, y), style in zip(lines, ("C0-", "C3--", "C2-.", "C4:"), strict=False):
            axes.plot(x, y, style + marker, label=name)
        axes.set(title=title, xlabel=x_label, ylabel=y_label)
        figure.legend(loc="outside lower center")
        figure.savefig(text, format="svg")
    drawing = text.getvalue().partition("</metadata>")[2]
    return f'<figure><svg role="img" aria-label="{escape(title)}" viewBox="0 0 288 288">{drawing}</figure>'
