"""HTML: what a reader of the page would see of its matter, without what only surrounds it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement, PreformattedString

from bot.documents.encoding import decoded
from bot.documents.model import Address, Block, Heading, Text
from bot.documents.passages import WIDE
from bot.documents.tables import ended, readable

_DROPPED = [
    *("script", "style", "nav", "template", "noscript", "footer", "aside", "iframe", "object", "embed", "svg"),
    *("math", "canvas", "audio", "video", "button", "select", "input", "textarea", "datalist", "menu"),
]  # fmt: skip
_BLOCKS = {
    *("p", "div", "section", "article", "main", "header", "body", "html", "blockquote", "pre", "address", "center"),
    *("ul", "ol", "li", "dl", "dt", "dd", "figure", "figcaption", "details", "summary", "fieldset", "hr", "td", "th"),
}  # fmt: skip
_HEADING = re.compile(r"h[1-6]")
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|font-size\s*:\s*0(?![.\d])", re.I
)
_CHINESE_BREAK = re.compile(f"(?<=[{WIDE}])[ \\t]*\\r?\\n[ \\t]*(?=[{WIDE}])")
_WEB = re.compile(r"https?://[^\s<>\"]{1,1900}")


def read_html(path: Path) -> Iterator[Block]:
    yield from blocks_of(decoded(path.read_bytes()))


def blocks_of(markup: str) -> Iterator[Block]:
    soup = BeautifulSoup(markup, "lxml")
    if soup.title and (title := soup.title.get_text()):
        yield Heading(0, title)
    link = soup.find("link", rel="canonical", href=_WEB)
    if isinstance(link, Tag):
        yield Address(str(link["href"]).strip())
    for element in soup.find_all([*_DROPPED, "head"]):
        element.decompose()
    for element in soup.find_all(_hidden):
        if not element.decomposed:
            element.decompose()
    yield from _walk(soup.find("main") or soup.find(role="main") or soup)


def _hidden(tag: Tag) -> bool:
    return (
        tag.has_attr("hidden")
        or tag.get("aria-hidden") == "true"
        or tag.get("role") in ("navigation", "search", "banner", "contentinfo")
        or (tag.name == "dialog" and not tag.has_attr("open"))
        or bool(_HIDDEN_STYLE.search(str(tag.get("style", ""))))
    )


def _walk(root: PageElement) -> Iterator[Block]:
    """In order, without recursion: pages may be nested as deep as they like."""
    words: list[str] = []
    stack: list[PageElement | str] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Tag):
            name = node.name
            if name == "br":
                words.append("\n")
            elif name == "table" and not node.find("table"):
                yield from _flush(words)
                yield from map(Text, _rows(node))
            elif _HEADING.fullmatch(name):
                yield from _flush(words)
                yield Heading(int(name[1]), node.get_text(" "))
            else:
                if name in _BLOCKS or name in ("tr", "table"):
                    yield from _flush(words)
                    stack.append("item" if name == "li" else "end")
                stack += reversed(node.contents)
                if name == "li" and (mark := _number(node)):
                    words.append(mark)
        elif isinstance(node, NavigableString):
            if not isinstance(node, PreformattedString):
                words.append(str(node) if node.find_parent("pre") else _folded(node))
        elif isinstance(node, str):
            yield from _flush(words, item=node == "item")
    yield from _flush(words)


def _folded(text: str) -> str:
    """Blanks as a page shows them; a line end between Chinese letters stands for none."""
    return re.sub(r"\s+", " ", _CHINESE_BREAK.sub("", text))


def _flush(words: list[str], *, item: bool = False) -> Iterator[Text]:
    text = "".join(words).strip()
    words.clear()
    if text:
        yield Text(ended(text) if item else text)


def _number(item: Tag) -> str:
    """The number of an item in an ordered list."""
    if item.parent is None or item.parent.name != "ol":
        return ""
    before = item.find_previous_siblings("li")
    return f"{len(before) + 1}. "


def _rows(table: Tag) -> Iterator[str]:
    rows = [row.find_all(["td", "th"]) for row in table.find_all("tr")]
    texts = [[cell.get_text(" ").strip() for cell in row] for row in rows]
    named = bool(rows) and bool(rows[0]) and all(cell.name == "th" for cell in rows[0])
    yield from readable(texts[1:], head=texts[0]) if named else readable(texts)
