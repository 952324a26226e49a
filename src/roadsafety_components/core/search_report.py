"""A search for settings as one HTML page that needs nothing beside itself."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby
from typing import Any

from roadsafety_components.core.candidates import DIRECTIONS, Score
from roadsafety_components.core.halving import Selection, difference
from roadsafety_components.core.page import drawing, new_figure, page, table, words

_WIDE = 20  # a range of so many times its least value is drawn on a logarithmic axis


def search_report(selection: Selection) -> str:
    """Write a rung of a search, and those before it, as a page for people.

    Returns:
        HTML with style and pictures (SVG) inside, no script, and what comes from data escaped.
    """
    s, facts, figure = selection, selection.facts, words(selection.facts["figure"])
    warnings = ["SYNTHETIC DATA: rows are generated. The figures are not about the world."] * bool(facts["synthetic"])
    better = "higher" if DIRECTIONS[facts["figure"]] > 0 else "lower"
    rungs = [list(rung) for _, rung in groupby(s.earlier, lambda c: c.share)]
    return page(f"Search: {words(facts['algorithm'])} by {figure}", warnings, [
        f"<p><b>{escape(_verdict(s))}</b> {escape(_doubt(s))}",
        f"<p>Mean {figure} of {facts['folds']} folds; {better} is better. Behind: how much worse than the best on the "
        "same folds, and the standard error of that difference. The defaults go along to the end.",
        _rung(s.ranked, figure),
        *(f"<h2>Before: {_size(rung[0])}</h2>{_rung(rung, figure)}" for rung in reversed(rungs)),
        "<h2>Settings</h2><p>Every candidate on the first share of the groups; the cross is the best of the search. "
        'Where the good ones crowd at an end, a wider range may be worth a search.<div class="charts">',
        *_settings(rungs[0] if rungs else s.ranked, s.best, figure),
        "</div><h2>The search</h2>",
        table("", [], [(words(name), value) for name, value in facts.items()]),
    ])  # fmt: skip


def _verdict(s: Selection) -> str:
    best, figure = s.best, words(s.facts["figure"])
    told = f"mean {figure} {best.mean:.4f} on {'all ' * (best.share == 1)}{_size(best)}"
    defaults = [c for c in s.ranked if c.candidate == 0 and c.mean is not None]
    if best.candidate == 0:
        return f"The defaults are best: {told}."
    if not defaults:
        return f"Candidate {best.candidate} is best: {told}."
    return (f"Candidate {best.candidate} is best: {told}; the defaults have {defaults[0].mean:.4f}, "
            f"{_behind(defaults[0], best)} behind.")  # fmt: skip


def _doubt(s: Selection) -> str:
    near = ", ".join(map(_name, s.close))
    told = f"The folds do not tell it from {near} (within one standard error). " if near else ""
    return f"{told}The best of many looks better than it is on the rows that it was chosen by: judge it on test rows."


def _size(score: Score) -> str:
    return f"{score.groups:,} groups"


def _rung(scores: Sequence[Score], figure: str) -> str:
    """A table of the candidates and, if there are several, a picture of their folds."""
    best, settings = scores[0], list(scores[0].parameters)
    good = [c for c in scores if c.mean is not None]
    failed = [f"<p>{escape(f'Candidate {c.candidate} failed: {c.message}')}" for c in scores if c.mean is None]
    head = ["candidate", "mean", "behind", *map(words, settings), "rounds", "seconds", "goes on"]
    rows = [
        (_name(c), *_figures(c, best), *(f"{c.parameters[n]:g}" for n in settings), c.rounds or "", f"{c.seconds:.1f}",
         "yes" if c.kept else "no")
        for c in scores
    ]  # fmt: skip
    picture = _folds(good, figure) if len(good) > 1 else ""
    return table(f"{_size(best)}, {best.rows:,} rows", head, rows) + "".join(failed) + picture


def _figures(score: Score, best: Score) -> tuple[str, str]:
    if score.mean is None:
        return "failed", ""
    return f"{score.mean:.4f}", "" if score is best else _behind(score, best)


def _name(score: Score) -> str:
    return f"{score.candidate} (defaults)" if score.candidate == 0 else str(score.candidate)


def _behind(score: Score, best: Score) -> str:
    return "{:.4f}\xa0\xb1\xa0{:.4f}".format(*difference(best, score))


def _folds(scores: Sequence[Score], figure: str) -> str:
    """A row of dots for each candidate, one a fold, and a bar at the mean."""
    drawn = new_figure(7, 1.3 + 0.3 * len(scores))
    axes = drawn.subplots()
    for at, s in enumerate(scores):
        axes.plot(s.by_fold, [at] * len(s.by_fold), "C0o", alpha=0.5, label="a fold" if at == 0 else None)
        axes.plot([s.mean], [at], "k|", markersize=16, markeredgewidth=2, label="mean" if at == 0 else None)
    axes.set_yticks(range(len(scores)), [_name(s) for s in scores])
    axes.set(ylim=(len(scores) - 0.5, -0.5), xlabel=figure, ylabel="candidate")
    drawn.legend(loc="outside upper center", ncols=2)
    return drawing(f"{figure} by fold of {_size(scores[0])}, share {scores[0].share:g}", drawn)


def _settings(scores: Sequence[Score], best: Score, figure: str) -> Iterable[str]:
    """A picture for each setting: its values and the mean figures."""
    good = [s for s in scores if s.mean is not None]
    for name in best.parameters:
        values = [s.parameters[name] for s in good]
        drawn = new_figure(3.4, 2.6)
        axes = drawn.subplots()
        axes.plot(values, [s.mean for s in good], "C0o")
        chosen = next((s for s in good if s.candidate == best.candidate), None)
        if chosen:
            axes.plot([chosen.parameters[name]], [chosen.mean], "C3x", markersize=12, markeredgewidth=3)
        _scale(axes, values)
        axes.set(xlabel=words(name), ylabel=f"mean {figure}")
        yield drawing(f"{figure} by {words(name)}", drawn)


def _scale(axes: Any, values: Sequence[float]) -> None:
    above = [v for v in values if v > 0]
    if above and max(above) > _WIDE * min(above):
        axes.set_xscale("symlog", linthresh=min(above)) if min(values) == 0 else axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")  # no powers: texts are taken as they are
        axes.xaxis.set_minor_formatter("")
