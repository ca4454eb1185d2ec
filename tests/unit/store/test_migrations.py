"""Alembic's own commands find their way, and every migration has a way back."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from bot.store.engines import parse_url, sqlite_engine
from bot.store.migrations import config, migrate


def test_alembics_check_finds_nothing_to_add(path: Path) -> None:
    path.parent.mkdir()
    url = parse_url(f"sqlite:///{path}")
    migrate(url)
    with sqlite_engine(url, busy=1).begin() as connection:
        command.check(config(connection))


def test_revisions_follow_one_another_and_lead_back() -> None:
    scripts = ScriptDirectory.from_config(config())
    revisions = list(scripts.walk_revisions())
    assert [r.revision for r in reversed(revisions)] == [f"{i:04}" for i in range(1, len(revisions) + 1)]
    for revision in revisions:
        assert "pass" not in inspect.getsource(revision.module.downgrade)
        assert Path(revision.path).name.startswith(f"{revision.revision}_")


def test_migrations_travel_with_the_package() -> None:
    package = Path(str(importlib.import_module("bot.store").__file__)).parent
    assert [file.name for file in (package / "migrations" / "versions").glob("0001_*.py")] == [
        "0001_first.py"
    ]
