"""Files as people have them (.md, .html, .pdf, .docx, .xlsx) become passages, or rows of a table.

`DocumentReader` is the door: it parses in a child process with limits, and remembers what it parsed. Parsing is
pure and knows nothing of bots; what becomes of passages and rows is `bot.definition`'s business.
"""

from bot.documents.encoding import Encoding, told_encoding
from bot.documents.model import (
    COLUMNS_IN_CHINESE,
    MAX_BYTES,
    MAX_PASSAGES,
    Flaw,
    Found,
    Passage,
    Record,
    Unusable,
)
from bot.documents.parse import SUFFIXES
from bot.documents.reader import DocumentReader, digest

__all__ = [
    "COLUMNS_IN_CHINESE",
    "MAX_BYTES",
    "MAX_PASSAGES",
    "SUFFIXES",
    "DocumentReader",
    "Encoding",
    "Flaw",
    "Found",
    "Passage",
    "Record",
    "Unusable",
    "digest",
    "told_encoding",
]
