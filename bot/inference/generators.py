"""Which generator answers, and which verifier reads: the only switch between the adapters, each imported when it is
chosen.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import SettingsError
from bot.inference.generator import Generator, Rewriter
from bot.inference.grounding.meaning import Meaning
from bot.inference.grounding.verifier import LocalVerifier, Verifier
from bot.inference.upstream import Bounds, Upstream
from bot.observer import UNOBSERVED, Observer

if TYPE_CHECKING:
    from bot.inference.local_model import LocalModel

KINDS = ("extractive", "openai", "local")


def make_generator(
    kind: str,
    *,
    local: LocalModel | None = None,
    servers: Sequence[Upstream] = (),
    bounds: Bounds | None = None,
    observer: Observer = UNOBSERVED,
    meaning: Meaning | None = None,
) -> Generator:
    """Nothing is loaded or connected yet. A language model is heard through `bot.inference.guard` only.

    `servers`, `bounds`: for openai. `local`: the model of local (`find_model`). `meaning`: what its sentences are asked
    about beside their words. Raises SettingsError, which says what is missing.
    """
    match kind:
        case "extractive":
            from bot.inference.extractive import Extractive

            return Extractive()
        case "openai":
            return _guarded_openai(servers, bounds, observer, meaning)
        case "local":
            assert local is not None
            return _guarded_local(local, meaning)
        case _:
            hint = f"KEFU_GENERATOR is one of {', '.join(KINDS)}."
            raise SettingsError(f"There is no generator `{kind}`.", hint=hint)


def make_verifier(
    *,
    local: LocalModel | None = None,
    servers: Sequence[Upstream] = (),
    bounds: Bounds | None = None,
    taught: bool = False,
    observer: Observer = UNOBSERVED,
) -> Verifier | None:
    """On servers where there are any, in this process where there is a model for it; else none. `taught`: whether the
    servers' model has an adapter.
    """
    if servers:
        from bot.inference.grounding.served import ServedVerifier

        return ServedVerifier(servers, bounds, taught=taught, observer=observer)
    return None if local is None else LocalVerifier(local)


def find_model(
    model: str | None, *, cache: Path, adapter: Path | None = None, threads: int = 1, setting: str
) -> LocalModel:
    """The model of this process that a setting names: one of `weights.PACKED`, a GGUF file, None for the embedded one.
    Nothing is loaded yet. `cache`: where a model is kept that comes in packages. Raises SettingsError.
    """
    from bot.inference.local_model import DEFAULT, LocalModel
    from bot.inference.weights import PACKED, find_parts, place

    if importlib.util.find_spec("xllamacpp") is None:
        hint = "Install Kefu with its `llm` extra: pip install 'kefu[llm]'."
        raise SettingsError("The local model's engine, xllamacpp, is missing.", hint=hint)
    name = model or DEFAULT
    if (packed := PACKED.get(name)) is not None:
        if not place(cache, packed).is_file():
            find_parts(packed)
    elif not Path(name).expanduser().is_file():
        known = ", ".join(PACKED)
        raise SettingsError(f"{name} is not a file.", hint=f"{setting} names a GGUF file, or one of {known}.")
    return LocalModel(cache, name, adapter=adapter, threads=threads)


def find_adapter(model: str, given: Path | None) -> Path | None:
    """What makes a verifier of a model: the file that is given, else the one that Kefu has for it, else none. Raises
    SettingsError.
    """
    from bot.inference.weights import PACKED

    if given is None:
        packed = PACKED.get(model)
        return packed.adapter if packed else None
    if not (path := given.expanduser()).is_file():
        hint = "KEFU_VERIFIER_ADAPTER names the adapter.gguf that `kefu train BOT --task verifier` made."
        raise SettingsError(f"{path} is not a file.", hint=hint)
    return path


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


def _guarded_local(model: LocalModel, meaning: Meaning | None) -> Generator:
    from bot.inference.guard import Guarded
    from bot.inference.local import LocalGenerator

    return Guarded(LocalGenerator(model), meaning)
