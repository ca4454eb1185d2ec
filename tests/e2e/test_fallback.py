"""A network that lets no WebSocket through: the widget chats all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from bot.api.site import find_widget, security_headers, site_routes
from connectors.testing import MemoryGateway
from connectors.webchat import Tokens, WebChat, WebChatOptions
from tests.e2e.chat import Chat, seen
from tests.integration.server.process import Server

KEY = "a-key-for-tests-of-more-than-32-characters"


class Behind:
    """A bot behind a proxy that answers each WebSocket by 403."""

    def __init__(self) -> None:
        self.gateway = MemoryGateway(reply=lambda inbound: f"You said {inbound.text}")
        self.channel = WebChat("web", self.gateway, tokens=Tokens([KEY]), options=WebChatOptions())
        self.refused = 0
        self.url = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.on_response_prepare.append(security_headers)
        ways = [route for route in self.channel.routes() if not route.path.endswith("/ws")]
        page = site_routes(None, find_widget(), name="Ann", lang="en", channel="web")
        app.add_routes([web.get("/channels/web/ws", self._refuse), *ways, *page])
        return app

    async def _refuse(self, _: web.Request) -> web.Response:
        self.refused += 1
        return web.Response(status=403)


@pytest.fixture
def built() -> tuple[Behind, web.Application]:
    """Made off the loop, since it looks for files."""
    place = Behind()
    return place, place.app()


@pytest_asyncio.fixture(loop_scope="session")
async def behind(built: tuple[Behind, web.Application]) -> AsyncIterator[Behind]:
    place, app = built
    async with TestServer(app) as server:
        place.url = str(server.make_url("")).rstrip("/")
        yield place
        await place.channel.close()


async def test_the_widget_chats_where_no_websocket_comes_through(page: Page, behind: Behind) -> None:
    chat = await Chat.visit(page, cast("Server", behind))
    await chat.open()
    answer = await chat.ask("Hello from behind")
    assert await seen(answer) == "You said Hello from behind"
    await expect(chat.own.locator(".delivery.read")).to_be_visible()
    assert behind.refused == 2
    conversation = behind.gateway.inbound[0].conversation
    behind.gateway.say(conversation, "And a word without being asked")
    await expect(chat.answers.nth(1)).to_contain_text("without being asked")
    await page.reload()
    await expect(chat.answers).to_have_count(2)
    await chat.ask("Still there?")
    assert [inbound.text for inbound in behind.gateway.inbound] == ["Hello from behind", "Still there?"]
    assert {inbound.conversation for inbound in behind.gateway.inbound} == {conversation}
