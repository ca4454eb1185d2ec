"""What a generator is taught of a bot: its own questions and what customers confirmed, each with the passages that it
would be given and what it should say; and questions with passages that do not hold the answer.

Prompts are made by what makes them for customers (`bot.engine.speak.Speech`, `bot.inference.instructions`): a model
learns to answer exactly what it will be asked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from bot.app import Bot, examples
from bot.cli.snapshot import CONFIRMED, SCRUBBED, TALKS, Heard, notes_of
from bot.definition import BotDefinition
from bot.engine.passages import sayable, whole
from bot.engine.probe import probe
from bot.engine.speak import Speech
from bot.inference.child import Progress
from bot.inference.extractive import compose
from bot.inference.generator import Passage, Prompt, cited, gap
from bot.inference.guard import MARK
from bot.inference.instructions import REFUSAL, as_chat, completed
from bot.inference.local import as_local_chat, as_local_completion
from retrieval.text import normalise, script_lang
from retrieval.types import Entry
from training.apply import OUT_OF_SCOPE
from training.generator.examples import Example, Given
from training.generator.spec import Form, GeneratorSpec
from training.language.examples import Origin, Source, Split, sides

KNOWLEDGE, SCOPE = "knowledge", "out of scope"
BESIDE = 0.25
"""Share of the questions that get a second passage, which does not belong to them."""
VALID, TEST = 0.1, 0.2
"""Shares of topics that are held out."""
_TAKEN = "Every question and its other wordings, with the answer's own sentences."
_FOREIGN = "Examples of what the bot does not answer, with the passages nearest to them."


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question that may be taught. `entry`: its answer; None: there is none."""

    text: str
    lang: str
    entry: Entry | None
    source: str

    @property
    def group(self) -> str:
        return self.entry.key if self.entry else f"{SCOPE}: {normalise(self.text)}"


async def gather(
    bot: Bot, definition: BotDefinition, heard: Heard, spec: GeneratorSpec, *, progress: Progress
) -> tuple[Mapping[Split, Sequence[Example]], Origin]:
    """Raises Busy, InferenceError."""
    pool = _pool(bot, definition, heard)
    chosen = _chosen(pool, spec)
    side = sides((one.group for one, _ in chosen), spec.seed, test=TEST, valid=VALID)
    found: dict[Split, list[Example]] = {"train": [], "valid": [], "test": []}
    rng = np.random.default_rng(spec.seed)
    for number, (one, refused) in enumerate(chosen):
        progress("Looking up passages", number, len(chosen))
        if (example := await _example(bot, one, spec, rng, refused=refused)) is not None:
            found[side[one.group]].append(replace(example, id=f"{number:05}"))
    leaks = _apart(found)
    used = Counter(row.source for rows in found.values() for row in rows)
    return found, _origin(spec, heard, used, leaks)


def as_prompt(example: Example, voice_name: str) -> Prompt:
    """As it was made: for whoever asks a model again."""
    passages = tuple(Passage(**asdict(given)) for given in example.passages)
    return Prompt(voice_name, example.question, example.lang, passages)


def _pool(bot: Bot, definition: BotDefinition, heard: Heard) -> list[_Asked]:
    entries = [said for one in bot.host.current().bundle.entries if (said := sayable(one)) is not None]
    by_name = {(entry.key, entry.lang): entry for entry in entries}
    found = [
        _Asked(phrase, script_lang(phrase) or entry.lang, entry, KNOWLEDGE)
        for entry in entries
        for phrase in entry.phrases
    ]
    for row in heard.rows:
        lang = row.lang or script_lang(row.text) or definition.languages[0]
        if (known := by_name.get((row.label, lang))) is not None:
            found.append(_Asked(row.text, lang, known, TALKS))
    for text, label, lang in examples(definition):
        if label == OUT_OF_SCOPE:
            found.append(_Asked(text, lang, None, SCOPE))
    return found


def _chosen(pool: Sequence[_Asked], spec: GeneratorSpec) -> list[tuple[_Asked, bool]]:
    """Topics in turn, so that none with many wordings takes the room of others; and whether each is refused."""
    rng = np.random.default_rng(spec.seed)
    known = _in_turn([one for one in pool if one.entry is not None], rng)
    foreign = [one for one in pool if one.entry is None]
    foreign = [foreign[place] for place in rng.permutation(len(foreign))]
    refused = round(spec.refusals * min(spec.examples, len(pool)))
    strange = foreign[: refused // 2]
    answered = known[: min(spec.examples, len(pool)) - refused]
    # Wordings that are not answered, where there are such; else the same ones with other passages.
    others = (known[len(answered) :] or known)[: refused - len(strange)]
    return [*((one, False) for one in answered), *((one, True) for one in (*strange, *others))]


def _in_turn(pool: Sequence[_Asked], rng: np.random.Generator) -> list[_Asked]:
    topics: defaultdict[tuple[str, str], list[_Asked]] = defaultdict(list)
    for one in pool:
        topics[one.group, one.lang].append(one)
    order = [list(topics.values())[place] for place in rng.permutation(len(topics))]
    longest = max(map(len, order), default=0)
    return [topic[turn] for turn in range(longest) for topic in order if turn < len(topic)]


async def _example(
    bot: Bot, one: _Asked, spec: GeneratorSpec, rng: np.random.Generator, *, refused: bool
) -> Example | None:
    """None where no passage can be had for it, or nothing of the answer would stand in the prompt."""
    others = await _others(bot, one)
    if one.entry is None or refused:
        entries, gold = others[:1], None
    elif others and rng.random() < BESIDE:
        place = int(rng.integers(2))
        entries, gold = [others[0], one.entry] if place else [one.entry, others[0]], place + 1
    else:
        entries, gold = [one.entry], 1
    if not entries:
        return None
    bundle = bot.host.current().bundle
    wholes = {entry.id: whole(entry, bundle.section(entry)) for entry in entries}
    prompt = Speech("", "", one.text, one.lang, entries, wholes=wholes).prompt(bot.desk.voice)
    answer = _answer(prompt, gold, spec.form)
    if answer is None:
        return None
    told = _told(prompt, spec)
    given = tuple(Given(p.mark, p.title, p.text, p.whole) for p in prompt.passages)
    return Example("", told, answer, one.lang, one.text, given, gold, one.group, one.source)


def _told(prompt: Prompt, spec: GeneratorSpec) -> str | tuple[dict[str, str], ...]:
    """As it will be asked: what was a GGUF file is one again, for this process; all else is for a server."""
    if spec.form == "completion":
        return as_local_completion(prompt)
    return tuple(as_local_chat(prompt) if spec.base.endswith(".gguf") else as_chat(prompt))


async def _others(bot: Bot, one: _Asked) -> list[Entry]:
    """What is found for it beside its own answer, best first: in its language, and not what says the same."""
    seen = (await probe(bot.desk, one.text, locale=one.lang)).seen
    hits = [hit.entry for hit in seen.hits] if seen else []
    said = [sayable(entry) for entry in hits if entry.lang == one.lang]
    return [
        entry
        for entry in said
        if entry is not None
        and (one.entry is None or (entry.key != one.entry.key and one.entry.answer not in entry.answer))
    ]


def _answer(prompt: Prompt, gold: int | None, form: Form) -> str | None:
    lang = prompt.lang
    if gold is None:
        sentences = [REFUSAL[lang]]
    else:
        passage = prompt.passages[gold - 1]
        alone = replace(prompt, passages=(passage,))
        sentences = [MARK.sub("", one).strip() for one in compose(alone)][: prompt.sentences]
        if form == "completion":
            shown = as_local_completion(prompt)
            sentences = [one for one in sentences if " ".join(one.split()) in shown]
    if not sentences:
        return None
    if form == "completion":
        return completed(sentences, lang)
    return gap(lang).join(cited(one, gold, lang) if gold else one for one in sentences)


def _apart(found: dict[Split, list[Example]]) -> dict[str, int]:
    """Training rows whose question stands, word for word, among what was held out: they go."""
    held = {normalise(row.question) for row in (*found["valid"], *found["test"])}
    before = len(found["train"])
    found["train"] = [row for row in found["train"] if normalise(row.question) not in held]
    gone = before - len(found["train"])
    return {"the same question in another split": gone} if gone else {}


def _origin(spec: GeneratorSpec, heard: Heard, used: Counter[str], leaks: Mapping[str, int]) -> Origin:
    told = {
        KNOWLEDGE: ("folder", "the bot's own", _TAKEN),
        TALKS: ("store", "customers' words", CONFIRMED),
        SCOPE: ("folder", "the bot's own", _FOREIGN),
    }
    sources = tuple(Source(name, told[name][0], count, *told[name][1:]) for name, count in used.items())
    notes = (SCRUBBED, *notes_of(heard)) if heard.rows else ()
    return Origin(spec.seed, sources, dict(heard.scrubbed), leaks, tuple(notes))


def questions_of(rows: Sequence[Example], most: int, seed: int) -> Iterator[Example]:
    """At most so many of them, of refusals and answers their share, the same ones each time."""
    for place in np.random.default_rng(seed).permutation(len(rows))[:most]:
        yield rows[place]
