"""`kefu chat` beside a running server, fed by a pipe."""

from __future__ import annotations

import asyncio

from tests.integration.server.process import Server, kefu

QUESTIONS = "\nWhere is my order?\n   \n可以怎么付款？\n👍\nI want to talk to a person\n/quit\nHow much is delivery?\n"


async def test_a_piped_chat_answers_and_explains(server: Server) -> None:
    done = await asyncio.to_thread(
        kefu, "chat", server.folder, "--home", server.home, "--explain", stdin=QUESTIONS
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    asked = [line for line in done.stdout.splitlines() if line.startswith("> ")]
    assert asked == ["> Where is my order?", "> 可以怎么付款？", "> 👍", "> I want to talk to a person"]
    first, second, third, fourth = done.stdout.split("> ")[1:]
    assert 'Open "My orders"' in first
    assert "[1] Where is my order?" in first
    assert "identical to a stored question, 100 % sure, understand" in first
    assert "order_status" in first
    assert "order-track" in first
    assert "支持微信支付" in second
    assert "nothing to understand" in third
    assert "asked" in fourth


async def test_the_end_of_the_input_is_the_end_of_the_chat(server: Server) -> None:
    done = await asyncio.to_thread(kefu, "chat", server.folder, "--home", server.home, "--lang", "en")
    assert done.returncode == 0
    assert done.stdout.startswith("Acorn Shop Assistant  Hello, this is the assistant")
    assert done.stdout.count("\n") == 1
