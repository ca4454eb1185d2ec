"""`kefu escalations` on conversations that really were passed on."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli.escalations import age
from bot.cli.main import kefu
from bot.settings import load_settings
from bot.store import ledger
from bot.store.db import Database
from connectors.port import Inbound
from tests.unit.definition.folders import folder

NOW = datetime.now(UTC)


def run(bot: Path, *words: str) -> Result:
    return CliRunner().invoke(kefu, ["escalations", str(bot), *words], terminal_width=200)


async def escalate(store: Database, conversation: str, text: str, *, waited: timedelta) -> None:
    at = NOW - waited
    new = Inbound("web", conversation, "1", conversation, text)
    taken = await store.write(lambda session: ledger.accept(session, new, at))
    draft = ledger.Draft("A colleague will answer.")
    reply = ledger.Reply(conversation, taken.seq, 0, "turn", (draft,), lang="en", escalate="asked")
    await store.write(lambda session: ledger.commit_reply(session, reply, at))


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "200")

    async def fill() -> None:
        store = Database(load_settings(bot=tmp_path).database_url)
        await store.open()
        await escalate(
            store, "second", "[bold]a person\x1b[2J please\n" + "x" * 100, waited=timedelta(minutes=5)
        )
        await escalate(store, "first", "我要人工", waited=timedelta(hours=26))
        await store.close()

    asyncio.run(fill())
    return folder(tmp_path)


def test_the_longest_waiting_comes_first_with_harmless_words(bot: Path) -> None:
    done = run(bot)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert "1 d 2 h" in lines[1]
    assert "first" in lines[1]
    assert "我要人工" in lines[1]
    assert "[bold]a person [2J please x" in lines[2]
    assert "…" in lines[2]
    assert "\x1b" not in done.stdout
    assert done.stdout.endswith("2 waiting. `kefu escalations --close ID` gives one back to the bot.\n")


def test_json_lines_have_everything(bot: Path) -> None:
    cases = [json.loads(line) for line in run(bot, "--json").stdout.splitlines()]
    assert [case["conversation"] for case in cases] == ["first", "second"]
    assert cases[0] | {"id": "", "age_s": 0} == {
        "id": "",
        "conversation": "first",
        "seq": 1,
        "reason": "asked",
        "lang": "en",
        "last_text": "我要人工",
        "at": (NOW - timedelta(hours=26)).isoformat(),
        "age_s": 0,
    }
    assert cases[0]["age_s"] >= 26 * 3600


def test_closing_gives_the_conversation_back_and_is_done_once(bot: Path) -> None:
    case = json.loads(run(bot, "--json").stdout.splitlines()[0])["id"]
    done = run(bot, "--close", case)
    assert (done.exit_code, done.stdout) == (0, "Closed. The bot answers in conversation first again.\n")

    async def status() -> str:
        store = Database(load_settings(bot=bot).database_url)
        await store.open()
        async with store.read() as session:
            found = await ledger.status(session, "first")
        await store.close()
        return found

    assert asyncio.run(status()) == "bot"
    again = run(bot, "--close", case)
    assert (again.exit_code, again.stderr) == (2, "kefu: The case is closed already. Read the list again.\n")
    assert run(bot, "--close", "nobody").exit_code == 2
    assert len(run(bot, "--json").stdout.splitlines()) == 1


def test_nobody_waits(tmp_path: Path) -> None:
    async def make() -> None:
        store = Database(load_settings(bot=tmp_path).database_url)
        await store.open()
        await store.close()

    asyncio.run(make())
    assert run(tmp_path).stdout == "Nobody waits for a person.\n"
    assert run(tmp_path, "--json").stdout == ""


def test_no_database_is_not_an_empty_one(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"kefu: There is no database {tmp_path}/.kefu/kefu.db.")
    assert not (tmp_path / ".kefu").exists()


def test_age_is_said_in_the_two_largest_units() -> None:
    spans = {0: "0 s", -5: "0 s", 59: "59 s", 61: "1 min 1 s", 3_600: "1 h", 93_784: "1 d 2 h"}
    assert {seconds: age(timedelta(seconds=seconds)) for seconds in spans} == spans
