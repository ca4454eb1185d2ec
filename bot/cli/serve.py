"""`kefu serve`: one server for one home, with progress while it starts."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path

from aiohttp import web
from rich.console import Console
from rich.markup import escape
from threadpoolctl import threadpool_limits

from bot.app import Bot, load_definition, make_app, open_bot, recovering
from bot.cli.logs import log_to_stderr
from bot.cli.progress import shown
from bot.definition import BotDefinition
from bot.errors import SettingsError
from bot.home import home_lock
from bot.inference.promised import told
from bot.memory import share_one_heap
from bot.settings import Settings

BACKLOG = 1024


def run(folder: Path, settings: Settings) -> None:
    """Blocks until SIGINT or SIGTERM. Raises KefuError for what is wrong with the folder, the home or the port."""
    log_to_stderr(settings.log_level)
    share_one_heap()
    # Between two products the threads of a linear algebra library wait busily, on the cores that the encoder runs on.
    threadpool_limits(1, user_api="blas")
    definition = load_definition(folder, memory=settings.documents)
    with home_lock(settings.home), listening(settings.host, settings.port) as sock:
        asyncio.run(_serve(definition, settings, sock))


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """The port is taken before anything slow happens. Who comes while the bot starts waits in the backlog."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
            # Merely bound, a port could be bound by a second server as well.
            sock.listen(BACKLOG)
        except OSError as error:
            hint = "Choose another one: --port NUMBER."
            message = f"Cannot listen on {host}:{port}: {error.strerror or error}."
            raise SettingsError(message, hint=hint, code="port_taken") from error
        yield sock


async def _serve(definition: BotDefinition, settings: Settings, sock: socket.socket) -> None:
    """Returns when a signal came, while it starts too, and everything has ended kindly."""
    _end_on_signals()
    console = Console(stderr=True)
    with suppress(asyncio.CancelledError):
        async with AsyncExitStack() as stack:
            with shown(console) as progress:
                bot = await stack.enter_async_context(open_bot(definition, settings, progress=progress))
            keep_for_good()
            await _open_doors(bot, sock, stack)
            host, port = sock.getsockname()[:2]
            answers = len(bot.host.current().bundle.entries)
            console.print(
                f"Kefu is ready: [bold]http://{_name(host)}:{port}[/]  ({answers} answers). Ctrl-C ends it."
            )
            _tell_promise(bot, console)
            await asyncio.Event().wait()


def keep_for_good() -> None:
    """What is there by now stays for long: Python's collector is not to walk over it again and again, a tenth of a
    second each time in which nothing else runs. Reference counts free of it what is given up later. From here on it
    collects, if it did not before.
    """
    gc.collect()
    gc.freeze()
    gc.enable()


def _tell_promise(bot: Bot, console: Console) -> None:
    """From where on the bot answers, where it promises anything; and where it does not yet."""
    promised = bot.host.current().promised
    for one in told(promised, bot.definition.languages) if promised else ():
        console.print(f"{'' if one.answers else '[yellow]'}{escape(one.text)}.", highlight=False)


async def _open_doors(bot: Bot, sock: socket.socket, stack: AsyncExitStack) -> None:
    await stack.enter_async_context(recovering(bot))
    runner = web.AppRunner(make_app(bot), access_log=None, shutdown_timeout=5.0)
    stack.push_async_callback(runner.cleanup)
    await runner.setup()
    await web.SockSite(runner, sock, backlog=BACKLOG).start()


def _name(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _end_on_signals() -> None:
    """The first SIGINT or SIGTERM ends the caller's task; a second one ends the process, as if nobody listened."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def end() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
