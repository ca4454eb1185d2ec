"""What a source looks like."""

from __future__ import annotations

import pytest

from bot.engine.draft import SNIPPET, cite
from connectors.port import Citation
from retrieval.types import Entry

PAGE = "/sources/id-1"


@pytest.mark.parametrize(
    ("lang", "url", "title", "address"),
    [
        ("en", None, "Returns", None),
        ("en", "https://shop.example/returns?a=b#c", "Returns", "https://shop.example/returns?a=b#c"),
        ("en", "https://a.example/r#:~:text=Within", "Returns", "https://a.example/r#:~:text=Within"),
        ("en", "knowledge/returns%20policy.pdf#page=3", "Returns (returns policy.pdf, page 3)", PAGE),
        ("zh", "%E9%80%80%E8%B4%A7.pdf#page=3", "Returns（退货.pdf，第3页）", PAGE),
        ("en", "guides/sizes.xlsx#Women!3", "Returns (sizes.xlsx)", PAGE),
        ("zh", "shop.md", "Returns（shop.md）", PAGE),
    ],
)
def test_a_document_is_named_and_its_source_opens(
    lang: str, url: str | None, title: str, address: str | None
) -> None:
    entry = Entry("id-1", "returns", lang, "Returns", "Within 30 days.", url=url)
    assert cite(1, entry) == Citation(1, title, "Within 30 days.", address)


def test_a_document_for_some_has_no_page_for_everybody() -> None:
    entry = Entry("id-1", "a", "en", "A", "For staff.", url="a.md", audience=("staff",))
    assert cite(1, entry).url is None


def test_a_long_answer_is_cut() -> None:
    snippet = cite(1, Entry("", "a", "en", "A", "word " * 100)).snippet
    assert len(snippet) <= SNIPPET
    assert snippet.endswith("…")
