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
    "latency": ("latency", "延迟"),
    "size": ("size", "大小"),
}
FIGURES: dict[str, Both] = {
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
    "ms": ("ms a text, median", "毫秒/条，中位数"),
    "ms_p95": ("ms a text, 95th percentile", "毫秒/条，第 95 百分位"),
    "mb": ("MB on disk", "磁盘占用（MB）"),
    "parameters": ("parameters", "参数量"),
}
LANGS: dict[str, Both] = {"zh": ("Chinese", "中文"), "en": ("English", "英文"), "other": ("other", "其他")}
SHARES = frozenset(FIGURES) - {"ms", "ms_p95", "mb", "parameters"}


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
