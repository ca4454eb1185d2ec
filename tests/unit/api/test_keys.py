"""Keys open the API; nothing else does, and nothing shows them."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from bot.api.errors import RequestError
from bot.api.keys import Keys
from bot.errors import SettingsError
from bot.settings import load_settings

ONE, OTHER = "one" * 12, "other" * 8


def shown(value: str | None) -> dict[str, str]:
    return {} if value is None else {"Authorization": value}


def caller(keys: Keys, value: str | None) -> str:
    return keys.caller(make_mocked_request("GET", "/", headers=shown(value))).name


def test_without_a_key_the_api_is_closed_and_says_how_to_open_it() -> None:
    for value in (None, f"Bearer {ONE}", "Bearer "):
        with pytest.raises(RequestError, match="KEFU_API_KEYS") as refusal:
            caller(Keys(()), value)
        assert (refusal.value.status, refusal.value.code) == (403, "api_closed")
        assert ONE not in str(refusal.value)


def test_each_key_opens_and_has_a_name_of_its_own_that_does_not_show_it() -> None:
    keys = Keys((ONE, OTHER))
    names = [caller(keys, f"Bearer {ONE}"), caller(keys, f"bearer  {OTHER} ")]
    assert len(set(names)) == 2
    assert not any(key[:6] in name for key in (ONE, OTHER) for name in names)
    assert caller(keys, f"Bearer {ONE}") == names[0]
    assert ONE not in repr(vars(keys))


@pytest.mark.parametrize(
    "value", [None, "", "Bearer", "Bearer ", ONE, f"Basic {ONE}", f"Bearer {ONE[:-1]}", f"Bearer {ONE}x"]
)
def test_anything_else_is_refused(value: str | None) -> None:
    with pytest.raises(RequestError) as refusal:
        caller(Keys((ONE, OTHER)), value)
    assert refusal.value.status == 401
    assert refusal.value.headers == {"WWW-Authenticate": "Bearer"}


@pytest.mark.parametrize("keys", ["short", f"{ONE},short", f"{ONE} {OTHER}", "é" * 40])
def test_a_key_that_is_too_short_or_cannot_be_sent_is_refused_without_showing_it(
    keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEFU_API_KEYS", keys)
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert "KEFU_API_KEYS" in str(error.value)
    assert not any(part in str(error.value) for part in (ONE, OTHER, "é", "`short`"))


def test_several_keys_are_parted_by_commas_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_API_KEYS", f" {ONE} , {OTHER},")
    settings = load_settings()
    assert [key.get_secret_value() for key in settings.api_keys] == [ONE, OTHER]
    assert ONE not in repr(settings)
