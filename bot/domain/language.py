"""Which language to answer in."""

from __future__ import annotations

from collections.abc import Sequence


def choose_language(
    script: str | None, *, last: str | None, locale: str | None, languages: Sequence[str]
) -> str:
    """The script of the text decides; then the conversation's last language, the locale, the bot's first.

    `script` is None where the text shows none ("ok 123"). Codes are compared by their first part: zh-CN is zh.
    """
    for wish in (script, last, locale):
        if wish and (code := wish.split("-")[0].casefold()) in languages:
            return code
    return languages[0]
