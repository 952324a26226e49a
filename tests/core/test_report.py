"""The page that people read: what it says, what it escapes, and that it stands alone."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from roadsafety_components.core.evaluate import Evaluation
from roadsafety_components.core.report import evaluation_report

FACTS = {
    "algorithm": "random_forest",
    "class_counts": {"ksi": 30, "slight": 70},
    "features": [f"feature_{i}" for i in range(12)],
    "columns_left_out": {f"column_{i}": "it is known only after" for i in range(10)},
    "split": {"method": "group", "group_column": "collision_index", "shared_groups": 0},
    "versions": {"scikit-learn": "1.8.0"},
    "training_data": "sha256:0a1b",
    "training_rows": 100,
    "synthetic": False,
}


def evaluated(classes: tuple[str, str] = ("ksi", "slight"), **changes) -> Evaluation:
    """Ten rows, three of them of the first class, written out."""
    first, second = classes
    figures = ("balanced_accuracy", "macro_f1", "roc_auc", "average_precision", "accuracy", "micro_f1", "log_loss")
    curve = {"fpr": [0.0, 0.5, 1.0], "tpr": [0.0, 0.75, 1.0], "threshold": [1.0, 0.5, 0.0]}
    curve |= {"recall": [1.0, 0.5, 0.0], "precision": [0.3, 0.5, 1.0]}
    scores = {"precision": 0.5, "recall": 1 / 3, "f1": 0.4, "roc_auc": 0.625, "average_precision": 0.45}
    model = {name: (0.7, 0.6, 0.8) for name in figures} | {"calibration_slope": (0.9,)}
    blind = {name: (0.5,) for name in figures} | {"macro_f1": (0.412,), "accuracy": (0.7,), "micro_f1": (0.7,)}
    whole = Evaluation(
        target_column="severity",
        classes=[first, second],
        positive_class=first,
        majority_class=second,
        rows=10,
        figures={
            "model": model | {"balanced_accuracy": (0.6, 0.5, 0.65), "roc_auc": (0.625, 0.5, 0.75)},
            "no skill": blind,
        },
        per_class={first: scores | {"support": 3.0}, second: scores | {"support": 7.0}},
        confusion=[[1, 2], [1, 6]],
        curves={first: curve, second: curve},
        calibration={c: [(0.1, 0.2, 5.0), (0.6, 0.4, 5.0)] for c in classes},
        histogram={c: [1] * 10 + [0] * 10 for c in classes},
        model_facts=FACTS | {"class_counts": {first: 30, second: 70}},
        data_facts={"split": FACTS["split"], "part": "test"},
        warnings=[],
        notes=["The positive class is the rarer."],
    )
    return replace(whole, **changes)


class Cells(HTMLParser):
    """Text of every table's cells."""

    def __init__(self, page: str):
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Begin a table, a row or a cell; a break within a cell is a space."""
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self.inside = True
        elif tag in ("br", "small") and self.inside:
            self.tables[-1][-1][-1] += " "

    def handle_endtag(self, tag):
        """Only the end of a table is written."""
        self.inside = self.inside and tag != "table"

    def handle_data(self, data):
        """Text of a cell."""
        if self.inside:
            self.tables[-1][-1][-1] += data


PAGE = evaluation_report(evaluated())


def test_the_verdict_compares_with_blind_answers():
    """One sentence: chance, the commonest class and the ranking beside the model's figures."""
    assert (
        "<b>The model&#x27;s answers weakly separate the classes: balanced accuracy 0.600 (chance 0.500), "
        "accuracy 0.700 (always slight: 0.700), ROC-AUC 0.625 (0.500).</b>"
    ) in PAGE


@pytest.mark.parametrize(
    ("balanced", "word"), [(0.51, "hardly"), (0.4, "hardly"), (0.6, "weakly"), (0.75, "partly"), (0.9, "clearly")]
)
def test_the_word_follows_balanced_accuracy(balanced, word):
    """By the part of the way from chance, 0.5, to 1."""
    figures = evaluated().figures
    figures["model"]["balanced_accuracy"] = (balanced,)
    assert f"answers {word} separate the classes" in evaluation_report(evaluated(figures=figures))


def test_tables():
    """Figures beside those of blind answers; shares with counts; each class; facts."""
    figures, confusion, classes, model, data = Cells(PAGE).tables
    assert figures[0] == ["figure", "model", "no skill", "meaning"]
    assert figures[3][:3] == ["ROC-AUC", "0.625 0.500\xa0to\xa00.750", "0.500"]
    assert figures[-1][:3] == ["calibration slope", "0.900", ""]
    assert len(figures) == 9
    assert confusion == [
        ["true class", "answer ksi", "answer slight"],
        ["ksi", "33.3% 1", "66.7% 2"],
        ["slight", "14.3% 1", "85.7% 6"],
    ]
    assert classes[:2] == [
        ["class", "training rows", "test rows", "precision", "recall", "F1", "ROC-AUC", "average precision"],
        ["ksi", "30.0% 30", "30.0% 3", "0.500", "0.333", "0.400", "0.625", "0.450"],
    ]
    assert ["split", "method: group group_column: collision_index shared_groups: 0"] in model
    assert ["training data", "sha256:0a1b"] in model
    assert data[1:] == [["part", "test"]]


def test_a_baseline_has_columns_of_its_own():
    """Beside no skill, and the difference with its sign; neither -0.000."""
    figures = evaluated().figures
    figures |= {"baseline": {"roc_auc": (0.6, 0.5, 0.7)}, "model minus baseline": {"roc_auc": (0.025, -0.0001, 0.05)}}
    table = Cells(evaluation_report(evaluated(figures=figures))).tables[0]
    assert table[0] == ["figure", "model", "no skill", "baseline", "model minus baseline", "meaning"]
    assert table[3][3:5] == ["0.600 0.500\xa0to\xa00.700", "+0.025 +0.000\xa0to\xa0+0.050"]
    assert table[1][3:5] == ["", ""]


def test_long_facts_are_folded():
    """Features, and the columns left out with their reasons, open at a click."""
    assert "<th>features<td><details><summary>12 entries</summary>feature_0<br>feature_1<br>" in PAGE
    assert "<summary>10 entries</summary>column_0: it is known only after<br>" in PAGE


def test_why_micro_f1_flatters():
    """What blind answers score in it stands beside what they score in macro-F1."""
    page = " ".join(PAGE.split())
    assert "Micro-F1 is the accuracy, and flatters: always slight scores 0.700. " in page
    assert "Macro-F1 weighs all classes alike and gives that 0.412." in page


def test_warnings_come_before_the_verdict_and_notes_are_told():
    """A reader sees that the figures mislead before the figures."""
    page = evaluation_report(evaluated(warnings=["SYNTHETIC DATA: rows are generated.", "LEAKING SPLIT: 7 values."]))
    assert '<p class="warning">SYNTHETIC DATA: rows are generated.' in page
    assert page.index("SYNTHETIC DATA") < page.index("LEAKING SPLIT") < page.index("The model&#x27;s answers")
    assert "<p>The positive class is the rarer." in page


def test_without_warnings_there_is_no_banner():
    """The style for one is not yet one."""
    assert "<p class=" not in PAGE


def test_pictures():
    """ROC, precision and recall, calibration of the positive class: SVG with a name, text as text, no ids shared."""
    assert re.findall(r'aria-label="([^"]*)"', PAGE) == ["ROC curve", "Precision and recall", "Calibration: ksi"]
    assert PAGE.count("<svg ") == PAGE.count("</svg>") == 3
    assert ">2 bins of 5 rows or more</text>" in PAGE
    defined = re.findall(r'<(?:path|clipPath) id="(\w+)"', PAGE)
    assert len(defined) == len(set(defined))
    assert {f"#{name}" for name in defined} == set(re.findall(r"#[mpC][0-9a-z_]{8,}", PAGE))


def test_more_than_two_classes_are_each_drawn():
    """A curve each in the first two pictures, a calibration each."""
    two = evaluated()
    per_class = two.per_class | {"fatal": {"support": 0.0, "precision": 0.0}}
    three = evaluated(classes=("ksi", "slight"), positive_class="", per_class=per_class, confusion=[[1, 2, 0]] * 3)
    three = replace(three, classes=["ksi", "slight", "fatal"])
    page = evaluation_report(three)
    assert "<h2>Probabilities: ksi, slight</h2>" in page
    assert page.count("Calibration: ") == 4  # a label and a title each
    assert ["fatal", "0.0% 0", "0.0% 0", "0.000", *["none"] * 4] in Cells(page).tables[2]


def test_what_comes_from_data_is_escaped():
    """Names of classes, facts and notes are text on the page, in its pictures too."""
    evil = "<script>alert('1')</script>--><b>"
    facts = FACTS | {"algorithm": evil, evil: evil, "class_counts": {evil: 1}, "features": [evil] * 12}
    page = evaluation_report(
        evaluated((evil, "slight"), target_column=evil, model_facts=facts, warnings=[evil], notes=[evil])
    )
    assert "<script" not in page
    assert "--><b>" not in page
    assert "&lt;script&gt;alert(" in page


def test_class_names_are_drawn_as_they_are():
    """Neither formulas nor hidden labels: Matplotlib would set $..$ and leave out what begins with an underscore."""
    assert ">0.625 _$x^2$</text>" in evaluation_report(evaluated(("_$x^2$", "slight")))


def test_the_same_evaluation_gives_the_same_page():
    """No time stamps, no random ids."""
    assert evaluation_report(evaluated()) == PAGE


def test_the_page_stands_alone():
    """Nothing is fetched and nothing runs: no address, no script, no picture but those inside."""
    assert "://" not in PAGE
    assert not re.search(r"<(script|link|img|iframe|object)|@import|url\((?!#)", PAGE)
    assert PAGE.replace("\xa0", " ").isascii()
    assert PAGE.startswith('<!DOCTYPE html><html lang="en"><meta charset="utf-8">')
