"""Sentences of Chinese and English prose, by rules.

A mark ends a sentence where nothing speaks against it: a full stop not after an abbreviation, an initial or a
list number, nor before a small letter, and ASCII marks only before a blank (3.5, www.example.com and a?b are
whole).
"""

from __future__ import annotations

import re

_MARKS = {"zh": re.compile("[。！？；]+|[.!?]+"), "en": re.compile("[。！？]+|[.!?]+")}
_CLOSING = "\"'”’」』）)】》]"
_NEVER = {"e.g", "i.e", "eg", "ie", "mr", "mrs", "ms", "dr", "prof", "vs", "cf", "approx", "st"}
_MONTHS = {"jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec"}
_BEFORE_NUMBER = _MONTHS | {"no", "nos", "tel", "ext", "fig", "art", "sec", "max", "min"}
_WORD_BEFORE = re.compile(r"(\S+)$")
_OPENING = "\"'“‘「『（(【《["


def split_sentences(text: str, lang: str) -> list[str]:
    """Sentences in order, without blanks around them, none empty. Line ends separate always.

    `lang` "zh" splits at ； too. Joined, the sentences hold every character of the text but blanks.
    """
    found = [sentence for line in text.splitlines() for sentence in _split_line(line.strip(), lang)]
    return [sentence for sentence in found if sentence]


def _split_line(line: str, lang: str) -> list[str]:
    marks = _MARKS.get(lang, _MARKS["en"])
    sentences, start, at = [], 0, 0
    while match := marks.search(line, at):
        end = at = _end(line, match.end(), marks)
        if _ends(line[start : match.start()].lstrip(), match.group(), line[end:]):
            sentences.append(line[start:end].strip())
            start = end
    return [*sentences, line[start:].strip()]


def _end(line: str, at: int, marks: re.Pattern[str]) -> int:
    """Behind further marks and closing quotes and brackets."""
    while at < len(line) and (line[at] in _CLOSING or marks.match(line, at)):
        at += 1
    return at


def _ends(before: str, mark: str, after: str) -> bool:
    """Whether the mark between `before` (from the sentence's start) and `after` ends a sentence."""
    if not after.strip() or not mark.isascii():
        return True
    if after[0].isascii() and not after[0].isspace():
        return False
    return mark[0] != "." or _full_stop_ends(before, after.lstrip(" \t").lstrip(_OPENING)[:1])


def _full_stop_ends(before: str, following: str) -> bool:
    found = _WORD_BEFORE.search(before)
    word = found.group().lstrip(_OPENING) if found else ""
    small = word.casefold()
    if small in _NEVER or (small in _BEFORE_NUMBER and following.isdigit()):
        return False
    if before == word and (word.isdigit() or len(word) == 1):
        return False  # "1. Open the app", "a. By post": a list's own mark
    if len(word) == 1 and word.isupper() and word != "I":
        return False
    return not following.islower()
