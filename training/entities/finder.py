"""All that finds entities in a bot's messages, joined: its recognisers and what its examples taught. numpy alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from retrieval.embed import Tokens
from training.entities.entity import Entity, apart
from training.entities.marks import Marked, marked
from training.entities.numbers import to_decimal
from training.entities.phrases import Phrases
from training.entities.recognise import Recognisers
from training.entities.spec import FORMS, Example, KindSpec, Span, Specs
from training.entities.tagger import Tagger

CHECKED = ("pattern", "email", "card_number", "phone")
"""Sources that are sure of what they find: numbers of the house, and such as prove themselves."""
_SEEN = "~"
"""Before the name of a form that the bot did not ask for: the tagger sees it, nobody is told."""


class Finder:
    """Of one bot, under one encoder. Any string will do. `tagger`: None where no examples are marked."""

    def __init__(self, specs: Specs, tagger: Tagger | None) -> None:
        self._specs, self._tagger = specs, tagger
        self._recognisers = Recognisers(specs if tagger is None else with_all_forms(specs))
        self._learned = frozenset(tagger.kinds if tagger else ())

    @property
    def wants_tokens(self) -> bool:
        return self._tagger is not None

    def find(self, text: str, tokens: Tokens | None, on: date) -> tuple[Entity, ...]:
        """In order, none over another. `tokens`: of the text; without them, what recognisers find. `on`: today."""
        return self.find_all([(text, tokens, on)])[0]

    def find_all(self, asked: Sequence[tuple[str, Tokens | None, date]]) -> list[tuple[Entity, ...]]:
        """The same of several texts, for less than one after the other would cost."""
        tagger = self._tagger
        if tagger is None and not self._specs:
            return [()] * len(asked)
        hits = [self._recognisers.hits(text, on) for text, _, on in asked]
        if tagger is None:
            return [_told(own) for own in hits]
        read = [
            (place, seen(text, tokens, hits[place], tagger.said))
            for place, (text, tokens, _) in enumerate(asked)
            if tokens is not None
        ]
        spans = dict(zip((place for place, _ in read), tagger.find([one for _, one in read]), strict=True))
        return [
            apart(self._joined(text, own, spans[place])) if place in spans else _told(own)
            for place, ((text, _, _), own) in enumerate(zip(asked, hits, strict=True))
        ]

    def _joined(self, text: str, known: Sequence[Entity], spans: Sequence[Span]) -> Iterator[Entity]:
        """Kinds that examples teach are the tagger's, unless somebody is sure; of the others recognisers are right."""
        told = [entity for entity in known if not entity.kind.startswith(_SEEN)]
        yield from (entity for entity in told if entity.source in CHECKED)
        for span in spans:
            yield self._tagged(text, span, known)
        yield from (entity for entity in told if entity.kind not in self._learned)

    def _tagged(self, text: str, span: Span, known: Sequence[Entity]) -> Entity:
        said = text[span.start : span.end]
        same = [one for one in known if (one.start, one.end) == (span.start, span.end)]
        same.sort(key=lambda one: one.kind != span.kind)
        value = same[0].value if same else self._amount(span.kind, said)
        return Entity(span.kind, said, span.start, span.end, value, "examples")

    def _amount(self, kind: str, said: str) -> str | None:
        """Of a number that is an amount by what stands around it: 两千六."""
        if (spec := self._specs.get(kind)) is None or spec.recogniser != "amount":
            return None
        value = to_decimal(said.lower())
        return None if value is None else f"{value.normalize():f}"


NOTHING_NAMED = Finder({}, None)
"""Of a bot that asks for no entities."""


def _told(hits: Iterable[Entity]) -> tuple[Entity, ...]:
    return tuple(entity for entity in apart(hits) if not entity.kind.startswith(_SEEN))


def with_all_forms(specs: Specs) -> Specs:
    """What the tagger sees: a date helps to tell an amount even where the bot asks for amounts alone."""
    asked = {spec.recogniser for spec in specs.values()}
    return {**specs, **{_SEEN + form: KindSpec(form) for form in FORMS if form not in asked}}


def seen(
    text: str, tokens: Tokens, hits: Iterable[Entity], said: Phrases, *, own: Example | None = None
) -> Marked:
    """A text as a tagger is taught and asked. `own`: the example that it is, when it is taught."""
    return marked(text, tokens, ((_named(one), one.start, one.end) for one in hits), said, own=own)


def _named(hit: Entity) -> str:
    """A form is one for all bots; numbers and lists are of a kind."""
    return hit.source if hit.source in FORMS else f"{hit.source}:{hit.kind}"
