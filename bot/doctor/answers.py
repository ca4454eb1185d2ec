"""What answers: release, encoder, index, whether the index says what the database says, intent head."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from math import isfinite
from typing import TYPE_CHECKING

from bot.doctor.finding import Finding, Skipped, ok, size, warning, wrong
from bot.doctor.machine import PROCESS, available
from bot.doctor.setup import Setup

if TYPE_CHECKING:
    from bot.store.alerts import Alert
    from retrieval.embed import Encoder
    from training.lesson import LessonHeads
    from training.release import Release

SENTENCES = ("这张银行卡怎么挂失？", "How do I report a lost card?")
UNIT = 1e-3
"""How far a vector's length may be from 1."""
ENOUGH = 0.9
"""Share of the bot's texts that were read before: the others take a first start seconds."""
WRITE = "`kefu releases vectors` writes it anew."
SHOWN = 3
"""Answers named when the index says otherwise."""
SLIPPED = (
    "Look at what was voted down (docs/guide-agent.md), add phrasings as customers write, or promise less."
)
AGAIN = "Restart the server: it makes the index again from the database."


def release(setup: Setup) -> Iterator[Finding]:
    from training.registry import list_releases

    live, *others = setup.releases()
    instead = next(found.name for found in (live, *others) if not found.trouble)
    if live.trouble:
        hint = "Bring its folder back, or `kefu releases rollback`, or promote another one."
        yield wrong(f"{live.name} is to be live and cannot be: {live.trouble}. {instead} answers.", hint)
    elif live.release is not None and not _fits(setup, live.release):
        hint = "Set `encoder` in bot.yml, or KEFU_ENCODER, back; or train again."
        yield warning(f"{live.name} was measured with another encoder than the bot has now.", hint)
    else:
        yield ok(f"{live.name} is live" + ("." if live.release is None else ", every file as it was made."))
    for found in others:
        if found.trouble:
            yield warning(f"there is no way back to {found.name}: {found.trouble}.", "Bring its folder back.")
    named = {found.name for found in (live, *others)}
    broken = [f.name for f in list_releases(setup.settings.home / "releases") if f.trouble]
    if loose := [name for name in broken if name not in named]:
        yield warning(f"damaged, and not in use: {', '.join(loose)}.", "`kefu releases prune` removes them.")


def _fits(setup: Setup, release: Release) -> bool:
    from bot.inference.encodings import base_fingerprint

    own = release.encoder.source == "folder"
    found = None if own else base_fingerprint(setup.settings.cache, setup.base)
    return found is None or found == release.encoder.fingerprint


def encoder(setup: Setup) -> Iterator[Finding]:
    from retrieval.onnx_encoder import OnnxEncoder

    yield from _brought(setup)
    manifest = setup.manifest()
    if manifest is None:
        yield _not_made("encoder")
    elif (free := available()) is not None and free < PROCESS:
        yield warning(f"{manifest.name} is whole; not loaded: {size(free)} of memory are left.")
    else:
        opened = OnnxEncoder.open(setup.encoder_folder, threads=setup.settings.encoder_threads)
        yield _tried(setup, opened)
        yield from _read_before(setup, opened)


def _brought(setup: Setup) -> Iterator[Finding]:
    """What bot.yml names, every byte compared."""
    from retrieval.delta import read_delta

    own = setup.own_encoder
    if own is None:
        return
    delta = read_delta(own, verify=True)
    told = f"the bot brings one along: {own.name}, {size(delta.size)}, of {delta.about.get('release', 'a release')}"
    if setup.settings.encoder is not None:
        yield warning(f"{told}. KEFU_ENCODER is set, and wins.", "Unset it to answer with the bot's own.")
    else:
        yield ok(f"{told}.")


def _not_made(what: str) -> Finding:
    if importlib.util.find_spec("torch") is None:
        hint = "Install Kefu with its `train` extra, or bring a cache that was made elsewhere (KEFU_CACHE)."
        return wrong(f"there is no {what} yet, and what makes it is not installed.", hint)
    return ok("made at the first start, in about a minute.")


def _tried(setup: Setup, opened: Encoder) -> Finding:
    opened.encode(SENTENCES)
    begun = time.perf_counter()
    vectors = opened.encode(SENTENCES)
    took = 1e3 * (time.perf_counter() - begun)
    # A length that is no number is not near 1 either.
    if not all(abs(float(length) - 1.0) < UNIT for length in (vectors**2).sum(axis=1) ** 0.5):
        stock = setup.encoder_folder.is_relative_to(setup.settings.cache)
        hint = f"Delete {setup.encoder_folder}: it is made again." if stock else "`kefu releases rollback`."
        return wrong("the encoder gives vectors that are not of length 1.", hint)
    return ok(f"whole; reads a Chinese and an English question in {took:.0f} ms.")


def _read_before(setup: Setup, opened: Encoder) -> Iterator[Finding]:
    """Vectors of its texts that the bot folder brings along: those of another encoder are of no use."""
    from bot.app import lesson_of
    from bot.inference.vectors import BROUGHT, are_of, brought_vectors, sample

    definition = setup.definition()
    file = definition.folder / BROUGHT
    if not file.is_file():
        return
    texts = lesson_of(definition, encoder=opened.fingerprint, trained=frozenset()).texts
    brought = brought_vectors(file, texts)
    some = sample(brought)
    if not are_of(dict(zip(some, opened.encode(some), strict=True)), brought):
        yield warning(f"{file.name} is of another encoder: a first start reads all texts.", WRITE)
    elif len(brought) < ENOUGH * len(texts):
        told = f"{file.name} has {len(brought):,} of {len(texts):,} texts"
        yield warning(f"{told}: a first start reads the others.", WRITE)
    else:
        yield ok(f"the bot brings along what it read in {len(brought):,} of {len(texts):,} texts.")


def reranker(setup: Setup) -> Iterator[Finding]:
    if (source := setup.settings.reranker) is None:
        yield ok("none is asked for.")
        return
    from retrieval.rerank.folder import MANIFEST, locate_reranker
    from retrieval.rerank.onnx_reranker import OnnxReranker

    folder = locate_reranker(setup.settings.cache, source)
    if not (folder / MANIFEST).exists():
        yield _not_made("reranker")
        return
    opened = OnnxReranker.open(folder)
    begun = time.perf_counter()
    scores = opened.score(SENTENCES[0], SENTENCES)
    took = 1e3 * (time.perf_counter() - begun)
    if not all(isfinite(score) for score in scores.tolist()):
        yield wrong("the reranker gives scores that are no numbers.", f"Delete {folder}: it is made again.")
        return
    yield ok(f"whole; reads a question with two texts in {took:.0f} ms.")


def index(setup: Setup) -> Iterator[Finding]:
    if setup.is_new:
        yield ok("the first start makes it.")
        return
    bundle = setup.bundle()
    if bundle is not None:
        yield ok(f"revision {bundle.revision}, {len(bundle.entries)} answers, every file as it was made.")
    elif setup.served():
        hint = "The server makes it within minutes. If it does not, see the server's log."
        yield warning(f"revision {setup.knowledge().revision} of the answers has no index yet.", hint)
    else:
        yield ok(f"the next start makes it, of {len(setup.knowledge().entries)} answers.")


def agreement(setup: Setup) -> Iterator[Finding]:
    from retrieval.drift import drift

    bundle = None if setup.is_new else setup.bundle()
    if bundle is None:
        yield ok("nothing to compare: the index is still to be made.")
        return
    entries = setup.knowledge().entries
    away = drift(entries, bundle.entries)
    if away:
        keys = {e.id: e.key for e in (*entries, *bundle.entries)}
        names = [keys[i] for i in (*away.gone, *away.changed, *away.missing)][:SHOWN]
        yield wrong(f"the index says otherwise than the database ({away}), as of {', '.join(names)}.", AGAIN)
    else:
        yield ok(f"index and database say the same {len(entries)} answers.")


def heads(setup: Setup) -> Iterator[Finding]:
    if not _has_encoder(setup):
        yield ok("the first start learns the bot's examples, in seconds.")
    elif (found := _learned(setup)) is not None:
        calibrated = (
            "calibrated" if found.calibrator else "too few phrasings to calibrate: it asks more often"
        )
        yield ok(f"{found.name}, made of these examples and answers; {calibrated}.")
    elif setup.served():
        yield warning(
            "the server learned from other examples or answers.", "A restart learns these, in seconds."
        )
    else:
        yield ok("the next start learns these examples, in seconds.")


def promise(setup: Setup) -> Iterator[Finding]:
    from bot.inference.promised import percent, slip, told

    definition = setup.definition()
    if definition.promise is None:
        yield ok("bot.yml makes none: the policy's thresholds decide.")
        return
    found = _learned(setup) if _has_encoder(setup) else None
    if found is None or found.promised is None:
        yield ok(f"the next start learns how to keep {percent(definition.promise.wrong)}.")
        return
    for one in told(found.promised, definition.languages):
        yield ok(f"{one.text}.") if one.answers else warning(f"{one.text}.", one.hint)
    for alert in _alerts(setup):
        if str(alert.about["release"]).endswith(f"/{found.name}"):
            yield warning(f"{slip(alert.about)}, since {alert.at:%Y-%m-%d %H:%M} UTC.", SLIPPED)


def _has_encoder(setup: Setup) -> bool:
    return not setup.is_new and setup.manifest() is not None


def _learned(setup: Setup) -> LessonHeads | None:
    """The heads of today's examples, answers and promise; None where they have not been made."""
    from bot.app import examples
    from bot.inference.release import Lesson
    from retrieval.onnx_encoder import fingerprint
    from training.lesson import open_heads
    from training.trained import read_trained

    manifest = setup.manifest()
    assert manifest is not None
    folders = [setup.encoder_folder, *([setup.serving.folder] if setup.serving else [])]
    trained = read_trained(*folders)
    known = tuple(examples(setup.definition())), setup.knowledge().entries
    lesson = Lesson(*known, fingerprint(manifest), trained, setup.definition().promise)
    return open_heads(setup.settings.home / "releases", lesson.name)


def _alerts(setup: Setup) -> list[Alert]:
    from bot.store.alerts import alerts
    from bot.store.glance import glance

    if setup.schema() != "current":
        raise Skipped("the database is not of this Kefu's schema")
    return glance(setup.settings.database_url, lambda session: alerts(session, "promise"))
