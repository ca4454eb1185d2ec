"""The recovery bench finds what it looks for: each fault, put into a ledger by hand, is counted as what it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench._customers import Customer
from bench.recovery import Findings, Row, judge

FINE: tuple[Row, ...] = (
    (1, "customer", "0-1", None, "one?"),
    (2, "customer", "0-2", None, "two?"),
    (3, "bot", None, 1, "One."),
    (4, "bot", None, 2, "Two."),
)
SHOWN = [{"seq": seq, "role": role, "text": text} for seq, role, _, _, text in FINE]


def customer() -> Customer:
    return Customer(0, ["?"], sent=["0-1", "0-2"], receipts={"0-1": 1, "0-2": 2}, shown=list(SHOWN))


def found(rows: tuple[Row, ...], who: Customer | None = None) -> tuple[int, int, int]:
    findings = Findings()
    judge(who or customer(), rows, findings)
    return findings.lost, findings.doubled, findings.reordered


def test_where_all_is_well_nothing_is_found() -> None:
    assert found(FINE) == (0, 0, 0)


@pytest.mark.parametrize(
    ("rows", "which"),
    [
        (FINE[:3], 0),  # the second answer is missing
        (FINE[1:], 0),  # a receipt for what is not there
        ((*FINE, (5, "bot", None, 2, "Two.")), 1),
        ((*FINE, (5, "customer", "0-2", None, "two?")), 1),
        ((*FINE[:2], (3, "bot", None, 2, "Two."), (4, "bot", None, 1, "One.")), 2),
        (((1, "customer", "0-2", None, "two?"), (2, "customer", "0-1", None, "one?"), *FINE[2:]), 2),
    ],
)
def test_each_fault_is_counted(rows: tuple[Row, ...], which: int) -> None:
    assert found(rows)[which] > 0


def test_a_page_that_shows_something_else_is_counted() -> None:
    assert found(FINE, replace(customer(), shown=SHOWN[:3]))[0] > 0
    assert found(FINE, replace(customer(), shown=[SHOWN[1], SHOWN[0], *SHOWN[2:]]))[2] > 0
    assert found(FINE, replace(customer(), contradictions=1))[0] > 0
