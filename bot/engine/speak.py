"""Saying a composed answer while it comes into being: shown sentence by sentence, taken back when it fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from bot.engine.answers import Asked
from bot.engine.desk import Desk, Voice
from bot.engine.draft import Draft, generated, not_known, stored
from bot.engine.passages import as_passages, recent
from bot.errors import Conflict, GeneratorError, NotKnown
from bot.inference.generator import MAX_SENTENCES, Bill, Exchange, Prompt
from bot.store.spending import Spent
from connectors.port import Frame
from retrieval.types import Entry

log = logging.getLogger(__name__)

STORED = "stored"
"""In traces, where an author's name stands, as the next four."""
AGAIN = "cache"
OVER_BUDGET = "stored: the day's budget is used up"
NO_TIME = "stored: no time is left for a generator"
NOT_KNOWN = "not known"
TO_STORE_S = 0.3
"""Kept of a turn's time for the commit."""
WORTH_ASKING_S = 0.5
"""In less no generator ends a sentence."""
IN_FULL = 0.5
"""Share of a generator's time from which on it is asked for all that it may say, else for a short answer."""
SHORT = 1
"""Sentences of a short answer."""
CHECK_EVERY_S = 0.2
"""Who holds the conversation is looked up before a piece is shown, at most this often."""

Held = Callable[[], Awaitable[bool]]
"""True while the bot still holds the conversation (its fencing number has not moved)."""


@dataclass(frozen=True, slots=True)
class Speech:
    """One answer to be said: to whom, under which turn, from which entries (best first)."""

    conversation: str
    turn: str
    question: str
    lang: str
    entries: Sequence[Entry]
    history: tuple[Exchange, ...] = ()
    sentences: int = MAX_SENTENCES
    each: bool = False
    """Every entry answers a question of its own."""
    wholes: Mapping[str, str] = field(default_factory=dict)
    """Of entries that are passages of documents, by id: the sections around them."""
    asked: Callable[[], Asked] | None = None
    """What was asked, worked out where it matters; None: the answer is for nobody else."""

    def prompt(self, voice: Voice) -> Prompt:
        passages = as_passages(self.entries, self.wholes)
        return Prompt(
            *(voice.name(self.lang), self.question, self.lang, passages, recent(self.history)),
            sentences=self.sentences,
            persona=voice.persona(self.lang),
            each=self.each,
        )


@dataclass(frozen=True, slots=True)
class Said:
    """The draft to commit, and the attempt its shown pieces went under."""

    draft: Draft
    attempt: int
    by: str
    spent: Sequence[Spent] = ()
    """What generators took for it; nothing where none was asked that counts."""
    withheld: tuple[str, ...] = ()
    """Why each sentence that was generated and not said was not."""


async def speak(desk: Desk, speech: Speech, *, held: Held, due: float) -> Said:
    """What was said before to the same question, or the generator's answer as it streams.

    On failure that is taken back and the best stored answer said instead, as at once where there is no time left for a
    generator, or generators have used up what they may take in a day. One that says itself that the passages hold no
    answer is believed, unless it was asked several questions at once. `due`: when the answer is to be there, by the
    monotonic clock. Raises Conflict as soon as a person holds the conversation.
    """
    if speech.asked and desk.answers and (known := desk.answers.find(speech.asked())) is not None:
        desk.observer.said_again()
        return Said(generated(known, speech.entries), 1, AGAIN)
    budget = min(desk.limits.generator_s, due - desk.clock.monotonic() - TO_STORE_S)
    if budget < WORTH_ASKING_S:
        return Said(stored(speech.entries[0]), 1, NO_TIME)
    if not await desk.purse.allows():
        return Said(stored(speech.entries[0]), 1, OVER_BUDGET)
    if budget < IN_FULL * desk.limits.generator_s:
        speech = replace(speech, sentences=SHORT)
    bill: Bill = []
    prompt = speech.prompt(desk.voice)
    try:
        said = await _say(desk, speech, prompt, bill, held=held, budget=budget)
    finally:
        spent = await desk.purse.settle(bill)
    if spent and said.by not in (STORED, NOT_KNOWN) and speech.asked and speech.sentences > SHORT:
        desk.answers.keep(speech.asked(), said.draft.text)
    return replace(said, spent=spent, withheld=tuple(prompt.withheld))


async def _say(desk: Desk, speech: Speech, prompt: Prompt, bill: Bill, *, held: Held, budget: float) -> Said:
    try:
        text = await _stream(desk, speech, prompt, bill, held=held, budget=budget)
        return Said(generated(text, speech.entries), 1, _author(desk.generator.name, bill))
    except (GeneratorError, Conflict) as error:
        desk.bus.publish(Frame("withdraw", speech.conversation, turn=speech.turn, attempt=1))
        if isinstance(error, Conflict):
            raise
        if isinstance(error, NotKnown) and not speech.each:
            nearest = not_known(desk.voice, speech.entries[0], lang=speech.lang, turn=speech.turn)
            return Said(nearest, 2, NOT_KNOWN)
        desk.observer.fell_back()
        log.warning("generator failed, stored answer used: %s", error.message)
    return Said(stored(speech.entries[0]), 2, STORED)


def _author(name: str, bill: Bill) -> str:
    """Of several servers the one that answered: each may have another model."""
    return f"{name.partition(':')[0]}:{bill[-1].model}" if bill else name


async def _stream(
    desk: Desk, speech: Speech, prompt: Prompt, bill: Bill, *, held: Held, budget: float
) -> str:
    pieces: list[str] = []
    checked_at = desk.clock.monotonic()
    shown = _Shown(desk, speech)
    try:
        async with aclosing(desk.generator.stream(prompt, deadline=budget, bill=bill)) as stream:
            async for piece in stream:
                checked_at = await _still_held(desk, held, checked_at)
                pieces.append(piece)
                shown.add(piece)
        if not (text := "".join(pieces).strip()):
            raise GeneratorError("The generator said nothing.")
        shown.show()
    finally:
        shown.end()
    return text


class _Shown:
    """What comes in one turn of the loop is one delta: a whole answer, where nothing is waited for."""

    def __init__(self, desk: Desk, speech: Speech) -> None:
        self._bus, self._speech = desk.bus, speech
        self._pieces: list[str] = []
        self._soon: asyncio.Handle | None = None

    def add(self, piece: str) -> None:
        self._pieces.append(piece)
        self._soon = self._soon or asyncio.get_running_loop().call_soon(self.show)

    def show(self) -> None:
        self.end()
        if text := "".join(self._pieces):
            self._pieces.clear()
            speech = self._speech
            self._bus.publish(Frame("delta", speech.conversation, turn=speech.turn, attempt=1, text=text))

    def end(self) -> None:
        """What is not shown yet will not be."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None


async def _still_held(desk: Desk, held: Held, checked_at: float) -> float:
    """Time of the last check; raises Conflict where a person holds the conversation by now."""
    now = desk.clock.monotonic()
    if now - checked_at < CHECK_EVERY_S:
        return checked_at
    if not await held():
        raise Conflict("A person has taken over the conversation.", code="held")
    return now
