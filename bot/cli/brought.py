"""`kefu releases vectors`: what an encoder read in a bot's texts, as a file that the bot brings along."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
from rich.console import Console

from bot.app import encodings_of, lesson_of
from bot.cli.progress import shown
from bot.cli.rehearsal import read_known
from bot.definition import BotDefinition, load
from bot.errors import HomeError
from bot.inference.child import Progress
from bot.inference.release import with_slips
from bot.inference.vectors import BROUGHT, file_of, load_vectors, pack_vectors
from bot.settings import Settings


def write_vectors(settings: Settings, name: str) -> None:
    """Of the texts of the bot folder alone. Raises KefuError: no such release, damaged, or no room."""
    definition = load(settings.bot)
    with shown(Console(stderr=True)) as progress:
        file, texts, read = asyncio.run(_write(settings, definition, name, progress))
    click.echo(
        f"Wrote {file}: {file.stat().st_size / 1e6:.1f} MB, {texts:,} texts, {read:,} of them read just now. "
        "The bot starts with them wherever its folder is."
    )


async def _write(
    settings: Settings, definition: BotDefinition, name: str, progress: Progress
) -> tuple[Path, int, int]:
    release = (await read_known(settings)).aliases.meant(name)
    encoding = await encodings_of(settings, definition).find(release, progress=progress)
    lesson = lesson_of(definition, encoder=encoding.fingerprint, trained=encoding.trained)
    texts = (await asyncio.to_thread(with_slips, lesson)).texts
    known = await asyncio.to_thread(
        load_vectors, file_of(settings.home / "vectors", encoding.fingerprint), texts
    )
    missing = [text for text in texts if text not in known]
    if missing:
        known.update(await encoding.embed(missing, progress=progress))
    file = definition.folder / BROUGHT
    try:
        # In the order of the texts: the same folder gives the same bytes.
        await asyncio.to_thread(pack_vectors, file, {text: known[text] for text in texts})
    except OSError as error:
        raise HomeError(f"{file}: {error.strerror or error}.") from error
    return file, len(texts), len(missing)
