"""A server starts in sight, refuses in one line, and answers."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from tests.integration.server.process import Server, ask, kefu

STAGES = (
    "Opening the database",
    "Loading the encoder and checking the index",
    "fitting intents",
    "Kefu is ready",
)


async def test_the_first_message_is_answered(server: Server) -> None:
    async with server.page() as page:
        assert set(page.welcome["bot"]["languages"]) == {"zh", "en"}
        assert (await ask(page, "Where is my order?", ref="m1")).startswith('Open "My orders"')
        assert page.kinds().index("accepted") < len(page.seen) - 1
        [citation] = page.seen[-1]["citations"]
        assert citation["title"] == "Where is my order?"
        assert "微信支付" in await ask(page, "可以怎么付款？", ref="m2")


def test_each_stage_of_a_first_start_is_told(server: Server) -> None:
    lines = server.starts[0]
    found = [next((i for i, line in enumerate(lines) if stage in line), -1) for stage in STAGES]
    assert -1 not in found, lines
    assert found == sorted(found)
    assert [line for line in lines if re.search(r": \d+ of \d+$", line)]


def test_no_library_speaks_while_all_is_well(server: Server) -> None:
    assert [line for line in server.lines if re.search(r" (DEBUG|INFO|WARNING|ERROR) (?!bot)", line)] == []


def refusal(*words: str | Path) -> str:
    """The one line of a command that cannot do what it was told."""
    done = kefu(*words)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    return line


def test_a_second_server_of_the_same_home_says_so_and_ends(server: Server) -> None:
    line = refusal("serve", server.folder, "--home", server.home, "--port", "0")
    assert line == (
        f"kefu: Another server already uses {server.home}. "
        "Stop it, or give this one its own home: --home FOLDER."
    )


def test_a_port_that_is_taken_says_so_and_ends(server: Server, tmp_path: Path) -> None:
    line = refusal("serve", server.folder, "--home", tmp_path, "--port", str(server.port))
    assert line == (
        f"kefu: Cannot listen on 127.0.0.1:{server.port}: Address already in use. "
        "Choose another one: --port NUMBER."
    )


def test_a_home_that_cannot_be_made_says_so_and_ends(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = refusal("serve", shop, "--home", tmp_path / "file")
    assert line.startswith(f"kefu: {tmp_path / 'file'}: ")
    assert line.endswith("--home FOLDER.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: {en: X\n", r"bot\.yml:2: .+\."),
        (
            "name: {en: X}\nlanguages: [en]\nwelcome: {en: Hi}\nchanels: []\n",
            r"bot\.yml:4: .*chanels.*channels",
        ),
    ],
)
def test_a_broken_folder_is_told_with_file_line_and_remedy(text: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "bot.yml").write_text(text)
    assert re.search(expected, refusal("serve", tmp_path))
    assert not (tmp_path / ".kefu").exists()


def test_a_server_that_starts_has_its_port_and_ends_kindly_at_a_signal(shop: Path, tmp_path: Path) -> None:
    server = Server(shop, tmp_path / "home")
    server.start(until="Opening the database")
    line = refusal("serve", shop, "--home", tmp_path / "other", "--port", str(server.port))
    assert "Address already in use" in line
    assert server.stop(signal.SIGINT) == 0
    assert not server.said("Traceback")
    assert not server.said("Kefu is ready")
