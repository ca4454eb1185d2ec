"""What every `connectors.port.Gateway` must do. Subclass `GatewayContract` and give it a `gateway` fixture
whose bot answers each customer message with one rateable message."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta

import pytest

from connectors.errors import Refused
from connectors.port import Frame, Gateway, Inbound, Message

PATIENCE = 20.0


def hello(conversation: str, *, external_id: str = "m1", scope: str = "s1", text: str = "Hello?") -> Inbound:
    return Inbound("web", f"{conversation}-{scope}", external_id, conversation, text)


async def frames_until_bot(gateway: Gateway, inbound: Inbound) -> list[Frame]:
    """Everything from before the message to the bot's final."""
    seen: list[Frame] = []
    async with asyncio.timeout(PATIENCE), gateway.subscribe(inbound.conversation) as frames:
        await gateway.receive(inbound)
        async for frame in frames:
            seen.append(frame)
            if frame.message is not None and frame.message.role == "bot":
                break
    return seen


async def history(gateway: Gateway, conversation: str) -> list[Message]:
    return list(await gateway.history_after(conversation, 0))


class GatewayContract:
    @pytest.fixture
    def conversation(self) -> str:
        return secrets.token_urlsafe(16)

    async def test_receive_returns_after_the_message_is_in_the_history(
        self, gateway: Gateway, conversation: str
    ) -> None:
        receipt = await gateway.receive(hello(conversation, text="营业时间 😀"))
        first = (await history(gateway, conversation))[0]
        assert (receipt.conversation, receipt.seq, receipt.duplicate) == (conversation, 1, False)
        assert (first.seq, first.role, first.text) == (1, "customer", "营业时间 😀")
        assert first.external_id == "m1"
        assert receipt.at.utcoffset() == timedelta(0)
        assert first.at == receipt.at
        assert await gateway.last_seq(conversation) >= 1

    async def test_the_same_three_again_are_the_same_message(
        self, gateway: Gateway, conversation: str
    ) -> None:
        first = await gateway.receive(hello(conversation))
        again = await gateway.receive(hello(conversation, text="Something else"))
        assert again.duplicate
        assert (again.seq, again.at, again.conversation) == (first.seq, first.at, conversation)
        own = [m.text for m in await history(gateway, conversation) if m.role == "customer"]
        assert own == ["Hello?"]

    async def test_the_same_three_at_the_same_time_are_one_message(
        self, gateway: Gateway, conversation: str
    ) -> None:
        receipts = await asyncio.gather(*(gateway.receive(hello(conversation)) for _ in range(8)))
        assert {receipt.seq for receipt in receipts} == {1}
        assert sorted(receipt.duplicate for receipt in receipts) == [False] + [True] * 7
        own = [m for m in await history(gateway, conversation) if m.role == "customer"]
        assert len(own) == 1

    async def test_an_id_is_unique_within_its_scope_only(self, gateway: Gateway, conversation: str) -> None:
        first = await gateway.receive(hello(conversation, scope="s1"))
        other = await gateway.receive(hello(conversation, scope="s2"))
        assert not other.duplicate
        assert other.seq > first.seq

    async def test_a_subscriber_sees_each_committed_message_as_the_history_has_it(
        self, gateway: Gateway, conversation: str
    ) -> None:
        seen = await frames_until_bot(gateway, hello(conversation))
        finals = [frame.message for frame in seen if frame.kind == "final"]
        assert finals == (await history(gateway, conversation))[: len(finals)]
        assert [m.seq for m in finals if m] == list(range(1, len(finals) + 1))
        assert [m.role for m in finals if m][-1] == "bot"
        assert [m.reply_to for m in finals if m] == [None] * (len(finals) - 1) + [1]
        assert all(frame.conversation == conversation for frame in seen)

    async def test_a_turn_opens_with_read_and_its_deltas_end_with_a_final(
        self, gateway: Gateway, conversation: str
    ) -> None:
        seen = await frames_until_bot(gateway, hello(conversation))
        kinds = [frame.kind for frame in seen]
        assert "read" in kinds
        assert seen[kinds.index("read")].seq == 1
        answer = seen[-1].message
        assert answer is not None
        deltas = [i for i, kind in enumerate(kinds) if kind == "delta"]
        assert all(i > kinds.index("read") for i in deltas)
        kept = [seen[i] for i in deltas if seen[i].attempt == answer.attempt]
        assert {frame.turn for frame in kept} <= {answer.turn}

    async def test_subscribers_of_one_conversation_see_the_same_and_others_nothing(
        self, gateway: Gateway, conversation: str
    ) -> None:
        stranger = secrets.token_urlsafe(16)
        async with (
            asyncio.timeout(PATIENCE),
            gateway.subscribe(conversation) as mine,
            gateway.subscribe(stranger) as theirs,
        ):
            here = await frames_until_bot(gateway, hello(conversation))
            there = [await anext(mine) for _ in here]
            assert there == here
            await gateway.receive(hello(stranger, text="Only mine"))
            first = await anext(theirs)
            assert first.conversation == stranger

    async def test_history_comes_in_pages_oldest_first(self, gateway: Gateway, conversation: str) -> None:
        for number in range(3):
            await frames_until_bot(gateway, hello(conversation, external_id=f"m{number}"))
        everything = await history(gateway, conversation)
        assert [m.seq for m in everything] == list(range(1, len(everything) + 1))
        assert await gateway.last_seq(conversation) == len(everything)
        assert list(await gateway.history_after(conversation, 2, limit=2)) == everything[2:4]
        assert list(await gateway.history_after(conversation, len(everything))) == []

    async def test_an_unknown_conversation_is_empty_and_not_an_error(
        self, gateway: Gateway, conversation: str
    ) -> None:
        assert await history(gateway, conversation) == []
        assert await gateway.last_seq(conversation) == 0
        assert await gateway.status(conversation) == "bot"
        await gateway.delivered(conversation, 1)
        assert await gateway.last_seq(conversation) == 0

    async def test_a_vote_is_stored_told_to_subscribers_each_time_and_taken_back(
        self, gateway: Gateway, conversation: str
    ) -> None:
        answer = (await frames_until_bot(gateway, hello(conversation)))[-1].message
        assert answer is not None
        assert answer.rateable
        async with asyncio.timeout(PATIENCE), gateway.subscribe(conversation) as frames:
            for vote in ("up", "up", "down", None):
                await gateway.feedback(conversation, answer.seq, vote)
                told = await anext(frames)
                while told.kind != "feedback":
                    told = await anext(frames)
                assert (told.seq, told.vote) == (answer.seq, vote)
                stored = await gateway.history_after(conversation, answer.seq - 1, limit=1)
                assert stored[0].feedback == vote

    async def test_only_messages_of_the_bot_take_votes(self, gateway: Gateway, conversation: str) -> None:
        await gateway.receive(hello(conversation))
        for seq in (0, 1, 10_000):
            with pytest.raises(Refused) as refused:
                await gateway.feedback(conversation, seq, "up")
            assert refused.value.code == "no_such_message"

    async def test_the_profile_greets_in_each_of_its_languages(self, gateway: Gateway) -> None:
        profile = gateway.profile()
        assert profile.languages
        assert set(profile.languages) <= set(profile.welcome)
        assert set(profile.languages) <= set(profile.name)
