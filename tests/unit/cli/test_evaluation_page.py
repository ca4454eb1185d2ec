"""The page of an evaluation: whole, in both languages, alone or beside the live release's; texts are texts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bot.cli.evaluation_page import Shown, page
from bot.cli.names import FIGURES, number
from bot.cli.promise_figures import promise_details, promise_in_words
from tests.unit.cli.pages import check, to_know_first
from training.bounds import curves_of, learn_bounds
from training.calibrate import Question, Verdict
from training.evaluate import judged_labels, judged_ranking, judged_scope
from training.evaluation import Evaluation, Metric, joined
from training.measures import Outcome, latency_metrics, share_metrics
from training.promise import Bound, Promise

EVIL = "<script>alert('x')</script> & </main>"
HISTORY = [{"epoch": n, "loss": 2 / n, "intent.accuracy": 1 - 1 / (n + 1), "note": "x"} for n in range(1, 5)]
CARD: dict[str, Any] = {
    "hash": "ab" * 32,
    "tasks": {"intent": {"rows": {"train": 90, "valid": 0, "test": 10}, "labels": {"a": {}, "b": {}}}},
    "sources": [{"name": EVIL, "kind": "file", "rows": 100, "terms": EVIL}],
    "removed": [{"reason": EVIL, "task": "intent", "rows": 3}],
    "scrubbed": {"phone": 2},
    "leaks": {"exact": 1},
    "notes": [EVIL],
}


def evaluation(*, right: float = 0.8, labels: int = 9) -> Evaluation:
    random = np.random.default_rng(4)
    names = np.array([f"{EVIL}_{n}" for n in range(labels)])
    truth = names[random.integers(labels, size=300)]
    named = np.where(random.random(300) < right, truth, names[random.integers(labels, size=300)])
    rows = [
        {"text": EVIL, "label": str(t), "lang": lang, "line": 7}
        for t, lang in zip(truth, ["zh", "en"] * 150, strict=True)
    ]
    asked = [
        {
            "id": n,
            "turns": [EVIL],
            "expected": [EVIL],
            "got": EVIL,
            "right": n == "2",
            "lang": lang,
            "confidence": sure,
        }
        for n, lang, sure in ((EVIL, "zh", None), ("2", "en", 0.5))
    ]
    why = {"text": EVIL, "label": EVIL, "truth": EVIL, "probability": 0.5, "logit": 1.0, "baseline": 0.0, "words": 0.25,
           "tokens": [[EVIL, 1.0], ["b", -0.4], ["c", 0.0]]}  # fmt: skip
    scores = random.random(60).astype(np.float32)
    return joined(
        [
            judged_labels("intent", Outcome(truth, named, random.random(300).astype(np.float32)), rows, {}),
            judged_scope(scores[:30], scores[30:] + 0.3, rows),
            judged_ranking([1, None, 3, 1], rows[:4]),
            Evaluation(share_metrics("answers", "right", [False, True]), {"answers": {"rows": asked}}),
            Evaluation(latency_metrics([1.0, 2.0, 3.0]), {"attributions": [why]}),
            Evaluation({"custom.figure": Metric(3.25, 3.0, 4.0, 5)}),
        ]
    )


def shown(whole: Evaluation, live: Evaluation | None = None) -> Shown:
    return Shown((EVIL, EVIL), (EVIL, EVIL), whole, live, HISTORY, CARD, [(EVIL, EVIL)], {"kefu": "0.1.0"})


def test_the_page_of_everything() -> None:
    made = page(shown(evaluation()))
    check(made)
    assert "alert(" not in re.sub(r"&lt;script&gt;alert\(", "", made)
    for said in (
        "Learning curve",
        "学习曲线",
        "ROC 曲线",
        "按语言",
        "Question by question",
        "content hash",
        "宏平均 F1",
    ):
        assert said in made
    assert made.count("<polyline") == 2 * 3  # loss, accuracy, scope
    assert "custom" in made
    assert 'class="f3"' in made


def test_a_promise_is_shown_by_language_with_what_it_was_found_on() -> None:
    chance = np.random.default_rng(0)
    asked = Question(EVIL, "en", "a", "answerable")
    found = [Verdict(asked, sure, chance.random() < sure**0.1) for sure in chance.random(400).tolist()]
    found += [Verdict(replace(asked, key=None, kind="foreign"), 0.1, right=False)] * 200
    promised = learn_bounds(found, ("en",), Promise(0.1, 0.9))
    details = promise_details(promised, ("zh", "en"))
    assert json.loads(json.dumps(details, allow_nan=False)) == details
    made = page(shown(Evaluation({}, {"promise": details})))
    check(made)
    assert made.count("<polyline") == 2 * (1 + 2)  # risk; and the learning curves
    for said in ("The promise", "所作的承诺", "可靠性图", "Risk and coverage", "只回答已存的问题和按钮"):
        assert said in made
    assert ">22<" in made  # texts that Chinese lacks
    assert 'r="5"' in made  # how far the promise is kept
    silent = replace(promised, bounds={"en": Bound(None, 400)})
    assert 'r="5"' not in page(shown(Evaluation({}, {"promise": promise_details(silent, ("en",))})))


@pytest.mark.parametrize(
    ("bound", "english", "chinese"),
    [
        (
            Bound(0.636, 2000, answered=1220, wrong=20),
            "At most 3 % wrong. Chinese: answers from 64 % sure on, 61 % of the 2000 texts",
            "答错不超过 3 %。中文：把握达到 64 % 才回答，占评判所用 2000 条文本的 61 %。",
        ),
        (Bound(None, 112, missing=40), "Write 40 more phrasings", "请再为各条答案写 40 种问法"),
        (Bound(None, 900, missing=350), "some 350 are lacking", "大约还缺 350 条"),
        (Bound(None, 900), "the surest of 900 texts", "900 条文本中，即使把握最大的也错得太多"),
    ],
)
def test_what_a_promise_comes_to_is_said_in_both_languages(bound: Bound, english: str, chinese: str) -> None:
    promised = replace(learn_bounds({}, ("zh",), Promise()), bounds={"zh": bound})
    ((en, zh),) = promise_in_words(promise_details(promised, ("zh",)))
    assert english in en
    assert chinese in zh
    notes = to_know_first(page(replace(shown(Evaluation({})), notes=[(en, zh)])))
    assert notes == ([zh], [en])


def test_what_confidences_are_worth_is_drawn_where_nothing_is_promised() -> None:
    found = [Verdict(Question(EVIL, "en", "a", "answerable"), n / 80, right=n > 20) for n in range(80)]
    details = curves_of(found, ("en",))
    assert json.loads(json.dumps(details, allow_nan=False)) == details
    made = page(shown(Evaluation({}, {"confidence": details})))
    check(made)
    for said in ("Do confidences mean what they say?", "把握是否名副其实", "可靠性图", "Risk and coverage"):
        assert said in made
    assert 'class="even"' in made  # the diagonal
    assert "dashed line is the promise" not in made


def test_beside_the_live_one() -> None:
    """Only what was measured on the same rows is told apart."""
    whole, live = evaluation(right=0.95), evaluation(right=0.6)
    made = page(shown(whole, live))
    check(made)
    assert re.search(r'<b class="good">better</b>', made)
    assert re.search(r'<b class="bad">更差</b>', page(shown(live, whole)))
    elsewhere = replace(live, details={**live.details, "tests": {**live.tests, "intent": "other"}})
    made = page(shown(whole, elsewhere))
    assert "other test rows" in made
    assert "better</b>" not in made


def test_questions_that_only_the_live_release_got_right_come_first_with_what_it_said() -> None:
    def answered(**right: bool) -> Evaluation:
        rows = [
            {
                "id": id,
                "turns": [f"question {id}"],
                "expected": ["a"],
                "got": "a" if one else EVIL,
                "right": one,
                "lang": "en",
                "confidence": 0.5,
            }
            for id, one in right.items()
        ]
        metrics = share_metrics("answers", "right", list(right.values()))
        return Evaluation(metrics, {"answers": {"rows": rows}, "tests": {"answers": "t"}})

    new, old = answered(q1=True, q2=False, q3=False), answered(q1=False, q2=False, q3=True)
    made = page(shown(new, old))
    check(made)
    assert re.findall(r"question (q\d)", made[: len(made) // 2]) == ["q3", "q2", "q1"]
    assert "1 lost, 1 won" in made
    assert "丢失 1，新增 1" in made
    assert "live release</" in made
    assert "live release</" not in page(shown(new))


def test_the_page_of_next_to_nothing() -> None:
    bare = Shown(("t", "标题"), ("a", "说明"), Evaluation({"size.mb": Metric(1.0, 1.0, 1.0, 1, "lower")}))
    made = page(bare)
    check(made)
    assert "1.0" in made
    perfect = Outcome(np.array(["a", "b"]), np.array(["a", "b"]), np.ones(2, np.float32))
    rows = [{"text": "x", "label": "a"}, {"text": "y", "label": "b"}]
    check(page(replace(bare, evaluation=judged_labels("sentiment", perfect, rows, {}))))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("intent.accuracy.zh", 0.9351, "93.5 %"),
        ("latency.ms", 12.34, "12.3"),
        ("size.parameters", 117653760, "117,653,760"),
        ("custom.thing", 2.0, "2.0"),
    ],
)
def test_a_figure_is_told_in_its_unit(name: str, value: float, said: str) -> None:
    assert number(name, value) == said


def test_every_metric_has_a_name_in_both_languages() -> None:
    told = {name.split(".")[1] for name in evaluation().metrics} - {"figure"}
    assert told <= FIGURES.keys()
