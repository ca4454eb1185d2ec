"""A cross-encoder as serving runs it: one ONNX session and a tokenizer, no torch.

Both texts are read in the form of `retrieval.text.as_read`, as an encoder reads them: however a question is typed, the
same passages come first.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retrieval.batches import batches
from retrieval.errors import RerankerError
from retrieval.model_folder import TOKENIZER
from retrieval.onnx_session import open_session
from retrieval.rerank.folder import GRAPH, Manifest, read_manifest
from retrieval.rerank.port import Scores
from retrieval.text import as_read

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

PAIR_TOKENS = 256
"""Longer pairs are cut, the longer text of the two first: a question and some 250 Chinese characters."""


class OnnxReranker:
    """`Reranker` over a folder made by `python -m training reranker`. Each run stays on the thread that calls it."""

    def __init__(self, manifest: Manifest, tokenizer: Tokenizer, session: Any) -> None:
        self._manifest, self._tokenizer, self._session = manifest, tokenizer, session

    @classmethod
    def open(cls, folder: Path) -> OnnxReranker:
        """Load and check. Raises `RerankerError`."""
        manifest = read_manifest(folder)
        try:
            tokenizer = _tokenizer(folder, manifest.max_length)
            return cls(manifest, tokenizer, open_session(folder / GRAPH))
        except Exception as error:  # both libraries raise bare Exception
            raise RerankerError(f"{folder} cannot be loaded as a reranker: {error}") from error

    @property
    def name(self) -> str:
        return self._manifest.name

    def score(self, question: str, passages: Sequence[str]) -> Scores:
        scores = np.empty(len(passages), dtype=np.float32)
        asked = _read(question)
        pairs = self._tokenizer.encode_batch([(asked, _read(passage)) for passage in passages])
        for rows in batches([len(pair) for pair in pairs]):
            scores[rows] = self._run([pairs[row] for row in rows])
        return scores

    def _run(self, pairs: Sequence[Encoding]) -> Scores:
        try:
            found = np.asarray(self._session.run(None, self._inputs(pairs))[0], dtype=np.float32)
        except Exception as error:  # onnxruntime raises bare Exception
            raise RerankerError(f"The reranker could not run: {error}") from error
        found = found.reshape(len(pairs), self._manifest.outputs)
        return found[:, 0] if self._manifest.outputs == 1 else found[:, 1] - found[:, 0]

    def _inputs(self, pairs: Sequence[Encoding]) -> dict[str, NDArray[np.int64]]:
        shape = len(pairs), max(map(len, pairs))
        ids = np.full(shape, self._manifest.pad_id, dtype=np.int64)
        mask, types = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for row, pair in enumerate(pairs):
            ids[row, : len(pair)] = pair.ids
            mask[row, : len(pair)] = 1
            types[row, : len(pair)] = pair.type_ids
        told = {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}
        return {name: told[name] for name in self._manifest.inputs}


def _read(text: str) -> str:
    """Half of a surrogate pair is no text to a tokenizer."""
    return as_read(text).encode("utf-8", "replace").decode("utf-8")


def _tokenizer(folder: Path, limit: int) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer: Tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=min(PAIR_TOKENS, limit), strategy="longest_first")
    return tokenizer
