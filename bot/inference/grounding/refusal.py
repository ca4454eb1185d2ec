"""Whether a sentence says that the passages hold no answer. Closed classes of cues: models are told to say so
(`inference.instructions`) and word it in many ways.

Asked only of sentences that no passage supports: one that a passage holds is an answer, whatever it denies.
"""

from __future__ import annotations

import re


def _any(*words: str) -> str:
    return f"(?:{'|'.join(words)})"


_NOT = _any("not", "never", "unable to")
_DOES_NOT = _any(r"(?:do|does|did) not", r"(?:do|does|did)n't")
_CANNOT = _any("cannot", "can't", "could not", "couldn't", r"(?:am|are|'m|'re) (?:unable|not able) to")
_KNOW = _any(
    "know", "find", "tell", "answer", "say", "see", "determine", "confirm", "provide", "locate", "help"
)
_STATE = _any(
    "hold", "contain", "include", "mention", "say", "state", "specify", "provide", "cover", "give", "answer"
)
_STATED = _any(
    "mentioned", "stated", "specified", "provided", "given", "covered", "included", "found", "available"
)
_SOURCE = _any("passages?", "information", "documents?", "sources?", "text", "knowledge", "facts", "context")
_ADVERB = r"(?:\w+ )?"

_ENGLISH = re.compile(
    _any(
        rf"\b(?:i|we) ?{_any(_DOES_NOT, _CANNOT)} {_ADVERB}{_KNOW}\b",
        rf"\b(?:i|we) {_DOES_NOT} have [^.!?]{{0,24}}?\b(?:information|details?|answer)\b",
        rf"\b{_SOURCE}\b[^.!?]{{0,40}}?\b{_any(_DOES_NOT, _CANNOT)} {_ADVERB}{_STATE}\b",
        rf"\b{_any('is', 'are', 'was', 'were')} {_NOT} {_ADVERB}{_STATED}\b[^.!?]{{0,30}}?\b{_SOURCE}\b",
        rf"\bthere (?:is|are|was) no {_ADVERB}{_SOURCE}\b",
    ),
    re.IGNORECASE,
)
_CHINESE = re.compile(
    _any(
        r"不知道|不清楚|不确定",
        r"(?:无法|不能)(?:准确|直接|从中)?(?:回答|确定|得知|确认|提供|判断|告知|查到)",
        r"(?:资料|信息|文档|上文|内容|原文)[^，。！？]{0,8}(?:没有|没|未|无)",
        r"(?:没有|没|未)(?:在[^，。！？]{1,8})?(?:找到|提到|提及|说明|写明|查到|包含|给出|涉及)",
        r"没有(?:相关|这方面|足够|具体)的?(?:资料|信息|内容|说明)",
    )
)
_APOSTROPHES = str.maketrans("’‘", "''")


def is_refusal(sentence: str) -> bool:
    """In either language. Any text is valid."""
    plain = sentence.translate(_APOSTROPHES)
    return bool(_ENGLISH.search(plain) or _CHINESE.search(plain))
