"""`kefu eval explain`: what the child found, as it is shown; the child itself is tested beside its code."""

from __future__ import annotations

import io

import pytest
from click.testing import CliRunner
from rich.console import Console

from bot.cli.figures import scaled
from bot.cli.main import kefu
from bot.cli.tokens import show

ROW = {
    "text": "[b]my 卡丢了", "label": "card_lost", "probability": 0.813, "logit": 3.4, "baseline": -1.2,
    "words": 0.5, "delta": 0.01, "tokens": [["[b]my", -0.6], [" 卡", 1.2], ["丢", 4.0], ["了", 0.1]],
}  # fmt: skip


def test_a_text_is_shown_whole_with_its_strongest_parts() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system="standard")
    show(console, ROW)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    plain = Console(file=io.StringIO(), width=80)
    show(plain, ROW)
    lines = plain.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert lines[:3] == ["card_lost  81.3 %", "[b]my 卡丢了", "丢 +4.00  卡 +1.20  [b]my -0.60  了 +0.10"]
    assert "-1.20 without the text, +3.40 with it; words add +0.50" in lines[3]
    assert "\x1b[1;4;32m丢" in said  # bold, underlined, green
    assert "\x1b[9;31m" not in said  # a share this small has no colour


def test_shares_are_parts_of_the_largest() -> None:
    assert [share for _, share in scaled(ROW)] == [-0.15, 0.3, 1.0, pytest.approx(0.025)]
    assert scaled({"tokens": [["a", 0.0]]}) == [("a", 0.0)]


def test_a_text_has_to_be_named() -> None:
    done = CliRunner().invoke(kefu, ["eval", "explain"])
    assert done.exit_code == 2
    assert "Missing argument 'TEXT...'" in done.stderr
