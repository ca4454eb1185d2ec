"""`kefu serve`: one server for one home, with progress while it starts."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from aiohttp import web
from filelock import FileLock, Timeout
from rich.console import Console

from bot.app import load_definition, make_app, open_bot, recovering
from bot.cli.progress import shown
from bot.errors import HomeError, SettingsError
from bot.settings import Settings

BACKLOG = 1024


def run(folder: Path, settings: Settings) -> None:
    """Blocks until SIGINT or SIGTERM. Raises KefuError for what is wrong with the folder, the home or the port."""
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    with home_lock(settings.home), listening(settings.host, settings.port) as sock:
        asyncio.run(_serve(folder, settings, sock))


@contextmanager
def home_lock(home: Path) -> Iterator[None]:
    """One server a home: two would answer the same messages."""
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / "serve.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        hint = "Stop it, or give this one its own home: --home FOLDER."
        raise HomeError(f"Another server already uses {home}.", hint=hint) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """The port is taken before anything slow happens; it accepts only once the bot is ready."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
        except OSError as error:
            hint = "Choose another one: --port NUMBER."
            raise SettingsError(
                f"Cannot listen on {host}:{port}: {error.strerror or error}.", hint=hint, code="port_taken"
            ) from error
        yield sock


async def _serve(folder: Path, settings: Settings, sock: socket.socket) -> None:
    console = Console(stderr=True)
    definition = await asyncio.to_thread(load_definition, folder)
    async with AsyncExitStack() as stack:
        with shown(console) as progress:
            bot = await stack.enter_async_context(open_bot(definition, settings, progress=progress))
        await stack.enter_async_context(recovering(bot))
        runner = web.AppRunner(make_app(bot), access_log=None, shutdown_timeout=5.0)
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        await web.SockSite(runner, sock, backlog=BACKLOG).start()
        host, port = sock.getsockname()[:2]
        answers = len(bot.host.current().bundle.entries)
        console.print(f"Kefu is ready: [bold]http://{host}:{port}[/]  ({answers} answers). Ctrl-C ends it.")
        await _until_told()


async def _until_told() -> None:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()
