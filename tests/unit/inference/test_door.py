"""The batching door: shared batches, order, deadlines, a bounded queue."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence

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

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.batches.append(list(texts))
        self.threads.add(threading.current_thread().name)
        self.entered.set()
        self.arrivals.release()
        assert self.gate.wait(10)
        if "bad" in texts:
            raise EncoderError("The encoder could not run.")
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


async def test_what_follows_runs_in_the_same_thread_together_and_its_errors_are_its_own() -> None:
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
    assert str(a).startswith("a 1 kefu-encoder")
    assert str(b).startswith("b 3 kefu-encoder")
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


async def test_threads_without_a_batch_share_what_waits_and_each_takes_all_when_alone() -> None:
    encoder = GatedEncoder()
    door = Door(encoder, threads=2)
    begun = [asyncio.create_task(door.encode([t], deadline=soon())) for t in "abcd"]
    for _ in range(2):
        await asyncio.to_thread(encoder.arrivals.acquire)
    assert sorted(map(sorted, encoder.batches)) == [["a", "b"], ["c", "d"]]
    assert len(encoder.threads) == 2
    waiting = [asyncio.create_task(door.encode(["x" * n], deadline=soon())) for n in range(1, 9)]
    await asyncio.sleep(0)
    encoder.gate.set()
    assert [v[0, 0] for v in await asyncio.gather(*begun, *waiting)] == [1.0] * 4 + list(range(1, 9))
    assert sum(map(len, encoder.batches[2:])) == 8
    await door.close()


async def test_a_text_is_not_held_up_by_a_batch_while_a_thread_is_free() -> None:
    encoder = GatedEncoder()
    door = Door(encoder, threads=2)
    first = asyncio.create_task(door.encode(["a"], deadline=soon()))
    await asyncio.to_thread(encoder.entered.wait)
    encoder.entered.clear()
    second = asyncio.create_task(door.encode(["b"], deadline=soon()))
    await asyncio.to_thread(encoder.entered.wait)
    assert encoder.batches == [["a"], ["b"]]
    encoder.gate.set()
    await asyncio.gather(first, second)
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
