"""Train the selector on cached candidates: selection, mask type and "nothing fits"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from askmask.models.embedded.config import EmbeddedConfig
from askmask.models.embedded.selector_net import SelectorNet
from askmask.models.embedded.text_net import TextTower, minilm_folder
from askmask.training.calibrate import Judged
from askmask.training.candidates import CachedQuery, CachedScene

__all__ = ["SelectorRecipe", "SelectorTask"]


@dataclass(frozen=True)
class SelectorRecipe:
    """Settings of the selector's training.

    Attributes:
        scenes: composed scenes whose candidates are cached.
        per_scene: sentences a scene.
        batch: sentences a step.
        frozen_layers: lowest layers of the text tower that stay as they are.
        learning_rate: peak of AdamW for everything new.
        tower_rate: peak for the text tower's trained layers.
        positive_weight: weight of wanted candidates in the selection loss (RAS uses a larger
            weight on positives too).
        render_share: share of sentences from the rendered folders, if there are any.
        validation_scenes: held-out scenes, with the training pool's phrasings.
    """

    scenes: int = 6000
    per_scene: int = 24
    batch: int = 96
    frozen_layers: int = 4
    learning_rate: float = 1e-3
    tower_rate: float = 1e-4
    positive_weight: float = 1.5
    render_share: float = 0.1
    validation_scenes: int = 100


@dataclass(frozen=True)
class _Batch:
    inputs: tuple[Tensor, ...]
    wanted: Tensor  # (B, M) float
    scored: Tensor  # (B, M) bool, candidates that count
    mask_type: Tensor  # (B,) long
    none: Tensor  # (B,) float


class SelectorTask:
    """The `TrainingTask` of the selector."""

    def __init__(
        self,
        recipe: SelectorRecipe,
        config: EmbeddedConfig,
        scenes: Sequence[CachedScene],
        renders: Sequence[CachedScene],
        held_out: Sequence[CachedScene],
    ) -> None:
        self.recipe, self.config = recipe, config
        torch.manual_seed(0)
        tower = TextTower.from_minilm()
        tower.freeze_below(recipe.frozen_layers)
        self.model = SelectorNet(tower, config)
        self._tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
        self._tokenizer.enable_truncation(config.max_words)
        self._tokenizer.no_padding()
        self._scenes, self._renders, self._held_out = scenes, renders, held_out

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The text tower learns more slowly than what is new."""
        tower = [p for p in self.model.tower.parameters() if p.requires_grad]
        known = {id(p) for p in self.model.tower.parameters()}
        new = [p for p in self.model.parameters() if id(p) not in known]
        return [
            {"params": tower, "lr": self.recipe.tower_rate},
            {"params": new, "lr": self.recipe.learning_rate},
        ]

    def restarts_at(self) -> tuple[float, ...]:
        """The batches are the same all along."""
        return ()

    def batches(self, start: int, used: float) -> Iterator[_Batch]:
        """Epochs in an order that depends on the batch number only.

        Sentences are sorted by length within windows of 32 batches, so that little is padded.
        """
        del used
        pairs = [(scene, query) for scene in self._scenes for query in scene.queries]
        rendered = [(scene, query) for scene in self._renders for query in scene.queries]
        extra = int(self.recipe.batch * self.recipe.render_share) if rendered else 0
        fresh = self.recipe.batch - extra
        window = 32 * fresh
        windows = max(1, len(pairs) // window)
        number = start
        while True:
            epoch, position = divmod(number // 32, windows)
            order = np.random.default_rng([11, epoch]).permutation(len(pairs))
            inside = order[position * window : (position + 1) * window]
            inside = inside[np.argsort([len(pairs[i][1].text) for i in inside], kind="stable")]
            shuffled = np.random.default_rng([12, number // 32]).permutation(32)
            for slot in range(number % 32, 32):
                rng = np.random.default_rng([13, number])
                part = shuffled[slot]
                chosen = [pairs[i] for i in inside[part * fresh : (part + 1) * fresh]]
                chosen += [rendered[rng.integers(len(rendered))] for _ in range(extra)]
                number += 1
                if chosen:
                    yield self._batch(chosen)

    def _batch(self, pairs: Sequence[tuple[CachedScene, CachedQuery]]) -> _Batch:
        texts = [self._tokenizer.encode(query.text).ids for _, query in pairs]
        count, words = len(pairs), max(len(ids) for ids in texts)
        sizes = [scene.candidates + len(query.references) for scene, query in pairs]
        masks = max(1, *sizes)
        first = pairs[0][0].tokens
        ids, words_valid = np.zeros((count, words), np.int64), np.zeros((count, words), bool)
        appearance = np.zeros((count, masks, first.appearance.shape[1]), np.float32)
        geometry = np.zeros((count, masks, first.geometry.shape[1]), np.float32)
        related = np.zeros((count, masks, masks, first.pairs.shape[2]), np.float32)
        prefix, valid = np.zeros((count, masks), np.int64), np.zeros((count, masks), bool)
        wanted, scored = np.zeros((count, masks), np.float32), np.zeros((count, masks), bool)
        for row, (scene, query) in enumerate(pairs):
            ids[row, : len(texts[row])] = texts[row]
            words_valid[row, : len(texts[row])] = True
            rows = [*range(scene.candidates), *query.references]
            size = len(rows)
            appearance[row, :size] = scene.tokens.appearance[rows]
            geometry[row, :size] = scene.tokens.geometry[rows]
            related[row, :size, :size] = scene.tokens.pairs[np.ix_(rows, rows)]
            prefix[row, scene.candidates : size] = 1 + np.arange(len(query.references))
            valid[row, :size] = True
            scored[row, : scene.candidates] = True
            wanted[row, list(query.wanted)] = 1
        arrays: tuple[NDArray[Any], ...] = (
            ids,
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
            torch.tensor([query.mask_type for _, query in pairs]),
            torch.tensor([float(query.targets == 0) for _, query in pairs]),
        )

    def loss(self, batch: _Batch) -> dict[str, Tensor]:
        """Selection, mask-type and "nothing fits" losses of one batch."""
        select, types, none = self.model(*batch.inputs)
        each = functional.binary_cross_entropy_with_logits(
            select,
            batch.wanted,
            pos_weight=torch.tensor(self.recipe.positive_weight),
            reduction="none",
        )
        # Where targets exist but none was proposed, there is nothing to select and no emptiness.
        missed = (batch.wanted.sum(1) == 0) & (batch.none == 0)
        scored = batch.scored & ~missed[:, None]
        return {
            "select": 3 * (each * scored).sum() / scored.sum().clamp(min=1),
            "type": functional.cross_entropy(types, batch.mask_type, label_smoothing=0.02),
            "none": functional.binary_cross_entropy_with_logits(none, batch.none),
        }

    def _held_out_logits(
        self,
    ) -> Iterator[tuple[CachedScene, CachedQuery, Tensor, Tensor, Tensor]]:
        """Logits of each held-out sentence: candidates (N,), types (3,), "nothing fits" ()."""
        pairs = [(scene, query) for scene in self._held_out for query in scene.queries]
        for start in range(0, len(pairs), 64):
            chosen = pairs[start : start + 64]
            judged = zip(chosen, *self.model(*self._batch(chosen).inputs), strict=True)
            for (scene, query), select, types, none in judged:
                yield scene, query, select[: scene.candidates], types, none

    def judge(self) -> list[Judged]:
        """What the network says about the held-out sentences, for `calibrate`."""
        self.model.eval()
        found = []
        with torch.no_grad():
            for scene, query, select, _, none in self._held_out_logits():
                wanted = np.zeros(scene.candidates, bool)
                wanted[list(query.wanted)] = True
                logits = select.double().numpy()
                found.append(Judged(logits, float(none), wanted, query.targets))
        return found

    def evaluate(self) -> dict[str, float]:
        """Exactness on held-out scenes.

        `group` is the share of targeted sentences whose group is exactly right, `one` the share of
        single-target sentences whose best candidate is right, `type` mask-type accuracy, `none`
        accuracy on no-target sentences, `some` on the others.
        """
        names = ("group", "one", "none", "some", "type")
        found: dict[str, list[float]] = {name: [] for name in names}
        for _, query, select, types, none in self._held_out_logits():
            found["type"].append(float(types.argmax() == query.mask_type))
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
