"""A real Chromium, found on this machine (`make browser` installs it), driven by Playwright.

All tests of this folder share the session's event loop, because a browser belongs to the loop it was started
in: asynchronous fixtures for them are declared with `@pytest_asyncio.fixture(loop_scope="session")`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from filelock import FileLock
from playwright.async_api import Browser, Page, async_playwright

from deploy.dev import chromium
from tests.integration.server.process import ROOT, Server

HERE = Path(__file__).parent
HOME = ROOT / ".cache" / "test-home"
FIRST_START_S = 900
"""On the first start on a machine the bank learns of its 11,000 phrasings; on a busy one that takes minutes."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what lies below this folder; pytest hands every collected item to every conftest."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("browser")
            if {"bank", "shop", "example"} & set(getattr(item, "fixturenames", ())):
                item.add_marker("encoder")
                item.add_marker(pytest.mark.timeout(FIRST_START_S))
            if pytest_asyncio.is_async_test(item):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The session's browser. Fails, naming what to install, where there is no Chromium or no Chinese font."""
    try:
        chromium.check(os.environ)
    except chromium.MissingBrowser as missing:
        pytest.fail(str(missing), pytrace=False)
    root = os.geteuid() == 0
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=chromium.find(os.environ),
            args=chromium.launch_flags(root=root),
            chromium_sandbox=not root,
        )
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page with cookies and storage of its own; an exception that it leaves uncaught fails the test."""
    context = await browser.new_context(locale="en-GB")
    opened = await context.new_page()
    uncaught: list[str] = []
    opened.on("pageerror", lambda error: uncaught.append(str(error)))
    yield opened
    await context.close()
    assert uncaught == []


@pytest.fixture(scope="session")
def bank(encoder_folder: Path) -> Iterator[Server]:
    """The example bank on a real server. Its home stays, so that the index is built once a machine."""
    with _served("bank", HOME) as server:
        yield server


@pytest.fixture(scope="session")
def shop(encoder_folder: Path) -> Iterator[Server]:
    """The example shop, likewise; its home is the blind questions' too."""
    with _served("shop", HOME.with_name(f"{HOME.name}-shop")) as server:
        yield server


@contextmanager
def _served(name: str, home: Path) -> Iterator[Server]:
    with FileLock(f"{home}.lock"):
        server = Server(ROOT / "examples" / name, home)
        server.start(patience=FIRST_START_S)
        yield server
        if server.running:
            assert server.stop() == 0
