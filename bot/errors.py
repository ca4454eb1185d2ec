"""Errors of the bot.

KefuError               base: `message` for people, `hint` says what to do, `code` is stable
 ├─ SettingsError       the environment or a setting is wrong
 ├─ DefinitionError     the bot folder is wrong: file and line
 ├─ HomeError           the home is in use, or cannot be written
 ├─ StoreError          the database
 │   └─ Conflict        somebody else was faster: read again
 ├─ InferenceError      encoder, heads, bundle
 │   ├─ Busy            the queue is full, or the text's deadline passed
 │   └─ GeneratorError  the generator failed; the best stored answer is used instead
 └─ NotFound            no such thing, or not yours
"""

from __future__ import annotations


class KefuError(Exception):
    code = "internal"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class SettingsError(KefuError):
    code = "bad_settings"


class DefinitionError(KefuError):
    """`file` and `line` (1-based; 0 where no line is to blame) lead the message."""

    code = "bad_definition"

    def __init__(self, message: str, *, file: str, line: int = 0, hint: str = "") -> None:
        where = f"{file}:{line}" if line else file
        super().__init__(f"{where}: {message}", hint=hint)
        self.file = file
        self.line = line


class HomeError(KefuError):
    code = "home_in_use"


_PASSING = ("locked", "overloaded", "disk_full", "unreachable", "io", "read_only")


class StoreError(KefuError):
    code = "store"

    @property
    def passes(self) -> bool:
        """Whether the same may work later, when somebody has freed the disk, the lock, the server."""
        return self.code in _PASSING


class Conflict(StoreError):
    code = "conflict"


class InferenceError(KefuError):
    code = "inference"


class Busy(InferenceError):
    code = "overloaded"


class GeneratorError(InferenceError):
    code = "generator"


class NotKnown(GeneratorError):
    """A generator says itself that what it was given holds no answer. It works."""

    code = "not_known"


class NotFound(KefuError):
    code = "not_found"
