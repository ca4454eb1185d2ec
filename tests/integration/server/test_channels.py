"""Two channels at once on one bot, and a chat without a WebSocket, on a real server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import ClientSession

from tests.integration.server.process import Server, ask

WEBHOOK = "/webhooks/rest/webhook"
QUESTION = "How much is delivery?"


async def rasa(session: ClientSession, message: str, **headers: str) -> list[dict[str, Any]]:
    body = {"sender": "customer-17", "message": message}
    async with session.post(WEBHOOK, json=body, headers=headers) as response:
        assert response.status == 200
        found: list[dict[str, Any]] = await response.json()
        return found


async def test_both_channels_give_the_same_answer_at_the_same_time(server: Server) -> None:
    async with ClientSession(server.url) as session, server.page() as page:
        answers = await asyncio.gather(rasa(session, QUESTION), ask(page, QUESTION, ref="m1"))
        [shown], said = answers
        assert set(shown) == {"recipient_id", "text"}
        assert said.removesuffix(" [1]") == shown["text"]
        assert "deliver" in shown["text"]


async def test_a_button_of_a_question_is_understood_when_its_payload_comes_back(server: Server) -> None:
    async with ClientSession(server.url) as session:
        shown = (await rasa(session, "Can you recommend a poem about the moon?"))[-1]
        [person] = [b for b in shown["buttons"] if "person" in b["payload"]]
        handed = await rasa(session, person["payload"], **{"Idempotency-Key": "press"})
        assert handed
        assert handed != [shown]
        assert await rasa(session, person["payload"], **{"Idempotency-Key": "press"}) == handed


async def test_a_chat_without_a_websocket_is_answered(server: Server) -> None:
    async with (
        ClientSession(server.url, headers={"Origin": server.url}) as session,
        session.get("/channels/web/events", params={"locale": "en"}) as events,
    ):
        frames = (json.loads(line[6:]) async for line in events.content if line.startswith(b"data: "))
        welcome = await anext(frames)
        headers = {"Authorization": f"Bearer {welcome['token']}"}
        frame = {"type": "message", "id": "m1", "text": QUESTION}
        async with session.post("/channels/web/messages", json=frame, headers=headers) as response:
            assert (await response.json())["type"] == "accepted"
        async with asyncio.timeout(20):
            answer = await anext(f async for f in frames if f["type"] == "final" and f["role"] == "bot")
        assert "deliver" in answer["text"]
