"""Two real encoders in one host: the second is read in a process beside it, and takes the first one's place."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from bench.swap import other_encoder
from bot.inference import learned
from bot.inference.bundles import Knowledge
from bot.inference.encoder import load_encoder
from bot.inference.encodings import FolderEncoding, HomeEncodings
from bot.inference.host import Host
from bot.inference.release import Lesson
from bot.inference.understanding import Ask
from retrieval.model_folder import read_manifest
from retrieval.onnx_encoder import fingerprint
from retrieval.types import Entry
from tests.conftest import CACHE
from training.apply import Heads
from training.evaluation import Evaluation
from training.fit import fit_head
from training.registry import Draft, add_release

pytestmark = pytest.mark.encoder

KNOWLEDGE = Knowledge(
    1,
    (
        Entry("1", "lost", "en", "How do I report a lost card?", "Call us."),
        Entry("2", "lost", "zh", "银行卡丢了怎么挂失？", "请致电客服。"),
    ),
)


@pytest.fixture(scope="module")
def other(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("other") / "encoder"
    other_encoder(encoder_folder, folder)
    return folder


def silent(text: str, done: int, total: int) -> None:
    pass


async def test_another_encoder_takes_the_place_of_the_stock_one(
    encoder_folder: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(releases: Path, lesson: Lesson) -> Heads:
        head = fit_head(np.eye(2, 384, dtype=np.float32), ["a", "b"])
        return Heads("heads", head, head, None)

    monkeypatch.setattr(learned, "find_release", find)
    manifest = await asyncio.to_thread(read_manifest, other)
    draft = Draft("full", manifest.fingerprint, Evaluation({}), "", encoder=other)
    release = await asyncio.to_thread(add_release, tmp_path / "releases", draft, now=datetime.now(UTC))
    host = Host(tmp_path, HomeEncodings(tmp_path / "releases", CACHE, "embedded", threads=1), examples=())

    async def read() -> Knowledge:
        return KNOWLEDGE

    first = await host.open(KNOWLEDGE, progress=silent)
    second = await host.switch(release.name, read)
    assert first.bundle.encoder_fingerprint != second.bundle.encoder_fingerprint
    texts = [second.bundle.text(row) for row in range(len(second.bundle.contents.vectors))]
    beside = FolderEncoding(other, fingerprint(manifest), threads=1, cache=CACHE)
    mine = (await beside.open()).encode(texts)
    assert np.allclose(mine, second.bundle.contents.vectors, atol=1e-5)
    assert not np.allclose((await load_encoder(encoder_folder, threads=1)).encode(texts), mine, atol=1e-3)
    ask = Ask("my card is gone", "en", date(2026, 11, 26))
    for live in (first, second):
        seen = await host.understand(live, ask, deadline=time.monotonic() + 60)
        assert {hit.entry.key for hit in seen.hits} == {"lost"}
    stock = first.bundle.encoder_fingerprint
    del first, second, live  # a release that anybody holds is waited for
    assert (await host.switch("base", read)).bundle.encoder_fingerprint == stock
    await host.close()
