"""Nothing in the connectors may block the event loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from blockbuster import blockbuster_ctx

from tests.contract.webchat.page import sockets


@pytest.fixture(params=["socket", "events"])
def either_way(request: pytest.FixtureRequest) -> Iterator[None]:
    """The test runs with pages over WebSockets, and with pages that have none."""
    token = sockets.set(request.param == "socket")
    yield
    sockets.reset(token)


@pytest.fixture(autouse=True)
def nothing_blocks() -> Iterator[None]:
    with blockbuster_ctx("connectors"):
        yield
