"""The extractive generator: what it takes from which passage, in which order."""

from __future__ import annotations

from bot.inference.extractive import MAX_EACH, MAX_MAIN, Extractive, compose
from bot.inference.generator import Passage, Prompt

FEE = Passage(
    1, "What does a new card cost?", "A lost debit card costs CNY 10. A damaged one is replaced free."
)
TIME = Passage(
    2,
    "How long does a new card take?",
    "It comes by post. Delivery abroad takes 15 working days. Follow it in the app.",
)


def ask(question: str, *passages: Passage, lang: str = "en") -> list[str]:
    return compose(Prompt("Ada", question, lang, passages))


def test_the_best_passage_is_said_whole_and_marked_once() -> None:
    assert ask("what does a card cost", FEE) == [
        "A lost debit card costs CNY 10.",
        "A damaged one is replaced free. [1]",
    ]


def test_chinese_sentences_and_marks_stand_without_blanks() -> None:
    passage = Passage(3, "补卡要多少钱？", "补卡工本费10元。损坏换卡免费。")
    assert ask("补卡收费吗", passage, lang="zh") == ["补卡工本费10元。", "损坏换卡免费。[3]"]


def test_another_passage_adds_the_one_sentence_that_speaks_of_what_is_left_open() -> None:
    said = ask("what does a new card cost, and how fast is delivery abroad", FEE, TIME)
    assert said[-1] == "Delivery abroad takes 15 working days. [2]"
    assert len(said) == 3


def test_another_passage_adds_nothing_to_a_question_that_is_answered() -> None:
    assert ask("what does a new card cost", FEE, TIME) == ask("what does a new card cost", FEE)


def test_the_best_passage_answers_its_own_question_in_other_words_too() -> None:
    """ "fee" stands in the stored question only: no reason to look for it elsewhere."""
    main = Passage(1, "Is there a fee?", "It costs CNY 10.")
    other = Passage(2, "Closing an account", "A fee of CNY 5 is charged for closing.")
    assert ask("is there a fee", main, other) == ["It costs CNY 10. [1]"]


def test_a_sentence_is_said_once_though_two_passages_hold_it() -> None:
    again = Passage(2, "Abroad", "A lost debit card costs CNY 10. Abroad it takes longer.")
    said = ask("lost abroad", FEE, again)
    assert said[-1] == "Abroad it takes longer. [2]"
    assert sum("CNY 10" in sentence for sentence in said) == 1


def test_a_long_passage_is_cut_at_a_sentence() -> None:
    long = Passage(1, "Rules", " ".join(f"Rule {n} stands." for n in range(1, MAX_MAIN + 4)))
    said = ask("what are the rules", long)
    assert len(said) == MAX_MAIN
    assert said[-1] == f"Rule {MAX_MAIN} stands. [1]"


async def test_pieces_join_to_a_readable_text() -> None:
    prompt = Prompt("Ada", "what does a card cost", "en", (FEE,))
    text = "".join([piece async for piece in Extractive().stream(prompt, deadline=1)])
    assert text == "A lost debit card costs CNY 10. A damaged one is replaced free. [1]"


def test_several_questions_get_each_their_answer() -> None:
    long = Passage(2, "Rules", " ".join(f"Rule {n} stands." for n in range(1, MAX_EACH + 3)))
    said = compose(Prompt("Ada", "what does it cost and which rules stand", "en", (FEE, long), each=True))
    assert said[:1] == compose(Prompt("Ada", "what does it cost", "en", (FEE,)))[:1]
    assert said[-1] == f"Rule {MAX_EACH} stands. [2]"
