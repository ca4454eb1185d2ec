"""From a decision to what is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from bot.domain.decision import PARTLY, REFUSE, SEVERAL, Answer, Clarify, Decision, Generate, Handoff
from bot.engine.answers import Asked
from bot.engine.desk import Desk
from bot.engine.draft import ask_which, hand_over, partly, respond, say, stored
from bot.engine.draft import differing as say_both
from bot.engine.evidence import Scene
from bot.engine.passages import differing, sayable, whole
from bot.engine.speak import Said, Speech, speak
from bot.inference.understanding import Live, Understanding
from bot.store import ledger
from retrieval.types import Entry


async def carry_out(
    desk: Desk, scene: Scene, live: Live, decision: Decision, seen: Understanding | None
) -> Said:
    lang, turn, voice = scene.heard.lang, scene.turn, desk.voice
    match decision:
        case Generate(entries=ids, reason=why) if found := _entries(live, ids):
            said = await _compose(desk, scene, live, found, seen, each=why in (SEVERAL, PARTLY))
            return said if why != PARTLY else replace(said, draft=partly(voice, said.draft, lang))
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
        asked = partial(Asked.by, heard.text, seen.vector, live, entries, lang=heard.lang)
    speech = Speech(
        *(scene.conversation, scene.turn, heard.text, heard.lang, entries, scene.history),
        wholes={entry.id: whole(entry, live.bundle.section(entry)) for entry in entries},
        asked=asked,
        each=each,
    )
    return await speak(desk, speech, held=held, due=scene.due)
