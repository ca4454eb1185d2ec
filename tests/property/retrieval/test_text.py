"""Laws of texts that no example shows whole."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from retrieval.text import as_read, identity, normalise, origins, script_lang, split_sentences, tokens

TEXTS = st.text() | st.text(alphabet="aB 。.!？1,我卡ﬁ①Ⅷ\u200bßİ\u0345ͅ“”)3", max_size=30)


@given(TEXTS)
@example("\u0345Α")
@example("? !")
@example(".\u200b.")
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert identity(once) == identity(text)


@given(TEXTS)
def test_case_and_blanks_around_are_no_difference(text: str) -> None:
    assert normalise(f"  {text}\n") == normalise(text)


@given(TEXTS, st.sampled_from(["zh", "en"]))
def test_sentences_hold_every_character_but_blanks(text: str, lang: str) -> None:
    sentences = split_sentences(text, lang)
    assert "".join("".join(sentences).split()) == "".join(text.split())
    assert all(sentence == sentence.strip() != "" for sentence in sentences)


@given(TEXTS)
def test_any_text_has_terms_and_a_script_or_not(text: str) -> None:
    assert all(term and not term.isspace() for term in tokens(text))
    assert script_lang(text) in ("zh", "en", None)


@given(st.text() | st.text("Aａ１ \u3000\u200bé\u0301ﬁ體国門.。", max_size=40))
def test_every_character_that_is_read_comes_from_the_text_in_order(text: str) -> None:
    read = as_read(text)
    places = origins(text, read)
    assert len(places) == len(read)
    assert places == sorted(places)
    assert all(0 <= place < len(text) for place in places)


def test_what_is_read_is_found_where_it_was_written() -> None:
    text = "  ＬＭ１２\u200b３ 體驗 ﬁNE。"
    read = as_read(text)
    places = origins(text, read)
    assert [text[places[read.index(one)]] for one in ("l", "3", "体", "f", "e")] == [
        "Ｌ",
        "３",
        "體",
        "ﬁ",
        "E",
    ]
