"""The subjects of the generator contract, each the real thing or a shipped fake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.inference.extractive import Extractive
from bot.inference.faulty import FaultyServer
from bot.inference.generator import Generator
from bot.inference.guard import Guarded
from bot.inference.local import LocalGenerator
from bot.inference.local_model import LocalModel
from bot.inference.openai import OpenAIGenerator
from bot.inference.upstream import Bounds, Upstream
from bot.inference.weights import GEMMA
from bot.testing import ScriptedGenerator
from tests.conftest import CACHE
from tests.llama_server import llama_server
from tests.tiny_generator import tiny_gguf

SLOW = Bounds(first_token_s=60, between_tokens_s=60)
"""For a real model on a slow machine."""
SUBJECTS = ("extractive", "scripted", "openai", "second", "faulty", "local", "chatting")
"""`local`: a base model; `chatting`: a tiny one with a chat template, unguarded, for it makes no sense. `faulty`: the
shipped fake, as long as nothing is wrong. `second`: it behind a server that is not there.
"""


@pytest.fixture(scope="session")
def llama() -> Iterator[str]:
    """Address of a real one with the small model."""
    with llama_server(str(CACHE), "8,16", "2") as address:
        yield address


@pytest.fixture(scope="session")
def local() -> Iterator[LocalGenerator]:
    """Loaded once, at its first use: it holds nothing of an event loop between two answers."""
    generator = LocalGenerator(LocalModel(CACHE))
    yield generator
    asyncio.run(generator.close())


@pytest.fixture(scope="session")
def chatting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalGenerator]:
    path = tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny-chat.gguf", decided=True, chat=True)
    generator = LocalGenerator(LocalModel(CACHE, path))
    yield generator
    asyncio.run(generator.close())


@pytest.fixture
async def faulty() -> AsyncIterator[FaultyServer]:
    async with FaultyServer() as server:
        yield server


@pytest.fixture(params=SUBJECTS)
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Generator]:
    if request.param == "local":
        yield Guarded(request.getfixturevalue("local"))
        return
    if request.param == "chatting":
        yield request.getfixturevalue("chatting")
        return
    async with FaultyServer() as server:
        generator = _make(request, server)
        yield generator
        await generator.close()


def _make(request: pytest.FixtureRequest, server: FaultyServer) -> Generator:
    if request.param == "extractive":
        return Extractive()
    if request.param == "scripted":
        return ScriptedGenerator()
    if request.param == "openai":
        return OpenAIGenerator([Upstream(request.getfixturevalue("llama"), GEMMA.name)], SLOW)
    nobody, fake = Upstream("http://127.0.0.1:9/v1", "m"), Upstream(server.url, "m")
    return OpenAIGenerator([nobody, fake] if request.param == "second" else [fake], SLOW)


@pytest.fixture
def cache() -> Path:
    return CACHE
