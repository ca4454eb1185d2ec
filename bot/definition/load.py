"""A bot folder, read strictly: the first thing that is wrong ends it, with file and line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from bot.definition import schema
from bot.definition.annotations import unmarked_all
from bot.definition.checks import check_bot, check_examples, check_languages, own_encoder, site_folder
from bot.definition.defaults import RESPONSES
from bot.definition.knowledge import Checks, knowledge_files, read_knowledge
from bot.definition.model import (
    BotDefinition,
    ChannelSpec,
    Intent,
    KnowledgeRow,
    PolicyOverrides,
    Problem,
    Texts,
    Variants,
)
from bot.definition.reader import Document, read
from bot.definition.sentences import suggestion, validated
from bot.documents import DocumentReader
from bot.errors import DefinitionError
from training.entities.spec import Example, KindSpec, Specs
from training.promise import Promise

log = logging.getLogger(__name__)


def _log(problem: Problem) -> None:
    log.warning("skipped %s", problem)


def load(
    folder: Path,
    *,
    knowledge: bool = True,
    encoder: bool = True,
    documents: DocumentReader | None = None,
    skipped: Callable[[Problem], None] = _log,
) -> BotDefinition:
    """Read `bot.yml` (the only one required), `intents.yml`, `entities.yml`, `responses.yml`, `knowledge/` unless told
    not to.

    `encoder`: False where what bot.yml names as its encoder need not be there yet. `documents`: who reads documents,
    and is closed afterwards; without one, a reader that remembers nothing. `skipped` is told what of a document cannot
    be used. Blocking. Raises `DefinitionError`.
    """
    document = read(folder / "bot.yml")
    bot = validated(document, schema.Bot)
    check_bot(document, bot)
    kinds, marked = _entities(folder, bot.languages)
    intents = _intents(folder, bot.languages, kinds, marked)
    checks = Checks(frozenset(intents), tuple(bot.languages))
    return BotDefinition(
        folder=folder,
        name=bot.name,
        languages=tuple(bot.languages),
        welcome=bot.welcome,
        persona=bot.persona,
        suggestions=_tuples(bot.suggestions),
        channels=tuple(
            ChannelSpec(
                c.instance, c.type, tuple(c.origins), c.reply_within, c.deadline, frozenset(c.audience)
            )
            for c in bot.channels
        ),
        policy=PolicyOverrides(bot.policy),
        site=site_folder(document, folder, bot.site),
        intents=intents,
        responses=_responses(folder, bot),
        knowledge=tuple(_knowledge(folder, checks, documents, skipped=skipped)) if knowledge else (),
        promise=Promise(bot.promise.wrong, bot.promise.sure) if bot.promise else None,
        entities=kinds,
        annotated={lang: tuple(examples) for lang, examples in marked.items()},
        encoder=own_encoder(document, folder, bot.encoder) if encoder else None,
    )


def read_encoder(folder: Path) -> Path | None:
    """The encoder that a bot brings along, by its bot.yml alone; None where it has none. Raises `DefinitionError`."""
    if not (folder / "bot.yml").exists():
        return None
    document = read(folder / "bot.yml")
    return own_encoder(document, folder, validated(document, schema.Bot).encoder)


def _optional(path: Path) -> Document:
    return read(path) if path.exists() else Document(str(path), {})


Marked = dict[str, list[Example]]
"""By language."""


def _entities(folder: Path, languages: list[str]) -> tuple[Specs, Marked]:
    """Kinds, and the examples that stand under no intent."""
    document = _optional(folder / "entities.yml")
    found = validated(document, schema.Entities)
    check_languages(document, ("examples",), found.examples, languages)
    kinds = {
        name: KindSpec(spec.recognise, tuple(spec.patterns), _tuples(spec.values))
        for name, spec in found.entities.items()
    }
    return kinds, unmarked_all(document, ("examples",), found.examples, kinds)


def _intents(folder: Path, languages: list[str], kinds: Specs, marked: Marked) -> dict[str, Intent]:
    """Adds to `marked` the examples in which something is marked: of the others nobody says that nothing is in them."""
    document = _optional(folder / "intents.yml")
    intents: dict[str, schema.IntentSpec] = {}
    for name, spec in validated(document, schema.Intents).intents.items():
        examples = unmarked_all(document, ("intents", name, "examples"), spec.examples, kinds)
        for lang, found in examples.items():
            marked.setdefault(lang, []).extend(example for example in found if example.spans)
        plain = {lang: [example.text for example in found] for lang, found in examples.items()}
        intents[name] = spec.model_copy(update={"examples": plain})
    check_examples(document, intents, languages)
    return {name: Intent(name, _tuples(spec.examples), spec.title) for name, spec in intents.items()}


def _responses(folder: Path, bot: schema.Bot) -> dict[str, Variants]:
    """The built-in texts, overridden language by language."""
    document = _optional(folder / "responses.yml")
    own = validated(document, schema.Responses).responses
    for name, texts in own.items():
        if name not in RESPONSES:
            hint = suggestion(name, tuple(RESPONSES))
            raise document.wrong(("responses", name), f"unknown response `{name}`.", hint)
        check_languages(document, ("responses", name), texts, bot.languages)
    return {key: _named({**texts, **_tuples(own.get(key, {}))}, bot.name) for key, texts in RESPONSES.items()}


def _named(variants: Variants, name: Texts) -> Variants:
    fallback = next(iter(name.values()))
    return {
        lang: tuple(text.replace("{bot}", name.get(lang, fallback)) for text in texts)
        for lang, texts in variants.items()
    }


def _tuples(texts: Mapping[str, list[str]]) -> Variants:
    return {lang: tuple(items) for lang, items in texts.items()}


def _knowledge(
    folder: Path, checks: Checks, documents: DocumentReader | None, *, skipped: Callable[[Problem], None]
) -> Iterator[KnowledgeRow]:
    with documents or DocumentReader() as reader:
        for path in knowledge_files(folder / "knowledge"):
            name = path.relative_to(folder).as_posix()
            for found in checks.apply(read_knowledge(path, name=name, documents=reader)):
                if isinstance(found, KnowledgeRow):
                    yield replace(found, file=name)
                elif found.minor:
                    skipped(found)
                else:
                    raise DefinitionError(found.message, file=found.file, line=found.line, hint=found.hint)
