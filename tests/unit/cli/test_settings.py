"""The environment: read once, checked, and never repeated where it is secret."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from bot.errors import HomeError, SettingsError
from bot.settings import PREFIX, Settings, load_settings


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEFU_CACHE", raising=False)


def test_defaults_follow_the_bot_folder(tmp_path: Path) -> None:
    settings = load_settings(bot=tmp_path)
    assert settings.home == tmp_path / ".kefu"
    assert settings.database_url == f"sqlite:///{tmp_path}/.kefu/kefu.db"
    assert settings.cache == Path.home() / ".cache" / "kefu"
    assert (settings.host, settings.generator, settings.turn_deadline_s) == ("127.0.0.1", "extractive", 8.0)
    assert (settings.history_turns, settings.base_encoder()) == (6, "embedded")


def test_whose_encoder_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting wins, then what the bot brings along; training begins with the embedded one."""
    own = tmp_path / "encoder"
    settings = load_settings(bot=tmp_path)
    assert (settings.base_encoder(own), settings.base_encoder()) == (str(own), "embedded")
    monkeypatch.setenv("KEFU_ENCODER", "embedded")
    assert load_settings(bot=tmp_path).base_encoder(own) == "embedded"
    monkeypatch.setenv("KEFU_ENCODER", "org/model")
    assert load_settings(bot=tmp_path).base_encoder(own) == load_settings().base_encoder() == "org/model"


def test_a_home_of_its_own_takes_the_database_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_HOME", str(tmp_path / "h"))
    assert load_settings(bot=tmp_path).database_url == f"sqlite:///{tmp_path}/h/kefu.db"
    given = load_settings(bot=tmp_path, home=tmp_path / "g", port=None)
    assert (given.home, given.port) == (tmp_path / "g", 8000)


def test_lists_are_parted_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_ALLOWED_ORIGINS", "https://a.example, http://b.example:81,")
    monkeypatch.setenv("KEFU_TRUSTED_PROXIES", "10.0.0.0/8,::1")
    settings = load_settings()
    assert settings.allowed_origins == ("https://a.example", "http://b.example:81")
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1/128")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "tcp://10.0.0.1:80", "KEFU_PORT: `tcp://10.0.0.1:80` should be a valid integer"),
        ("PORT", "70000", "KEFU_PORT: `70000` should be less than or equal to 65535."),
        ("PROT", "1", "KEFU_PROT: there is no such setting. Did you mean KEFU_PORT?"),
        ("GENERATOR", "gpt", "KEFU_GENERATOR: `gpt` should be 'extractive', 'openai' or 'local'."),
        ("GENERATOR", "openai", "KEFU_GENERATOR_URL: is needed by KEFU_GENERATOR=openai. Base address"),
        ("GENERATOR_URL", "localhost", "KEFU_GENERATOR_URL: is not well formed. Base address"),
        ("GENERATOR_TIMEOUT_S", "0", "KEFU_GENERATOR_TIMEOUT_S: `0` should be greater than 0."),
        ("TURN_DEADLINE_S", "nan", "KEFU_TURN_DEADLINE_S: `nan` should be"),
        ("LOG_LEVEL", "loud", "KEFU_LOG_LEVEL: `loud` should be 'debug', 'info', 'warning' or 'error'."),
        ("ALLOWED_ORIGINS", "https://a.b/c", "KEFU_ALLOWED_ORIGINS: `https://a.b/c` is not well formed."),
        ("TRUSTED_PROXIES", "proxy", "KEFU_TRUSTED_PROXIES: `proxy` is not an address or a network"),
        ("SECRET", "sesame", "KEFU_SECRET: is shorter than 32 characters. Signs session tokens"),
        (
            "DATABASE_URL",
            "mysql://u:sesame@h/d",
            "KEFU_DATABASE_URL: is not well formed. Where rows are kept",
        ),
    ],
)
def test_a_bad_value_is_one_line_that_helps(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith(expected)
    assert "\n" not in str(caught.value)
    assert "sesame" not in str(caught.value)


def test_variables_that_a_cluster_sets_by_itself_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEFU_SERVICE_HOST", "KEFU_SERVICE_PORT", "KEFU_PORT_8080_TCP", "KEFU_PORT_8080_TCP_ADDR"):
        monkeypatch.setenv(name, "10.0.0.1")
    assert load_settings().port == 8000


def test_an_unknown_setting_in_code_is_an_error() -> None:
    with pytest.raises(
        SettingsError, match=r"KEFU_PROT: there is no such setting\. Did you mean KEFU_PORT\?"
    ):
        load_settings(prot=1)


def test_settings_are_frozen_and_shy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_DATABASE_URL", "postgresql://u:sesame@h/d")
    monkeypatch.setenv("KEFU_GENERATOR_KEY", "sesame")
    monkeypatch.setenv("KEFU_SECRET", "sesame" * 6)
    settings = load_settings()
    assert "sesame" not in repr(settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


def test_every_setting_is_described_in_one_sentence_or_more() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


def test_the_secret_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    settings = load_settings(bot=tmp_path)
    made: set[str] = set()
    threads = [threading.Thread(target=lambda: made.add(settings.signing_secret())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(made.pop()) >= 32
    files = list(settings.home.iterdir())
    assert [file.name for file in files] == ["secret"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert load_settings(bot=tmp_path, secret="x" * 32).signing_secret() == "x" * 32


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HomeError, match=r"file/home/secret: Not a directory\. Give the server a folder"):
        load_settings(home=tmp_path / "file" / "home").signing_secret()


def _openai(monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    monkeypatch.setenv("KEFU_GENERATOR", "openai")
    for name, value in given.items():
        monkeypatch.setenv(f"{PREFIX}GENERATOR_{name.upper()}", value)
    return load_settings()


def test_one_generator_server_takes_model_and_key_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _openai(monkeypatch, url="http://a:8001/v1", model="m", key="with,comma")
    assert settings.generator_servers == [("http://a:8001/v1", "m", "with,comma")]
    assert (settings.generator_first_token_s, settings.generator_between_tokens_s) == (3.0, 2.0)


def test_several_generator_servers_have_their_own_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _openai(monkeypatch, url="http://a/v1, http://b/v1,http://c/v1", model="m", key="x,,z")
    assert settings.generator_servers == [
        ("http://a/v1", "m", "x"), ("http://b/v1", "m", None), ("http://c/v1", "m", "z"),
    ]  # fmt: skip
    assert _openai(monkeypatch, model="k,l,m").generator_servers[1][1] == "l"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"key": "sesame"}, "GENERATOR_KEY: names 1 for 2"),
        ({"model": "k,l,m"}, "GENERATOR_MODEL: names 3 for 2"),
        ({"url": "http://me:sesame@a/v1,http://b/v1"}, "GENERATOR_URL: is not well formed"),
        ({"url": "http://a/v1,,http://b/v1"}, "GENERATOR_URL: is not well formed"),
    ],
)
def test_generator_servers_that_do_not_add_up(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], words: str
) -> None:
    """A key is never shown to a server that it may not belong to."""
    with pytest.raises(SettingsError) as caught:
        _openai(monkeypatch, **{"url": "http://a/v1,http://b/v1", "model": "m", **given})
    assert words in str(caught.value)
    assert "sesame" not in str(caught.value)


def test_a_verifier_at_the_generator_servers_has_its_own_model_or_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever words the answers: stored ones can be read by a server as well."""
    monkeypatch.setenv("KEFU_VERIFIER", "openai")
    with pytest.raises(SettingsError, match="GENERATOR_URL: is needed by KEFU_VERIFIER=openai"):
        load_settings()
    monkeypatch.setenv("KEFU_GENERATOR_URL", "http://a/v1,http://b/v1")
    with pytest.raises(SettingsError, match="GENERATOR_MODEL: is needed by KEFU_VERIFIER=openai"):
        load_settings()
    monkeypatch.setenv("KEFU_VERIFIER_MODEL", "judge")
    assert load_settings().verifier_servers == [
        ("http://a/v1", "judge", None),
        ("http://b/v1", "judge", None),
    ]
    settings = _openai(monkeypatch, model="k,l")
    assert [model for _, model, _ in settings.generator_servers] == ["k", "l"]
    assert [model for _, model, _ in settings.verifier_servers] == ["judge", "judge"]
    monkeypatch.delenv("KEFU_VERIFIER_MODEL")
    assert load_settings().verifier_servers == settings.generator_servers
    monkeypatch.setenv("KEFU_VERIFIER_MODEL", "i,j,k")
    with pytest.raises(SettingsError, match="VERIFIER_MODEL: names 3 for 2"):
        load_settings()
