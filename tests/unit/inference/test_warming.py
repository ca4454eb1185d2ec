"""What goes live has answered a crowd."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.inference import learned
from bot.inference.bundles import Knowledge
from bot.inference.door import MAX_BATCH
from bot.inference.host import Host
from bot.testing import FakeEncodings
from retrieval.embed import Vectors
from retrieval.errors import RetrievalError
from retrieval.testing import HashEncoder
from retrieval.types import Entry
from tests.unit.inference.test_host import small_heads

KNOWN = Knowledge(
    1,
    (
        Entry("1", "open", "en", "When are you open?", "From nine to five."),
        Entry("2", "open", "zh", "你们几点开门？", "九点到五点。"),
    ),
)


class Batches(HashEncoder):
    """Keeps how many texts came at once; more than `most` it cannot take."""

    def __init__(self, dim: int = 64, most: int = MAX_BATCH) -> None:
        super().__init__(dim)
        self.sizes: list[int] = []
        self._most = most

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.sizes.append(len(texts))
        if len(texts) > self._most:
            raise RetrievalError("out of memory")
        return super().encode(texts)


@pytest.fixture(autouse=True)
def _no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    heads = {HashEncoder(dim).fingerprint: small_heads(dim) for dim in (32, 64)}
    monkeypatch.setattr(learned, "find_release", lambda releases, lesson: heads[lesson.encoder])


async def started(home: Path, encodings: FakeEncodings, *releases: str) -> Host:
    host = Host(home, encodings, examples=())
    await host.open(KNOWN, progress=lambda *_: None, releases=releases)
    return host


async def test_as_many_as_may_ever_come_at_once_are_answered_before_the_first_customer(
    tmp_path: Path,
) -> None:
    encoder = Batches()
    host = await started(tmp_path, FakeEncodings(base=encoder), "base")
    assert encoder.sizes[-2:] == [1, MAX_BATCH]
    await host.close()


async def test_a_release_that_takes_no_crowd_does_not_serve(tmp_path: Path) -> None:
    weak = Batches(most=MAX_BATCH - 1)
    host = await started(tmp_path, FakeEncodings(base=HashEncoder(), tuned=weak), "tuned", "base")
    assert host.current().name == "base"
    assert host.trouble is not None
    assert (host.trouble.release, host.trouble.reason) == ("tuned", "out of memory")
    await host.close()


async def test_nor_does_one_whose_heads_are_of_another_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learned, "find_release", lambda releases, lesson: small_heads(64))
    host = await started(tmp_path, FakeEncodings(base=HashEncoder(), tuned=HashEncoder(32)), "tuned", "base")
    assert host.current().name == "base"
    assert host.trouble is not None
    assert host.trouble.reason.startswith("ValueError: ")
    await host.close()


async def test_customers_do_not_wait_behind_a_crowd_for_the_encoder_that_answers_them(tmp_path: Path) -> None:
    serving, other = Batches(), Batches(32)

    async def known() -> Knowledge:
        return KNOWN

    host = await started(tmp_path, FakeEncodings(base=serving, same=serving, tuned=other), "base")
    serving.sizes.clear()
    await host.switch("same", known)
    assert serving.sizes == [1]
    await host.switch("tuned", known)
    assert other.sizes[-2:] == [1, MAX_BATCH]
    await host.close()
