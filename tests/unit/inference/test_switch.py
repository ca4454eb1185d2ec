"""One release takes another one's place while turns run, knowledge changes and things fail."""

from __future__ import annotations

import asyncio
import errno
import logging
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from bot.errors import Busy, InferenceError
from bot.inference import learned
from bot.inference.bundles import KEPT, Knowledge
from bot.inference.child import Progress
from bot.inference.host import Host, Trouble
from bot.inference.release import Lesson
from bot.inference.understanding import Ask, Live, Understanding
from bot.inference.warming import WORDS
from bot.observer import Unobserved
from bot.testing import FakeEncoding, FakeEncodings
from retrieval.embed import Encoder, Vectors
from retrieval.testing import HashEncoder
from retrieval.types import Entry
from training.apply import Heads
from training.fit import fit_head

TODAY = date(2026, 11, 22)
OPEN = Entry("1", "open", "en", "When are you open?", "From nine to five.")
POST = Entry("2", "post", "en", "What is the postage?", "Eight yuan.")
FIRST, SECOND = Knowledge(1, (OPEN, POST)), Knowledge(2, (OPEN,))


class Listening(HashEncoder):
    """Keeps what it is asked. With a `gate`, asks the gate first."""

    def __init__(self, dim: int = 64) -> None:
        super().__init__(dim)
        self.heard: list[str] = []
        self.entered, self.gate = threading.Event(), threading.Event()
        self.gate.set()

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.heard += texts
        self.entered.set()
        assert self.gate.wait(10)
        return super().encode(texts)


class Gated(FakeEncoding):
    """Its texts become vectors when `gate` is set; `reached` says that it has come so far."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        self.reached, self.gate = asyncio.Event(), asyncio.Event()

    async def embed(self, texts: Sequence[str], *, progress: Progress) -> Mapping[str, Vectors]:
        self.reached.set()
        await self.gate.wait()
        return await super().embed(texts, progress=progress)


class Full(FakeEncoding):
    async def embed(self, texts: Sequence[str], *, progress: Progress) -> Mapping[str, Vectors]:
        raise OSError(errno.ENOSPC, "No space left on device")


class Counting(Unobserved):
    def __init__(self) -> None:
        self.ends: list[str] = []

    def switched(self, end: str) -> None:
        self.ends.append(end)


class Shelf:
    """The database's knowledge, as far as a host asks."""

    def __init__(self, *versions: Knowledge) -> None:
        self.versions = list(versions)

    async def read(self) -> Knowledge:
        """One after the other; the last one stays."""
        return self.versions.pop(0) if len(self.versions) > 1 else self.versions[0]


@pytest.fixture(autouse=True)
def _no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heads that fit each encoder; learning takes seconds in a process of its own."""
    by_encoder = {
        encoder.fingerprint: fit_head(encoder.encode(["one", "two"]), ["a", "b"])
        for encoder in map(HashEncoder, (32, 64, 96, 128, 160))
    }

    def find(releases: Path, lesson: Lesson) -> Heads:
        head = by_encoder[lesson.encoder]
        return Heads("heads", head, head, None)

    monkeypatch.setattr(learned, "find_release", find)


async def opened(home: Path, encodings: FakeEncodings, observer: Unobserved | None = None) -> Host:
    host = Host(home, encodings, examples=(), observer=observer or Unobserved())
    await host.open(FIRST, progress=lambda *_: None)
    return host


async def asked(host: Host, live: Live, text: str, previous: str | None = None) -> Understanding:
    ask = Ask(text, "en", TODAY, previous, leaning=previous is not None)
    return await host.understand(live, ask, deadline=time.monotonic() + 60)


def answers(live: Live) -> list[str]:
    return [entry.key for entry in live.bundle.entries]


def texts_of(encoder: Listening) -> list[str]:
    """What it was asked beside the crowd that warms it up."""
    return [text for text in encoder.heard if not text.startswith(WORDS)]


def encoder_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith(("kefu-encoder", "kefu-bundles"))]


@pytest.mark.parametrize("dim", [32, 64])
async def test_a_release_of_any_encoder_takes_the_place_of_another_one(tmp_path: Path, dim: int) -> None:
    counting = Counting()
    host = await opened(tmp_path, FakeEncodings(base=HashEncoder(), tuned=HashEncoder(dim)), counting)
    assert host.current().release == "base/heads"
    live = await host.switch("tuned", Shelf(FIRST).read)
    assert host.current() is live
    assert (live.release, live.bundle.encoder_fingerprint) == ("tuned/heads", HashEncoder(dim).fingerprint)
    assert (await asked(host, live, "what is the postage")).hits[0].entry.key == "post"
    assert (counting.ends, host.trouble) == (["done"], None)
    await host.close()


async def test_a_turn_is_answered_by_what_it_took_and_then_the_old_encoder_goes(tmp_path: Path) -> None:
    encodings = FakeEncodings(base=HashEncoder(), tuned=HashEncoder(32))
    host = await opened(tmp_path, encodings)
    old = host.current()
    gone = asyncio.Event()
    weakref.finalize(old.reader.door._encoder, asyncio.get_running_loop().call_soon_threadsafe, gone.set)
    del encodings.known["base"]
    await host.switch("tuned", Shelf(FIRST).read)
    for text in ("When are you open?", "and the postage?"):
        seen = await asked(host, old, text, previous="What is the postage?")
        assert {hit.entry.key for hit in seen.hits} == {"open", "post"}
    assert not gone.is_set()
    del old
    async with asyncio.timeout(10):
        await gone.wait()
    assert len([name for name in encoder_threads() if name.startswith("kefu-encoder")]) == 1
    await host.close()
    assert encoder_threads() == []


async def test_no_third_encoder_is_loaded_before_the_first_one_is_gone(tmp_path: Path) -> None:
    class Gone(asyncio.Event):
        async def wait(self) -> Literal[True]:
            waits.set()
            return await super().wait()

    waits = asyncio.Event()
    encodings = FakeEncodings(base=HashEncoder(), second=HashEncoder(32), third=HashEncoder(96))
    host = await opened(tmp_path, encodings)
    host._gone = Gone()
    pinned = [host.current()]
    await host.switch("second", Shelf(FIRST).read)
    third = asyncio.create_task(host.switch("third", Shelf(FIRST).read))
    async with asyncio.timeout(10):
        await waits.wait()
        assert (len(host._pins), host.current().name) == (2, "second")
        pinned.clear()
        assert (await third).name == "third"
    await host.close()


async def test_messages_in_the_queue_are_answered_by_the_encoder_they_came_to(tmp_path: Path) -> None:
    slow = Listening()
    host = await opened(tmp_path, FakeEncodings(base=slow, tuned=HashEncoder(32)))
    slow.gate.clear()
    turns = [asyncio.create_task(asked(host, host.current(), f"What is the postage {n}")) for n in range(8)]
    await asyncio.sleep(0)
    await host.switch("tuned", Shelf(FIRST).read)
    assert not any(turn.done() for turn in turns)
    slow.gate.set()
    assert [seen.hits[0].entry.key for seen in await asyncio.gather(*turns)] == ["post"] * 8
    await host.close()


async def test_vectors_of_two_encoders_never_meet(tmp_path: Path) -> None:
    one, other = Listening(), Listening(32)
    host = await opened(tmp_path, FakeEncodings(base=one, tuned=other))
    await asked(host, host.current(), "Something about post")
    live = await host.switch("tuned", Shelf(FIRST).read)
    other.heard.clear()
    assert (await asked(host, live, "and how much is it?", "Something about post")).contextual
    assert other.heard == ["and how much is it?", "Something about post"]
    await host.close()


async def test_a_deleted_answer_does_not_return_with_an_earlier_release(tmp_path: Path) -> None:
    host = await opened(tmp_path, FakeEncodings(base=HashEncoder(), tuned=HashEncoder(32)))
    await host.switch("tuned", Shelf(FIRST).read)
    assert answers(await host.refresh(SECOND)) == ["open"]
    back = await host.switch("base", Shelf(SECOND).read)
    assert (back.name, answers(back)) == ("base", ["open"])
    await host.close()


async def test_what_was_encoded_once_is_not_encoded_again(tmp_path: Path) -> None:
    one, other = Listening(), Listening(32)
    host = await opened(tmp_path, FakeEncodings(base=one, tuned=other))
    await host.switch("tuned", Shelf(FIRST).read)
    third = Knowledge(3, (*FIRST.entries, Entry("3", "wrap", "en", "Do you wrap presents?", "We do.")))
    for _ in range(2):
        one.heard.clear()
        await host.switch("base", Shelf(FIRST).read)
        assert texts_of(one) == []
        other.heard.clear()
        await host.switch("tuned", Shelf(FIRST).read)
        assert texts_of(other) == []
    one.heard.clear()
    assert "wrap" in answers(await host.switch("base", Shelf(third).read))
    assert texts_of(one) == list(third.entries[-1].texts)
    await host.close()


async def test_of_many_encoders_the_last_ones_are_kept_on_disk(tmp_path: Path) -> None:
    tuned = {f"tuned{dim}": HashEncoder(dim) for dim in (32, 96, 128, 160)}
    host = await opened(tmp_path, FakeEncodings(base=HashEncoder(), **tuned))
    for name in tuned:
        await host.switch(name, Shelf(FIRST).read)
    last = {encoder.fingerprint[:12] for encoder in list(tuned.values())[-KEPT:]}
    assert {path.stem for path in (tmp_path / "vectors").iterdir()} == last
    assert {path.name.split("-")[1] for path in (tmp_path / "bundles").iterdir()} == last
    await host.close()


async def test_knowledge_that_changes_during_a_switch_is_what_goes_live(tmp_path: Path) -> None:
    """The release before is refreshed meanwhile, and the new one comes with the newest answers."""
    tuned = Gated(HashEncoder(32))
    encodings = FakeEncodings(base=HashEncoder())
    encodings.known["tuned"] = tuned
    host = await opened(tmp_path, encodings)
    shelf = Shelf(FIRST)
    switch = asyncio.create_task(host.switch("tuned", shelf.read))
    await tuned.reached.wait()
    shelf.versions = [SECOND]
    refreshed = await host.refresh(SECOND)
    assert (refreshed.name, answers(refreshed)) == ("base", ["open"])
    tuned.gate.set()
    live = await switch
    assert (live.name, live.bundle.revision, answers(live)) == ("tuned", 2, ["open"])
    await host.close()


async def test_a_refresh_that_a_switch_overtakes_does_not_bring_the_old_release_back(tmp_path: Path) -> None:
    slow = Listening()
    host = await opened(tmp_path, FakeEncodings(base=slow, tuned=HashEncoder(32)))
    changed = Knowledge(2, (OPEN, Entry("3", "wrap", "en", "Do you wrap presents?", "We do.")))
    slow.entered.clear()
    slow.gate.clear()
    refresh = asyncio.create_task(host.refresh(changed))
    await asyncio.to_thread(slow.entered.wait, 10)
    await host.switch("tuned", Shelf(FIRST).read)
    slow.gate.set()
    assert (await refresh).name == "tuned"
    assert (host.current().name, host.current().bundle.revision) == ("tuned", 1)
    assert answers(await host.refresh(changed)) == ["open", "wrap"]
    assert host.current().name == "tuned"
    await host.close()


async def test_of_two_switches_the_last_one_wins_and_the_first_ones_work_is_dropped(tmp_path: Path) -> None:
    first = Gated(HashEncoder(32))
    encodings = FakeEncodings(base=HashEncoder(), second=HashEncoder(96))
    encodings.known["first"] = first
    counting = Counting()
    host = await opened(tmp_path, encodings, counting)
    dropped = asyncio.create_task(host.switch("first", Shelf(FIRST).read))
    await first.reached.wait()
    dropped.cancel()
    await host.switch("second", Shelf(FIRST).read)
    assert dropped.cancelled()
    assert host.current().name == "second"
    assert (counting.ends, host.trouble) == (["done"], None)
    await host.close()
    assert encoder_threads() == []


async def test_a_stop_in_the_middle_of_a_switch_leaves_nothing_behind(tmp_path: Path) -> None:
    waits = asyncio.Event()

    async def read() -> Knowledge:
        """The second time is after the new encoder was loaded."""
        if reads:
            waits.set()
            await asyncio.Event().wait()
        reads.append(1)
        return FIRST

    reads: list[int] = []
    host = await opened(tmp_path, FakeEncodings(base=HashEncoder(), tuned=HashEncoder(32)))
    switch = asyncio.create_task(host.switch("tuned", read))
    await waits.wait()
    assert len([name for name in encoder_threads() if name.startswith("kefu-encoder")]) == 2
    switch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await switch
    assert host.current().name == "base"
    await host.close()
    assert encoder_threads() == []


FAULTS = {
    "missing": None,
    "damaged": FakeEncoding(HashEncoder(32), error=InferenceError("encoder.onnx has changed")),
    "full": Full(HashEncoder(32)),
    "broken": FakeEncoding(HashEncoder(32), error=RuntimeError("no such operator")),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_release_that_cannot_serve_leaves_the_live_one_serving_and_says_why(
    tmp_path: Path, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    encodings = FakeEncodings(base=HashEncoder())
    if (broken := FAULTS[fault]) is not None:
        encodings.known["tuned"] = broken
    counting = Counting()
    host = await opened(tmp_path, encodings, counting)
    live = host.current()
    with pytest.raises((InferenceError, OSError, RuntimeError)):
        await host.switch("tuned", Shelf(FIRST).read)
    assert host.current() is live
    assert (await asked(host, live, "When are you open?")).hits[0].exact
    assert host.trouble is not None
    assert host.trouble.release == "tuned"
    [line] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert host.trouble.reason in line.getMessage()
    encodings.known["tuned"] = FakeEncoding(HashEncoder(32))
    await host.switch("tuned", Shelf(FIRST).read)
    after: Trouble | None = host.trouble
    assert (after, counting.ends) == (None, ["failed", "done"])
    await host.close()
    assert encoder_threads() == []


async def test_a_start_takes_the_first_release_that_can_serve_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    encodings = FakeEncodings(base=HashEncoder(), before=HashEncoder(32))
    host = Host(tmp_path, encodings, examples=())
    live = await host.open(FIRST, progress=lambda *_: None, releases=("gone", "before", "base"))
    assert live.name == "before"
    assert host.trouble is not None
    assert host.trouble.release == "gone"
    assert "release gone cannot serve: There is no release gone." in caplog.text
    await host.close()


async def test_after_the_end_nothing_is_asked_any_more(tmp_path: Path) -> None:
    host = await opened(tmp_path, FakeEncodings(base=HashEncoder()))
    live = host.current()
    await host.close()
    with pytest.raises(Busy):
        await asked(host, live, "When are you open?")


async def test_heads_are_made_knowing_what_their_encoder_was_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start, and where one release takes another one's place under the same encoder."""
    lessons: list[Lesson] = []

    def find(releases: Path, lesson: Lesson) -> Heads:
        lessons.append(lesson)
        head = fit_head(np.eye(2, 64, dtype=np.float32), ["a", "b"])
        return Heads("heads", head, head, None)

    monkeypatch.setattr(learned, "find_release", find)
    encodings = FakeEncodings(base=HashEncoder())
    encodings.known["tuned"] = FakeEncoding(HashEncoder(), trained=frozenset({"f" * 64}))
    host = await opened(tmp_path, encodings)
    await host.switch("tuned", _first)
    assert [lesson.trained for lesson in lessons] == [frozenset(), {"f" * 64}]
    assert lessons[0].name != lessons[1].name
    await host.close()


async def _first() -> Knowledge:
    return FIRST
