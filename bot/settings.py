"""The sole reader of the environment: `KEFU_*` variables, overridden by what the command line says.

`load_settings(bot=folder, port=8000)` returns a frozen `Settings`, or raises `SettingsError` in one line.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from decimal import Decimal
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import HomeError, SettingsError
from retrieval.model_folder import EMBEDDED

PREFIX = "KEFU_"
SERVED = "openai"
"""A model that is asked at `KEFU_GENERATOR_URL`."""
_SHY = ("secret", "api_keys", "generator_key", "generator_url", "rasa_token", "database_url")
"""Values that no message repeats."""
SECRET_LENGTH = 32
_SERVER = r"https?://[^\s,/@]+(/[^\s,@]*)?"
_SERVERS = rf"^{_SERVER}(\s*,\s*{_SERVER})*$"
"""Without a name and a password: keys have a setting of their own."""
_PRICE = r"\d{1,6}(\.\d{1,6})?\s*/\s*\d{1,6}(\.\d{1,6})?"
_PRICES = rf"^{_PRICE}(\s*,\s*{_PRICE})*$"
_KEY = re.compile(rf"[\x21-\x7e]{{{SECRET_LENGTH},}}")


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise PydanticCustomError("network", "is not an address or a network such as 10.0.0.0/8") from None


Origin = Annotated[str, StringConstraints(pattern=r"^(\*|https?://[A-Za-z0-9.\-\[\]:]{1,255})$")]
"""A web origin without a path, or `*` for any page."""
Network = Annotated[str, AfterValidator(_network)]
Server = tuple[str, str, str | None]
"""Address, model, key."""


def _home(given: Mapping[str, Any]) -> Path:
    return Path(given["bot"]) / ".kefu"


def _database(given: Mapping[str, Any]) -> str:
    return f"sqlite:///{Path(given['home']).absolute() / 'kefu.db'}"


class Settings(BaseSettings):
    """Every setting, its default and what it means. The variable is the name in capitals after `KEFU_`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True, hide_input_in_errors=True
    )

    bot: Path = Field(Path("."), description="The bot folder.")
    home: Path = Field(
        default_factory=_home,
        description="Where state lives: database, index bundles, secret. Default: `.kefu` in the bot folder.",
    )
    cache: Path = Field(
        Path("~/.cache/kefu"), description="Models by their content; several homes may share it."
    )
    database_url: str = Field(
        default_factory=_database,
        pattern=r"^(sqlite|postgresql)(\+\w+)?://.+$",
        repr=False,
        description="Where rows are kept: `sqlite:////absolute/path.db` or "
        "`postgresql://user:password@host/name`. Default: `kefu.db` in the home.",
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address the server listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port the server listens on; 0 takes a free one.")
    encoder: str | None = Field(
        None,
        min_length=1,
        description="`embedded` (multilingual-e5-small, built once into the cache), a folder, or a hub name. Default: "
        "what `encoder` in bot.yml names, else `embedded`.",
    )
    encoder_threads: int = Field(0, ge=0, le=256, description="Threads of the encoder; 0: one a core.")
    reranker: str | None = Field(
        None,
        min_length=1,
        description="A cross-encoder that reads question and answer together where several answers are close: a folder "
        "(made ready once, into the cache), or a hub name. Default: none.",
    )
    verifier: str | None = Field(
        None,
        min_length=1,
        description="A model that reads question and answer together where the bot is not sure that one answers the "
        "other: `qwen-1.5b` or the path of a GGUF file with a chat template (in this process), or `openai` (at the "
        "servers of `KEFU_GENERATOR_URL`). Default: none.",
    )
    verifier_adapter: Path | None = Field(
        None,
        description="What the verifier's model was taught: the file that `kefu train BOT --task verifier` makes. "
        "Default: for `qwen-1.5b` the one that comes with Kefu, for any other model none.",
    )
    verifier_model: str | None = Field(
        None,
        description="Name of the verifier's model at those servers: one for all, or one for each (parted by commas). "
        "Default: `KEFU_GENERATOR_MODEL`.",
    )
    verifier_taught: bool = Field(
        False,
        description="Whether that model has an adapter that `kefu train BOT --task verifier` made, or the one that "
        "comes with Kefu: it is asked as it was taught, then.",
    )
    verifier_timeout_s: float = Field(
        4.0, gt=0, le=600, description="Seconds it may read; then the bot decides without it."
    )
    generator: Literal["extractive", "openai", "local"] = Field(
        "extractive",
        description="Who words the answers: `extractive` (stored sentences), `openai` (a server that speaks "
        "OpenAI's chat API), `local` (a small model in this process).",
    )
    generator_url: str | None = Field(
        None,
        pattern=_SERVERS,
        description="Base address of the generator server, up to `/v1`; several (parted by commas) are asked in "
        "their order.",
    )
    generator_model: str | None = Field(
        None,
        description="Name of the model at the generator server: one for all servers, or one for each (parted by "
        "commas); for `local` `gemma-270m` (the default), `qwen-1.5b`, or the path of a GGUF file.",
    )
    generator_threads: int = Field(
        1, ge=1, le=256, description="Threads of the model in this process. `qwen-1.5b` wants two at least."
    )
    generator_key: SecretStr | None = Field(
        None,
        description="Key of the generator server; of several servers one for each (parted by commas; nothing "
        "between two commas: none).",
    )
    generator_price: str | None = Field(
        None,
        pattern=_PRICES,
        description="What a million tokens read and written cost, as `0.15/0.60`: one for all servers, or one for "
        "each (parted by commas). In the money that `KEFU_GENERATOR_COST_PER_DAY` is in.",
    )
    generator_tokens_per_day: int | None = Field(
        None,
        ge=0,
        le=10**12,
        description="Tokens, read and written, that generators may take in a day (UTC); then stored answers are said.",
    )
    generator_cost_per_day: Decimal | None = Field(
        None,
        ge=0,
        le=10**6,
        description="What generator servers may cost in a day (UTC) by `KEFU_GENERATOR_PRICE`; then stored answers "
        "are said.",
    )
    generator_timeout_s: float = Field(
        6.0,
        gt=0,
        le=600,
        description="Seconds a generator may take for one answer; then the stored one is said.",
    )
    generator_first_token_s: float = Field(
        default_factory=lambda given: float(given["generator_timeout_s"]) / 2,
        gt=0,
        le=600,
        description="Seconds until a generator server has to begin; then the next one is asked. Default: half of "
        "`KEFU_GENERATOR_TIMEOUT_S`.",
    )
    generator_between_tokens_s: float = Field(
        default_factory=lambda given: float(given["generator_timeout_s"]) / 3,
        gt=0,
        le=600,
        description="Seconds a generator server may say nothing in the middle of an answer; then the stored one "
        "is said. Default: a third of `KEFU_GENERATOR_TIMEOUT_S`.",
    )
    generator_in_flight: int = Field(
        32, ge=1, le=10_000, description="Answers that generator servers are asked for at once."
    )
    generator_waiting: int = Field(
        64,
        ge=0,
        le=100_000,
        description="Answers that may wait for one of those to end; for one more the stored one is said at once.",
    )
    turn_deadline_s: float = Field(
        8.0, gt=0, le=600, description="Seconds until a customer is told that the answer takes longer."
    )
    history_turns: int = Field(6, ge=0, le=100, description="Earlier turns that a new message is read with.")
    rate_per_minute: int = Field(
        30, ge=0, le=100_000, description="Messages one session may send in a minute; 0: no limit."
    )
    allowed_origins: Annotated[tuple[Origin, ...], NoDecode] = Field(
        (),
        description="Web origins (`https://host[:port]`, or `*`; parted by commas) that may embed the "
        "widget, beside the server's own and those in bot.yml.",
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(
        ("127.0.0.0/8", "::1/128"),
        description="Addresses or networks (parted by commas) whose X-Forwarded-For is believed. Default: "
        "this machine.",
    )
    rasa_token: SecretStr | None = Field(
        None,
        description="Token that clients of a `rasa` channel have to name; its limit by address then does not "
        "hold. Without one everybody may ask.",
    )
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Keys (parted by commas, at least 32 characters each) that open the HTTP API under "
        "`/api/v1`. Without one it is closed.",
    )
    api_rate_per_minute: int = Field(
        600, ge=0, le=1_000_000, description="API requests one key may make in a minute; 0: no limit."
    )
    secret: SecretStr | None = Field(
        None,
        description="Signs session tokens; at least 32 characters. Default: made once, kept in the home.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level logged.")

    @field_validator("bot", "home", "cache")
    @classmethod
    def _expanded(cls, path: Path) -> Path:
        return path.expanduser()

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, level: object) -> object:
        return level.lower() if isinstance(level, str) else level

    @field_validator("allowed_origins", "trusted_proxies", "api_keys", mode="before")
    @classmethod
    def _parted(cls, items: object) -> object:
        if isinstance(items, str):
            return tuple(part.strip() for part in items.split(",") if part.strip())
        return items

    @field_validator("secret")
    @classmethod
    def _long(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < SECRET_LENGTH:
            raise PydanticCustomError("short", "is shorter than 32 characters")
        return secret

    @field_validator("api_keys")
    @classmethod
    def _all_long(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(not _KEY.fullmatch(key.get_secret_value()) for key in keys):
            raise PydanticCustomError("key", "holds a key with fewer than 32 characters, or with blanks")
        return keys

    @model_validator(mode="after")
    def _servers_complete(self) -> Settings:
        if self.generator == SERVED:
            self._needed("generator", "generator_url", "generator_model")
            _ = self.generator_servers, self.generator_prices
        if self.verifier == SERVED:
            self._needed("verifier", "generator_url", *(() if self.verifier_model else ("generator_model",)))
            _ = self.verifier_servers, self.generator_prices
        if self.generator_cost_per_day is not None and not self.generator_price:
            words = "needs KEFU_GENERATOR_PRICE: without it nothing is known to cost anything"
            raise PydanticCustomError("price", "{words}", {"name": "generator_cost_per_day", "words": words})
        return self

    @property
    def generator_servers(self) -> list[Server]:
        """Each in the order in which they are asked."""
        return self._servers("generator_model")

    @property
    def verifier_servers(self) -> list[Server]:
        """The same with the verifier's model."""
        return self._servers("verifier_model" if self.verifier_model else "generator_model")

    def _needed(self, by: str, *names: str) -> None:
        for name in names:
            if not getattr(self, name):
                words = f"is needed by KEFU_{by.upper()}={SERVED}"
                raise PydanticCustomError("needs", "{words}", {"name": name, "by": by, "words": words})

    def _servers(self, model: str) -> list[Server]:
        urls = _split(self.generator_url or "")
        models = _split(getattr(self, model) or "")
        secret = self.generator_key.get_secret_value() if self.generator_key else ""
        keys = _split(secret) if len(urls) > 1 else [secret]
        _one_each(model, models, urls, shared=True)
        _one_each("generator_key", keys, urls, shared=not secret)
        pairs = zip(urls, models * len(urls), keys * len(urls), strict=False)
        return [(url, model, key or None) for url, model, key in pairs]

    @property
    def generator_prices(self) -> list[tuple[Decimal, Decimal]]:
        """(of a million tokens read, of a million written) at each of the servers."""
        urls, prices = _split(self.generator_url or ""), _split(self.generator_price or "0/0")
        _one_each("generator_price", prices, urls, shared=True)
        return [_price(price) for price in (prices * len(urls))[: len(urls)]]

    def base_encoder(self, own: Path | None = None) -> str:
        """What answers where a release has no encoder of its own: the setting, where it is given; else what the bot's
        folder brings (`own`); else the embedded one. Without `own`: what training begins with.
        """
        return self.encoder or (str(own) if own else EMBEDDED)

    @property
    def documents(self) -> Path:
        """Where it is kept what documents came to: made anew from them at any time."""
        return self.home / "documents"

    def signing_secret(self) -> str:
        """What signs sessions: the setting, or the one kept in the home, made there once (mode 0600).

        Blocking. Raises `HomeError` where the home cannot be written.
        """
        return self.secret.get_secret_value() if self.secret else _kept_secret(self.home / "secret")


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _price(text: str) -> tuple[Decimal, Decimal]:
    read, written = text.split("/")
    return Decimal(read.strip()), Decimal(written.strip())


def _one_each(name: str, items: list[str], urls: list[str], *, shared: bool) -> None:
    """A key is shown to the server that it belongs to, and to no other: one is not taken for all."""
    if len(items) != len(urls) and not (shared and len(items) == 1):
        words = f"names {len(items)} for {len(urls)} addresses of KEFU_GENERATOR_URL"
        raise PydanticCustomError("servers", "{words}", {"name": name, "words": words})


def load_settings(**given: Any) -> Settings:
    """Settings from the environment; `given` wins, and None in it means not given. Raises `SettingsError`."""
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise _plain(error.errors(include_url=False)[0]) from None
    if wrong := _typos():
        raise wrong[0]
    return settings


def survey(**given: Any) -> tuple[Settings, list[SettingsError]]:
    """Every problem, and the settings as they would be without it. For who explains rather than starts."""
    wrong: list[SettingsError] = []
    left = {name: value for name, value in given.items() if value is not None}
    names: set[str] = set()
    for _ in Settings.model_fields:
        try:
            with _unset(names):
                return Settings(**left), [*wrong, *_typos()]
        except ValidationError as error:
            problems = error.errors(include_url=False)
        wrong += map(_plain, problems)
        names |= {problem.get("ctx", {}).get("by") or _name(problem) for problem in problems}
        left = {name: value for name, value in left.items() if name not in names}
    raise wrong[0]


@contextmanager
def _unset(names: Iterable[str]) -> Iterator[None]:
    """As if the environment had no such settings."""
    variables = [v for v in os.environ if v.lower() in {f"{PREFIX}{name}".lower() for name in names}]
    kept = {variable: os.environ.pop(variable) for variable in variables}
    try:
        yield
    finally:
        os.environ.update(kept)


def _kept_secret(path: Path) -> str:
    try:
        if not path.exists():
            _make_secret(path)
        return path.read_text().strip()
    except OSError as error:
        hint = "Give the server a folder that it may write, by --home or KEFU_HOME."
        raise HomeError(f"{path}: {error.strerror}.", hint=hint, code="home_unwritable") from None


def _make_secret(path: Path) -> None:
    """Complete before it has its name, and never replaced: two processes that begin together agree."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"secret.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(secrets.token_urlsafe(SECRET_LENGTH))
        stream.flush()
        os.fsync(stream.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def _plain(error: ErrorDetails) -> SettingsError:
    """One line, without the value where it is secret."""
    name = _name(error)
    if error["type"] == "extra_forbidden":
        return _unknown(name)
    field = Settings.model_fields[name]
    value = error["input"]
    shown = f"`{value}` " if isinstance(value, str) and name not in _SHY else ""
    what = "is not well formed" if error["type"] == "string_pattern_mismatch" else error["msg"]
    what = what.removeprefix("Input ").removeprefix("String ")
    return SettingsError(f"{PREFIX}{name.upper()}: {shown}{what}.", hint=field.description or "")


def _name(error: ErrorDetails) -> str:
    return str(error.get("ctx", {}).get("name") or (error["loc"] or ("",))[0])


def _unknown(name: str) -> SettingsError:
    close = get_close_matches(name, Settings.model_fields, n=1)
    hint = f"Did you mean {PREFIX}{close[0].upper()}?" if close else "Remove it."
    return SettingsError(f"{PREFIX}{name.upper()}: there is no such setting.", hint=hint)


def _typos() -> list[SettingsError]:
    """A misspelt variable is an error. Others with the prefix stay: clusters set some of their own."""
    names = (variable.removeprefix(PREFIX).lower() for variable in os.environ if variable.startswith(PREFIX))
    unknown = (name for name in names if name not in Settings.model_fields)
    return [_unknown(name) for name in unknown if get_close_matches(name, Settings.model_fields, cutoff=0.7)]
