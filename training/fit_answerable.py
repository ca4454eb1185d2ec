"""Learning what is answerable from the bot's own texts, each judged by what has not seen it. scikit-learn.

With an answer: phrasings that were held out. Without: out-of-scope examples, many of which sound like home, and
phrasings of topics that were taken out whole. The latter are harder than what customers write, as the nearest of a
bot's answers to them is its sibling ("raise my limit", "lower my limit"): they count little, or hardly anything would
be answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from training.answerable import Answerable, answer_features
from training.apply import Calibrator, Floats, standardised
from training.calibrate import Confident, Judged, Question, Verdict, best_rows, held_out, verdicts, weights

SHARES = {"answerable": 0.6, "removed": 0.07, "foreign": 0.33}
"""What each kind of question counts. Chosen on folds of the example bots: at nine of ten foreign messages refused, this
answers 78 and 82 % of what can be answered, where how sure the best answer is among others alone answers 57 and 59.
"""
REFUSED = 0.9
"""Share of the foreign messages that is to be refused."""
LOST = 0.25
"""Share of the questions with an answer that may be refused for it at most."""
FEWEST = 20
"""Foreign messages without which nothing is learned: the bot then goes by how sure it is."""

Bools = NDArray[np.bool_]


class _Asked:
    """Questions of some folds to which anything was found, with their features by calibrators that saw none of them."""

    def __init__(self, judged: Confident) -> None:
        rows = list(_rows(judged))
        self.features = np.stack([row for _, _, _, row in rows])
        self.right = np.array([right for _, _, right, _ in rows], dtype=np.bool_)
        self.fold = np.array([number for number, _, _, _ in rows])
        self.kind = np.array([question.kind for _, question, _, _ in rows])
        self.questions = [question for _, question, _, _ in rows]

    def fit(self, chosen: Bools) -> Answerable:
        from sklearn.linear_model import LogisticRegression

        features, kind = self.features[chosen], self.kind[chosen]
        centre = np.nan_to_num(np.nanmean(features, axis=0)).astype(np.float32)
        scale = (np.nan_to_num(np.nanstd(features, axis=0)) + 1e-6).astype(np.float32)
        model = LogisticRegression(C=1.0, max_iter=1_000)
        model.fit(
            standardised(features, centre, scale), self.right[chosen], sample_weight=weights(kind, SHARES)
        )
        return Answerable(
            centre, scale, model.coef_[0].astype(np.float32), float(model.intercept_[0]), least=0.0
        )

    def probabilities(self) -> Floats:
        """Of each question, by what was learned from the other folds."""
        found = np.zeros(len(self.fold), dtype=np.float32)
        for number in np.unique(self.fold):
            here = self.fold == number
            found[here] = self.fit(~here).probability(self.features[here])
        return found

    def least(self, found: Floats, here: Bools) -> float:
        refused = np.quantile(found[here & (self.kind == "foreign")], REFUSED)
        return float(min(refused, np.quantile(found[here & self.right], LOST)))

    def least_by(self, found: Floats) -> dict[str, float]:
        """In one language a bot is surer than in another: of foreign messages in either as many are to be refused."""
        lang = np.array([question.lang for question in self.questions])
        return {
            str(one): self.least(found, lang == one)
            for one in np.unique(lang)
            if (self.kind[lang == one] == "foreign").sum() >= FEWEST and self.right[lang == one].any()
        }

    @property
    def enough(self) -> bool:
        """In every fold, and without it."""
        return all(
            (self.kind[self.fold == number] == "foreign").sum() >= FEWEST / len(np.unique(self.fold))
            and len(set(self.right[self.fold != number])) == 2
            for number in np.unique(self.fold)
        )


def fit_answerable(
    folds: Sequence[Judged], calibrator: Calibrator | None, *, threads: int = 1
) -> tuple[Answerable | None, list[Verdict]]:
    """What was learned (None: there is too little), and verdicts on all questions by what was learned from others."""
    judged = held_out(folds, calibrator, threads=threads)
    told = list(verdicts(judged))
    if calibrator is None or len(folds) < 2:
        return None, told
    asked = _Asked(judged)
    if not asked.enough:
        return None, told
    found = asked.probabilities()
    sure = {id(question): one for question, one in zip(asked.questions, found.tolist(), strict=True)}
    everywhere = np.ones(len(found), dtype=np.bool_)
    least = asked.least(found, everywhere)
    whole = replace(asked.fit(everywhere), least=least, least_by=asked.least_by(found))
    return whole, [replace(one, sure=sure.get(id(one.question), 0.0)) for one in told]


def shares_answered(told: Sequence[Verdict], learned: Answerable) -> dict[str, float]:
    """Of each kind of question, for the card: the share that is answered by who learned this."""
    answered = {id(v): v.sure >= learned.at_least(v.question.lang) for v in told}
    kinds = {verdict.question.kind for verdict in told}
    return {
        f"answered_{kind}": float(np.mean([answered[id(v)] for v in told if v.question.kind == kind]))
        for kind in sorted(kinds)
    }


def _rows(judged: Confident) -> Iterator[tuple[int, Question, bool, Floats]]:
    """(fold, question, whether its surest hit is right, its features) of each question to which something was found."""
    for number, (fold, confidence) in enumerate(judged):
        numbers = fold.question.astype(np.int64)
        for asked, best in best_rows(fold, confidence).items():
            here = slice(*np.searchsorted(numbers, [asked, asked + 1]))
            row = answer_features(
                confidence[here],
                fold.keys[here],
                foreign=fold.foreign[asked].tolist(),
                candidate=fold.features[best],
                own=fold.own(best),
            )
            yield number, fold.asked[asked], bool(fold.truth[best]), row
