"""Candidates where a multimodal language model looks when it reads a sentence.

Rea2Seg's first stage with models that exist, after recipes that are published in several places:
the model says in a few words what is meant, since attention of a short phrase points better than
that of a long question; attention of these words to the picture, less what is looked at whatever is
asked, in the few heads that find things, is cut into regions; and each is a prompt to a SAM.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from askmask import rle
from askmask.models.attention_regions import evidence, head_worth, regions
from askmask.models.by_name import class_at
from askmask.models.hub.chat import Chat, Grid
from askmask.models.hub.loading import Where
from askmask.models.hub.reader import Reader
from askmask.models.hub.remembered import Remembered
from askmask.models.hub.saved import save_options, saved_options
from askmask.types import Candidates, Masks

__all__ = ["AttentionOptions", "AttentionProposer", "Example", "Refiner", "choose_heads"]

_FILE = "attention.json"
_SAM = "askmask.models.hub.sam:Sam"
_MEANT = (
    'A sentence asks for something in the picture: "{text}" What is it? Answer with a short noun '
    "phrase alone."
)
_GENERIC = "What is in the picture? Answer with a short noun phrase alone."
_FINER = 2
"""Times that the grid of attention is refined before it is cut."""


class Refiner(Protocol):
    """What makes masks of prompts, e.g. `Sam`."""

    def refine(
        self, image: NDArray[np.uint8], *, points: NDArray[Any], boxes: NDArray[Any]
    ) -> Candidates:
        """One candidate a prompt of a point, (P, 1, 2) x and y, and a box, (P, 4) x0 y0 x1 y1."""
        ...


@dataclass(frozen=True)
class AttentionOptions:
    """Choices of the proposer.

    Attributes:
        heads: layer and head of those whose maps are cut, besides their mean, see `choose_heads`;
            none takes only the mean of all heads of the middle third of the layers.
        words: most tokens of what the model says is meant; 0 takes the end of the question instead.
        thresholds: shares of a map's largest value at which it is cut.
        count: most candidates.
        overlap: largest IoU of two regions, and of two masks.
    """

    heads: tuple[tuple[int, int], ...] = ()
    words: int = 12
    thresholds: tuple[float, ...] = (0.3, 0.5, 0.7)
    count: int = 6
    overlap: float = 0.7


class _Sight(NamedTuple):
    """A picture that is read, and where the model looks in it whatever is asked.

    Attributes:
        reader: of prompts about it.
        grid: of its tokens.
        generic: (layers, heads, rows, columns).
    """

    reader: Reader
    grid: Grid
    generic: Tensor


class AttentionProposer:
    """`TextProposer` that asks a SAM for masks of what a language model looks at.

    Attributes:
        needs_text: True: there is nothing to look for before a sentence is known.
        options: its choices.
    """

    needs_text = True

    def __init__(self, chat: Chat, refiner: Refiner, options: AttentionOptions) -> None:
        """Look with `chat` and make masks with `refiner`; prefer `load`."""
        self.options = options
        self._chat, self._refiner = chat, refiner
        self._seen = Remembered(self._see)
        self._lock = Lock()

    @classmethod
    def load(
        cls,
        source: str,
        where: Where,
        *,
        sam: str = "facebook/sam2.1-hiera-tiny",
        **options: Any,
    ) -> AttentionProposer:
        """Load a language model and a SAM from folders or hub repositories.

        Args:
            source: of the language model, or a folder that `save` wrote.
            where: device and precision.
            sam: of the SAM.
            options: those of `AttentionOptions`; they go before saved ones.

        Raises:
            ConfigError: for another kind of model.
            WeightsError: when files are missing, gated, broken or too large for the memory.
        """
        source, saved = saved_options(source, _FILE, AttentionOptions)
        chosen = replace(saved, **options)
        return cls(Chat.load(source, where), class_at(_SAM).load(sam, where), chosen)

    def save(self, folder: str | Path) -> None:
        """Write the options to `attention.json` in `folder`; the models stay where they are.

        Raises:
            OutputError: when it cannot be written.
        """
        save_options(folder, _FILE, self._chat.source, self.options)

    def propose(self, image: NDArray[np.uint8]) -> Candidates:
        """Find nothing: `propose_for` needs a sentence."""
        none = Masks.empty((image.shape[0], image.shape[1]))
        return Candidates(none, none, np.zeros(0, np.float32))

    def propose_for(self, image: NDArray[np.uint8], text: str) -> Candidates:
        """Find what a sentence may mean.

        Args:
            image: (H, W, 3) uint8 RGB.
            text: the sentence.

        Returns:
            Up to `count` candidates, the most conspicuous first, without empty and equal ones; the
            score is how conspicuous, times how sure the SAM is.
        """
        options, grid = self.options, self._seen(image).grid
        maps = self._chosen(self.evidence(image, text))
        fine = functional.interpolate(
            maps[None], scale_factor=_FINER, mode="bilinear", align_corners=False
        )
        found = regions(fine, options.thresholds, options.count, options.overlap)
        inside = found.inside[0, found.there[0]]
        if not len(inside):
            return self.propose(image)
        points, boxes = _prompts(inside, fine[0, 0], grid.box_xyxy, image.shape)
        refined = self._refiner.refine(image, points=points, boxes=boxes)
        worth = found.worth[0, found.there[0]].clamp(0, 1).cpu().numpy()
        kept = _different(refined.modal, options.overlap)
        score = (worth * refined.score)[kept].astype(np.float32)
        modal = refined.modal[kept]
        return Candidates(modal, modal, score)

    def evidence(self, image: NDArray[np.uint8], text: str) -> Tensor:
        """Where the model looks because of a sentence.

        Returns:
            (layers, heads, rows, columns) float32 in [0, 1] on the grid of the picture's tokens; 0
            beside the picture, where that was padded.
        """
        sight = self._seen(image)
        prompt = self._chat.prompt(_MEANT.format(text=text), sight.reader.pictures)
        with self._lock:
            said = sight.reader.speak(prompt, self.options.words)
            looks = sight.reader.look(prompt + said, max(1, len(said))).mean(2)
        inside = _cells_inside(sight.grid, image.shape).to(looks.device)
        more = evidence((looks * inside).flatten(2), (sight.generic * inside).flatten(2))
        return more.reshape(looks.shape)

    def heads_worth(self, image: NDArray[np.uint8], text: str, target: NDArray[np.bool_]) -> Tensor:
        """(layers, heads) share of evidence that lies on what `text` means, (H, W) bool."""
        maps = self.evidence(image, text)
        left, top, right, bottom = self._seen(image).grid.box_xyxy
        height, width = target.shape
        framed = np.pad(target, ((-top, bottom - height), (-left, right - width)))
        return head_worth(maps[None], torch.from_numpy(framed).to(maps)[None])[0]

    def _see(self, image: NDArray[np.uint8]) -> _Sight:
        pictures = self._chat.see([image])
        reader = Reader(self._chat, pictures)
        generic = reader.look(self._chat.prompt(_GENERIC, pictures))[:, :, 0]
        return _Sight(reader, pictures.grids[0], generic)

    def _chosen(self, maps: Tensor) -> Tensor:
        """(N, rows, columns): the mean of the heads that count, and each that was chosen."""
        if not self.options.heads:
            layers = len(maps)
            return maps[layers // 3 : max(2 * layers // 3, layers // 3 + 1)].mean((0, 1))[None]
        each = torch.stack([maps[layer, head] for layer, head in self.options.heads])
        return torch.cat([each.mean(0, keepdim=True), each])


class Example(NamedTuple):
    """A sentence about a picture, (H, W, 3) uint8 RGB, and what it means, (H, W) bool."""

    image: NDArray[np.uint8]
    text: str
    target: NDArray[np.bool_]


def choose_heads(
    proposer: AttentionProposer, examples: Iterable[Example], count: int = 3
) -> tuple[tuple[int, int], ...]:
    """Choose the heads that find targets best, on validation data.

    Args:
        proposer: whose evidence is judged.
        examples: at least one.
        count: heads that are chosen.

    Returns:
        Layer and head of each, the best first; `AttentionOptions.heads` takes them.
    """
    mean = torch.stack([proposer.heads_worth(*example) for example in examples]).mean(0)
    best = mean.flatten().topk(min(count, mean.numel())).indices.tolist()
    return tuple(divmod(place, mean.shape[1]) for place in best)


def _cells_inside(grid: Grid, shape: tuple[int, ...]) -> Tensor:
    """(rows, columns) bool, which cells have their centre in a picture of `shape`."""
    left, top, right, bottom = grid.box_xyxy
    rows, columns = grid.hw
    ys = top + (torch.arange(rows) + 0.5) * (bottom - top) / rows
    xs = left + (torch.arange(columns) + 0.5) * (right - left) / columns
    return ((ys > 0) & (ys < shape[0]))[:, None] & (xs > 0) & (xs < shape[1])


def _prompts(
    inside: Tensor, weight: Tensor, box_xyxy: tuple[int, int, int, int], shape: tuple[int, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A point and a box for each region.

    Args:
        inside: (K, h, w) bool, none empty.
        weight: (h, w) evidence; the point of a region is where it is largest.
        box_xyxy: what the regions' grid covers, in pixels of the picture.
        shape: of the picture.

    Returns:
        (K, 1, 2) x and y, and (K, 4) x0, y0, x1, y1, in pixels inside the picture.
    """
    rows, columns = inside.shape[1:]
    left, top, right, bottom = box_xyxy
    cell = np.array([(right - left) / columns, (bottom - top) / rows])
    peak = weight.masked_fill(~inside, -1).flatten(1).argmax(1).cpu().numpy()
    points = np.stack([peak % columns, peak // columns], 1) + 0.5
    ends = []
    for region in inside.cpu().numpy():
        ys, xs = np.nonzero(region)
        ends.append([[xs.min(), ys.min()], [xs.max() + 1, ys.max() + 1]])
    limits = np.array([shape[1], shape[0]])
    points_xy, corners = (
        np.clip(each * cell + (left, top), 0, limits).astype(np.float32)
        for each in (points[:, None], np.array(ends))
    )
    return points_xy, corners.reshape(-1, 4)


def _different(masks: Masks, overlap: float) -> NDArray[np.intp]:
    """Places of masks with pixels that do not overlap an earlier kept one."""
    iou, kept = rle.iou_matrix(masks.rles, masks.rles), np.zeros(0, np.intp)
    for place, area in enumerate(masks.areas):
        if area and not (iou[place, kept] > overlap).any():
            kept = np.append(kept, place)
    return kept
