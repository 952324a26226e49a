"""A classifier by subgroup as one HTML page that needs nothing beside itself."""

from collections.abc import Sequence
from html import escape

from roadsafety_components.core.page import drawing, new_figure, page, table, words
from roadsafety_components.core.results import Estimate, shown
from roadsafety_components.core.subgroups import FIGURES, JUDGED, Subgroup, Subgroups

_BARE = ("share", "mean_probability", "average_precision", "brier")  # the gap has limits; the others follow the share
_NAMED = 6  # subgroups in a sentence; the tables have all


def subgroups_report(subgroups: Subgroups) -> str:
    """Write the subgroups as a page for people, the same for the same subgroups.

    Returns:
        HTML with style and pictures (SVG) inside, no script, and what comes from data escaped.
    """
    s, whole = subgroups, subgroups.whole
    title = f"Subgroups: {s.positive_class} by {s.model_facts['algorithm'].replace('_', ' ')}"
    body = [
        *(f"<p><b>{escape(_sentence(s, figure))}</b>" for figure in JUDGED),
        *(f"<p>{escape(n)}" for n in s.notes),
        table(f"All {whole.rows:,} test rows. Positive class: {s.positive_class} (column {s.target_column})",
              ["figure", "value", "meaning"],
              [(words(n), shown(whole.figures.get(n, ()), n == "gap"), text) for n, text in FIGURES.items()]),
    ]  # fmt: skip
    for column in dict.fromkeys(p.column for p in s.parts):
        judged = [p for p in s.parts if p.column == column and p.figures]
        small = [f"{p.name} ({p.rows})" for p in s.parts if p.column == column and not p.figures]
        body.append(f"<h2>{escape(words(column))}</h2>")
        if judged:
            body += [_picture(s, column, judged), table("", ["subgroup", "rows", *map(words, FIGURES)], [
                (p.name, (p.rows, whole.rows), *(_cell(n, p.figures.get(n, ())) for n in FIGURES)) for p in judged
            ])]  # fmt: skip
        if small:
            body.append(f"<p>Too small to judge (fewer than {s.min_rows} rows): {escape(', '.join(small))}.")
    return page(title, s.warnings, body)


def _cell(name: str, estimate: Estimate) -> list[str]:
    """A figure, with its limits but for some: there is no room for all."""
    return shown(estimate[: 1 if name in _BARE else 3], name == "gap")


def _sentence(s: Subgroups, figure: str) -> str:
    """Which subgroups stand out in a figure, beyond what chance explains."""
    usual, what = s.usual(figure), "mean probability minus share" if figure == "gap" else words(figure)
    limited, found = [p for p in s.parts if len(p.figures.get(figure, ())) > 1], s.outstanding(figure)
    if not limited:
        return f"No subgroup has an interval of its {what}."
    if not found:
        return f"No subgroup's {what} differs from {usual:.3f} beyond its interval."
    told = []
    for side, there in (
        ("below", [p for p in found if p.figures[figure][0] < usual]),
        ("above", [p for p in found[::-1] if p.figures[figure][0] >= usual]),
    ):
        named = [f"{words(p.column)} {p.name} ({p.figures[figure][0]:.3f})" for p in there[:_NAMED]]
        more = f" and {len(there) - _NAMED} more" if len(there) > _NAMED else ""
        told += [f"{side} it: {', '.join(named)}{more}"] * bool(there)
    return (
        f"In {what} {len(found)} of {len(limited)} subgroups differ from {usual:.3f} beyond their intervals (chance "
        f"alone: about one in twenty); {'; '.join(told)}."
    )


def _picture(s: Subgroups, column: str, parts: Sequence[Subgroup]) -> str:
    """Dots with intervals, one line a subgroup; the grey line is the whole, or no gap."""
    figure = new_figure(9, 1.2 + 0.3 * len(parts))
    for axes, name in zip(figure.subplots(1, 2, sharey=True), JUDGED, strict=True):
        axes.axvline(s.usual(name), color="#999999")
        for at, part in enumerate(parts):
            if estimate := part.figures.get(name):
                axes.plot(estimate[0], at, "C0o")
                axes.plot(estimate[1:], [at, at] * (len(estimate) > 1), "C0-")
        axes.locator_params(axis="x", nbins=5)
        axes.set(xlabel="mean probability minus share" if name == "gap" else words(name))
    axes.set_yticks(range(len(parts)), [p.name[:40] for p in parts])
    axes.set_ylim(len(parts) - 0.5, -0.5)
    return drawing(f"{words(column)}: ROC-AUC and calibration", figure)
