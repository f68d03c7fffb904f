"""Queries about a scene: a balanced mix of sentences with computed answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from askmask.pantry.language.absent import lies
from askmask.pantry.language.banks import Pattern, Pool
from askmask.pantry.language.english import article, roughen
from askmask.pantry.language.evaluate import Evaluator, Unusable
from askmask.pantry.language.frames import BARE, choose_frame, sentence
from askmask.pantry.language.kinds import named_kind
from askmask.pantry.language.phrases import Phrase
from askmask.pantry.language.propose import Proposer
from askmask.pantry.language.reading import Steps
from askmask.pantry.language.realise import realise
from askmask.pantry.language.repertoire import patterns_for_lie, usable_patterns
from askmask.pantry.language.tags import phrase_tags
from askmask.pantry.scene import Scene
from askmask.pantry.sprites import SpriteBank
from askmask.types import MaskType

__all__ = ["GeneratedQuery", "build_queries"]

KINDS = {
    "plain": 0.11,
    "attribute": 0.14,
    "spatial": 0.14,
    "geometric": 0.12,
    "multi-step": 0.11,
    "function": 0.08,
    "group": 0.03,
    "count": 0.03,
    "negation": 0.02,
    "reference": 0.22,
}
"""Shares of the kinds of patterns."""

TELLING_KINDS = {"attribute": 0.4, "spatial": 0.2, "geometric": 0.2, "multi-step": 0.2}
"""Shares of the kinds of patterns in sentences that shall tell things of a kind apart."""
TELLING = 0.5
"""Share of such sentences where they are wished for."""

MASK_TYPES = {MaskType.MODAL: 0.45, MaskType.AMODAL: 0.40, MaskType.HIDDEN: 0.15}
NO_TARGET = 0.15
TWIN = 0.5
"""Chance that an amodal query about hidden objects gets a modal twin."""
ROUGH = 0.08
"""Share of sentences with a slip of the fingers, in lower case or without punctuation."""
MANY_TARGETS = 4
"""Larger groups are kept less often: people seldom ask for them."""
_ATTEMPTS = 80
_ODD = 0.25
"""Chance to keep what is true but seldom said: "all" of one thing, or a very large group."""

_EXHAUSTIVE = re.compile(r"(all|every|each|everything)\b")

_HIDEABLE_SHARE, _HIDEABLE_PIXELS = 0.05, 30


@dataclass(frozen=True)
class GeneratedQuery:
    """A sentence about a scene with its answer.

    Attributes:
        text: the sentence; `[1]`, `[2]` point into `references`.
        references: indices into the scene's objects.
        mask_type: what the sentence asks for.
        targets: indices into the scene's objects, ascending; empty when nothing fits.
        tags: "plain", "reasoning:spatial", "group", "no-target", "pool:train", "pattern:…", ….
        twin_of: index, in the same list, of the query with the same targets and the other type.
        phrase: the referring phrase alone, fit for any sentence frame of its number; empty when
            there is none, because the phrase is a sentence or says that its targets are hidden.
        steps: objects met on the way to the answer, for models that learn to take that way.
        rivals: objects that the words for the targets' kind fit as well, ascending; without those
            that the sentence itself rules out by starting a relation from them.
    """

    text: str
    references: tuple[int, ...]
    mask_type: MaskType
    targets: tuple[int, ...]
    tags: tuple[str, ...]
    twin_of: int | None = None
    phrase: str = ""
    steps: Steps = field(default_factory=Steps)
    rivals: tuple[int, ...] = ()


def build_queries(
    scene: Scene,
    rng: np.random.Generator,
    pool: Pool,
    count: int,
    others: Sequence[str] | None = None,
    *,
    all_twins: bool = False,
    tell_apart: bool = False,
) -> list[GeneratedQuery]:
    """Make sentences about a scene.

    Args:
        scene: the scene; its categories must be in the noun bank.
        rng: source of chance; the same state gives the same queries.
        pool: wordings to use: "train" or "test".
        count: how many to make; fewer come back from a scene about which little can be said.
        others: categories that other scenes hold, for sentences about what is absent; None takes
            those of the sprite bank.
        all_twins: whether to give a modal twin to every amodal query, also to those about nothing
            or about what is in full view, as far as the sentences differ.
        tell_apart: whether half of the sentences shall be about things of which the scene holds
            several, and tell them apart.

    Returns:
        At most `count` queries, all different. A modal twin follows its amodal query.

    Raises:
        DataError: when a category is not in the noun bank, or the sprite bank cannot be read.
    """
    others = _bank_categories() if others is None else others
    builder = _Builder(scene, rng, pool, count, others, all_twins=all_twins, tell_apart=tell_apart)
    return builder.build()


@cache
def _bank_categories() -> tuple[str, ...]:
    return tuple(sorted({look.category for look in SpriteBank.load().looks}))


class _Builder:
    """The queries of one scene in the making."""

    def __init__(
        self,
        scene: Scene,
        rng: np.random.Generator,
        pool: Pool,
        count: int,
        others: Sequence[str],
        *,
        all_twins: bool,
        tell_apart: bool,
    ) -> None:
        self.others = others
        self.all_twins = all_twins
        self.rng = rng
        self.pool: Pool = pool
        self.count = count
        self.evaluator = Evaluator(scene)
        self.facts = self.evaluator.facts
        self.proposer = Proposer(self.evaluator, pool, rng)
        pixels = self.facts.amodal_area - self.facts.modal_area
        self.hideable = self.facts.askable & (self.facts.hidden_share >= _HIDEABLE_SHARE)
        self.hideable &= pixels >= _HIDEABLE_PIXELS
        same = self.facts.nouns[:, None] == self.facts.nouns[self.facts.askable]
        self.alike = self.facts.askable & (same.sum(1) > 1)
        self.tells_apart = tell_apart and bool(self.alike.any())
        self.queries: list[GeneratedQuery] = []
        self.texts: set[str] = set()

    def build(self) -> list[GeneratedQuery]:
        if not self.facts.askable.any():
            return []
        for _ in range(2 * self.count):
            if len(self.queries) >= self.count:
                break
            if self.rng.random() < NO_TARGET:
                self._add_no_target()
            else:
                self._add_targeted()
        return self.queries

    def _add_targeted(self) -> None:
        mask_type = self._next_type()
        found = self._phrase_with_targets(mask_type)
        if found is None:
            return
        phrase, targets = found
        if mask_type is MaskType.HIDDEN and not self.hideable[list(targets)].all():
            return
        added = self._add(phrase, targets, mask_type, ())
        hidden = self.facts.hidden_share[list(targets)] >= 0.1
        room = len(self.queries) < self.count
        twin = added and mask_type is MaskType.AMODAL and room
        if twin and (self.all_twins or (hidden.all() and self.rng.random() < TWIN)):
            self._add(phrase, targets, MaskType.MODAL, (), twin_of=len(self.queries) - 1)

    def _next_type(self) -> MaskType:
        """Draw the type that is most behind its share; hidden only where something is hidden."""
        made = [query.mask_type for query in self.queries]
        wanted = np.array(
            [
                max(share * (len(made) + 2) - made.count(kind), 0.05)
                for kind, share in MASK_TYPES.items()
            ]
        )
        if not self.hideable.any():
            wanted[list(MASK_TYPES).index(MaskType.HIDDEN)] = 0
        return list(MASK_TYPES)[int(self.rng.choice(len(wanted), p=wanted / wanted.sum()))]

    def _phrase_with_targets(self, mask_type: MaskType) -> tuple[Phrase, tuple[int, ...]] | None:
        """Draw patterns until one denotes objects that suit the mask type."""
        wants_hidden = mask_type is MaskType.HIDDEN or (
            mask_type is MaskType.AMODAL and self.hideable.any() and self.rng.random() < 0.85
        )
        focus = self.hideable if wants_hidden else None
        kinds = KINDS
        if self.tells_apart and self.rng.random() < TELLING:
            kinds = TELLING_KINDS
            both = self.alike if focus is None else self.alike & focus
            focus = both if both.any() else focus
        kind = self._draw_kind(kinds)
        for attempt in range(_ATTEMPTS):
            if attempt % 25 == 24:
                kind = self._draw_kind(kinds)
            pattern = self._draw_pattern(kind)
            if pattern.is_sentence and mask_type is not MaskType.MODAL:
                continue
            phrase = self.proposer.fill(pattern, focus)
            targets = self._targets(phrase) if phrase is not None else None
            if phrase is None or targets is None:
                continue
            hideable = self.hideable[list(targets)]
            if not wants_hidden or (targets and hideable.all()):
                return phrase, targets
            if mask_type is MaskType.AMODAL and len(targets) > 1 and hideable.any():
                return phrase, targets
        return None

    def _draw_kind(self, kinds: Mapping[str, float] = KINDS) -> str:
        return list(kinds)[int(self.rng.choice(len(kinds), p=list(kinds.values())))]

    def _draw_pattern(self, kind: str) -> Pattern:
        return self.proposer.pick(usable_patterns(self.pool)[kind])

    def _targets(self, phrase: Phrase) -> tuple[int, ...] | None:
        """What a phrase denotes, or None when it cannot be used."""
        try:
            targets = self.evaluator.targets(phrase)
        except Unusable:
            return None
        if not targets or not self.facts.askable[list(targets)].all():
            return None
        if len(targets) == 1 and _EXHAUSTIVE.match(phrase.pattern.text):
            return targets if self.rng.random() < _ODD else None
        if len(targets) > MANY_TARGETS:
            return targets if self.rng.random() < _ODD else None
        return targets

    def _add_no_target(self) -> None:
        for attempt in range(_ATTEMPTS):
            if attempt % 25 == 0:
                lie = lies(self.facts, self.others, self.rng)
                patterns = patterns_for_lie(self.pool, lie.kind)
            kind = self._draw_kind()
            if kind not in patterns:
                continue
            pattern = self.proposer.pick(patterns[kind])
            phrase = self.proposer.fill(pattern, None, lie)
            if phrase is not None and self.evaluator.denotes_nothing(phrase):
                mask_type = MaskType.MODAL if pattern.is_sentence else self._type_of_nothing()
                tags = ("no-target", f"absent:{lie.kind}")
                added = self._add(phrase, (), mask_type, tags)
                if added and self.all_twins and mask_type is MaskType.AMODAL:
                    last = len(self.queries) - 1
                    self._add(phrase, (), MaskType.MODAL, tags, twin_of=last)
                return

    def _type_of_nothing(self) -> MaskType:
        return list(MASK_TYPES)[int(self.rng.choice(3, p=(0.55, 0.32, 0.13)))]

    def _add(
        self,
        phrase: Phrase,
        targets: tuple[int, ...],
        mask_type: MaskType,
        tags: tuple[str, ...],
        twin_of: int | None = None,
    ) -> bool:
        """Put a phrase into a frame and keep the query, unless its sentence was used before."""
        occluder = self._occluder(targets, mask_type)
        frame = choose_frame(
            mask_type,
            self.pool,
            self.rng,
            plural=len(targets) > 1,
            number=phrase.pattern.number,
            partly_hidden=phrase.pattern.partly_hidden,
            occluded=bool(self.hideable[list(targets)].all()),
            has_occluder=occluder is not None,
        )
        if phrase.pattern.is_sentence:
            frame = BARE
        text, references = realise(phrase)
        with_article = f"the {text}" if phrase.pattern.lacks_article else text
        takes_frames = not (phrase.pattern.is_sentence or phrase.pattern.partly_hidden)
        if frame is not BARE:
            text = with_article
        text = article(sentence(frame, text, occluder, self.rng))
        if mask_type is MaskType.HIDDEN:
            tags = ("hidden", *tags)
        if self.rng.random() < ROUGH:
            text = roughen(text, self.rng)
        if text in self.texts:
            return False
        self.texts.add(text)
        steps = self.evaluator.steps(phrase)
        self.queries.append(
            GeneratedQuery(
                text=text,
                references=references,
                mask_type=mask_type,
                targets=targets,
                tags=(*phrase_tags(phrase, targets, frame, self.facts), *tags, f"pool:{self.pool}"),
                twin_of=twin_of,
                phrase=with_article if takes_frames else "",
                steps=steps,
                rivals=self._rivals(phrase, targets, steps),
            )
        )
        return True

    def _rivals(self, phrase: Phrase, targets: tuple[int, ...], steps: Steps) -> tuple[int, ...]:
        ruled_out = {*targets, *steps.anchors, *phrase.references}
        kind = np.flatnonzero(named_kind(self.evaluator, phrase))
        return tuple(int(one) for one in kind if one not in ruled_out)

    def _occluder(self, targets: Sequence[int], mask_type: MaskType) -> str | None:
        """Name of the one object that hides all targets, when there is one with a clear name.

        Where nothing is asked for, any object will do, lest a named occluder betray a target.
        """
        if not targets:
            return self._first_name(self.rng.permutation(np.flatnonzero(self.facts.askable)))
        places = list(targets)
        pixels = self.facts.scene.occlusion[:, places]
        hidden = (self.facts.amodal_area - self.facts.modal_area)[places]
        true = (self.facts.covered[:, places] >= 0.05) & (pixels >= 50)
        if mask_type is not MaskType.MODAL:
            # The frame equates what this object covers with all that is hidden.
            true &= pixels >= 0.95 * hidden
        covering = true.all(1) & self.facts.askable
        covering[places] = False
        return self._first_name(np.flatnonzero(covering))

    def _first_name(self, places: NDArray[np.intp]) -> str | None:
        for one in places:
            try:
                name = self.proposer.words.name(int(one), frozenset({"count", "mass"}), 1)
            except Unusable:
                continue
            return f"the {name.text}"
        return None
