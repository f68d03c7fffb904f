"""The offline writer: referring phrases of the annotation inside askmask's sentence frames.

It costs nothing, needs no picture and gives the same questions for the same seed. It writes in the
form that language models are asked for, so its questions are parsed and cleaned like theirs.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from askmask.authoring.clean import fault_of, wording
from askmask.authoring.parse import Question
from askmask.authoring.phrases import Phrase, join, phrases_for
from askmask.authoring.picture import AnnotatedPicture
from askmask.authoring.writer import Request
from askmask.llm.chat import Reply
from askmask.pantry.language.banks import Pool
from askmask.pantry.language.english import article
from askmask.pantry.language.frames import choose_frame, sentence
from askmask.types import MaskType

__all__ = ["GrammarWriter"]

_MAX_JOINED = 4
"""Phrases that may be joined by "and"; more would be a list, not a question."""

_TRIES = 30


class GrammarWriter:
    """Phrases questions about annotated instances."""

    looks = False

    def __init__(self, *, pool: Pool = "test", seed: int = 0) -> None:
        """Choose the wordings.

        Args:
            pool: sentence frames to use: "train" or "test".
            seed: same seed, same questions; a picture's do not hang on the other pictures.
        """
        self.name = f"grammar/1 {pool} {seed}"
        self._pool: Pool = pool
        self._seed = seed

    def write(self, request: Request) -> Reply:
        """Write questions; fewer than asked for where too little can be said. See `Writer`."""
        digest = hashlib.sha256(request.picture.name.encode()).digest()
        rng = np.random.default_rng([self._seed, int.from_bytes(digest[:8])])
        writing = _Writing(request.picture, self._pool, rng)
        occluded = request.picture.occluded
        lines = [
            *writing.questions(MaskType.MODAL, request.picture.by_number, request.modal),
            *writing.questions(MaskType.AMODAL, occluded, request.amodal),
        ]
        return Reply("\n".join(lines), stop="end")


class _Writing:
    """The questions about one picture in the making."""

    def __init__(self, picture: AnnotatedPicture, pool: Pool, rng: np.random.Generator) -> None:
        self.picture = picture
        self.pool: Pool = pool
        self.rng = rng
        self.phrases = phrases_for(picture)
        self.by_targets: dict[frozenset[int], list[Phrase]] = {}
        for phrase in self.phrases:
            self.by_targets.setdefault(phrase.numbers, []).append(phrase)
        self.seen: set[str] = set()

    def questions(self, mask_type: MaskType, cover: Iterable[int], count: int) -> Iterator[str]:
        """Write `count` questions, so that each instance of `cover` is asked for where possible."""
        wanted = frozenset(cover) & frozenset().union(*self.by_targets)
        left = set(wanted)
        for remaining in range(count, 0, -1):
            if not wanted:
                return
            share = math.ceil(len(left) / remaining)
            for _ in range(_TRIES):
                phrase = self._phrase(sorted(left or wanted), share)
                numbers = tuple(sorted(phrase.numbers))
                question = Question(self._sentence(phrase, mask_type), mask_type, numbers)
                # A frame may happen to use a word that the targets' class names forbid.
                if wording(question.text) in self.seen or fault_of(question, self.picture):
                    continue
                self.seen.add(wording(question.text))
                left -= phrase.numbers
                answer = ", ".join(map(str, numbers))
                yield f'<Q type="{mask_type}">{question.text}</Q><A>{answer}</A>'
                break

    def _phrase(self, left: list[int], share: int) -> Phrase:
        """Draw a phrase that means one of `left`; with a `share` above 1, several of them."""
        if share > 1:
            joined = self._several(left, share)
            if joined is not None:
                return joined
        one = left[int(self.rng.integers(len(left)))]
        options = [targets for targets in self.by_targets if one in targets]
        # Large groups and single things are asked for about equally often.
        targets = options[int(self.rng.integers(len(options)))]
        if self.rng.random() < 0.5:
            targets = min(options, key=len)
        return self._draw(self.by_targets[targets])

    def _several(self, left: list[int], share: int) -> Phrase | None:
        """A phrase for at least `share` of `left`: a plural that fits, or names joined by "and"."""
        groups = [targets for targets in self.by_targets if len(targets & set(left)) >= share]
        if groups and self.rng.random() < 0.5:
            return self._draw(self.by_targets[groups[int(self.rng.integers(len(groups)))]])
        parts: list[Phrase] = []
        met: frozenset[int] = frozenset()
        for one in self.rng.permutation(left):
            options = [targets for targets in self.by_targets if int(one) in targets]
            smallest = min(options, key=len)
            if met & smallest:
                continue
            parts.append(self._draw(self.by_targets[smallest]))
            met |= smallest
            if len(met) >= share or len(parts) == _MAX_JOINED:
                break
        return join(parts) if len(parts) > 1 else None

    def _draw(self, phrases: list[Phrase]) -> Phrase:
        return phrases[int(self.rng.integers(len(phrases)))]

    def _sentence(self, phrase: Phrase, mask_type: MaskType) -> str:
        """Put a phrase into a frame that asks for the type and is true of the targets."""
        occluded = phrase.numbers <= self.picture.occluded
        # Frames that name what lies in front say that something is hidden.
        occluder = self._occluder(phrase.numbers) if occluded else None
        frame = choose_frame(
            mask_type,
            self.pool,
            self.rng,
            plural=phrase.is_plural,
            number="pl" if phrase.is_plural else "sg",
            partly_hidden=False,
            occluded=occluded,
            has_occluder=occluder is not None,
        )
        return article(sentence(frame, phrase.text, occluder, self.rng))

    def _occluder(self, numbers: frozenset[int]) -> str | None:
        """Name of the one instance that hides all targets, when it alone does and has a name."""
        hiders = {self.picture.by_number[number].entity.occluded_by for number in numbers}
        if len(hiders) != 1 or len(only := hiders.pop()) != 1:
            return None
        number = self.picture.number_of.get(only[0])
        if number is None or number in numbers:
            return None
        names = [p for p in self._named(number) if p.names_one]
        return self._draw(names).text if names else None

    def _named(self, number: int) -> list[Phrase]:
        by_targets: Mapping[frozenset[int], list[Phrase]] = self.by_targets
        return by_targets.get(frozenset({number}), [])
