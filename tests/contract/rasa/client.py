"""A Rasa channel on a real server, and a client as those of Rasa are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiohttp import TCPConnector, web
from aiohttp.test_utils import TestClient, TestServer

from connectors.rasa import Rasa, RasaOptions
from connectors.rasa.senders import conversation_of
from connectors.testing import MemoryGateway

WEBHOOK = "/webhooks/rest/webhook"
SECRET = "a-secret-for-tests-of-more-than-32-characters"
OPTIONS = RasaOptions(per_minute=0, peer_per_minute=0, reply_within=10.0)


class Desk:
    def __init__(self, gateway: MemoryGateway, channel: Rasa, client: TestClient[Any, Any]) -> None:
        self.gateway, self.channel, self.client = gateway, channel, client

    async def ask(self, message: object, sender: object = "ann", **headers: str) -> list[dict[str, Any]]:
        body = {"sender": sender, "message": message}
        async with self.client.post(WEBHOOK, json=body, headers=headers) as response:
            assert response.status == 200, await response.text()
            found: list[dict[str, Any]] = await response.json()
            return found

    async def refused(self, body: object, **headers: str) -> tuple[int, str]:
        """Status and error code."""
        data = {"data": body} if isinstance(body, str | bytes) else {"json": body}
        async with self.client.post(WEBHOOK, headers=headers, **data) as response:
            error = (await response.json())["error"]
            assert error["message"]
            return response.status, error["code"]

    def conversation(self, sender: str = "ann") -> str:
        return conversation_of(sender, instance="old", key=SECRET)


@asynccontextmanager
async def open_desk(gateway: MemoryGateway | None = None, **options: Any) -> AsyncIterator[Desk]:
    """A server on a free port. No task of it may be left when it has closed."""
    before = asyncio.all_tasks()
    gateway = gateway or MemoryGateway(reply=lambda inbound: f"You said {inbound.text}")
    channel = Rasa("old", gateway, secret=SECRET, options=replace(OPTIONS, **options))
    app = web.Application()
    app.add_routes(channel.routes())

    async def stop(_: web.Application) -> None:
        await channel.close()

    app.on_shutdown.append(stop)
    async with TestClient(TestServer(app), connector=TCPConnector(limit=0)) as client:
        yield Desk(gateway, channel, client)
    assert asyncio.all_tasks() <= before
