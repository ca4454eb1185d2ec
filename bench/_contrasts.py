"""Messages that one detail parts, put to a whole bot: those of `examples/*/tests/contrasts.*.jsonl`, from which nothing
learned. A scale of the verifier's verdicts can be chosen by them (adr 0023), and judged by the questions with facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.app import Bot
from bot.cli.judge import say
from bot.definition.contrasts import require_contrasts
from bot.definition.questions import FOLDER

KEYS = ("answered_contrasts", "left_alone_contrasts")
SHOWN = 50


@dataclass(slots=True)
class Parted:
    """How many messages there are that an answer answers, and that it only just does not; and what became of them."""

    having: int = 0
    answered: int = 0
    without: int = 0
    left_alone: int = 0

    def figures(self, suffix: str) -> dict[str, float]:
        """Percent of either kind."""
        found = (100.0 * self.answered / max(self.having, 1), 100.0 * self.left_alone / max(self.without, 1))
        return {f"{key}{suffix}": value for key, value in zip(KEYS, found, strict=True)}


async def put(bot: Bot, parted: Parted, tell: Callable[[str], None]) -> None:
    """A conversation each."""
    messages = list(_messages(bot))
    for number, (text, lang, answerable) in enumerate(messages, 1):
        answered = (await say(bot, f"contrast-{number}", text, locale=lang)).rateable
        parted.having += answerable
        parted.answered += answerable and answered
        parted.without += not answerable
        parted.left_alone += not answerable and not answered
        if number % SHOWN == 0:
            tell(f"{number} of {len(messages)} messages that one detail parts")


def _messages(bot: Bot) -> Iterator[tuple[str, str, bool]]:
    definition = bot.definition
    known = {(row.entry.key, row.entry.lang) for row in definition.knowledge}
    for one in require_contrasts(definition.folder / FOLDER, definition.languages, known):
        yield from ((text, one.lang, True) for text in one.answered)
        yield from ((text, one.lang, False) for text in one.unanswered)
