"""The encoder of serving: one ONNX session and a tokenizer, no torch.

Several batches run at once, each on one thread, instead of one batch on several: threads that share every operator wait
for the slowest of them after each, and a busy server always has something else to do on one of its cores.

Every text gets the model's query prefix: a message is compared with stored questions, so both sides are of
one kind. The search is symmetric and one set of vectors serves intents as well.

Texts are read in the form of `retrieval.text.as_read`: however a question is typed, in capitals, full width or
traditional characters, its vector is the same.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from retrieval.batches import Batch, shares
from retrieval.embed import Tokens, Vectors
from retrieval.errors import EncoderError
from retrieval.model_folder import GRAPH, TOKENIZER, Manifest, read_manifest
from retrieval.onnx_session import open_session
from retrieval.tap import Tap
from retrieval.text import as_read, origins

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

QUERY_TOKENS = 128
"""Longer texts are cut. A question is 10 to 40 tokens; 128 hold about 150 Chinese characters or 90 English
words.
"""

_TOKENIZERS: dict[tuple[str, int], Tokenizer] = {}
"""The one read last, by what it holds and where it cuts."""
_HEAD = 4096
_READING = "as read 1"
"""Changes whenever `as_read` does: the same text then has another vector."""
_VECTORS = ("vectors",)
"""The graph's output, as `training.export` names it."""
_NO_TOKENS = Tokens(np.zeros((0, 2), np.int32), np.zeros((0, 0), np.float32))


class OnnxEncoder:
    """`Encoder` over a folder made by `python -m training encoder`. Thread-safe; close by dropping it."""

    def __init__(
        self,
        manifest: Manifest,
        tokenizer: Tokenizer,
        session: Any,
        *,
        threads: int,
        as_typed: bool = False,
        tap: Tap | None = None,
    ) -> None:
        self._manifest = manifest
        self._tokenizer = tokenizer
        self._session = session
        self._tapped = tap.outputs if tap else ()
        self._threads = threads
        self._others = ThreadPoolExecutor(max(threads - 1, 1), thread_name_prefix="kefu-encoder-run")
        self._as_typed = as_typed
        self._fingerprint = fingerprint(manifest, as_typed=as_typed)
        self._calls, self._lock = 0, Lock()

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        threads: int = 0,
        verify: bool = False,
        as_typed: bool = False,
        tap: Tap | None = None,
    ) -> OnnxEncoder:
        """Load (about a second). `threads`: batches at once, of whichever calls; 0 for one a core. `verify` compares
        checksums too; `as_typed` reads texts as they are, which is for comparisons. `tap`: with it, tokens can be had.
        Raises `EncoderError`.
        """
        manifest = read_manifest(folder, verify=verify)
        try:
            with ThreadPoolExecutor(1) as beside:  # neither needs the other, and each takes about as long
                session = beside.submit(open_session, folder / GRAPH, more=tap.part if tap else b"")
                tokenizer = _tokenizer(folder, manifest.max_length)
            return cls(
                manifest, tokenizer, session.result(), threads=threads or cores(), as_typed=as_typed, tap=tap
            )
        except Exception as error:  # both libraries raise bare Exception
            raise EncoderError(f"{folder} cannot be loaded as an encoder: {error}") from error

    @property
    def dim(self) -> int:
        return self._manifest.dim

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def tells_tokens(self) -> bool:
        return bool(self._tapped)

    def encode(self, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        if not texts:
            return vectors
        encodings = self._encodings(self._read(texts))

        def encode(rows: Batch) -> None:
            (vectors[rows],) = self._run([encodings[row] for row in rows], _VECTORS)

        with self._share() as threads:
            self._each(shares([len(encoding) for encoding in encodings], threads), encode, threads=threads)
        return vectors

    def encode_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[Tokens]]:
        if not self._tapped:
            raise EncoderError("The encoder was opened without a tap: it has no tokens")
        vectors = np.empty((len(texts), self.dim), dtype=np.float32)
        tokens: list[Tokens] = [_NO_TOKENS] * len(texts)
        if not texts:
            return vectors, tokens
        read = self._read(texts)
        encodings = self._encodings(read)

        def encode(rows: Batch) -> None:
            vectors[rows], *states = self._run([encodings[row] for row in rows], (*_VECTORS, *self._tapped))
            for place, row in enumerate(rows):
                own = [layer[place] for layer in states]
                tokens[row] = self._told(texts[row], read[row], encodings[row], own)

        with self._share() as threads:
            self._each(shares([len(encoding) for encoding in encodings], threads), encode, threads=threads)
        return vectors, tokens

    def _read(self, texts: Sequence[str]) -> Sequence[str]:
        return texts if self._as_typed else [as_read(text) for text in texts]

    def _encodings(self, read: Sequence[str]) -> list[Encoding]:
        return self._tokenizer.encode_batch([self._manifest.prefix + text for text in read])

    def _told(self, text: str, read: str, encoding: Encoding, states: Sequence[Vectors]) -> Tokens:
        """Places are those of the text as it was written; of the prefix, and of what marks a text's ends, nothing."""
        came = None if read == text else np.array(origins(text, read), dtype=np.int32)
        there = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2) - len(self._manifest.prefix)
        there = there.clip(0, len(text) if came is None else len(came))
        (own,) = np.nonzero(there[:, 1] > there[:, 0])
        places = there[own]
        if came is not None:
            places = np.stack([came[places[:, 0]], came[places[:, 1] - 1] + 1], axis=1)
        return Tokens(places, np.concatenate([layer[own] for layer in states], axis=1))

    @contextmanager
    def _share(self) -> Iterator[int]:
        """Threads for one more call, its own among them: all where it is alone."""
        with self._lock:
            self._calls += 1
            threads = max(self._threads // self._calls, 1)
        try:
            yield threads
        finally:
            with self._lock:
                self._calls -= 1

    def _each(self, parts: Sequence[Batch], work: Callable[[Batch], None], *, threads: int) -> None:
        """`work` for all of them, on this thread and the others; each takes what is next."""
        left = deque(parts)
        others = [self._others.submit(_drain, left, work) for _ in range(min(threads, len(parts)) - 1)]
        try:
            _drain(left, work)
        finally:
            left.clear()
            for other in others:
                if not other.cancel():  # it may not even have begun: then all is done without it
                    other.result()

    def _run(self, encodings: Sequence[Encoding], outputs: Sequence[str]) -> list[Vectors]:
        length = max(len(encoding) for encoding in encodings)
        ids = np.full((len(encodings), length), self._manifest.pad_id, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding)] = encoding.ids
            mask[row, : len(encoding)] = 1
        try:
            found = self._session.run(outputs, {"input_ids": ids, "attention_mask": mask})
        except Exception as error:  # onnxruntime raises bare Exception
            raise EncoderError(f"The encoder could not run: {error}") from error
        return [np.asarray(one, dtype=np.float32) for one in found]


def fingerprint(manifest: Manifest, *, as_typed: bool = False) -> str:
    """SHA-256 (hex) of what decides the vectors: the folder, where texts are cut, and how they are read."""
    told = f"{manifest.fingerprint}:{QUERY_TOKENS}"
    return hashlib.sha256((told if as_typed else f"{told}:{_READING}").encode()).hexdigest()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _drain(left: deque[Batch], work: Callable[[Batch], None]) -> None:
    while left:
        try:
            part = left.popleft()
        except IndexError:  # another thread was quicker
            return
        work(part)


def _tokenizer(folder: Path, limit: int) -> Tokenizer:
    """One for all encoders that were tuned from each other. To parse it takes a second in which no other thread of this
    process runs Python, so that a server would stand still whenever it changes its encoder.
    """
    from tokenizers import Tokenizer

    content = (folder / TOKENIZER).read_bytes()
    length = min(QUERY_TOKENS, limit)
    # What stands before this, padding and truncation, is set here anyway; to save a model writes it down.
    begin = max(content.find(b'"added_tokens"', 0, _HEAD), 0)
    key = (hashlib.sha256(memoryview(content)[begin:]).hexdigest(), length)
    if (kept := _TOKENIZERS.get(key)) is not None:
        return kept
    tokenizer: Tokenizer = Tokenizer.from_buffer(content)
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=length)
    _TOKENIZERS.clear()
    _TOKENIZERS[key] = tokenizer
    return tokenizer
