"""`kefu` as a process: started, watched, ended, and talked to as a page talks to it."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from aiohttp import ClientSession

from tests.contract.webchat.page import PATH, Page

ROOT = Path(__file__).resolve().parents[3]
READY = re.compile(r"Kefu is ready: (\S+)")
PATIENCE = 240.0
"""Seconds for a first start on a busy machine; nothing waits that long without watching for an early end."""


def kefu(*words: str | Path, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; `settings`: KEFU_* by their names in small letters."""
    return subprocess.run(
        [sys.executable, "-m", "bot", *map(str, words)],
        cwd=ROOT, input=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False,
        env={**os.environ, **_named(settings)},
    )  # fmt: skip


def _named(settings: Mapping[str, str]) -> dict[str, str]:
    return {f"KEFU_{name.upper()}": value for name, value in settings.items()}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`kefu serve` of one folder and home, always on the same port, so that pages find it again."""

    def __init__(self, folder: Path, home: Path, **settings: str) -> None:
        self.folder, self.home, self.port = folder, home, free_port()
        self.key = secrets.token_urlsafe(32)
        """Opens the HTTP API."""
        keys = f"{secrets.token_urlsafe(32)},{self.key}"
        self.settings = {"rate_per_minute": "0", "api_rate_per_minute": "0", "api_keys": keys, **settings}
        self.starts: list[list[str]] = []
        """What each start wrote to standard error."""
        self._process: subprocess.Popen[str] | None = None
        self._heard = threading.Condition()
        self._ended = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[str]:
        return self.starts[-1]

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *, until: str = "Kefu is ready", patience: float = PATIENCE) -> None:
        """Returns when a line says `until`; fails with all that was said where the process ends before."""
        command = [sys.executable, "-m", "bot", "serve", str(self.folder), "--home", str(self.home)]
        self.starts.append([])
        with self._heard:  # the listener of the process before may not have heard its end yet
            self._ended = False
            self._process = subprocess.Popen(
                [*command, "--port", str(self.port)],
                cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, **_named(self.settings)},
            )  # fmt: skip
        threading.Thread(target=self._listen, args=(self._process, self.lines), daemon=True).start()
        with self._heard:
            self._heard.wait_for(lambda: self._ended or self.said(until), patience)
        if not self.said(until):
            self.stop(signal.SIGKILL)
            pytest.fail(f"The server did not start:\n{self.words}", pytrace=False)

    def said(self, words: str) -> bool:
        return any(words in line for line in self.lines)

    @property
    def words(self) -> str:
        return "\n".join(self.lines)

    @property
    def process(self) -> psutil.Process:
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def tell(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self) -> int:
        """The exit status."""
        assert self._process is not None
        return self._process.wait(60)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.tell(number)
        return self.wait()

    def _listen(self, process: subprocess.Popen[str], lines: list[str]) -> None:
        assert process.stderr is not None
        with process.stderr as stream:
            for line in stream:
                with self._heard:
                    lines.append(line.rstrip())
                    self._heard.notify_all()
        with self._heard:
            self._ended = self._ended or process is self._process
            self._heard.notify_all()

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[Page]:
        """Connected as a page of the server's own, nothing said."""
        async with (
            ClientSession(self.url, headers={"Origin": self.url}) as session,
            session.ws_connect(PATH, protocols=("kefu.v1",), max_msg_size=0) as socket,
        ):
            yield Page(socket)

    @asynccontextmanager
    async def page(self, *, token: str | None = None, last_seq: int = 0) -> AsyncIterator[Page]:
        """Welcomed."""
        async with self.socket() as page:
            await page.hello(token=token, last_seq=last_seq)
            yield page


async def ask(page: Page, text: str, *, ref: str) -> str:
    """Send a message and return the bot's committed answer to it."""
    await page.send("message", id=ref, text=text)
    return str((await page.until("final", role="bot"))["text"])
