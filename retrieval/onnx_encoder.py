"""The encoder of serving: one ONNX session and a tokenizer, no torch.

Every text gets the model's query prefix: a message is compared with stored questions, so both sides are of
one kind. The search is symmetric and one set of vectors serves intents as well.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval.embed import Vectors
from retrieval.errors import EncoderError
from retrieval.model_folder import GRAPH, TOKENIZER, Manifest, read_manifest

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

QUERY_TOKENS = 128
"""Longer texts are cut. A question is 10 to 40 tokens; 128 hold about 150 Chinese characters or 90 English
words.
"""
MAX_BATCH = 32
MAX_TOKENS = 1024
"""Padding included. Larger batches are no faster on a few cores and hold memory: 32 x 128 tokens take 150
MB.
"""
MAX_WASTE = 11
"""Tokens of padding that a batch may hold before its texts are split: what one more run of the graph costs, since it
reads all weights again. Measured on one to 64 utterances of both languages: within 1 to 3 % of the best split there is.
"""


class OnnxEncoder:
    """`Encoder` over a folder made by `python -m training encoder`. Thread-safe; close by dropping it."""

    def __init__(self, manifest: Manifest, tokenizer: Tokenizer, session: Any) -> None:
        self._manifest = manifest
        self._tokenizer = tokenizer
        self._session = session
        self._fingerprint = fingerprint(manifest)

    @classmethod
    def open(cls, folder: Path, *, threads: int = 0, verify: bool = False) -> OnnxEncoder:
        """Load (about 1.5 s). `threads`: 0 for all cores. `verify` compares checksums too. Raises
        `EncoderError`.
        """
        manifest = read_manifest(folder, verify=verify)
        try:
            return cls(manifest, _tokenizer(folder, manifest.max_length), _session(folder, threads))
        except Exception as error:  # both libraries raise bare Exception
            raise EncoderError(f"{folder} cannot be loaded as an encoder: {error}") from error

    @property
    def dim(self) -> int:
        return self._manifest.dim

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        if not texts:
            return vectors
        encodings = self._tokenizer.encode_batch([self._manifest.prefix + text for text in texts])
        for rows in batches([len(encoding) for encoding in encodings]):
            vectors[rows] = self._run([encodings[row] for row in rows])
        return vectors

    def _run(self, encodings: Sequence[Encoding]) -> Vectors:
        length = max(len(encoding) for encoding in encodings)
        ids = np.full((len(encodings), length), self._manifest.pad_id, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding)] = encoding.ids
            mask[row, : len(encoding)] = 1
        try:
            (vectors,) = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
        except Exception as error:  # onnxruntime raises bare Exception
            raise EncoderError(f"The encoder could not run: {error}") from error
        return np.asarray(vectors, dtype=np.float32)


def fingerprint(manifest: Manifest) -> str:
    """SHA-256 (hex) of what decides the vectors: the folder, and where texts are cut."""
    return hashlib.sha256(f"{manifest.fingerprint}:{QUERY_TOKENS}".encode()).hexdigest()


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Row numbers in batches of similar length: at most MAX_BATCH texts, MAX_TOKENS, MAX_WASTE tokens of padding."""
    batch: list[int] = []
    total = 0
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        padded = (len(batch) + 1) * lengths[row]
        wasteful = padded - total - lengths[row] > MAX_WASTE
        if batch and (len(batch) == MAX_BATCH or padded > MAX_TOKENS or wasteful):
            yield batch
            batch, total = [], 0
        batch.append(row)
        total += lengths[row]
    if batch:
        yield batch


def _tokenizer(folder: Path, limit: int) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer: Tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=min(QUERY_TOKENS, limit))
    return tokenizer


def _session(folder: Path, threads: int) -> Any:
    # Read when the library loads: what it gathers about its own use stays off this machine's disk and network.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Waiting threads must not burn the cores that the event loop runs on.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(folder / GRAPH), options, providers=["CPUExecutionProvider"])
