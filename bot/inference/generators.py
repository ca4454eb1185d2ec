"""Which generator answers: the only switch between the adapters, each imported when it is chosen."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from bot.errors import SettingsError
from bot.inference.generator import Generator

KINDS = ("extractive", "openai", "local")


def make_generator(
    kind: str, *, url: str | None = None, model: str | None = None, key: str | None = None, cache: Path
) -> Generator:
    """Nothing is loaded or connected yet. A language model is heard through `bot.inference.guard` only.

    `url`, `key`: the generator server's, for openai. `model`: its name there; for local the path of a GGUF
    file (None: the embedded one). `cache`: where the embedded model is kept. Raises SettingsError, which says
    what is missing.
    """
    match kind:
        case "extractive":
            from bot.inference.extractive import Extractive

            return Extractive()
        case "openai":
            return _guarded_openai(url, model, key)
        case "local":
            return _guarded_local(model, cache)
        case _:
            hint = f"KEFU_GENERATOR is one of {', '.join(KINDS)}."
            raise SettingsError(f"There is no generator `{kind}`.", hint=hint)


def _guarded_openai(url: str | None, model: str | None, key: str | None) -> Generator:
    from bot.inference.guard import Guarded
    from bot.inference.openai import OpenAIGenerator

    if not url:
        raise SettingsError(
            "The generator server's address is missing.", hint="Set KEFU_GENERATOR_URL, up to /v1."
        )
    if not model:
        raise SettingsError("The generator server's model is not named.", hint="Set KEFU_GENERATOR_MODEL.")
    return Guarded(OpenAIGenerator(url, model, key=key))


def _guarded_local(model: str | None, cache: Path) -> Generator:
    from bot.inference.guard import Guarded
    from bot.inference.local import LocalGenerator
    from bot.inference.weights import find_parts

    if importlib.util.find_spec("xllamacpp") is None:
        hint = "Install Kefu with its `llm` extra: pip install 'kefu[llm]'."
        raise SettingsError("The local generator's engine, xllamacpp, is missing.", hint=hint)
    if model is None:
        find_parts()
        return Guarded(LocalGenerator(cache))
    path = Path(model).expanduser()
    if not path.is_file():
        raise SettingsError(
            f"{path} is not a file.", hint="KEFU_GENERATOR_MODEL names a GGUF file, or nothing."
        )
    return Guarded(LocalGenerator(cache, model=path))
