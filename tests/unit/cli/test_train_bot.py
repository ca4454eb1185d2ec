"""`kefu train FOLDER` on a small bot: the real children, an encoder that counts letters."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock, Timeout

from bot.cli import bot_entities, exam, train_bot, training_jobs, training_steps
from bot.cli.main import kefu
from bot.definition import FOLDER
from bot.errors import InferenceError
from bot.store import knowledge, ledger, releases
from bot.store.db import Database
from connectors.port import Inbound, QuickReply
from retrieval.text import identity
from retrieval.types import Entry
from tests.tiny import letters
from training.dataset import SPLITS, Dataset, Row, Task, read_dataset
from training.entities.judge import judge_task
from training.errors import TrainingError
from training.job.job import Asked as JobAsked
from training.job.job import run_job
from training.prepare import prepare
from training.progress import silent

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
BOT = """
name: {en: Robin}
languages: [en]
welcome: {en: Hello.}
"""
INTENTS = """
intents:
  card_lost: {examples: {en: [my card is gone, I lost it, somebody took my card, where did my card go]}}
  fees: {examples: {en: [why is there a fee, what does it cost, that was expensive, explain the charge]}}
  out_of_scope: {examples: {en: [tell me a joke, who won the match, sing a song]}}
"""
ROWS = [
    (
        "lost",
        "How do I report a lost card?",
        ["card lost abroad", "report my card as missing", "lost card number"],
    ),
    ("fee", "What is the monthly fee?", ["how much a month", "price of the account", "monthly cost"]),
    ("open", "When are you open?", ["opening hours", "are you there on Sundays", "until when can I call"]),
]


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv("KEFU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KEFU_ENCODER", letters(tmp_path / "cache"))
    folder = tmp_path / "shop"
    (folder / "knowledge").mkdir(parents=True)
    (folder / "bot.yml").write_text(BOT, "utf-8")
    (folder / "intents.yml").write_text(INTENTS, "utf-8")
    rows = (
        {
            "id": key,
            "lang": "en",
            "question": question,
            "alternatives": other,
            "answer": f"About {key}.",
            "intent": None,
        }
        for key, question, other in ROWS
    )
    (folder / "knowledge" / "faq.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    monkeypatch.chdir(tmp_path)
    if "real_children" not in request.fixturenames:
        use(monkeypatch, in_process)


def at_work(out: Path) -> bool:
    try:
        with FileLock(out / ".lock", timeout=0):
            return False
    except Timeout:
        return True


@pytest.fixture
def real_children() -> None:
    """As it is run: each costs seconds."""


def use(monkeypatch: pytest.MonkeyPatch, child: Callable[..., None]) -> None:
    for module in (train_bot, training_steps, bot_entities):
        monkeypatch.setattr(module, "child", child)


def in_process(_: training_steps.Work, verb: str, words: Sequence[str]) -> None:
    """What the child would do, without its start."""
    given = dict(zip(words[::2], map(Path, words[1::2]), strict=True))
    try:
        if verb == "dataset":
            prepare(given["--work"], given["--out"], report=silent)
        elif verb == "entities":
            judge_task(given["--work"], given["--out"], encoder=given["--encoder"], report=silent)
        else:
            asked = JobAsked(given["--spec"], given["--data"], given["--out"], given["--cache"], 1)
            assert run_job(asked, report=silent) == 0
    except TrainingError as error:
        raise InferenceError(str(error)) from error


def train(*more: str) -> Result:
    return CliRunner().invoke(kefu, ["train", "shop", *(more or ("--method", "head"))])


def jobs() -> list[training_jobs.Job]:
    return training_jobs.jobs(Path("shop/.kefu"))


def data_of(number: int = 0) -> Dataset:
    return read_dataset(jobs()[number].data)


def rows_of(data: Dataset, task: Task) -> list[Row]:
    return [row for split in SPLITS for row in data.rows(task, split)]


def texts(data: Dataset, task: Task) -> set[str]:
    return {row.text for row in rows_of(data, task)}


def in_database(*units: Any) -> list[Any]:
    path = Path("shop/.kefu/kefu.db").absolute()
    path.parent.mkdir(exist_ok=True)

    async def work() -> list[Any]:
        store = Database(f"sqlite:///{path}")
        await store.open()
        try:
            return [await store.write(unit) for unit in units]
        finally:
            await store.close()

    return asyncio.run(work())


@pytest.mark.usefixtures("real_children")
def test_a_bot_becomes_a_candidate_beside_what_is_live_though_it_was_killed_on_the_way() -> None:
    killed = subprocess.Popen(
        [sys.executable, "-m", "bot", "train", "shop", "--method", "head"], stderr=subprocess.PIPE, text=True
    )
    assert killed.stderr is not None
    for line in killed.stderr:  # until there is a data set, and the next child has begun
        if jobs() and (jobs()[0].data / "dataset.json").exists() and "dataset" not in line:
            break
    killed.kill()
    killed.communicate()
    made = data_of().hash
    while at_work(jobs()[0].out):  # the child ends by itself: nobody listens any more
        time.sleep(0.05)
    done = train()
    assert done.exit_code == 0, done.output
    assert "Going on with" in done.output
    assert data_of().hash == made
    (job,) = jobs()
    assert job.release is not None
    assert f"kefu releases shop promote {job.release}" in done.stdout
    assert "intent.accuracy" in done.stdout
    report = job.folder / "report.html"
    assert f"Wrote {report}." in done.stdout.replace("\n", "")
    page = report.read_text(encoding="utf-8")
    assert [part for part in (job.release, "knowledge/faq.jsonl", "数据") if part not in page] == []
    data = data_of()
    assert texts(data, "retrieval") == {text for _, question, other in ROWS for text in (question, *other)}
    assert {row.label for row in data.rows("retrieval", "train")} == {"lost", "fee", "open"}
    assert "my card is gone" in texts(data, "intent")
    assert data.origin.foreign == "out_of_scope"
    assert [source.name for source in data.origin.sources] == [
        "intents.yml",
        "knowledge/faq.jsonl",
        "conversations",
    ]
    assert in_database(releases.aliases)[0].candidate == job.release
    assert not (job.folder / "found").exists()
    listed = CliRunner().invoke(kefu, ["train", "shop", "--list"]).stdout
    assert job.release in listed


def test_the_gate_finds_a_candidate_on_the_same_encoder_no_worse() -> None:
    assert train().exit_code == 0
    assert CliRunner().invoke(kefu, ["releases", "shop", "gate", "candidate"]).exit_code == 0


QUESTIONS = [
    {"text": "How do I report a lost card?", "expected": "lost"},
    {"text": "What is the monthly fee?", "expected": "fee"},
    {"text": "When are you open?", "expected": "lost"},
]


def ask(*lines: dict[str, Any]) -> None:
    Path("shop/tests").mkdir()
    text = "".join(json.dumps(line) + "\n" for line in lines)
    Path("shop/tests/questions.jsonl").write_text(text, encoding="utf-8")


def test_the_bots_own_questions_are_put_to_what_is_live_and_to_the_candidate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask(*QUESTIONS)
    put, who = exam.put, list[str]()

    async def counted(*given: Any, **more: Any) -> Any:
        who.append(more["who"])
        return await put(*given, **more)

    monkeypatch.setattr(exam, "put", counted)
    assert train().exit_code == 0
    shown = CliRunner().invoke(kefu, ["releases", "shop", "show", "candidate", "--json"]).stdout
    right = json.loads(shown)["metrics"]["answers.right"]
    assert (round(right["value"], 3), right["n"]) == (0.667, 3)
    assert right["low"] < right["value"] < right["high"]
    compared = CliRunner().invoke(kefu, ["releases", "shop", "compare", "base", "candidate", "--json"]).stdout
    states = {line["metric"]: line["state"] for line in json.loads(compared)["lines"]}
    assert states["answers.right"] == states["answers.misled"] == states["intent.accuracy"] == "same"
    page = (jobs()[0].folder / "report.html").read_text(encoding="utf-8")
    assert "Question by question" in page
    # The head's encoder is that of base: whoever answers alike is asked once, and the next training asks nobody.
    assert who == ["base"]
    assert train("--method", "head", "--name", "two").exit_code == 0
    assert who == ["base"]
    Path("shop/intents.yml").write_text(INTENTS.replace("I lost it", "it is lost"), "utf-8")
    assert train("--method", "head", "--name", "three").exit_code == 0
    assert who == ["base", "base"]


def test_a_question_that_cannot_be_read_is_said_before_anything_is_trained() -> None:
    ask({"text": "How?", "expect": "lost"})
    done = train()
    assert done.exit_code == 2
    assert "tests/questions.jsonl:1: unknown key `expect`" in done.stderr
    assert not jobs()


ENTITIES = """
entities: {city: }
examples:
  en: ['to [Rome](city) now', 'to [Oslo](city) now', 'from [Rome](city)', 'from [Oslo](city)', to me, now]
"""


@pytest.mark.parametrize("apart", [False, True])
def test_what_customers_name_is_judged_in_folds_or_on_what_was_written_apart(apart: bool) -> None:
    Path("shop/entities.yml").write_text(ENTITIES, "utf-8")
    if apart:
        row = {"text": "from Oslo to Rome", "entities": [{"start": 5, "end": 9, "kind": "city"}]}
        Path("shop/tests").mkdir()
        Path("shop/tests/entities.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    done = train()
    assert done.exit_code == 0, done.output
    said = "on 1 texts of tests/entities.jsonl" if apart else "on 6 texts of its own examples, in 5 folds"
    assert said in done.stdout
    card = CliRunner().invoke(kefu, ["releases", "shop", "show", "candidate"]).stdout
    assert said in " ".join(card.split())
    assert "实体识别" in (jobs()[0].folder / "report.html").read_text("utf-8")


def test_a_bot_without_questions_is_trained_and_its_card_says_so() -> None:
    assert train().exit_code == 0
    card = CliRunner().invoke(kefu, ["releases", "shop", "show", "candidate"]).stdout
    assert "has no questions of its own" in " ".join(card.split())


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


def stopping(monkeypatch: pytest.MonkeyPatch, *, before: str) -> None:
    """Ctrl-C, as soon as the child of that name is to run."""

    def stopped(work: training_steps.Work, verb: str, words: Sequence[str]) -> None:
        if verb == before:
            raise KeyboardInterrupt
        in_process(work, verb, words)

    use(monkeypatch, stopped)


@pytest.mark.parametrize("before", ["dataset", "run"])
def test_a_stopped_job_goes_on_with_what_it_began_with(monkeypatch: pytest.MonkeyPatch, before: str) -> None:
    with monkeypatch.context() as patch:
        stopping(patch, before=before)
        done = train()
    assert done.exit_code == 1
    assert "Stopped. `kefu train shop --resume` goes on" in done.output
    (job,) = jobs()
    assert job.release is None
    assert "stopped" in CliRunner().invoke(kefu, ["train", "shop", "--list"]).stdout
    again = train("--resume")
    assert again.exit_code == 0, again.output
    assert f"Going on with {job.name}" in again.output
    (job,) = jobs()
    assert job.release is not None
    nothing = train("--resume")
    assert nothing.exit_code == 2
    assert "No training was stopped" in nothing.output


@pytest.mark.usefixtures("real_children")
def test_sigterm_is_as_kind_as_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    async def child(verb: str, *_: Any, **__: Any) -> dict[str, object]:
        signal.raise_signal(signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(verb)
        return {}

    monkeypatch.setattr(training_steps, "run_training", child)
    done = train()
    assert done.exit_code == 1
    assert "Stopped." in done.output
    assert ended == ["dataset"]


def test_the_same_command_goes_on_and_another_one_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        stopping(patch, before="run")
        train("--method", "head", "--name", "one")
    made = data_of().hash
    Path("shop/intents.yml").write_text(INTENTS.replace("I lost it", "it is lost"), "utf-8")
    assert train("--method", "head").exit_code == 0
    assert [job.name for job in jobs()] == ["one"]
    assert data_of().hash == made
    assert train("--method", "head", "--name", "two").exit_code == 0
    assert {job.name for job in jobs()} == {"one", "two"}
    taken = train("--method", "head", "--name", "one")
    assert taken.exit_code == 2
    assert "is there already" in taken.output


def test_only_the_last_few_finished_jobs_stay(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for number in range(6):
        folder = home / "training" / f"job{number}"
        folder.mkdir(parents=True)
        release = None if number in (0, 5) else f"release{number}"
        training_jobs.Job(folder, "head", "s", f"2026-01-0{number + 1}", True, release).keep()
    assert sorted(training_jobs.prune(home, keep=2)) == ["job0", "job1", "job2"]
    assert [job.name for job in training_jobs.jobs(home)] == ["job5", "job4", "job3"]


def test_two_trainings_of_one_home_do_not_run_at_once() -> None:
    home = Path("shop/.kefu")
    with training_jobs.training_lock(home):
        assert training_jobs.at_work(home)
        done = train()
    assert done.exit_code == 2
    assert "A training is at work" in done.output
    assert not training_jobs.at_work(home)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["train", "shop", "--train", "x.jsonl"], "--train is for files, FOLDER for a bot"),
        (["train", "--train", "x.jsonl", "--test", "y.jsonl"], "Missing option '--report'"),
        (["train", "--report", "R.json", "--resume"], "--report is for files, --resume for a bot"),
        (["train", "shop", "--resume", "--fresh"], "leave --fresh and --name out"),
        (["train", "shop", "--name", "../x"], "is no name for a folder"),
        (["train", "nowhere"], "bot.yml"),
    ],
)
def test_what_does_not_go_together_is_said(words: list[str], expected: str) -> None:
    done = CliRunner().invoke(kefu, words)
    assert done.exit_code == 2
    assert expected in " ".join(done.output.split())
    assert not Path("nowhere").exists()


def test_what_a_release_was_trained_on_is_told_of_a_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is live has seen the test texts in its own training: its figures flatter it, and the card says so."""
    every = {identity(text) for _, question, other in ROWS for text in (question, *other)}
    monkeypatch.setattr(train_bot, "read_trained", lambda folder: frozenset(every))
    assert train().exit_code == 0
    card = CliRunner().invoke(kefu, ["releases", "shop", "show", "candidate"]).stdout
    assert "base was trained on" in " ".join(card.split())


def test_what_the_gate_holds_back_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_bot, "show_gate", lambda *_, **__: False)
    done = train()
    assert done.exit_code == 0, done.output
    assert "is the candidate. What is live stays." in done.stdout.replace("\n", " ")
    assert "lets it go live" not in done.stdout
