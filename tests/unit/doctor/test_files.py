"""What `kefu doctor` says of the bot folder, its documents and the home."""

from __future__ import annotations

import os
import time

import pytest

from bot.doctor import files
from bot.home import home_lock, is_served
from tests.unit.doctor.conftest import Place, seen


def test_a_mistake_in_the_folder_is_named_with_its_line(place: Place) -> None:
    (place.bot / "bot.yml").write_text("name: {en: X}\nlanguages: [en]\nwelcome: {en: Hi}\nchanels: []\n")
    report = place.doctor()
    assert "bot.yml:4:" in report["folder"][1]
    assert report.wrong == {"folder"}
    assert report["heads"] == ("warning", "not checked: the bot folder is not to be had. Mend that first.")


def test_a_question_under_two_topics_is_pointed_out(place: Place) -> None:
    path = place.bot / "knowledge" / "faq.jsonl"
    path.write_text(path.read_text() + '{"id": "x", "question": "When are you open?", "answer": "Never."}\n')
    assert "`when are you open" in place.doctor()["folder"][1].lower()


def test_contrast_sets_are_read_before_anybody_waits_for_a_training(place: Place) -> None:
    path = place.bot / "contrasts.en.jsonl"
    path.write_text('{"id": "open", "answered": ["open at six?"], "unanswered": ["Who opens?", "Why?"]}\n')
    state, text = place.doctor()["folder"]
    assert (state, "3 messages to teach a verifier by, of 1 answers" in text) == ("ok", True)
    path.write_text('{"id": "gone", "answered": ["open at six?"], "unanswered": ["Who opens?"]}\n')
    report = place.doctor()
    assert report.wrong == {"folder"}
    assert "contrasts.en.jsonl:1: `gone` is no stored answer in en" in report["folder"][1]


def test_what_of_a_document_cannot_be_used_is_told_and_a_broken_one_is_wrong(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    (place.bot / "knowledge" / "codes.md").write_text("# 12-34\n\n56 78 90.\n")
    state, text = place.doctor()["folder"]
    assert (state, "codes.md: the language of" in text) == ("warning", True)
    assert "codes.md" not in caplog.text
    (place.bot / "knowledge" / "policy.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    state, text = place.doctor()["folder"]
    assert (state, "policy.pdf" in text) == ("wrong", True)


def test_documents_are_read_and_nothing_is_remembered_or_forgotten(place: Place) -> None:
    (place.bot / "knowledge" / "policy.md").write_text("# Returns\n\nWithin thirty days.\n")
    kept = place.home / "documents"
    kept.mkdir()
    (kept / "old.jsonl").write_text("")
    os.utime(kept / "old.jsonl", (0, 0))
    before = seen(place)
    assert "3 answers in en" in place.doctor()["folder"][1]
    assert seen(place) == before


def test_a_server_on_the_home_is_seen_and_not_disturbed(place: Place) -> None:
    with home_lock(place.home):
        assert "a server runs on it" in place.doctor()["home"][1]
    assert "no server runs on it" in place.doctor()["home"][1]
    with home_lock(place.home):
        assert is_served(place.home)


def test_a_home_that_is_no_folder(place: Place) -> None:
    state, text = place.doctor("--home", str(place.database))["home"]
    assert (state, "is not a folder" in text) == ("wrong", True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_files_of_another_account_are_named(place: Place) -> None:
    os.chown(place.database, 65_534, -1)
    state, text = place.doctor()["home"]
    assert (state, "kefu.db in" in text, "chown -R" in text) == ("wrong", True, True)


def test_a_secret_cut_short(place: Place) -> None:
    (place.home / "secret").write_text("short")
    state, text = place.doctor()["secret"]
    assert (state, "is cut short" in text, "short\n" in text) == ("wrong", True, False)


def test_what_a_crash_left_is_named_once_nobody_works_on_it(place: Place) -> None:
    torn = place.home / "bundles" / ".00000001-abc.x1"
    torn.mkdir()
    assert place.doctor()["leftovers"][0] == "ok"
    long_ago = time.time() - 2 * files.SETTLED_S
    os.utime(torn, (long_ago, long_ago))
    assert place.doctor()["leftovers"] == (
        "warning",
        f"left by work that was broken off: {torn}. They may be deleted.",
    )
