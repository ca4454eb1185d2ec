"""Times, URLs and errors on their way in and out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from sqlalchemy import DateTime, Dialect
from sqlalchemy.exc import DBAPIError

from bot.errors import Conflict, StoreError
from bot.store.columns import UtcDateTime, new_id
from bot.store.db import Database
from bot.store.engines import parse_url
from bot.store.entries import KnowledgeRow
from bot.store.failures import is_race, translate

URLS = ("sqlite:///kefu.db", "postgresql://host/kefu")
SHANGHAI = timezone(timedelta(hours=8))
NOON = datetime(2026, 3, 1, 12, tzinfo=SHANGHAI)


def dialect_of(url: str) -> Dialect:
    return parse_url(url).get_dialect()()


@pytest.mark.parametrize("url", URLS)
def test_a_time_comes_back_as_the_same_moment_in_utc(url: str) -> None:
    column, dialect = UtcDateTime(), dialect_of(url)
    stored = column.process_bind_param(NOON, dialect)
    back = column.process_result_value(stored, dialect)
    assert back == NOON
    assert back is not None
    assert back.tzinfo is UTC


@given(st.datetimes(timezones=st.timezones() | st.just(UTC)))
def test_sqlite_is_given_a_time_as_sqlalchemy_would_write_it(at: datetime) -> None:
    try:
        wall = at.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        reject()  # in UTC it lies in the year 0 or 10000
    dialect = dialect_of(URLS[0])
    theirs = DateTime().dialect_impl(dialect).bind_processor(dialect)
    ours = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
    assert theirs is not None
    assert ours is not None
    assert ours(at) == theirs(wall)
    assert ours(None) is None


@pytest.mark.parametrize("url", URLS)
def test_a_time_without_a_zone_is_refused(url: str) -> None:
    write = UtcDateTime().bind_processor(dialect_of(url))
    assert write is not None
    with pytest.raises(ValueError, match="zone"):
        write(datetime(2026, 3, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:////var/lib/kefu/kefu.db", "sqlite+pysqlite"),
        ("sqlite+aiosqlite:///kefu.db", "sqlite+pysqlite"),
        ("postgresql://kefu:secret@db/kefu", "postgresql+asyncpg"),
        ("postgresql+asyncpg://kefu@db/kefu", "postgresql+asyncpg"),
    ],
)
def test_a_url_gets_our_driver(url: str, driver: str) -> None:
    assert parse_url(url).drivername == driver


@pytest.mark.parametrize(
    "url", ["", "kefu.db", "sqlite://", "sqlite:///:memory:", "mysql://h/d", "postgresql://host"]
)
def test_a_url_that_names_no_database_of_ours_is_refused(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        Database(url)
    assert caught.value.code == "bad_url"
    assert "sqlite:////absolute/path.db" in caught.value.hint


class Refused(Exception):
    """As asyncpg says it: a state, and words that may quote a row."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__("Failing row contains (my card number is 4929)")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("23505", "conflict"),
        ("40001", "conflict"),
        ("53100", "disk_full"),
        ("57P01", "unreachable"),
        ("08006", "unreachable"),
        ("28P01", "unreachable"),
        ("25006", "read_only"),
        ("42P01", "store"),
    ],
)
def test_postgresql_states_have_our_codes_and_quote_no_row(state: str, code: str) -> None:
    error = translate(DBAPIError("INSERT", {}, Refused(state)))
    assert isinstance(error, StoreError)
    assert error.code == code
    assert isinstance(error, Conflict) == (code == "conflict")
    assert "4929" not in str(error)


def test_races_are_run_again_and_nothing_else_is() -> None:
    states = {"23505": True, "40001": True, "40P01": True, "53100": False, "23503": False}
    assert {s: is_race(DBAPIError("INSERT", {}, Refused(s))) for s in states} == states
    assert not is_race(ValueError("40001"))


def test_other_errors_are_left_as_they_are() -> None:
    error = KeyError("x")
    assert translate(error) is error


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(StoreError) as caught:
        await Database("postgresql://kefu:kefu@/kefu?host=/nonexistent").open()
    assert caught.value.code == "unreachable"


def test_ids_are_long_and_differ() -> None:
    ids = {new_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert {len(i) for i in ids} == {22}


def test_the_content_hash_tells_every_field_apart() -> None:
    base = KnowledgeRow("k", "en", "q", "a")
    others = [
        KnowledgeRow("k", "en", "q2", "a"),
        KnowledgeRow("k", "en", "q", "a2"),
        KnowledgeRow("k", "en", "q", "a", title="t"),
        KnowledgeRow("k", "en", "q", "a", intent="t"),
        KnowledgeRow("k", "en", "q", "a", url="t"),
        KnowledgeRow("k", "en", "q", "a", alternatives=("x", "y")),
        KnowledgeRow("k", "en", "q", "a", alternatives=("xy",)),
        KnowledgeRow("k", "en", "q", "a", valid_from=NOON.date()),
        KnowledgeRow("k", "en", "q", "a", valid_to=NOON.date()),
    ]
    assert len({row.content_hash for row in (base, *others)}) == 10
    assert KnowledgeRow("other", "zh", "q", "a").content_hash == base.content_hash
