"""A comparison of champion and challenger as a decision record, for people and for the file."""

from typing import Any

from roadsafety_components.core.compare import BETTER, Comparison, Measured
from roadsafety_components.core.markdown import plain, table

# Facts that a reader should find side by side.
_FACTS = (
    "algorithm", "parameters", "threshold", "training_rows", "unit", "target", "known_at", "years", "split", "versions",
)  # fmt: skip
_DIGESTS = {"sha256": "file", "training_data": "trained on"}


def decision_record(comparison: Comparison) -> str:
    """Write a comparison as Markdown, the same for the same comparison: no date, no place.

    Returns:
        The decision with its reason, what would change it, the question, the figures, models and test side by side.
    """
    c, rows, sides = comparison, sum(comparison.class_counts.values()), comparison.facts.values()
    shares = ", ".join(f"{n} {count / rows:.1%}" for n, count in c.class_counts.items())
    guards = "".join(f", no loss in {_words(n)} above {v:g} beyond chance" for n, v in c.rules.max_losses.items())
    models = [set(f["features"]) for f in list(sides)[:2]]
    told = [(_words(n), *(_plain(f.get(n, "")) for f in sides)) for n in _FACTS if any(f.get(n) for f in sides)]
    blocks = [
        f"# Decision: {'promote the challenger' if c.decision == 'promote' else 'keep the champion'}",
        *(f"> {plain(w)}" for w in c.warnings),
        f"**{plain(_reason(c))}**",
        plain(_change(c)),
        plain(f"The question: is the challenger better at telling {c.target_column} in {rows:,} rows ({shares})? Asked "
              f"for: a gain in {_words(c.rules.figure)} with its lower limit above {c.rules.min_gain:g}{guards}."),
        "## Figures",
        plain(f"{c.drawn} Both models get the same draws. A gain is above 0 where the challenger is better."
              + f" Figures are about {c.positive_class}." * bool(c.positive_class)),
        table(["figure", "better", "champion", "challenger", "gain"], [
            (_words(n), ("nearer to 1", "higher", "lower")[BETTER[n]],
             *(_told(m[side], "+" * (side == "gain")) for side in ("champion", "challenger", "gain")))
            for n, m in c.measured.items()
        ]),
        "## Models and test",
        table(["", *c.facts], [("features", *map(len, models), ""), *told]),
        *(f"Features of the {who} alone: {plain(', '.join(sorted(mine)))}."
          for who, mine in (("champion", models[0] - models[1]), ("challenger", models[1] - models[0])) if mine),
        *(plain(f"{who}: " + ", ".join(f"{of} {f[n]}" for n, of in _DIGESTS.items() if f.get(n)))
          for who, f in c.facts.items()),
    ]  # fmt: skip
    return "\n\n".join(blocks) + "\n"


def _words(name: str) -> str:
    return name.replace("_", " ").replace("roc auc", "ROC-AUC")


def _told(measured: Measured, sign: str = "+") -> str:
    value, low, high = (f"{v:{sign}.4f}" for v in measured)
    return f"{value} ({low} to {high})"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_words(n)} {_plain(v)}" for n, v in value.items() if v not in ("", [], {}))
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _reason(c: Comparison) -> str:
    gain = _told(c.measured[c.rules.figure]["gain"])
    worse = " and ".join(f"{_words(n)}, {_told(c.measured[n]['gain'])}" for n in c.lost)
    guards = f"it is worse beyond chance in {worse}" if worse else "no guarded figure is worse beyond chance"
    return (f"{c.decision.capitalize()}: the challenger's gain in {_words(c.rules.figure)}, {gain}, has its lower "
            f"limit {'' if c.gained else 'not '}above {c.rules.min_gain:g}; {guards}.")  # fmt: skip


def _change(c: Comparison) -> str:
    """What would have led to the other decision, with numbers."""
    (value, low, _), asked = c.measured[c.rules.figure]["gain"], c.rules.min_gain
    if c.decision == "promote":
        return f"With a min_gain from about {low:.4f} on the champion would have been kept."
    told = [f"max_losses would have to let {_words(n)} lose {-c.measured[n]['gain'][2]:.4f}." for n in c.lost]
    if not c.gained:
        told.append(f"A test like this one tells a gain from about {asked + value - low:.4f} on.")
    if not c.gained and value > asked:
        groups = c.groups * ((value - low) / (value - asked)) ** 2  # an interval narrows with the root of their number
        told.append(f"If the gain is what it seems, {groups:,.0f} groups would show it.")
    elif not c.gained:
        told.append("More rows alone would hardly change it: the gain is too small.")
    return " ".join(told)
