"""`kefu chat`: talk to the bot in a terminal; `--explain` shows why it said what it said."""

from __future__ import annotations

import io
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from bot.app import Bot, load_definition, open_bot
from bot.cli.background import background_loop
from bot.cli.explain import explain
from bot.cli.progress import shown
from bot.definition import BotDefinition
from bot.engine.desk import TERMINAL
from bot.settings import Settings
from connectors.errors import ConnectorError
from connectors.port import MAX_TEXT, Frame, Inbound, Message, QuickReply

GOODBYE = ("/quit", "/exit")
PROMPT = "\001\033[1;36m\002>\001\033[0m\002 "
"""Colours between the marks by which a line editor knows that they take no room."""


@dataclass(slots=True)
class Talk:
    """One terminal's conversation. `buttons`: what a bare number means."""

    bot: Bot
    console: Console
    conversation: str
    locale: str | None
    explain: bool
    buttons: tuple[QuickReply, ...] = ()

    def inbound(self, text: str) -> Inbound:
        choice = None
        if text.isdecimal() and 0 < int(text) <= len(self.buttons):
            button = self.buttons[int(text) - 1]
            text, choice = button.label, button.value
        return Inbound(
            TERMINAL,
            self.conversation,
            secrets.token_urlsafe(12),
            self.conversation,
            text,
            choice,
            self.locale,
        )


def run(folder: Path, settings: Settings, *, explain: bool, lang: str | None) -> None:
    """Until the input ends. Raises KefuError for what is wrong with folder or home."""
    definition = load_definition(folder, memory=settings.documents)
    console = Console(soft_wrap=True)
    stack = AsyncExitStack()
    with background_loop() as call, suppress(KeyboardInterrupt):
        try:
            bot = call(_open(definition, settings, stack))
            talk = Talk(bot, console, secrets.token_urlsafe(16), lang, explain)
            _greet(talk, definition)
            for text in _lines(console):
                call(_exchange(talk, text))
                if console.is_terminal:
                    console.print()
        finally:
            call(stack.aclose())


async def _open(definition: BotDefinition, settings: Settings, stack: AsyncExitStack) -> Bot:
    with shown(Console(stderr=True)) as progress:
        return await stack.enter_async_context(open_bot(definition, settings, progress=progress))


def _greet(talk: Talk, definition: BotDefinition) -> None:
    lang = talk.locale or definition.languages[0]
    who, welcome = talk.bot.desk.voice.name(lang), definition.welcome.get(lang, "")
    talk.console.print(f"[bold]{escape(who)}[/]  {escape(welcome)}", highlight=False)
    if talk.console.is_terminal:
        talk.console.print("[dim]Ctrl-D or /quit ends; a number presses a button.[/]")


def _lines(console: Console) -> Iterator[str]:
    """What is typed, or read from a file and then shown as if it were; blank lines are passed over."""
    typed = sys.stdin.isatty() and console.is_terminal
    if typed:
        with suppress(ImportError):
            import readline  # noqa: F401  (lets `input` edit and remember lines)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    while True:
        try:
            text = input(PROMPT if typed else "").strip()
        except EOFError:
            return
        if text in GOODBYE:
            return
        if text and not typed:
            console.print(f"[bold cyan]>[/] {escape(text)}", highlight=False)
        if text:
            yield text


async def _exchange(talk: Talk, text: str) -> None:
    if len(text) > MAX_TEXT:
        talk.console.print(f"[yellow]At most {MAX_TEXT} characters, please.[/]")
        return
    async with talk.bot.gateway.subscribe(talk.conversation) as frames:
        try:
            receipt = await talk.bot.gateway.receive(talk.inbound(text))
        except ConnectorError as error:
            talk.console.print(f"[red]{escape(error.message)}[/]")
            return
        await _listen(talk, frames, after=receipt.seq)
    if talk.explain:
        await explain(talk.console, talk.bot, talk.conversation, receipt.seq)


async def _listen(talk: Talk, frames: AsyncIterator[Frame], *, after: int) -> None:
    """Show pieces as they come; the committed message then adds what pieces do not have."""
    shown_text = ""
    async for frame in frames:
        if frame.kind == "delta":
            talk.console.print(escape(frame.text), end="", highlight=False)
            shown_text += frame.text
        elif frame.kind == "withdraw":
            talk.console.print(" [dim](taken back)[/]")
            shown_text = ""
        elif frame.kind == "final" and frame.message and frame.message.role != "customer":
            _finish(talk, frame.message, shown_text)
            shown_text = ""
            if frame.seq > after and frame.message.role == "bot":
                return


def _finish(talk: Talk, message: Message, shown_text: str) -> None:
    console = talk.console
    if shown_text and shown_text.strip() != message.text:
        console.print()
    console.print("" if shown_text.strip() == message.text else escape(message.text), highlight=False)
    for source in message.citations:
        console.print(f"  [dim]\\[{source.mark}] {escape(source.title)}[/]", highlight=False)
    talk.buttons = message.quick_replies
    for number, button in enumerate(talk.buttons, 1):
        console.print(f"  [cyan]{number}[/] {escape(button.label)}", highlight=False)
