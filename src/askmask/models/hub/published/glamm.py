"""GLaMM as published: LISA on LLaVA 1.5, with an encoder for regions that the question points at.

Rasheed et al., "GLaMM: Pixel Grounding Large Multimodal Model", CVPR 2024 (arXiv 2311.03356). A
reference mask enters by its box, in the place of the token <bbox>. The authors train regions for
captions and masks for phrases; a question with both is open to the model, but not promised.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from askmask import rle
from askmask.models.hub.preprocessing import Placement
from askmask.models.hub.published.keys import Checkpoint, Rules, nested
from askmask.models.hub.published.lisa import PublishedLisa
from askmask.models.hub.published.llava import Piece, is_sentence
from askmask.models.hub.published.prompted_sam import SamSeen
from askmask.types import Query

__all__ = ["GlammSeen", "PublishedGlamm", "RegionEncoder", "roi_align"]

_REFERENCE = re.compile(r"\[(\d{1,3})\]")

_REGION = "model.region_encoder."

_RULES: Rules = (
    ("mlvl_fuse.input_conv.", "enter."),
    ("mlvl_fuse.fuse_convs.*.conv.", "fuse.*.0."),
    ("mlvl_fuse.fuse_convs.*.gn.", "fuse.*.1."),
    ("roi_align.pconvs.", "crop."),
    ("roi_align.pos_embedd.", "place."),
    ("roi_align.flatten_linear.", "flatten."),
    ("roi_align.updims.", "leave."),
)

_GROUPS = 64
"""Of the group norms, which no tensor tells."""

_LAYERS_APART = 3
"""Between the layers of CLIP that regions are seen in."""

_FINEST, _FRAME = 14 / 8, 224
"""Pixels of a frame of `_FRAME` that a cell of the finest level has, by the authors' settings.

Their maps are of a picture of 336 pixels, so that boxes fall on the upper left two thirds of them;
the weights were trained so.
"""


class GlammSeen(NamedTuple):
    """A picture that all eyes have seen.

    Attributes:
        words: (T, width) what the language model reads of it.
        sam: what SAM made of it.
        levels: of CLIP, (T, C) each, from early to late, that regions are seen in.
    """

    words: Tensor
    sam: SamSeen
    levels: tuple[Tensor, ...]

    @property
    def placement(self) -> Placement:
        """Where the picture lies in the input of SAM."""
        return self.sam.placement


class PublishedGlamm(PublishedLisa):
    """GLaMM; one mask for each [SEG] that it says."""

    system: ClassVar[str] = "GLaMM"
    sam_prefix: ClassVar[str] = "model.grounding_encoder."
    sees_references: ClassVar[bool] = True

    def _network(self, checkpoint: Checkpoint) -> nn.ModuleDict:
        network = super()._network(checkpoint)
        network["regions"] = RegionEncoder.on_meta(checkpoint)
        return network

    def _rules(self) -> Rules:
        return (*nested(_RULES, _REGION, "regions."), *super()._rules())

    def _see(self, image: NDArray[np.uint8]) -> Any:
        states = self._llava.look(image)
        chosen = states[self._llava.layer :: -_LAYERS_APART][::-1][-self._regions.levels :]
        return GlammSeen(
            self._llava.words_of(states), self._sam.see(image), tuple(level[1:] for level in chosen)
        )

    def _pieces(self, seen: Any, query: Query) -> list[Piece]:
        before, after = self._conversation.split("{question}")
        count = len(query.references or ())
        named = {int(number) for number in _REFERENCE.findall(query.text)}
        forgotten = "".join(
            f" [{number + 1}]" for number in range(count) if number + 1 not in named
        )
        question = _question_of(query.text + forgotten) + after
        regions = self._regions(seen.levels, _boxes(query)) if count else ()
        pieces: list[Piece] = [f"{before}The <im_start>", seen.words]
        # Every second part is the number of a reference.
        for place, part in enumerate(_REFERENCE.split(question)):
            if place == 0:
                pieces.append(f"<im_end> provides an overview of the picture.\n{part}".strip())
            else:
                pieces.append(regions[int(part) - 1][None] if place % 2 else part.strip())
        return pieces

    @property
    def _regions(self) -> RegionEncoder:
        regions = self._net["regions"]
        assert isinstance(regions, RegionEncoder)
        return regions


def _question_of(text: str) -> str:
    """One of the authors' sixteen questions for a phrase; a sentence is asked as it is."""
    return text if is_sentence(text) else f"Can you segment the {text.strip()} in this image?"


def _boxes(query: Query) -> Tensor:
    """(R, 4) x0, y0, x1, y1 of the references, as shares of the picture; zeros for empty ones."""
    assert query.references is not None
    height, width = query.references.size_hw
    boxes = [rle.box_xyxy(code) or (0, 0, 0, 0) for code in query.references.rles]
    return torch.tensor(boxes) / torch.tensor([width, height, width, height])


class RegionEncoder(nn.Module):
    """Boxes -> one word of the language model each, from four levels of CLIP."""

    def __init__(self, width: int, out: int, levels: int, fusions: int, cells: int) -> None:
        """Make an encoder.

        Args:
            width: of CLIP.
            out: width of the language model.
            levels: of CLIP that are looked at.
            fusions: how often neighbouring levels exchange channels.
            cells: rows and columns that a box is cut into.
        """
        super().__init__()
        self.levels, self._cells = levels, cells
        self.enter = nn.ModuleList(nn.Conv2d(width + 2, width, 1) for _ in range(levels))
        self.fuse = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, width, 3, padding=1, bias=False),
                nn.GroupNorm(_GROUPS, width),
                nn.ReLU(),
            )
            for _ in range(fusions)
        )
        self.crop = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(levels))
        self.place = nn.Sequential(
            nn.Linear(4, 256),
            nn.ReLU(),
            nn.LayerNorm(256),
            nn.Linear(256, 1024),
            nn.ReLU(),
            nn.LayerNorm(1024),
        )
        self.flatten = nn.Linear(width * cells**2, 1024)
        self.leave = nn.Linear(1024, out)

    @classmethod
    def on_meta(cls, checkpoint: Checkpoint) -> RegionEncoder:
        """Build one, without weights, of the sizes that the tensors have."""
        width, _, _, _ = checkpoint.shape(f"{_REGION}mlvl_fuse.input_conv.0.weight")
        _, flat = checkpoint.shape(f"{_REGION}roi_align.flatten_linear.weight")
        with torch.device("meta"):
            return cls(
                width,
                checkpoint.shape(f"{_REGION}roi_align.updims.weight")[0],
                checkpoint.count(f"{_REGION}mlvl_fuse.input_conv."),
                checkpoint.count(f"{_REGION}mlvl_fuse.fuse_convs."),
                round((flat / width) ** 0.5),
            )

    def forward(self, levels: tuple[Tensor, ...], boxes: Tensor) -> Tensor:
        """Encode boxes.

        Args:
            levels: (T, C) each, of square grids, from early to late layers.
            boxes: (R, 4) x0, y0, x1, y1 as shares of the picture.

        Returns:
            (R, width of the language model).
        """
        dtype, device = self.leave.weight.dtype, self.leave.weight.device
        maps = self._fused([level.to(dtype) for level in levels])
        framed = boxes.to(device) * _FRAME
        crops = [
            conv(roi_align(grid, framed, 2**-level / _FINEST, self._cells))
            for level, (grid, conv) in enumerate(zip(maps, self.crop, strict=True))
        ]
        seen = torch.stack(crops).sum(0).relu().flatten(1)
        placed: Tensor = self.leave(self.flatten(seen) + self.place(boxes.to(device, dtype)))
        return placed

    def _fused(self, levels: list[Tensor]) -> list[Tensor]:
        """Maps (C, h, w) of the levels, the earliest the finest, with channels exchanged."""
        side = round(len(levels[0]) ** 0.5)
        maps = []
        for number, (level, conv) in enumerate(zip(levels, self.enter, strict=True)):
            grid = level.T.reshape(1, -1, side, side)
            large = _stretched(grid, side * 2 ** (self.levels - 1 - number))
            span = torch.linspace(-1, 1, large.shape[-1], dtype=large.dtype, device=large.device)
            y, x = torch.meshgrid(span, span, indexing="ij")
            maps.append(conv(torch.cat([large, torch.stack([x, y])[None]], 1)))
        for fuse in self.fuse:
            maps = [fuse(self._exchanged(maps, number)) for number in range(self.levels)]
        return [grid[0] for grid in maps]

    def _exchanged(self, maps: list[Tensor], number: int) -> Tensor:
        """Half of a level's channels, a quarter of the next coarser's and of the next finer's."""
        own, side = maps[number], maps[number].shape[-1]
        quarter = own.shape[1] // 4
        coarser = maps[min(number + 1, self.levels - 1)][:, -quarter:]
        finer = maps[max(number - 1, 0)][:, -2 * quarter : -quarter]
        kept = own[:, : own.shape[1] - 2 * quarter]
        return torch.cat([kept, _stretched(coarser, side), _stretched(finer, side)], 1)


def _stretched(grid: Tensor, side: int) -> Tensor:
    large = functional.interpolate(grid.float(), (side, side), mode="bilinear", align_corners=True)
    return large.to(grid.dtype)


def roi_align(grid: Tensor, boxes: Tensor, scale: float, cells: int) -> Tensor:
    """Mean of 2 x 2 bilinear samples in each cell of boxes (RoIAlign, "aligned").

    Args:
        grid: (C, h, w).
        boxes: (R, 4) x0, y0, x1, y1 in a frame.
        scale: cells of the grid a pixel of that frame.
        cells: rows and columns of the result.

    Returns:
        (R, C, cells, cells); what lies more than a cell outside of the grid counts as zero.
    """
    corners = boxes.float() * scale - 0.5
    steps = (torch.arange(2 * cells, device=grid.device) + 0.5) / (2 * cells)

    def weights(start: Tensor, end: Tensor, size: int) -> Tensor:
        at = start[:, None] + (end - start)[:, None] * steps
        inside = (at >= -1) & (at <= size)
        apart = at.clamp(0, size - 1)[..., None] - torch.arange(size, device=grid.device)
        return (1 - apart.abs()).clamp(min=0) * inside[..., None]

    rows = weights(corners[:, 1], corners[:, 3], grid.shape[1])
    columns = weights(corners[:, 0], corners[:, 2], grid.shape[2])
    samples = torch.einsum("ryh,chw,rxw->rcyx", rows, grid.float(), columns)
    return functional.avg_pool2d(samples, 2).to(grid.dtype)
