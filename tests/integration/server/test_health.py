"""What keeps a server running asks: alive, ready, and how it is."""

from __future__ import annotations

import re

from aiohttp import ClientSession

from bot.monitoring.metrics import CONTENT_TYPE, GAUGES
from tests.integration.server.process import Server, ask


async def metrics(server: Server) -> str:
    async with ClientSession(server.url) as session, session.get("/metrics") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == CONTENT_TYPE
        return await answer.text()


def value(page: str, series: str) -> float:
    [found] = re.findall(rf"^{re.escape(series)} (\S+)$", page, re.MULTILINE) or ["0"]
    return float(found)


async def test_a_server_that_answers_is_alive_and_ready(server: Server) -> None:
    async with ClientSession(server.url) as session:
        for path, body in (("/healthz", {"alive": True}), ("/readyz", {"ready": True})):
            async with session.get(path) as answer:
                assert (answer.status, await answer.json()) == (200, {"data": body})
                assert answer.headers["Cache-Control"] == "no-store"


async def test_what_happens_is_counted(server: Server) -> None:
    before = await metrics(server)
    async with server.page() as page:
        await ask(page, "运费是多少？", ref="m1")
        await page.send("message", id="m1", text="运费是多少？")
        await page.until("accepted")
        during = await metrics(server)
    new, again = (f'kefu_messages_received_total{{channel="web",duplicate="{d}"}}' for d in ("false", "true"))
    assert value(during, new) == value(before, new) + 1
    assert value(during, again) == value(before, again) + 1
    assert value(during, 'kefu_sockets{channel="web"}') >= 1
    assert value(during, "kefu_turn_seconds_count") >= value(before, "kefu_turn_seconds_count") + 1
    assert value(during, 'kefu_store_write_seconds_count{end="ok"}') >= 2
    assert value(during, "kefu_encoder_batch_texts_count") >= 1
    assert value(during, "kefu_answers") > 0
    assert value(during, "kefu_database_up") == 1
    assert value(during, "process_resident_memory_bytes") > 1e8
    for name in GAUGES:
        assert f"# TYPE kefu_{name} gauge" in during


async def test_no_words_and_no_ids_stand_in_the_metrics(server: Server) -> None:
    async with server.page() as page:
        await ask(page, "telescopic marmalade", ref="m1")
        async with ClientSession(server.url) as session:
            await session.get(f"/api/v1/conversations/{page.conversation}?nosuch=telescopic")
            await session.request("OPTIONS", "/telescopic-marmalade")
        told = await metrics(server)
        assert page.conversation not in told
    assert "telescopic" not in told.lower()
    assert "marmalade" not in told.lower()
    assert 'route="/api/v1/conversations/{id}"' in told
    assert len(told.splitlines()) < 1_000
