"""A line's end, whatever its client does meanwhile."""

from __future__ import annotations

import asyncio
from typing import NoReturn
from unittest.mock import create_autospec

import pytest

from connectors.limits import Limits
from connectors.testing import MemoryGateway
from connectors.webchat import Tokens, WebChatOptions
from connectors.webchat.goodbye import Goodbye
from connectors.webchat.house import House
from connectors.webchat.line import Line


class Vanished(Line):
    """Its client is gone when the goodbye is said."""

    async def _converse(self) -> NoReturn:
        raise Goodbye

    async def _write(self, data: bytes, seq: int) -> None:
        raise ConnectionResetError

    async def _close(self, goodbye: Goodbye) -> None:
        raise ConnectionResetError


async def test_a_client_that_is_gone_when_it_is_told_goodbye_is_no_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    options = WebChatOptions()
    house = House("web", MemoryGateway(), Tokens(["s" * 32]), Limits(options), options)
    transport = create_autospec(asyncio.Transport, instance=True)
    transport.get_write_buffer_size.return_value = 1
    await Vanished(house, transport=transport).run()
    transport.abort.assert_called_once_with()
    assert caplog.records == []
