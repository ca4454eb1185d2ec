"""The batching door: shared batches, order, deadlines, a bounded queue."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from itertools import chain

import numpy as np
import pytest

from bot.errors import Busy, InferenceError
from bot.inference.door import Door, Encoded
from bot.observer import Unobserved
from retrieval.embed import Vectors
from retrieval.errors import EncoderError


class GatedEncoder:
    """Encodes a text's length; waits for `gate` so that a test decides when a batch ends."""

    dim = 1
    fingerprint = "gated"

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.arrivals = threading.Semaphore(0)
        self.batches: list[list[str]] = []
        self.threads: set[str] = set()
        self.inside = self.together = 0

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.inside += 1
        self.together = max(self.together, self.inside)
        try:
            return self._encode(texts)
        finally:
            self.inside -= 1

    def _encode(self, texts: Sequence[str]) -> Vectors:
        self.batches.append(list(texts))
        self.threads.add(threading.current_thread().name)
        self.entered.set()
        self.arrivals.release()
        assert self.gate.wait(10)
        if "bad" in texts:
            raise EncoderError("The encoder could not run.")
        if "worse" in texts:
            raise MemoryError
        return np.array([[len(t)] for t in texts], dtype=np.float32)


def soon() -> float:
    return time.monotonic() + 60


async def test_texts_that_wait_share_the_next_batch() -> None:
    encoder = GatedEncoder()
    door = Door(encoder)
    first = asyncio.create_task(door.encode(["a"], deadline=soon()))
    await asyncio.to_thread(encoder.entered.wait)
    others = [asyncio.create_task(door.encode(["b" * n, "c"], deadline=soon())) for n in range(2, 5)]
    await asyncio.sleep(0)
    encoder.gate.set()
    assert (await first).tolist() == [[1.0]]
    assert [v[0, 0] for v in await asyncio.gather(*others)] == [2.0, 3.0, 4.0]
    assert encoder.batches == [["a"], ["bb", "c", "bbb", "c", "bbbb", "c"]]
    assert all(name.startswith("kefu-encoder") for name in encoder.threads)
    await door.close()


async def test_what_follows_runs_together_and_its_errors_are_its_own() -> None:
    encoder = GatedEncoder()
    encoder.gate.set()
    door = Door(encoder)

    def work(items: Sequence[str], encoded: Sequence[Encoded]) -> list[str]:
        together.append(list(items))
        if "mine" in items:
            raise ValueError("mine")
        return [
            f"{item} {len(one.vectors)} {threading.current_thread().name}"
            for item, one in zip(items, encoded, strict=True)
        ]

    together: list[list[str]] = []
    jobs = [door.run(["x"] * n, item, work, deadline=soon()) for n, item in enumerate(["a", "mine", "b"], 1)]
    a, broken, b = await asyncio.gather(*jobs, return_exceptions=True)
    assert str(a).startswith("a 1 kefu-follow")
    assert str(b).startswith("b 3 kefu-follow")
    assert isinstance(broken, ValueError)
    assert together == [["a", "mine", "b"], ["a"], ["mine"], ["b"]]
    await door.close()


async def test_a_text_past_its_deadline_is_dropped_before_its_batch() -> None:
    encoder = GatedEncoder()
    door = Door(encoder)
    first = asyncio.create_task(door.encode(["a"], deadline=soon()))
    await asyncio.to_thread(encoder.entered.wait)
    late = asyncio.create_task(door.encode(["late"], deadline=time.monotonic()))
    await asyncio.sleep(0)
    encoder.gate.set()
    await first
    with pytest.raises(Busy):
        await late
    assert encoder.batches == [["a"]]
    await door.close()


class Slow:
    """`work` that gives each item back; "slow" waits for `go`."""

    def __init__(self) -> None:
        self.go, self.entered = threading.Event(), threading.Event()
        self.seen: list[list[str]] = []

    def __call__(self, items: Sequence[str], encoded: Sequence[Encoded]) -> list[str]:
        self.seen.append(list(items))
        if "slow" in items:
            self.entered.set()
            assert self.go.wait(10)
        if "guilty" in items:
            raise ValueError("guilty")
        return list(items)


async def test_while_one_batch_is_followed_up_the_next_is_encoded() -> None:
    encoder, work = GatedEncoder(), Slow()
    encoder.gate.set()
    door = Door(encoder)
    first = asyncio.create_task(door.run(["a"], "slow", work, deadline=soon()))
    await asyncio.to_thread(work.entered.wait)
    encoder.entered.clear()
    second = asyncio.create_task(door.run(["b"], "second", work, deadline=soon()))
    await asyncio.to_thread(encoder.entered.wait)
    assert encoder.batches == [["a"], ["b"]]
    assert work.seen == [["slow"]]
    assert not first.done()
    work.go.set()
    assert [await first, await second] == ["slow", "second"]
    assert work.seen == [["slow"], ["second"]]
    await door.close()


async def test_one_batch_waits_for_a_slow_follow_up_at_most_and_the_queue_stays_bounded() -> None:
    encoder, work = GatedEncoder(), Slow()
    encoder.gate.set()
    door = Door(encoder, max_queue=2)
    slow = asyncio.create_task(door.run(["a"], "slow", work, deadline=soon()))
    await asyncio.to_thread(work.entered.wait)
    encoder.entered.clear()
    encoded = asyncio.create_task(door.run(["b"], "encoded", work, deadline=soon()))
    await asyncio.to_thread(encoder.entered.wait)
    waiting = [asyncio.create_task(door.run([t], t, work, deadline=soon())) for t in "cd"]
    await asyncio.sleep(0)
    assert door.waiting == 2
    with pytest.raises(Busy):
        await door.run(["e"], "e", work, deadline=soon())
    assert encoder.batches == [["a"], ["b"]]
    work.go.set()
    assert await asyncio.gather(slow, encoded, *waiting) == ["slow", "encoded", "c", "d"]
    assert encoder.batches == [["a"], ["b"], ["c", "d"]]
    assert encoder.together == 1
    await door.close()


async def test_who_fails_in_one_batch_fails_alone_while_another_is_under_way() -> None:
    encoder, work = GatedEncoder(), Slow()
    encoder.gate.set()
    door = Door(encoder)
    first = asyncio.create_task(door.run(["a"], "slow", work, deadline=soon()))
    await asyncio.to_thread(work.entered.wait)
    encoder.entered.clear()
    items = ("before", "guilty", "after")
    jobs = [asyncio.create_task(door.run(["b"], item, work, deadline=soon())) for item in items]
    await asyncio.to_thread(encoder.entered.wait)
    work.go.set()
    before, guilty, after = await asyncio.gather(*jobs, return_exceptions=True)
    assert [before, after] == ["before", "after"]
    assert isinstance(guilty, ValueError)
    assert await first == "slow"
    await door.close()


async def test_a_door_that_closes_finishes_what_is_followed_up_encoded_and_queued() -> None:
    encoder, work = GatedEncoder(), Slow()
    encoder.gate.set()
    door = Door(encoder)
    followed = asyncio.create_task(door.run(["a"], "slow", work, deadline=soon()))
    await asyncio.to_thread(work.entered.wait)
    encoder.gate.clear()
    encoder.entered.clear()
    encoded = asyncio.create_task(door.run(["b"], "encoded", work, deadline=soon()))
    await asyncio.to_thread(encoder.entered.wait)
    queued = asyncio.create_task(door.run(["c"], "queued", work, deadline=soon()))
    late = asyncio.create_task(door.run(["d"], "late", work, deadline=time.monotonic()))
    await asyncio.sleep(0)
    closing = asyncio.create_task(door.close())
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await door.run(["e"], "too late", work, deadline=soon())
    encoder.gate.set()
    work.go.set()
    await closing
    assert [await job for job in (followed, encoded, queued)] == ["slow", "encoded", "queued"]
    with pytest.raises(Busy):
        await late


async def test_customers_keep_their_own_answers_whatever_the_batches() -> None:
    encoder, work = GatedEncoder(), Slow()
    encoder.gate.set()
    door = Door(encoder)

    async def customer(number: int) -> list[str]:
        asked = [f"{number}-{turn}" for turn in range(20)]
        answers = [await door.run([text], text, work, deadline=soon()) for text in asked]
        assert answers == asked
        return answers

    answers = await asyncio.gather(*map(customer, range(16)))
    assert sorted(item for items in work.seen for item in items) == sorted(chain(*answers))
    assert encoder.together == 1
    await door.close()


async def test_a_full_queue_refuses_at_once() -> None:
    encoder = GatedEncoder()
    door = Door(encoder, max_queue=2)
    waiting = [asyncio.create_task(door.encode([t], deadline=soon())) for t in "abc"]
    await asyncio.to_thread(encoder.entered.wait)
    results = [t for t in waiting if t.done()]
    assert len(results) == 1
    with pytest.raises(Busy):
        await results[0]
    encoder.gate.set()
    await asyncio.gather(*(t for t in waiting if t not in results))
    await door.close()
    with pytest.raises(Busy):
        await door.encode(["d"], deadline=soon())


async def test_an_encoder_error_reaches_its_batch_and_the_door_goes_on() -> None:
    encoder = GatedEncoder()
    encoder.gate.set()
    door = Door(encoder)
    with pytest.raises(InferenceError, match="could not run"):
        await door.encode(["bad"], deadline=soon())
    with pytest.raises(MemoryError):
        await door.encode(["worse"], deadline=soon())
    assert (await door.encode(["good"], deadline=soon())).shape == (1, 1)
    await door.close()


async def test_an_abandoned_text_disturbs_nobody() -> None:
    encoder = GatedEncoder()
    door = Door(encoder)
    first = asyncio.create_task(door.encode(["a"], deadline=soon()))
    await asyncio.to_thread(encoder.entered.wait)
    gone = asyncio.create_task(door.encode(["gone"], deadline=soon()))
    stays = asyncio.create_task(door.encode(["stays"], deadline=soon()))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    encoder.gate.set()
    await first
    assert (await stays)[0, 0] == 5.0
    assert encoder.batches[1] == ["stays"]
    await door.close()


class Counting(Unobserved):
    def __init__(self) -> None:
        self.batches: list[int] = []

    def encoded(self, texts: int, *, seconds: float) -> None:
        self.batches.append(texts)


async def test_every_batch_is_told_to_whoever_counts() -> None:
    encoder, counting = GatedEncoder(), Counting()
    door = Door(encoder, observer=counting)
    first = asyncio.create_task(door.encode(["a"], deadline=soon()))
    await asyncio.to_thread(encoder.entered.wait)
    others = [asyncio.create_task(door.encode(["b", "c"], deadline=soon())) for _ in range(2)]
    await asyncio.sleep(0)
    assert door.waiting == 4
    encoder.gate.set()
    await asyncio.gather(first, *others)
    assert counting.batches == [1, 4]
    await door.close()
