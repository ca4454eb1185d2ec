"""Training texts once more, changed by name (`training.noise`) or translated there and back: to learn from both.

A copy that reads as its text does (`retrieval.text.normalise`) teaches nothing and is left out, as is one that stands
among the texts that something is judged by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol

from retrieval.text import identity, script_lang
from training.dataset import Row
from training.errors import TrainingError
from training.noise import SEED, changed

TRANSLATED = "translated"
"""What copies by translation are counted under."""
LANGUAGES = {"zh": "Chinese", "en": "English"}
AT_ONCE = 4
"""Requests to a generator."""
MAX_TOKENS = 200
TIMEOUT_S = 60.0


class Translate(Protocol):
    """Each text in the other of our two languages and back; None where that did not come to anything."""

    def __call__(self, texts: Sequence[str]) -> Sequence[str | None]: ...


def copies(
    rows: Sequence[Row], changes: Iterable[str], *, each: int = 1, seed: int = SEED
) -> tuple[list[Row], dict[str, int]]:
    """Changed copies of the rows, of each change as many as `each` a row, and how many there are by change."""
    found: dict[str, list[Row]] = {}
    for change in changes:
        for draw in range(each):
            texts = changed(change, [row.text for row in rows], seed=seed + draw)
            found.setdefault(change, []).extend(_as_copies(rows, texts))
    return _distinct(rows, found)


def translated(rows: Sequence[Row], translate: Translate) -> tuple[list[Row], dict[str, int]]:
    """The same of texts that went to the other language and came back."""
    return _distinct(rows, {TRANSLATED: _as_copies(rows, translate([row.text for row in rows]))})


def fit_to_learn(rows: Iterable[Row], judged_by: Iterable[Row]) -> list[Row]:
    """Without what stands among those rows."""
    held = {identity(row.text) for row in judged_by}
    return [row for row in rows if identity(row.text) not in held]


def _as_copies(rows: Sequence[Row], texts: Sequence[str | None]) -> list[Row]:
    pairs = zip(rows, texts, strict=True)
    return [replace(row, text=text, line=None) for row, text in pairs if text and text.strip()]


def _distinct(rows: Sequence[Row], found: Mapping[str, Sequence[Row]]) -> tuple[list[Row], dict[str, int]]:
    """Copies that read otherwise than every row and one another; a text of several labels is none of them."""
    seen = {identity(row.text) for row in rows}
    kept: list[Row] = []
    counts: Counter[str] = Counter(dict.fromkeys(found, 0))
    for change, some in found.items():
        for row in some:
            if (key := identity(row.text)) not in seen:
                seen.add(key)
                kept.append(row)
                counts[change] += 1
    return kept, dict(counts)


class BackTranslation:
    """By any OpenAI-compatible server, as a bot's generator is. `url`: up to `/v1`; `model`: its name there."""

    def __init__(self, url: str, model: str, *, key: str | None = None) -> None:
        self._url, self._model, self._key = url, model, key

    def __call__(self, texts: Sequence[str]) -> list[str | None]:
        """Raises TrainingError where the server takes none of the first texts."""
        from openai import OpenAI

        client = OpenAI(base_url=self._url, api_key=self._key or "none", timeout=TIMEOUT_S, max_retries=2)
        with client, ThreadPoolExecutor(AT_ONCE) as pool:
            for first in texts[:1]:
                self._said(client, first, "en")
            return list(pool.map(lambda text: self._there_and_back(client, text), texts))

    def _there_and_back(self, client: Any, text: str) -> str | None:
        own = script_lang(text) or "en"
        other = "en" if own == "zh" else "zh"
        try:
            there = self._said(client, text, other)
            return self._said(client, there, own) if there else None
        except TrainingError:
            return None

    def _said(self, client: Any, text: str, lang: str) -> str:
        from openai import OpenAIError

        asked = (
            f"Translate what a customer wrote to {LANGUAGES[lang]}, as a customer would write it. "
            "Give the translation alone, on one line."
        )
        try:
            answer = client.chat.completions.create(
                model=self._model,
                messages=[{"role": "system", "content": asked}, {"role": "user", "content": text}],
                temperature=0,
                max_tokens=MAX_TOKENS,
            )
        except OpenAIError as error:
            # What libraries say may repeat the request.
            code = getattr(error, "status_code", None)
            why = f"answers {code}" if code else "cannot be reached"
            raise TrainingError(f"The generator at {self._url} {why}: check its url, model and key") from None
        said = (answer.choices[0].message.content or "").strip() if answer.choices else ""
        return said.splitlines()[0].strip() if said else ""
