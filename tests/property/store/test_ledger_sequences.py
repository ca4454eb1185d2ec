"""Whatever customers, turns, screens and people do at once, the ledger's numbers hold."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from bot.errors import Conflict, NotFound
from bot.store import ledger
from bot.store.db import Database
from bot.store.tables import CONVERSATION, ESCALATION, MESSAGE, OUTBOX
from connectors.port import Inbound, Status

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CONVERSATIONS = (0, 1, 2)


@dataclass(frozen=True)
class Say:
    conversation: int
    external_id: int


@dataclass(frozen=True)
class Answer:
    conversation: int
    seq: int
    messages: int
    late: bool
    escalate: bool


@dataclass(frozen=True)
class Show:
    conversation: int
    seq: int


@dataclass(frozen=True)
class Hold:
    conversation: int
    status: Status


Step = Say | Answer | Show | Hold
seqs = st.integers(0, 12)
which = st.sampled_from(CONVERSATIONS)
steps = st.one_of(
    st.builds(Say, which, st.integers(0, 9)),
    st.builds(Say, which, st.integers(0, 9)),
    st.builds(Answer, which, seqs, st.integers(0, 3), st.booleans(), st.booleans()),
    st.builds(Answer, which, seqs, st.just(1), st.just(False), st.just(False)),
    st.builds(Show, which, seqs),
    st.builds(Hold, which, st.sampled_from(["bot", "waiting", "human", "closed"])),
)
bursts = st.lists(st.lists(steps, min_size=1, max_size=12), min_size=1, max_size=6)
"""Steps of one burst run at once, so that they share commits; bursts follow one another."""


@dataclass
class Seen:
    """What callers were told."""

    receipts: defaultdict[tuple[int, int], list[ledger.Accepted]] = field(
        default_factory=lambda: defaultdict(list)
    )
    answered: defaultdict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    promised: defaultdict[tuple[int, int], int] = field(default_factory=lambda: defaultdict(int))
    sent: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    shown: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))


class World:
    def __init__(self, db: Database) -> None:
        self.db = db
        self.prefix = secrets.token_hex(8)
        self.seen = Seen()

    def name(self, conversation: int) -> str:
        return f"{self.prefix}-{conversation}"

    async def run(self, bursts: Sequence[Sequence[Step]]) -> None:
        for burst in bursts:
            await asyncio.gather(*(self.step(step) for step in burst))
            for conversation in CONVERSATIONS:
                await self.check(conversation)
        await self.check_receipts()

    async def step(self, step: Step) -> None:
        match step:
            case Say():
                await self.say(step)
            case Show():
                await self.show(step)
            case Answer():
                with contextlib.suppress(Conflict, NotFound):
                    await self.answer(step)
            case Hold():
                with contextlib.suppress(NotFound):
                    await self.hold(step)

    async def hold(self, step: Hold) -> None:
        name = self.name(step.conversation)
        await self.db.write(lambda session: ledger.hold(session, name, step.status, NOW))

    async def say(self, step: Say) -> None:
        name = self.name(step.conversation)
        message = Inbound("web", name, f"m{step.external_id}", name, "?")
        receipt = await self.db.write(lambda session: ledger.accept(session, message, NOW))
        assert receipt.conversation == name
        self.seen.receipts[step.conversation, step.external_id].append(receipt)

    async def answer(self, step: Answer) -> None:
        name = self.name(step.conversation)
        async with self.db.read() as session:
            fence = await ledger.fence(session, name)
        drafts = tuple(ledger.Draft("!") for _ in range(step.messages))
        escalate = "asked" if step.escalate else None
        reply = ledger.Reply(name, step.seq, fence, "t", drafts, late=step.late, escalate=escalate)
        committed = await self.db.write(lambda session: ledger.commit_reply(session, reply, NOW))
        counts = self.seen.promised if step.late else self.seen.answered
        counts[step.conversation, step.seq] += 1
        assert not self.seen.sent[step.conversation] & set(committed.seqs)
        self.seen.sent[step.conversation] |= set(committed.seqs)

    async def show(self, step: Show) -> None:
        name = self.name(step.conversation)
        if await self.db.write(lambda session: ledger.delivered(session, name, step.seq, NOW)):
            self.seen.shown[step.conversation] += 1

    async def check(self, conversation: int) -> None:
        name = self.name(conversation)
        async with self.db.read() as session:
            messages = (
                await session.execute(
                    select(MESSAGE).where(MESSAGE.c.conversation_id == name).order_by(MESSAGE.c.seq)
                )
            ).all()
            row = (await session.execute(select(CONVERSATION).where(CONVERSATION.c.id == name))).one_or_none()
            outbox = (
                await session.execute(select(OUTBOX.c.seq).where(OUTBOX.c.conversation_id == name))
            ).scalars()
            in_outbox = set(outbox)
            cases = await session.execute(
                select(func.count())
                .select_from(ESCALATION)
                .where(ESCALATION.c.conversation_id == name, ESCALATION.c.state == "open")
            )
            open_cases = cases.scalar_one()
        assert [m.seq for m in messages] == list(range(1, len(messages) + 1))
        assert (row.last_seq if row else 0) == len(messages)
        assert row is None or 0 <= row.delivered_seq <= row.last_seq
        assert open_cases <= 1
        assert in_outbox == self.seen.sent[conversation] == {m.seq for m in messages if m.role == "bot"}
        for message in messages:
            if message.role == "customer":
                self.check_state(conversation, message.seq, message.state)

    def check_state(self, conversation: int, seq: int, state: str) -> None:
        answered = self.seen.answered[conversation, seq]
        promised = self.seen.promised[conversation, seq]
        assert answered <= 1
        assert promised <= 1
        assert state == ("answered" if answered else "late" if promised else "accepted")

    async def check_receipts(self) -> None:
        for conversation in CONVERSATIONS:
            firsts = set()
            for (where, _), receipts in self.seen.receipts.items():
                if where == conversation:
                    assert len({receipt.seq for receipt in receipts}) == 1
                    assert sum(not receipt.duplicate for receipt in receipts) == 1
                    firsts.add(receipts[0].seq)
            async with self.db.read() as session:
                history = await ledger.history_after(session, self.name(conversation), 0)
            assert firsts == {m.seq for m in history if m.role == "customer"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[asyncio.Runner, Database]]:
    """One store for all examples: conversations of their own keep them apart."""
    db = Database(f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'kefu.db'}")
    with asyncio.Runner() as runner:
        runner.run(db.open())
        yield runner, db
        runner.run(db.close())


@settings(max_examples=60)
@given(bursts=bursts)
def test_numbers_hold_whatever_happens_at_once(
    world: tuple[asyncio.Runner, Database], bursts: list[list[Step]]
) -> None:
    runner, db = world
    runner.run(World(db).run(bursts))
