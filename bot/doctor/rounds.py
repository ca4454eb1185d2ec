"""All checks, one after the other. Whatever becomes of one, the next one is made."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bot.doctor.finding import Finding, Skipped, warning, wrong
from bot.doctor.setup import Setup
from bot.errors import KefuError
from retrieval.errors import RetrievalError
from training.errors import TrainingError

Check = Callable[[Setup], Iterable[Finding]]

CHECKS = (
    "machine.versions",
    "files.settings",
    "files.folder",
    "files.home",
    "files.secret",
    "files.leftovers",
    "machine.clock",
    "machine.disk",
    "machine.memory",
    "machine.open_files",
    "rows.database",
    "rows.schema",
    "answers.release",
    "answers.encoder",
    "answers.reranker",
    "answers.index",
    "answers.agreement",
    "answers.heads",
    "answers.promise",
    "models.generator",
    "models.spending",
    "doors.widget",
    "doors.port",
)
"""Where a check needs what another one looks at, it comes after it."""


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the report. `ms`: how long the check took until then."""

    check: str
    finding: Finding
    ms: float


def examine(setup: Setup, *, begin: Callable[[str], None]) -> Iterator[Told]:
    """Lines as they come. `begin` is told the name of each check ahead of it."""
    for path in CHECKS:
        name = path.partition(".")[2].replace("_", " ")
        begin(name)
        begun = time.monotonic()
        for finding in _findings(path, setup):
            yield Told(name, finding, 1e3 * (time.monotonic() - begun))


def _findings(path: str, setup: Setup) -> Iterator[Finding]:
    room, _, name = path.partition(".")
    try:
        # Imported here: a library that is missing is a finding of the checks that need it.
        check: Check = getattr(importlib.import_module(f"bot.doctor.{room}"), name)
        yield from check(setup)
    except Skipped as reason:
        yield warning(f"not checked: {reason}.", "Mend that first.")
    except KefuError as error:
        yield wrong(error.message, error.hint)
    except (RetrievalError, TrainingError) as error:
        yield wrong(f"{error}.")
    except OSError as error:
        hint = (
            "Run as the home's owner."
            if isinstance(error, PermissionError)
            else "Check the disk and its rights."
        )
        yield wrong(f"{error.filename or 'a file'}: {error.strerror or type(error).__name__}.", hint)
    except Exception as error:  # by its kind alone: what libraries say may repeat a password
        yield wrong(f"the check itself failed ({type(error).__name__}).", "Mend what is wrong above first.")
