"""Markdown: rendered, and read as the page it becomes; raw HTML in it has no more rights than elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bot.documents.encoding import decoded
from bot.documents.html import blocks_of
from bot.documents.model import Block, Heading

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title:[ \t]*[\"']?(.*?)[\"']?[ \t]*$", re.MULTILINE)


def read_markdown(path: Path) -> Iterator[Block]:
    from markdown_it import MarkdownIt

    text = decoded(path.read_bytes()).replace("\r\n", "\n")
    if front := _FRONT.match(text):
        text = text[front.end() :]
        if title := _TITLE.search(front.group(1)):
            yield Heading(0, title.group(1))
    yield from blocks_of(MarkdownIt("commonmark").enable("table").render(text))
