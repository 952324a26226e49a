"""Markdown whose data are escaped, and the same as HTML."""

from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadsafety_components.core.document import bullets, document, to_html, within
from roadsafety_components.core.markdown import plain, table


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("first_road_class", "first_road_class"),  # within a name an underscore marks nothing
        ("_a_ *b* `c` [d] e|f ~g~", r"\_a\_ \*b\* \`c\` \[d\] e\|f \~g\~"),
        ("<script>&amp;", "&lt;script&gt;&amp;amp;"),
        ("two\nlines\t here", "two lines here"),
        ("# no heading", r"\# no heading"),
        ("## no heading", r"\## no heading"),
        ("- no item", r"\- no item"),
        ("1. no item", r"1\. no item"),
        ("> no quote", "&gt; no quote"),
        ("-0.5 to 0.5", "-0.5 to 0.5"),
        (12, "12"),
    ],
)
def test_data_reads_as_itself(data, text):
    """Marks are escaped where they would mark something."""
    assert plain(data) == text


def test_a_table():
    """Cells are data; a column is set off by bars that stand alone."""
    assert table(["name", "n"], [("a|b", 1)]) == "| name | n |\n| --- | --- |\n| a\\|b | 1 |"


def test_headings_with_nothing_below_are_left_out():
    """At any level; empty blocks are, too."""
    blocks = ["# Title", "## Empty", "### Empty too", "## Kept", "", "text", "### Kept\n\ninside", "## Last", " "]
    assert document(blocks) == "# Title\n\n## Kept\n\ntext\n\n### Kept\n\ninside\n"


def test_a_document_within_another():
    """Its headings are two levels lower; marks within a line are none."""
    assert within("# A\n\ntext # 1\n\n## B\n") == "### A\n\ntext # 1\n\n#### B"


def test_the_same_as_html():
    """Headings, paragraphs with bold, lists, warnings and tables."""
    text = document(
        ["## A_b", "**now** \\*not\\*", bullets(["one", "t\\_wo"]), "> Beware", table(["a", "b"], [("x|", "<y>")])]
    )
    assert to_html(text) == [
        "<h2>A_b</h2>",
        "<p><b>now</b> &#42;not&#42;",
        "<ul><li>one<li>t&#95;wo</ul>",
        '<p class="warning">Beware',
        '<div tabindex="0"><table><caption></caption><tr><th>a<th>b<tr><th>x|<td>&lt;y&gt;</table></div>',
    ]


@given(st.text(alphabet=st.sampled_from("ab1_*|\\<>&#;-.~[]`\"' \n"), max_size=12))
def test_whatever_the_data_a_page_shows_it_as_it_is(data):
    """Once through Markdown and HTML, in a paragraph and in a cell: the text on one line, and no tag."""
    line = " ".join(data.split())
    if not line:
        return
    (paragraph,) = to_html("a " + plain(line))
    assert unescape(paragraph.removeprefix("<p>")) == f"a {line}"
    assert "<" not in paragraph.removeprefix("<p>")
    (cells,) = to_html(table(["head"], [(line,)]))
    assert unescape(cells.partition("<tr><th>")[2].partition("<tr><th>")[2].removesuffix("</table></div>")) == line


def test_what_others_wrote_is_shown_as_text():
    """HTML in a record from elsewhere does nothing."""
    assert to_html("<script>alert(1)</script> **b**") == ["<p>&lt;script&gt;alert(1)&lt;/script&gt; <b>b</b>"]
