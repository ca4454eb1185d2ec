"""`kefu init`: a small bot that works, to be changed line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from bot.definition import LANGUAGES
from bot.errors import HomeError

_TEMPLATE = "bot.cli"
_NEXT = """
Next:
  kefu chat {folder}     talk to it here
  kefu serve {folder}    serve it, with a web chat, on http://127.0.0.1:8000
Then change what it says: knowledge/ has the answers, intents.yml what people want, responses.yml the rest.
"""


def run(folder: Path, *, lang: str | None) -> None:
    """Raises `HomeError` where the folder is not empty or cannot be written."""
    template = files(_TEMPLATE) / "template"
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise HomeError(f"{folder} is not empty.", hint="Name a new folder.", code="not_empty")
        for name, text in _texts(template, lang):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            click.echo(f"wrote {path}")
    except OSError as error:
        hint = "Name a folder that you may write."
        raise HomeError(f"{folder}: {error.strerror}.", hint=hint, code="unwritable") from error
    click.echo(_NEXT.format(folder=folder), nl=False)


def _texts(template: Traversable, lang: str | None) -> Iterator[tuple[str, str]]:
    """(path in the bot folder, text) of every file, in one language where `lang` names it."""
    for name in ("bot.yml", "intents.yml", "responses.yml"):
        text = (template / name).read_text(encoding="utf-8")
        yield name, _only(text, lang) if lang else text
    for language in LANGUAGES:
        name = f"knowledge/faq.{language}.jsonl"
        if lang in (None, language):
            yield name, (template / name).read_text(encoding="utf-8")


def _only(text: str, lang: str) -> str:
    """The YAML without the blocks of other languages; the template writes one key a line."""
    for other in LANGUAGES:
        if other != lang:
            text = re.sub(rf"^( *){other}:.*\n(?:\1 +.*\n)*", "", text, flags=re.MULTILINE)
    return re.sub(r"^languages: .*", f"languages: [{lang}]", text, flags=re.MULTILINE)
