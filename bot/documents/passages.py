"""Headings and texts become passages: short enough to be said in a chat, whole sentences, under their headings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.documents.model import Address, Heading, Passage, Text
from retrieval.text import HAN, script_lang, split_sentences

TARGET = 160.0
MOST = 240.0
"""Room of a passage, in Chinese characters. An encoder reads about 120; whatever is longer is found by its start."""
LATIN = 0.375
"""Room of any other character."""
MAX_SENTENCES = 6
"""What is said of a stored answer in one go."""
MAX_HEADING = 120
MAX_PATH = 420
"""Characters of a path, written out."""

WIDE = f"{HAN}\u3000-\u303f\uff00-\uffef\u201c\u201d\u2018\u2019"
"""Chinese characters and their punctuation, for use inside the brackets of a regular expression."""
_WIDE = re.compile(f"[{WIDE}]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\ufeff]|[\ud800-\udfff]")
_LETTER = re.compile(r"[^\W\d_]")
_BLANKS = re.compile(r"[^\S\n]+")


def called(path: Path) -> str:
    """`returns-policy.en.pdf`: "returns policy"."""
    return re.sub(r"[_-]+", " ", re.sub(r"\.(zh|en)$", "", path.stem, flags=re.I))


def clean(text: str) -> str:
    """Printable, blanks folded, line ends kept."""
    lines = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    return "\n".join(line for line in (_BLANKS.sub(" ", line).strip() for line in lines) if line)


@dataclass(slots=True)
class _Section:
    path: tuple[str, ...]
    texts: list[Text] = field(default_factory=list)


def passages(blocks: Sequence[Heading | Text | Address], *, title: str) -> Iterator[Passage]:
    """`title`: what the document is called where it does not say so itself."""
    url = next((block.url for block in blocks if isinstance(block, Address)), None)
    whole = script_lang(" ".join(block.text for block in blocks if isinstance(block, Text)))
    parts: Counter[tuple[str, ...]] = Counter()
    for section in _sections([b for b in blocks if not isinstance(b, Address)], title):
        for text, place in _packed(section.texts):
            parts[section.path] += 1
            lang = script_lang(text)
            if lang is None and not _LETTER.search(text):
                lang = script_lang(" ".join(section.path)) or whole
            yield Passage(section.path, parts[section.path], text, lang, place, url)


def _sections(blocks: Sequence[Heading | Text], title: str) -> Iterator[_Section]:
    open_: list[Heading] = []
    top = _title(blocks, title)
    section = _Section((top,))
    for block in blocks:
        if isinstance(block, Text):
            if text := clean(block.text):
                section.texts.append(Text(text, block.place))
            continue
        name = _short(block.text)
        if not name or block.level == 0:
            continue
        open_ = [*(heading for heading in open_ if heading.level < block.level), Heading(block.level, name)]
        path = _path([top, *(heading.text for heading in open_)])
        if path != section.path:
            yield section
            section = _Section(path)
    yield section


def _title(blocks: Sequence[Heading | Text], fallback: str) -> str:
    """The one highest heading, if it stands before all others; else what the file states, or is called."""
    headings = [b for b in blocks if isinstance(b, Heading) and b.level and _short(b.text)]
    top = min((heading.level for heading in headings), default=0)
    highest = [heading for heading in headings if heading.level == top]
    if len(highest) == 1 and headings[0] is highest[0]:
        return _short(highest[0].text)
    stated = (_short(b.text) for b in blocks if isinstance(b, Heading) and b.level == 0)
    return next((text for text in stated if text), "") or _short(fallback) or "-"


def _path(names: Sequence[str]) -> tuple[str, ...]:
    """Without repetitions; where it is too long, without what stands between the title and the last ones."""
    path = [name for at, name in enumerate(names) if at == 0 or name != names[at - 1]]
    while len(path) > 2 and sum(map(len, path)) > MAX_PATH:
        del path[1]
    return tuple(path)


def _short(text: str) -> str:
    line = clean(text).replace("\n", " ")
    return line if len(line) <= MAX_HEADING else line[: MAX_HEADING - 1].rstrip() + "…"


def room(text: str) -> float:
    han = len(_WIDE.findall(text))
    return han + LATIN * (len(text) - han)


def _packed(texts: Sequence[Text]) -> Iterator[tuple[str, str]]:
    """Whole where it fits; else paragraph by paragraph, a long paragraph sentence by sentence."""
    if _fits([text.text for text in texts], MOST):
        if texts:
            yield "\n".join(text.text for text in texts), texts[0].place
        return
    pieces = [piece for text in texts for piece in _pieces(text)]
    taken: list[Text] = []
    for piece in pieces:
        if taken and not _fits([*(t.text for t in taken), piece.text], TARGET):
            yield "\n".join(t.text for t in taken), taken[0].place
            taken = []
        taken.append(piece)
    yield "\n".join(t.text for t in taken), taken[0].place


def _fits(texts: Sequence[str], most: float) -> bool:
    if sum(map(room, texts)) > most:
        return False
    lang = script_lang(" ".join(texts)) or "en"
    return sum(len(split_sentences(text, lang)) for text in texts) <= MAX_SENTENCES


def _pieces(text: Text) -> Iterator[Text]:
    if _fits([text.text], MOST):
        yield text
        return
    lang = script_lang(text.text) or "en"
    taken = ""
    for sentence in split_sentences(text.text, lang):
        for piece in _cut(sentence):
            joined = f"{taken}{'' if lang == 'zh' else ' '}{piece}" if taken else piece
            if taken and not _fits([joined], TARGET):
                yield Text(taken, text.place)
                joined = piece
            taken = joined
    yield Text(taken, text.place)


def _cut(sentence: str) -> Iterable[str]:
    """A sentence without end (a list of codes, a text without marks) is cut at a blank, or where it must be."""
    while room(sentence) > MOST:
        end = int(TARGET)
        while room(sentence[:end]) < TARGET:
            end += 8
        end = sentence.rfind(" ", end // 2, end) if " " in sentence[end // 2 : end] else end
        yield sentence[:end].strip()
        sentence = sentence[end:].strip()
    yield sentence
