"""A customer's message comes in once, under the next number."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest

from bot.errors import StoreError
from bot.store import ledger
from bot.store.db import Database
from tests.contract.store.samples import (
    NOW,
    accept,
    answer,
    commit,
    context,
    history,
    inbound,
    later,
    pending,
)


async def test_numbers_count_from_one_without_gaps_in_each_conversation(db: Database) -> None:
    messages = [inbound(f"m{i}", conversation=f"c{i % 3}") for i in range(30)]
    receipts = await asyncio.gather(*(accept(db, message) for message in messages))
    for conversation in ("c0", "c1", "c2"):
        seqs = sorted(r.seq for r in receipts if r.conversation == conversation)
        assert seqs == list(range(1, 11))
        assert [m.seq for m in await history(db, conversation)] == seqs
    assert not any(receipt.duplicate for receipt in receipts)


async def test_one_senders_messages_keep_their_order(db: Database) -> None:
    tasks = [asyncio.create_task(accept(db, inbound(f"m{i}", text=str(i)))) for i in range(5)]
    if db.dialect == "postgresql":  # connections race there: order is what the lane in front of it gives
        receipts = [await task for task in tasks]
        assert sorted(r.seq for r in receipts) == [1, 2, 3, 4, 5]
        return
    assert [(await task).seq for task in tasks] == [1, 2, 3, 4, 5]
    assert [m.text for m in await history(db)] == ["0", "1", "2", "3", "4"]


async def test_the_same_again_is_the_first_receipt(db: Database) -> None:
    first = await accept(db, inbound("m1"))
    await accept(db, inbound("m2"))
    again = await accept(db, inbound("m1", text="Something else"), at=later(60))
    assert first == ledger.Accepted("c1", 1, NOW)
    assert again == ledger.Accepted("c1", 1, NOW, duplicate=True)
    assert [m.text for m in await history(db)] == ["Where is my parcel?"] * 2


async def test_the_same_from_many_at_once_is_stored_once(db: Database) -> None:
    receipts = await asyncio.gather(*(accept(db, inbound(f"m{i % 4}")) for i in range(40)))
    assert sum(not receipt.duplicate for receipt in receipts) == 4
    assert {receipt.seq for receipt in receipts} == {1, 2, 3, 4}
    assert [m.seq for m in await history(db)] == [1, 2, 3, 4]
    assert (await context(db)).last_seq == 4


async def test_the_same_id_in_another_scope_or_channel_is_another_message(db: Database) -> None:
    await accept(db, inbound("m1"))
    other_scope = replace(inbound("m1"), scope="other")
    other_channel = inbound("m1", conversation="c2", channel="telegram")
    assert (await accept(db, other_scope)).seq == 2
    assert (await accept(db, other_channel)) == ledger.Accepted("c2", 1, NOW)


async def test_a_conversation_belongs_to_its_channel(db: Database) -> None:
    await accept(db, inbound("m1"))
    with pytest.raises(StoreError) as caught:
        await accept(db, inbound("m2", channel="telegram"))
    assert caught.value.code == "unknown_conversation"
    assert (await context(db)).last_seq == 1


async def test_everything_a_message_says_is_kept(db: Database) -> None:
    message = replace(inbound("m1", text="退货 🙂\nnow"), choice="intent:refund", locale="zh")
    await accept(db, message)
    found = await context(db)
    assert (found.channel, found.scope, found.locale, found.lang) == ("web", "c1-scope", "zh", None)
    line = found.messages[0]
    assert (line.role, line.text, line.choice, line.state) == (
        "customer",
        "退货 🙂\nnow",
        "intent:refund",
        "accepted",
    )
    [shown] = await history(db)
    assert (shown.external_id, shown.text, shown.turn) == ("m1", "退货 🙂\nnow", None)


async def test_a_later_locale_replaces_the_first_and_none_does_not(db: Database) -> None:
    await accept(db, replace(inbound("m1"), locale="zh"))
    await accept(db, inbound("m2"))
    assert (await context(db)).locale == "zh"
    await accept(db, replace(inbound("m3"), locale="en"))
    assert (await context(db)).locale == "en"


async def test_times_come_back_aware_and_in_utc(db: Database) -> None:
    shanghai = timezone(timedelta(hours=8))
    receipt = await accept(db, inbound("m1"), at=NOW.astimezone(shanghai))
    again = await accept(db, inbound("m1"))
    [shown] = await history(db)
    assert receipt.at == again.at == shown.at == NOW
    assert again.at.tzinfo is UTC
    assert shown.at.utcoffset() == timedelta(0)


async def test_a_closed_conversation_is_the_bots_again(db: Database) -> None:
    await accept(db, inbound("m1"))
    await commit(db, answer(1))
    closed = await db.write(lambda session: ledger.hold(session, "c1", "closed", NOW))
    receipt = await accept(db, inbound("m2"))
    found = await context(db)
    assert (receipt.seq, found.status) == (3, "bot")
    assert found.fence > closed
    assert [p.seq for p in await pending(db)] == [3]


async def test_a_person_who_holds_it_keeps_it(db: Database) -> None:
    await accept(db, inbound("m1"))
    fence = await db.write(lambda session: ledger.hold(session, "c1", "human", NOW))
    await accept(db, inbound("m2"))
    found = await context(db)
    assert (found.status, found.fence) == ("human", fence)
    assert await pending(db) == []
