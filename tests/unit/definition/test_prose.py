"""Documents as knowledge: what a passage is asked by, and what it is called."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from bot.definition import KnowledgeRow, read_knowledge
from bot.definition.prose import MAX_TITLE
from retrieval.sections import document, is_document


def entries(path: Path, text: str) -> list[tuple[tuple[str, ...], str]]:
    """(phrases, title) of each passage."""
    path.write_text(text)
    rows = [row for row in read_knowledge(path) if isinstance(row, KnowledgeRow)]
    return [(row.entry.phrases, row.entry.title) for row in rows]


def test_a_passage_is_asked_by_its_path_and_by_its_own_heading(tmp_path: Path) -> None:
    text = "# Shop\n\nWelcome.\n\n## Delivery\n\n### Cost\n\n8 yuan.\n\n## Returns\n\n### Cost\n\nNothing.\n\n### Time"
    text += "\n\nSoon.\n"
    assert entries(tmp_path / "shop.md", text) == [
        (("Shop",), "Shop"),
        (("Shop › Delivery › Cost",), "Delivery › Cost"),
        (("Shop › Returns › Cost",), "Returns › Cost"),
        (("Shop › Returns › Time", "Time"), "Returns › Time"),
    ]


@pytest.mark.parametrize(
    ("heading", "alone"),
    [
        ("三、退款时间", "退款时间"),
        ("第二章 运费", "运费"),
        ("（一）保修（两年）", "保修（两年）"),
        ("2.3 Refunds", "Refunds"),
        ("4) Refunds", "Refunds"),
        ("3 days to decide", "3 days to decide"),
        ("2026年的变化", "2026年的变化"),
    ],
)
def test_numbers_of_headings_are_not_asked_for(tmp_path: Path, heading: str, alone: str) -> None:
    assert entries(tmp_path / "a.md", f"# T\n\n## {heading}\n\n内容。\n")[0][0] == (f"T › {heading}", alone)


def test_the_first_of_several_passages_answers_to_the_heading(tmp_path: Path) -> None:
    text = "# T\n\n## Long\n\n" + "A sentence of a long section that goes on for a while. " * 12
    first, *more = entries(tmp_path / "a.md", text)
    assert first[0] == ("T › Long", "Long")
    assert [phrases for phrases, _ in more] == [(f"T › Long ({n})",) for n in range(2, len(more) + 2)]
    assert more


def test_a_long_title_is_the_last_heading(tmp_path: Path) -> None:
    text = f"# {'Shop ' * 15}\n\n## Delivery\n\n8 yuan.\n"
    [(_, title)] = entries(tmp_path / "a.md", text)
    assert title == "Delivery"
    assert len(title) <= MAX_TITLE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "<p>Sent back within-30 days, by parcel alone.",
            "Sent%20back%20within%2D30%20days%2C%20by%20parcel",
        ),
        ("<p>七天内可以退货，运费由我们承担。", quote("七天内可以退货，运费由我")),
    ],
)
def test_a_page_is_linked_at_its_passage_and_known_as_a_document(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "a.html"
    path.write_text(
        f'<link rel="canonical" href="https://a.example/r#top"><h1>T</h1>{text}', encoding="utf-8"
    )
    [row] = read_knowledge(path)
    assert isinstance(row, KnowledgeRow)
    assert row.entry.url == f"https://a.example/r#:~:text={words}"
    assert is_document(row.entry)
    assert document(row.entry) is None
