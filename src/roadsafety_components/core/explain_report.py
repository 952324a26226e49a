"""An explanation as one HTML page that needs nothing beside itself."""

from html import escape
from typing import Any

from roadsafety_components.core.dependence import Dependence
from roadsafety_components.core.explain import Explanation
from roadsafety_components.core.page import drawing, new_figure, page, table, words

_BARS = 20
_BLUE, _RED, _GREY = "#0b5394", "#a61c00", "#cccccc"


def explanation_report(explanation: Explanation) -> str:
    """Write an explanation as a page for people, the same for the same explanation.

    Returns:
        HTML with style and pictures (SVG) inside, no script, and what comes from data escaped.
    """
    e, about = explanation, explanation.facts
    figure = words(about["figure"])
    return page(f"Explanation: what the model of {words(about['target'])} goes by", e.warnings, [
        f"<p><b>{escape(_verdict(e))}</b>",
        "<p>All of this is association in the data as recorded, not cause. A column can "
        "matter because it goes with something that nobody recorded.",
        f"<p>Rows: {about['rows_used']:,} of {about['rows_given']:,} (if not all, whole groups drawn at random). "
        f"Explained: the probability of {escape(about['positive_class'])}, {about['positive_share']:.1%} of them.",
        f"<h2>Importance</h2><p>How much worse the {figure} gets when a column is shuffled: mean, lowest and highest "
        f"of {about['repeats']}. Columns that go together share the credit. A group, made of one thing, is shuffled as "
        "one.",
        _importance(e.importance[:_BARS], f"loss of {figure}"),
        f"<details><summary>All columns: {len(e.importance)}</summary>",
        table("", ["column", "mean", "lowest", "highest", "made of", "meaning"],
              [(words(i["column"]), *(f"{i[n]:.4f}" for n in ("importance", "low", "high")), i["features"],
                i["meaning"]) for i in e.importance]),
        "</details><h2>Dependence</h2><p>Mean probability with a column set to each of its values, all else as it is. "
        "Of a group the first is set; the others are those of rows that have the value. Thin lines: single rows. Grey: "
        'shares of the rows.<div class="charts">',
        *map(_dependence, e.dependences),
        "</div>",
    ])  # fmt: skip


def _verdict(e: Explanation) -> str:
    leading = [words(i["column"]) for i in e.importance[:3] if i["low"] > 0]
    if not leading:
        return "No column matters: whichever is shuffled, the figure stays about as it is."
    loss, before = e.importance[0]["importance"], e.facts["figure_before"]
    return (f"The model goes mostly by {', '.join(leading)}. Shuffling {leading[0]} makes its "
            f"{words(e.facts['figure'])} of {before:.3f} worse by {loss:.3f}.")  # fmt: skip


def _importance(drawn: list[dict[str, Any]], x_label: str) -> str:
    picture = new_figure(8, 0.8 + 0.25 * len(drawn))
    axes = picture.subplots()
    ranges = [[i["importance"] - i["low"] for i in drawn], [i["high"] - i["importance"] for i in drawn]]
    axes.barh(range(len(drawn)), [i["importance"] for i in drawn], xerr=ranges, color=_BLUE)
    axes.set_yticks(range(len(drawn)), [words(i["column"]) for i in drawn])
    axes.invert_yaxis()
    axes.set_xlabel(x_label)
    return drawing("Importance", picture)


def _dependence(d: Dependence) -> str:
    picture = new_figure(4.4, 3.4 if d.at else 1.4 + 0.3 * len(d.values))
    axes = picture.subplots()
    most = min(1, 2 * max(d.mean))  # so that the means can be told apart; some single rows are beyond
    shares = [share / max(d.shares) * most / 5 for share in d.shares]
    at = d.at or range(len(d.values))
    for line in d.lines:
        axes.plot(*((at, line) if d.at else (line, at)), _BLUE, alpha=0.2, linewidth=0.6)
    if d.at:
        axes.bar(at, shares, (at[-1] - at[0] or 1) / 60, color=_GREY)
        axes.plot(at, d.mean, _BLUE, linewidth=2.5, marker="o" if len(at) < 12 else "")
        axes.set(xlabel=words(d.feature), ylabel="probability", ylim=(0, most))
    else:
        axes.barh(at, shares, color=_GREY)
        axes.plot(d.mean, at, "o", color=_BLUE)
        axes.set_yticks(at, [f"{v[:32]} {s:.0%}" for v, s in zip(d.values, d.shares, strict=True)], fontsize=8)
        axes.set(xlabel="probability", xlim=(0, most))
    if d.missing and d.missing[1] >= 0.005:
        axes.axhline(d.missing[0], color=_RED, linestyle="--", label=f"missing: {d.missing[1]:.1%} of the rows")
        picture.legend(loc="outside lower center")
    picture.suptitle(words(d.column))
    return drawing(f"Dependence on {d.column}", picture)
