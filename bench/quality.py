"""Quality on public data: intents, scope and retrieval, the encoder as it comes, the heads and the search of the bot.

docs/benches.md says what each key means. In percent. Everything is chosen on training and validation splits.
"""

from __future__ import annotations

from collections.abc import Callable

from bench import NoData, Options
from bench._bank import open_encoder
from bench._intents import Intents
from bench._ranking import bustm, stackfaq
from bench._vectors import Kept
from retrieval.embed import Encoder

FLOORS = {
    "banking77_full": 91.49,
    "banking77_10": 74.77,
    "clinc150_full": 92.93,
    "clinc150_10": 81.33,
    "hwu64_full": 88.29,
    "smp2017": 90.91,
}
"""Published with the data: TF-IDF and a linear support vector machine, no tuning."""

Part = Callable[[], dict[str, float]]


def run(options: Options, *, encoder: Encoder | None = None) -> dict[str, float]:
    """All keys that `--only` leaves. Raises `NoData`."""
    if options.data is None:
        raise NoData("give the folder of the public data sets: --data DIR")
    vectors = Kept(encoder or open_encoder(options), options)
    figures: dict[str, float] = {}
    for keys, measure in _parts(Intents(vectors, options), vectors, options).items():
        if _wanted(options, keys):
            options.say(", ".join(keys))
            figures |= measure()
    return {**figures, **{f"{key}_floor": floor for key, floor in FLOORS.items() if key in figures}}


def _wanted(options: Options, keys: tuple[str, ...]) -> bool:
    """A key brings along its floor, its spread and what else is measured with it."""
    return any(
        options.wants(key) or any(asked.startswith(f"{key}_") for asked in options.only) for key in keys
    )


def _parts(intents: Intents, vectors: Kept, options: Options) -> dict[tuple[str, ...], Part]:
    return {
        ("banking77_full",): intents.banking77,
        ("banking77_10",): lambda: intents.few("banking77_10", "banking77"),
        ("clinc150_full",): lambda: intents.full("clinc150_full", "clinc150", "train", "test"),
        ("clinc150_10",): lambda: intents.few("clinc150_10", "clinc150"),
        ("clinc150_oos_auroc", "clinc150_oos_recall"): intents.scope,
        ("hwu64_full",): lambda: intents.full("hwu64_full", "hwu64", "dialoglue_train", "dialoglue_test"),
        ("smp2017",): lambda: intents.cross_validated("smp2017", "smp2017_ecdt", "train_develop"),
        ("stackfaq_r5", "stackfaq_cold_r5"): lambda: stackfaq(vectors, options),
        ("bustm_r1",): lambda: bustm(vectors, options),
    }
