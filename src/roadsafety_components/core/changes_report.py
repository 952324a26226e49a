"""A comparison of two datasets as one HTML page that needs nothing beside itself."""

from collections.abc import Sequence
from html import escape

from roadsafety_components.core.changes import Change, Comparison
from roadsafety_components.core.column_picture import column_picture
from roadsafety_components.core.page import page, table, words

_PICTURES = 9
_TOLD_TOGETHER = ("added_column", "removed_column", "empty")


def changes_report(comparison: Comparison) -> str:
    """Write a comparison as a page for people, the same for the same comparison.

    Returns:
        HTML with style and pictures (SVG) inside, no script, and what comes from data escaped.
    """
    c, verdict = comparison, _verdict(comparison)
    changed = {change.column for change in c.changes}
    calm = [
        (p.name, p.compared_as, *(f"{share:.1%}" for share in p.missing), p.psi, p.chance, p.distance)
        for p in c.columns if p.name not in changed
    ]  # fmt: skip
    allowed = [(words(n), ", ".join(v) if isinstance(v, (list, tuple)) else v) for n, v in vars(c.limits).items()]
    moved = sorted((p for p in c.columns if p.moved > 0.01), key=lambda p: -p.moved)[:_PICTURES]
    return page("Changes between two datasets", [verdict] if c.refusals else [], [
        "" if c.refusals else f"<p><b>{escape(verdict)}</b>",
        f"<p>Reference: {c.rows[0]:,} rows. Current: {c.rows[1]:,} rows. Columns compared: {len(c.columns)}.",
        _changes("Reasons to refuse", c.refusals),
        _changes("Noted", c.changes[len(c.refusals) :]),
        "<h2>Columns that moved most</h2><p>PSI (population stability index): by convention little has changed below "
        '0.1, much above 0.25. In brackets what chance alone does in so few rows.<div class="charts">' if moved else "",
        *map(column_picture, moved),
        "</div>" if moved else "",
        f"<h2>Unchanged</h2><details><summary>Columns: {len(calm)}</summary>",
        table("Distance: the largest difference in a share (total variation; of quantities Kolmogorov-Smirnov)",
              ["column", "compared as", "missing, reference", "current", "PSI", "by chance", "distance"], calm),
        "</details><h2>What is allowed</h2>",
        table("", [], allowed),
    ])  # fmt: skip


def _verdict(c: Comparison) -> str:
    if not c.refusals:
        return f"Accept: nothing is beyond what is allowed. Changes noted: {len(c.changes)}."
    columns: dict[str, list[str]] = {}
    for change in c.refusals:
        columns.setdefault(change.change, []).append(change.column)
    why = [f"{words(k)} {', '.join(n[:3])}{', ...' * (len(n) > 3)}".strip() for k, n in columns.items()]
    return f"Refuse: {'; '.join(why)}."


def _changes(title: str, changes: Sequence[Change]) -> str:
    groups: dict[tuple[str, str], list[Change]] = {}
    for c in changes:
        groups.setdefault((c.change, "" if c.change in _TOLD_TOGETHER else c.column), []).append(c)
    rows = []
    for (kind, _), group in groups.items():
        several = len(group) > 1
        rows.append((
            f"{len(group)} columns" if several else group[0].column or "all rows",
            *(_lines(told) for told in ([c.reference for c in group], [c.current for c in group])),
            [words(kind), group[0].explanation, *([", ".join(c.column for c in group)] * several)],
        ))  # fmt: skip
    return f"<h2>{title}</h2>" + table("", ["column", "reference", "current", "change"], rows) if rows else ""


def _lines(told: list[str]) -> list[str]:
    """Each item on a line of its own, none twice; the spaces do not break."""
    return list(dict.fromkeys("; ".join(told).replace(" ", "\xa0").split(";\xa0")))
