"""Whether a bot answers a question however it is typed: its own questions changed, negated, and asked by others.

Changed copies go the whole way through the bot, as the questions themselves do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.app import Bot
from bot.cli import names
from bot.cli.judge import Verdict, judge_all
from bot.cli.page import Both, chinese
from bot.definition.questions import CLARIFY, Pair, Question
from bot.inference.child import Progress
from training.evaluation import Evaluation, joined
from training.measures import languages
from training.noise import changed
from training.robustness import Came, Trial, gap, judged_changes, judged_pairs
from training.robustness import Pair as Judged

STEADY = ("traditional", "taiwan", "full_width", "upper", "lower", "title", "blanks", "punctuation")
"""Changes that come out one way."""
DRAWN = ("typo", "keyboard", "pinyin", "mixed", "synonym")
"""Changes that strike a text in many ways, of which some are tried."""
DRAWS = 3
MOST = 200
"""Questions that are changed; of more every n-th one is."""


@dataclass(frozen=True, slots=True)
class _Copy:
    change: str
    verdict: Verdict
    question: Question


async def robustness(
    bot: Bot, verdicts: Sequence[Verdict], pairs: Sequence[Pair], *, progress: Progress
) -> tuple[Evaluation, list[Both]]:
    """What came out, and what somebody who reads it should know."""
    step = -(-len(verdicts) // MOST) if verdicts else 1
    some = verdicts[::step]
    copies, notes = await asyncio.to_thread(_copies, some)  # dictionaries are read for it
    if step > 1:
        notes.append(
            (
                f"Changed copies are of {len(some)} of {len(verdicts)} questions: every {_th(step)} one.",
                f"改写只取 {len(verdicts)} 个问题中的 {len(some)} 个：每 {step} 个取一个。",
            )
        )
    after = await _judged(bot, [copy.question for copy in copies], progress)
    trials = [_trial(copy, one) for copy, one in zip(copies, after, strict=True)]
    return joined([judged_changes(trials), await _negation(bot, pairs, progress), fairness(verdicts)]), notes


def fairness(verdicts: Sequence[Verdict]) -> Evaluation:
    """`answers.gap` between languages, and `answers.gap_groups` between groups of users, where there are several."""
    asked = [verdict.question for verdict in verdicts]
    right = [verdict.right for verdict in verdicts]
    langs = languages([q.turns[-1] for q in asked], [q.lang for q in asked])
    metrics, details = {}, {}
    for name, of in (("gap", list(langs)), ("gap_groups", [q.group for q in asked])):
        found, told = gap(right, of)
        if found is not None:
            metrics[f"answers.{name}"] = found
        if len(told) > 1:
            details[name] = told
    return Evaluation(metrics, {"fairness": details} if details else {})


def _copies(verdicts: Sequence[Verdict]) -> tuple[list[_Copy], list[Both]]:
    """Each question after each change that does something to it; a copy that comes out twice is asked once."""
    found: dict[tuple[str, str, tuple[str, ...]], _Copy] = {}
    notes = []
    for change in (*STEADY, *DRAWN):
        try:
            for verdict in verdicts:
                for turns in _turns(change, verdict.question.turns):
                    copy = _Copy(change, verdict, replace(verdict.question, turns=turns))
                    found.setdefault((change, verdict.question.id, turns), copy)
        except ImportError as error:
            notes.append(
                (
                    f"The change `{change}` is left out: it needs {error.name}, of Kefu's `train` extra.",
                    f"未测“{names.change(change, chinese)}”这项改动：需要 Kefu `train` 附加组件中的 {error.name}。",
                )
            )
    return list(found.values()), notes


def _turns(change: str, turns: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """What strikes at random strikes once: the message that is judged."""
    if change in STEADY:
        found = [tuple(changed(change, turns))]
    else:
        found = [(*turns[:-1], *changed(change, turns[-1:], seed=seed)) for seed in range(DRAWS)]
    yield from (after for after in found if after != turns)


async def _judged(bot: Bot, questions: Sequence[Question], progress: Progress) -> list[Verdict]:
    return await judge_all(bot, questions, doing="asking in other forms", progress=progress)


async def _negation(bot: Bot, pairs: Sequence[Pair], progress: Progress) -> Evaluation:
    wishes = await _judged(bot, [pair.question for pair in pairs], progress)
    negated = [replace(pair.question, turns=(pair.negated,)) for pair in pairs]
    found = []
    for pair, wish, other in zip(pairs, wishes, await _judged(bot, negated, progress), strict=True):
        question, texts = pair.question, (pair.question.turns[-1], pair.negated)
        # Any answer of the wish's: that the bot takes one of them for it does not make the others right.
        followed = other.answered and other.got in {*question.expected, wish.got}
        found.append(Judged(question.id, question.lang, texts, (_came(wish), _came(other)), followed))
    return judged_pairs(found)


def _trial(copy: _Copy, after: Verdict) -> Trial:
    question = copy.verdict.question
    texts = " / ".join(question.turns), " / ".join(copy.question.turns)
    before, then = _came(copy.verdict), _came(after)
    if copy.verdict.got == after.got == CLARIFY and set(copy.verdict.options) & set(after.options):
        # To ask which of several is meant is the same where it offers the same way out.
        then = replace(then, answer=before.answer)
    return Trial(copy.change, question.id, question.lang, texts, before, then)


def _came(verdict: Verdict) -> Came:
    offered = f": {', '.join(sorted(verdict.options))}" if verdict.options else ""
    return Came(f"{verdict.got}{offered}", verdict.intent, verdict.right, verdict.confidence)


def _th(number: int) -> Any:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
