"""Reports on data that somebody poisoned: every step that makes one, with names and values that are attacks."""

from html.parser import HTMLParser
from pathlib import Path

import markdown_it
import pyarrow as pa
import pytest
from kfp.dsl import HTML, ClassificationMetrics, Dataset, Markdown, Metrics, Model

from roadsafety_components import components
from roadsafety_components.core import store
from roadsafety_components.core.page import drawing, new_figure, page

SCRIPT = "<script>alert(1)</script>"
HANDLER = '" onmouseover="alert(2)" x="'
LINK = "[click](javascript:alert(3)) ![x](http://evil.example/3)"
BREAK = "</td></table></svg></style>--><img src=x onerror=alert(4)>"
CELL = "|a|b| **bold** `code` # <b>"
FEATURE, CODED, GROUP = f"{SCRIPT} feature", f"{HANDLER} coded", f"{BREAK} group"
TARGET = f"{LINK} {SCRIPT}"
CLASSES = (SCRIPT, HANDLER)
VALUES = (BREAK, LINK, CELL, SCRIPT, HANDLER)


def poisoned(shift: int = 0) -> pa.Table:
    """240 rows in which all names and texts are attacks; ``shift`` changes how often each comes."""
    rows = range(240)
    table = pa.table(
        {
            FEATURE: [VALUES[(i * (1 + shift) + i // 7) % 5] for i in rows],
            CODED: [i * 31 % 4 for i in rows],
            GROUP: [VALUES[i % 3] for i in rows],
            "age": [float(i * 37 % 90) + 50 * shift for i in rows],
            TARGET: [CLASSES[(i * 37 % 90 > 40) ^ (i % 9 == 0)] for i in rows],
        }
    )
    facts = {"unit": SCRIPT, "target": TARGET, "known_at": HANDLER, "left_out": {SCRIPT: BREAK}, "years": [2024],
             "made_from": {SCRIPT: "sha256:0"}}  # fmt: skip
    return store.with_facts(store.mark_columns(table, {CODED: store.CATEGORY}), facts)


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> dict[str, str]:
    """All reports by step, each made by the step's own function."""
    folder = tmp_path_factory.mktemp("reports")

    def artifact(kind: type, name: str) -> object:
        return kind(name=name, uri=str(folder / name), metadata={})

    def path(name: str) -> str:
        return str(folder / name)

    names = (f"{SCRIPT.replace('/', '_')}.parquet", "new.parquet", "judged.parquet")
    old, new, judged = (artifact(Dataset, name) for name in names)
    store.write_dataset(poisoned(), old.path)
    store.write_dataset(poisoned(1), new.path)
    store.write_dataset(poisoned(2), judged.path)
    steps = {name: step.python_func for name, step in components.STEPS.items()}
    labels = {CODED: {str(i): VALUES[i] for i in range(4)}, GROUP: {v: SCRIPT for v in VALUES}}
    made: dict[str, object] = {}

    def report(step: str, kind: type = HTML) -> object:
        made[step] = artifact(kind, f"{step}.report")
        return made[step]

    def metrics(step: str) -> object:
        return artifact(Metrics, f"{step}.metrics")

    model, held, fixed = artifact(Model, "model"), artifact(Dataset, "held"), artifact(Model, "fixed")
    how = {"n_estimators": 5, "min_samples_leaf": 2, "folds": 2}
    steps["train_classifier"](old, TARGET, model, report("train_classifier", Markdown), held, **how)
    steps["calibrate_classifier"](
        model, held, fixed, report("calibrate_classifier", Markdown), positive_class=SCRIPT, miss_cost=3.0
    )
    baseline = artifact(Model, "baseline")
    steps["train_classifier"](
        old, TARGET, baseline, artifact(Markdown, "aside"), artifact(Dataset, "aside2"),
        algorithm="logistic_regression", folds=0,
    )  # fmt: skip
    results, figures = artifact(Dataset, "results"), artifact(ClassificationMetrics, "figures")
    steps["evaluate_classifier"](
        fixed, old, metrics("evaluate_classifier"), figures, report("evaluate_classifier"), results,
        baseline=baseline, positive_class=SCRIPT, resamples=20,
    )  # fmt: skip
    groups = artifact(Dataset, "groups")
    steps["evaluate_subgroups"](
        fixed, old, [GROUP, CODED], groups, metrics("evaluate_subgroups"), report("evaluate_subgroups"),
        labels=labels, positive_class=SCRIPT, resamples=20, min_rows=10,
    )  # fmt: skip
    steps["inspect_answers"](fixed, old, report("inspect_answers"), positive_class=SCRIPT, labels=labels)
    importance = artifact(Dataset, "importance")
    steps["explain_classifier"](
        fixed, old, importance, metrics("explain_classifier"), report("explain_classifier"), positive_class=SCRIPT,
        labels=labels, groups={BREAK: [FEATURE]}, meanings={"age": BREAK}, repeats=1,
    )  # fmt: skip
    steps["explain_predictions"](
        fixed, old, artifact(Dataset, "contributions"), report("explain_predictions"), positive_class=SCRIPT,
        labels=labels, contribution_rows=3, orders=5,
    )  # fmt: skip
    record = report("compare_classifiers", Markdown)
    steps["compare_classifiers"](
        baseline, fixed, judged, record, metrics("compare_classifiers"), path("decision"), positive_class=SCRIPT,
        resamples=100,
    )  # fmt: skip
    card = artifact(Markdown, "card")
    steps["build_model_card"](
        fixed, results, card, report("build_model_card"), groups, importance, record, title=f"{SCRIPT} {HANDLER}",
        intended_use=LINK, not_for=[BREAK, CELL], limits=[SCRIPT, HANDLER], data_licence=LINK, model_licence=BREAK,
        contact=SCRIPT,
    )  # fmt: skip
    made["build_model_card (Markdown)"] = card
    steps["profile_changes"](
        old, new, artifact(Dataset, "changes"), metrics("profile_changes"), report("profile_changes"), path("accepted")
    )
    predictions = [artifact(Dataset, f"predictions{i}") for i in range(2)]
    for data, target in zip((old, new), predictions, strict=True):
        steps["predict_batch"](fixed, data, target, metrics(f"predict{target.name}"), keep_columns=[TARGET])
    steps["detect_drift"](
        old, new, artifact(Dataset, "drift"), metrics("detect_drift"), report("detect_drift"), path("retrain"), fixed,
        *predictions, target_column=TARGET, labels=labels,
    )  # fmt: skip
    scores = []
    for number, settings in enumerate(({"learning_rate": 0.1}, {"learning_rate": 0.2})):
        scores.append(artifact(Dataset, f"score{number}"))
        steps["score_candidate"](old, TARGET, settings | {"n_estimators": 3}, scores[-1], folds=2)
    steps["select_best"](
        scores, path("survivors"), path("best"), artifact(Dataset, "table"), report("select_best"), keep_one_in=2
    )
    tables = stats19(folder)
    steps["validate_stats19"](
        tables[0], artifact(Dataset, "findings"), metrics("validate_stats19"), report("validate_stats19"), *tables[1:],
        fail_on=[],
    )  # fmt: skip
    return {name: Path(of.path).read_text() for name, of in made.items()}


def stats19(folder: Path) -> list[object]:
    """Three tables of which one row each has attacks for a key and for areas."""
    from roadsafety_components.core import read, sample

    files = {table: folder / f"{table}.csv" for table in ("collision", "vehicle", "casualty")}
    sample.write_sample(200, files)
    made = []
    for name, table in read.load_tables("", files).items():
        for column, attack in (("collision_index", SCRIPT), ("local_authority_ons_district", HANDLER)):
            if column in table.column_names:
                at = table.column_names.index(column)
                values = [attack, *table[column].to_pylist()[1:]]
                table = table.set_column(at, table.schema.field(column), pa.array(values))  # noqa: PLW2901
        made.append(Dataset(uri=str(folder / f"{name}.parquet")))
        store.write_dataset(table, made[-1].path)
    return made


class Found(HTMLParser):
    """What a browser would find in a page: elements, attributes, text, and what it would call or fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.active: list[str] = []
        self.policy = ""
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element, and whatever in it acts."""
        self.elements.add(tag)
        for name, value in attrs:
            reaches_out = name in ("src", "href", "xlink:href", "action", "srcset", "data", "formaction", "background")
            if name.startswith("on") or (reaches_out and not (value or "").startswith(("#", "data:image/png;base64,"))):
                self.active.append(f"{tag} {name}={value}")
            if name == "content" and ("http-equiv", "Content-Security-Policy") in attrs:
                self.policy = value or ""

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.words.append(data)


REPORTS = [
    name for name, step in components.STEPS.items()
    for kind in [{o.type for o in (step.component_spec.outputs or {}).values()}]
    if any(k.startswith(("system.HTML", "system.Markdown")) for k in kind)
]  # fmt: skip
# Elements that reports are made of; none of them acts.
HARMLESS = (
    "html meta title style h1 h2 h3 h4 h5 h6 p b strong em ul ol li div table caption tr th td thead tbody br small "
    "details summary figure figcaption code pre hr blockquote svg g path use defs clippath rect text tspan image "
    "lineargradient stop circle line polygon polyline head body section span"
)


def test_every_step_that_makes_a_report_is_here(reports) -> None:
    """A new one has to be added."""
    assert set(REPORTS) == {name.partition(" ")[0] for name in reports}


@pytest.mark.parametrize("step", REPORTS)
def test_nothing_in_a_report_acts(reports, step: str) -> None:
    """No script, no handler, no link, nothing from elsewhere; the attacks are there, as text."""
    for name, text in reports.items():
        if name.partition(" ")[0] != step:
            continue
        markdown = not text.startswith("<!DOCTYPE html>")
        html = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render(text) if markdown else text
        found = Found(html)
        assert found.elements <= set(HARMLESS.split())
        assert found.active == []
        if not markdown:
            assert found.policy == "default-src 'none';style-src 'unsafe-inline';img-src data:"
        seen = " ".join(found.words)
        assert "alert(" in seen, name
        assert "alert(" in text


def test_the_search_would_find_an_attack() -> None:
    """Each of the attacks, put into a page as it is."""
    for attack in (SCRIPT, BREAK, f'<p title="{HANDLER}">', '<a href="javascript:alert(1)">x</a>', "<iframe></iframe>"):
        found = Found(page("title", [], [attack]))
        assert found.active or not found.elements <= set(HARMLESS.split())
    shown = Found(markdown_it.MarkdownIt("commonmark", {"html": True}).render(f"{SCRIPT}\n\n[x](https://evil.example)"))
    assert shown.active
    assert "script" in shown.elements


def test_texts_of_a_picture_are_text() -> None:
    """Labels, titles and legends of matplotlib, within the SVG and in what a screen reader says."""
    figure = new_figure(30, 12)
    axes = figure.add_subplot()
    axes.plot([1, 2], label=BREAK)
    axes.set_title(SCRIPT)
    axes.set_xlabel(f"$\\alpha$ {HANDLER}")
    axes.set_xticks([0, 1], [LINK, CELL])
    axes.legend()
    found = Found(drawing(f"{HANDLER} {SCRIPT}", figure))
    assert found.active == []
    assert found.elements <= set(HARMLESS.split())
    assert sum("alert(" in word for word in found.words) >= 4
