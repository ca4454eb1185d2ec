"""Quality on public data: intents, scope and retrieval, with the heads and the search of the bot; intents also with the
encoder tuned for them.

docs/benches.md says what each key means. In percent. Everything is chosen on training and validation splits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bench import NoData, Options
from bench._bank import open_encoder
from bench._intents import Intents
from bench._ranking import bustm, stackfaq
from bench._scope import banking77_oos, clinc150
from bench._tuned import TunedIntents
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

Keys = tuple[str, ...]
Part = Callable[[], dict[str, float]]
CLINC_SCOPE = ("clinc150_oos_auroc", "clinc150_oos_recall")
BANKING_SCOPE = ("banking77_oos_near_auroc", "banking77_oos_far_auroc")


def run(options: Options, *, encoder: Encoder | None = None, base: Path | None = None) -> dict[str, float]:
    """All keys that `--only` leaves. `base`: folder of the encoder that is tuned. Raises `NoData`."""
    if options.data is None:
        raise NoData("give the folder of the public data sets: --data DIR")
    vectors = Kept(encoder or open_encoder(options), options)
    tuned = TunedIntents(base, vectors.encoder.fingerprint, options)
    parts = {**_quick(Intents(vectors, options), vectors, options), **_tuned(tuned, options)}
    figures: dict[str, float] = {}
    for keys in _wanted(options, parts):
        options.say(", ".join(keys))
        figures |= parts[keys]()
    return {**figures, **{f"{key}_floor": floor for key, floor in _floors(figures)}}


def _wanted(options: Options, parts: Mapping[Keys, Part]) -> list[Keys]:
    """A key brings along its floor, its spread and what else is measured with it."""
    if not options.only:
        return list(parts)
    owners = {_owner(asked, parts) for asked in options.only}
    return [keys for keys in parts if keys in owners]


def _owner(asked: str, parts: Mapping[Keys, Part]) -> Keys | None:
    """What measures it: whose key it is, or begins with; the longest, as one key may begin another."""
    found = [
        (len(key), keys) for keys in parts for key in keys if asked == key or asked.startswith(f"{key}_")
    ]
    return max(found)[1] if found else None


def _floors(figures: Mapping[str, float]) -> list[tuple[str, float]]:
    known = {key: FLOORS.get(key.removesuffix("_head")) for key in figures}
    return [(key, floor) for key, floor in known.items() if floor is not None]


def _quick(intents: Intents, vectors: Kept, options: Options) -> dict[Keys, Part]:
    """The encoder as it comes: minutes, once its vectors are there."""
    return {
        ("banking77_full_head",): lambda: intents.full("banking77_full_head", "banking77"),
        ("banking77_10_head",): lambda: intents.few("banking77_10_head", "banking77"),
        ("clinc150_full_head",): lambda: intents.full("clinc150_full_head", "clinc150"),
        ("clinc150_10_head",): lambda: intents.few("clinc150_10_head", "clinc150"),
        _heads(CLINC_SCOPE): lambda: intents.scope(clinc150(options)),
        _heads(BANKING_SCOPE): lambda: intents.scope(banking77_oos(options)),
        ("hwu64_full_head",): lambda: intents.full("hwu64_full_head", "hwu64"),
        ("smp2017",): lambda: intents.cross_validated("smp2017", "smp2017_ecdt", "train_develop"),
        ("stackfaq_r5", "stackfaq_cold_r5"): lambda: stackfaq(vectors, options),
        ("bustm_r1",): lambda: bustm(vectors, options),
    }


def _heads(keys: Keys) -> Keys:
    return tuple(f"{key}_head" for key in keys)


def _tuned(intents: TunedIntents, options: Options) -> dict[Keys, Part]:
    """The encoder tuned for each set and seed: minutes each, an hour or more in all."""
    return {
        ("banking77_10",): lambda: intents.few("banking77_10", "banking77"),
        ("clinc150_10",): lambda: intents.few("clinc150_10", "clinc150"),
        ("banking77_full",): lambda: intents.full("banking77_full", "banking77"),
        ("clinc150_full",): lambda: intents.full("clinc150_full", "clinc150"),
        ("hwu64_full",): lambda: intents.full("hwu64_full", "hwu64"),
        CLINC_SCOPE: lambda: intents.scope(clinc150(options)),
        BANKING_SCOPE: lambda: intents.scope(banking77_oos(options)),
    }
