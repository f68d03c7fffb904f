"""Train the selector on cached candidates and words: selection, its steps, "nothing fits"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from askmask.models.embedded.config import EmbeddedConfig
from askmask.models.embedded.selector_net import Judgement, SelectorNet
from askmask.models.embedded.tokens import STEPS
from askmask.training.calibrate import Judged
from askmask.training.candidates import CachedQuery, CachedScene
from askmask.training.loop import LoopSettings
from askmask.training.words import Words

__all__ = ["Example", "SelectorRecipe", "SelectorTask"]


class Example(NamedTuple):
    """One sentence about one scene, with what the text tower says of it."""

    scene: CachedScene
    query: CachedQuery
    words: Words


@dataclass(frozen=True)
class SelectorRecipe:
    """Settings of the selector's training.

    Attributes:
        scenes: composed scenes whose candidates are cached.
        per_scene: sentences a scene.
        batch: sentences a step.
        learning_rate: peak of AdamW.
        positive_weight: weight of wanted candidates in the selection loss (RAS uses a larger
            weight on positives too).
        steps_weight: weight of the loss on the steps of a sentence.
        word_dropout: share of words that a training step does not see.
        render_share: share of sentences from the rendered folders, if there are any.
        render_per_scene: sentences made for each rendered scene, beside the written ones.
        validation_scenes: held-out scenes, for each of the two pools of wordings.
        loop: how it is trained, whatever it is.
    """

    scenes: int = 16_000
    per_scene: int = 16
    batch: int = 128
    learning_rate: float = 1e-3
    positive_weight: float = 1.5
    steps_weight: float = 1.0
    word_dropout: float = 0.03
    render_share: float = 0.1
    render_per_scene: int = 32
    validation_scenes: int = 100
    loop: LoopSettings = field(default_factory=LoopSettings)


class _Batch(NamedTuple):
    inputs: tuple[Tensor, ...]
    wanted: Tensor  # (B, M) float
    scored: Tensor  # (B, M) bool, candidates that count
    none: Tensor  # (B,) float
    steps: Tensor  # (B, M, 3) float
    stepped: Tensor  # (B, M) bool, candidates whose steps are known


class SelectorTask:
    """The `TrainingTask` of the selector."""

    def __init__(
        self,
        recipe: SelectorRecipe,
        config: EmbeddedConfig,
        learnt: Sequence[Example],
        rendered: Sequence[Sequence[Example]],
        held_out: Mapping[str, Sequence[Example]],
    ) -> None:
        self.recipe, self.config = recipe, config
        torch.manual_seed(0)
        self.model = SelectorNet(config)
        self._learnt, self._rendered, self._held_out = learnt, rendered, held_out

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Everything at one rate."""
        return [{"params": list(self.model.parameters()), "lr": self.recipe.learning_rate}]

    def restarts_at(self) -> tuple[float, ...]:
        """The batches are the same all along."""
        return ()

    def batches(self, numbers: range, used: float) -> Iterator[_Batch]:
        """Epochs, each in an order of its own.

        Within windows of 32 batches, sentences of like length about like many masks come together,
        so that little is padded.
        """
        del used
        shares = np.sqrt([len(folder) for folder in self._rendered])
        shares = shares / shares.sum()
        extra = int(self.recipe.batch * self.recipe.render_share) if self._rendered else 0
        fresh = self.recipe.batch - extra
        window = 32 * fresh
        windows = max(1, len(self._learnt) // window)
        sizes = [
            (len(one.words) // 6, one.scene.candidates + len(one.query.references))
            for one in self._learnt
        ]
        at = -1
        for number in numbers:
            if number // 32 != at:
                at = number // 32
                epoch, position = divmod(at, windows)
                order = np.random.default_rng([11, epoch]).permutation(len(self._learnt))
                # Fewer sentences than a window come several times.
                order = np.resize(order, max(window, len(order)))
                inside = order[position * window : (position + 1) * window].tolist()
                inside.sort(key=sizes.__getitem__)
                shuffled = np.random.default_rng([12, at]).permutation(32)
            rng = np.random.default_rng([13, number])
            part = int(shuffled[number % 32])
            chosen = [self._learnt[i] for i in inside[part * fresh : (part + 1) * fresh]]
            if extra:
                folders = rng.choice(len(shares), size=extra, p=shares)
                within = rng.random(extra)
                for folder, place in zip(folders, within, strict=True):
                    sentences = self._rendered[folder]
                    chosen.append(sentences[int(place * len(sentences))])
            yield self._batch(chosen, rng)

    def _batch(self, examples: Sequence[Example], rng: np.random.Generator | None = None) -> _Batch:
        """Pad examples to one size; with `rng`, drop some words."""
        count, longest = len(examples), max(len(one.words) for one in examples)
        masks = max(1, *(one.scene.candidates + len(one.query.references) for one in examples))
        first = examples[0].scene.tokens
        words = np.zeros((count, longest, examples[0].words.shape[1]), np.float32)
        words_valid = np.zeros((count, longest), bool)
        appearance = np.zeros((count, masks, first.appearance.shape[1]), np.float32)
        geometry = np.zeros((count, masks, first.geometry.shape[1]), np.float32)
        related = np.zeros((count, masks, masks, first.pairs.shape[2]), np.float32)
        prefix, valid = np.zeros((count, masks), np.int64), np.zeros((count, masks), bool)
        wanted, scored = np.zeros((count, masks), np.float32), np.zeros((count, masks), bool)
        steps = np.zeros((count, masks, len(STEPS)), np.float32)
        stepped = np.zeros((count, masks), bool)
        for row, (scene, query, states) in enumerate(examples):
            words[row, : len(states)] = states
            words_valid[row, : len(states)] = True
            rows = [*range(scene.candidates), *query.references]
            size = len(rows)
            appearance[row, :size] = scene.tokens.appearance[rows]
            geometry[row, :size] = scene.tokens.geometry[rows]
            related[row, :size, :size] = scene.tokens.pairs[np.ix_(rows, rows)]
            prefix[row, scene.candidates : size] = 1 + np.arange(len(query.references))
            valid[row, :size] = True
            scored[row, : scene.candidates] = True
            wanted[row, list(query.wanted)] = 1
            stepped[row, : scene.candidates] = query.steps is not None
            for place, members in enumerate(query.steps or ()):
                steps[row, list(members), place] = 1
        if rng is not None:
            kept = rng.random(words_valid.shape) >= self.recipe.word_dropout
            kept[:, 0] = True
            words_valid &= kept
        arrays: tuple[NDArray[Any], ...] = (
            words,
            words_valid,
            appearance,
            geometry,
            related,
            np.minimum(prefix, self.config.max_references),
            valid,
        )
        return _Batch(
            tuple(torch.from_numpy(array) for array in arrays),
            torch.from_numpy(wanted),
            torch.from_numpy(scored),
            torch.tensor([float(one.query.targets == 0) for one in examples]),
            torch.from_numpy(steps),
            torch.from_numpy(stepped),
        )

    def loss(self, batch: _Batch) -> dict[str, Tensor]:
        """Losses of selection, its steps and "nothing fits" of one batch."""
        judged: Judgement = self.model(*batch.inputs)
        each = functional.binary_cross_entropy_with_logits(
            judged.select,
            batch.wanted,
            pos_weight=batch.wanted.new_full((), self.recipe.positive_weight),
            reduction="none",
        )
        # Where targets exist but none was proposed, there is nothing to select and no emptiness.
        missed = (batch.wanted.sum(1) == 0) & (batch.none == 0)
        scored = batch.scored & ~missed[:, None]
        steps = functional.binary_cross_entropy_with_logits(
            judged.steps, batch.steps, reduction="none"
        ).mean(2)
        return {
            "select": 3 * (each * scored).sum() / scored.sum().clamp(min=1),
            "steps": self.recipe.steps_weight
            * (steps * batch.stepped).sum()
            / batch.stepped.sum().clamp(min=1),
            "none": functional.binary_cross_entropy_with_logits(judged.none, batch.none),
        }

    def _judged(
        self, examples: Sequence[Example]
    ) -> Iterator[tuple[CachedScene, CachedQuery, Tensor, Tensor]]:
        """Logits of each sentence: candidates (N,), "nothing fits" ()."""
        for start in range(0, len(examples), 64):
            chosen = examples[start : start + 64]
            select, none, _ = self.model(*self._batch(chosen).inputs)
            for row, (scene, query, _) in enumerate(chosen):
                yield scene, query, select[row, : scene.candidates], none[row]

    def judge(self, name: str) -> list[Judged]:
        """What the network says about the held-out sentences `name`, for `calibrate`."""
        self.model.eval()
        found = []
        with torch.no_grad():
            for scene, query, select, none in self._judged(self._held_out[name]):
                wanted = np.zeros(scene.candidates, bool)
                wanted[list(query.wanted)] = True
                logits = select.double().numpy()
                found.append(Judged(logits, float(none), wanted, query.targets))
        return found

    def evaluate(self) -> dict[str, float]:
        """Exactness on each set of held-out sentences.

        `group` is the share of targeted sentences whose group is exactly right, `one` the share of
        single-target sentences whose best candidate is right, `none` accuracy on no-target
        sentences, `some` on the others.
        """
        return {
            f"{measure}.{name}": value
            for name, examples in self._held_out.items()
            for measure, value in self._exactness(examples).items()
        }

    def _exactness(self, examples: Sequence[Example]) -> dict[str, float]:
        found: dict[str, list[float]] = {name: [] for name in ("group", "one", "none", "some")}
        for _, query, select, none in self._judged(examples):
            empty = bool(none.sigmoid() >= self.config.no_target_threshold)
            if not query.targets:
                found["none"].append(float(empty))
                continue
            found["some"].append(float(not empty))
            if not query.wanted:
                continue
            scores = select.sigmoid()
            group = set(torch.nonzero(scores >= self.config.select_threshold)[:, 0].tolist())
            best = int(scores.argmax())
            found["group"].append(float((group or {best}) == set(query.wanted)))
            if query.targets == 1:
                found["one"].append(float(best in query.wanted))
        return {name: float(np.mean(values)) if values else 0.0 for name, values in found.items()}
