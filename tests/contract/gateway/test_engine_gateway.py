"""The engine keeps what the connectors' port promises, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.events import MAX_BEHIND
from bot.store import ledger
from bot.store.db import Database
from connectors.errors import Overloaded
from connectors.port import Frame, Gateway
from tests.contract.webchat.gateway_contract import GatewayContract, hello
from tests.unit.engine.conftest import Engine

CALLS: dict[str, Callable[[Gateway], Awaitable[object]]] = {
    "receive": lambda gateway: gateway.receive(hello("c1")),
    "history_after": lambda gateway: gateway.history_after("c1", 0),
    "last_seq": lambda gateway: gateway.last_seq("c1"),
    "status": lambda gateway: gateway.status("c1"),
    "feedback": lambda gateway: gateway.feedback("c1", 2, "up"),
    "delivered": lambda gateway: gateway.delivered("c1", 1),
}


class SureOfEverything(dict[str, object]):
    """A script in which every text has one good answer."""

    def get(self, key: str, default: object = None) -> object:
        return [("id-fee", 0.9)]


@pytest.fixture
def gateway(engine: Engine) -> Gateway:
    engine.mind.script = SureOfEverything()
    return engine.gateway


class TestEngineGateway(GatewayContract):
    pass


async def test_what_is_received_is_on_disk_when_the_receipt_comes(gateway: Gateway, engine: Engine) -> None:
    await gateway.receive(hello("c1", text="Durable?"))
    other = Database(str(engine.desk.store.url))
    await other.open()
    async with other.read() as session:
        assert (await ledger.history_after(session, "c1", 0))[0].text == "Durable?"
    await other.close()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_a_database_that_fails_is_told_in_the_connectors_words(
    gateway: Gateway, engine: Engine, call: Callable[[Gateway], Awaitable[object]]
) -> None:
    await engine.desk.store.close()
    with pytest.raises(Overloaded) as refused:
        await call(gateway)
    assert refused.value.retry_after
    assert "database" not in refused.value.message


async def test_a_subscriber_that_does_not_keep_up_is_ended(gateway: Gateway, engine: Engine) -> None:
    async with asyncio.timeout(5), gateway.subscribe("c1") as frames:
        for _ in range(MAX_BEHIND + 9):
            engine.desk.bus.publish(Frame("typing", "c1"))
        assert len([frame async for frame in frames]) == MAX_BEHIND
