"""The quality of STATS19 tables as one HTML page that needs nothing beside itself."""

from html import escape

import numpy as np
import pandas as pd

from roadsafety_components.core.page import drawing, new_figure, page, table, words
from roadsafety_components.core.quality import BRITAIN, CELL, Summary
from roadsafety_components.core.validate import by_rule, named, rules

_MOST_YEARS = 12  # in a table; more become a picture
_SIDE_BY_SIDE = '<div style="display:flex;flex-wrap:wrap;gap:1em 3em">'


def quality_report(asked: pd.DataFrame, summary: Summary, fail_on: list[str]) -> str:
    """Write what ``validate`` found as a page for people, the same for the same data.

    Returns:
        HTML with style and pictures inside, no script, and what comes from data escaped.
    """
    whole, rows = by_rule(asked), summary.rows
    years = [*rows["collision"]]
    records = sum(n for by_year in rows.values() for n in by_year.values())
    stopped = ", ".join(dict.fromkeys(named(whole, fail_on)["rule"]))
    severity = summary.codes.get(("collision", "collision_severity"), {})
    warnings = ["SYNTHETIC DATA: these records are generated."] * bool(summary.facts.get("synthetic"))
    warnings += [f"No {t} table was given: the rules that need it were not asked." for t in rows if not rows[t]]
    return page(f"Data quality: STATS19 {' to '.join(dict.fromkeys([str(years[0]), str(years[-1])]))}", warnings, [
        f"<p><b>{summary.with_error:,} of {records:,} records contradict themselves or each other; "
        f"{(whole['count'] == 0).sum()} of {len(whole)} rules hold. The gate ({escape(', '.join(fail_on)) or 'none'}) "
        f"is {f'closed: {stopped}' if stopped else 'open'}.</b>",
        *(_broken(f"{level.title()}s", named(whole, [level])) for level in ("error", "warning")), _others(whole),
        "<h2>Missing values</h2><p>Share and number of the rows without a value.",
        _SIDE_BY_SIDE if len(years) <= _MOST_YEARS else "<div>", *(_missing(name, summary) for name in summary.missing),
        "</div><h2>Years</h2>",
        table("Rows, and collisions by severity", ["year", *rows, "fatal", "serious", "slight"],
              [(str(y), *(f"{rows[t].get(y, 0):,}" for t in rows),
                *((round(severity.get(y, {}).get(code, 0) * n), n) for code in (1, 2, 3)))
               for y, n in rows["collision"].items()]),
        '<h2>When and where</h2><div class="charts">',
        *(_bars(f"Collisions by {part}", counts) for part, counts in summary.when.items()),
        f'</div><div style="max-width:36em">{_map(summary)}</div><h2>Codes</h2>', *_codes(summary),
    ])  # fmt: skip


def _broken(title: str, found: pd.DataFrame) -> str:
    lines = [(f"{words(f['rule'])} ({f['table']})",
              [f"{f['count']:,} of {f['rows']:,}".replace(" ", "\xa0"), f"{f['count'] / f['rows'] * 100:.3g}\xa0%"],
              [f["explanation"], f["advice"], *f["examples"][:3]]) for f in found.to_dict("records")]  # fmt: skip
    head = ["rule", "rows", "what is wrong, what to do, examples"]
    return f"<h2>{title}</h2>{table('', head, lines) if lines else '<p>None.'}"


def _others(whole: pd.DataFrame) -> str:
    asked = {(f["rule"], f["table"]): f["count"] for f in whole.to_dict("records")}
    every = {f"{words(r.rule)} ({r.table})": asked.get((r.rule, r.table)) for r in rules()}
    lines = [(title, [name for name, found in every.items() if found == count])
             for title, count in (("hold", 0), ("were not asked", None))]  # fmt: skip
    return table("Other rules; one is not asked where its table, a column or a year before is missing", [], lines)


def _missing(name: str, summary: Summary) -> str:
    """Columns with gaps by year: a table, those with few gaps folded; a picture for many years."""
    shares, rows = pd.DataFrame(summary.missing[name]), summary.rows[name]
    most = shares.max(axis=1).sort_values(ascending=False)
    shares = shares.loc[most.index[most > 0]]
    title, labels = f"{name.title()} table", [words(str(c)) for c in shares.index]
    if len(rows) > _MOST_YEARS:
        figure = new_figure(9, 1 + len(shares) / 6)
        axes = figure.subplots()
        axes.set_yticks(range(len(shares)), labels, fontsize=8)
        axes.set_xticks(range(0, len(rows), 5), [*rows][::5])
        figure.colorbar(axes.imshow(shares, "Blues", aspect="auto", vmin=0, vmax=1), label=f"{title}: share missing")
        return drawing(f"{title}: share missing", figure)
    lines = [(label, *((round(share * n), n) for share, n in zip(row, rows.values(), strict=True)))
             for label, row in zip(labels, shares.to_numpy(), strict=True)]  # fmt: skip
    many, head = int((most >= 0.01).sum()), ["column", *map(str, rows)]
    few = f"<details><summary>{len(lines) - many} columns below 1 %</summary>{table('', head, lines[many:])}</details>"
    return f"<div>{table(title, head, lines[:many])}{few}</div>"


def _bars(title: str, counts: pd.Series) -> str:
    figure = new_figure(4, 2.8)
    axes = figure.subplots()
    axes.bar(counts.index.astype(int), counts.to_numpy(float))
    axes.set_title(title)
    return drawing(title, figure)


def _map(summary: Summary) -> str:
    """A picture of the squares, cut to where there are collisions; several squares in one where that is large."""
    used = np.argwhere(summary.places)
    if not len(used):
        return ""
    (south, west), (top, right) = used.min(axis=0), used.max(axis=0) + 1
    step = 1 + max(top - south, right - west) // 600
    cells = summary.places[south:top, west:right]
    for axis in (0, 1):
        cells = np.add.reduceat(cells, np.arange(0, cells.shape[axis], step), axis)
    side, low = step * CELL / 1e3, (np.array([west, south]) * CELL + BRITAIN[::2]) / 1e3
    extent = [low[0], low[0] + side * cells.shape[1], low[1], low[1] + side * cells.shape[0]]
    figure = new_figure(6, min(8, 1 + 5 * cells.shape[0] / cells.shape[1]))
    axes = figure.subplots()
    axes.imshow(np.log1p(np.where(cells, cells, np.nan)), "Blues", vmin=-1, origin="lower", interpolation="none",
                extent=extent)  # fmt: skip
    for x, y in summary.strays:
        axes.plot(np.clip(x / 1e3, *extent[:2]), np.clip(y / 1e3, *extent[2:]), "rx", clip_on=False)
    axes.set(title=f"Collisions in squares of {side:g} km; {len(summary.strays):,} outside Great Britain (x)",
             xlabel="easting, km", ylabel="northing, km")  # fmt: skip
    return drawing("Map of the collisions", figure)


def _codes(summary: Summary) -> list[str]:
    """Codes of the last year beside those of the year before; the columns that moved farthest first, others folded."""
    lines = [(f"{words(column)} ({name})", f"{far:.3f}",
              [f"{code}: {' to '.join(f'{share:.1%}' for share in row)}" for code, *row in shares.itertuples()])
             for far, (name, column), shares in summary.moves()]  # fmt: skip
    head = ["column", "moved", f"share of each code, {' to '.join(map(str, [*summary.rows['collision']][-2:]))}"]
    return [
        "<p>How far a column moved since the year before is half the sum of its codes' differences in share (total "
        "variation distance): 0 not at all, or there is no year before; 1 nothing in common.",
        table("", head, lines[:10]),
        "<details><summary>Other columns</summary>", table("", head, lines[10:]), "</details>",
    ]  # fmt: skip
