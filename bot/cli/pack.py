"""`kefu releases pack`: what a release's encoder learned, as a small file that the bot brings along."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from bot.app import examples
from bot.cli.options import typed
from bot.cli.progress import shown
from bot.cli.releases import desk_of
from bot.cli.report import work_folder
from bot.definition import BotDefinition, load
from bot.definition.reader import read
from bot.errors import InferenceError
from bot.inference.child import run_training
from bot.settings import Settings
from retrieval.delta import Delta, read_delta
from training.release import Release

FOLDER = "encoder"
"""In the bot folder, where bot.yml names no other."""
COMPARED = 200
"""Texts of the bot on which vectors are compared."""
LONGEST = 100
"""Characters of such a text."""
HINT = "Is Kefu installed with its `train` extra?"


def pack_one(settings: Settings, name: str, *, out: Path | None, rank: int) -> None:
    """Raises KefuError: no such release, damaged, without an encoder, or one that cannot be packed."""
    named = _named(settings.bot)
    folder = out or settings.bot / (named or FOLDER)
    release = _release(settings, name)
    definition = load(settings.bot, knowledge=False, encoder=False)
    with shown(Console(stderr=True)) as progress, work_folder() as work:
        texts = work / "texts.json"
        texts.write_text(json.dumps(some(definition), ensure_ascii=False), encoding="utf-8")
        places = {"--releases": settings.home / "releases", "--out": folder, "--cache": settings.cache}
        words = [word for key, path in {**places, "--texts": texts}.items() for word in (key, str(path))]
        words += ["--name", release.name, "--rank", str(rank)]
        asyncio.run(run_training("pack", words, progress=progress, hint=HINT))
    _tell(settings, read_delta(folder), folder, named)


def some(definition: BotDefinition) -> Sequence[str]:
    """Examples of all intents and languages alike, at most COMPARED."""
    texts = sorted({text for text, _, _ in examples(definition) if len(text) <= LONGEST})
    return texts[:: max(-(-len(texts) // COMPARED), 1)]


def _release(settings: Settings, name: str) -> Release:
    with desk_of(settings) as desk:
        found = desk.find(name)
    if found.trouble:
        raise InferenceError(f"{found.trouble}.", code="release")
    if found.release is None or found.release.encoder_folder is None:
        hint = "Train one, such as: kefu train --method lora."
        raise InferenceError(f"{found.name} has no encoder of its own.", hint=hint, code="release")
    return found.release


def _named(bot: Path) -> str | None:
    """The folder that bot.yml names already, be it there or not. Raises DefinitionError."""
    value = read(bot / "bot.yml").value
    named = value.get("encoder") if isinstance(value, dict) else None
    return named if isinstance(named, str) else None


def _tell(settings: Settings, delta: Delta, folder: Path, named: str | None) -> None:
    click.echo(
        f"Wrote {folder}: {delta.size / 1e6:.1f} MB at rank {delta.rank}, with {delta.kept:.2%} of what was learned. "
        f"Texts of the bot come out at a cosine of at least {delta.cosine:.4f} to what the release gives."
    )
    bot = settings.bot.resolve()
    inside = folder.resolve().is_relative_to(bot) and folder.resolve() != bot
    name = folder.resolve().relative_to(bot).as_posix() if inside else FOLDER
    if inside and named is not None and folder.resolve() == (bot / named).resolve():
        click.echo(f"bot.yml names it. `kefu doctor{typed(settings)[0]}` looks at it.")
    elif inside:
        click.echo(f"The bot answers with it once bot.yml has the line `encoder: {name}`.")
    else:
        click.echo(f"Copy it into the bot folder, as {FOLDER}, and write `encoder: {FOLDER}` into bot.yml.")
    if settings.encoder is not None:
        click.echo("KEFU_ENCODER is set, and wins over bot.yml.")
