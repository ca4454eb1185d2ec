"""What several checks look at. Each thing is read when the first check asks for it, and once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from bot.clock import Clock, SystemClock
from bot.doctor.finding import Skipped
from bot.errors import KefuError, SettingsError
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.definition import BotDefinition, Problem
    from bot.inference.bundles import Knowledge
    from retrieval.bundle import Bundle
    from retrieval.model_folder import Manifest
    from training.registry import Found
    from training.release import Release

T = TypeVar("T")

PATIENCE_S = 30.0
"""For a long look at the database."""


class Once(Generic[T]):
    """Made at the first call. Where that fails, later calls raise `Skipped`: the failure has been told."""

    def __init__(self, make: Callable[[], T], what: str) -> None:
        self._make, self._what = make, what
        self._made: list[T] = []
        self._failed = False

    def __call__(self) -> T:
        if self._failed:
            raise Skipped(f"{self._what} is not to be had")
        if not self._made:
            try:
                self._made.append(self._make())
            except Exception:
                self._failed = True
                raise
        return self._made[0]


class Setup:
    """A bot folder, a home, a cache and a machine."""

    def __init__(
        self, settings: Settings, problems: Sequence[SettingsError], *, clock: Clock | None = None
    ) -> None:
        self.settings, self.problems = settings, problems
        self.clock = clock or SystemClock()
        self.began = (time.time(), time.monotonic())
        self.skipped: list[Problem] = []
        """What of the folder's documents cannot be used, once `definition` was read."""
        self.served = Once(self._served, "the home's lock")
        self.definition = Once(self._definition, "the bot folder")
        self.brought = Once(self._brought, "bot.yml")
        self.schema = Once(self._schema, "the database")
        self.knowledge = Once(self._knowledge, "the database")
        self.releases = Once(self._releases, "the database")
        self.manifest = Once(self._manifest, "the encoder")
        self.bundle = Once(self._bundle, "the index")

    @property
    def serving(self) -> Release | None:
        """The first release that can serve; None for base, and where the database does not say."""
        try:
            return next(found.release for found in self.releases() if not found.trouble)
        except (KefuError, Skipped):
            return None

    @property
    def encoder_folder(self) -> Path:
        """Of what serves; the base's where that has none of its own."""
        from retrieval.model_folder import locate

        own = self.serving.encoder_folder if self.serving else None
        return own or locate(self.settings.cache, self.base)

    @property
    def base(self) -> str:
        """Where the encoder is from that answers where a release has none."""
        return self.settings.base_encoder(self.own_encoder)

    @property
    def own_encoder(self) -> Path | None:
        """What the bot brings along; None too where bot.yml cannot be read, which the folder's check tells."""
        try:
            return self.brought()
        except (KefuError, Skipped):
            return None

    @property
    def is_new(self) -> bool:
        """Nothing was ever served from here."""
        from bot.store.glance import sqlite_path

        path = sqlite_path(self.settings.database_url)
        return self.schema() == "empty" if path is None or path.exists() else True

    def _served(self) -> bool:
        from bot.home import is_served

        return is_served(self.settings.home)

    def _definition(self) -> BotDefinition:
        from bot.definition import load
        from bot.documents import DocumentReader

        reader = DocumentReader(self.settings.documents, looks_only=True)
        return load(self.settings.bot, documents=reader, skipped=self.skipped.append)

    def _brought(self) -> Path | None:
        from bot.definition.load import read_encoder

        return read_encoder(self.settings.bot)

    def _schema(self) -> str:
        from bot.store.glance import schema

        return schema(self.settings.database_url)

    def _knowledge(self) -> Knowledge:
        from bot.engine.knowledge import knowledge_in
        from bot.store.glance import glance

        if self.schema() != "current":
            raise Skipped("the database is not of this Kefu's schema")
        return glance(self.settings.database_url, knowledge_in, within=PATIENCE_S)

    def _releases(self) -> list[Found]:
        """What a server tries, best first, every byte compared."""
        from bot.store.glance import glance
        from bot.store.releases import aliases
        from training.registry import resolve
        from training.release import BASE

        order: tuple[str, ...] = (BASE,)
        if not self.is_new:
            if self.schema() != "current":
                raise Skipped("the database is not of this Kefu's schema")
            order = glance(self.settings.database_url, aliases, within=PATIENCE_S).order
        return resolve(order, self.settings.home / "releases", verify=True)

    def _manifest(self) -> Manifest | None:
        """None where no encoder has been made yet."""
        from retrieval.model_folder import MANIFEST, read_manifest

        folder = self.encoder_folder
        return read_manifest(folder, verify=True) if (folder / MANIFEST).exists() else None

    def _bundle(self) -> Bundle | None:
        """The index of the database's revision under this encoder; None where it has not been made."""
        from bot.inference.bundles import bundle_name
        from retrieval.bundle import Bundle
        from retrieval.onnx_encoder import fingerprint

        manifest = self.manifest()
        if manifest is None:
            raise Skipped("there is no encoder yet")
        found = fingerprint(manifest)
        folder = self.settings.home / "bundles" / bundle_name(self.knowledge().revision, found)
        return Bundle.open(folder, encoder_fingerprint=found) if folder.exists() else None
