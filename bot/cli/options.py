"""What verbs share. Only click is imported here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.settings import Settings

PATH = click.Path(path_type=Path)


def folder_argument(command: Callable[..., None]) -> Callable[..., None]:
    """FOLDER is the bot folder; without it KEFU_BOT, or the folder one stands in."""
    return click.argument("folder", type=PATH, required=False)(command)


def home_option(command: Callable[..., None]) -> Callable[..., None]:
    text = "Where state lives, instead of KEFU_HOME or .kefu in the bot folder."
    return click.option("--home", type=PATH, help=text)(command)


def settings(**given: Path | str | int | None) -> Settings:
    from bot.settings import load_settings

    return load_settings(**given)
