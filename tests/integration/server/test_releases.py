"""Releases go live and back beside a running server, while customers go on asking."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from bot.cli.releases import go_back, go_live
from bot.settings import Settings, load_settings
from bot.store.glance import glance
from bot.store.releases import aliases
from retrieval.model_folder import read_manifest
from retrieval.onnx_encoder import fingerprint
from tests.integration.server.process import Server, ask, kefu
from tests.integration.server.test_health import metrics
from tests.unit.training.shelf import draft, evaluation
from training.registry import add_release
from training.release import BASE, Release


@pytest.fixture
def release(server: Server, encoder_folder: Path) -> Iterator[Release]:
    """On the encoder of the settings, so that nothing has to be encoded anew."""
    figures = {BASE: evaluation(0.8)}
    new = draft(fingerprint=fingerprint(read_manifest(encoder_folder)), baselines=figures)
    yield add_release(server.home / "releases", new, now=datetime.now(UTC))
    if live(server) != BASE:
        go_live(settings(server), BASE, force=True, why="the test is over")


def settings(server: Server) -> Settings:
    return load_settings(bot=server.folder, home=server.home)


def live(server: Server) -> str:
    return glance(settings(server).database_url, aliases).live


def typed(server: Server, *words: str) -> str:
    done = kefu("releases", server.folder, *words, "--home", server.home)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def until_live(server: Server, name: str) -> None:
    while f'release="{name}"' not in await metrics(server):  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def ready(server: Server) -> dict[str, Any]:
    async with ClientSession(server.url) as session, session.get("/readyz") as answer:
        assert answer.status == 200
        data: dict[str, Any] = (await answer.json())["data"]
        return data


async def test_a_release_goes_live_and_back_and_no_message_is_lost(server: Server, release: Release) -> None:
    stop = asyncio.Event()

    async def customer() -> list[str]:
        answers: list[str] = []
        async with server.page() as page:
            while not stop.is_set():
                answers.append(await ask(page, "运费是多少？", ref=f"m{len(answers)}"))
        return answers

    asking = asyncio.create_task(customer())
    async with asyncio.timeout(120):
        said = await asyncio.to_thread(typed, server, "promote", release.name)
        assert said.startswith(f"{release.name} is live")
        await until_live(server, release.name)
        await asyncio.to_thread(typed, server, "rollback", "--why", "a trial")
        await until_live(server, BASE)
    stop.set()
    answers = await asking
    assert len(set(answers)) == 1
    assert len(answers) > 3


async def test_a_release_whose_folder_is_lost_leaves_another_one_answering(
    server: Server, release: Release
) -> None:
    assert await asyncio.to_thread(go_live, settings(server), release.name, force=False, why="")
    async with asyncio.timeout(60):
        await until_live(server, release.name)
    assert "degraded" not in await ready(server)
    await asyncio.to_thread(shutil.rmtree, release.folder)
    assert await asyncio.to_thread(server.stop) == 0
    await asyncio.to_thread(server.start)
    assert server.said(f"There is no release {release.name}")
    assert (await ready(server))["degraded"] == {
        "release": f"{release.name} cannot serve, base does. The log says why."
    }
    async with server.page() as page:
        assert await ask(page, "运费是多少？", ref="m1")
    await asyncio.to_thread(go_back, settings(server), why="its folder is lost")
    async with asyncio.timeout(60):
        while "degraded" in await ready(server):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
