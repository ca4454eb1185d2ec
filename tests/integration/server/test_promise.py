"""A promise that slips, from customers' thumbs to where an admin looks: API, metrics, log, `kefu doctor`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from click.testing import CliRunner

from bot.app import Bot, load_definition, make_app, open_bot
from bot.cli.main import kefu
from bot.clock import SystemClock
from bot.engine.kept import SETTLED, watch
from bot.settings import Settings
from tests.contract.webchat.page import PATH, Page
from tests.integration.server.process import ask
from tests.integration.server.test_health import value

KEY = "a-key-of-the-http-api-for-tests-of-more-than-32-characters"
THUMBS = 8
Client = TestClient[web.Request, web.Application]


class Ahead(SystemClock):
    """Runs as time does, and may be put on."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.fixture
def settings(tmp_path: Path, encoder_folder: Path) -> Settings:
    folder = tmp_path / "shop"
    assert CliRunner().invoke(kefu, ["init", str(folder)]).exit_code == 0
    with (folder / "bot.yml").open("a", encoding="utf-8") as stream:
        stream.write("promise: {wrong: 40%, sure: 60%}\n")
    return Settings(bot=folder, home=tmp_path / "home", api_keys=KEY, encoder_threads=1)


@asynccontextmanager
async def served(settings: Settings, clock: Ahead) -> AsyncIterator[tuple[Bot, Client]]:
    definition = await asyncio.to_thread(load_definition, settings.bot, memory=settings.documents)
    async with open_bot(definition, settings, progress=lambda *_: None, clock=clock) as bot:
        app = await asyncio.to_thread(make_app, bot)
        async with TestClient(TestServer(app)) as client:
            yield bot, client


async def thumb_down(client: Client) -> None:
    """One customer more is answered, and is not helped."""
    headers = {"Origin": str(client.make_url("/")).rstrip("/")}
    async with client.ws_connect(PATH, protocols=("kefu.v1",), headers=headers) as socket:
        page = Page(socket)
        await page.hello()
        await ask(page, "can you tell me what the delivery costs please", ref="m1")  # as no answer is stored
        await page.send("feedback", of=page.finals[-1], vote="down")
        await page.until("feedback", vote="down")


async def told(client: Client) -> tuple[dict[str, Any], str]:
    """Of English: what the API says, and the page of metrics."""
    async with client.get("/api/v1/status", headers={"Authorization": f"Bearer {KEY}"}) as answer:
        promise = (await answer.json())["data"]["promise"]
    async with client.get("/metrics") as answer:
        return next(one for one in promise["languages"] if one["lang"] == "en"), await answer.text()


async def test_a_promise_that_customers_see_broken_is_told_wherever_an_admin_looks(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Ahead()
    async with served(settings, clock) as (bot, client):
        await watch(bot.desk)  # from now on
        before, page = await told(client)
        assert before["bound"] > 0
        assert (before["answered"], before["slipped"]) == (0, False)
        assert value(page, 'kefu_promise_slipped{lang="en"}') == 0
        for _ in range(THUMBS):
            await thumb_down(client)
        clock.ahead = SETTLED + timedelta(minutes=1)
        await watch(bot.desk)
        after, page = await told(client)
        assert after == before | {"answered": THUMBS, "wrong": THUMBS, "slipped": True}
        assert value(page, 'kefu_promise_slipped{lang="en"}') == 1
    assert f"the promise has slipped in en: {THUMBS} of {THUMBS} answers were wrong" in caplog.text
    words = ["doctor", str(settings.bot), "--home", str(settings.home), "--json"]
    done = await asyncio.to_thread(CliRunner().invoke, kefu, words)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    found = [line["text"] for line in lines if line["check"] == "promise" and line["state"] == "warning"]
    assert any("English: the promise slipped" in text for text in found), lines
