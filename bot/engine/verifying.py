"""A second reading where the bot is not sure: does the answer state what is asked for? What comes of it is one
more piece of evidence, and the same rules decide once more.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.domain.decision import UNANSWERED, Decision, Generate, decide
from bot.domain.followup import contextual
from bot.engine.desk import Desk
from bot.engine.evidence import Scene
from bot.engine.passages import sayable
from bot.engine.thought import Thought
from bot.inference.answered import verified_by
from bot.inference.understanding import Live, Understanding

log = logging.getLogger(__name__)

SURE = 0.95
"""From here on nobody is asked: of the example bots' own questions hardly one is wrong then."""
SHARE = 0.4
"""Of what is left of the turn: an answer has to be said, too."""
LEAST_S = 0.3


async def verified(desk: Desk, live: Live, scene: Scene, first: Thought) -> Thought:
    """With the best answer read beside the question, where that could change what is decided; else the first."""
    seen, verifier = first.seen, desk.verifier
    if verifier is None or seen is None or live.promised is not None or not _in_doubt(first.decision):
        return first
    entry = live.by_id.get(seen.candidates[0].entry)
    said = sayable(entry) if entry is not None else None
    now = desk.clock.monotonic()
    seconds = min(desk.limits.verifier_s, SHARE * (scene.due - now))
    if said is None or seconds < LEAST_S:
        return first
    asked = _question(scene, seen)
    told = await verifier.evidence(asked, said.answer, title=said.question, deadline=now + seconds)
    if told is None:
        log.info("an answer was not verified in time")
        return first
    return _decided_anew(desk, first, seen, told)


def _in_doubt(decision: Decision) -> bool:
    """One answer is about to be said without being sure, or was only just not."""
    if isinstance(decision, Generate):
        return len(decision.entries) == 1 and decision.confidence < SURE
    return getattr(decision, "reason", None) == UNANSWERED


def _question(scene: Scene, seen: Understanding) -> str:
    text, before = seen.read or scene.heard.text, scene.before.question
    return contextual(before, text) if seen.contextual and before else text


def _decided_anew(desk: Desk, first: Thought, seen: Understanding, evidence: float) -> Thought:
    candidates = verified_by(evidence, seen.candidates)
    weighed = replace(first.evidence, candidates=candidates)
    return Thought(replace(seen, candidates=candidates, verified=True), weighed, decide(weighed, desk.policy))
