"""/sources/{id}: a passage that an answer cites, shown in its document. For everybody who has its address.

The page is made from what the bot knows now: what was taken out of the knowledge, is no longer valid or is for some
customers alone is not shown, whoever asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from string import Template

from aiohttp import hdrs, web

from bot.api.site import PLAIN, files
from bot.clock import Clock
from bot.definition.prose import JOINT
from bot.engine.desk import Mind
from bot.engine.draft import SOURCES, is_public
from bot.engine.passages import sayable
from retrieval.sections import document, place, section_of
from retrieval.types import Entry

HEADERS = {
    hdrs.CACHE_CONTROL: "no-store",
    hdrs.VARY: hdrs.ACCEPT_LANGUAGE,
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
"""Stricter than other pages': nothing runs here, and nobody learns the address by a link."""
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "cited": "The answer cites this",
        "page": "page {}",
        "note": "This is the text as the assistant read it from the document, with what stands around it in its "
        "section. Pictures and layout are left out.",
        "gone": "This source is not there any more",
        "why": "It was taken out or changed, or the address is incomplete. Ask again in the chat: answers name the "
        "sources of today.",
    },
    "zh": {
        "cited": "回答引用了这一段",
        "page": "第 {} 页",
        "note": "这是机器人从文档中读到的文字，连同它在本节中的前后文；图片和版式未保留。",
        "gone": "该来源已不存在",
        "why": "它可能已被删除或修改，或者网址不完整。请在对话中重新提问，新的回答会给出当前的来源。",
    },
}
LOCALES = {"en": "en", "zh": "zh-CN"}
_WISH = re.compile(r"(?:^|,)\s*(en|zh)\b", re.IGNORECASE)


def source_routes(mind: Mind, clock: Clock) -> list[web.RouteDef]:
    template = Template((PLAIN / "source.html").read_text(encoding="utf-8"))

    async def show(request: web.Request) -> web.StreamResponse:
        passages = _found(mind, request.match_info["id"], clock.now().date())
        wish = _WISH.search(request.headers.get(hdrs.ACCEPT_LANGUAGE, ""))
        lang = wish[1].lower() if wish else (passages[0].lang if passages else "en")
        said = _page(passages, request.match_info["id"], lang) if passages else _gone(lang)
        text, status = template.substitute(said), 200 if passages else 404
        return web.Response(text=text, status=status, content_type="text/html", headers=HEADERS)

    styles = web.get(f"{SOURCES}{{name:(?:base|source)\\.css}}", files(PLAIN))
    return [styles, web.get(f"{SOURCES}{{id}}", show)]


def _found(mind: Mind, id: str, today: date) -> Sequence[Entry]:
    """The section of the passage, as customers may read it; nothing where the passage itself is not to be shown."""
    live = mind.current()
    entry = live.by_id.get(id)
    if entry is None or document(entry) is None:
        return ()
    section = [said for one in live.bundle.section(entry) if (said := _shown(one, today)) is not None]
    return section if any(one.id == id for one in section) else ()


def _shown(entry: Entry, today: date) -> Entry | None:
    valid = (entry.valid_from or date.min) <= today <= (entry.valid_to or date.max)
    return sayable(entry) if valid and is_public(entry) else None


def _page(passages: Sequence[Entry], cited: str, lang: str) -> dict[str, str]:
    """What stands on it, as HTML."""
    first, words = next(one for one in passages if one.id == cited), WORDS[lang]
    *above, title = section_of(first).split(JOINT)
    at = place(first)
    page = at.removeprefix("page=")
    file = (document(first) or "", words["page"].format(page) if page != at else "")
    spoken = f' lang="{LOCALES.get(first.lang, "en")}"'
    path = f'<p class="path"{spoken}>{escape(JOINT.join(above))}</p>' if above else ""
    return {
        "lang": LOCALES[lang],
        "title": escape(title),
        "file": escape(" · ".join(part for part in file if part)),
        "path": path,
        "spoken": spoken,
        "passages": "\n".join(_passage(one, words, lang, cited=one.id == cited) for one in passages),
        "note": escape(words["note"]),
    }


def _passage(entry: Entry, words: Mapping[str, str], lang: str, *, cited: bool) -> str:
    lines = "".join(f"<p>{escape(line)}</p>" for line in entry.answer.split("\n"))
    if not cited:
        return f"<section>{lines}</section>"
    head = f'<h2 lang="{LOCALES[lang]}">{escape(words["cited"])}</h2>'
    return f'<section class="cited">{head}{lines}</section>'


def _gone(lang: str) -> dict[str, str]:
    words = {name: escape(text) for name, text in WORDS[lang].items()}
    return {
        "lang": LOCALES[lang],
        "title": words["gone"],
        "file": "",
        "path": "",
        "spoken": "",
        "passages": f"<p>{words['why']}</p>",
        "note": "",
    }
