"""Rasa's REST channel as its clients know it."""

from __future__ import annotations

import asyncio
import json

import pytest

from connectors.errors import Overloaded
from connectors.port import Inbound, QuickReply
from connectors.testing import MemoryGateway
from tests.contract.rasa.client import WEBHOOK, open_desk
from tests.contract.webchat.page import eventually

BUTTONS = (QuickReply("Yes", "entry:1"), QuickReply("None of these", "none"))


class Quiet(MemoryGateway):
    """Answers when it is told to."""

    def answer(self, conversation: str, text: str, *, to: int, **more: object) -> None:
        self.say(conversation, text, reply_to=to, turn=f"t{to}", **more)  # type: ignore[arg-type]


async def test_it_says_that_it_lives() -> None:
    async with open_desk(token="needed elsewhere") as desk, desk.client.get("/webhooks/rest/") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})


async def test_an_answer_has_just_the_keys_that_say_something() -> None:
    async with open_desk() as desk:
        assert await desk.ask("营业时间 😀") == [{"recipient_id": "ann", "text": "You said 营业时间 😀"}]
        [inbound] = desk.gateway.inbound
        assert (inbound.channel, inbound.text, inbound.choice) == ("old", "营业时间 😀", None)


async def test_all_keys_of_rasas_clients_are_taken_and_the_language_of_the_metadata_is_read() -> None:
    body = {"sender": 17, "message": " hello ", "input_channel": "shop", "extra": None}
    async with open_desk() as desk:
        for metadata, locale in (({"language": "zh-CN", "secret": "x"}, "zh"), (None, None), ({}, None)):
            async with desk.client.post(WEBHOOK, data=json.dumps({**body, "metadata": metadata})) as response:
                assert await response.json() == [{"recipient_id": "17", "text": "You said hello"}]
            assert desk.gateway.inbound[-1].locale == locale


async def test_a_blank_line_parts_messages() -> None:
    text = "First line\nstill first\n\n  Second\n \n\n\nThird\n\n"
    async with open_desk(MemoryGateway(reply=lambda _: text)) as desk:
        texts = [shown["text"] for shown in await desk.ask("go on")]
    assert texts == ["First line\nstill first", "Second", "Third"]


@pytest.mark.parametrize("query", ["?stream=true", "?stream=True"])
async def test_a_stream_is_one_object_a_line_as_they_are_committed(query: str) -> None:
    gateway = Quiet()
    async with open_desk(gateway) as desk:
        body = {"sender": "ann", "message": "hello"}
        async with desk.client.post(WEBHOOK + query, json=body) as response:
            assert response.content_type == "text/event-stream"
            gateway.answer(desk.conversation(), "It takes longer.", to=1, role="system")
            first = await response.content.readline()
            gateway.answer(desk.conversation(), "您好\n\nHow are you?", to=1)
            rest = (await response.content.read()).splitlines()
    assert json.loads(first) == {"recipient_id": "ann", "text": "It takes longer."}
    assert [json.loads(line)["text"] for line in rest] == ["您好", "How are you?"]


async def test_a_button_comes_back_as_its_payload_and_is_the_choice() -> None:
    gateway = Quiet()
    async with open_desk(gateway) as desk:
        asking = asyncio.create_task(desk.ask("my loan"))
        await eventually(lambda: bool(gateway.inbound))
        gateway.answer(desk.conversation(), "Which one?\n\nChoose:", to=1, quick_replies=BUTTONS)
        question, choose = await asking
        assert question == {"recipient_id": "ann", "text": "Which one?"}
        assert [button["title"] for button in choose["buttons"]] == ["Yes", "None of these"]
        pressing = asyncio.create_task(desk.ask(choose["buttons"][0]["payload"]))
        await eventually(lambda: len(gateway.inbound) == 2)
        assert (gateway.inbound[1].text, gateway.inbound[1].choice) == ("Yes", "entry:1")
        gateway.answer(desk.conversation(), "Good.", to=3)
        assert [shown["text"] for shown in await pressing] == ["Good."]
        invented = {"sender": "ann", "message": "/choice/2/entry:9"}
        assert await desk.refused(invented) == (404, "no_such_message")
        stranger = {"sender": "bob", "message": choose["buttons"][0]["payload"]}
        assert await desk.refused(stranger) == (404, "no_such_message")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"message": "hello"}, 400, "no_sender"),
        ({"sender": None, "message": "hello"}, 400, "no_sender"),
        ({"sender": "", "message": "hello"}, 400, "no_sender"),
        ({"sender": " ", "message": "hello"}, 400, "no_sender"),
        ({"sender": True, "message": "hello"}, 400, "no_sender"),
        ({"sender": ["ann"], "message": "hello"}, 400, "no_sender"),
        ({"sender": "x" * 256, "message": "hello"}, 400, "no_sender"),
        ({"sender": "ann"}, 400, "bad_frame"),
        ({"sender": "ann", "message": None}, 400, "bad_frame"),
        ({"sender": "ann", "message": ""}, 400, "empty_text"),
        ({"sender": "ann", "message": "x" * 4_001}, 413, "too_large"),
        ({"sender": "ann", "message": "x", "metadata": []}, 400, "bad_frame"),
        ([{"text": "hi"}], 400, "bad_frame"),
        ("sender=ann&message=hello", 400, "bad_json"),
        (b"\xff\xfe{}", 400, "bad_json"),
        ("x" * 70_000, 413, "too_large"),
    ],
)
async def test_what_cannot_be_read_is_refused_and_nothing_is_stored(
    body: object, status: int, code: str
) -> None:
    async with open_desk() as desk:
        assert await desk.refused(body) == (status, code)
        assert desk.gateway.inbound == []


async def test_senders_share_nothing_and_no_id_of_ours_is_told() -> None:
    async with open_desk() as desk:
        shown = [await desk.ask("hello", sender) for sender in ("ann", "Ann", "bob", "ann")]
        conversations = [inbound.conversation for inbound in desk.gateway.inbound]
        assert len(set(conversations)) == 3
        assert conversations[0] == conversations[3]
        assert all(len(conversation) >= 22 for conversation in conversations)
        assert not any(conversation in str(shown) for conversation in conversations)


async def test_a_request_is_told_the_replies_to_its_own_message_and_nothing_from_before() -> None:
    async with open_desk() as desk:
        await desk.ask("my secret")
        desk.gateway.say(desk.conversation(), "A colleague's words", role="agent")
        answers = await asyncio.gather(*(desk.ask(f"question {n}") for n in range(8)))
        assert [[shown["text"] for shown in answer] for answer in answers] == [
            [f"You said question {n}"] for n in range(8)
        ]


async def test_the_same_key_is_the_same_message_and_the_same_answer() -> None:
    async with open_desk() as desk:
        first = await desk.ask("hello", **{"Idempotency-Key": "k 1"})
        again = await desk.ask("something else", **{"Idempotency-Key": "k 1"})
        assert first == again == [{"recipient_id": "ann", "text": "You said hello"}]
        await desk.ask("hello", "bob", **{"Idempotency-Key": "k 1"})
        assert [inbound.text for inbound in desk.gateway.inbound] == ["hello", "hello"]


async def test_without_a_key_each_request_is_a_message() -> None:
    async with open_desk() as desk:
        assert await desk.ask("hello") == await desk.ask("hello")
        assert len({inbound.external_id for inbound in desk.gateway.inbound}) == 2


async def test_an_answer_that_takes_too_long_is_fetched_by_the_same_key() -> None:
    gateway = Quiet()
    async with open_desk(gateway, reply_within=0.1) as desk:
        assert await desk.ask("hello", **{"Idempotency-Key": "k"}) == []
        gateway.answer(desk.conversation(), "It takes longer.", to=1, role="system")
        assert [m["text"] for m in await desk.ask("hello", **{"Idempotency-Key": "k"})] == [
            "It takes longer."
        ]
        gateway.answer(desk.conversation(), "Here it is.", to=1)
        both = await desk.ask("hello", **{"Idempotency-Key": "k"})
        assert [shown["text"] for shown in both] == ["It takes longer.", "Here it is."]


async def test_an_answer_nobody_was_woken_for_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.rasa.replies.LOOK_EVERY", 0.05)
    gateway = Quiet()
    async with open_desk(gateway) as desk:
        asking = asyncio.create_task(desk.ask("hello"))
        await eventually(lambda: bool(gateway.inbound))
        gateway.end_subscriptions(desk.conversation())
        gateway.answer(desk.conversation(), "Here it is.", to=1, publish=False)
        assert [shown["text"] for shown in await asking] == ["Here it is."]


async def test_while_a_person_holds_the_conversation_nothing_is_waited_for() -> None:
    gateway = Quiet()
    async with open_desk(gateway) as desk:
        asking = asyncio.create_task(desk.ask("hello"))
        await eventually(lambda: bool(gateway.inbound))
        gateway.hand_over(desk.conversation(), "human")
        assert await asking == []
        assert await desk.ask("still there?") == []
        assert len(gateway.inbound) == 2


async def test_the_token_is_asked_for_where_there_is_one() -> None:
    body = {"sender": "ann", "message": "hello"}
    async with open_desk(token="thisismysecret") as desk:
        assert await desk.refused(body) == (401, "unauthorised")
        assert await desk.refused(body, Authorization="Bearer wrong") == (401, "unauthorised")
        assert await desk.refused(body, Authorization="Bearer é") == (401, "unauthorised")
        assert desk.gateway.inbound == []
        assert await desk.ask("hello", Authorization="Bearer thisismysecret")
        async with desk.client.post(f"{WEBHOOK}?token=thisismysecret", json=body) as response:
            assert response.status == 200


async def test_pages_of_other_sites_are_admitted_by_the_list() -> None:
    body = {"sender": "ann", "message": "hello"}
    async with open_desk(origins=("https://shop.example",)) as desk:
        assert await desk.refused(body, Origin="https://evil.example") == (403, "origin_refused")
        headers = {"Origin": "https://shop.example"}
        async with desk.client.options(WEBHOOK, headers=headers) as asked:
            assert asked.status == 204
        async with desk.client.post(WEBHOOK, json=body, headers=headers) as sent:
            assert sent.status == 200
        for response in (asked, sent):
            assert response.headers["Access-Control-Allow-Origin"] == "https://shop.example"


async def test_limits_are_of_a_sender_and_of_an_address() -> None:
    body = {"sender": "ann", "message": "hello"}
    async with open_desk(per_minute=60, burst=2, peer_per_minute=60, peer_burst=3) as desk:
        await desk.ask("hello")
        await desk.ask("hello")
        async with desk.client.post(WEBHOOK, json=body) as response:
            assert (response.status, response.headers["Retry-After"]) == (429, "1")
        await desk.ask("hello", "bob")
        assert await desk.refused({**body, "sender": "cid"}) == (429, "rate_limited")


async def test_trouble_of_the_engine_is_told_without_the_customers_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    body = {"sender": "ann", "message": "my card is 6222"}
    async with open_desk() as desk:
        desk.gateway.fail("receive", Overloaded("overloaded", "Busy.", retry_after=2))
        assert await desk.refused(body) == (503, "overloaded")
        desk.gateway.fail("receive", RuntimeError("INSERT 'my card is 6222'"))
        assert await desk.refused(body) == (500, "internal")
        desk.gateway.fail("history_after", RuntimeError("6222"))
        async with desk.client.post(f"{WEBHOOK}?stream=true", json=body) as response:
            assert (response.status, await response.read()) == (200, b"")
        assert await desk.ask("hello")
    assert "RuntimeError" in caplog.text
    assert "6222" not in caplog.text


async def test_more_than_may_wait_are_refused_and_a_stopping_server_lets_nobody_hang() -> None:
    gateway = Quiet()
    async with open_desk(gateway, max_waiting=2, close_within=0.05) as desk:
        body = {"sender": "ann", "message": "hello"}
        waiting = [asyncio.create_task(desk.refused(body)) for _ in range(2)]
        await eventually(lambda: len(gateway.inbound) == 2)
        await eventually(lambda: len(desk.channel._waiting) == 2)
        assert await desk.refused(body) == (503, "overloaded")
        await desk.channel.close()
        assert await asyncio.gather(*waiting) == [(503, "overloaded")] * 2
        assert await desk.refused(body) == (503, "overloaded")


async def test_a_client_that_has_gone_leaves_its_message_stored_and_nothing_waiting() -> None:
    class Slow(MemoryGateway):
        entered, go_on = asyncio.Event(), asyncio.Event()

        async def receive(self, inbound: Inbound):  # type: ignore[no-untyped-def]
            self.entered.set()
            await self.go_on.wait()
            return await super().receive(inbound)

    gateway = Slow(reply=lambda _: "answer")
    async with open_desk(gateway) as desk:
        asking = asyncio.create_task(desk.ask("hello"))
        await gateway.entered.wait()
        asking.cancel()
        gateway.go_on.set()
        await eventually(lambda: len(gateway.inbound) == 1 and not desk.channel._waiting)
        await eventually(lambda: not gateway.subscribers(desk.conversation()))
