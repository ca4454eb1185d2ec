"""Whatever the bytes of a document are: passages, or a reason. Never anything else."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.documents import Found, Passage, Unusable, told_encoding
from bot.documents.parse import parse
from bot.documents.wire import from_line, to_line
from tests.unit.documents.samples import SIZES, book, letter, printed

KINDS = (".md", ".html", ".pdf", ".docx", ".xlsx")
MARKUP = st.text(st.sampled_from("<>/ =\"'!-&;#h1p\n|`*[]()ab银"), max_size=120)
TAGS = st.lists(
    st.sampled_from(
        [
            *(
                "<table>",
                "<tr>",
                "<td>",
                "</table>",
                "<li>",
                "<ol>",
                "<h1>",
                "</h1>",
                "<main>",
                "<pre>",
                "<br>",
            ),
            *(
                "<script>",
                "</script>",
                "<p hidden>",
                "<div style='display:none'>",
                "</div>",
                "x",
                "银行。",
                "<title>",
            ),
        ]
    ),
    max_size=40,
).map("".join)


def outcome(path: Path) -> list[Found] | Unusable:
    try:
        return list(parse(path))
    except Unusable as error:
        return error


def check(kind: str, data: bytes) -> list[str]:
    """The texts, if there are any."""
    with tempfile.TemporaryDirectory() as root:
        path = Path(root) / f"a{kind}"
        path.write_bytes(data)
        found = outcome(path)
    if isinstance(found, Unusable):
        assert found.message
        assert found.hint
        assert "\n" not in found.message + found.hint
        return []
    assert [from_line(to_line(item)) for item in found] == found
    return [item.text for item in found if isinstance(item, Passage)]


@given(st.sampled_from(KINDS), st.binary(max_size=300))
def test_any_bytes(kind: str, data: bytes) -> None:
    check(kind, data)


@given(st.sampled_from([".md", ".html"]), MARKUP | TAGS)
def test_any_markup(kind: str, text: str) -> None:
    check(kind, text.encode())


@given(st.text(max_size=60))
def test_a_script_never_becomes_text(inside: str) -> None:
    inside = f"SECRET{inside}".replace("</", "")
    page = f"<body><p>seen</p><script>{inside}</script><style>{inside}</style><!--{inside.replace('-', '')}--></body>"
    assert all("SECRET" not in text for text in check(".html", page.encode()))


@functools.cache
def _good(kind: str) -> bytes:
    with tempfile.TemporaryDirectory() as root:
        path = Path(root) / f"good{kind}"
        if kind == ".pdf":
            return printed(path).read_bytes()
        return letter(path).read_bytes() if kind == ".docx" else book(path, A=SIZES).read_bytes()


@pytest.mark.parametrize("kind", [".pdf", ".docx", ".xlsx"])
@given(st.data())
@settings(max_examples=40)
def test_damage_anywhere(kind: str, data: st.DataObject) -> None:
    good = bytearray(_good(kind))
    places = data.draw(st.lists(st.tuples(st.integers(0, len(good) - 1), st.integers(0, 255)), max_size=12))
    for at, byte in places:
        good[at] = byte
    check(kind, bytes(good[: data.draw(st.integers(0, len(good)))] if data.draw(st.booleans()) else good))


@given(
    st.text(st.sampled_from("运费多少钱，。？！银行退货“”—…①abc,\n"), max_size=200),
    st.sampled_from(["utf-8", "gb18030"]),
)
def test_chinese_is_told_in_the_encodings_people_save(text: str, name: str) -> None:
    data = f"问题,答案\n{text}".encode(name)
    assert data.decode(told_encoding(data).name) == f"问题,答案\n{text}"


@given(st.binary(max_size=400))
def test_some_encoding_is_always_told(data: bytes) -> None:
    encoding = told_encoding(data)
    data[encoding.mark :].decode(encoding.name, "replace")
