"""What the doctor says of releases."""

from __future__ import annotations

import asyncio
import shutil
from functools import partial
from itertools import pairwise

from bot.app import examples
from bot.clock import SystemClock
from bot.definition import load
from bot.engine.knowledge import knowledge_in
from bot.inference.bundles import Knowledge
from bot.inference.release import Lesson
from bot.settings import load_settings
from bot.store import releases
from bot.store.db import Database
from bot.store.glance import glance
from tests.unit.doctor.conftest import Place, flip
from tests.unit.training.shelf import draft, encoder_folder
from training.registry import add_release
from training.release import Release


def promoted(place: Place, *names: str) -> None:
    async def write() -> None:
        store = Database(load_settings(bot=place.bot).database_url)
        await store.open()
        for before, name in pairwise(("base", *names)):
            note = releases.Note("ada")
            now = SystemClock().now()
            await store.write(partial(releases.promote, name=name, now=now, instead=before, note=note))
        await store.close()

    asyncio.run(write())


def tuned(place: Place, *, seed: int = 1) -> Release:
    """A release with an encoder of its own."""
    encoder = encoder_folder(place.bot.parent / f"tuned{seed}", seed=seed)
    return add_release(place.home / "releases", draft(encoder), now=SystemClock().now())


def test_base_is_live_where_nothing_was_promoted(place: Place) -> None:
    assert place.doctor()["release"] == ("ok", "base is live. ")


def test_encoder_and_index_are_those_of_the_live_release(place: Place) -> None:
    made = tuned(place)
    promoted(place, made.name)
    report = place.doctor()
    assert report["release"] == ("ok", f"{made.name} is live, every file as it was made. ")
    assert report["encoder"][0] == "ok"
    assert report["index"] == ("ok", "the next start makes it, of 2 answers. ")
    assert report.wrong == set()


def test_a_live_release_that_is_damaged_or_gone(place: Place) -> None:
    first, second = tuned(place), tuned(place, seed=2)
    promoted(place, first.name, second.name)
    flip(second.folder / "encoder" / "encoder.onnx")
    state, text = place.doctor()["release"]
    assert (state, f"{second.name} is to be live and cannot be: " in text) == ("wrong", True)
    assert f"encoder.onnx has changed since it was made. {first.name} answers." in text
    assert "`kefu releases rollback`" in text
    shutil.rmtree(second.folder)
    shutil.rmtree(first.folder)
    report = place.doctor()
    assert f"There is no release {second.name}" in report["release"][1]
    assert "base answers" in report["release"][1]
    assert f"there is no way back to {first.name}" in report["release"][1]
    assert report["encoder"][0] == "ok"
    assert report.wrong == {"release"}


def test_a_damaged_release_that_nobody_uses_is_a_warning(place: Place) -> None:
    made = tuned(place)
    flip(made.folder / "card.md")
    assert place.doctor()["release"][0] == "warning"
    assert f"damaged, and not in use: {made.name}" in place.doctor()["release"][1]


def test_figures_of_another_encoder_than_the_settings_name(place: Place) -> None:
    made = add_release(place.home / "releases", draft(), now=SystemClock().now())
    promoted(place, made.name)
    state, text = place.doctor()["release"]
    assert (state, "was measured with another encoder" in text) == ("warning", True)


def test_heads_are_those_made_knowing_what_their_encoder_was_trained_on(place: Place) -> None:
    encoder = encoder_folder(place.bot.parent / "tuned")
    trained = frozenset({"a" * 16})
    made = add_release(place.home / "releases", draft(encoder, trained=trained), now=SystemClock().now())
    promoted(place, made.name)
    assert "the next start learns" in place.doctor()["heads"][1]
    known = read(load_settings(bot=place.bot).database_url)
    lesson = Lesson(tuple(examples(load(place.bot))), known.entries, made.encoder.fingerprint, trained)
    (old,) = (place.home / "releases").glob("heads-*")
    old.rename(place.home / "releases" / lesson.name)
    assert "made of these examples and answers" in place.doctor()["heads"][1]


def read(url: str) -> Knowledge:
    return glance(url, knowledge_in)
