"""From what was heard to a decision: understanding, weighing, deciding, and once more for a follow-up that is lost."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial

from bot.domain.decision import Decision, Evidence, decide
from bot.domain.several import questions
from bot.engine.desk import Desk
from bot.engine.evidence import Before, Heard, Scene, build_ask, needs_understanding, weigh
from bot.engine.rewriting import is_lost, rewritten
from bot.inference.understanding import Live, Understanding


@dataclass(frozen=True, slots=True)
class Thought:
    """What was heard (as it was said anew, where it was), what was understood and weighed, and what came of it."""

    heard: Heard
    seen: Understanding | None
    evidence: Evidence
    decision: Decision


async def think(desk: Desk, live: Live, scene: Scene) -> Thought:
    seen, parts = await _understand(desk, live, scene)
    lang, calibrated = scene.heard.lang, live.heads.calibrator is not None
    told = partial(weigh, calibrated=calibrated, least=live.least(lang), bound=live.bound(lang))
    evidence = told(scene.heard, scene.before, seen)
    each = (told(part, Before(), one) for part, one in parts)
    evidence = replace(evidence, parts=tuple(each))
    return Thought(scene.heard, seen, evidence, decide(evidence, desk.policy))


async def think_again(desk: Desk, live: Live, scene: Scene, first: Thought) -> Thought:
    """Of a follow-up that is lost on the bot and can be said anew, where that leads to an answer; else the first."""
    heard = await rewritten(desk, scene, first.decision)
    if heard is None:
        return first
    before = replace(scene.before, question=None, topic=None)
    other = await think(desk, live, replace(scene, heard=heard, before=before))
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
