"""Laws of the floor under generated text, over any passages and any way of cutting a stream into pieces."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence

from hypothesis import given
from hypothesis import strategies as st

from bot.errors import GeneratorError
from bot.inference.generator import Passage, Prompt
from bot.inference.guard import approve, guarded, read_sources, supporters
from bot.inference.statement import read

WORDS = {
    "en": [
        "card",
        "costs",
        "the",
        "not",
        "only",
        "if",
        "free",
        "CNY",
        "10",
        "15",
        "3.5%",
        "app",
        "you",
        "can",
    ],
    "zh": ["借记卡", "的", "不", "免费", "工本费", "10元", "15元", "可以", "挂失", "仅", "App", "请"],
}
ENDS = {"en": [". ", "! ", "? "], "zh": ["。", "！", "？"]}


@st.composite
def sentences(draw: st.DrawFn, lang: str) -> str:
    words = draw(st.lists(st.sampled_from(WORDS[lang]), min_size=1, max_size=8))
    first = "A " if lang == "en" else ""
    return first + ("" if lang == "zh" else " ").join(words) + draw(st.sampled_from(ENDS[lang]))


@st.composite
def prompts(draw: st.DrawFn) -> Prompt:
    lang = draw(st.sampled_from(["en", "zh"]))
    texts = draw(
        st.lists(st.lists(sentences(lang), min_size=1, max_size=4).map("".join), min_size=1, max_size=3)
    )
    return Prompt("Ada", "?", lang, tuple(Passage(n, "", text) for n, text in enumerate(texts, 1)))


async def hear(pieces: Sequence[str], prompt: Prompt) -> str:
    async def stream() -> AsyncGenerator[str, None]:
        for piece in pieces:
            yield piece

    try:
        return "".join([piece async for piece in guarded(stream(), prompt)])
    except GeneratorError:
        return ""


@given(prompts(), st.data())
def test_a_sentence_of_a_passage_is_supported_by_that_passage(prompt: Prompt, data: st.DataObject) -> None:
    passage = data.draw(st.sampled_from(prompt.passages))
    sources = read_sources(prompt.passages, prompt.lang)
    for sentence in [s for mark, s in sources if mark == passage.mark]:
        if sentence.words or sentence.runs:
            assert passage.mark in supporters(sentence.text, sources)


@given(prompts(), st.data())
def test_what_passes_adds_no_word_no_number_and_no_turn(prompt: Prompt, data: st.DataObject) -> None:
    sentence = data.draw(sentences(prompt.lang))
    sources = read_sources(prompt.passages, prompt.lang)
    if approve(sentence, sources, prompt.lang) is None:
        return
    said = read(sentence)
    text = " ".join(passage.text for passage in prompt.passages).casefold()
    assert all(number in text for number in said.numbers)
    assert any(said.turns == source.turns and said.words <= source.words for _, source in sources)
    assert all(character in text for run in said.runs for character in run)


@given(prompts(), st.text(), st.text())
def test_any_text_at_all_is_judged_without_a_crash(prompt: Prompt, sentence: str, more: str) -> None:
    told = (*prompt.passages, Passage(9, more, more))
    shown = approve(sentence, read_sources(told, prompt.lang), prompt.lang)
    assert shown is None or re.search(r"\[[1-9]\]$", shown)


@given(prompts(), st.data())
async def test_how_a_stream_is_cut_into_pieces_makes_no_difference(
    prompt: Prompt, data: st.DataObject
) -> None:
    said = data.draw(st.lists(sentences(prompt.lang), min_size=1, max_size=4).map("".join))
    said += data.draw(st.sampled_from(["", "[1]", " [2]", "and so"]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(said)), max_size=8)))
    pieces = [said[start:end] for start, end in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    assert await hear(pieces, prompt) == await hear([said], prompt)
