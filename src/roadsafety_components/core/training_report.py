"""A trained model in a page of Markdown: what it learned from, what was chosen and how, and what looks like a leak."""

from roadsafety_components.core.leaks import leak_warnings
from roadsafety_components.core.markdown import plain, table
from roadsafety_components.core.store import Facts


def training_report(facts: Facts) -> str:
    """Write a model's facts as Markdown, the same for the same facts."""
    counts, found, left_out = facts["class_counts"], facts["out_of_fold"], facts["features_left_out"]
    total, alone = facts["training_rows"], facts["single_feature_auc"]
    blocks = [
        f"# Training: {plain(facts['target_column'])} by {facts['algorithm'].replace('_', ' ')}",
        "> SYNTHETIC DATA: rows are generated. The figures are not about the world." * bool(facts.get("synthetic")),
        *(f"> {plain(warning)}" for warning in leak_warnings(alone)),
        table(("class", "rows", "share"), [(c, f"{n:,}", f"{n / total:.1%}") for c, n in counts.items()]),
        "## On held-out rows" * bool(found),
        f"Every row was judged by a model that had not seen its {plain(facts['group_column'] or 'row')}. Rounds of "
        "boosting were chosen on the same rows: a test set has the last word." * bool(found),
        table(("figure", "out of fold"), _told(found)) * bool(found),
        "## Settings",
        table(("setting", "value"), _told(facts["parameters"])),
        "## Features",
        f"Of {len(facts['features'])} features those that tell most by themselves (ROC-AUC by the class shares of each "
        "value; 0.5 is chance):",
        table(("feature", "alone"), [(n, f"{v:.3f}") for n, v in list(alone.items())[:10]]),
        "## Columns that are no features" * bool(left_out),
        table(("column", "reason"), left_out.items()) * bool(left_out),
    ]
    return "\n\n".join(b for b in blocks if b) + "\n"


def _told(values: Facts) -> list[tuple[str, str]]:
    """Name and value in words."""
    told = []
    for name, value in values.items():
        text = f"{value:.4g}" if isinstance(value, float) else str(value or "none") if value != 0 else "0"
        told.append((name.replace("_", " "), text.strip("[]{}").replace("'", "")))
    return told
