"""What can be answered without the picture, from the sentence and the scene's categories.

The reader looks for the first noun, class or description of a function in the sentence that fits a
category of the scene. Where the words ask for several things it takes all that fit; for one, the
most likely by a prior learnt on training scenes: how often a thing of that category was the answer
when these words stood in a sentence that fitted it ("tallest" speaks for wine bottles). Ties, as
between two jars of honey, are drawn.

An answer is scored by the Jaccard index of the chosen and the true set of objects, its "gIoU
equivalent": the IoU of masks when all objects are equally large and all masks are perfect.
*Chance* is the same score of one object drawn from all. A reader of sentences makes mistakes; so
the score of one that is told which things the words for the kind fit stands beside it, as the most
that words can give.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from askmask.errors import DataError
from askmask.formats.askmask import EntityRecord, QueryRecord, read_entities, read_queries
from askmask.pantry.build import TRAINING_SEEDS
from askmask.pantry.language.queries import build_queries
from askmask.pantry.language.truth import TRUE
from askmask.pantry.language.vocabulary import vocabulary
from askmask.pantry.scene import Scene
from askmask.pantry.splits.sgdr import DIMENSIONS, SGDR_TAG

__all__ = ["Blind", "TextOnly", "jaccard", "learn", "learn_training_scenes", "score_text_only"]

_WORD = re.compile(r"[a-z]+(?:[-'][a-z]+)*")
_NUMBERS = {"both": 2, "two": 2, "three": 3, "four": 4}
_SEVERAL = {*_NUMBERS, "all", "every", "everything", "each", "these", "those", "any"}
_SMOOTHING = 8.0
"""Times that a word must stand beside a category before its prior is half believed."""


def _tokens(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.lower()))


@dataclass(frozen=True, eq=False)
class _Wording:
    """Words for a kind: which nouns they cover, and whether they speak of several."""

    tokens: tuple[str, ...]
    covers: NDArray[np.bool_]
    several: bool


@cache
def _wordings() -> Mapping[str, tuple[_Wording, ...]]:
    """First token -> wordings of the whole language, longest first."""
    words = vocabulary()
    found: dict[tuple[str, ...], _Wording] = {}

    def add(text: str, covers: NDArray[np.int8], several: bool) -> None:
        tokens = _tokens(text)
        if tokens:
            found.setdefault(tokens, _Wording(tokens, covers == TRUE, several))

    for name in words.names:
        add(name.text, name.coverage, name.form != "count")
        if name.many is not None:
            add(name.many, name.coverage, True)
    for pool in ("train", "test"):
        for phrase in words.class_phrases[pool]:
            add(phrase.text, phrase.coverage, True)
        for description in words.descriptions[pool]:
            add(description.text, description.coverage, False)
    shelf: dict[str, list[_Wording]] = defaultdict(list)
    for wording in sorted(found.values(), key=lambda one: -len(one.tokens)):
        shelf[wording.tokens[0]].append(wording)
    return {first: tuple(row) for first, row in shelf.items()}


def _first_kind(tokens: Sequence[str], nouns: NDArray[np.intp]) -> tuple[list[int], bool]:
    """Things that the first fitting words fit, and whether they are asked for together."""
    for start, token in enumerate(tokens):
        for wording in _wordings().get(token, ()):
            if tuple(tokens[start : start + len(wording.tokens)]) == wording.tokens:
                fits = np.flatnonzero(wording.covers[nouns])
                if len(fits):
                    several = wording.several or bool(_SEVERAL & set(tokens[:start]))
                    return [int(one) for one in fits], several
                break  # the longest words are meant, even when they fit nothing
    return list(range(len(nouns))), bool(_SEVERAL & set(tokens))


class TextOnly:
    """The reader.

    Attributes:
        seen: how often a thing of a category fitted a sentence with a word.
        hits: how often it was then in the answer. The word "" stands in every sentence.
    """

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, str]] = Counter()
        self.hits: Counter[tuple[str, str]] = Counter()
        self._total = [1.0, 2.0]

    def learn(self, text: str, categories: Sequence[str], targets: Iterable[int]) -> None:
        """Learn from one answered sentence.

        Args:
            text: the sentence.
            categories: of each object of its scene.
            targets: places of the objects that it asks for.
        """
        tokens, wanted = _tokens(text), set(targets)
        fits, _ = _first_kind(tokens, _places(categories))
        if not wanted or len(fits) < 2:
            return
        for one in fits:
            self._total[0] += one in wanted
            self._total[1] += 1
            for word in {"", *tokens}:
                self.seen[word, categories[one]] += 1
                self.hits[word, categories[one]] += one in wanted

    def choose(
        self,
        text: str,
        categories: Sequence[str],
        rng: np.random.Generator,
        kind: Sequence[int] | None = None,
    ) -> frozenset[int]:
        """Answer a sentence: places among `categories`; ties are drawn.

        Args:
            text: the sentence.
            categories: of each object of its scene.
            rng: for ties.
            kind: the things that the words for the kind fit, for a reader that is told; None for
                one that reads them off the sentence.
        """
        tokens = _tokens(text)
        fits, several = _first_kind(tokens, _places(categories))
        fits = fits if kind is None else list(kind)
        number = next((_NUMBERS[word] for word in tokens if word in _NUMBERS), len(fits))
        likely = {name: self._likelihood(name, tokens) for name in {categories[i] for i in fits}}
        drawn = [fits[place] for place in rng.permutation(len(fits))]
        drawn.sort(key=lambda one: -likely[categories[one]])
        return frozenset(drawn[: number if several else 1])

    def _likelihood(self, category: str, tokens: Sequence[str]) -> float:
        rate = self._total[0] / self._total[1]
        return sum(
            float(
                np.log(
                    (self.hits[word, category] + _SMOOTHING * rate)
                    / (self.seen[word, category] + _SMOOTHING)
                    / rate
                )
            )
            for word in sorted({"", *tokens})
        )


def _places(categories: Sequence[str]) -> NDArray[np.intp]:
    words = vocabulary()
    return np.array([words.noun_index(name, "text-only") for name in categories], np.intp)


def learn_training_scenes(count: int = 150) -> TextOnly:
    """Make the reader of the baseline, from the first scenes of the training stream.

    Raises:
        MissingExtraError: when opencv, which composes the scenes, is missing.
    """
    from askmask.pantry.compose import compose
    from askmask.pantry.sprites import SpriteBank

    bank = SpriteBank.load()
    return learn(compose(bank, TRAINING_SEEDS + number, (240, 320)) for number in range(count))


def learn(scenes: Iterable[Scene], per_scene: int = 20) -> TextOnly:
    """Make a reader that knows what is asked for in training scenes, in the training's wordings."""
    reader = TextOnly()
    for scene in scenes:
        categories = [item.category for item in scene.objects]
        rng = np.random.default_rng(scene.seed)
        for query in build_queries(scene, rng, "train", per_scene):
            reader.learn(query.text, categories, query.targets)
    return reader


def jaccard(chosen: frozenset[int], targets: frozenset[int]) -> float:
    """Size of the intersection over that of the union; 1 for two empty sets."""
    union = chosen | targets
    return len(chosen & targets) / len(union) if union else 1.0


@dataclass(frozen=True)
class Blind:
    """How far one gets without the picture; figures are means over `n` queries, NaN for none.

    Attributes:
        n: number of queries.
        chance: score of one object drawn from all of the scene.
        text_only: score of the reader.
        kind_known: score of the reader that is told what the words for the kind fit.
    """

    n: int
    chance: float
    text_only: float
    kind_known: float


def score_text_only(folder: Path, split: str, reader: TextOnly) -> dict[str, Blind]:
    """Score the reader on a built split.

    Args:
        folder: of the split.
        split: its name.
        reader: learnt on training scenes.

    Returns:
        "targeted" (all queries with targets), "sgdr" and "sgdr:spatial" … -> scores.

    Raises:
        DataError: when a file is missing or wrong, or the queries do not name their rivals.
    """
    scenes = {record.image: record for record in read_entities(folder / f"entities-{split}.jsonl")}
    rows: dict[str, list[tuple[float, ...]]] = {
        name: [] for name in ("targeted", SGDR_TAG, *(f"{SGDR_TAG}:{name}" for name in DIMENSIONS))
    }
    for query in read_queries(folder / f"queries-{split}.jsonl"):
        if query.targets:
            # One stream a query, so that its score does not hang on the others.
            rng = np.random.default_rng(list(query.id.encode()))
            score = _score(query, scenes[query.image], reader, rng)
            for name in ("targeted", *_sgdr_names(query)):
                rows[name].append(score)
    return {
        name: Blind(len(row), *(float(np.mean(part)) for part in zip(*row, strict=True)))
        if row
        else Blind(0, *[float("nan")] * 3)
        for name, row in rows.items()
    }


def _score(
    query: QueryRecord, scene: EntityRecord, reader: TextOnly, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Chance, the reader's score, and its score when it is told the kind."""
    if "rivals" not in query.extra:
        raise DataError(
            f"query {query.id}, key 'rivals': missing; a text-only score needs the queries of "
            "'askmask build pantry'"
        )
    place = {entity.id: index for index, entity in enumerate(scene.entities)}
    targets = frozenset(place[one.entity] for one in query.targets if one.entity is not None)
    kind = sorted(targets | {place[one] for one in query.extra["rivals"]})
    categories = [entity.category for entity in scene.entities]
    return (
        # Drawn from n objects, one of t targets comes up with t / n and then scores 1 / t.
        1 / len(categories),
        jaccard(reader.choose(query.text, categories, rng), targets),
        jaccard(reader.choose(query.text, categories, rng, kind), targets),
    )


def _sgdr_names(query: QueryRecord) -> list[str]:
    if SGDR_TAG not in query.tags:
        return []
    kinds = [name for name in DIMENSIONS if f"reasoning:{name}" in query.tags]
    return [SGDR_TAG, *(f"{SGDR_TAG}:{name}" for name in kinds)]
