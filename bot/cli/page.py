"""Pages that need nothing beside them: parts of HTML in Chinese and English, with everything inline.

A page is written once for each language; a link changes between them, and a reader whose browser speaks Chinese begins
there. What runs is one script, and what may run is its hash: texts of customers stand on these pages.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Protocol

Both = tuple[str, str]
"""The same in English and in Chinese."""


class Tell(Protocol):
    """Chooses between English and Chinese."""

    def __call__(self, en: str, zh: str, /) -> str: ...


def english(en: str, zh: str, /) -> str:
    return en


def chinese(en: str, zh: str, /) -> str:
    return zh


LANGUAGES: dict[str, Tell] = {"zh": chinese, "en": english}
"""In the order in which they stand on the page: the style shows the first where the address names it."""


def document(title: Both, about: Both, parts: Callable[[Tell], Iterable[str]]) -> str:
    """A whole page; `about` is one line under the title."""
    style, script = _asset("page.css"), _asset("page.js")
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    bodies = "\n".join(_body(lang, tell, title, about, parts(tell)) for lang, tell in LANGUAGES.items())
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{escape(title[0])}</title>\n<style>{style}</style>\n</head>\n<body>\n{bodies}\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _body(lang: str, tell: Tell, title: Both, about: Both, parts: Iterable[str]) -> str:
    other = (
        '<a class="lang" href="#zh" lang="zh">中文</a>',
        '<a class="lang" href="#en" lang="en">English</a>',
    )
    inner = "\n".join(parts)
    return (
        f'<main id="{lang}" lang="{lang}">\n{tell(*other)}\n<h1>{escape(tell(*title))}</h1>\n'
        f'<p class="soft">{escape(tell(*about))}</p>\n{inner}\n</main>'
    )


@cache
def _asset(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def section(title: str, *parts: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n" + "\n".join(parts) + "\n</section>"


def heading(title: str) -> str:
    """Of a part of a section."""
    return f"<h3>{escape(title)}</h3>"


def paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"


def points(texts: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>"


def to_know_first(notes: Sequence[Both], tell: Tell) -> Iterator[str]:
    """What a reader should know ahead of all figures, as it was said on the terminal; nothing of nothing."""
    if notes:
        yield section(tell("To know first", "先读这里"), points(tell(*note) for note in notes))


def cards(figures: Iterable[Sequence[str]]) -> str:
    """(value, what it is, more of it ...) each."""
    inner = "".join(
        f'<div class="card"><b>{escape(value)}</b>{"".join(f"<span>{escape(name)}</span>" for name in names)}</div>'
        for value, *names in figures
    )
    return f'<div class="cards">{inner}</div>'


class Drawn(str):
    """HTML that is put into a cell as it is; every other cell is a text."""

    __slots__ = ()


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = (), search: str = ""
) -> str:
    """`numbers`: columns that are set to the right. With `search`, the words of its field, readers can sort it too."""
    right = set(numbers)
    top = "".join(_head(name, _side(place, right)) for place, name in enumerate(head))
    lines = ("".join(_cell(cell, _side(place, right)) for place, cell in enumerate(row)) for row in rows)
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    more = f' data-search="{escape(search)}"' if search else ""
    return wide(f"<table{more}><thead><tr>{top}</tr></thead><tbody>\n{body}</tbody></table>")


def wide(inner: str) -> str:
    """What may be wider than a phone scrolls by itself, by keyboard too."""
    return f'<div class="wide" tabindex="0">{inner}</div>'


def _head(name: str, side: str) -> str:
    return f'<th scope="col"{side}>{escape(name)}</th>' if name else f"<td{side}></td>"


def _side(place: int, right: set[int]) -> str:
    return ' class="n"' if place in right else ""


def _cell(cell: str, side: str) -> str:
    return f"<td{side}>{cell if isinstance(cell, Drawn) else broken(cell)}</td>"


def broken(text: str) -> str:
    """Escaped; a long name may be broken after an underscore."""
    return escape(text).replace("_", "_<wbr>")


def lines(texts: Iterable[str]) -> Drawn:
    """Texts of one cell, one below the other."""
    return Drawn(f'<div class="texts">{"<br>".join(map(escape, texts))}</div>')


def kept(text: str) -> Drawn:
    """On one line, however narrow the screen."""
    return Drawn(f'<span class="keep">{escape(text)}</span>')


def percent(share: float | None) -> str:
    """Without its sign; nothing for nothing."""
    return "" if share is None else f"{100 * share:.1f}"


def data_files(files: dict[str, dict[str, object]], tell: Tell) -> str:
    rows = [
        (name, str(data["file"]), str(data["rows"]), str(data["used"]), str(data["sha256"]))
        for name, data in files.items()
    ]
    head = ("", tell("file", "文件"), tell("rows", "行数"), tell("used", "采用"), "SHA-256")
    return table(head, rows, numbers=(2, 3))
