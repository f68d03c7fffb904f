"""GLaMM: one encoder for the conversation, one for the grounding; phrases and regions have tokens.

Rasheed et al., "GLaMM: Pixel Grounding Large Multimodal Model", CVPR 2024 (arXiv 2311.03356),
section 3.1 and figure 2, whose caption names the five parts: a global image encoder whose features
the language model reads; a region encoder that makes a token of a region in the question, put where
the text has <bbox>; the language model, whose answer holds <p> phrase </p> [SEG] for each thing
that it grounds (section 3.2); a grounding image encoder V; and a pixel decoder P, prompted by the
projected last-layer state of [SEG]: mask = P(g(state), V(picture)). The paper's formulas have no
numbers. The loss is that of LISA. Checked against the authors' public code (`model/GLaMM.py`,
`model/layers.py`, `train.py`): the special tokens; region features of several levels, summed,
rectified and projected, with the region's box embedded and added; the projection of two layers; and
the weights 1.0, 2.0 and 0.5. The code takes the hidden state one place before [SEG]; here it is its
own, as the paper says.

What differs from the paper, for every system alike: two small encoders instead of CLIP and SAM,
which start from the same eyes and both learn; a small causal transformer that learns from nothing;
words from the frozen tower, and answers in a vocabulary of a few words. The samples have no
captions, so that a phrase is what they say of a target: "visible", "complete" or "hidden". Regions
are masks, not boxes: features are averaged under the mask instead of by RoIAlign, and have a
projection of their own, where the paper shares that of the picture. Targets come from left to
right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from askmask.models.causal import Memory, interleaved
from askmask.models.listing import Lister, Listing
from askmask.models.mask_decoder import PromptDecoder, projection
from askmask.models.speaker import Heard, Speaker
from askmask.models.system import Asked, Pictures, Truth
from askmask.models.trunk import SIZES, Eyes, Trunk, TrunkSize, Views, pool_masks

__all__ = ["Glamm", "GlammOptions", "relative_boxes"]

_PHRASES = ("visible", "complete", "hidden")
"""In the order of the mask types."""

_VOCABULARY = (*Listing.words, "<p>", "</p>", "[SEG]", *_PHRASES)
_TARGET = "<p> visible </p> [SEG]"
_PHRASE, _SEG = 1, 3  # places in it


@dataclass(frozen=True)
class GlammOptions:
    """Choices of the design.

    Attributes:
        grid_hw: rows and columns of the picture's tokens.
        regions: whether references have tokens; the ablation does not look at them.
        separate: whether the grounding has an encoder of its own; the ablation shares one.
        max_targets: most targets of an answer; further ones are not learnt.
        text_weight: of the cross-entropy of answers.
        bce_weight: of the cross-entropy of masks.
        dice_weight: of their dice loss.
    """

    grid_hw: tuple[int, int] = (6, 8)
    regions: bool = True
    separate: bool = True
    max_targets: int = 8
    text_weight: float = 1.0
    bce_weight: float = 2.0
    dice_weight: float = 0.5


class _Seen(NamedTuple):
    """What depends on P pictures alone.

    Attributes:
        overview: what the global encoder sees; regions are encoded from it.
        grounds: what the grounding encoder sees; masks are drawn from it.
        picture: what the language model keeps of the overview's tokens.
    """

    overview: Views
    grounds: Views
    picture: Memory


class _RegionEncoder(nn.Module):
    """Features of all levels under a mask, and its box -> one token."""

    def __init__(self, size: TrunkSize) -> None:
        super().__init__()
        width = size.width
        channels = (size.pyramid // 2, size.pyramid, size.pyramid)
        self.levels = nn.ModuleList(nn.Linear(each, width) for each in channels)
        self.box = nn.Sequential(
            nn.Linear(4, width), nn.ReLU(), nn.LayerNorm(width), nn.Linear(width, width)
        )
        self.project = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width))

    def forward(self, views: Views, masks: Tensor) -> Tensor:
        """(S, R, width) tokens of (S, R, h, w) masks."""
        pooled = [
            level(pool_masks(view, masks)) for level, view in zip(self.levels, views, strict=True)
        ]
        features = torch.stack(pooled).sum(0).relu()
        tokens: Tensor = self.project(features + self.box(relative_boxes(masks)))
        return tokens


class Glamm(Lister):
    """The tokens of a target are a phrase and its [SEG]."""

    name = "glamm"

    def __init__(self, size: TrunkSize, options: GlammOptions) -> None:
        super().__init__()
        self._options = options
        self.loss_weights = (options.text_weight, options.bce_weight, options.dice_weight)
        self.trunk = Trunk(size)  # its eyes are those of the grounding
        self.overview = Eyes(size) if options.separate else None
        self.speaker = Speaker(size, _VOCABULARY, options.grid_hw)
        self._target = self.speaker.ids(_TARGET)
        chosen = (0, _PHRASE)
        self.listing = Listing(len(self._target), options.max_targets, chosen)
        self.region = _RegionEncoder(size) if options.regions else None
        self.project = projection(size)
        self.decoder = PromptDecoder(size)

    @classmethod
    def named(cls, size: str, **options: Any) -> Glamm:
        """Build one of a size of `trunk.SIZES`; options are those of `GlammOptions`."""
        if "grid_hw" in options:
            options["grid_hw"] = tuple(options["grid_hw"])
        return cls(SIZES[size](), GlammOptions(**options))

    def options(self) -> dict[str, Any]:
        """Choices of the design."""
        return dict(vars(self._options))

    def seeing(self) -> list[nn.Module]:
        """The global encoder too."""
        return super().seeing() + ([] if self.overview is None else [self.overview])

    def see(self, pictures: Pictures) -> _Seen:
        """Look with both encoders."""
        grounds: Views = self.trunk.eyes(pictures.images)
        overview = grounds if self.overview is None else self.overview(pictures.images)
        return _Seen(overview, grounds, self.speaker.look(overview.middle))

    def hear(self, seen: _Seen, asked: Asked) -> tuple[Heard, Tensor]:
        """Read picture and sentence, with the tokens of regions among the words."""
        words, types = self.trunk.reader(asked.words, asked.valid, asked.forced)
        valid = asked.valid
        if self.region is not None and asked.spots.shape[1]:
            regions = self.region(seen.overview.of(asked.picture), asked.references)
            words, valid = interleaved(words, valid, asked.spots, [regions])
        return self.speaker.hear(seen.picture.of(asked.picture), words, valid), types

    def tokens_of(self, heard: Heard, types: Tensor | None) -> Tensor:
        """<p> phrase </p> [SEG]; the phrase is that of the first target."""
        tokens = torch.tensor(self._target, device=heard.state.device)
        tokens = tokens.expand(len(heard.state), -1).clone()
        first = len(_VOCABULARY) - len(_PHRASES)
        if types is None:
            start = self.listing.endless(tokens, 1)[:, : -len(self._target) + _PHRASE]
            chances = self.speaker.head(self.speaker.follow(heard, start)[:, -1])
            types = chances[:, first:].argmax(1)
        tokens[:, _PHRASE] = first + types
        return tokens

    def draw(self, seen: _Seen, picture: Tensor, states: Tensor) -> Tensor:
        """Let the state of [SEG] prompt the pixel decoder."""
        prompts = self.project(states[:, _SEG])
        masks: Tensor = self.decoder(prompts, seen.grounds.of(picture), self.trunk.pixels)
        return masks

    def figures(self, seen: _Seen, asked: Asked, truth: Truth) -> dict[str, Tensor]:
        """Also `phrase`: whether the phrase says the mask type, where there are targets."""
        heard, _ = self.hear(seen, asked)
        spoken, wanted = (self.tokens_of(heard, types) for types in (None, truth.types))
        right = (spoken == wanted).all(1)[truth.none == 0]
        return {**super().figures(seen, asked, truth), "phrase": right.float()}


def relative_boxes(masks: Tensor) -> Tensor:
    """Boxes of masks.

    Args:
        masks: (…, h, w) bool.

    Returns:
        (…, 4) float, left, top, right and bottom edge in shares of width and height; zeros for an
        empty mask.
    """
    edges = []
    for axis in (-2, -1):
        there = masks.any(axis).float()  # columns, then rows
        place = torch.arange(there.shape[-1], device=masks.device)
        count = there.shape[-1]
        first = (there * (count - place)).amax(-1)
        last = (there * (place + 1)).amax(-1)
        edges.append(((count - first) * (first > 0) / count, last / count))
    (left, right), (top, bottom) = edges
    return torch.stack([left, top, right, bottom], -1)
