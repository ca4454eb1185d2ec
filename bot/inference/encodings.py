"""Which encoder a release answers with, and how its texts become vectors while another one answers."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from bot.errors import InferenceError
from bot.inference.child import Progress, run_training
from bot.inference.encoder import load_encoder, make_encoder
from retrieval.embed import Encoder, Vectors
from retrieval.errors import RetrievalError
from retrieval.model_folder import SERVED, locate, read_manifest
from retrieval.tap import locate_tap
from training.entities.lesson import EntityLesson, write_lesson
from training.errors import TrainingError
from training.release import BASE, read_release
from training.trained import read_trained

_NEEDS_TRAIN = "Is Kefu installed with its `train` extra?"


def _silent(text: str, done: int, total: int) -> None:
    """Nobody watches."""


class Encoding(Protocol):
    """The encoder of a release, found whole and not loaded yet."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def trained(self) -> frozenset[str]:
        """Ids of the texts that it was trained on (`training.trained`)."""
        ...

    async def open(self, *, tokens: bool = False) -> Encoder:
        """Loaded; with `tokens` it tells of single ones too. Raises InferenceError."""
        ...

    async def learn(
        self, lesson: EntityLesson, releases: Path, *, progress: Progress, background: bool
    ) -> None:
        """The tagger of a lesson, made under `releases`. Raises InferenceError."""
        ...

    async def embed(self, texts: Sequence[str], *, progress: Progress) -> Mapping[str, Vectors]:
        """float32 [dim] for each text, without taking cores from whoever answers. Raises InferenceError, OSError."""
        ...


class Encodings(Protocol):
    async def find(self, release: str, *, progress: Progress) -> Encoding:
        """Raises InferenceError where the release is missing or damaged, and says what is wrong with it."""
        ...


@dataclass(frozen=True, slots=True)
class FolderEncoding:
    """An encoder's folder. `threads`: of its session once it serves; 0 for all cores. `cache`: where its tap lies."""

    folder: Path
    fingerprint: str
    threads: int
    cache: Path
    trained: frozenset[str] = frozenset()

    async def open(self, *, tokens: bool = False) -> Encoder:
        if not tokens:
            return await load_encoder(self.folder, threads=self.threads)
        return await load_encoder(self.folder, threads=self.threads, tap=await self._tap())

    async def _tap(self) -> Path:
        """Its file, found or made (seconds). Raises InferenceError."""
        path = await asyncio.to_thread(locate_tap, self.cache, self.folder)
        if not await asyncio.to_thread(path.is_file):
            arguments = ["--encoder", str(self.folder), "--cache", str(self.cache)]
            await run_training("tap", arguments, progress=_silent, hint=_NEEDS_TRAIN)
        return path

    async def learn(
        self, lesson: EntityLesson, releases: Path, *, progress: Progress, background: bool
    ) -> None:
        """The tagger's folder, made under `releases` (seconds). Raises InferenceError."""
        place = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="kefu-entities-"))
        try:
            await asyncio.to_thread(write_lesson, place, lesson)
            arguments = ["--work", str(place), "--out", str(releases), "--name", lesson.name]
            arguments += ["--encoder", str(self.folder), "--cache", str(self.cache)]
            await run_training(
                "tagger", arguments, progress=progress, hint=_NEEDS_TRAIN, background=background
            )
        finally:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)

    async def embed(self, texts: Sequence[str], *, progress: Progress) -> Mapping[str, Vectors]:
        """In a process of its own: the system gives it what customers leave, and its memory ends with it."""
        place = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="kefu-texts-"))
        try:
            await asyncio.to_thread(_write_texts, place, texts)
            arguments = ["--encoder", str(self.folder), "--work", str(place)]
            await run_training("embed", arguments, progress=progress, hint="Try again.", background=True)
            rows = await asyncio.to_thread(np.load, place / "vectors.npy", allow_pickle=False)
        finally:
            await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
        return dict(zip(texts, rows, strict=True))


@dataclass(frozen=True, slots=True)
class HomeEncodings:
    """The releases of a home. `source`: what answers where one has no encoder of its own (`Settings.base_encoder`),
    made in `cache` where it is not there yet.
    """

    releases: Path
    cache: Path
    source: str
    threads: int

    async def find(self, release: str, *, progress: Progress) -> Encoding:
        try:
            folder = await self.made(release, progress=progress)
            return await asyncio.to_thread(self._checked, folder, release)
        except (RetrievalError, TrainingError) as error:
            raise InferenceError(str(error), code="release") from error

    async def made(self, release: str, *, progress: Progress) -> Path:
        """The folder of a release's encoder, or of the base's: found or made. Raises ReleaseError, InferenceError."""
        own = await asyncio.to_thread(encoder_folder, self.releases, release)
        return own or await make_encoder(self.cache, self.source, progress=progress)

    def folder(self, release: str) -> Path:
        """The same, wherever it will lie. Blocking; raises ReleaseError, EncoderError."""
        return encoder_folder(self.releases, release) or locate(self.cache, self.source)

    def trained(self, release: str) -> frozenset[str]:
        """Ids of the texts that it was trained on. Blocking; raises ReleaseError, EncoderError, TrainingError."""
        return read_trained(self.folder(release), self.releases / release)

    def _checked(self, folder: Path, release: str) -> Encoding:
        from retrieval.onnx_encoder import fingerprint

        manifest = read_manifest(folder, verify=SERVED)
        trained = read_trained(folder, self.releases / release)
        return FolderEncoding(folder, fingerprint(manifest), self.threads, self.cache, trained)


def encoder_folder(releases: Path, release: str) -> Path | None:
    """None: it answers with the base's. Blocking; raises ReleaseError."""
    if release == BASE:
        return None
    return read_release(releases, release).encoder_folder


def base_fingerprint(cache: Path, source: str) -> str | None:
    """Of the encoder that releases without one answer with; None where it is not made yet, or damaged. Blocking."""
    from retrieval.onnx_encoder import fingerprint

    try:
        return fingerprint(read_manifest(locate(cache, source)))
    except RetrievalError:
        return None


def _write_texts(place: Path, texts: Sequence[str]) -> None:
    (place / "texts.json").write_text(json.dumps(list(texts), ensure_ascii=False), encoding="utf-8")
