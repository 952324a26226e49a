"""Documents of Markdown blocks, and the same as HTML."""

import re
from collections.abc import Iterable
from html import unescape

from roadsafety_components.core import page

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def bullets(items: Iterable[str]) -> str:
    """A list; the items are Markdown."""
    return "\n".join(f"- {item}" for item in items)


def document(blocks: Iterable[str]) -> str:
    """Blocks one after the other; empty ones, and headings with nothing below them, are left out."""
    kept: list[str] = []
    for block in [*filter(None, map(str.strip, blocks)), "# "]:  # the last stands for the end
        while kept and 0 < _level(block) <= _level(kept[-1]):
            kept.pop()
        kept.append(block)
    return "\n\n".join(kept[:-1]) + "\n"


def within(text: str) -> str:
    """A document to stand in a section of another: its headings are lowered by two levels."""
    return re.sub(r"^(?=#{1,4} )", "##", text.strip(), flags=re.MULTILINE)


def to_html(text: str) -> list[str]:
    """Headings, lists, tables, quotes (as warnings), bold and paragraphs as HTML; anything else is shown as text."""
    return [_block(block) for block in re.split(r"\n\s*\n", text.strip())]


def _level(block: str) -> int:
    """Of a heading 1 to 6, else 0."""
    found = re.match("(#{1,6}) [^\n]*$", block)
    return len(found[1]) if found else 0


def _block(block: str) -> str:
    lines = block.split("\n")
    if level := _level(block):
        return f"<h{level}>{_inline(block[level + 1 :])}</h{level}>"
    if all(line.startswith("- ") for line in lines):
        return "<ul>" + "".join(f"<li>{_inline(line[2:])}" for line in lines) + "</ul>"
    if len(lines) > 2 and all(line.startswith("|") for line in lines):
        head, _, *rows = ([_data(c) for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines)
        return page.table("", head, rows)
    return f'<p class="warning">{_inline(block[2:])}' if block.startswith("> ") else f"<p>{_inline(block)}"


def _inline(text: str) -> str:
    text = _ESCAPED.sub(lambda m: f"&#{ord(m[1])};", text).replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)


def _data(cell: str) -> str:
    return unescape(_ESCAPED.sub(r"\1", cell.strip()))
