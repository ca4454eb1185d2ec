"""The promise, watched on what customers make of the answers."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from bot.domain.kept import slipped
from bot.engine import kept
from bot.engine.desk import Desk
from bot.engine.kept import SETTLED, watch
from bot.store import alerts, ledger, promises
from bot.store.alerts import Alert
from bot.testing import FakeClock
from connectors.port import Inbound
from tests.unit.engine.conftest import Engine
from training.lesson import LessonHeads
from training.promise import Bound, Promise, Promised

PROMISE = Promise(0.1, 0.9)


def promise(engine: Engine) -> None:
    heads = engine.mind.live.heads
    promised = Promised(PROMISE, {"en": Bound(0.5, 400, answered=300)})
    made = LessonHeads(heads.name, heads.intent, heads.topic, heads.calibrator, promised)
    engine.mind.live = replace(engine.mind.live, heads=made)


async def answers(engine: Engine, *, liked: int, disliked: int) -> None:
    """Each in a conversation of its own, by the words "fee?"."""
    engine.mind.script["fee?"] = [("id-fee", 0.9), ("id-time", 0.1)]
    for n in range(liked + disliked):
        name = f"{liked}-{disliked}-{n}"
        await engine.gateway.receive(Inbound("web", name, "m1", name, "fee?"))
        await engine.lanes.idle()
        if n >= liked:
            vote = partial(ledger.vote, conversation=name, seq=2, vote="down", now=engine.desk.clock.now())
            await engine.desk.store.write(vote)


def afterwards(engine: Engine) -> Desk:
    """The same desk when all of it has settled."""
    now = engine.desk.clock.now() + SETTLED + timedelta(minutes=1)
    return replace(engine.desk, clock=FakeClock(now))


async def raised(engine: Engine) -> list[Alert]:
    async with engine.desk.store.read() as session:
        return await alerts.alerts(session, "promise")


async def test_a_promise_that_slips_raises_one_alert_without_a_customers_word(
    engine: Engine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.WARNING, "bot.engine.kept")
    monkeypatch.setattr(kept, "PAGE", 3)
    promise(engine)
    assert await watch(engine.desk) == 0  # from now on
    await answers(engine, liked=2, disliked=6)
    assert await watch(engine.desk) == 0  # it has not settled
    later = afterwards(engine)
    assert await watch(later) == 8
    assert await watch(later) == 0
    [alert] = await raised(engine)
    assert alert.subject == f"{engine.mind.live.release} en"
    assert alert.about["promised"] == PROMISE.wrong
    assert slipped(alert.about["wrong"], alert.about["answered"], promised=0.1, sure=0.9)
    assert caplog.text.count("has slipped in en") == 1
    assert "fee?" not in caplog.text + str(alert)


async def test_a_promise_that_is_kept_raises_none(engine: Engine) -> None:
    promise(engine)
    await watch(engine.desk)
    await answers(engine, liked=12, disliked=1)
    assert await watch(afterwards(engine)) == 13
    assert await raised(engine) == []
    async with engine.desk.store.read() as session:
        counted = await promises.counts(session, engine.mind.live.release)
    assert counted == [promises.Count("en", 13, 1)]


async def test_a_bot_that_promises_nothing_is_not_watched(engine: Engine) -> None:
    await answers(engine, liked=0, disliked=3)
    assert await watch(afterwards(engine)) == 0
