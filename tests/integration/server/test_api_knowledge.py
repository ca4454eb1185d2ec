"""Knowledge over HTTP: read, written, searched, and live without a restart."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.server.api import Api
from tests.integration.server.process import Server, ask, kefu

QUESTION = "Do you lend acorn telescopes?"
SOON = 60.0


@pytest.fixture
async def telescope(api: Api) -> AsyncIterator[dict[str, Any]]:
    """An entry of its own, taken out afterwards."""
    key = f"telescope-{secrets.token_hex(4)}"
    body = {"key": key, "question": f"{QUESTION} {key}", "answer": "Yes, for 31 yuan a day.", "lang": "en"}
    entry = await api.data("POST", "/knowledge", json=body, status=201)
    yield entry
    await api.session.delete(f"/api/v1/knowledge/{entry['id']}")


async def until_live(api: Api, revision: int) -> None:
    async with asyncio.timeout(SOON):
        while (await api.data("GET", "/status"))["bundle"]["revision"] < revision:  # noqa: ASYNC110
            await asyncio.sleep(0.2)


async def test_what_is_written_is_read_again(api: Api, telescope: dict[str, Any]) -> None:
    assert (telescope["source"], telescope["lang"], telescope["active"]) == ("api", "en", True)
    assert await api.data("GET", f"/knowledge/{telescope['id']}") == telescope
    assert [telescope] == await api.all("/knowledge", limit=10, key=telescope["key"])


async def test_what_is_written_is_said_and_what_is_removed_never(
    api: Api, server: Server, telescope: dict[str, Any]
) -> None:
    await until_live(api, telescope["revision"])
    async with server.page() as page:
        assert "31 yuan" in await ask(page, telescope["question"], ref="m1")
        removed = await api.data("DELETE", f"/knowledge/{telescope['id']}")
        await until_live(api, removed["revision"])
        assert "31 yuan" not in await ask(page, telescope["question"], ref="m2")
    assert not (await api.data("GET", f"/knowledge/{telescope['id']}"))["active"]
    assert await api.refused("DELETE", f"/knowledge/{telescope['id']}", 404) == "not_found"


async def test_what_was_removed_comes_back_under_its_id(api: Api, telescope: dict[str, Any]) -> None:
    await api.data("DELETE", f"/knowledge/{telescope['id']}")
    again = {name: telescope[name] for name in ("key", "lang", "question", "answer")}
    assert (await api.data("POST", "/knowledge", json=again, status=201))["id"] == telescope["id"]


async def test_a_part_is_changed_and_the_rest_stays(api: Api, telescope: dict[str, Any]) -> None:
    path = f"/knowledge/{telescope['id']}"
    changed = await api.data("PATCH", path, json={"answer": "Yes.", "url": "https://shop.example/t"})
    assert (changed["answer"], changed["question"]) == ("Yes.", telescope["question"])
    assert changed["revision"] > telescope["revision"]
    assert (await api.data("PATCH", path, json={"url": None}))["url"] is None
    assert (await api.data("PUT", path, json={"question": "What?", "answer": "That."}))["answer"] == "That."


async def test_the_same_again_changes_no_revision(api: Api, telescope: dict[str, Any]) -> None:
    path, same = f"/knowledge/{telescope['id']}", {"answer": telescope["answer"]}
    assert (await api.data("PATCH", path, json=same))["revision"] == telescope["revision"]


async def test_a_topic_that_stands_already_is_refused(api: Api, telescope: dict[str, Any]) -> None:
    again = {name: telescope[name] for name in ("key", "lang", "question", "answer")}
    assert await api.refused("POST", "/knowledge", 409, json=again) == "exists"
    [stored, *_] = await api.data("GET", "/knowledge", params={"lang": "en", "limit": "1"})
    taken = {"key": stored["key"], "lang": "en", "question": "What?", "answer": "That."}
    assert await api.refused("POST", "/knowledge", 409, json=taken) == "exists"


async def test_answers_of_the_bot_folder_are_changed_in_its_files(api: Api) -> None:
    sources = {e["source"]: e for e in await api.all("/knowledge", limit=7)}
    of_the_folder = next(e for source, e in sources.items() if source.startswith("folder:"))
    path = f"/knowledge/{of_the_folder['id']}"
    assert await api.refused("DELETE", path, 409) == "of_the_folder"
    assert await api.refused("PATCH", path, 409, json={"answer": "No."}) == "of_the_folder"


async def test_filters_and_pages_show_each_entry_once(api: Api, telescope: dict[str, Any]) -> None:
    everything = await api.all("/knowledge", limit=200)
    by_threes = await api.all("/knowledge", limit=3)
    assert (
        [e["id"] for e in by_threes] == [e["id"] for e in everything] == sorted({e["id"] for e in everything})
    )
    zh = await api.all("/knowledge", limit=5, lang="zh")
    assert [e for e in everything if e["lang"] == "zh"] == zh
    assert [telescope] == await api.all("/knowledge", limit=5, text=telescope["key"].upper())
    assert await api.all("/knowledge", limit=5, text="100%_' OR 1=1 --") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"question": "Q?"},
        {"question": "", "answer": "A."},
        {"question": " ", "answer": "A."},
        {"question": "Q?", "answer": "A.", "colour": "red"},
        {"question": "Q?", "answer": "A.", "lang": "fr"},
        {"question": "Q\x00?", "answer": "A."},
        {"question": "Q?", "answer": "A." * 5_000},
        {"question": "Q?", "answer": "A.", "intent": "nothing_of_the_kind"},
        {"question": "Q?", "answer": "A.", "intent": "greet"},
        {"question": "123", "answer": "A."},
        {"question": "Q?", "answer": "A.", "valid_from": "2026-02-01", "valid_to": "2026-01-01"},
        {"question": "Q?", "answer": "A.", "url": "javascript:alert(1)"},
        {"question": ["Q?"], "answer": "A."},
        [],
    ],
)
async def test_what_is_no_answer_is_refused_and_not_stored(api: Api, wrong: object) -> None:
    before = (await api.data("GET", "/status"))["revision"]
    assert await api.refused("POST", "/knowledge", 422, json=wrong) == "invalid"
    assert (await api.data("GET", "/status"))["revision"] == before


async def test_a_search_shows_scores_and_what_would_be_done(api: Api) -> None:
    # Of the folder: what other tests have just written may not be live yet.
    own = {"source": "folder:knowledge/faq.en.jsonl", "limit": "1"}
    [stored, *_] = await api.data("GET", "/knowledge", params=own)
    found = await api.data("POST", "/search", json={"text": stored["question"]})
    best = found["candidates"][0]
    assert (best["id"], best["exact"], found["lang"]) == (stored["id"], True, "en")
    assert found["reason"] == "identical to a stored question"
    person = await api.data("POST", "/search", json={"text": "转人工"})
    assert (person["decision"], person["lang"]) == ("handoff", "zh")
    nothing = await api.data("POST", "/search", json={"text": "!?"})
    assert (nothing["decision"], nothing["candidates"]) == ("answer", [])


async def test_a_source_is_listed_with_its_answers_and_taken_out_whole(
    api: Api, server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "lent things.jsonl"
    rows = ({"question": f"Do you lend number {n}?", "answer": "Yes.", "lang": "en"} for n in range(3))
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = await asyncio.to_thread(kefu, "ingest", file, "--bot", server.folder, "--home", server.home)
    assert done.returncode == 0, done.stderr
    counted = {one["source"]: one["answers"] for one in await api.all("/sources", limit=1)}
    assert counted["lent things.jsonl"] == 3
    removed = await api.data("DELETE", "/sources/lent%20things.jsonl")
    assert removed["removed"] == 3
    assert await api.all("/knowledge", limit=5, source="lent things.jsonl") == []
    assert await api.refused("DELETE", "/sources/lent%20things.jsonl", 404) == "not_found"
    of_the_folder = next(source for source in counted if source.startswith("folder:"))
    escaped = of_the_folder.replace("/", "%2F")
    assert await api.refused("DELETE", f"/sources/{escaped}", 409) == "of_the_folder"
