"""What customers confirmed: the right button, pressed next; a thumbs-up. Nothing that is less than that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.store import confirmed, ledger
from bot.store.confirmed import By, Confirmed
from bot.store.db import Database
from connectors.port import Inbound, QuickReply, Vote
from tests.contract.store.samples import NOW, TRACE, accept, commit, later

BUTTONS = (
    QuickReply("Lost card", "entry:e1"),
    QuickReply("Stolen card", "entry:e2"),
    QuickReply("None", "none"),
)


class Talk:
    """A conversation that is written down line by line."""

    def __init__(self, db: Database, name: str = "c1") -> None:
        self.db, self.name, self.seq = db, name, 0

    async def says(self, text: str, *, choice: str | None = None) -> int:
        message = Inbound("web", f"{self.name}-scope", f"m{self.seq}", self.name, text, choice)
        self.seq = (await accept(self.db, message, at=later(self.seq))).seq
        return self.seq

    async def hears(self, draft: ledger.Draft, *, contextual: bool = False) -> int:

        trace = replace(TRACE, contextual=contextual)
        reply = ledger.Reply(
            self.name, self.seq, 0, f"{self.name}-{self.seq}", (draft,), lang="en", trace=trace
        )
        (self.seq,) = (await commit(self.db, reply)).seqs
        return self.seq

    async def is_asked(self, text: str, *, contextual: bool = False) -> None:
        await self.says(text)
        await self.hears(ledger.Draft("Which?", quick_replies=BUTTONS), contextual=contextual)

    async def gets(self, topic: str | None, vote: Vote | None = None) -> None:
        seq = await self.hears(ledger.Draft("So it is.", rateable=True, topic=topic))
        await self.db.write(lambda session: ledger.vote(session, self.name, seq, vote, NOW))


async def all_of(db: Database, by: By) -> list[Confirmed]:
    async with db.read() as session:
        found, more = await confirmed.page(session, by)
    assert more is None
    return found


def told(found: Sequence[Confirmed]) -> list[tuple[str, str]]:
    return [(one.text, one.answer) for one in found]


async def test_the_button_pressed_next_says_what_was_meant(db: Database) -> None:
    talk = Talk(db)
    await talk.is_asked("my card is away")
    await talk.says("Lost card", choice="entry:e1")
    await talk.gets("lost")
    (one,) = await all_of(db, "pressed")
    assert (one.text, one.answer, one.lang, one.alone) == ("my card is away", "entry:e1", "en", True)
    assert (one.mark, one.at) == (("c1", 3), later(0))
    assert await all_of(db, "praised") == []


async def test_a_button_whose_answer_was_wrong_says_nothing(db: Database) -> None:
    talk = Talk(db)
    await talk.is_asked("my card is away")
    await talk.says("Lost card", choice="entry:e1")
    await talk.gets("lost", "down")
    assert await all_of(db, "pressed") == []


async def test_an_older_button_belongs_to_another_message(db: Database) -> None:
    talk = Talk(db)
    await talk.is_asked("my card is away")
    await talk.says("hello?")
    await talk.hears(ledger.Draft("Hello."))
    await talk.says("Lost card", choice="entry:e1")
    await talk.gets("lost")
    assert await all_of(db, "pressed") == []


async def test_a_button_after_a_button_has_nothing_typed_before_it(db: Database) -> None:
    talk = Talk(db)
    await talk.is_asked("my card is away")
    await talk.says("Lost card", choice="entry:e1")
    await talk.hears(ledger.Draft("Which?", quick_replies=BUTTONS))
    await talk.says("Stolen card", choice="entry:e2")
    await talk.gets("stolen", "up")
    assert told(await all_of(db, "pressed")) == [("my card is away", "entry:e1")]
    assert await all_of(db, "praised") == []


async def test_a_thumbs_up_says_that_the_answer_was_right(db: Database) -> None:
    talk = Talk(db)
    rated: list[tuple[str, str | None, Vote | None]] = [
        ("how?", "how", "up"),
        ("why?", "why", "down"),
        ("hi", None, "up"),
        ("who?", "who", None),
    ]
    for text, topic, vote in rated:
        await talk.says(text)
        await talk.gets(topic, vote)
    assert told(await all_of(db, "praised")) == [("how?", "how")]


async def test_what_leans_on_the_message_before_does_not_stand_alone(db: Database) -> None:
    talk = Talk(db)
    await talk.is_asked("and abroad?", contextual=True)
    await talk.says("Lost card", choice="entry:e1")
    await talk.gets("lost")
    assert [one.alone for one in await all_of(db, "pressed")] == [False]


async def test_pages_follow_one_another(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        talk = Talk(db, f"c{number}")
        await talk.says(f"question {number}")
        await talk.gets("topic", "up")
    found: list[Confirmed] = []
    monkeypatch.setattr(confirmed, "PAGE", 2)
    mark: confirmed.Mark | None = confirmed.START
    while mark is not None:
        async with db.read() as session:
            some, mark = await confirmed.page(session, "praised", mark)
        assert len(some) <= 2
        found += some
    assert [one.text for one in found] == [f"question {number}" for number in range(5)]
