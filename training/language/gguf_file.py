"""What was tuned, written back into the GGUF file that it came from, or beside it: files that llama.cpp serves.

Metadata, tokenizer and all tensors that were not adapted are those of the base, to the byte; adapted ones are stored in
8 bits (Q8_0). Names and layouts are not taken on trust: before anything is written, every adapted weight of the loaded
model must be the one in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.errors import TrainingError
from training.language.adapter_file import Pair, read_adapter, write_adapter

Floats = NDArray[np.float32]
CLOSE = 1e-2
"""Largest difference that rounding may make, as a share of a weight's spread."""
HALF = 2.0**-8
"""And as a share of a number: bf16 has eight bits of one."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a weight lies in the file. `heads`: its rows are interleaved by so many heads; 0: they are not."""

    tensor: str
    heads: int


class GgufFile:
    """A base, mapped into memory. Raises `TrainingError` where it is none, or has an architecture nobody knows."""

    def __init__(self, path: Path) -> None:
        import gguf

        self._gguf: Any = gguf
        try:
            self._reader: Any = gguf.GGUFReader(path)
            self.architecture = str(self._field("general.architecture"))
            self._names = gguf.get_tensor_name_map(self._model_kind(), self._count("block_count"))
        except (OSError, ValueError, KeyError, IndexError) as error:
            raise TrainingError(f"{path} cannot be read as a GGUF file: {error}") from error
        self._tensors = {tensor.name: tensor for tensor in self._reader.tensors}

    def places(self, weights: Iterable[tuple[str, Floats]]) -> dict[str, Place]:
        """Where each weight of the loaded model, by its name there, lies in the file. Raises `TrainingError`."""
        return {name: self._place(name, weight) for name, weight in weights}

    def tensor(self, name: str) -> str | None:
        """What a weight of the loaded model is called in the file; None where it has no place there."""
        found = self._names.get_name(name, try_suffixes=(".weight",))
        return found if found in self._tensors else None

    def write(self, path: Path, places: Mapping[str, Place], weights: Iterable[tuple[str, Floats]]) -> None:
        """A copy with these weights in the places of the base's. Raises OSError."""
        kind = self._gguf.GGMLQuantizationType
        changed = {}
        for name, weight in weights:
            place = places[name]
            own = _interleaved(weight, place.heads)
            small = kind.Q8_0 if own.shape[-1] % 32 == 0 else kind.F32
            changed[place.tensor] = (self._gguf.quants.quantize(own, small), small)
        writer = self._gguf.GGUFWriter(path, self.architecture)
        self._tell(writer)
        for tensor in self._reader.tensors:
            data, stored = changed.get(tensor.name, (tensor.data, tensor.tensor_type))
            writer.add_tensor(tensor.name, data, raw_dtype=stored)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    def write_adapter(
        self,
        path: Path,
        places: Mapping[str, Place],
        matrices: Iterable[tuple[str, Floats, Floats]],
        *,
        alpha: float,
    ) -> None:
        """`matrices`: of each adapted weight, by its name in the loaded model, `a` [rank, in] and `b` [out, rank].
        Raises OSError.
        """
        pairs = (
            Pair(place.tensor, a, _interleaved(b, place.heads))
            for name, a, b in matrices
            for place in (places[name],)
        )
        write_adapter(path, self.architecture, alpha, pairs)

    def read_adapter(
        self, path: Path, places: Mapping[str, Place]
    ) -> tuple[float, dict[str, tuple[Floats, Floats]]]:
        """What `write_adapter` wrote: alpha, and of each adapted weight `a` and `b`. Raises `TrainingError` for an
        adapter of other weights.
        """
        alpha, pairs = read_adapter(path, self.architecture)
        if set(pairs) != {place.tensor for place in places.values()}:
            raise TrainingError(
                f"{path} adapts other layers than the spec asks for: set `first` to what it has"
            )
        found = ((name, place, pairs[place.tensor]) for name, place in places.items())
        return alpha, {name: (pair.a, _parted(pair.b, place.heads)) for name, place, pair in found}

    def _tell(self, writer: Any) -> None:
        """All metadata of the base, but for what the writer says itself."""
        array = self._gguf.GGUFValueType.ARRAY
        for field in self._reader.fields.values():
            if field.name.startswith("GGUF.") or field.name == "general.architecture":
                continue
            sub = field.types[-1] if field.types[0] == array else None
            writer.add_key_value(field.name, field.contents(), field.types[0], sub_type=sub)

    def _place(self, name: str, weight: Floats) -> Place:
        if (tensor := self.tensor(name)) is None:
            raise TrainingError(f"The GGUF file has no place for {name}: name a folder as `base` instead")
        found = self._tensors[tensor]
        kept = self._gguf.quants.dequantize(found.data, found.tensor_type)
        for heads in (0, self._count("attention.head_count"), self._count("attention.head_count_kv")):
            if heads and weight.shape[0] % (2 * heads):
                continue
            own = _interleaved(weight, heads)
            if own.shape == kept.shape and _same(own, kept):
                return Place(tensor, heads)
        raise TrainingError(
            f"{name} of the loaded model is not what the GGUF file holds as {tensor}: it cannot be written back; name "
            "a folder as `base` instead"
        )

    def _model_kind(self) -> Any:
        names = self._gguf.MODEL_ARCH_NAMES
        kind = next((kind for kind, name in names.items() if name == self.architecture), None)
        if kind is None:
            raise ValueError(f"nobody knows the architecture {self.architecture}")
        return kind

    def _count(self, name: str) -> int:
        return int(self._field(f"{self.architecture}.{name}"))

    def _field(self, name: str) -> Any:
        return self._reader.fields[name].contents()


def _same(own: Floats, kept: Floats) -> bool:
    """But for rounding: of the file's blocks, and of a model that was loaded in 16 bits."""
    most = CLOSE * float(kept.std()) + np.abs(kept) * HALF
    return bool((np.abs(own - kept) <= most).all())


def _interleaved(weight: Floats, heads: int) -> Floats:
    """Rows as llama.cpp turns them by position in some families: of each head, those of both halves by turns."""
    if not heads:
        return weight
    rows, columns = weight.shape
    halves = weight.reshape(heads, 2, rows // heads // 2, columns)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows, columns))


def _parted(weight: Floats, heads: int) -> Floats:
    """As it was before `_interleaved`."""
    if not heads:
        return weight
    rows, columns = weight.shape
    turns = weight.reshape(heads, rows // heads // 2, 2, columns)
    return np.ascontiguousarray(turns.swapaxes(1, 2).reshape(rows, columns))
