"""What the bot would make of a text, without a conversation: nothing is stored, nothing is said."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.decision import Decision, decide
from bot.domain.language import choose_language
from bot.engine.desk import Desk
from bot.engine.draft import PERSON, asks_for_person
from bot.engine.evidence import Before, Heard, build_ask, needs_understanding, weigh
from bot.inference.understanding import Live, Understanding
from retrieval.text import script_lang


@dataclass(frozen=True, slots=True)
class Probe:
    """`seen` is None where nothing had to be understood."""

    lang: str
    live: Live
    decision: Decision
    seen: Understanding | None


async def probe(desk: Desk, text: str, *, locale: str | None) -> Probe:
    """As a first message of a conversation. Raises Busy, InferenceError."""
    live = desk.mind.current()
    lang = choose_language(script_lang(text), last=None, locale=locale, languages=desk.voice.languages)
    heard = Heard(text, lang, PERSON if asks_for_person(desk.voice, text) else None)
    seen = None
    if needs_understanding(heard):
        ask = build_ask(heard, Before(), today=desk.clock.now().date(), read=live.read)
        deadline = desk.clock.monotonic() + desk.limits.turn_s
        seen = await desk.mind.understand(live, ask, deadline=deadline)
    calibrated, bound = live.heads.calibrator is not None, live.bound(lang)
    evidence = weigh(heard, Before(), seen, calibrated=calibrated, bound=bound)
    return Probe(lang, live, decide(evidence, desk.policy), seen)
