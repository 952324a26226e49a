"""Single probabilities taken apart as one HTML page that needs nothing beside itself."""

from roadsafety_components.core.contributions import Contributions
from roadsafety_components.core.page import page, table, words

_PARTS = 8  # of a row; the others as one
_RAISES, _LOWERS, _WIDTH = "\u2588", "\u2591", 20  # full and light blocks, and how many are the longest bar


def contributions_report(contributions: Contributions) -> str:
    """Write them as a page for people, the same for the same contributions.

    Returns:
        HTML with style inside, no script, and what comes from data escaped.
    """
    c, about = contributions, contributions.facts
    synthetic = ["SYNTHETIC DATA: rows are generated. This is not about the world."] if about["synthetic"] else []
    return page(f"Single predictions: the probability of {about['positive_class']}", synthetic, [
        f"<p><b>The mean probability is {about['mean_probability']:.3f}. Each column raises or lowers a row's from "
        "there: the contributions (Shapley values) add up to the difference.</b>",
        "<p>All of this is association in the data as recorded, not cause. It says what "
        "the model made of a row, not why somebody was hurt, nor what would have prevented it.",
        f"<p>Rows taken apart: {len(c.rows)} of {about['rows_given']:,}, from the highest probability to the lowest, "
        "evenly spaced by rank. A group of columns has the value of its first. "
        f"Bars: {_RAISES * 4} raises, {_LOWERS * 4} lowers.",
        *(_row(c, at) for at in range(len(c.rows))),
    ])  # fmt: skip


def _row(c: Contributions, at: int) -> str:
    """A row's largest contributions, with bars."""
    parts = sorted(((words(n), c.values[n][at], of[at]) for n, of in c.parts.items()), key=lambda part: -abs(part[2]))
    shown, rest = parts[:_PARTS], parts[_PARTS:]
    if rest:
        shown.append((f"{len(rest)} others", "", sum(part for *_, part in rest)))
    block = max(abs(part) for *_, part in shown) / _WIDTH or 1
    key = ", ".join(f"{words(n)} {v}" for n, v in c.keys[at].items()) or f"row {c.rows[at]}"
    return f"<h2>Probability {c.probabilities[at]:.3f}</h2>" + table(
        key, ["column", "value", "contribution", ""],
        [(name, words(value), f"{part:+.3f}", (_RAISES if part > 0 else _LOWERS) * round(abs(part) / block))
         for name, value, part in shown],
    )  # fmt: skip
