"""An evaluation as one HTML page that needs nothing beside itself."""

from html import escape
from typing import Any

from roadsafety_components.core.evaluate import DEFINITIONS, DIFFERENCE, Evaluation
from roadsafety_components.core.page import drawing, new_figure, page, table, words
from roadsafety_components.core.results import shown


def evaluation_report(evaluation: Evaluation) -> str:
    """Write an evaluation as a page for people, the same for the same evaluation.

    Returns:
        HTML with style and pictures (SVG) inside, no script, and what comes from data escaped.
    """
    e, model, blind = evaluation, evaluation.model_facts, evaluation.figures["no skill"]
    rows, trained = e.rows, model["class_counts"]
    title = f"Evaluation: {e.target_column} by {model['algorithm'].replace('_', ' ')}"
    drawn = [e.positive_class] if len(e.classes) == 2 else list(e.curves)[:4]
    scores = ["precision", "recall", "f1", "roc_auc", "average_precision"]

    def lines(score: str, x: str, y: str) -> Any:
        return [(f"{e.per_class[c][score]:.3f} {c}", e.curves[c][x], e.curves[c][y]) for c in drawn]

    return page(title, e.warnings, [
        f"<p><b>{escape(_verdict(e))}</b>",
        table(f"{rows:,} test rows. No skill: every row gets the test's class shares, so the answer is always "
              f"{e.majority_class}.", ["figure", *map(words, e.figures), "meaning"],
              [(words(n), *(shown(f.get(n, ()), m == DIFFERENCE) for m, f in e.figures.items()), text)
               for n, text in DEFINITIONS.items() if n in e.figures["model"]]),
        *(f"<p>{escape(n)}" for n in e.notes),
        f"<p>Micro-F1 is the accuracy, and flatters: always {escape(e.majority_class)} scores "
        f"{blind['micro_f1'][0]:.3f}. Macro-F1 weighs all classes alike and gives that {blind['macro_f1'][0]:.3f}.",
        "<h2>Confusion matrix</h2>",
        table("Share and number of a true class's rows",
              ["true class", *(f"answer {c}" for c in e.classes)],
              [(c, *((n, sum(row)) for n in row)) for c, row in zip(e.classes, e.confusion, strict=True)]),
        "<h2>Classes</h2>",
        table("No skill: ROC-AUC 0.5, average precision the share of the test rows",
              ["class", "training rows", "test rows", *map(words, scores)],
              [(c, (trained.get(c, 0), sum(trained.values())), (int(s["support"]), rows),
                *(s.get(n, "none") for n in scores)) for c, s in e.per_class.items()]),
        f"<h2>Probabilities: {escape(', '.join(drawn))}</h2>",
        "<p>Grey: no skill (ROC curve), right probabilities (calibration).",
        '<div class="charts">',
        _chart("ROC curve", "share of others called so", "share found (recall)", lines("roc_auc", "fpr", "tpr")),
        _chart("Precision and recall", "share found (recall)", "share right (precision)",
               lines("average_precision", "recall", "precision"), 0),
        *(_calibration(e, c) for c in drawn),
        "</div><h2>The model</h2>", _facts(model),
        "<h2>The test data, where it differs</h2>",
        _facts({k: v for k, v in e.data_facts.items() if model.get(k) != v}),
    ])  # fmt: skip


def _verdict(e: Evaluation) -> str:
    (balanced, chance), (right, blind) = (
        [e.figures[m][n][0] for m in ("model", "no skill")] for n in ("balanced_accuracy", "accuracy")
    )
    way, auc = (balanced - chance) / (1 - chance), e.figures["model"]["roc_auc"][0]
    how = "hardly" if way < 0.1 else "weakly" if way < 0.3 else "partly" if way < 0.6 else "clearly"
    text = f"The model's answers {how} separate the classes: balanced accuracy {balanced:.3f} (chance {chance:.3f}), "
    return text + f"accuracy {right:.3f} (always {e.majority_class}: {blind:.3f}), ROC-AUC {auc:.3f} (0.500)."


def _facts(facts: Any) -> str:
    return table("", [], [(words(name), value) for name, value in facts.items()])


def _calibration(e: Evaluation, name: str) -> str:
    title, rows = f"Calibration: {name}", e.histogram[name]
    given, seen, sizes = zip(*e.calibration[name], strict=True)
    figure = new_figure(4, 5)
    above, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    above.plot([0, most := max(given + seen)], [0, most], "#999999")
    above.plot(given, seen, "C0-o", label=f"{len(sizes)} bins of {int(min(sizes)):,} rows or more")
    above.set(title=title, ylabel="share observed")
    below.stairs(rows, [i / len(rows) for i in range(len(rows) + 1)], fill=True)
    below.set(xlabel="probability", ylabel="rows")
    figure.legend(loc="outside lower center")
    return drawing(title, figure)


def _chart(title: str, x_label: str, y_label: str, lines: Any, diagonal: float = 1) -> str:
    figure = new_figure()
    axes = figure.subplots()
    axes.plot([0, diagonal], [0, diagonal], "#999999")
    for (name, x, y), style in zip(lines, ("C0-", "C3--", "C2-.", "C4:"), strict=False):
        axes.plot(x, y, style, label=name)
    axes.set(title=title, xlabel=x_label, ylabel=y_label)
    figure.legend(loc="outside lower center")
    return drawing(title, figure)
