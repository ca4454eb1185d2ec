"""What stands in a server's log, and what does not."""

from __future__ import annotations

import asyncio
import io
import logging

from aiohttp import web

from bot.cli.logs import handler


async def test_what_is_no_http_is_refused_without_repeating_it() -> None:
    said = io.StringIO()
    logger = logging.getLogger("kefu.test.server")
    logger.propagate = False
    logger.addHandler(handler(said))
    runner = web.AppRunner(web.Application(), access_log=None, logger=logger)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET /my-card-is-6222021234 in words\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.0 400")
    writer.close()
    await runner.cleanup()
    assert "is not HTTP was refused" in said.getvalue()
    assert "6222021234" not in said.getvalue()
    assert len(said.getvalue().splitlines()) == 1


def test_libraries_are_heard_from_warnings_on() -> None:
    said = io.StringIO()
    writer = handler(said)
    for name, level in (
        ("bot.engine", logging.INFO),
        ("aiohttp", logging.INFO),
        ("aiohttp", logging.WARNING),
    ):
        record = logging.LogRecord(name, level, "", 0, f"{name} {level}", None, None)
        if writer.filter(record):
            writer.emit(record)
    assert [line.split(": ")[1] for line in said.getvalue().splitlines()] == ["bot.engine 20", "aiohttp 30"]
