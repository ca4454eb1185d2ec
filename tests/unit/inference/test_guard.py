"""The floor under generated text: what passes, what does not, and where the marks come to stand."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from bot.errors import GeneratorError, NotKnown
from bot.inference.generator import MAX_SENTENCES, Passage, Prompt
from bot.inference.guard import Guarded, approve, guarded, read_sources, supporters
from bot.testing import ScriptedGenerator

ENGLISH = (
    Passage(1, "Fees", "Replacing a lost debit card costs CNY 10. A replacement credit card costs CNY 15."),
    Passage(
        2,
        "Freezing",
        "If you only froze the card, you can unfreeze it in the app. A stolen card cannot be reactivated. "
        "Call 400-555-0119 between 9:00 and 17:00.",
    ),
)
CHINESE = (
    Passage(1, "费用", "借记卡遗失补卡的工本费为每张10元。信用卡补卡的工本费为每张15元。"),
    Passage(2, "挂失", "挂失不收费，受理后即时生效。已挂失的卡不能恢复。请携带身份证和旧卡到网点换卡。"),
)


def marks(sentence: str, passages: tuple[Passage, ...], lang: str) -> tuple[int, ...]:
    return supporters(sentence, read_sources(passages, lang))


@pytest.mark.parametrize(
    ("sentence", "mark"),
    [
        ("A replacement credit card costs CNY 15.", 1),
        ("The replacement credit card will cost CNY 15!", 1),
        ("A stolen card can't be reactivated.", 2),
        ("You can call 400-555-0119.", 2),
        ("you can unfreeze the card in the app, if you only froze it.", 2),
    ],
)
def test_what_one_sentence_of_a_passage_holds_passes(sentence: str, mark: int) -> None:
    assert marks(sentence, ENGLISH, "en") == (mark,)


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("A replacement credit card costs CNY 16.", "another number"),
        ("A replacement credit card costs CNY 1.", "part of a number"),
        ("A replacement credit card costs $15.", "another currency"),
        ("Replacing a lost debit card costs CNY 15.", "the number of another sentence"),
        ("Replacing costs CNY 10 for a credit card.", "words of two sentences"),
        ("A card costs CNY 15.", "shortened so that another number would fit as well"),
        ("A stolen card can be reactivated.", "a negation dropped"),
        ("A replacement credit card never costs CNY 15.", "a negation added"),
        ("You can unfreeze the card in the app.", "a condition dropped"),
        ("You can reactivate a stolen card in the app, if you only froze it.", "words of two sentences"),
        ("Call 400-555-0110.", "another telephone number"),
        ("Call between 9:00 and 18:00.", "another time"),
        ("Yes, replacing a lost debit card costs CNY 10.", "a word more"),
        ("I do not know.", "nothing of the passages"),
        ("15.", "no word"),
        ("!", "nothing"),
        ("", "nothing"),
    ],
)
def test_what_no_sentence_of_a_passage_holds_does_not_pass(sentence: str, why: str) -> None:
    assert marks(sentence, ENGLISH, "en") == (), why


@pytest.mark.parametrize(
    ("sentence", "mark"),
    [
        ("信用卡补卡工本费为每张15元。", 1),
        ("请您携带旧卡和身份证到网点换卡。", 2),
        ("挂失是不收费的。", 2),
        ("已挂失的卡不能恢复。", 2),
    ],
)
def test_chinese_passes_in_another_order_and_without_words_that_say_nothing(sentence: str, mark: int) -> None:
    assert marks(sentence, CHINESE, "zh") == (mark,)


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("补卡工本费为每张15元。", "shortened so that another number would fit as well"),
        ("信用卡补卡的工本费为每张10元。", "the number of another sentence"),
        ("挂失收费。", "a negation dropped"),
        ("已挂失的卡能恢复。", "a negation dropped"),
        ("请携带护照到网点换卡。", "a word more"),
        ("可以的。", "nothing"),
    ],
)
def test_chinese_that_says_more_or_the_contrary_does_not_pass(sentence: str, why: str) -> None:
    assert marks(sentence, CHINESE, "zh") == (), why


def test_a_sentence_as_it_stands_passes_though_another_one_begins_like_it() -> None:
    passages = (Passage(1, "Fees", "A card costs CNY 10. A card costs CNY 15 abroad."),)
    assert marks("A card costs CNY 10.", passages, "en") == (1,)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("A replacement credit card costs CNY 15 [1].", "A replacement credit card costs CNY 15. [1]"),
        ("A replacement credit card costs CNY 15.", "A replacement credit card costs CNY 15. [1]"),
        ("A replacement credit card costs CNY 15. [7]", "A replacement credit card costs CNY 15. [1]"),
        ("A replacement credit card costs CNY 15. [2][1]", "A replacement credit card costs CNY 15. [1]"),
        ("A replacement credit card costs CNY 99. [1]", None),
    ],
)
def test_marks_are_put_right(said: str, shown: str | None) -> None:
    assert approve(said, read_sources(ENGLISH, "en"), "en") == shown


def test_a_claimed_mark_is_kept_where_it_holds() -> None:
    twice = (ENGLISH[0], Passage(2, "Fees again", ENGLISH[0].text))
    assert approve("A replacement credit card costs CNY 15. [2]", read_sources(twice, "en"), "en") == (
        "A replacement credit card costs CNY 15. [2]"
    )


async def hear(*pieces: str, passages: tuple[Passage, ...] = ENGLISH, lang: str = "en") -> list[str]:
    generator = Guarded(ScriptedGenerator(*pieces))
    return [piece async for piece in generator.stream(Prompt("Ada", "?", lang, passages), deadline=5)]


async def test_sentences_are_heard_one_by_one_and_unsupported_ones_are_left_out() -> None:
    said = (
        "Sure! A stolen card cannot be reacti",
        "vated. [",
        "2] Replacing a lost debit card costs CNY 1",
        "0. ",
        "Bye.",
    )
    assert await hear(*said) == [
        "A stolen card cannot be reactivated. [2]",
        " Replacing a lost debit card costs CNY 10. [1]",
    ]


async def test_chinese_is_joined_without_blanks() -> None:
    said = "挂失不收费，受理后即时", "生效[2]。信用卡", "补卡的工本费为每张15元。[1]"
    heard = await hear(*said, passages=CHINESE, lang="zh")
    assert "".join(heard) == "挂失不收费，受理后即时生效。[2]信用卡补卡的工本费为每张15元。[1]"


async def test_marks_glued_to_english_sentences_part_them() -> None:
    heard = await hear("A stolen card cannot be reactivated.[2] Call 400-555-0119.[2]")
    assert heard == ["A stolen card cannot be reactivated. [2]", " Call 400-555-0119. [2]"]


async def test_a_sentence_that_the_end_cuts_off_is_left_out() -> None:
    heard = await hear("A stolen card cannot be reactivated. Replacing a lost debit card")
    assert heard == ["A stolen card cannot be reactivated. [2]"]


async def test_nothing_is_said_twice_and_a_rambler_is_stopped() -> None:
    facts = tuple(Passage(n, "", f"Rule number {n} stands.") for n in range(1, MAX_SENTENCES + 3))
    source = ScriptedGenerator(*[f"{fact.text} {fact.text} " for fact in facts], hangs=True)
    prompt = Prompt("Ada", "?", "en", facts)
    heard = [piece async for piece in Guarded(source).stream(prompt, deadline=5)]
    assert heard == [
        f"{' ' if n > 1 else ''}Rule number {n} stands. [{n}]" for n in range(1, MAX_SENTENCES + 1)
    ]
    assert source.abandoned == 1


async def test_nothing_supported_is_an_error() -> None:
    with pytest.raises(GeneratorError, match="supported"):
        await hear("Everything is free. Trust me.")


@pytest.mark.parametrize(
    "said",
    [
        "I do not know.",
        "I do not know",
        "The passages do not mention a Diamond card. A stolen card cannot be reactivated. [2]",
    ],
    ids=["alone", "without an end", "with what is beside the question"],
)
async def test_a_generator_that_begins_by_not_knowing_is_believed(said: str) -> None:
    with pytest.raises(NotKnown):
        await hear(said)


async def test_not_knowing_more_leaves_what_was_said() -> None:
    assert await hear("A stolen card cannot be reactivated. [2] I do not know more.") == [
        "A stolen card cannot be reactivated. [2]"
    ]


async def test_what_was_said_before_a_failure_is_heard() -> None:
    source = ScriptedGenerator(
        "A stolen card cannot be reactivated. Call now. ", "Then", error=GeneratorError("It broke off.")
    )
    stream = Guarded(source).stream(Prompt("Ada", "?", "en", ENGLISH), deadline=5)
    assert await anext(stream) == "A stolen card cannot be reactivated. [2]"
    with pytest.raises(GeneratorError, match="broke off"):
        await anext(stream)


async def test_closing_closes_the_stream_behind() -> None:
    closed = []

    async def source() -> AsyncGenerator[str, None]:
        try:
            yield "A stolen card cannot be reactivated. And "
            yield "more. "
        finally:
            closed.append(True)

    stream = guarded(source(), Prompt("Ada", "?", "en", ENGLISH))
    await anext(stream)
    await stream.aclose()
    assert closed == [True]


async def test_closing_the_guarded_generator_closes_the_generator() -> None:
    source = ScriptedGenerator()
    await Guarded(source).close()
    assert source.closed
