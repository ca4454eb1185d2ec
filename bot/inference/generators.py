"""Which generator answers: the only switch between the adapters, each imported when it is chosen."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from bot.errors import SettingsError
from bot.inference.generator import Generator, Rewriter
from bot.inference.grounding.meaning import Meaning
from bot.inference.upstream import Bounds, Upstream
from bot.observer import UNOBSERVED, Observer

KINDS = ("extractive", "openai", "local")


def make_generator(
    kind: str,
    *,
    cache: Path,
    model: str | None = None,
    servers: Sequence[Upstream] = (),
    bounds: Bounds | None = None,
    observer: Observer = UNOBSERVED,
    meaning: Meaning | None = None,
) -> Generator:
    """Nothing is loaded or connected yet. A language model is heard through `bot.inference.guard` only.

    `servers`, `bounds`: for openai. `model`: for local the path of a GGUF file (None: the embedded one). `cache`:
    where the embedded model is kept. `meaning`: what its sentences are asked about beside their words. Raises
    SettingsError, which says what is missing.
    """
    match kind:
        case "extractive":
            from bot.inference.extractive import Extractive

            return Extractive()
        case "openai":
            return _guarded_openai(servers, bounds, observer, meaning)
        case "local":
            return _guarded_local(model, cache, meaning)
        case _:
            hint = f"KEFU_GENERATOR is one of {', '.join(KINDS)}."
            raise SettingsError(f"There is no generator `{kind}`.", hint=hint)


def rewriter_of(generator: Generator) -> Rewriter | None:
    """The same behind its guard, where it can say follow-ups anew: generator servers can."""
    from bot.inference.guard import Guarded

    inner = generator.inner if isinstance(generator, Guarded) else generator
    return inner if isinstance(inner, Rewriter) else None


def _guarded_openai(
    servers: Sequence[Upstream], bounds: Bounds | None, observer: Observer, meaning: Meaning | None
) -> Generator:
    from bot.inference.guard import Guarded
    from bot.inference.openai import OpenAIGenerator

    if not servers:
        hint = "Set KEFU_GENERATOR_URL, up to /v1, and KEFU_GENERATOR_MODEL."
        raise SettingsError("There is no generator server to ask.", hint=hint)
    return Guarded(OpenAIGenerator(servers, bounds, observer=observer), meaning)


def _guarded_local(model: str | None, cache: Path, meaning: Meaning | None) -> Generator:
    from bot.inference.guard import Guarded
    from bot.inference.local import LocalGenerator
    from bot.inference.weights import find_parts

    if importlib.util.find_spec("xllamacpp") is None:
        hint = "Install Kefu with its `llm` extra: pip install 'kefu[llm]'."
        raise SettingsError("The local generator's engine, xllamacpp, is missing.", hint=hint)
    if model is None:
        find_parts()
        return Guarded(LocalGenerator(cache), meaning)
    path = Path(model).expanduser()
    if not path.is_file():
        raise SettingsError(
            f"{path} is not a file.", hint="KEFU_GENERATOR_MODEL names a GGUF file, or nothing."
        )
    return Guarded(LocalGenerator(cache, model=path), meaning)
