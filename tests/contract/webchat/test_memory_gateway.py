"""The shipped fake keeps the port's promises."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from connectors.port import Frame, Gateway
from connectors.testing import MemoryGateway
from tests.contract.webchat.gateway_contract import GatewayContract


class TestMemoryGateway(GatewayContract):
    @pytest.fixture
    def gateway(self) -> Gateway:
        return MemoryGateway(reply=lambda inbound: f"You said: {inbound.text}")


async def test_a_subscriber_that_does_not_keep_up_is_ended() -> None:
    gateway, conversation = MemoryGateway(backlog=3), secrets.token_urlsafe(16)
    async with asyncio.timeout(5), gateway.subscribe(conversation) as frames:
        for _ in range(4):
            gateway.publish(Frame("typing", conversation))
        assert [frame async for frame in frames] == []
    assert gateway.subscribers(conversation) == 0
