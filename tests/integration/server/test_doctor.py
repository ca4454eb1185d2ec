"""`kefu doctor` beside a real server, with the real encoder."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.integration.server.process import ROOT, Server


def doctor(server: Server) -> tuple[int, dict[str, tuple[str, str]]]:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "doctor", server.folder, "--home", server.home, "--json"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "KEFU_PORT": str(server.port)},
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {line["check"]: (line["state"], line["text"]) for line in lines}


async def test_a_server_that_runs_is_well(server: Server) -> None:
    code, told = doctor(server)
    assert (code, {check for check, (state, _) in told.items() if state == "wrong"}) == (0, set())
    assert told["port"] == ("ok", f"a Kefu answers at 127.0.0.1:{server.port}.")
    assert "a server runs on it" in told["home"][1]
    assert told["encoder"][1].startswith("whole; reads a Chinese and an English question in ")
    assert told["agreement"][0] == "ok"
    async with server.page() as page:
        assert page.welcome["status"] == "bot"
