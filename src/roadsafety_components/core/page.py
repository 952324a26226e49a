"""HTML pages that need nothing beside themselves: style and pictures (SVG) inside, no script, data escaped."""

import io
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

_STYLE = """body{font:1em/1.5 sans-serif;color:#111;background:#fff;max-width:62em;margin:auto;padding:1em}
.warning{background:#fff1cc;border:3px solid #8a4b00;padding:.7em;font-weight:700}
[tabindex]{overflow-x:auto}table{border-collapse:collapse}caption,th,td{text-align:left;vertical-align:top}
th,td{padding:.3em .5em;border-bottom:1px solid #bbb}th+td:last-child{overflow-wrap:anywhere}small{display:block}
tr>th:first-child{white-space:nowrap}.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(18em,1fr))}figure{margin:0;break-inside:avoid}"""


def page(title: str, warnings: Iterable[str], body: Iterable[str]) -> str:
    """A page: its title, its warnings in boxes, then the parts of ``body``, which are HTML already.

    Should anything slip through the escaping, its policy lets no script run, and nothing be loaded or sent.
    """
    return "\n".join([
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>',
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none';style-src 'unsafe-inline';img-src data:\">",
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style><h1>{escape(title)}</h1>',
        *(f'<p class="warning">{escape(w)}' for w in warnings),
        *body,
    ])  # fmt: skip


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table whose rows begin with their name.

    A cell may be text, a number, a list or dict (one entry a line, folded from nine on), or ``(number, whole)``, which
    is shown as a share with the number below and shaded by it.
    """
    lines = ["".join(f"<th>{escape(h)}" for h in head)]
    lines += [f"<th>{escape(name)}{''.join(map(_cell, cells))}" for name, *cells in rows]
    return f'<div tabindex="0"><table><caption>{escape(caption)}</caption><tr>{"<tr>".join(lines)}</table></div>'


def words(name: str) -> str:
    """A name from code as a person writes it."""
    return name.replace("_", " ").replace("roc auc", "ROC-AUC").replace("f1", "F1")


def _cell(value: Any) -> str:
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


def new_figure(width: float = 4, height: float = 4) -> Any:
    """A matplotlib figure for ``drawing``; sizes in inches, 72 units of the picture each."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def drawing(title: str, figure: Any) -> str:
    """A matplotlib figure as SVG within the page, the same text for the same figure.

    Build the figure with ``new_figure``; texts are taken as they are (no mathematics in dollar signs).
    """
    from matplotlib import rc_context

    # Ids that repeat from run to run, but not from picture to picture.
    with rc_context({"svg.hashsalt": title, "svg.fonttype": "none"}):
        text = io.StringIO()
        for part in figure.findobj(lambda a: hasattr(a, "set_parse_math")):
            part.set_parse_math(False)
        figure.savefig(text, format="svg")
    width, height = (round(72 * inches) for inches in figure.get_size_inches())
    lines = text.getvalue().partition("</metadata>")[2]
    return f'<figure><svg role="img" aria-label="{escape(title)}" viewBox="0 0 {width} {height}">{lines}</figure>'
