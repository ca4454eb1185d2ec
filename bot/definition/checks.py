"""What no schema of one value can say: names that must agree with one another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from bot.definition.reader import Document, Loc
from bot.definition.schema import Bot, Channel, IntentSpec
from bot.definition.sentences import suggestion
from bot.domain.policy import Policy
from retrieval.delta import is_delta, read_delta
from retrieval.errors import EncoderError
from retrieval.text import normalise

TAKEN = ("api", "terminal", "test")
"""Channels of `bot.api`, `kefu chat` and `kefu eval`: their conversations are not a web site's."""
_THRESHOLDS = tuple(f.name for f in fields(Policy))


def check_bot(document: Document, bot: Bot) -> None:
    """Raises `DefinitionError`, as all checks here do."""
    _no_doubles(document, ("languages",), bot.languages)
    _no_doubles(document, ("channels",), [channel.instance for channel in bot.channels])
    check_channels(document, bot.channels)
    for key, texts in (("name", bot.name), ("welcome", bot.welcome)):
        check_languages(document, (key,), texts, bot.languages)
        for lang in bot.languages:
            if lang not in texts:
                hint = f"Add a line `{lang}: ...` below it."
                raise document.wrong((key,), f"`{key}` is missing in `{lang}`.", hint)
    check_languages(document, ("suggestions",), bot.suggestions, bot.languages)
    for name in bot.policy:
        if name not in _THRESHOLDS:
            hint = suggestion(name, _THRESHOLDS)
            raise document.wrong(("policy", name), f"unknown threshold `{name}`.", hint)


def _no_doubles(document: Document, loc: Loc, names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        if name in names[:number]:
            raise document.wrong((*loc, number), f"`{name}` is listed twice.", "Remove or rename one.")


def check_channels(document: Document, channels: Sequence[Channel]) -> None:
    """Rasa's addresses are its clients', so there is one such channel; and options belong to a type."""
    rasa = [number for number, channel in enumerate(channels) if channel.type == "rasa"]
    if len(rasa) > 1:
        hint = "Its addresses are fixed: remove one."
        raise document.wrong(
            ("channels", rasa[1], "type"), "there is a channel of type `rasa` already.", hint
        )
    for number, channel in enumerate(channels):
        if channel.instance in TAKEN:
            message = f"`{channel.instance}` is the name of a channel that is built in."
            raise document.wrong(("channels", number, "instance"), message, "Choose another one.")
        if channel.type != "rasa" and channel.reply_within is not None:
            message = f"`reply_within` is not known to the type `{channel.type}`."
            raise document.wrong(("channels", number, "reply_within"), message, "Remove it.")


def check_languages(document: Document, loc: Loc, found: Iterable[str], spoken: Sequence[str]) -> None:
    for lang in found:
        if lang not in spoken:
            hint = "Add it to `languages` in bot.yml, or remove these lines."
            raise document.wrong((*loc, lang), f"the bot does not speak `{lang}`.", hint)


def site_folder(document: Document, folder: Path, site: str | None) -> Path | None:
    """The folder of static files: inside the bot folder, not the bot folder itself, with a front page."""
    if site is None:
        return None
    path = (folder / site).resolve()
    root = folder.resolve()
    if path == root or not path.is_relative_to(root) or not (path / "index.html").is_file():
        hint = "Name a folder inside the bot folder that has an index.html, or remove the line."
        raise document.wrong(("site",), f"`{site}` is not such a folder.", hint)
    return path


def own_encoder(document: Document, folder: Path, encoder: str | None) -> Path | None:
    """The folder with what the bot's encoder learned: inside the bot folder, and readable as far as its sizes."""
    if encoder is None:
        return None
    path, root = (folder / encoder).resolve(), folder.resolve()
    if path == root or not path.is_relative_to(root) or not is_delta(path):
        hint = "Make it of a release by `kefu releases pack NAME`, or remove the line."
        raise document.wrong(("encoder",), f"`{encoder}` is no packed encoder inside the bot folder.", hint)
    try:
        read_delta(path)
    except EncoderError as error:
        what, _, hint = str(error).partition(". ")
        raise document.wrong(("encoder",), f"{what}.", f"{hint}, or remove the line.") from error
    return path


def check_examples(document: Document, intents: Mapping[str, IntentSpec], languages: Sequence[str]) -> None:
    """The same sentence twice teaches nothing within an intent, and the wrong thing across two."""
    seen: dict[tuple[str, str], Loc] = {}
    for name, spec in intents.items():
        here = ("intents", name, "examples")
        check_languages(document, here, spec.examples, languages)
        for lang, texts in spec.examples.items():
            for number, text in enumerate(texts):
                loc: Loc = (*here, lang, number)
                first = seen.setdefault((lang, normalise(text)), loc)
                if first != loc:
                    _double(document, loc, first)


def _double(document: Document, loc: Loc, first: Loc) -> None:
    name, other, line = loc[1], first[1], document.line(first)
    if name == other:
        raise document.wrong(loc, f"`{name}` has this example on line {line} already.", "Remove one of them.")
    hint = f"Leave it where it belongs: `{other}` or `{name}`."
    raise document.wrong(loc, f"this example is listed under `{other}` too (line {line}).", hint)
