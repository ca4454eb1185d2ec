"""What a bot's promise comes to: the bound of each language, and the curves that it was found on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from typing import Any

from bot.cli import names
from bot.cli.page import Both, Tell, chinese, heading, paragraph, percent, table
from bot.cli.plots import reliability, risk
from bot.inference.promised import percent as share
from bot.inference.promised import told
from bot.inference.understanding import Live
from training.evaluation import Evaluation
from training.lesson import LessonHeads
from training.promise import Bound, Promise, Promised

Details = Mapping[str, Any]


def promise_of(live: Live, languages: tuple[str, ...]) -> list[Evaluation]:
    """What the page and the terminal are told of it; where it promises nothing, what confidences are worth."""
    if live.promised:
        return [Evaluation({}, {"promise": promise_details(live.promised, languages)})]
    curves = live.heads.curves if isinstance(live.heads, LessonHeads) else {}
    drawn = {lang: curves[lang] for lang in languages if curves.get(lang, {}).get("reliability")}
    return [Evaluation({}, {"confidence": drawn})] if drawn else []


def promise_details(promised: Promised, languages: tuple[str, ...]) -> dict[str, Any]:
    """JSON: {"wrong", "sure", "languages": {lang: a bound's fields, and its curves}}."""
    spoken = {lang: asdict(promised.bound(lang)) | dict(promised.curves.get(lang, {})) for lang in languages}
    return {**asdict(promised.promise), "languages": spoken}


def promise_in_words(details: Details) -> Iterator[Both]:
    """A line for each language, with what to do where it answers nothing."""
    known = [one.name for one in fields(Bound)]
    spoken = details["languages"]
    bounds = {lang: Bound(**{name: bound[name] for name in known}) for lang, bound in spoken.items()}
    promised = Promised(Promise(details["wrong"], details["sure"]), bounds)
    wrong = share(promised.promise.wrong)
    for lang, one in zip(spoken, told(promised, tuple(spoken)), strict=True):
        zh = _in_chinese(bounds[lang], promised.promise)
        yield (
            f"At most {wrong} wrong. {one.text}. {one.hint}".rstrip(),
            f"答错不超过 {wrong}。{_called(lang, chinese)}：{zh}",
        )


def _in_chinese(bound: Bound, made: Promise) -> str:
    """As `bot.inference.promised.told` says it in English."""
    if bound.at is not None:
        return (
            f"把握达到 {share(bound.at)} 才回答，占评判所用 {bound.texts} 条文本的 {share(bound.coverage)}。"
        )
    if bound.missing and bound.texts >= made.fewest:
        why = f"{bound.texts} 条文本中有答错的，不足以承诺 {share(made.wrong)}：大约还缺 {bound.missing} 条"
        hint = f"请再为各条答案写大约 {bound.missing} 种问法，或在 bot.yml 中放宽承诺。"
    elif bound.missing:
        why = f"还需要 {bound.missing} 种问法才能承诺 {share(made.wrong)}"
        hint = f"请再为各条答案写 {bound.missing} 种问法，或在 bot.yml 中放宽承诺。"
    else:
        why = f"{bound.texts} 条文本中，即使把握最大的也错得太多，达不到 {share(made.wrong)}"
        hint = "请区分容易混淆的内容（见 `kefu eval`），或在 bot.yml 中放宽承诺。"
    return f"只回答已存的问题和按钮，因为{why}。{hint}"


def promise(details: Details, tell: Tell) -> Iterator[str]:
    wrong, sure = percent(details["wrong"]), percent(details["sure"])
    yield paragraph(
        tell(
            f"At most {wrong} % of what is answered from understanding is wrong, which is {sure} % sure, for messages "
            "like those that it was learned from: the bot's own phrasings, each asked of a bot that had not seen it, "
            "some with a typo, and questions without an answer.",
            f"凭理解作出的回答中，错误的不超过 {wrong} %，此承诺的把握为 {sure} %；"
            "前提是消息与校准文本相似：机器人自己的问法（每条都由没有学过它的机器人回答，部分带有错字），以及没有答案的问题。",
        )
    )
    head = (
        tell("language", "语言"),
        tell("answers from % sure on", "达到此把握（%）才回答"),
        tell("texts", "文本"),
        tell("answered %", "回答了 %"),
        tell("of these wrong %", "其中错误 %"),
        tell("texts missing", "还缺文本"),
    )
    spoken = details["languages"]
    yield table(head, [_row(lang, bound, tell) for lang, bound in spoken.items()], numbers=(1, 2, 3, 4, 5))
    for lang, bound in spoken.items():
        if bound.get("reliability"):
            yield heading(_called(lang, tell))
            shares = None if bound["at"] is None else _shares(bound)
            yield _curves(bound, tell, wrong=details["wrong"], bound=shares)


def confidence(details: Mapping[str, Details], tell: Tell) -> Iterator[str]:
    """By language."""
    yield paragraph(
        tell(
            "Judged by the bot's own phrasings, each asked of a bot that had not seen it, and by questions without an "
            "answer.",
            "评判所用：机器人自己的问法（每条都由没有学过它的机器人回答），以及没有答案的问题。",
        )
    )
    for lang, curves in details.items():
        yield heading(_called(lang, tell))
        yield _curves(curves, tell)


def _row(lang: str, bound: Details, tell: Tell) -> tuple[str, ...]:
    if bound["at"] is None:
        never = tell("stored questions and buttons alone", "只回答已存的问题和按钮")
        return _called(lang, tell), never, str(bound["texts"]), "", "", str(bound["missing"] or "")
    shares = _shares(bound)
    return _called(lang, tell), percent(bound["at"]), str(bound["texts"]), *map(percent, shares), ""


def _shares(bound: Details) -> tuple[float, float]:
    """Of its texts that are answered, and of these that are wrong."""
    return bound["answered"] / bound["texts"], bound["wrong"] / bound["answered"]


def _curves(
    curves: Details, tell: Tell, *, wrong: float | None = None, bound: tuple[float, float] | None = None
) -> str:
    groups = [(group["confidence"], group["right"], group["texts"]) for group in curves["reliability"]]
    drawn = reliability(groups, tell) + risk(curves["risk_coverage"], wrong, tell, bound=bound)
    return f'<div class="plots">{drawn}</div>' + paragraph(
        tell(
            f"Calibration error {percent(curves['ece'])} %, area under the curve of risk {percent(curves['aurc'])} %.",
            f"校准误差 {percent(curves['ece'])} %，风险曲线下面积 {percent(curves['aurc'])} %。",
        )
    )


def _called(lang: str, tell: Tell) -> str:
    return tell(*names.LANGS.get(lang, (lang, lang)))
