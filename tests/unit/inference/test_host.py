"""What the host does with what it finds in the home."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.errors import InferenceError
from bot.inference import learned
from bot.inference.bundles import Knowledge
from bot.inference.child import Progress
from bot.inference.host import Host
from bot.inference.learned import Named
from bot.inference.vectors import BROUGHT, SAMPLE, pack_vectors
from bot.inference.warming import WORDS
from bot.testing import FakeEncoding, FakeEncodings
from retrieval.embed import Vectors
from retrieval.testing import HashEncoder
from retrieval.types import Entry
from training.apply import Heads, IntentHead
from training.entities.lesson import EntityLesson
from training.entities.spec import Example, Span

OPEN = Entry("1", "open", "en", "When are you open?", "From nine to five.")
POST = Entry("2", "post", "en", "What is the postage?", "Eight yuan.")


@pytest.fixture(autouse=True)
def _no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned, "find_release", lambda releases, lesson: small_heads())


def small_heads(dim: int = 64) -> Heads:
    ones = np.ones(dim, dtype=np.float32)
    head = IntentHead(("a",), ones, ones, ones[None], np.ones(1, np.float32), 1.0)
    return Heads("heads", head, head, None)


async def indexed(home: Path, *entries: Entry) -> tuple[Entry, ...]:
    """What is live after a start with these answers, always of revision 1."""
    host = Host(home, FakeEncodings(base=HashEncoder()), examples=())
    await asyncio.to_thread(home.mkdir, exist_ok=True)
    live = await host.open(Knowledge(1, entries), progress=lambda *_: None)
    await host.close()
    return live.bundle.entries


@pytest.mark.parametrize(
    "now", [(OPEN,), (OPEN, replace(POST, answer="Nine yuan.")), (OPEN, POST, replace(POST, id="3"))]
)
async def test_an_index_that_says_otherwise_than_the_database_is_made_again(
    now: tuple[Entry, ...], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "home"
    assert await indexed(home, OPEN, POST) == (OPEN, POST)
    with caplog.at_level(logging.WARNING):
        assert await indexed(home, OPEN, POST) == (OPEN, POST)
        assert "made again" not in caplog.text
        assert await indexed(home, *now) == now
    assert "the database has other answers" in caplog.text


class Counting(HashEncoder):
    """Counts the texts that it reads beside the crowd that warms it up."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.read += sum(not text.startswith(WORDS) for text in texts)
        return super().encode(texts)


async def begun(
    home: Path, entries: Sequence[Entry], brought: Path
) -> tuple[Counting, Mapping[str, Vectors]]:
    """What was read at a start with these vectors in the bot folder, and what is in the index."""
    encoder = Counting()
    host = Host(home, FakeEncodings(base=encoder), examples=(), brought=brought)
    live = await host.open(Knowledge(1, tuple(entries)), progress=lambda *_: None)
    vectors = live.bundle.vectors_by_text()
    await host.close()
    return encoder, vectors


@pytest.fixture
def many() -> list[Entry]:
    return [
        Entry(f"{number}", f"topic-{number}", "en", f"Question {number}?", f"Answer {number}.")
        for number in range(40)
    ]


async def test_what_the_bot_brings_along_is_not_read_again(tmp_path: Path, many: list[Entry]) -> None:
    old, new = many[:-2], many
    texts = [text for entry in old for text in entry.texts]
    whole = dict(zip(texts, HashEncoder().encode(texts), strict=True))
    await asyncio.to_thread(pack_vectors, tmp_path / BROUGHT, whole)
    home = tmp_path / "home"
    encoder, vectors = await begun(home, new, tmp_path / BROUGHT)
    added = [text for entry in new[-2:] for text in entry.texts]
    assert encoder.read == SAMPLE + len(added)
    assert set(vectors) == {*texts, *added}
    assert all(float(vectors[text] @ whole[text]) > 0.999 for text in texts)
    again, _ = await begun(home, new, tmp_path / BROUGHT)
    assert again.read == 0, "a second start has all in its home"


async def test_vectors_of_another_encoder_are_told_and_not_taken(
    tmp_path: Path, many: list[Entry], caplog: pytest.LogCaptureFixture
) -> None:
    texts = [text for entry in many for text in entry.texts]
    others = dict(zip(texts, HashEncoder().encode(texts[::-1]), strict=True))
    await asyncio.to_thread(pack_vectors, tmp_path / BROUGHT, others)
    with caplog.at_level(logging.WARNING):
        encoder, vectors = await begun(tmp_path / "home", many, tmp_path / BROUGHT)
    assert encoder.read == len(texts)
    assert np.array_equal(vectors[texts[3]], HashEncoder().encode(texts[3:4])[0])
    assert "vectors.safetensors is of another encoder" in caplog.text


async def test_an_encoder_that_does_not_load_is_told_though_all_else_was_found(tmp_path: Path) -> None:
    await indexed(tmp_path, OPEN, POST)
    encodings = FakeEncodings()
    encodings.known["base"] = FakeEncoding(HashEncoder(), error=InferenceError("no memory"))
    host = Host(tmp_path, encodings, examples=())
    with pytest.raises(InferenceError, match="no memory"):
        await host.open(Knowledge(1, (OPEN, POST)), progress=lambda *_: None)
    with pytest.raises(InferenceError, match="still starting"):
        host.current()


async def test_heads_are_made_anew_of_what_the_home_has_though_the_bot_brings_all_along(
    tmp_path: Path, many: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [text for entry in many for text in entry.texts]
    vectors = dict(zip(texts, HashEncoder().encode(texts), strict=True))
    await asyncio.to_thread(pack_vectors, tmp_path / BROUGHT, vectors)
    await begun(tmp_path / "home", many, tmp_path / BROUGHT)

    async def made(*_: object, **__: object) -> Heads:
        return small_heads()

    monkeypatch.setattr(learned, "find_release", lambda releases, lesson: None)
    monkeypatch.setattr(learned, "make_release", made)
    encoder, _ = await begun(tmp_path / "home", many, tmp_path / BROUGHT)
    assert encoder.read == 0


class Learning(FakeEncoding):
    """Learns entities until somebody hears of it; then it has learned nothing."""

    def __init__(self, encoder: HashEncoder) -> None:
        super().__init__(encoder)
        self.heard, self.ended = False, 0

    async def learn(
        self, lesson: EntityLesson, releases: Path, *, progress: Progress, background: bool
    ) -> None:
        try:
            while not self.heard:
                progress("learning entities", 1, 2)
                await asyncio.sleep(0.01)
        finally:
            self.ended += 1
        raise InferenceError("there is nothing to learn it on")


NAMED = Named({}, (Example("from 9 to 5", (Span(5, 6, "hour"),)),))


async def test_at_the_first_start_all_is_read_while_entities_are_learned(tmp_path: Path) -> None:
    """Of the two the longer one is told."""
    encodings, encoding = FakeEncodings(), Learning(HashEncoder())
    encodings.known["base"] = encoding
    seen: list[str] = []

    def progress(text: str, done: int, total: int) -> None:
        seen.append(text)
        encoding.heard = text == "learning entities"

    host = Host(tmp_path, encodings, examples=(), named=NAMED)
    async with asyncio.timeout(10):
        live = await host.open(Knowledge(1, (OPEN, POST)), progress=progress)
    assert set(seen[: seen.index("learning entities")]) == {"Reading questions and answers"}
    assert (len(live.bundle.entries), live.finder.wants_tokens, encoding.ended) == (2, False, 1)
    await host.close()


async def test_where_it_cannot_be_read_nothing_more_is_learned(tmp_path: Path) -> None:
    class Broken(HashEncoder):
        def encode(self, texts: Sequence[str]) -> Vectors:
            raise InferenceError("no memory")

    encodings, encoding = FakeEncodings(), Learning(Broken())
    encodings.known["base"] = encoding
    host = Host(tmp_path, encodings, examples=(), named=NAMED)
    with pytest.raises(InferenceError, match="no memory"):
        await host.open(Knowledge(1, (OPEN, POST)), progress=lambda *_: None)
    assert encoding.ended == 1
