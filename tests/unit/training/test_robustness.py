"""Answers under change, negation, and gaps between languages: what is counted, and what is told."""

from __future__ import annotations

from training.evaluation import from_json, to_json
from training.robustness import Came, Pair, Trial, gap, judged_changes, judged_pairs


def came(answer: str, *, right: bool = True, intent: str | None = "fees", sure: float = 0.5) -> Came:
    return Came(answer, intent, right, sure)


def trial(after: Came, *, asked: str = "a", change: str = "typo", lang: str = "en") -> Trial:
    return Trial(change, asked, lang, ("card fee", "crad fee"), came("fee", sure=0.9), after)


def test_an_answer_that_stays_is_the_same_whether_right_or_wrong() -> None:
    found = judged_changes(
        [
            trial(came("fee")),
            trial(came("lost", right=False, intent="lost"), asked="b"),
            trial(came("fee"), asked="c", lang="zh"),
            trial(came("fee", intent=None), asked="d", change="upper"),
        ]
    )
    assert found.metrics["same_answer.typo"].value == 2 / 3
    assert found.metrics["same_answer.typo.en"].value == 0.5
    assert found.metrics["same_answer.typo.zh"].value == 1.0
    assert found.metrics["same_intent.typo"].value == 2 / 3
    assert "same_answer.upper.en" not in found.metrics
    typo, upper = found.details["changes"]
    assert (typo["n"], typo["right_before"], typo["right_after"]) == (3, 1.0, 2 / 3)
    assert [case["id"] for case in typo["worst"]] == ["b"]
    assert upper["worst"] == []
    assert from_json(to_json(found)) == found


def test_of_one_question_all_copies_are_drawn_together() -> None:
    copies = [trial(came("fee" if number % 2 else "lost"), asked=str(number % 2)) for number in range(20)]
    apart = [trial(came("fee" if number % 2 else "lost"), asked=str(number)) for number in range(20)]
    together, alone = (judged_changes(some).metrics["same_answer.typo"] for some in (copies, apart))
    assert together.value == alone.value == 0.5
    assert together.high - together.low > alone.high - alone.low


def test_lost_answers_that_were_right_and_sure_come_first() -> None:
    gained = Trial("typo", "gained", "en", ("x", "y"), came("b", right=False, sure=0.99), came("a"))
    unsure = Trial("typo", "unsure", "en", ("x", "y"), came("a", sure=0.3), came("b", right=False))
    sure = Trial("typo", "sure", "en", ("x", "y"), came("a", sure=0.8), came("b", right=False))
    (told,) = judged_changes([gained, unsure, sure]).details["changes"]
    assert [case["id"] for case in told["worst"]] == ["sure", "unsure", "gained"]


def test_a_wish_and_its_negation_are_apart_where_the_one_is_right_and_the_other_not_answered_alike() -> None:
    texts = ("block my card", "don't block my card")
    pairs = [
        Pair("1", "en", texts, (came("lost"), came("clarify")), followed=False),
        Pair("2", "en", texts, (came("lost"), came("lost")), followed=True),
        Pair("3", "zh", texts, (came("refuse", right=False), came("refuse")), followed=False),
    ]
    found = judged_pairs(pairs)
    assert found.metrics["negation.told_apart"].value == 1 / 3
    assert found.metrics["negation.followed"].value == 1 / 3
    assert found.metrics["negation.followed"].better == "lower"
    assert [row["followed"] for row in found.details["negation"]] == [False, True, False]
    assert judged_pairs([]).metrics == {}


def test_a_gap_is_between_those_with_rows_enough() -> None:
    right = [True] * 8 + [True] * 4 + [False] * 4 + [False]
    of = ["en"] * 8 + ["zh"] * 8 + ["few"]
    found, told = gap(right, of)
    assert found is not None
    assert found.value == 0.5
    assert 0 < found.low < found.value < found.high
    assert [(row["name"], row["n"], row["compared"]) for row in told] == [
        ("en", 8, True), ("few", 1, False), ("zh", 8, True)
    ]  # fmt: skip
    assert gap([True, False], [None, "en"])[0] is None
