"""One message's way from the ledger to its reply. Plain functions, in the order in which they run."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from bot.domain.decision import least_sure
from bot.engine.desk import Desk
from bot.engine.draft import introduced, say
from bot.engine.evidence import Scene
from bot.engine.record import Record, announce_late, commit, kind
from bot.engine.reply import carry_out
from bot.engine.scene import read_scene
from bot.engine.speak import Said
from bot.engine.thought import think, think_again
from bot.engine.verifying import verified
from bot.errors import Conflict, StoreError
from connectors.port import Frame

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


async def _answer(desk: Desk, scene: Scene) -> str:
    """What was decided, once it is committed."""
    started = desk.clock.monotonic()
    live = desk.mind.current()
    thought = await think(desk, live, scene)
    understood = desk.clock.monotonic()
    thought = await think_again(desk, live, scene, thought)
    anew = desk.clock.monotonic()
    thought = await verified(desk, live, scene, thought)
    decision = thought.decision
    read = desk.clock.monotonic()
    said = await carry_out(desk, scene, live, decision, thought.seen)
    said = replace(said, draft=introduced(desk.voice, said.draft, scene.heard.lang))
    done = desk.clock.monotonic()
    timings = {"understand": 1e3 * (understood - started), "say": 1e3 * (done - read)}
    if desk.rewriter is not None:
        timings["rewrite"] = 1e3 * (anew - understood)
    if desk.verifier is not None:
        timings["verify"] = 1e3 * (read - anew)
    least = least_sure(thought.evidence, desk.policy)
    await commit(desk, scene, said, Record(live, decision, thought.seen, timings, least))
    return kind(decision)


async def _apologise(desk: Desk, scene: Scene) -> None:
    draft = say(desk.voice, "error", scene.heard.lang, turn=scene.turn, person=True)
    try:
        await commit(desk, scene, Said(draft, 1, "error"), None)
    except Conflict as error:
        log.info("apology not needed: %s", error.code)
