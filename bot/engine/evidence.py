"""From a stored message and its context to what understanding is asked, and back to evidence. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from bot.domain.decision import Evidence
from bot.domain.followup import fragment, leans, terse
from bot.domain.negation import refuses
from bot.engine.draft import ENTRY, NONE, PERSON
from bot.inference.generator import Exchange
from bot.inference.understanding import Ask, Understanding
from bot.store.spending import Spent
from retrieval.slips.mender import Read

_WORD = re.compile(r"\w")

CONTINUED = 0.5
"""How sure to be of what a message means that is read with the one before."""

Mends = Callable[[str], Read | None]
"""What a text was meant to say; None: as it was typed."""


def _as_typed(_: str) -> None:
    """Nothing is mended."""


@dataclass(frozen=True, slots=True)
class Before:
    """What the conversation said before this message."""

    question: str | None = None
    """The customer's last message that was not a button."""
    topic: str | None = None
    """Key of the answer that was given to it."""
    asked_which: bool = False
    """The bot's last words were a question which of several was meant."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The message that is to be answered."""

    text: str
    lang: str
    choice: str | None = None
    waiting: bool = False

    @property
    def wordless(self) -> bool:
        return not _WORD.search(self.text)

    @property
    def chosen(self) -> str | None:
        return self.choice.removeprefix(ENTRY) if self.choice and self.choice.startswith(ENTRY) else None


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a turn knows before it thinks. Read in one short session, which is closed by then."""

    conversation: str
    seq: int
    turn: str
    fence: int
    heard: Heard
    before: Before
    due: float
    """When the customer is to have an answer, by the monotonic clock."""
    audience: frozenset[str] | None
    """Who asks, as `bot.engine.desk.Desk.audience` has it."""
    history: tuple[Exchange, ...] = ()
    taken: list[Spent] = field(default_factory=list, compare=False)
    """What models took for it before an answer was worded; filled on the way."""


def build_ask(
    heard: Heard,
    before: Before,
    *,
    today: date,
    audience: frozenset[str] | None = None,
    read: Mends = _as_typed,
) -> Ask:
    """The question before goes along only where the message may lean on it. `read`: how slips are mended."""
    mended = read(heard.text)
    said = mended.text if mended else heard.text
    leaning = leans(said)
    previous = (before.question or None) if leaning or fragment(said) else None
    if previous is not None and (other := read(previous)) is not None:
        previous = other.text
    return Ask(
        *(heard.text, heard.lang, today, previous),
        leaning=leaning,
        answered_key=before.topic,
        audience=audience,
        read=mended,
    )


def weigh(
    heard: Heard,
    before: Before,
    seen: Understanding | None,
    *,
    calibrated: bool,
    least: float = 0.0,
    bound: float | None = None,
) -> Evidence:
    """Everything that `decide` looks at. `seen` is None where nothing had to be understood. `least`: how sure to be, by
    what the bot's own texts taught.
    """
    said = (seen and seen.read) or heard.text
    return Evidence(
        intents=seen.intents if seen else (),
        candidates=seen.candidates if seen else (),
        wordless=heard.wordless,
        chosen=heard.chosen,
        wants_person=heard.choice == PERSON,
        none_of_these=heard.choice == NONE,
        waiting=heard.waiting,
        asked_before=before.asked_which,
        terse=not (seen and seen.contextual) and terse(said),
        refused=seen is not None and _refused(said, seen),
        out_of_scope=seen.out_of_scope if seen else 0.0,
        calibrated=calibrated,
        # `least` is learned from messages that stand alone.
        least=CONTINUED if seen is not None and seen.contextual else least,
        bound=bound,
    )


def _refused(text: str, seen: Understanding) -> bool:
    """Not where the answer's own phrasing that is nearest says no to something too: "no more advertising, please"."""
    if not seen.candidates or not refuses(text):
        return False
    best = seen.candidates[0].entry
    return not any(refuses(hit.phrase) for hit in seen.hits if hit.entry.id == best)


def needs_understanding(heard: Heard) -> bool:
    return not heard.wordless and heard.choice not in (PERSON, NONE)


@dataclass(frozen=True, slots=True)
class Line:
    """An earlier message of the conversation, as far as it matters here."""

    role: str
    text: str
    choice: str | None = None
    topic: str | None = None
    options: Sequence[str] = ()
    """Values of its quick replies."""


def look_back(lines: Sequence[Line]) -> Before:
    """`lines`: oldest first, without the message itself."""
    customer = next((m for m in reversed(lines) if m.role == "customer" and not _is_button(m)), None)
    bot = next((m for m in reversed(lines) if m.role == "bot"), None)
    return Before(
        question=customer.text if customer else None,
        topic=bot.topic if bot else None,
        asked_which=bool(bot and any(v.startswith(ENTRY) for v in bot.options)),
    )


def _is_button(line: Line) -> bool:
    """A pressed answer's label is a good question to lean on; "none of these" and "a person" are not."""
    return line.choice in (PERSON, NONE)
