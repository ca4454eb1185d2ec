"""`kefu ingest` against a real database: what is taken, what is skipped and why, and that it may be repeated."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import ingest
from bot.cli.main import kefu
from bot.cli.shelf import Shelf
from bot.cli.sources import sources
from bot.definition import KnowledgeRow, load
from bot.settings import load_settings
from bot.store import knowledge as shelf
from bot.store.db import Database
from retrieval.types import Entry
from tests.unit.definition.folders import folder, knowledge
from tests.unit.documents.samples import SIZES, book

INTENTS = "intents: {place: {examples: {en: [where]}}}"


def row(key: str, **more: object) -> str:
    return json.dumps({"id": key, "question": f"What is {key}?", "answer": f"It is {key}.", **more}) + "\n"


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    root = tmp_path / "bot"
    root.mkdir()
    return folder(root, intents=INTENTS)


@pytest.fixture
def faq(tmp_path: Path) -> Path:
    path = tmp_path / "faq.jsonl"
    path.write_text(row("a") + row("b", intent="place"))
    return path


def run(bot: Path, *words: str | Path) -> Result:
    return CliRunner().invoke(kefu, ["ingest", "--bot", str(bot), *map(str, words)])


def counts(done: Result) -> dict[str, tuple[int, ...]]:
    """File name -> added, changed, unchanged, removed, skipped."""
    rows = re.findall(r"(\d+)\s+" * 5 + r"(\S+)", done.stdout)
    return {Path(name).name: tuple(map(int, numbers)) for *numbers, name in rows}


def stored(bot: Path) -> list[Entry]:
    async def read() -> list[Entry]:
        store = Database(load_settings(bot=bot).database_url)
        await store.open()
        try:
            async with store.read() as session:
                return await shelf.active(session)
        finally:
            await store.close()

    return sorted(asyncio.run(read()), key=lambda entry: entry.key)


def stocked(bot: Path) -> dict[str, int]:
    """Source -> answers, as the command lists them."""
    done = CliRunner().invoke(kefu, ["ingest", "--bot", str(bot), "--list"])
    return {
        name: int(count) for count, name in re.findall(r"^ *(\d+) .* (\S+) *$", done.stdout, re.MULTILINE)
    }


def test_the_same_file_twice_changes_nothing(bot: Path, faq: Path) -> None:
    first, second = run(bot, faq), run(bot, faq)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert counts(first) == {"faq.jsonl": (2, 0, 0, 0, 0)}
    assert counts(second) == {"faq.jsonl": (0, 0, 2, 0, 0)}
    assert [(entry.key, entry.intent) for entry in stored(bot)] == [("a", None), ("b", "place")]


def test_a_changed_row_keeps_its_id_and_prune_removes_what_is_gone(bot: Path, faq: Path) -> None:
    run(bot, faq)
    before = stored(bot)
    faq.write_text(row("a", answer="Something else."))
    assert counts(run(bot, faq)) == {"faq.jsonl": (0, 1, 0, 0, 0)}
    assert [entry.key for entry in stored(bot)] == ["a", "b"]
    assert counts(run(bot, faq, "--prune")) == {"faq.jsonl": (0, 0, 1, 1, 0)}
    after = stored(bot)
    assert [(entry.id, entry.answer) for entry in after] == [(before[0].id, "Something else.")]
    faq.write_text("")
    assert counts(run(bot, faq, "--prune")) == {"faq.jsonl": (0, 0, 0, 1, 0)}
    assert stored(bot) == []


def test_skipped_rows_have_their_reason_and_the_exit_code_tells(bot: Path, faq: Path) -> None:
    with faq.open("a") as stream:
        stream.write(row("c", intent="plase") + "{\n" + row("a") + row("d"))
    done = run(bot, faq)
    assert done.exit_code == 1
    assert counts(done) == {"faq.jsonl": (3, 0, 0, 0, 3)}
    reasons = [line for line in done.stderr.splitlines() if line.startswith("skipped ")]
    assert [line.removeprefix(f"skipped {faq}:")[:30] for line in reasons] == [
        "3: intents.yml has no intent `",
        "4: is not JSON: Expecting prop",
        "5: `a` stands in `en` already,",
    ]
    assert [entry.key for entry in stored(bot)] == ["a", "b", "d"]


def test_a_broken_row_is_not_pruned(bot: Path, faq: Path) -> None:
    run(bot, faq)
    faq.write_text(row("a") + row("b", intent="plase"))
    done = run(bot, faq, "--prune")
    assert done.exit_code == 1
    assert "Nothing was removed for files with skipped rows" in done.stdout
    assert [entry.key for entry in stored(bot)] == ["a", "b"]


def test_a_dry_run_counts_and_leaves_everything(bot: Path, faq: Path) -> None:
    run(bot, faq)
    faq.write_text(row("a", answer="New.") + row("c"))
    done = run(bot, faq, "--prune", "--dry-run")
    assert counts(done) == {"faq.jsonl": (1, 1, 0, 1, 0)}
    assert "Nothing was written" in done.stdout
    assert [(entry.key, entry.answer) for entry in stored(bot)] == [("a", "It is a."), ("b", "It is b.")]


def test_a_folder_and_several_kinds_of_files(bot: Path, tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    (more / "x.csv").write_text("id,question,answer\nx,What is x?,A letter.\n")
    (more / "deep" / "er").mkdir(parents=True)
    (more / "deep" / "er" / "y.jsonl").write_text(row("y"))
    (more / "deep" / "returns.md").write_text("# Returns\n\nWithin 30 days.\n")
    for passed_over in ("notes.txt", "README.md", ".hidden.md", "~$open.docx"):
        (more / passed_over).write_text("not knowledge")
    (more / ".git").mkdir()
    (more / ".git" / "z.jsonl").write_text(row("z"))
    (more / "deep" / "round").symlink_to(more)
    done = run(bot, more)
    assert (done.exit_code, done.stderr.count("skipped")) == (0, 0)
    assert counts(done) == dict.fromkeys(("x.csv", "y.jsonl", "returns.md"), (1, 0, 0, 0, 0))
    assert stocked(bot) == {"x.csv": 1, "deep/er/y.jsonl": 1, "deep/returns.md": 1}


def test_a_file_of_another_kind_in_a_folder_is_told_and_the_others_are_taken(
    bot: Path, tmp_path: Path
) -> None:
    more = tmp_path / "more"
    more.mkdir()
    (more / "x.jsonl").write_text(row("x"))
    (more / "slides.pptx").touch()
    (more / os.fsdecode(b"\xff.jsonl")).write_text(row("y"))
    done = run(bot, more)
    assert (done.exit_code, counts(done)) == (1, {"x.jsonl": (1, 0, 0, 0, 0)})
    assert (
        f"skipped {more}/slides.pptx: is not a kind of knowledge file that is read. Save it as" in done.stderr
    )
    assert "its name is not a text. Rename it." in done.stderr


def test_parts_of_a_long_file_come_to_the_same(bot: Path, faq: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "PART", 2)
    faq.write_text("".join(row(str(number), lang="en") for number in range(5)))
    assert counts(run(bot, faq)) == {"faq.jsonl": (5, 0, 0, 0, 0)}
    assert counts(run(bot, faq)) == {"faq.jsonl": (0, 0, 5, 0, 0)}
    assert len(stored(bot)) == 5


def test_a_file_of_the_bot_folder_is_the_source_that_the_server_reads(bot: Path) -> None:
    inside = knowledge(bot, "faq.jsonl", row("a"))
    assert run(bot, inside).exit_code == 0
    assert stocked(bot) == {"folder:knowledge/faq.jsonl": 1}


def test_a_file_is_known_by_where_it_stands_not_by_how_it_is_named(bot: Path, tmp_path: Path) -> None:
    inside = knowledge(bot, "faq.jsonl", row("a"))
    (tmp_path / "link").symlink_to(bot)
    round_about = bot / ".." / "bot" / "knowledge" / "faq.jsonl"
    assert list(sources([inside, round_about], bot).files) == ["folder:knowledge/faq.jsonl"]
    assert list(sources([inside], tmp_path / "link").files) == ["folder:knowledge/faq.jsonl"]
    assert list(sources([inside], tmp_path).files) == ["faq.jsonl"]


def test_a_topic_of_the_bot_folder_is_not_answered_twice(bot: Path, faq: Path) -> None:
    knowledge(bot, "own.jsonl", row("a"))
    done = run(bot, faq)
    assert counts(done) == {"faq.jsonl": (1, 0, 0, 0, 1)}
    assert f"`a` stands in `en` already, at {bot}/knowledge/own.jsonl:1." in done.stderr


def test_what_cannot_be_begun_is_one_line(bot: Path, faq: Path, tmp_path: Path) -> None:
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "faq.jsonl").write_text(row("c"))
    (tmp_path / "faq.pptx").touch()
    os.mkfifo(tmp_path / "pipe.pdf")
    (tmp_path / "empty").mkdir()
    cases = {
        tmp_path / "none.csv": "there is no such file or folder. Check the path.",
        tmp_path / "faq.pptx": "is not a kind of knowledge file that is read. Save it as .jsonl or .csv",
        tmp_path / "pipe.pdf": "is neither a file nor a folder. Check the path.",
        tmp_path / "two": "has the name of",
        tmp_path / "empty": "holds no file that could be read. Check the path.",
    }
    for path, expected in cases.items():
        done = run(bot, faq, path)
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
        assert expected in done.stderr
    assert not (bot / ".kefu").exists()


def test_a_link_that_leads_nowhere_is_passed_over(bot: Path, faq: Path, tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    for name, target in {"loop.md": "loop.md", "gone.pdf": "nothing.pdf", "faq.jsonl": str(faq)}.items():
        (more / name).symlink_to(target)
    assert (run(bot, more).exit_code, stocked(bot)) == (0, {"faq.jsonl": 2})
    assert "there is no such file or folder." in run(bot, more / "loop.md").stderr


def test_a_document_of_the_bot_folder_is_the_source_that_the_server_reads(bot: Path) -> None:
    inside = knowledge(bot, "shop.md", SHOP)
    assert run(bot, inside).exit_code == 0
    assert stocked(bot) == {"folder:knowledge/shop.md": 3}
    assert [entry.key for entry in stored(bot)] == sorted(row.entry.key for row in load(bot).knowledge)


SHOP = "# Shop\n\n## Returns\n\nWithin 30 days.\n\n## 运费\n\n满99元包邮。\n\n## Hours\n\nFrom 9 to 5.\n"


def test_a_document_changes_with_its_file_and_keeps_the_ids_of_what_stayed(bot: Path, tmp_path: Path) -> None:
    shop = tmp_path / "shop.md"
    shop.write_text(SHOP)
    assert counts(run(bot, shop)) == {"shop.md": (3, 0, 0, 0, 0)}
    before = {entry.question: entry for entry in stored(bot)}
    assert set(before) == {"Shop › Returns", "Shop › 运费", "Shop › Hours"}
    assert [before[q].lang for q in before if "运费" in q] == ["zh"]
    assert {entry.url for entry in before.values()} == {"shop.md"}

    changed = SHOP.replace("30 days", "14 days").replace(
        "## Hours\n\nFrom 9 to 5.", "## Parking\n\nThere is none."
    )
    shop.write_text(changed)
    assert counts(run(bot, shop)) == {"shop.md": (1, 1, 1, 1, 0)}
    after = {entry.question: entry for entry in stored(bot)}
    assert set(after) == {"Shop › Returns", "Shop › 运费", "Shop › Parking"}
    assert after["Shop › Returns"].answer == "Within 14 days."
    for question in ("Shop › Returns", "Shop › 运费"):
        assert after[question].id == before[question].id


def test_a_document_that_cannot_be_read_today_changes_nothing(bot: Path, tmp_path: Path) -> None:
    shop = tmp_path / "shop.md"
    shop.write_text(SHOP)
    run(bot, shop)
    shop.write_text("")
    done = run(bot, shop)
    assert (done.exit_code, counts(done)) == (1, {"shop.md": (0, 0, 0, 0, 1)})
    assert "shop.md: is empty. Save it again, or remove it." in done.stderr
    assert stocked(bot) == {"shop.md": 3}


def test_a_source_is_taken_out_and_comes_back_under_its_ids(bot: Path, tmp_path: Path, faq: Path) -> None:
    shop = tmp_path / "shop.md"
    shop.write_text(SHOP)
    run(bot, shop, faq)
    before = stored(bot)
    rehearsed = run(bot, "--remove", "shop.md", "--dry-run")
    assert (rehearsed.exit_code, stored(bot)) == (0, before)
    assert "shop.md: 3 answers removed." in rehearsed.stdout
    assert run(bot, "--remove", "shop.md").exit_code == 0
    assert stocked(bot) == {"faq.jsonl": 2}
    assert counts(run(bot, shop)) == {"shop.md": (3, 0, 0, 0, 0)}
    assert stored(bot) == before


def test_taking_out_what_is_not_there_takes_out_nothing(bot: Path, faq: Path) -> None:
    run(bot, faq)
    done = run(bot, "--remove", "faq.jsonl", "--remove", "faq.json")
    assert (done.exit_code, done.stderr) == (
        2,
        "kefu: No answers come from `faq.json`. Did you mean `faq.jsonl`?\n",
    )
    assert stocked(bot) == {"faq.jsonl": 2}


def test_an_unchanged_file_is_not_read_again(
    bot: Path, faq: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = tmp_path / "shop.md"
    shop.write_text(SHOP)
    run(bot, shop, faq)
    read: list[Path] = []

    def reading(path: Path, **_: object) -> Iterator[KnowledgeRow]:
        read.append(path)
        return iter(())

    monkeypatch.setattr(ingest, "read_knowledge", reading)
    assert counts(run(bot, shop, faq)) == {"shop.md": (0, 0, 3, 0, 0), "faq.jsonl": (0, 0, 2, 0, 0)}
    assert read == []
    faq.write_text(row("a"))
    run(bot, shop, faq)
    run(bot, "--remove", "shop.md")
    run(bot, shop)
    (bot / "intents.yml").write_text("intents: {other: {examples: {en: [what]}}}")
    run(bot, faq)
    assert read == [faq, shop, faq]


def test_a_skipped_row_is_told_every_time(bot: Path, faq: Path) -> None:
    faq.write_text(row("a") + "{\n")
    assert [run(bot, faq).exit_code for _ in range(2)] == [1, 1]


def test_an_unchanged_file_keeps_its_topics_to_itself(bot: Path, faq: Path, tmp_path: Path) -> None:
    run(bot, faq)
    (tmp_path / "later.jsonl").write_text(row("a"))
    done = run(bot, faq, tmp_path / "later.jsonl")
    assert counts(done) == {"faq.jsonl": (0, 0, 2, 0, 0), "later.jsonl": (0, 0, 0, 0, 1)}
    done = run(bot, tmp_path / "later.jsonl", faq)
    assert counts(done) == {"later.jsonl": (1, 0, 0, 0, 0), "faq.jsonl": (0, 0, 1, 0, 1)}


def test_an_interrupted_run_goes_on(bot: Path, faq: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "PART", 2)
    faq.write_text("".join(row(str(number), lang="en") for number in range(5)))
    whole = Shelf.sync
    left = [1, 2]

    def sync(
        place: Shelf, source: str, rows: Sequence[shelf.KnowledgeRow], *, prune: bool
    ) -> shelf.SyncReport:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return whole(place, source, rows, prune=prune)

    with monkeypatch.context() as patch:
        patch.setattr(Shelf, "sync", sync)
        assert run(bot, faq).exit_code != 0
    assert stocked(bot) == {"faq.jsonl": 4}
    assert counts(run(bot, faq)) == {"faq.jsonl": (1, 0, 4, 0, 0)}


def test_a_huge_document_is_refused_and_the_others_are_taken(bot: Path, faq: Path, tmp_path: Path) -> None:
    with (tmp_path / "huge.pdf").open("wb") as stream:
        stream.truncate(2 * 1024**3)
    done = run(bot, tmp_path / "huge.pdf", faq)
    assert (done.exit_code, stocked(bot)) == (1, {"faq.jsonl": 2})
    assert "huge.pdf: is larger than 64 MiB. Split it;" in done.stderr


def test_a_workbook_of_questions_and_remarks(bot: Path, tmp_path: Path) -> None:
    rows = [
        ("question", "answer", "intent"),
        ("Where?", "Here.", "place"),
        ("Why?", None, None),
        ("So?", "So.", "x"),
    ]
    path = book(
        tmp_path / "faq.xlsx",
        FAQ=rows,
        Wrong=[("question", "answer", "colour"), ("Q", "A", "red")],
        Sizes=SIZES,
    )
    done = run(bot, path)
    assert (done.exit_code, counts(done)) == (1, {"faq.xlsx": (2, 0, 0, 0, 3)})
    reasons = [line for line in done.stderr.splitlines() if line.startswith("skipped ")]
    assert [line.removeprefix(f"skipped {path}:")[:52] for line in reasons] == [
        "3: sheet `FAQ`: `answer` is missing. Add it.",
        "4: intents.yml has no intent `x`. Known: place.",
        "1: sheet `Wrong`: unknown column `colour`. Known: id",
    ]
    assert {entry.question for entry in stored(bot)} == {"Where?", "faq › Sizes › Women's sizes (cm)"}


def test_one_thing_at_a_time(bot: Path, faq: Path) -> None:
    for words in ([], [faq, "--list"], ["--list", "--remove", "a"]):
        assert run(bot, *words).exit_code == 2
