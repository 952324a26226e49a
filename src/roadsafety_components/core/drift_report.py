"""Drift as one HTML page."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from roadsafety_components.core.column_picture import column_picture
from roadsafety_components.core.drift import Drift
from roadsafety_components.core.effects import ColumnDrift, Figure
from roadsafety_components.core.page import page, table, words

_PICTURES = 9
_MOVED = 0.1  # of a class's share: less is seldom worth a correction
_RECORDED = """<p>Class shares moved. Perhaps the target is recorded in another way: in STATS19, for example,
injury-based reporting, which police forces took up from 2016 on, made serious what had been slight. Probabilities are
then too low or too high for all rows; predict_batch corrects them for shares that are known (class_shares)."""


def drift_report(drift: Drift) -> str:
    """Write what was found as a page for people.

    Returns:
        HTML with style and pictures (SVG) inside, no script, and what comes from data escaped; the same for the same
        data.
    """
    d, features = drift, drift.features
    others, calm = d.columns[len(features) :], [c for c in features if c.verdict == "stable"]
    within = [n for n, there in (("scores", d.figures), ("performance", "roc_auc" in d.figures)) if there]
    allowed = f"{d.drifted_share:.0%} of the columns drifted, {d.limits.max_drifted_share:.0%} is allowed"
    calmly = "; ".join([allowed, *[f"{' and '.join(within)} did not move beyond the limits"] * bool(within)])
    verdict = f"{d.decision.capitalize()}: {'; '.join(d.reasons) or calmly}."
    figures = [(f"{words(n)} of {d.positive_class}", f) for n, f in d.figures.items()]
    figures += [(f"share of {n}", f) for n, f in d.shares.items()]
    moved = any(
        abs(f.change) > _MOVED * f.reference[0] and np.prod(f.interval()) > 0 for f in d.shares.values()
    )  # fmt: skip
    return page("Drift", [verdict] if d.reasons else [], [
        "" if d.reasons else f"<p><b>{escape(verdict)}</b>",
        f"<p>Reference: {d.rows[0]:,} rows. Current: {d.rows[1]:,} rows. Columns compared: {len(features)}, "
        f"drifted: {d.drifted_share:.0%}.",
        *(f"<p>{escape(note)}" for note in d.notes),
        "<h2>Features</h2><p>PSI (population stability index): by convention little has changed below 0.1, much above "
        "0.25. By chance: what so few rows give without a change. At least: what the PSI beyond chance exceeds with a "
        "confidence of 95 %. Drift: it exceeds the limit beyond doubt, all columns taken together (Holm). Uncertain: "
        "it is above the limit, but the rows are too few to be sure.",
        _columns([c for c in features if c not in calm]),
        f"<details><summary>Stable: {len(calm)}</summary>{_columns(calm)}</details>",
        _pictures([c for c in features if c.pair.moved > 0.01][:_PICTURES]),
        "<h2>Scores and target</h2>" + _columns(others) if others else "",
        "<p>" + table("", ["figure", "reference", "current", "change", "95 % interval"], map(_figure, figures))
        if figures else "",
        _RECORDED if moved else "",
        _pictures(others),
    ])  # fmt: skip


def _columns(columns: Sequence[ColumnDrift]) -> str:
    head = ["column", "verdict", "PSI", "by chance", "at least", "limit", "distance", "missing, reference", "current"]
    return table("", head, [
        (c.pair.name, c.verdict, c.pair.psi, c.pair.chance, c.low, c.limit, c.pair.distance,
         *(f"{m:.1%}" for m in c.pair.missing)) for c in columns
    ]) if columns else ""  # fmt: skip


def _pictures(columns: Sequence[ColumnDrift]) -> str:
    drawn = "".join(column_picture(c.pair) for c in columns)
    return f'<div class="charts">{drawn}{"<div></div>" * (3 - len(columns))}</div>'


def _figure(named: tuple[str, Figure]) -> tuple[Any, ...]:
    name, f = named
    low, high = f.interval()
    return name, f.reference[0], f.current[0], f"{f.change:+.3f}", f"{low:+.3f} to {high:+.3f}"
