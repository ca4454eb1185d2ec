"""The bot's own questions, put to a release before it may go live and to what is live, as customers would ask them.

Each answers with the bot as it is now. What came is kept by the hash of all that decides it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from bot.app import Bot
from bot.cli import kept
from bot.cli.judge import Verdict, judge_all
from bot.cli.promise_figures import promise_of
from bot.cli.rehearsal import Known, read_known, rehearsing
from bot.clock import SystemClock
from bot.definition import BotDefinition
from bot.definition.questions import Question
from bot.inference.child import Progress
from bot.inference.encodings import Encoding
from bot.inference.release import METHOD, PROMISED
from bot.settings import Settings
from retrieval.model_folder import sha256_file
from training.evaluation import Evaluation, joined, rows_hash
from training.measures import languages, share_metrics

SAID = ("generator", "generator_url", "generator_model", "generator_timeout_s", "history_turns", "verifier")
"""Settings that answers depend on."""


@dataclass(frozen=True, slots=True)
class Exam:
    """A bot, and what it is asked."""

    definition: BotDefinition
    settings: Settings
    questions: Sequence[Question]


@dataclass(frozen=True, slots=True)
class Alone:
    """One encoding, whatever a release is called: it may be none yet."""

    encoding: Encoding

    async def find(self, release: str, *, progress: Progress) -> Encoding:
        return self.encoding


async def examined(exam: Exam, release: str, encoding: Encoding, *, progress: Progress) -> Evaluation:
    """`answers.*` of what answers with `encoding`, where the bot has questions, and what its promise comes to there;
    `release`: how it is called. Raises KefuError, OSError.
    """
    known = await read_known(exam.settings)
    path = await asyncio.to_thread(_place, exam, known, encoding)
    if (before := await asyncio.to_thread(kept.find, path)) is not None:
        return before
    alone = Alone(encoding)
    async with rehearsing(
        exam.definition, exam.settings, release=release, progress=progress, encodings=alone
    ) as bot:
        verdicts = await put(bot, exam.questions, who=release, progress=progress)
        promised = promise_of(bot.host.current(), exam.definition.languages)
    parts = [answers(verdicts)] if verdicts else []
    return await asyncio.to_thread(kept.keep, path, joined([*parts, *promised]))


async def put(bot: Bot, questions: Sequence[Question], *, who: str, progress: Progress) -> list[Verdict]:
    """`who`: the release that answers."""
    return await judge_all(bot, questions, doing=f"asking {who}", progress=progress)


def answers(verdicts: Sequence[Verdict]) -> Evaluation:
    """`answers.right`, and `answers.misled`: the share that was given an answer, and a wrong one."""
    asked = [verdict.question for verdict in verdicts]
    langs = languages([q.turns[-1] for q in asked], [q.lang for q in asked])
    right = share_metrics("answers", "right", [v.right for v in verdicts], langs=langs)
    misled = share_metrics(
        "answers", "misled", [v.answered and not v.right for v in verdicts], better="lower"
    )
    rows = [
        {
            "id": verdict.question.id,
            "turns": list(verdict.question.turns),
            "expected": list(verdict.question.expected),
            "got": verdict.got,
            "options": list(verdict.options),
            "right": verdict.right,
            "lang": lang,
            "confidence": verdict.confidence,
        }
        for verdict, lang in zip(verdicts, langs, strict=True)
    ]
    tests = {"answers": rows_hash(("\n".join(q.turns), " | ".join(sorted(q.expected))) for q in asked)}
    return Evaluation(right | misled, {"answers": {"rows": rows}, "tests": tests})


def _place(exam: Exam, known: Known, encoding: Encoding) -> Path:
    """Of what decides answers: the folder, what was taken in, the encoder, settings, the day that they are valid on."""
    settings = exam.settings
    taken = {source: sorted(repr(row) for row in rows) for source, rows in known.taken.items()}
    return kept.place(
        settings.home,
        "answers",
        metadata.version("kefu"),
        [METHOD, PROMISED],
        encoding.fingerprint,
        sorted(encoding.trained),
        _files(settings.bot),
        [asdict(question) for question in exam.questions],
        taken,
        {name: getattr(settings, name) for name in SAID},
        SystemClock().now().date().isoformat(),
    )


def _files(folder: Path) -> list[tuple[str, str]]:
    """Names and contents; the home, which may lie in it, is hidden."""
    found = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return [
        (path.as_posix(), sha256_file(folder / path))
        for path in found
        if not any(part.startswith(".") for part in path.parts)
    ]
