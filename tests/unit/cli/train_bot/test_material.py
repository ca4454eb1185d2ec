"""What `kefu train FOLDER` learns from: the folder, what was ingested, what customers confirmed."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from bot.definition import FOLDER
from bot.store import knowledge, ledger
from connectors.port import Inbound, QuickReply
from retrieval.types import Entry
from tests.unit.cli.train_bot.small import (
    NOW,
    data_of,
    in_database,
    rows_of,
    texts,
    train,
)


def test_the_folder_as_it_is_now_counts_and_nothing_is_served_anew() -> None:
    """What the database has of files is older than the files; what was ingested or put is as good as they."""
    old = knowledge.from_entry(Entry("", "lost", "en", "An older wording?", "Old."))
    new = knowledge.from_entry(Entry("", "tax", "en", "How is tax paid?", "So.", alternatives=("tax rate",)))
    in_database(
        partial(knowledge.sync, source=f"{FOLDER}knowledge/faq.jsonl", entries=[old], now=NOW, prune=True),
        partial(knowledge.sync, source="more.csv", entries=[new], now=NOW, prune=True),
    )
    assert train().exit_code == 0
    found = texts(data_of(), "retrieval")
    assert {"How is tax paid?", "tax rate", "How do I report a lost card?"} <= found
    assert "An older wording?" not in found
    questions = [entry.question for entry in in_database(knowledge.active)[0]]
    assert sorted(questions) == ["An older wording?", "How is tax paid?"]


def talk() -> None:
    """One customer says what was meant by a button, another by a thumb."""
    entry = knowledge.from_entry(Entry("", "tax", "en", "How is tax paid?", "So.", intent="fees"))
    in_database(partial(knowledge.sync, source="more.csv", entries=[entry], now=NOW, prune=True))
    (entries,) = in_database(knowledge.active)
    buttons = (QuickReply("Tax", f"entry:{entries[0].id}"), QuickReply("None", "none"))

    def says(text: str, seq: int, choice: str | None = None) -> Any:
        return lambda s: ledger.accept(s, Inbound("web", "s", f"m{seq}", "c1", text, choice), NOW)

    def hears(seq: int, draft: ledger.Draft) -> Any:
        reply = ledger.Reply("c1", seq, 0, f"t{seq}", (draft,), lang="en")
        return lambda s: ledger.commit_reply(s, reply, NOW)

    in_database(
        says("levy for jane@example.com, card 4111 1111 1111 1111", 1),
        hears(1, ledger.Draft("Which?", quick_replies=buttons)),
        says("Tax", 3, f"entry:{entries[0].id}"),
        hears(3, ledger.Draft("So.", rateable=True, topic="tax")),
        says("any shop hours today", 5),
        hears(5, ledger.Draft("Nine to five.", rateable=True, topic="open")),
        lambda s: ledger.vote(s, "c1", 6, "up", NOW),
        says("old stuff", 7),
        hears(7, ledger.Draft("Gone.", rateable=True, topic="gone")),
        lambda s: ledger.vote(s, "c1", 8, "up", NOW),
    )


def test_what_customers_confirmed_counts_with_personal_data_masked() -> None:
    talk()
    done = train()
    assert done.exit_code == 0, done.output
    data = data_of()
    rows = {row.text: row for row in rows_of(data, "retrieval") if row.group}
    assert {text: row.label for text, row in rows.items()} == {
        "levy for [email], card [card]": "tax",
        "any shop hours today": "open",
    }
    assert len({row.group for row in rows.values()}) == 1
    assert "c1" not in {row.group for row in rows.values()}
    assert data.origin.scrubbed == {"email": 1, "card": 1}
    assert any("stands no more were passed over: 1" in note for note in data.origin.notes)
    for path in Path("shop/.kefu/training").rglob("*"):
        assert not path.is_file() or b"4111" not in path.read_bytes()


def test_conversations_may_be_left_out() -> None:
    talk()
    assert train("--method", "head", "--no-conversations").exit_code == 0
    assert not [row for row in data_of().rows("retrieval", "train") if row.group]
    assert "conversations" not in [source.name for source in data_of().origin.sources]
