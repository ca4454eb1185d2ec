"""What is about to serve answers a crowd first: no customer pays for the first run of anything, and memory is taken
now, where the heap would else grow whenever more come at once than ever before.
"""

from __future__ import annotations

import asyncio
import time
from itertools import cycle, islice

from bot.clock import SystemClock
from bot.inference.door import MAX_BATCH
from bot.inference.reader import PATIENCE_S
from bot.inference.understanding import Ask, Live

WORDS = "warm up"
LONG = 6
"""Times these words: some 16 tokens, of which a crowd fills as many runs of the encoder's graph as go on at once up to
their bound (`retrieval.batches`). What is longer takes as much, since fewer of them make a run.
"""


async def warm(live: Live, *, crowd: int = MAX_BATCH) -> None:
    """Put one question, and then `crowd` at once that lean on it: all of them are encoded in one batch, and followed up
    in one, by themselves and with the question before. Raises Busy, InferenceError.
    """
    today = SystemClock().now().date()
    langs = sorted({entry.lang for entry in live.bundle.entries}) or ["en"]
    await _put(live, Ask(WORDS, langs[0], today))
    text = " ".join([WORDS] * LONG)
    leaning = (Ask(text, lang, today, WORDS, leaning=True) for lang in islice(cycle(langs), crowd))
    await asyncio.gather(*(_put(live, ask) for ask in leaning))


async def _put(live: Live, ask: Ask) -> None:
    await live.reader.understand(live, ask, deadline=time.monotonic() + PATIENCE_S)
