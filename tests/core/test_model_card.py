"""A card says what is known, says nothing of the rest, and is about one model."""

import re
from html import unescape
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from kfp.dsl import HTML, Dataset, Markdown, Model

from roadsafety_components.components.build_model_card import build_model_card as step
from roadsafety_components.core.errors import InputError
from roadsafety_components.core.estimators import Settings
from roadsafety_components.core.model import read_model
from roadsafety_components.core.model_card import Said, model_card
from roadsafety_components.core.model_writer import write_model
from roadsafety_components.core.results import results_table
from roadsafety_components.core.store import with_facts, write_dataset
from roadsafety_components.core.train import train_classifier

PLAIN = {"classes": ["benign", "malignant"], "features": ["radius", "texture"], "target_column": "diagnosis"}
ROADS = PLAIN | {
    "classes": ["ksi", "slight"],
    "features": ["speed_limit", "age_of_casualty", "age_of_vehicle"],
    "target_column": "ksi",
    "algorithm": "hist_gradient_boosting",
    "parameters": {"n_estimators": 70, "learning_rate": 0.06, "monotonic": {}, "weight_column": ""},
    "class_counts": {"ksi": 20, "slight": 180},
    "training_rows": 200,
    "training_data": "sha256:train",
    "unit": "casualty",
    "known_at": "involved",
    "years": [2014, 2015],
    "columns_left_out": {"date": "year stands for it", "time": "hour stands for it", "day": "year stands for it"},
    "features_left_out": {"collision_index": "an identifier"},
    "threshold": {
        "positive_class": "ksi", "value": 0.25, "chosen_for": "recall of 0.8", "recall": 0.81, "precision": 0.2,
    },
    "out_of_fold": {"roc_auc": 0.75, "folds": 5},
    "split": {"method": "group", "group_column": "collision_index", "shared_groups": 0},
    "versions": {"scikit-learn": "1.9.1"},
    "synthetic": False,
    "sha256": "sha256:model",
}  # fmt: skip
MADE_FROM = {"made_from": {"model": "sha256:model", "test_data": "sha256:test"}, "positive_class": "ksi"}
RESULTS = results_table(
    [
        ("test", "", "model", "roc_auc", 0.77, 0.75, 0.79, 100),
        ("test", "", "model", "brier", 0.08, 0.07, 0.09, 100),
        ("test", "", "baseline", "roc_auc", 0.7, 0.68, 0.72, 100),
        ("test", "", "no skill", "roc_auc", 0.5, 0.5, 0.5, 100),
        ("test", "", "no skill", "brier", 0.1, None, None, 100),
    ],
    MADE_FROM,
)
SUBGROUPS = results_table(
    [
        ("road_user", "pedestrian", "model", "roc_auc", 0.7, 0.6, 0.8, 40),
        ("road_user", "pedestrian", "model", "recall", 0.5, 0.4, 0.6, 40),
        ("road_user", "car occupant", "model", "roc_auc", 0.8, 0.7, 0.9, 60),
    ],
    MADE_FROM,
)
IMPORTANCE = with_facts(
    pa.table({
        "column": ["light", "speed_limit"], "importance": [0.01, 0.05], "low": [0.0, 0.04], "high": [0.02, 0.06],
        "meaning": ["street lighting", ""],
    }),
    {"figure": "average_precision"} | MADE_FROM,
)  # fmt: skip


def card(facts=ROADS, results=RESULTS, said=None, **more) -> str:
    """Return the Markdown of a card."""
    return model_card(facts, results, said or Said(), **more)[0]


def section(text: str, title: str) -> str:
    """Return what stands below a heading, up to the next one of its level or above."""
    marks = title.partition(" ")[0]
    return re.split(rf"^#{{1,{len(marks)}}} ", text.partition(f"{title}\n\n")[2], flags=re.MULTILINE)[0].strip()


def headings(text: str) -> list[str]:
    """Headings, in order."""
    return re.findall(r"^#+ .*", text, flags=re.MULTILINE)


# Content


def test_a_card_with_everything():
    """The sections of Mitchell et al., in order."""
    said = Said(
        "A card", "Ranking.", ["Deployment."], ["One year."], model_licence="Apache-2.0", contact="the road safety team"
    )
    record = "# Decision: promote\n\nfile sha256:model\n"
    text = card(said=said, subgroups=SUBGROUPS, importance=IMPORTANCE, decision_record=record)
    assert headings(text) == [
        "# A card", "## Model details", "## Intended use", "### Not for", "## Training data", "### Left out, and why",
        "## Evaluation data", "## Figures", "### By subgroup", "#### road user", "## What the model leans on",
        "## Features", "## Ethical considerations and limits", "## Decision record", "### Decision: promote",
        "## Licences", "## Versions and digests",
    ]  # fmt: skip
    assert section(text, "## Intended use").startswith("Ranking.")
    assert section(text, "### Not for").startswith("- Deployment.\n- Judging a person")
    assert section(text, "## Ethical considerations and limits").startswith("- One year.")
    assert "| contact | the road safety team |" in section(text, "## Model details")
    assert section(text, "## Decision record") == "### Decision: promote\n\nfile sha256:model"


def test_the_summary_stands_first():
    """What it tells of what, how well, and what no skill gives."""
    assert card().split("\n\n")[:2] == [
        "# Model card: ksi by hist gradient boosting",
        "Tells ksi (ksi, slight) of a casualty. On 100 rows that it has not seen: ROC-AUC 0.770 (0.750 to 0.790), no "
        "skill 0.500.",
    ]


def test_details():
    """Settings that are set, the threshold in words, what was measured on held-out rows."""
    assert section(card(), "## Model details") == "\n".join([
        "|  |  |",
        "| --- | --- |",
        "| algorithm | hist gradient boosting |",
        "| settings | n estimators 70, learning rate 0.06 |",
        "| classes | ksi, slight |",
        "| answer | ksi from a probability of 0.2500 on, chosen for recall of 0.8: on held-out training rows recall "
        "0.810, precision 0.200 |",
        "| features | 3 |",
        "| on held-out training rows | ROC-AUC 0.75, folds 5 |",
    ])  # fmt: skip


def test_the_training_data():
    """Rows, shares, years, what the model may know; columns left out, by reason."""
    text = section(card(), "## Training data")
    assert "| classes | ksi 20 (10.0%), slight 180 (90.0%) |" in text
    assert "| years | 2014, 2015 |" in text
    assert "| the model may know | what is known before a collision, and who and what was involved |" in text
    assert section(text, "### Left out, and why") == (
        "- an identifier: collision_index\n- hour stands for it: time\n- year stands for it: date, day"
    )


def test_figures_stand_beside_no_skill_and_baseline():
    """Intervals where there are any that say something."""
    assert section(card(), "## Figures") == "\n".join([
        "In brackets 95 % intervals. No skill gives every row the test's class shares.",
        "",
        "| figure | model | baseline | no skill |",
        "| --- | --- | --- | --- |",
        "| ROC-AUC | 0.770 (0.750 to 0.790) | 0.700 (0.680 to 0.720) | 0.500 |",
        "| brier (lower is better) | 0.080 (0.070 to 0.090) |  | 0.100 |",
    ])  # fmt: skip


def test_subgroups():
    """A table a column; a figure that a group does not have is empty."""
    assert section(card(subgroups=SUBGROUPS), "#### road user") == "\n".join([
        "| road user | rows | ROC-AUC | recall |",
        "| --- | --- | --- | --- |",
        "| pedestrian | 40 | 0.700 (0.600 to 0.800) | 0.500 (0.400 to 0.600) |",
        "| car occupant | 60 | 0.800 (0.700 to 0.900) |  |",
    ])  # fmt: skip


def test_what_the_model_leans_on():
    """The most important first, and that it is no cause."""
    text = section(card(importance=IMPORTANCE), "## What the model leans on")
    assert text.startswith(
        "What a shuffle of the column costs in average precision. This is association in the data, not"
    )
    assert text.endswith(
        "| speed limit | 0.0500 (0.0400 to 0.0600) |  |\n| light | 0.0100 (0.0000 to 0.0200) | street lighting |"
    )


# Data of other kinds


def test_a_model_of_other_data():
    """Nothing about roads, nothing unknown, no empty section."""
    results = results_table([("test", "", "model", "lift", 2.0, None, None, 57)], {})
    text, html = model_card(PLAIN, results, Said())
    assert headings(text) == [
        "# Model card: diagnosis by a classifier", "## Model details", "## Evaluation data", "## Figures",
        "## Features", "## Ethical considerations and limits",
    ]  # fmt: skip
    assert section(text, "## Ethical considerations and limits") == (
        "- What the model has learned is association, not cause; and it holds for rows like those that it was trained "
        "and tested on.\n- How good the model is for subgroups was not measured."
    )
    assert section(text, "## Figures") == "| figure | model |\n| --- | --- |\n| lift | 2.000 |"
    for word in ("None", " nan", "police", "Open Government", "In brackets"):
        assert word not in text + html


def test_the_licence_of_the_data():
    """The Open Government Licence for police records; none for generated ones; any that is named."""
    assert section(card(), "## Licences").startswith("- Data: Open Government Licence v3.0. Contains public sector")
    assert "## Licences" not in card(ROADS | {"synthetic": True})
    assert (
        section(card(PLAIN | {"sha256": "sha256:model"}, said=Said(data_licence="CC BY 4.0")), "## Licences")
        == "- Data: CC BY 4.0"
    )


@pytest.mark.parametrize(
    ("years", "told"),
    [
        ([2014, 2015], "The training years are before that: later records have more of the severer classes."),
        ([2015, 2016], "The training years lie on both sides of that."),
        ([2016, 2024], ""),
        ([], ""),
    ],
)
def test_limits_of_police_records(years, told):
    """Under-reporting, and the change in how severity is recorded, by the years of the training."""
    text = section(card(ROADS | {"years": years}), "## Ethical considerations and limits")
    assert "are never reported" in text
    assert ("The training years" in text) == bool(told)
    assert told in text


def test_features_about_people_are_named():
    """The age of a person is one, that of a vehicle is not."""
    text = section(card(), "## Ethical considerations and limits")
    assert "- Features about people (age_of_casualty) also say whom" in text
    assert "Features about people" not in card(ROADS | {"features": ["speed_limit", "age_of_vehicle"]})


def test_warnings_stand_on_top():
    """Generated rows, a leaking split, features that tell too much, a test on the training rows."""
    facts = ROADS | {
        "synthetic": True, "suspected_leaks": {"outcome_code": 0.9991},
        "split": {"method": "row_leaky", "group_column": "collision_index", "shared_groups": 7},
    }  # fmt: skip
    text, html = model_card(facts, with_facts(RESULTS, {"made_from": {"test_data": "sha256:train"}}), Said())
    warnings = [line for line in text.split("\n") if line.startswith("> ")]
    assert [w.split(":")[0] for w in warnings] == [
        "> SYNTHETIC DATA", "> LEAKING SPLIT (row_leaky)", "> TRAINING DATA", "> POSSIBLE LEAK",
    ]  # fmt: skip
    assert "outcome_code (0.999)" in warnings[-1]
    assert html.count('<p class="warning">') == 4


# Form


def test_everything_is_escaped():
    """In Markdown and on the page."""
    bad = "*x*|<script>alert(1)</script>"
    facts = ROADS | {"features": [bad], "classes": [bad, "slight"], "columns_left_out": {bad: bad}, "unit": bad}
    subgroups = results_table([(bad, bad, "model", "roc_auc", 0.7, None, None, 1)], {})
    text, html = model_card(facts, RESULTS, Said(bad, bad, [bad], [bad], bad, bad, bad), subgroups)
    assert "<" not in text
    assert "<script" not in html
    assert "\n# \\*x\\*\\|&lt;script&gt;" in f"\n{text}"
    assert "*x*|&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_the_page_tells_the_same():
    """Every heading and every cell of the Markdown stands on the page, once written as data."""
    text, html = model_card(ROADS, RESULTS, Said(), SUBGROUPS, IMPORTANCE)
    assert html.startswith("<!DOCTYPE html>")
    assert re.findall("<h[1-6]>(.*?)</h", html) == [h.lstrip("# ") for h in headings(text)]
    cells = [c.strip() for line in text.split("\n") if line.startswith("| ") for c in line.split("|")[1:-1]]
    assert len(cells) > 50
    shown = unescape(html).replace("\n", "<")
    assert [c for c in cells if c not in ("", "---") and f">{c.replace(chr(92), '')}<" not in shown] == []


def test_the_same_inputs_give_the_same_card():
    """No date, no order by chance."""
    assert model_card(ROADS, RESULTS, Said(), SUBGROUPS) == model_card(ROADS, RESULTS, Said(), SUBGROUPS)


# What is refused


def test_figures_of_another_model_are_refused():
    """The digest of the model that they were made with is in them."""
    other = with_facts(RESULTS, {"made_from": {"model": "sha256:other"}})
    message = (
        r"^results is about another model \(sha256:other\) than this \(sha256:model\); give what was made with this"
    )
    with pytest.raises(InputError, match=message):
        card(results=other)
    with pytest.raises(InputError, match=r"^subgroup_results is about another model"):
        card(subgroups=other)
    with pytest.raises(InputError, match=r"^decision_record does not name this model's file"):
        card(decision_record="# Decision\n\nfile sha256:other")


def test_tables_need_their_columns():
    """The message names what is lacking and what is there."""
    with pytest.raises(
        InputError, match=r"^results has no column low, high; it has part, group, model, figure, value, rows\."
    ):
        card(results=RESULTS.drop_columns(["low", "high"]))
    with pytest.raises(InputError, match=r"^importance has no column meaning; "):
        card(importance=IMPORTANCE.drop_columns("meaning"))


# The step


def test_the_step_writes_card_and_page(tmp_path: Path):
    """From files; the model's digest ties the figures to it."""
    speed = np.random.default_rng(0).integers(20, 70, 120)
    table = pa.table({"speed": speed, "ksi": np.where(speed > 50, "ksi", "slight")})
    model, facts = train_classifier(table, "ksi", Settings("random_forest", n_estimators=5))[:2]
    write_model(model, facts, tmp_path / "model")
    digest = read_model(tmp_path / "model")[1]["sha256"]
    results = with_facts(RESULTS, {"made_from": {"model": digest}})
    write_dataset(results, tmp_path / "results")
    (tmp_path / "record").write_text(f"# Decision: keep\n\nchampion: file {digest}\n")
    card, page = Markdown(uri=str(tmp_path / "out" / "card")), HTML(uri=str(tmp_path / "out" / "page"))
    step.python_func(
        Model(uri=str(tmp_path / "model")), Dataset(uri=str(tmp_path / "results")), card, page,
        decision_record=Markdown(uri=str(tmp_path / "record")), title="Speed", intended_use="Teaching.",
    )  # fmt: skip
    text = Path(card.path).read_text()
    assert text.startswith("# Speed\n\nTells ksi (ksi, slight) of a row.")
    assert "### Decision: keep" in text
    assert f"| model file | {digest} |" in text
    assert "<title>Speed</title>" in Path(page.path).read_text()
