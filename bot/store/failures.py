"""What a database says when it fails, in words that say what to do.

The driver's own text is used only where it holds no values: rows hold what customers wrote.
"""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, IntegrityError, TimeoutError

from bot.errors import Conflict, StoreError

_SQLITE = {
    "SQLITE_FULL": ("disk_full", "The disk is full.", "Free some space; writing goes on by itself."),
    "SQLITE_BUSY": (
        "locked",
        "Another process holds the database.",
        "End its long transaction, then try again.",
    ),
    "SQLITE_LOCKED": ("locked", "The database is locked.", "Try again."),
    "SQLITE_READONLY": (
        "read_only",
        "The database cannot be written.",
        "Check the rights of its file and folder.",
    ),
    "SQLITE_CANTOPEN": ("unreachable", "The database cannot be opened.", "Check the path and its rights."),
    "SQLITE_IOERR": ("io", "Reading or writing the disk failed.", "Check the disk and its free space."),
    "SQLITE_CORRUPT": ("corrupt", "The database file is damaged.", "Stop Kefu and restore a backup."),
    "SQLITE_NOTADB": (
        "corrupt",
        "The file is not a database of ours.",
        "Check the path, or restore a backup.",
    ),
}
_POSTGRES = {
    "53100": ("disk_full", "The database server's disk is full.", "Free some space there."),
    "53300": ("overloaded", "The database server takes no more connections.", "Raise max_connections there."),
    "25006": (
        "read_only",
        "The database server takes no writes.",
        "Is it a standby? Use the primary's address.",
    ),
    "28000": (
        "unreachable",
        "The database server refuses the account.",
        "Check user and password in the URL.",
    ),
    "28P01": (
        "unreachable",
        "The database server refuses the password.",
        "Check user and password in the URL.",
    ),
    "3D000": ("unreachable", "There is no such database.", "Create it, or correct the URL."),
}
_RETRY = ("23505", "40001", "40P01")


def overloaded() -> StoreError:
    return StoreError("The database has too much to do.", hint="Try again in a moment.", code="overloaded")


def closed() -> StoreError:
    return StoreError("The database is closed.", hint="Open it first.", code="closed")


def bad_text() -> StoreError:
    return StoreError(
        "The text holds characters no database stores.",
        hint="Remove NUL and lone surrogates.",
        code="bad_text",
    )


def translate(error: Exception) -> Exception:
    """A StoreError for what the database or its driver raised; anything else comes back as it is."""
    if isinstance(error, UnicodeEncodeError):
        return bad_text()
    if isinstance(error, TimeoutError):
        return overloaded()
    if isinstance(error, DBAPIError):
        return _from_driver(error)
    if isinstance(error, OSError):
        return _unreachable()
    return error


def is_race(error: Exception) -> bool:
    """True where PostgreSQL asks to run the transaction again, or a unique row was taken meanwhile."""
    return isinstance(error, DBAPIError) and _sqlstate(error) in _RETRY


def _from_driver(error: DBAPIError) -> StoreError:
    name = str(getattr(error.orig, "sqlite_errorname", ""))
    state = _sqlstate(error)
    if name in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY") or state in _RETRY:
        return Conflict("Another change came first.", hint="Read again, then decide again.")
    if isinstance(error, IntegrityError):
        return StoreError(f"The row does not fit ({_detail(error)}).", code="integrity")
    known = _POSTGRES.get(state) or _SQLITE.get("_".join(name.split("_")[:2]))
    if known is not None:
        code, message, hint = known
        return StoreError(message, hint=hint, code=code)
    if state in ("22021", "22P05") or _is_about_text(error):
        return bad_text()
    if error.connection_invalidated or state.startswith(("08", "57P")):
        return _unreachable()
    return StoreError(f"The database failed ({_detail(error)}).")


def _sqlstate(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")


def _is_about_text(error: DBAPIError) -> bool:
    # asyncpg says only that an argument is wrong; what was wrong with it stands further down.
    cause: BaseException | None = error.orig
    while cause is not None and not isinstance(cause, UnicodeEncodeError):
        cause = cause.__cause__ or cause.__context__
    return cause is not None


def _detail(error: DBAPIError) -> str:
    # SQLite names columns only; PostgreSQL quotes values, so its SQLSTATE has to do.
    if hasattr(error.orig, "sqlite_errorname"):
        return str(error.orig)
    return _sqlstate(error) or type(error.orig).__name__


def _unreachable() -> StoreError:
    hint = "Check that it runs and that the URL is right; Kefu connects again by itself."
    return StoreError("The database does not answer.", hint=hint, code="unreachable")
