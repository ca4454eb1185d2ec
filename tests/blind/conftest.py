"""The example bots in process, on the real encoder.

Their homes are kept between runs. The bank's is the browser tests'.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from bot.app import Bot, load_definition, open_bot
from bot.settings import load_settings
from tests.conftest import CACHE, ROOT

HERE = Path(__file__).parent
HOMES = {"bank": ROOT / ".cache" / "test-home", "shop": ROOT / ".cache" / "test-home-shop"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A bot belongs to the loop that it was opened in: one for all questions."""
    for item in items:
        if item.path.is_relative_to(HERE) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bank(encoder_folder: Path) -> AsyncIterator[Bot]:
    async with _example("bank") as bot:
        yield bot


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(encoder_folder: Path) -> AsyncIterator[Bot]:
    async with _example("shop") as bot:
        yield bot


@asynccontextmanager
async def _example(name: str) -> AsyncIterator[Bot]:
    definition = await asyncio.to_thread(load_definition, ROOT / "examples" / name)
    settings = load_settings(bot=definition.folder, home=HOMES[name], cache=CACHE)
    async with open_bot(definition, settings, progress=lambda *_: None) as bot:
        yield bot
