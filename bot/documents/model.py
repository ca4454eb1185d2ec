"""What parsers give: headings and texts in order; and what a document comes to: passages, rows, flaws."""

from __future__ import annotations

from dataclasses import dataclass

MAX_BYTES = 64 * 1024 * 1024
"""Of one document; a table in JSON lines or CSV may be of any length."""
MAX_PASSAGES = 10_000
"""Of one document: some 2,000 pages."""

COLUMNS_IN_CHINESE = {
    "编号": "id",
    "语言": "lang",
    "问题": "question",
    "答案": "answer",
    "回答": "answer",
    "标题": "title",
    "意图": "intent",
    "相似问法": "alternatives",
    "其他问法": "alternatives",
    "生效日期": "valid_from",
    "失效日期": "valid_to",
    "链接": "url",
    "受众": "audience",
}
"""Heads of a table in Chinese, and the column they stand for."""


class Unusable(Exception):
    """Nothing can be had from a file: why, and what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


@dataclass(frozen=True, slots=True)
class Heading:
    """`level` 0 is the title that the file itself states; 1 is the highest heading in the text."""

    level: int
    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph, an item of a list or a row of a table. `place` is a URL fragment such as `page=3`."""

    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the same document stands in the web."""

    url: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """A part of a document that cannot be used; the rest can."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Passage:
    """Some sentences below the path of their headings, from the document's title down."""

    path: tuple[str, ...]
    part: int
    """Counts from 1 among the passages of the same path."""
    text: str
    lang: str | None
    """zh or en; None where the script does not tell."""
    place: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A row of a sheet that has the columns `question` and `answer`; its first one holds their names."""

    sheet: str
    number: int
    """As the spreadsheet counts, from 1."""
    cells: tuple[str, ...]


Block = Heading | Text | Address | Flaw | Record
Found = Passage | Record | Flaw
