"""`kefu chat`: talk to the bot in a terminal; `--explain` shows why it said what it said."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from bot.app import Bot, load_definition, open_bot
from bot.cli.explain import explain
from bot.cli.progress import shown
from bot.settings import Settings
from connectors.errors import ConnectorError
from connectors.port import MAX_TEXT, Frame, Inbound, Message, QuickReply

CHANNEL = "terminal"
GOODBYE = ("/quit", "/exit")


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
        if text.isdigit() and 0 < int(text) <= len(self.buttons):
            button = self.buttons[int(text) - 1]
            text, choice = button.label, button.value
        return Inbound(
            CHANNEL,
            self.conversation,
            secrets.token_urlsafe(12),
            self.conversation,
            text,
            choice,
            self.locale,
        )


def run(folder: Path, settings: Settings, *, explain: bool, lang: str | None) -> None:
    asyncio.run(_chat(folder, settings, explain_turns=explain, lang=lang))


async def _chat(folder: Path, settings: Settings, *, explain_turns: bool, lang: str | None) -> None:
    console = Console()
    definition = await asyncio.to_thread(load_definition, folder)
    async with AsyncExitStack() as stack:
        with shown(Console(stderr=True)) as progress:
            bot = await stack.enter_async_context(open_bot(definition, settings, progress=progress))
        talk = Talk(bot, console, secrets.token_urlsafe(16), lang, explain_turns)
        code = lang or definition.languages[0]
        _say(console, definition.welcome.get(code, ""), who=bot.desk.voice.name(code))
        console.print("[dim]Ctrl-D or /quit ends. A number presses a button.[/]")
        while (text := await _ask(console)) is not None:
            await _exchange(talk, text)


async def _ask(console: Console) -> str | None:
    """None at the end of input. Blank lines are passed over."""
    try:
        text = await asyncio.to_thread(console.input, "[bold cyan]> [/]")
    except EOFError:
        return None
    if text.strip() in GOODBYE:
        return None
    return text.strip() or await _ask(console)


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
            talk.console.print(escape(frame.text), end="", highlight=False, soft_wrap=True)
            shown_text += frame.text
        elif frame.kind == "withdraw":
            talk.console.print(" [dim](taken back)[/]")
            shown_text = ""
        elif frame.kind == "final" and frame.message and frame.message.role != "customer":
            _finish(talk, frame.message, shown_text)
            if frame.seq > after and frame.message.role == "bot":
                return


def _finish(talk: Talk, message: Message, shown_text: str) -> None:
    console = talk.console
    console.print("" if shown_text.strip() == message.text else escape(message.text), highlight=False)
    for source in message.citations:
        console.print(f"  [dim]\\[{source.mark}] {escape(source.title)}[/]", highlight=False)
    talk.buttons = message.quick_replies
    for number, button in enumerate(talk.buttons, 1):
        console.print(f"  [cyan]{number}[/] {escape(button.label)}", highlight=False)


def _say(console: Console, text: str, *, who: str) -> None:
    console.print(f"[bold]{escape(who)}[/]: {escape(text)}", highlight=False)
