"""What figures are called, for people, in English and Chinese."""

from __future__ import annotations

from bot.cli.page import Both, Tell
from training.evaluation import Metric

FAMILIES: dict[str, Both] = {
    "intent": ("intent", "意图"),
    "sentiment": ("sentiment", "情感"),
    "retrieval": ("search", "检索"),
    "scope": ("out of scope", "范围外"),
    "answers": ("answers", "回答"),
    "same_answer": ("same answer", "回答不变"),
    "same_intent": ("same intent", "意图不变"),
    "negation": ("negation", "否定"),
    "told": ("what was said", "所答内容"),
    "latency": ("latency", "延迟"),
    "size": ("size", "大小"),
}
CHANGES: dict[str, Both] = {
    "traditional": ("traditional characters", "繁体字"),
    "simplified": ("simplified characters", "简体字"),
    "taiwan": ("Taiwan's characters and words", "台湾用字用词"),
    "full_width": ("full width", "全角"),
    "half_width": ("half width", "半角"),
    "upper": ("capitals", "全大写"),
    "lower": ("small letters", "全小写"),
    "title": ("capitals of words", "首字母大写"),
    "blanks": ("more blanks", "多余空格"),
    "punctuation": ("other punctuation", "标点增减"),
    "typo": ("one typo", "一个错别字"),
    "typo_en": ("one typo, English", "一个英文错字"),
    "typo_zh": ("one typo, Chinese", "一个中文错字"),
    "keyboard": ("one character in ten wrong", "十分之一字符出错"),
    "pinyin": ("a word in pinyin", "一个词用拼音"),
    "mixed": ("a word in the other language", "中英夹杂"),
    "synonym": ("another word for the same", "同义词"),
}
FIGURES: dict[str, Both] = {
    **CHANGES,
    "accuracy": ("accuracy", "准确率"),
    "macro_f1": ("macro F1", "宏平均 F1"),
    "micro_f1": ("micro F1", "微平均 F1"),
    "ece": ("calibration error", "校准误差"),
    "recall@1": ("recall@1", "召回率@1"),
    "recall@5": ("recall@5", "召回率@5"),
    "recall@10": ("recall@10", "召回率@10"),
    "mrr": ("mean reciprocal rank", "平均倒数排名"),
    "auroc": ("AUROC", "AUROC"),
    "recall@95": ("found where 95 % are let through", "放行 95 % 时的识别率"),
    "right": ("right", "答对"),
    "misled": ("answered, but wrongly", "答非所问"),
    "gap": ("gap between languages", "语言间差距"),
    "gap_groups": ("gap between groups", "用户群间差距"),
    "told_apart": ("a wish and its negation told apart", "区分意愿与其否定"),
    "followed": ("what is not wanted is answered", "否定被当作意愿回答"),
    "answered": ("answered where there is an answer", "有答案时作答"),
    "abstained": ("not answered where there is none", "无答案时不作答"),
    "supported": ("sentences that facts or sources hold", "有事实或来源支持的句子"),
    "right_source": ("answers from the right source", "来源正确的回答"),
    "complete": ("answers with all that they must say", "要点齐全的回答"),
    "withheld": ("answers of which something was withheld", "有内容被拦下的回答"),
    "first_ms": ("ms to the first words, median", "首字毫秒数，中位数"),
    "last_ms": ("ms to the end, median", "完成毫秒数，中位数"),
    "last_ms_p95": ("ms to the end, 95th percentile", "完成毫秒数，第 95 百分位"),
    "ms": ("ms a text, median", "毫秒/条，中位数"),
    "ms_p95": ("ms a text, 95th percentile", "毫秒/条，第 95 百分位"),
    "mb": ("MB on disk", "磁盘占用（MB）"),
    "parameters": ("parameters", "参数量"),
}
STEADY = ("same_answer", "same_intent")
"""Families with a figure for each change: told in a table of their own."""
LANGS: dict[str, Both] = {"zh": ("Chinese", "中文"), "en": ("English", "英文"), "other": ("other", "其他")}
SHARES = frozenset(FIGURES) - {"ms", "ms_p95", "first_ms", "last_ms", "last_ms_p95", "mb", "parameters"}


def family(name: str) -> str:
    """`intent` of `intent.accuracy.zh`."""
    return name.partition(".")[0]


def what(name: str) -> str:
    """`accuracy` of `intent.accuracy.zh`."""
    return name.split(".")[1] if "." in name else name


def lang(name: str) -> str | None:
    """`zh` of `intent.accuracy.zh`."""
    parts = name.split(".")
    return parts[2] if len(parts) > 2 else None


def is_share(name: str) -> bool:
    """Between 0 and 1, and told in percent; what nobody named here is shown as the number it is."""
    return what(name) in SHARES


def title(name: str, tell: Tell) -> str:
    """Of a metric: as it is called, with its language."""
    called = tell(*FIGURES.get(what(name), (what(name), what(name))))
    spoken = lang(name)
    return called if spoken is None else f"{called} · {language(spoken, tell)}"


def language(name: str, tell: Tell) -> str:
    return tell(*LANGS.get(name, (name, name)))


def change(name: str, tell: Tell) -> str:
    """What was done to a text (`training.noise`)."""
    return tell(*CHANGES.get(name, (name, name)))


def number(name: str, value: float) -> str:
    """A value of the metric of that name."""
    if is_share(name):
        return f"{100 * value:.1f} %"
    return f"{value:,.0f}" if what(name) == "parameters" else f"{value:.1f}"


def between(name: str, one: Metric) -> str:
    """Its interval; nothing where there is none."""
    if one.low == one.high:
        return ""
    if is_share(name):
        return f"{100 * one.low:.1f} – {100 * one.high:.1f}"
    return f"{one.low:.1f} – {one.high:.1f}"
