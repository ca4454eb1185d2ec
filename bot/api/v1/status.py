"""/status: what is running, and what it knows."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from bot.api.house import Call
from bot.api.routing import Routes
from bot.api.shapes import Data, Shown

ROUTES = Routes("status", "What is running, and what it knows.")


class Bundle(Shown):
    """What is searched right now."""

    revision: int = Field(description="Knowledge revision that is live.")
    answers: int
    encoder: str = Field(description="Fingerprint of the encoder.")


class Status(Shown):
    version: str
    python: str
    started_at: datetime
    now: datetime
    database: str = Field(description="sqlite or postgresql.")
    languages: list[str]
    channels: list[str]
    generator: str
    release: str
    calibrated: bool = Field(description="False: too little to learn from; intent and search must agree.")
    bundle: Bundle
    revision: int = Field(
        description="Knowledge revision of the database; ahead of the bundle's for seconds."
    )


@ROUTES.get("/status")
async def read_status(call: Call) -> Data[Status]:
    """Say what is running, and what it knows."""
    desk, about = call.desk, call.house.about
    live = desk.mind.current()
    return Data(
        data=Status(
            version=about.version,
            python=about.python,
            started_at=about.started_at,
            now=desk.clock.now(),
            database=desk.store.dialect,
            languages=list(desk.voice.languages),
            channels=list(about.channels),
            generator=desk.generator.name,
            release=live.release,
            calibrated=live.heads.calibrator is not None,
            bundle=Bundle(
                revision=live.bundle.revision,
                answers=len(live.bundle.entries),
                encoder=live.bundle.encoder_fingerprint,
            ),
            revision=await call.rows.knowledge_revision(),
        )
    )
