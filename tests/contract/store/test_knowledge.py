"""Knowledge: what a source says is what is stored, and the revision tells when that changed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from bot.errors import StoreError
from bot.store import knowledge, sources
from bot.store.db import Database
from bot.store.knowledge import KnowledgeRow, SyncReport
from bot.store.sources import Stock
from retrieval.types import Entry
from tests.contract.store.samples import NOW, later

RETURNS = KnowledgeRow(
    "returns", "en", "Can I return it?", "Within 30 days.", alternatives=("send back",), audience=("vip",)
)
RETURNS_ZH = KnowledgeRow("returns", "zh", "可以退货吗？", "30 天内可以。", title="退货", intent="refund")
SUMMER = KnowledgeRow(
    *("summer", "en", "When is the sale?", "In July."),
    valid_from=date(2026, 7, 1),
    valid_to=date(2026, 7, 31),
    url="https://example.org/sale",
)
ALL = (RETURNS, RETURNS_ZH, SUMMER)


async def sync(
    db: Database, *entries: KnowledgeRow, source: str = "faq.md", prune: bool = True, at: float = 0
) -> SyncReport:
    return await db.write(
        lambda session: knowledge.sync(session, source, entries, later(at) if at else NOW, prune=prune)
    )


async def stored(db: Database) -> dict[tuple[str, str], Entry]:
    async with db.read() as session:
        return {(entry.key, entry.lang): entry for entry in await knowledge.active(session)}


async def revision(db: Database) -> int:
    async with db.read() as session:
        return await knowledge.revision(session)


async def test_an_empty_store_has_revision_nought(db: Database) -> None:
    assert await revision(db) == 0
    assert await stored(db) == {}
    assert await sync(db) == SyncReport(added=0, changed=0, unchanged=0, removed=0, revision=0)


async def test_what_was_said_is_stored(db: Database) -> None:
    assert await sync(db, *ALL) == SyncReport(added=3, changed=0, unchanged=0, removed=0, revision=1)
    found = await stored(db)
    assert {knowledge.from_entry(entry) for entry in found.values()} == set(ALL)
    assert found["summer", "en"].valid_to == date(2026, 7, 31)
    assert found["returns", "en"].phrases == ("Can I return it?", "send back")
    assert await revision(db) == 1


async def test_the_same_again_changes_nothing(db: Database) -> None:
    await sync(db, *ALL)
    before = await stored(db)
    again = await sync(db, *reversed(ALL), at=60)
    assert again == SyncReport(added=0, changed=0, unchanged=3, removed=0, revision=1)
    assert await stored(db) == before


async def test_a_change_keeps_the_id_and_moves_the_revision(db: Database) -> None:
    await sync(db, *ALL)
    before = await stored(db)
    changed = KnowledgeRow("returns", "en", "Can I return it?", "Within 14 days.")
    report = await sync(db, changed, RETURNS_ZH, SUMMER)
    assert report == SyncReport(added=0, changed=1, unchanged=2, removed=0, revision=2)
    after = await stored(db)
    assert after["returns", "en"].answer == "Within 14 days."
    assert (before["returns", "en"].audience, after["returns", "en"].audience) == (("vip",), ())
    assert after["returns", "en"].alternatives == ()
    assert {name: entry.id for name, entry in after.items()} == {n: e.id for n, e in before.items()}


async def test_what_is_gone_is_no_answer_any_more_and_comes_back_under_its_id(db: Database) -> None:
    await sync(db, *ALL)
    first = (await stored(db))["summer", "en"].id
    gone = await sync(db, RETURNS, RETURNS_ZH)
    assert gone == SyncReport(added=0, changed=0, unchanged=2, removed=1, revision=2)
    assert set(await stored(db)) == {("returns", "en"), ("returns", "zh")}
    back = await sync(db, *ALL)
    assert back == SyncReport(added=1, changed=0, unchanged=2, removed=0, revision=3)
    assert (await stored(db))["summer", "en"].id == first


async def test_without_pruning_the_rest_stays(db: Database) -> None:
    await sync(db, *ALL)
    extra = KnowledgeRow("hours", "en", "When are you open?", "9 to 5.")
    report = await sync(db, extra, prune=False)
    assert report == SyncReport(added=1, changed=0, unchanged=0, removed=0, revision=2)
    assert len(await stored(db)) == 4


async def test_sources_do_not_touch_one_another(db: Database) -> None:
    await sync(db, RETURNS, source="a.md")
    await sync(db, RETURNS, SUMMER, source="b.md")
    async with db.read() as session:
        assert await knowledge.sources(session) == ["a.md", "b.md"]
    await sync(db, source="a.md")
    async with db.read() as session:
        assert await knowledge.sources(session) == ["b.md"]
        assert len(await knowledge.active(session)) == 2


async def test_two_entries_of_one_name_are_refused(db: Database) -> None:
    twin = KnowledgeRow("returns", "en", "Another question?", "Another answer.")
    with pytest.raises(StoreError, match="returns") as caught:
        await sync(db, RETURNS, twin)
    assert caught.value.code == "duplicate_key"
    assert await stored(db) == {}


async def test_each_change_has_a_revision_of_its_own(db: Database) -> None:
    rows = [KnowledgeRow(f"k{i}", "en", "q?", "a.") for i in range(12)]
    reports = await asyncio.gather(*(sync(db, row, source=f"{row.key}.md") for row in rows))
    assert sorted(report.revision for report in reports) == list(range(1, 13))
    assert await revision(db) == 12


async def test_more_entries_than_one_statement_takes(db: Database) -> None:
    rows = [KnowledgeRow(f"k{i}", "en", f"q{i}?", "a.") for i in range(1_201)]
    assert (await sync(db, *rows)).added == 1_201
    found = await stored(db)
    assert {entry.question for entry in found.values()} == {row.question for row in rows}
    assert (await sync(db, *rows[:-1])).removed == 1


async def receipt(db: Database, source: str = "faq.md") -> str | None:
    async with db.read() as session:
        return await sources.receipt(session, source)


async def keep_receipt(db: Database, note: str, source: str = "faq.md") -> None:
    await db.write(lambda session: sources.keep_receipt(session, source, note))


async def test_a_receipt_holds_until_the_source_changes(db: Database) -> None:
    await sync(db, *ALL)
    assert await receipt(db) is None
    await keep_receipt(db, "first")
    await keep_receipt(db, "second")
    await sync(db, RETURNS, source="other.md")
    await sync(db, *ALL)
    assert (await receipt(db), await receipt(db, "other.md")) == ("second", None)
    await sync(db, RETURNS, prune=False)
    assert await receipt(db) == "second"
    await sync(db, RETURNS)
    assert await receipt(db) is None
    await sync(db, *ALL)
    assert await receipt(db) is None


async def test_the_stock_is_what_stands(db: Database) -> None:
    await sync(db, *ALL)
    await sync(db, RETURNS, source="other.md", at=60)
    await sync(db, *ALL[:2])
    async with db.read() as session:
        stock = await sources.stock(session)
        names = await sources.names(session, "faq.md")
    assert stock == [Stock("faq.md", 2, NOW), Stock("other.md", 1, later(60))]
    assert sorted(names) == [("returns", "en"), ("returns", "zh")]


async def test_a_part_is_compared_with_its_own_names_alone(db: Database) -> None:
    rows = [KnowledgeRow(f"k{i}", "en", f"q{i}?", "a.") for i in range(700)]
    await sync(db, *rows)
    changed = [replace(row, answer="b.") for row in rows[100:650]]
    report = await sync(db, *changed, *rows[650:], prune=False)
    assert report == SyncReport(added=0, changed=550, unchanged=50, removed=0, revision=2)
    assert len(await stored(db)) == 700
