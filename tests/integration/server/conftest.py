"""One server for the session, on a bot folder as `kefu init` writes it. Who needs other conditions ends it and
starts it again: `server` starts what is not running."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.integration.server.api import Api, opened
from tests.integration.server.process import Server, kefu

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("encoder")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bots") / "shop"
    done = kefu("init", folder)
    assert done.returncode == 0, done.stderr
    with (folder / "bot.yml").open("a", encoding="utf-8") as stream:
        stream.write("  - instance: old\n    type: rasa\n")
    (folder / "entities.yml").write_text("entities: {price: {recognise: amount}}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def shop_server(shop: Path, encoder_folder: Path) -> Iterator[Server]:
    server = Server(shop, shop.parent / "home")
    yield server
    if server.running:
        assert server.stop() == 0


@pytest.fixture
def server(shop_server: Server) -> Server:
    if not shop_server.running:
        shop_server.start()
    return shop_server


@pytest.fixture
async def api(server: Server) -> AsyncIterator[Api]:
    """A client with a key; every answer is checked against the server's own document."""
    async with opened(server) as client:
        yield client
