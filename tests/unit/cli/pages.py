"""Pages read back: what they are made of, and whether a browser has to guess."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

VOID = {"meta", "br", "wbr", "input"}
DRAWN_EMPTY = {"rect", "circle", "line", "polyline"}
"""Closed in themselves."""


class Tags(HTMLParser):
    """What a page is made of; `trouble`: tags that close what is not open, or stay open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.trouble: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        self.trouble += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in DRAWN_EMPTY:
            self.trouble.append(f"<{tag}/>")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.trouble.append(f"</{tag}>")


def check(page: str) -> None:
    """It needs nothing beside it, says the same in both languages, and runs one script, the one that it allows."""
    tags = Tags(page)
    assert tags.trouble == []
    assert not {"link", "img", "iframe", "object"} & {tag for tag, _ in tags.found}
    places = [attributes[key] for _, attributes in tags.found for key in ("src", "href") if key in attributes]
    assert sorted(map(str, places)) == ["#en", "#zh"]
    assert not [
        tag for tag, attributes in tags.found if any(a.startswith(("on", "style")) for a in attributes)
    ]
    assert re.search(r"url\(|@import|https?:", page) is None
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert (len(scripts), len(styles)) == (1, 1)
    policy = next(str(a["content"]) for tag, a in tags.found if tag == "meta" and "http-equiv" in a)
    assert policy.startswith("default-src 'none';")
    for part in (*scripts, *styles):
        assert base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() in policy
    zh, en = (re.sub(r".*<main", "<main", half, flags=re.DOTALL) for half in page.split("</main>")[:2])
    assert [tag for tag, _ in Tags(f"{zh}</main>").found] == [tag for tag, _ in Tags(f"{en}</main>").found]
    assert re.search("[\u4e00-\u9fff]", zh)


def to_know_first(page: str) -> tuple[list[str], list[str]]:
    """The notes on top of a page, as they stand in its Chinese and in its English half."""
    zh, en = page.split("</main>")[:2]
    lists = (
        half.partition(title)[2].partition("</ul>")[0]
        for half, title in ((zh, "先读这里"), (en, "To know first"))
    )
    one, other = (re.findall("<li>(.*?)</li>", inner) for inner in lists)
    return one, other
