"""Sounds of Chinese that many speakers do not tell apart."""

from __future__ import annotations

from functools import lru_cache

_SOUNDS = (("zh", "z"), ("ch", "c"), ("sh", "s"))
_ENDINGS = (("ang", "an"), ("eng", "en"), ("ing", "in"))


@lru_cache(maxsize=512)
def alike(sound: str) -> tuple[str, ...]:
    """Syllables that many speakers do not tell from this one: zh and z, n and l, ang and an."""
    found = []
    for long, short in _SOUNDS:
        if sound.startswith(long):
            found.append(short + sound[len(long) :])
        elif sound.startswith(short):
            found.append(long + sound[len(short) :])
    for long, short in _ENDINGS:
        if sound.endswith(long):
            found.append(sound[: -len(long)] + short)
        elif sound.endswith(short):
            found.append(sound[: -len(short)] + long)
    if sound[:1] in ("l", "n"):
        found.append(("n" if sound[0] == "l" else "l") + sound[1:])
    return tuple(found)
