"""Any of the seven systems as a `Segmenter`: tokenizer and text tower before it, masks after it."""

from __future__ import annotations

import copy
import re
import time
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askmask.errors import QueryError
from askmask.images import ImageLike, as_rgb
from askmask.models.embedded.picture import Fit, normalise
from askmask.models.embedded.text_net import TextTower, minilm_folder
from askmask.models.embedded.words import open_tokenizer
from askmask.models.pipeline import check_references
from askmask.models.system import Asked, Pictures, Reply, System, chosen_slots
from askmask.models.system_weights import load_system, system_hash
from askmask.models.trunk import TrunkSize, word_states
from askmask.types import Answer, Masks, MaskType, Query

__all__ = ["TYPES", "PoolSource", "SystemSegmenter", "no_pool", "proposer_pool", "reference_spots"]

TYPES = (MaskType.MODAL, MaskType.AMODAL, MaskType.HIDDEN)
"""Order of the mask-type logits."""

_REFERENCE = re.compile(r"\[(\d{1,3})\]")


class PoolSource(Protocol):
    """Who gives candidates to a system that wants some."""

    def __call__(self, image: NDArray[np.uint8], size: TrunkSize) -> NDArray[np.bool_]:
        """Candidates (C, 2, h, w) bool of a picture, modal and amodal, on the mask grid."""
        ...


def reference_spots(encoding: Any, text: str, references: int) -> list[int]:
    """Word piece after which each reference stands, -1 for one that the sentence does not name.

    Args:
        encoding: what the tokenizer made of `text`; pieces may be cut off.
        text: the sentence.
        references: how many references there are.
    """
    spots = [-1] * references
    for match in _REFERENCE.finditer(text):
        piece = encoding.char_to_token(match.end() - 1)
        if int(match[1]) <= references and piece is not None:
            spots[int(match[1]) - 1] = piece
    # A reference that is given but not named stands at the end.
    return [len(encoding.ids) - 1 if spot < 0 else spot for spot in spots]


def no_pool(hw: tuple[int, int], count: int) -> tuple[Tensor, Tensor]:
    """Empty pool of one picture: (1, count, 2, h, w) and (1, count), both all False."""
    return torch.zeros(1, count, 2, *hw, dtype=torch.bool), torch.zeros(1, count, dtype=torch.bool)


class SystemSegmenter:
    """Run a system on pictures of any size.

    A sentence is asked once as it is and, for the modal and the amodal mask of what it chose, with
    each of these types forced, in one batch about the picture that is already seen.

    Attributes:
        model_id: name or folder of the weights.
        weights_hash: SHA-256 over them.
        system: the network, in evaluation mode.
    """

    def __init__(
        self,
        system: System,
        tower: TextTower,
        tokenizer: Any,
        pool: PoolSource | None = None,
        *,
        model_id: str = "system",
        weights_hash: str | None = None,
    ) -> None:
        self.system = system
        self.model_id, self.weights_hash = model_id, weights_hash
        self._tower, self._tokenizer, self._pool = tower, tokenizer, pool
        self._fit: Fit | None = None
        self._seen: Any = None

    @classmethod
    def load(cls, name: str) -> SystemSegmenter:
        """Open the weights in the folder `name`.

        Raises:
            WeightsError: when they are missing or of another version.
            MissingExtraError: without the package that carries the text tower.
        """
        folder = Path(name)
        system, pool = load_system(folder)
        return cls(
            system,
            TextTower.from_minilm().eval(),
            open_tokenizer(minilm_folder() / "tokenizer.json", system.size.max_words),
            None if pool is None else proposer_pool(pool),
            model_id=name,
            weights_hash=system_hash(folder),
        )

    def set_image(self, image: ImageLike) -> None:
        """Encode a picture, (H, W, 3) uint8 RGB, a path or a Pillow picture."""
        self._fit = self._seen = None  # a failure must not leave the picture before in force
        pixels = as_rgb(image)
        fit = Fit((pixels.shape[0], pixels.shape[1]), self.system.size.input_hw)
        pool, pooled = no_pool(self.system.size.masks_hw, int(self.system.wants_pool))
        if self.system.wants_pool and self._pool is not None:
            found = self._pool(pixels, self.system.size)
            if len(found):
                pool = torch.from_numpy(found)[None]
                pooled = torch.ones(1, len(found), dtype=torch.bool)
        images = torch.from_numpy(normalise(fit.image(pixels)[None]))
        with torch.inference_mode():
            self._seen = self.system.see(Pictures(images, pool, pooled))
        self._fit = fit

    def with_image(self, image: ImageLike, *, compact: bool = False) -> Self:
        """Return a segmenter of the same system that looks at `image`; this one stays as it is.

        What a system has seen is on its own small grid, so that there is nothing to compact.
        """
        other = copy.copy(self)
        other.set_image(image)
        return other

    def answer(self, query: Query | str) -> Answer:
        """Answer one sentence about the current picture.

        Raises:
            QueryError: when no picture is set, or a reference has another size than the picture.
        """
        if self._fit is None:
            raise QueryError("no picture is set: call set_image(image) before answer(query)")
        asked = Query(query) if isinstance(query, str) else query
        check_references(asked, self._fit.picture_hw)
        start = time.perf_counter()
        with torch.inference_mode():
            reply = self.system.reply(self._seen, self._asked(asked, self._fit))
            reply = reply.above(self.system.bars)
        return self._answer(asked, reply, self._fit, start)

    def _asked(self, query: Query, fit: Fit) -> Asked:
        """The sentence three times: as it is, and with the modal and the amodal mask forced."""
        hw, most = self.system.size.masks_hw, self.system.size.max_references
        masks = list(query.references or ())[:most]
        encoding = self._tokenizer.encode(query.text)
        spots = reference_spots(encoding, query.text, len(masks))
        grids = [fit.coverage(mask, hw) for mask in masks]
        references = np.array([_point_at(grid) for grid in grids], bool).reshape(-1, *hw)
        ids = torch.tensor([encoding.ids])
        valid = torch.ones_like(ids, dtype=torch.bool)
        own = 0 if query.mask_type is None else 1 + TYPES.index(query.mask_type)
        forced = torch.tensor([own, 1, 2])
        return Asked(
            picture=torch.zeros(3, dtype=torch.long),
            words=word_states(self._tower, ids, valid).expand(3, -1, -1),
            valid=valid.expand(3, -1),
            references=torch.from_numpy(references).expand(3, -1, -1, -1),
            spots=torch.tensor([spots], dtype=torch.long).expand(3, -1),
            forced=forced,
        )

    def _answer(self, query: Query, reply: Reply, fit: Fit, start: float) -> Answer:
        probability = dict(zip(TYPES, reply.types[0].softmax(0).tolist(), strict=True))
        mask_type = query.mask_type or max(probability, key=probability.__getitem__)
        none = float(reply.none[0].sigmoid())
        scores = reply.scores[0]
        order = scores.argsort(descending=True, stable=True)
        group = order[chosen_slots(reply)[0, order]]
        # (3, K, h, w): as asked, modal, amodal.
        logits = reply.masks[:, group].float().numpy()
        asked, modal, amodal = (fit.masks(np.ascontiguousarray(each)) for each in logits)
        return Answer(
            mask_type=mask_type,
            mask_type_probability=probability,
            masks=Masks.from_dense(asked),
            scores=scores[group].sigmoid().float().numpy(),
            modal=Masks.from_dense(modal),
            amodal=Masks.from_dense(amodal | modal),
            no_target_probability=none,
            seconds=time.perf_counter() - start,
        )


def _point_at(grid: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Cells of a mask; one thinner than half a cell everywhere keeps its best cells."""
    return grid >= min(0.5, grid.max()) if grid.any() else grid > 0


def proposer_pool(name: str) -> PoolSource:
    """Candidates of the embedded model `name`, resampled to the system's grid where it differs."""
    from askmask.models.embedded.proposer import EmbeddedProposer
    from askmask.models.embedded.weights import EmbeddedWeights

    # Both frames have the same shape, so that cells of one fall on cells of the other.
    proposer = EmbeddedProposer(EmbeddedWeights(name))

    def pool(image: NDArray[np.uint8], size: TrunkSize) -> NDArray[np.bool_]:
        found, _ = proposer.proposals(image)
        masks = np.stack([found.modal, found.amodal], 1)
        hw = size.masks_hw
        rows = np.arange(hw[0]) * masks.shape[2] // hw[0]
        columns = np.arange(hw[1]) * masks.shape[3] // hw[1]
        picked: NDArray[np.bool_] = masks[:, :, rows[:, None], columns]
        return picked

    return pool
