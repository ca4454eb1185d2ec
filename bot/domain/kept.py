"""Is a promise about answers being kept? A test that may be looked at after every answer, for as long as one likes.

What came of the answers is a bet against "at most the share `promised` is wrong": each wrong answer raises the stake,
each right one lowers it, so that while the promise is kept nobody gets rich on average. By Ville's inequality (1939)
the stake then ever grows a hundredfold with a probability of one in a hundred at most, however often it is looked at
(testing by betting: Shafer 2021; Waudby-Smith, Ramdas 2024).
"""

from __future__ import annotations

import math

TIMES = (1.25, 1.5, 2.0, 3.0, 5.0, 8.0)
"""The stake is split evenly among bets that so many times as many answers are wrong as was promised."""
MOST = 0.95


def stake(wrong: int, answered: int, *, promised: float) -> float:
    """What a stake of 1 has grown to after so many of the answers were wrong, in whatever order. `promised`: 0..1."""
    bets = [_grown(wrong, answered, promised, min(times * promised, MOST)) for times in TIMES]
    top = max(bets)
    # Beyond what a float holds it is as good as infinite.
    return math.inf if top > 700 else math.exp(top) * sum(math.exp(bet - top) for bet in bets) / len(bets)


def slipped(wrong: int, answered: int, *, promised: float, sure: float) -> bool:
    """Whether the promise is broken; of one that is kept it is ever said with a probability of 1 - `sure` at most."""
    return stake(wrong, answered, promised=promised) * (1.0 - sure) >= 1.0


def _grown(wrong: int, answered: int, promised: float, bet: float) -> float:
    """Logarithm of how much likelier this is if the share `bet` is wrong than if the share `promised` is."""
    return wrong * math.log(bet / promised) + (answered - wrong) * (math.log1p(-bet) - math.log1p(-promised))
