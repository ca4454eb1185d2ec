"""Changes that leave a text's meaning alone: slips of the keyboard, other scripts and widths, other words for the same.

To ask whether a bot answers a changed text as it answers the text itself, or to learn from changed texts too. Every
change takes a text and a numpy generator, and gives the text back as it is where it does not apply.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np

from retrieval.chinese import converted
from retrieval.chinese import simplified as in_simplified
from retrieval.slips.keyboard import neighbours
from retrieval.slips.sounds import alike
from retrieval.text import HAN, identity
from training.lexicon import Place, places

Change = Callable[[str, np.random.Generator], str]
T = TypeVar("T")

SEED = 0
_WORD = re.compile(r"[A-Za-z]{2,}")
_LONG = 4
"""Letters from which on a word is the likelier to be mistyped."""
_ONE_HAN = re.compile(f"[{HAN}]")
_HAN_RUN = re.compile(f"[{HAN}]{{2,}}")
_FULL = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}
_HALF = {wide: code for code, wide in _FULL.items()}
_ENDS = ".?!。？！"
_LEVEL_1 = range(0xB0, 0xD8)
"""First bytes of GB 2312's most used 3,755 characters."""
_ALIKE = 0.2
"""Share of slips of a Chinese keyboard that mix up sounds which many speakers do not tell apart, as zh and z."""


def changed(name: str, texts: Sequence[str], *, seed: int = SEED) -> list[str]:
    """Each text after the change of that name; as it was where the change does not apply.

    What becomes of a text depends on the text, the name and the seed, not on the others.
    """
    change = CHANGES[name]
    return [change(text, _random(name, text, seed)) for text in texts]


def _random(name: str, text: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, *name.encode(), int(identity(text)[:16], 16)])


def one_typo(text: str, random: np.random.Generator) -> str:
    """A slip of the keyboard where the text is: among Chinese characters or among letters, by what there is more of."""
    han, letters = len(_ONE_HAN.findall(text)), len(_WORD.findall(text))
    first, second = (typo_zh, typo_en) if han >= letters else (typo_en, typo_zh)
    found = first(text, random)
    return found if found != text else second(text, random)


def typo_en(text: str, random: np.random.Generator) -> str:
    """One letter of a word mistyped: a neighbouring key, two letters swapped, one left out, or one doubled."""
    words = list(_WORD.finditer(text))
    long = [word for word in words if len(word.group()) >= _LONG] or words
    if not long:
        return text
    word = _one(random, long)
    kind, at = int(random.integers(4)), word.start() + int(random.integers(len(word.group()) - 1))
    if kind == 0:
        return text[:at] + _neighbour(text[at], random) + text[at + 1 :]
    if kind == 1 and text[at] != text[at + 1]:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :] if kind == 2 else text[: at + 1] + text[at:]


def typo_zh(text: str, random: np.random.Generator) -> str:
    """One Chinese character mistyped: another one of the same sound, or of nearly the same, or left out."""
    found = [match.start() for match in _ONE_HAN.finditer(text)]
    if not found:
        return text
    at = _one(random, found)
    if len(found) > 2 and not random.integers(4):
        return text[:at] + text[at + 1 :]
    others = [character for character in _sounds_like(text[at], random) if character != text[at]]
    if not others:
        return text
    other = _one(random, others)
    return text[:at] + (traditional(other) if text != simplified(text) else other) + text[at + 1 :]


def keyboard(text: str, random: np.random.Generator) -> str:
    """Noise of characters: one in ten letters or Chinese characters, at least one, is replaced by any other."""
    at = [place for place, character in enumerate(text) if character.isalpha()]
    if not at:
        return text
    found = list(text)
    for place in random.permutation(at)[: max(len(at) // 10, 1)]:
        common = _common() if _ONE_HAN.match(found[place]) else "abcdefghijklmnopqrstuvwxyz"
        found[place] = _one(random, [one for one in common if one != found[place]])
    return "".join(found)


def traditional(text: str, _: np.random.Generator | None = None) -> str:
    """In traditional characters, as they are written in Hong Kong and Taiwan."""
    return converted("s2t", text)


def simplified(text: str, _: np.random.Generator | None = None) -> str:
    """In simplified characters."""
    return in_simplified(text)


def taiwan(text: str, _: np.random.Generator | None = None) -> str:
    """In Taiwan's characters and words: 软件 is 軟體 there."""
    return converted("s2twp", text)


def full_width(text: str, _: np.random.Generator | None = None) -> str:
    """Letters, digits, marks and blanks as wide as a Chinese character."""
    return text.translate(_FULL)


def half_width(text: str, _: np.random.Generator | None = None) -> str:
    """What `full_width` widens made narrow again, marks of Chinese texts too."""
    return text.translate(_HALF)


def upper(text: str, _: np.random.Generator | None = None) -> str:
    return text.upper()


def lower(text: str, _: np.random.Generator | None = None) -> str:
    return text.lower()


def title(text: str, _: np.random.Generator | None = None) -> str:
    """Every word begins with a capital."""
    return re.sub(r"(?<![^\W_])[^\W\d_]", lambda first: first.group().upper(), text)


def pinyin(text: str, random: np.random.Generator) -> str:
    """One word left in the letters that it is typed in: a known one, or two neighbouring characters."""
    from pypinyin import lazy_pinyin

    spans = [(p.start, p.end) for p in places(text) if _HAN_RUN.fullmatch(text[p.start : p.end])]
    spans = spans or [
        (at, at + 2) for run in _HAN_RUN.finditer(text) for at in range(run.start(), run.end() - 1)
    ]
    if not spans:
        return text
    start, end = _one(random, spans)
    return text[:start] + "".join(lazy_pinyin(text[start:end])) + text[end:]


def mixed(text: str, random: np.random.Generator) -> str:
    """One word said in the other language: 我的 card 丢了."""
    return _swapped(text, random, lambda place: place.other)


def synonym(text: str, random: np.random.Generator) -> str:
    """One word said in another one for the same."""
    return _swapped(text, random, lambda place: place.same)


def punctuation(text: str, random: np.random.Generator) -> str:
    """Marks at the end left out, or repeated, or set where there were none."""
    bare = text.rstrip(_ENDS)
    end = text[len(bare) :]
    if not bare.strip():
        return text
    if end:
        return bare if random.integers(2) else bare + end * 3
    return bare + _one(random, "。？！" if _ONE_HAN.search(text) else ".?!")


def blanks(text: str, random: np.random.Generator) -> str:
    """Blanks doubled, before and after the text, and one set between two Chinese characters."""
    wide = re.sub(r" +", "  ", text)
    inside = [at for run in _HAN_RUN.finditer(wide) for at in range(run.start() + 1, run.end())]
    if inside:
        at = _one(random, inside)
        wide = f"{wide[:at]} {wide[at:]}"
    return f" {wide} " if wide.strip() else text


CHANGES: Mapping[str, Change] = {
    "traditional": traditional,
    "simplified": simplified,
    "taiwan": taiwan,
    "full_width": full_width,
    "half_width": half_width,
    "upper": upper,
    "lower": lower,
    "title": title,
    "blanks": blanks,
    "punctuation": punctuation,
    "typo": one_typo,
    "typo_en": typo_en,
    "typo_zh": typo_zh,
    "keyboard": keyboard,
    "pinyin": pinyin,
    "mixed": mixed,
    "synonym": synonym,
}
"""All changes by name."""


def _swapped(text: str, random: np.random.Generator, choose: Callable[[Place], Sequence[str]]) -> str:
    """One known word replaced by one of what `choose` names; blanks keep letters apart from Chinese characters."""
    known = [(place, words) for place in places(text) if (words := choose(place))]
    if not known:
        return text
    place, words = _one(random, known)
    word, before, after = _one(random, words), text[: place.start], text[place.end :]
    if text[place.start : place.end][:1].isupper():
        word = word[:1].upper() + word[1:]
    left = " " if word.isascii() and before and _ONE_HAN.match(before[-1]) else ""
    right = " " if word.isascii() and after and _ONE_HAN.match(after[0]) else ""
    return before + left + word + right + after


def _one(random: np.random.Generator, things: Sequence[T]) -> T:
    return things[int(random.integers(len(things)))]


def _neighbour(letter: str, random: np.random.Generator) -> str:
    if letter.lower() not in neighbours():
        return letter
    other = _one(random, neighbours()[letter.lower()])
    return other.upper() if letter.isupper() else other


@lru_cache(maxsize=1)
def _common() -> str:
    """The characters that Chinese texts are made of, by GB 2312's first level."""
    pairs = (bytes((first, second)) for first in _LEVEL_1 for second in range(0xA1, 0xFF))
    return "".join(pair.decode("gb2312", "ignore") for pair in pairs)


@lru_cache(maxsize=1)
def _by_sound() -> Mapping[str, str]:
    """Syllable without its tone -> common characters that have it."""
    from pypinyin import lazy_pinyin

    found: dict[str, str] = {}
    for character in _common():
        sound = lazy_pinyin(character)[0]
        found[sound] = found.get(sound, "") + character
    return found


def _sounds_like(character: str, random: np.random.Generator) -> str:
    from pypinyin import lazy_pinyin

    sound = lazy_pinyin(character)[0]
    others = [other for other in alike(sound) if other in _by_sound()]
    if others and random.random() < _ALIKE:
        sound = _one(random, others)
    return _by_sound().get(sound, "")
