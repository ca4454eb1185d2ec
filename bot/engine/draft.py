"""From a decision to what is said: text, buttons, sources. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain

from bot.domain.decision import REFUSE, Answer, Handoff
from bot.engine.desk import Voice
from bot.inference.generator import cited, gap
from bot.inference.grounding.differ import Difference
from connectors.port import Citation, QuickReply
from retrieval.sections import document, place
from retrieval.text import normalise, script_lang
from retrieval.types import Entry

ENTRY = "entry:"
PERSON = "person"
NONE = "none"
"""Values of quick replies, as they come back in `Inbound.choice`."""

WIDGET_ASKS = ("转人工", "I would like to talk to a person")
"""What the chat widget says for a customer who presses its own button for a person (web/widget/strings.ts)."""

SOURCES = "/sources/"
"""Below it a passage is shown in its document, by the entry's id (`bot.api.source_page`). Relative to the server: only
who connects to it knows under which address that is.
"""

SNIPPET = 160
"""Characters of an answer that a citation shows."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A reply before it is committed. `topic`: key of the answer given, for messages that lean on it."""

    text: str
    quick_replies: tuple[QuickReply, ...] = ()
    citations: tuple[Citation, ...] = ()
    rateable: bool = False
    topic: str | None = None
    escalation: str | None = None
    """Reason of a hand-off that is committed with the reply."""


def say(voice: Voice, name: str, lang: str, *, turn: str, person: bool = False) -> Draft:
    """A stored response; the same turn always says the same variant."""
    variants = voice.response(name, lang)
    text = variants[sum(turn.encode()) % len(variants)]
    return Draft(text, quick_replies=(person_button(voice, lang),) if person else ())


def person_button(voice: Voice, lang: str) -> QuickReply:
    return QuickReply(voice.response("offer_person", lang)[0], PERSON)


def asks_for_person(voice: Voice, text: str) -> bool:
    """The very words of a button for a person: there is nothing to guess."""
    return normalise(text) in _labels(*(voice.response("offer_person", lang) for lang in voice.languages))


@lru_cache(maxsize=8)
def _labels(*said: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(normalise, (*chain(*said), *WIDGET_ASKS)))


def stored(entry: Entry) -> Draft:
    """The stored answer as it is, with itself as the source."""
    mark = f"{'' if entry.lang == 'zh' else ' '}[1]"
    return Draft(entry.answer + mark, citations=(cite(1, entry),), rateable=True, topic=entry.key)


def generated(text: str, entries: Sequence[Entry]) -> Draft:
    """Composed text; only sources that its marks name are cited."""
    used = [cite(n, e) for n, e in enumerate(entries, 1) if f"[{n}]" in text]
    return Draft(text, citations=tuple(used), rateable=True, topic=entries[0].key)


def introduced(voice: Voice, draft: Draft, lang: str) -> Draft:
    """The same; an answer in another language than the customer's says so first."""
    if not draft.rateable or script_lang(draft.text) in (lang, None):
        return draft
    return replace(draft, text=f"{voice.response('other_language', lang)[0]}\n\n{draft.text}")


def partly(voice: Voice, draft: Draft, lang: str) -> Draft:
    """The same, with a word on what it leaves open, and a person for that."""
    text = f"{draft.text}\n\n{voice.response('partly', lang)[0]}"
    return replace(draft, text=text, quick_replies=(*draft.quick_replies, person_button(voice, lang)))


def cite(mark: int, entry: Entry) -> Citation:
    answer = entry.answer
    snippet = answer if len(answer) <= SNIPPET else answer[: SNIPPET - 1].rstrip() + "…"
    title, url = _source(entry)
    return Citation(mark, title, snippet, url)


def _source(entry: Entry) -> tuple[str, str | None]:
    """Title and address. A passage of a file has the file's name in its title."""
    if (file := document(entry)) is None:
        return entry.question, entry.url
    url = SOURCES + entry.id if is_public(entry) else None
    at = place(entry)
    page = at.removeprefix("page=")
    if entry.lang == "zh":
        where = f"{file}，第{page}页" if page != at else file
        return f"{entry.question}（{where}）", url
    return f"{entry.question} ({file}, page {page})" if page != at else f"{entry.question} ({file})", url


def is_public(entry: Entry) -> bool:
    """Whether everybody may read it who has its address."""
    return bool(entry.id) and not entry.audience


def ask_which(voice: Voice, entries: Sequence[Entry], *, lang: str, turn: str) -> Draft:
    """One button for each answer that may be meant, and one for none of them."""
    buttons = [QuickReply(entry.title or entry.question, ENTRY + entry.id) for entry in entries]
    none = QuickReply(voice.response("none_of_these", lang)[0], NONE)
    return Draft(say(voice, "clarify", lang, turn=turn).text, quick_replies=(*buttons, none))


def not_known(voice: Voice, nearest: Entry, *, lang: str, turn: str) -> Draft:
    """That nothing known answers; with what comes nearest as a button, for whoever meant that, and a person."""
    said = say(voice, REFUSE, lang, turn=turn, person=True)
    button = QuickReply(nearest.title or nearest.question, ENTRY + nearest.id)
    return replace(said, quick_replies=(button, *said.quick_replies))


def differing(voice: Voice, entries: tuple[Entry, Entry], told: Difference, *, lang: str, turn: str) -> Draft:
    """What either of two sources says, with both cited, and a person who knows."""
    said = say(voice, "differ", lang, turn=turn, person=True)
    both = (cited(sentence, mark, lang) for mark, sentence in enumerate((told.first, told.second), 1))
    citations = tuple(cite(mark, entry) for mark, entry in enumerate(entries, 1))
    text = gap(lang).join([said.text, *both])
    return Draft(text, said.quick_replies, citations, rateable=True, topic=entries[0].key)


def hand_over(voice: Voice, decision: Handoff, *, lang: str, turn: str) -> Draft:
    return Draft(say(voice, "handoff", lang, turn=turn).text, escalation=decision.reason)


def respond(voice: Voice, decision: Answer, *, lang: str, turn: str) -> Draft:
    assert decision.response is not None
    return say(voice, decision.response, lang, turn=turn, person=decision.offer_person)
