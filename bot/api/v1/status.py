"""/status: what is running, and what it knows."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from bot.api.access import Count
from bot.api.house import Call
from bot.api.routing import Routes
from bot.api.shapes import Data, Shown
from bot.domain.kept import slipped
from bot.inference.understanding import Live
from training.promise import Promised

ROUTES = Routes("status", "What is running, and what it knows.")


class Bundle(Shown):
    """What is searched right now."""

    revision: int = Field(description="Knowledge revision that is live.")
    answers: int
    encoder: str = Field(description="Fingerprint of the encoder.")


class PromiseIn(Shown):
    """A language under the bot's promise, and what customers made of the answers in it."""

    lang: str
    bound: float | None = Field(
        description="How sure the bot has to be to answer; null: it answers stored questions and buttons alone."
    )
    texts: int = Field(description="That the bound was learned from.")
    missing: int = Field(
        description="Phrasings that it lacks before it can promise; 0 beside no bound: more alone would not do."
    )
    answered: int = Field(description="Answers that were held against the promise.")
    wrong: int = Field(description="Those that got a thumb down, or were followed by a call for a person.")
    slipped: bool = Field(description="The promise is broken, as sure as it was made.")


class PromiseMade(Shown):
    wrong: float = Field(description="At most this share of what is answered is wrong.")
    sure: float = Field(description="The probability that this is so.")
    languages: list[PromiseIn]


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
    promise: PromiseMade | None = Field(description="Null: bot.yml makes none.")
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
            promise=await _promise(call, live),
            bundle=Bundle(
                revision=live.bundle.revision,
                answers=len(live.bundle.entries),
                encoder=live.bundle.encoder_fingerprint,
            ),
            revision=await call.rows.knowledge_revision(),
        )
    )


async def _promise(call: Call, live: Live) -> PromiseMade | None:
    if (promised := live.promised) is None:
        return None
    made = promised.promise
    counted = {one.lang: one for one in await call.rows.promise_counts(live.release)}
    spoken = [
        _in_language(counted.get(lang, Count(lang, 0, 0)), promised) for lang in call.desk.voice.languages
    ]
    return PromiseMade(wrong=made.wrong, sure=made.sure, languages=spoken)


def _in_language(count: Count, promised: Promised) -> PromiseIn:
    bound, made = promised.bound(count.lang), promised.promise
    return PromiseIn(
        lang=count.lang,
        bound=bound.at,
        texts=bound.texts,
        missing=bound.missing,
        answered=count.answered,
        wrong=count.wrong,
        slipped=slipped(count.wrong, count.answered, promised=made.wrong, sure=made.sure),
    )
