"""What the bot lacks, and the page of metrics, when all is well and when it is not."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import pytest

from bot.engine.turn import take_turn
from bot.errors import InferenceError
from bot.inference.host import Trouble
from bot.monitoring import watch as module
from bot.monitoring.metrics import Metrics
from bot.monitoring.watch import Watch
from bot.store import promises
from bot.store.session import Session
from retrieval.testing import HashEncoder
from tests.unit.engine.conftest import Engine, engine, generator, limits
from training.lesson import LessonHeads
from training.promise import Bound, Promise, Promised

__all__ = ["engine", "generator", "limits"]


class Chat:
    instance = "web"
    open_sockets = 3


class Door:
    waiting = 5


class Host:
    """As much of a host as is watched."""

    door = Door()

    def __init__(self, engine: Engine, *, starting: bool = False) -> None:
        self._engine, self._starting = engine, starting
        self.trouble: Trouble | None = None

    def current(self) -> Any:
        if self._starting:
            raise InferenceError("The bot is still starting.", code="starting")
        return self._engine.mind.live


def watched(engine: Engine, *, starting: bool = False) -> Watch:
    host: Any = Host(engine, starting=starting)
    return Watch(engine.desk, host, engine.lanes, Metrics(version="1.2.3"), [Chat(), object()])


def value(page: bytes, series: str) -> float:
    [line] = [line for line in page.decode().splitlines() if line.startswith(f"{series} ")]
    return float(line.split()[1])


async def test_nothing_is_missing_where_all_is_well(engine: Engine) -> None:
    assert await watched(engine).missing() == {}


async def test_the_page_says_how_it_is(engine: Engine) -> None:
    engine.mind.gate = asyncio.Event()
    await engine.say("What does a card cost?")
    page = await watched(engine).page()
    for series, number in (
        ("kefu_unanswered", 1),
        ("kefu_lanes_busy", 1),
        ("kefu_encoder_queue", 5),
        ("kefu_answers", 2),
        ("kefu_knowledge_revision", 0),
        ("kefu_knowledge_revision_live", 1),
        ("kefu_escalations_open", 0),
        ("kefu_database_up", 1),
        ('kefu_sockets{channel="web"}', 3),
        ('kefu_build_info{version="1.2.3"}', 1),
        ("kefu_release_degraded", 0),
        (
            f'kefu_release_info{{encoder="{HashEncoder().fingerprint[:12]}",heads="heads",release="release"}}',
            1,
        ),
    ):
        assert value(page, series) == number, series
    engine.mind.gate.set()
    await engine.lanes.idle()
    assert value(await watched(engine).page(), "kefu_unanswered") == 0


async def test_a_release_that_does_not_serve_is_said_and_the_bot_is_ready(engine: Engine) -> None:
    watch = watched(engine)
    watch.host.trouble = Trouble("tuned", "encoder.onnx has changed")
    watch.metrics.switched("failed")
    assert await watch.missing() == {}
    assert watch.degraded() == {"release": "tuned cannot serve, release does. The log says why."}
    page = await watch.page()
    assert value(page, "kefu_release_degraded") == 1
    assert value(page, 'kefu_release_switches_total{end="failed"}') == 1


async def test_a_promise_is_on_the_page_by_language(engine: Engine) -> None:
    live = engine.mind.live
    assert b"kefu_promise_bound{" not in await watched(engine).page()
    promised = Promised(Promise(0.1, 0.9), {"en": Bound(0.64, 400, answered=300)})
    kept = LessonHeads(live.heads.name, live.heads.intent, live.heads.topic, live.heads.calibrator, promised)
    engine.mind.live = replace(live, heads=kept)
    now = engine.desk.clock.now()
    place = await engine.desk.store.write(lambda session: promises.place(session, now))
    wrong = [
        promises.Outcome(promises.Place(now, str(n)), "en", answered=True, wrong=n > 1) for n in range(8)
    ]
    await engine.desk.store.write(
        lambda session: promises.count(session, live.release, wrong, now, after=place)
    )
    page = await watched(engine).page()
    for series, number in (
        ('kefu_promise_bound{lang="en"}', 0.64),
        ('kefu_promise_bound{lang="zh"}', 2),
        ('kefu_promise_missing{lang="en"}', 0),
        ('kefu_promise_missing{lang="zh"}', Promise(0.1, 0.9).fewest),
        ('kefu_promise_answered{lang="en"}', 8),
        ('kefu_promise_wrong{lang="en"}', 6),
        ('kefu_promise_slipped{lang="en"}', 1),
        ('kefu_promise_slipped{lang="zh"}', 0),
    ):
        assert value(page, series) == number, series


async def test_turns_are_counted_by_what_came_of_them(engine: Engine) -> None:
    metrics = Metrics(version="0")
    desk = replace(engine.desk, observer=metrics)
    engine.gateway._desk = desk
    engine.lanes._turn = lambda conversation, seq: take_turn(desk, conversation, seq)
    engine.mind.script = {"a": [("id-fee", 0.95)], "b": RuntimeError("broken"), "c": "handoff"}
    for text in "abc":
        await engine.say(text, id=text)
        await engine.lanes.idle()
    await engine.say("a", id="a")
    page = await asyncio.to_thread(metrics.page)
    for outcome in ("generate", "failed", "handoff"):
        assert value(page, f'kefu_turns_total{{outcome="{outcome}"}}') == 1
    assert value(page, "kefu_turn_seconds_count") == 3
    assert value(page, 'kefu_messages_received_total{channel="web",duplicate="false"}') == 3
    assert value(page, 'kefu_messages_received_total{channel="web",duplicate="true"}') == 1


async def test_a_database_that_is_away_is_said_and_the_page_still_comes(engine: Engine) -> None:
    watch = watched(engine)
    await engine.desk.store.close()
    assert list(await watch.missing()) == ["database"]
    assert value(await watch.page(), "kefu_database_up") == 0


async def test_a_database_that_hangs_is_not_waited_for(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.01)
    monkeypatch.setattr(engine.desk.store, "read", Hanging)
    watch = watched(engine)
    assert list(await watch.missing()) == ["database"]
    assert value(await watch.page(), "kefu_database_up") == 0


async def test_a_bot_that_has_nothing_to_search_is_not_ready(engine: Engine) -> None:
    assert await watched(engine, starting=True).missing() == {"bundle": "The bot is still starting."}


class Hanging(AbstractAsyncContextManager[Session]):
    async def __aenter__(self) -> Session:
        await asyncio.Event().wait()
        raise AssertionError("never")

    async def __aexit__(self, *_: object) -> None:
        return None
