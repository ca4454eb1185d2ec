"""What `kefu train FOLDER` learns from: the folder, what was ingested, what customers confirmed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from bot.definition import FOLDER
from bot.store import knowledge
from retrieval.types import Entry
from tests.unit.cli.train_bot.small import (
    NOW,
    data_of,
    in_database,
    rows_of,
    talk,
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
