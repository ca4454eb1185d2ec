"""The example bank's bot in process, on the real encoder; its home is the browser tests', kept between runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import Bot, load_definition, open_bot
from bot.settings import load_settings
from tests.conftest import CACHE, ROOT

HOME = ROOT / ".cache" / "test-home"


@pytest.fixture
async def bank(encoder_folder: Path) -> AsyncIterator[Bot]:
    definition = await asyncio.to_thread(load_definition, ROOT / "examples" / "bank")
    settings = load_settings(bot=definition.folder, home=HOME, cache=CACHE)
    async with open_bot(definition, settings, progress=lambda *_: None) as bot:
        yield bot
