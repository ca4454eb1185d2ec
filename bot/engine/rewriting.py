"""A follow-up that was lost on the bot, even with the question before: said anew by a language model, read again."""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.domain.decision import REFUSE, Answer, Clarify, Decision
from bot.domain.followup import fragment, leans
from bot.engine.desk import Desk
from bot.engine.evidence import Heard, Scene
from bot.engine.passages import recent
from bot.errors import GeneratorError
from bot.inference.generator import Bill, FollowUp
from bot.inference.standalone import standalone

log = logging.getLogger(__name__)

AT_MOST_S = 2.0
SHARE = 0.4
"""Of what is left of the turn."""
LEAST_S = 0.5


async def rewritten(desk: Desk, scene: Scene, decision: Decision) -> Heard | None:
    """The message as a question that stands by itself; None where it stands already, or nothing better was had."""
    if desk.rewriter is None or not is_lost(decision) or not _may_lean(scene):
        return None
    deadline = min(AT_MOST_S, SHARE * (scene.due - desk.clock.monotonic()))
    if deadline < LEAST_S or not await desk.purse.allows():
        return None
    asked = FollowUp(scene.heard.text, scene.heard.lang, recent(scene.history))
    bill: Bill = []
    try:
        said = await desk.rewriter.rewrite(asked, deadline=deadline, bill=bill)
    except GeneratorError as error:
        log.info("a follow-up was not rewritten: %s", error.message)
        return None
    finally:
        scene.taken.extend(await desk.purse.settle(bill))
    text = standalone(said, asked)
    return None if text is None else replace(scene.heard, text=text)


def is_lost(decision: Decision) -> bool:
    """Whether it leaves the customer without an answer."""
    return isinstance(decision, Clarify) or (isinstance(decision, Answer) and decision.response == REFUSE)


def _may_lean(scene: Scene) -> bool:
    text = scene.heard.text
    return bool(scene.history) and scene.heard.choice is None and (leans(text) or fragment(text))
