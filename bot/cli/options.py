"""What verbs share. Only click is imported here."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bot.settings import Settings

PATH = click.Path(path_type=Path)


class OfABot(click.Group):
    """`kefu releases [FOLDER] VERB ...`: the bot folder first, as with other verbs; without a verb, `default`."""

    def __init__(self, *given: Any, default: str, **more: Any) -> None:
        super().__init__(*given, **more)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = list(args)
        if rest and not rest[0].startswith("-") and rest[0] not in self.commands:
            ctx.obj = self._folder(rest.pop(0), ctx)
        if not rest or (rest[0].startswith("-") and rest[0] not in ctx.help_option_names):
            rest.insert(0, self.default)
        return super().parse_args(ctx, rest)

    def _folder(self, word: str, ctx: click.Context) -> Path:
        if not Path(word).is_dir():
            close = get_close_matches(word, self.commands, n=1)
            hint = f" Did you mean `{close[0]}`?" if close else ""
            raise click.UsageError(
                f"`{word}` is neither a folder nor a verb of `kefu {self.name}`.{hint}", ctx
            )
        return Path(word)


def folder_argument(command: Callable[..., None]) -> Callable[..., None]:
    """FOLDER is the bot folder; without it KEFU_BOT, or the folder one stands in."""
    return click.argument("folder", type=PATH, required=False)(command)


def home_option(command: Callable[..., None]) -> Callable[..., None]:
    text = "Where state lives, instead of KEFU_HOME or .kefu in the bot folder."
    return click.option("--home", type=PATH, help=text)(command)


def settings(**given: Path | str | int | None) -> Settings:
    from bot.settings import load_settings

    return load_settings(**given)


def typed(settings: Settings) -> tuple[str, str]:
    """What is typed to name the bot, and its home where that lies elsewhere: for a command that somebody is told."""
    folder = "" if settings.bot == Path() else f" {settings.bot}"
    beside = settings.home.absolute() == (settings.bot / ".kefu").absolute()
    return folder, "" if beside else f" --home {settings.home}"
