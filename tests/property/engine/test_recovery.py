"""Ledger, lanes and sweep together: whatever comes in, whoever holds a conversation, whenever the process dies."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Row, select

from bot.engine.desk import Limits
from bot.engine.record import announce_late
from bot.engine.scene import read_scene
from bot.engine.sweep import sweep
from bot.errors import Conflict, NotFound
from bot.inference.understanding import Live
from bot.store import ledger
from bot.store.db import Database
from bot.store.session import Session
from bot.store.tables import CONVERSATION, MESSAGE
from bot.testing import ScriptedGenerator
from connectors.port import Inbound, Status
from tests.unit.engine.conftest import Engine, ScriptedMind, assemble, live

T = TypeVar("T")
CONVERSATIONS = ("a", "b", "c")
which = st.sampled_from(CONVERSATIONS)
refs = st.integers(0, 20)


class Recovery(RuleBasedStateMachine):
    """A crash drops lanes, turns and calls under way at once, and what they had handed to the database but not
    committed. (That a commit outlives the machine is `tests/unit/store/test_power_cut.py`.)"""

    mind: Live
    empty: Path
    """A migrated database without rows."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="kefu-recovery-"))
        shutil.copy(self.empty, self.folder / "kefu.db")
        self.runner = asyncio.Runner()
        self.flying: set[asyncio.Task[None]] = set()
        self.receipts: dict[tuple[str, int], int] = {}
        self.held: dict[str, int] = {}
        """Messages of the bot's when a person took the conversation."""
        self.left: defaultdict[str, set[int]] = defaultdict(set)
        """Owed while somebody else held it: such are answered once, but behind what came since."""
        self.engine = self.run(self.start())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(coroutine)

    async def start(self) -> Engine:
        store = Database(f"sqlite:///{self.folder / 'kefu.db'}")
        await store.open()
        engine = assemble(store, ScriptedMind(self.mind), ScriptedGenerator(), limits=Limits())
        await sweep(engine.desk, engine.lanes)
        return engine

    # What happens ---------------------------------------------------------------------------------------------

    @rule(conversation=which, ref=refs)
    def say(self, conversation: str, ref: int) -> None:
        """The same ref again is the same message sent again."""
        self.run(self.receive(conversation, ref))

    @rule(many=st.lists(st.tuples(which, refs), min_size=1, max_size=8), ticks=st.integers(0, 12))
    def say_at_once(self, many: list[tuple[str, int]], ticks: int) -> None:
        async def begin() -> None:
            for conversation, ref in many:
                task = asyncio.create_task(self.receive(conversation, ref))
                self.flying.add(task)
                task.add_done_callback(self.flying.discard)
            await self.pass_time(ticks)

        self.run(begin())

    async def receive(self, conversation: str, ref: int) -> None:
        receipt = await self.engine.gateway.receive(
            Inbound("web", conversation, str(ref), conversation, f"question {ref}?", locale="en")
        )
        assert self.receipts.setdefault((conversation, ref), receipt.seq) == receipt.seq

    @rule(ticks=st.integers(1, 40))
    def wait(self, ticks: int) -> None:
        self.run(self.pass_time(ticks))

    async def pass_time(self, ticks: int) -> None:
        for _ in range(ticks):
            await asyncio.sleep(0)

    @rule()
    def think_slowly(self) -> None:
        """From now on turns get as far as the encoder, so that whatever comes finds them under way."""
        self.engine.mind.gate = self.engine.mind.gate or asyncio.Event()

    @rule()
    def answer_all(self) -> None:
        self.think_quickly()
        self.run(self.engine.lanes.idle())

    def think_quickly(self) -> None:
        gate, self.engine.mind.gate = self.engine.mind.gate, None
        if gate is not None:
            gate.set()

    @rule(conversation=which)
    def promise(self, conversation: str) -> None:
        """A turn passes its deadline: the customer is told, the message stays owed."""

        async def late() -> None:
            owed = [m.seq for m in await self.messages(conversation) if m.state == "accepted"]
            with suppress(Conflict, NotFound):
                scene = await read_scene(self.engine.desk, conversation, owed[0]) if owed else None
                if scene is not None:
                    await announce_late(self.engine.desk, scene, "One moment.")

        self.run(late())

    @rule()
    def look_around(self) -> None:
        self.run(sweep(self.engine.desk, self.engine.lanes))

    @rule()
    def crash(self) -> None:
        async def die() -> Engine:
            for task in (*self.flying, *self.engine.lanes._tasks):
                task.cancel()
            await self.engine.lanes.close(patience=0)
            await asyncio.gather(*self.flying, return_exceptions=True)
            await self.engine.desk.store.close()
            return await self.start()

        self.engine = self.run(die())

    @rule()
    def restart(self) -> None:
        self.think_quickly()

        async def again() -> Engine:
            await asyncio.gather(*self.flying)
            await self.engine.lanes.close(patience=5)
            await self.engine.desk.store.close()
            return await self.start()

        self.engine = self.run(again())

    @rule(conversation=which, status=st.sampled_from(["human", "closed"]))
    def take(self, conversation: str, status: Status) -> None:
        """A person takes the conversation, or closes it. A closed one is the bot's with its next message."""

        async def hold() -> None:
            await asyncio.gather(*self.flying)
            with suppress(NotFound):
                seen = await self.hold(conversation, status)
                self.left[conversation] |= {m.seq for m in seen if m.state in ("accepted", "late")}
                self.held.pop(conversation, None)
                if status == "human":
                    self.held[conversation] = sum(m.role == "bot" for m in seen)

        self.run(hold())

    @rule(conversation=which)
    def give_back(self, conversation: str) -> None:
        self.run(self.release(conversation))

    async def release(self, conversation: str) -> None:
        await asyncio.gather(*self.flying)
        if self.held.pop(conversation, None) is not None:
            seen = await self.hold(conversation, "bot")
            self.left[conversation] |= {m.seq for m in seen if m.state in ("accepted", "late")}

    async def hold(self, conversation: str, status: Status) -> list[Row[Any]]:
        """The conversation's messages at that moment."""

        async def unit(session: Session) -> list[Row[Any]]:
            await ledger.hold(session, conversation, status, self.engine.desk.clock.now())
            return await _messages(session, conversation)

        return await self.engine.desk.store.write(unit)

    # What holds -----------------------------------------------------------------------------------------------

    @invariant()
    def numbers_order_and_counts_hold(self) -> None:
        for conversation in CONVERSATIONS:
            self.run(self.check(conversation))

    async def check(self, conversation: str) -> None:
        # Ahead of the rows: a message acknowledged while they are read need not stand among them.
        told = {str(ref): seq for (where, ref), seq in self.receipts.items() if where == conversation}
        messages = await self.messages(conversation)
        assert [m.seq for m in messages] == list(range(1, len(messages) + 1))
        stored = {m.external_id: m.seq for m in messages if m.role == "customer"}
        assert len(stored) == sum(m.role == "customer" for m in messages), "a message stands there twice"
        assert told.items() <= stored.items(), "an acknowledged message is lost"
        answered = [m.reply_to for m in messages if m.role == "bot"]
        assert len(answered) == len(set(answered)), "a message was answered twice"
        assert set(answered) == {m.seq for m in messages if m.state == "answered"}
        in_order = [seq for seq in answered if seq not in self.left[conversation]]
        assert in_order == sorted(in_order)
        if conversation in self.held:
            assert len(answered) == self.held[conversation], (
                "the bot spoke where a person holds the conversation"
            )

    async def messages(self, conversation: str) -> list[Row[Any]]:
        async with self.engine.desk.store.read() as session:
            return await _messages(session, conversation)

    def teardown(self) -> None:
        """In the end everything is answered once."""
        self.think_quickly()
        try:
            self.run(self.finish())
        finally:
            self.runner.close()
            shutil.rmtree(self.folder)

    async def finish(self) -> None:
        for conversation in CONVERSATIONS:
            await self.release(conversation)
        await self.engine.desk.store.write(_reopen_all)
        await sweep(self.engine.desk, self.engine.lanes)
        await self.engine.lanes.idle()
        for conversation in CONVERSATIONS:
            await self.check(conversation)
            assert {m.state for m in await self.messages(conversation)} <= {"answered", None}
        await self.engine.desk.store.close()


async def _messages(session: Session, conversation: str) -> list[Row[Any]]:
    mine = select(MESSAGE).where(MESSAGE.c.conversation_id == conversation).order_by(MESSAGE.c.seq)
    return list((await session.execute(mine)).all())


async def _reopen_all(session: Session) -> None:
    await session.execute(CONVERSATION.update().where(CONVERSATION.c.status == "closed").values(status="bot"))


@pytest.fixture(scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("recovery")

    async def prepare() -> None:
        store = Database(f"sqlite:///{place / 'empty.db'}")
        await store.open()
        await store.close()

    asyncio.run(prepare())
    Recovery.mind, Recovery.empty = live(place), place / "empty.db"


@pytest.mark.usefixtures("_world")
def test_nothing_is_lost_doubled_or_reordered_whatever_happens() -> None:
    run_state_machine_as_test(Recovery, settings=settings(max_examples=25, stateful_step_count=25))
