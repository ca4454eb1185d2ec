"""One message's way from the ledger to its reply. Plain functions, in the order in which they run."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from bot.domain.decision import (
    REFUSE,
    SEVERAL,
    Answer,
    Clarify,
    Decision,
    Evidence,
    Generate,
    Handoff,
    decide,
    least_sure,
)
from bot.domain.language import choose_language
from bot.domain.several import questions
from bot.engine.answers import Asked
from bot.engine.desk import Desk
from bot.engine.draft import (
    PERSON,
    ask_which,
    asks_for_person,
    hand_over,
    introduced,
    respond,
    say,
    stored,
)
from bot.engine.draft import differing as say_both
from bot.engine.evidence import Before, Heard, Line, Scene, build_ask, look_back, needs_understanding, weigh
from bot.engine.passages import differing, sayable, whole
from bot.engine.record import Record, announce_late, commit, kind
from bot.engine.rewriting import is_lost, rewritten
from bot.engine.speak import Said, Speech, speak
from bot.errors import Conflict, StoreError
from bot.inference.generator import Exchange
from bot.inference.understanding import Live, Understanding
from bot.store import ledger
from connectors.port import Frame
from retrieval.text import script_lang
from retrieval.types import Entry

log = logging.getLogger(__name__)

OVERDUE_S = 1.0
"""A message that waited too long already, as while the server was down, has so long before its customer is told to
wait: most answers take a moment."""


async def take_turn(desk: Desk, conversation: str, seq: int) -> None:
    """Answer message `seq`. Whatever goes wrong, the customer is told; a second turn for it commits nothing.

    Raises StoreError that `passes`, and nothing else of the database's: then it is to be tried again.
    """
    scene = await read_scene(desk, conversation, seq)
    if scene is None:
        return
    desk.bus.publish(Frame("read", conversation, seq=seq))
    desk.bus.publish(Frame("typing", conversation, on=True))
    began = desk.clock.monotonic()
    outcome = "failed"
    try:
        outcome = await _in_time(desk, scene)
    except Conflict as error:
        outcome = "given_up"
        log.info("turn given up: %s", error.code)
    except Exception as error:
        if isinstance(error, StoreError) and error.passes:
            raise  # an apology could not be stored either: the lane tries the whole turn again
        log.exception("turn failed")
        await _apologise(desk, scene)
    finally:
        desk.bus.publish(Frame("typing", conversation, on=False))
        desk.observer.turned(outcome, seconds=desk.clock.monotonic() - began)


async def _in_time(desk: Desk, scene: Scene) -> str:
    """A turn past its limit goes on; the customer is told by a durable message that the answer will follow."""
    telling: list[asyncio.Task[None]] = []
    # Not the answer is a task beside this one, but what few turns need.
    left = scene.due - desk.clock.monotonic()
    timer = asyncio.get_running_loop().call_later(
        left if left > 0 else OVERDUE_S, lambda: telling.append(asyncio.create_task(_tell_late(desk, scene)))
    )
    try:
        return await _answer(desk, scene)
    finally:
        timer.cancel()
        for task in telling:  # whatever became of the answer, it is too late to promise it
            task.cancel()
            await asyncio.wait([task])


async def _tell_late(desk: Desk, scene: Scene) -> None:
    text = say(desk.voice, "late", scene.heard.lang, turn=scene.turn).text
    try:
        await announce_late(desk, scene, text)
    except Conflict:
        pass  # announced before, or no longer the bot's: the commit will tell
    except StoreError as error:
        log.warning("not told that the answer is late: %s", error.message)


async def read_scene(desk: Desk, conversation: str, seq: int) -> Scene | None:
    """None where there is nothing to do: answered already, or a person holds the conversation."""
    limit = desk.limits.history + 1
    context = await desk.store.look(lambda s: ledger.context(s, conversation, seq, limit=limit))
    if context.status in ("human", "closed") or not context.messages:
        return None
    *earlier, message = context.messages
    if message.seq != seq or message.state == "answered":
        return None
    lang = choose_language(
        script_lang(message.text), last=context.lang, locale=context.locale, languages=desk.voice.languages
    )
    choice = message.choice or (PERSON if asks_for_person(desk.voice, message.text) else None)
    heard = Heard(message.text, lang, choice, waiting=context.status == "waiting")
    lines = [_line(m) for m in earlier]
    turn, due = secrets.token_urlsafe(9), _due(desk, context.channel, message)
    return Scene(
        conversation,
        seq,
        turn,
        context.fence,
        heard,
        look_back(lines),
        due,
        desk.audience(context.channel),
        _history(lines),
    )


def _due(desk: Desk, channel: str, message: ledger.Line) -> float:
    """A message's time runs from when it was accepted. For who was told to wait it begins again."""
    allowed = desk.limits.deadline(channel)
    waited = 0.0 if message.state == "late" else (desk.clock.now() - message.at).total_seconds()
    return desk.clock.monotonic() + allowed - min(max(waited, 0.0), allowed)


def _line(line: ledger.Line) -> Line:
    return Line(
        line.role, line.text, line.choice, line.topic, [button.value for button in line.quick_replies]
    )


def _history(lines: Sequence[Line]) -> tuple[Exchange, ...]:
    return tuple(
        Exchange(a.text, b.text) for a, b in pairwise(lines) if a.role == "customer" and b.role == "bot"
    )


@dataclass(frozen=True, slots=True)
class _Thought:
    seen: Understanding | None
    evidence: Evidence
    decision: Decision


async def _answer(desk: Desk, scene: Scene) -> str:
    """What was decided, once it is committed."""
    started = desk.clock.monotonic()
    live = desk.mind.current()
    thought = await _think(desk, live, scene)
    understood = desk.clock.monotonic()
    thought = await _thought_again(desk, live, scene, thought)
    decision = thought.decision
    anew = desk.clock.monotonic()
    said = await _carry_out(desk, scene, live, decision, thought.seen)
    said = replace(said, draft=introduced(desk.voice, said.draft, scene.heard.lang))
    done = desk.clock.monotonic()
    timings = {"understand": 1e3 * (understood - started), "say": 1e3 * (done - anew)}
    if desk.rewriter is not None:
        timings["rewrite"] = 1e3 * (anew - understood)
    least = least_sure(thought.evidence, desk.policy)
    await commit(desk, scene, said, Record(live, decision, thought.seen, timings, least))
    return kind(decision)


async def _think(desk: Desk, live: Live, scene: Scene) -> _Thought:
    seen, parts = await _understand(desk, live, scene)
    calibrated, bound = live.heads.calibrator is not None, live.bound(scene.heard.lang)
    evidence = weigh(scene.heard, scene.before, seen, calibrated=calibrated, bound=bound)
    each = (weigh(part, Before(), one, calibrated=calibrated, bound=bound) for part, one in parts)
    evidence = replace(evidence, parts=tuple(each))
    return _Thought(seen, evidence, decide(evidence, desk.policy))


async def _thought_again(desk: Desk, live: Live, scene: Scene, first: _Thought) -> _Thought:
    """Of a follow-up that is lost on the bot and can be said anew, where that leads to an answer; else the first."""
    heard = await rewritten(desk, scene, first.decision)
    if heard is None:
        return first
    before = replace(scene.before, question=None, topic=None)
    other = await _think(desk, live, replace(scene, heard=heard, before=before))
    if is_lost(other.decision) or other.seen is None:
        return first
    return replace(other, seen=replace(other.seen, contextual=True))


async def _understand(
    desk: Desk, live: Live, scene: Scene
) -> tuple[Understanding | None, list[tuple[Heard, Understanding]]]:
    """The message, and each question of one that asks several: all go into the same batch."""
    heard, today = scene.heard, desk.clock.now().date()
    if not needs_understanding(heard):
        return None, []
    parts = [] if heard.choice else [Heard(text, heard.lang) for text in questions(heard.text)]
    asks = [
        build_ask(one, before, today=today, audience=scene.audience, read=live.read)
        for one, before in ((heard, scene.before), *((part, Before()) for part in parts))
    ]
    until = desk.clock.monotonic() + desk.limits.give_up_s
    if not parts:  # as nearly always: a task for each would cost more than it does
        return await desk.mind.understand(live, asks[0], deadline=until), []
    whole, *each = await asyncio.gather(*(desk.mind.understand(live, ask, deadline=until) for ask in asks))
    return whole, list(zip(parts, each, strict=True))


async def _carry_out(
    desk: Desk, scene: Scene, live: Live, decision: Decision, seen: Understanding | None
) -> Said:
    lang, turn, voice = scene.heard.lang, scene.turn, desk.voice
    match decision:
        case Generate(entries=ids, reason=why) if found := _entries(live, ids):
            return await _compose(desk, scene, live, found, seen, each=why == SEVERAL)
        case Clarify(entries=ids) if found := _entries(live, ids):
            if (told := differing(scene.heard.text, found, lang)) is not None:
                one, other, words = told
                return Said(
                    say_both(voice, (one, other), words, lang=lang, turn=turn), 1, "differing sources"
                )
            return Said(ask_which(voice, found, lang=lang, turn=turn), 1, "clarify")
        case Handoff():
            return Said(hand_over(voice, decision, lang=lang, turn=turn), 1, "handoff")
        case Answer(entry=str() as entry_id) if found := _entries(live, (entry_id,)):
            return Said(stored(found[0]), 1, "stored")
        case Answer(response=str()):
            return Said(respond(voice, decision, lang=lang, turn=turn), 1, "response")
        case _:  # what was decided on is gone, or nothing that customers should hear
            return Said(say(voice, REFUSE, lang, turn=turn, person=True), 1, "response")


def _entries(live: Live, ids: Sequence[str]) -> list[Entry]:
    """As they may be said. An id from an old button may be gone from today's knowledge."""
    known = (live.by_id.get(i) for i in ids)
    return [said for entry in known if entry is not None and (said := sayable(entry)) is not None]


async def _compose(
    desk: Desk,
    scene: Scene,
    live: Live,
    entries: Sequence[Entry],
    seen: Understanding | None,
    *,
    each: bool,
) -> Said:
    """`each`: every entry answers a question of its own."""

    async def held() -> bool:
        return await desk.store.look(lambda s: ledger.fence(s, scene.conversation)) == scene.fence

    heard = scene.heard
    asked = None
    if seen is not None and seen.vector is not None and not seen.contextual:
        asked = Asked.by(heard.text, seen.vector, live, entries, lang=heard.lang)
    speech = Speech(
        *(scene.conversation, scene.turn, heard.text, heard.lang, entries, scene.history),
        wholes={entry.id: whole(entry, live.bundle.section(entry)) for entry in entries},
        asked=asked,
        each=each,
    )
    return await speak(desk, speech, held=held, due=scene.due)


async def _apologise(desk: Desk, scene: Scene) -> None:
    draft = say(desk.voice, "error", scene.heard.lang, turn=scene.turn, person=True)
    try:
        await commit(desk, scene, Said(draft, 1, "error"), None)
    except Conflict as error:
        log.info("apology not needed: %s", error.code)
