"""Small knowledge bases and bundles of them, for the tests of retrieval."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from retrieval.bundle import Bundle, build_bundle
from retrieval.testing import HashEncoder
from retrieval.types import Entry, Query

ENCODER = HashEncoder()

LOST_EN = Entry(
    "e1", "card-lost", "en", "How do I report a lost card?", "Call us at once, day or night.",
    title="Report a lost card", alternatives=("my card is gone", "card stolen"),
)  # fmt: skip
LOST_ZH = Entry(
    "e2", "card-lost", "zh", "银行卡丢了怎么挂失？", "请立即在应用里冻结卡片。", alternatives=("卡不见了",)
)
HOURS_EN = Entry("e3", "hours", "en", "When are you open?", "From 9 to 17 on working days.")
SPRING = Entry(
    "e4", "offer", "en", "What is the spring offer?", "Half the fee.",
    valid_from=date(2026, 3, 1), valid_to=date(2026, 3, 31),
)  # fmt: skip
ALL = (LOST_EN, LOST_ZH, HOURS_EN, SPRING)


def build(
    folder: Path, entries: Sequence[Entry] = ALL, *, passages: bool = True, revision: int = 1
) -> Bundle:
    texts = [text for entry in entries for text in (entry.texts if passages else entry.phrases)]
    vectors = dict(zip(texts, ENCODER.encode(texts), strict=True))
    return build_bundle(folder, entries, vectors, encoder_fingerprint=ENCODER.fingerprint, revision=revision)


def ask(text: str, lang: str | None = None, on: date | None = None) -> Query:
    return Query(text, ENCODER.encode([text])[0], lang, on)
