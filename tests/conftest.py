"""What every test stands on: a clean environment, watched event loops, the real encoder, homes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from blockbuster import blockbuster_ctx
from xdist.scheduler import LoadScopeScheduling

from tests.postgres import private_server

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "kefu"
ROOMS = ("bot", "connectors", "retrieval", "training")


def pytest_configure() -> None:
    """No test sees the settings of whoever runs it; the cache is the checkout's, which `make` fills too."""
    for name in [name for name in os.environ if name.startswith("KEFU_")]:
        del os.environ[name]
    os.environ["KEFU_CACHE"] = str(CACHE)
    os.environ["HF_HUB_OFFLINE"] = "1"
    hypothesis.settings.register_profile("here", deadline=None)
    hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
    hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """What one process takes: a file, or all that stands on the example bots' homes, which have one owner each."""

    def _split_scope(self, nodeid: str) -> str:
        return "homes" if nodeid.startswith(("tests/blind/", "tests/e2e/")) else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """For `pytest -n`: several files at once."""
    return _ByFile(config, log)


@pytest.fixture(scope="session", autouse=True)
def _watched_loops() -> Iterator[None]:
    """Code of ours that blocks an event loop, itself or in a library it calls, raises BlockingError.

    Tests' own lines may block; libraries that wait in their own threads are not seen here.
    """
    with blockbuster_ctx(list(ROOMS)):
        yield


@pytest.fixture(scope="session")
def encoder_folder() -> Path:
    """The real encoder's folder: found in the checkout's cache, or built there once (about a minute)."""
    command = [sys.executable, "-m", "training", "encoder", "--out", str(CACHE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    ready = json.loads(done.stdout.splitlines()[-1])
    assert ready["stage"] == "ready", ready
    return Path(ready["text"])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a real PostgreSQL whose account may create databases: one of the tests' own, started with the first
    test that needs it, or the one that TEST_POSTGRES names."""
    if named := os.environ.get("TEST_POSTGRES"):
        yield named
        return
    with private_server() as url:
        yield url


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty KEFU_HOME of the test's own, named in the environment."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("KEFU_HOME", str(folder))
    return folder
