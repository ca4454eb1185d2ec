"""Passages: how long, under which headings, and that nothing is lost."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bot.documents.model import Heading, Passage, Text
from bot.documents.passages import MAX_PATH, MAX_SENTENCES, MOST, passages, room
from retrieval.text import split_sentences

WORDS = st.text(st.sampled_from("ab 1.,?!;。，；！银行退货\n"), max_size=700)
BLOCKS = st.lists(
    st.builds(Heading, st.integers(0, 9), st.text(max_size=200))
    | st.builds(Text, WORDS | st.text(max_size=80)),
    max_size=12,
)


def cut(*blocks: Heading | Text) -> list[Passage]:
    return list(passages(blocks, title="notes"))


@given(BLOCKS)
def test_nothing_is_lost_and_nothing_too_long(blocks: list[Heading | Text]) -> None:
    found = cut(*blocks)
    texts = [block.text for block in blocks if isinstance(block, Text)]
    assert _letters("".join(item.text for item in found)) == _letters("".join(texts))
    names = [(item.path, item.part) for item in found]
    assert len(set(names)) == len(names)
    for item in found:
        assert item.text.strip()
        assert item.path
        assert all(name.strip() for name in item.path)
        assert sum(map(len, item.path)) <= MAX_PATH
        assert room(item.text) <= MOST + 8
        assert len(split_sentences(item.text, item.lang or "en")) <= MAX_SENTENCES
        "\n".join((*item.path, item.text)).encode()


def _letters(text: str) -> list[str]:
    return re.findall(r"[ab1银行退货]", text)


def test_a_long_section_is_cut_between_sentences() -> None:
    text = " ".join(
        f"Sentence number {n} says that goods may be returned within thirty days." for n in range(20)
    )
    found = cut(Heading(1, "Returns"), Text(text))
    assert len(found) > 2
    assert [item.part for item in found] == list(range(1, len(found) + 1))
    assert all(item.text.startswith("Sentence") and item.text.endswith(".") for item in found)
    assert " ".join(item.text for item in found) == text


def test_the_one_highest_heading_is_the_title() -> None:
    found = cut(Heading(0, "Stated"), Heading(1, "Policy"), Text("a."), Heading(3, "Part"), Text("b."))
    assert [item.path for item in found] == [("Policy",), ("Policy", "Part")]


def test_without_one_it_is_what_the_file_states_or_is_called() -> None:
    two = (Heading(2, "One"), Text("a."), Heading(2, "Two"), Text("b."))
    assert [item.path for item in cut(Heading(0, "Stated"), *two)] == [("Stated", "One"), ("Stated", "Two")]
    assert [item.path for item in cut(*two)] == [("notes", "One"), ("notes", "Two")]


def test_headings_close_what_is_below_them() -> None:
    found = cut(
        *(Heading(1, "T"), Heading(2, "A"), Heading(3, "a"), Text("1.")),
        *(Heading(2, "B"), Text("2."), Heading(2, "B"), Text("3.")),
    )
    assert [(item.path, item.part, item.text) for item in found] == [
        (("T", "A", "a"), 1, "1."),
        (("T", "B"), 1, "2.\n3."),
    ]


def test_language_is_told_by_passage_then_by_heading_then_by_document() -> None:
    found = cut(
        *(Heading(1, "退货 Returns"), Heading(2, "English"), Text("Thirty days.")),
        *(Heading(2, "电话"), Text("400-800")),
        *(Heading(2, "3"), Text("七天之内可以退货，运费自付。")),
    )
    assert [item.lang for item in found] == ["en", "zh", "zh"]
    assert [item.lang for item in cut(Text("これはテストです。"))] == [None]
