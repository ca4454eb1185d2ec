"""A receipt outlives the machine: it waits for the disk, and what it stands for is in what the disk keeps."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.store.db import Database
from tests.contract.store.samples import accept, answer, commit, history, inbound
from tests.unit.store.disk import Disk, watched_disk

PATIENCE_S = 30


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    survived = tmp_path / "survived"
    survived.mkdir()
    with watched_disk(tmp_path, survived) as disk:
        yield disk


def after_a_power_cut(disk: Disk, again: Path) -> list[str]:
    """External ids in the ledger of a machine that starts with what the disk kept."""
    with disk.still:
        shutil.copytree(disk.survived, again)
    with closing(sqlite3.connect(again / "kefu.db")) as ledger:
        found = ledger.execute("SELECT external_id FROM message WHERE role = 'customer' ORDER BY seq")
        return [ref for (ref,) in found]


async def test_a_receipt_and_an_answer_survive_a_power_cut(disk: Disk, tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'kefu.db'}")
    await db.open()
    for number in range(1, 4):
        await accept(db, inbound(f"m{number}"))
        told = [f"m{count + 1}" for count in range(number)]
        assert await asyncio.to_thread(after_a_power_cut, disk, tmp_path / f"again{number}") == told
    await commit(db, answer(2))
    await asyncio.to_thread(after_a_power_cut, disk, tmp_path / "again")
    await db.close()
    other = Database(f"sqlite:///{tmp_path / 'again' / 'kefu.db'}")
    await other.open()
    assert [m.text for m in await history(other, after=3)] == ["On its way."]
    await other.close()


async def test_many_receipts_at_once_survive_a_power_cut(disk: Disk, tmp_path: Path) -> None:
    """They share commits: none is told before the sync of the commit that it is in."""
    db = Database(f"sqlite:///{tmp_path / 'kefu.db'}")
    await db.open()
    told: set[str] = set()
    cuts = 0

    async def say(number: int) -> None:
        nonlocal cuts
        await accept(db, inbound(f"m{number}", conversation=f"c{number}"))
        told.add(f"m{number}")
        if number % 40 == 0:
            # Copied here and now: no other receipt comes in between.
            assert told <= set(after_a_power_cut(disk, tmp_path / f"again{number}"))
            cuts += 1

    await asyncio.gather(*(say(number) for number in range(200)))
    assert (len(told), cuts) == (200, 5)
    await db.close()


async def test_a_receipt_waits_for_the_disk(disk: Disk, tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'kefu.db'}")
    await db.open()
    reached, free = threading.Event(), threading.Event()

    def stand_still(_: Path) -> None:
        reached.set()
        free.wait(PATIENCE_S)

    disk.before_sync = stand_still
    receipt = asyncio.create_task(accept(db, inbound("m1")))
    assert await asyncio.to_thread(reached.wait, PATIENCE_S)
    for _ in range(100):  # whatever else the loop has to do is done, and still nothing is told
        await asyncio.sleep(0)
    assert not receipt.done()
    assert await history(db) == []
    free.set()
    assert (await receipt).seq == 1
    await db.close()


async def test_a_disk_that_cannot_sync_gives_no_receipt(disk: Disk, tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'kefu.db'}")
    await db.open()

    def broken(_: Path) -> None:
        raise OSError("Input/output error")

    disk.before_sync = broken
    with pytest.raises(StoreError) as caught:
        await accept(db, inbound("m1"))
    assert caught.value.code == "io"
    assert caught.value.passes
    disk.before_sync = lambda _: None
    assert (await accept(db, inbound("m2"))).seq >= 1
    assert "m2" in {message.external_id for message in await history(db)}
    await db.close()
