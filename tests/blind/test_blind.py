"""Questions put to the whole of each example bot. The bank's sixty are by somebody who saw only its list of topics."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.app import Bot, lesson_of
from bot.cli.exam import put
from bot.cli.judge import Verdict, judge_all
from bot.cli.robust import robustness
from bot.definition.questions import Pair, Question, read_pairs, read_questions
from bot.inference.vectors import BROUGHT, SAMPLE, are_of, brought_vectors, sample
from retrieval.embed import Vectors

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
BANK = EXAMPLES / "bank"
SHOP = EXAMPLES / "shop"
AT_LEAST, MEANT_AT_LEAST = 51, 54
"""Of 60 answered rightly; and of these with those where the bot asked which is meant, and offered the right answer. The
first run had 19; this one, on the encoder that the bank brings, has 54 and 57, and 49 and 56 on the embedded one
(docs/adr/0024). Three may fall over on a machine that rounds otherwise.
"""
WRITTEN_FIRST = "tests/questions.jsonl"
SHOP_AT_LEAST, SHOP_MEANT_AT_LEAST = 47, 49
"""Of 60, as above: 50 and 53. The first run, before documents could be read, had 26."""
DIALOGUES = "tests/dialogues.jsonl"
DIALOGUES_AT_LEAST = 47
"""Of 52, this one has 49; two may fall over, as above."""
FOLLOW_UPS = "tests/followups.jsonl"
FOLLOW_UPS_AT_LEAST = 0.74
"""Share of 120 that are answered rightly: 92 are, and 96 of as many others that the weights were chosen on. The first
run, without a weight for both readings, had 82 and 82.
"""
STAY = 0.97
"""Share of answers that stay under another script, width or case."""
MISTYPED = 0.88
"""Share that stay with one slip of the keyboard (docs/adr/0014)."""
APART = 0.9
"""Share of a bot's pairs of a wish and its negation."""
FIRST_START_S = 900
"""On the first start on a machine both bots learn of their phrasings, 11,000 and 7,000; on a busy one that is
a matter of minutes."""
pytestmark = pytest.mark.encoder


Questions = Sequence[Question]


@pytest.fixture(scope="module")
def blind() -> Questions:
    return read_questions(HERE / "questions.jsonl")


@pytest.fixture(scope="module")
def of_bank() -> Questions:
    return [q for q in read_questions(BANK) if q.file in (WRITTEN_FIRST, DIALOGUES)]


@pytest.fixture(scope="module")
def pairs() -> Sequence[Pair]:
    return read_pairs(BANK)


@pytest.fixture(scope="module")
def of_shop() -> Questions:
    return [q for q in read_questions(SHOP) if q.file == WRITTEN_FIRST]


def test_the_set_is_what_it_claims_to_be(blind: Questions) -> None:
    assert Counter(q.lang for q in blind) == {"zh": 30, "en": 30}
    assert sum(len(q.turns) == 2 for q in blind) == 10
    assert sum(q.expected == ("refuse",) for q in blind) == 15


async def asked(bot: Bot, questions: Questions) -> list[Verdict]:
    return await judge_all(bot, questions, doing="asking", progress=lambda *_: None)


def missed(verdict: Verdict) -> bool:
    """The right answer is not even among those that it offered."""
    return not verdict.right and set(verdict.options).isdisjoint(verdict.question.expected)


@pytest.mark.timeout(FIRST_START_S)
async def test_blind_questions(bank: Bot, blind: Questions) -> None:
    verdicts = await asked(bank, blind)
    wrong = [v for v in verdicts if not v.right]
    assert len(verdicts) - len(wrong) >= AT_LEAST, "\n".join(map(str, wrong))
    assert len(verdicts) - sum(map(missed, wrong)) >= MEANT_AT_LEAST, "\n".join(map(str, wrong))


async def test_the_banks_own_questions(bank: Bot, of_bank: Questions) -> None:
    """Those that the bank's folder brings along (examples/bank/tests): a floor against regressions."""
    verdicts = await asked(bank, [q for q in of_bank if q.file != DIALOGUES])
    right = sum(v.right for v in verdicts)
    assert right >= 0.8 * len(verdicts), [v for v in verdicts if not v.right]


async def test_the_banks_own_dialogues(bank: Bot, of_bank: Questions) -> None:
    """A new question in mid-conversation, a fragment that goes on, something foreign: which is it?"""
    verdicts = await asked(bank, [q for q in of_bank if q.file == DIALOGUES])
    wrong = [v for v in verdicts if not v.right]
    assert len(verdicts) == 52
    assert len(verdicts) - len(wrong) >= DIALOGUES_AT_LEAST, "\n".join(map(str, wrong))


@pytest.fixture(params=[BANK / FOLLOW_UPS, HERE / "continuing.jsonl"], ids=["judged by", "chosen on"])
def going_on(request: pytest.FixtureRequest) -> Questions:
    return read_questions(request.param)


async def test_what_goes_on_from_the_message_before(bank: Bot, going_on: Questions) -> None:
    """Fragments, switches, new topics, in both languages alike (docs/adr/0021)."""
    verdicts = await asked(bank, going_on)
    wrong = [v for v in verdicts if not v.right]
    assert len(verdicts) == 120
    assert len(verdicts) - len(wrong) >= FOLLOW_UPS_AT_LEAST * len(verdicts), "\n".join(map(str, wrong))


def test_the_shops_set_is_what_it_claims_to_be(of_shop: Questions) -> None:
    assert Counter(q.lang for q in of_shop) == {"zh": 30, "en": 30}
    assert sum(q.expected == ("refuse",) for q in of_shop) == 12
    assert sum(q.expected[0].endswith((".pdf", ".xlsx")) for q in of_shop) == 12


@pytest.mark.timeout(FIRST_START_S)
async def test_the_shops_own_questions(shop: Bot, of_shop: Questions) -> None:
    verdicts = await asked(shop, of_shop)
    wrong = [v for v in verdicts if not v.right]
    assert len(verdicts) - len(wrong) >= SHOP_AT_LEAST, "\n".join(map(str, wrong))
    assert len(verdicts) - sum(map(missed, wrong)) >= SHOP_MEANT_AT_LEAST, "\n".join(map(str, wrong))


@pytest.fixture(params=["bank", "shop"])
def either(request: pytest.FixtureRequest) -> Bot:
    found: Bot = request.getfixturevalue(request.param)
    return found


async def test_what_was_read_is_brought_along_and_is_their_encoders(either: Bot) -> None:
    """Where this fails, `kefu releases examples/bank vectors` writes it anew: a first start would read all texts."""
    reader = either.host.current().reader
    texts = lesson_of(either.definition, encoder=reader.fingerprint, trained=frozenset()).texts
    brought = await asyncio.to_thread(brought_vectors, either.definition.folder / BROUGHT, texts)
    assert len(brought) >= 0.9 * len(texts)
    read: dict[str, Vectors] = {}
    await reader.embed(sample(brought), read, lambda *_: None)
    assert len(read) == SAMPLE
    assert are_of(read, brought)


async def test_answers_stay_however_a_question_is_typed(bank: Bot, of_bank: Questions) -> None:
    some = of_bank[::2]  # each is asked in half a dozen other ways
    verdicts = await put(bank, some, who="base", progress=lambda *_: None)
    found, notes = await robustness(bank, verdicts, (), progress=lambda *_: None)
    assert notes == []
    for change in ("traditional", "full_width", "upper", "title"):
        for family in ("same_answer", "same_intent"):
            assert found.metrics[f"{family}.{change}"].value >= STAY, (family, change)
    assert found.metrics["same_answer.typo"].value >= MISTYPED


async def test_a_wish_and_its_negation_are_told_apart(bank: Bot, pairs: Sequence[Pair]) -> None:
    found, _ = await robustness(bank, (), pairs, progress=lambda *_: None)
    assert found.metrics["negation.told_apart"].value >= APART, found.details["negation"]
