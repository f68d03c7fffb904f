"""Rea2Seg: what a LISA looks at becomes candidate masks, and a second model ranks them anew.

Gao, Hao, Yue, "Reason Twice: Segmentation via Candidate Discovery and Comparative Reasoning"
(arXiv 2606.09303): abstract and project page, and the README of the authors' code. Checked there:
candidates come from attention maps of a segmentation model that speaks [SEG] (SESAME); another
model, trained to score masks, reasons over question and candidates; the best score is the answer.
How attention becomes masks, the form of scores and all equations were not at hand, so those details
are ours; no section is cited.

Stage one is `Lisa` in all it is, trained by its own loss. Attention of its [SEG], and of the word
that it is said after, to the picture, less what is looked at when no sentence stands before, in the
few heads that find targets best, is cut into regions; a mask generator makes a mask of each. LISA's
own mask is the first candidate.
Stage two is a language model of its own: picture, question, all candidates, and all again, where
each is scored with the others known. Scores are learnt on what stage one proposes for the sentence
at hand: the IoU of each candidate with the answer. Whether anything fits at all, LISA says.

What differs from the paper: the language model of the paper has learnt in its pretraining to look
at what is spoken of; ours has learnt nothing before, and its decoder finds things that it never
looked at. So a loss asks one head of the last layer to look at the target (`look_weight`).
Both stages are trained side by side on the same sentences, so that the
budget is that of one system; no gradient of stage two reaches LISA. Heads are not chosen on a
validation set but by their record on new sentences as they come, before these are learnt from.
Scores are given at once, without reasoning in words, which so small a model cannot write. One
candidate is the answer, so several targets are found by LISA's own mask or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.attention_regions import Regions, evidence, head_worth, regions
from askmask.models.causal import CausalTransformer, Memory
from askmask.models.lisa import Lisa, LisaOptions, LisaSeen
from askmask.models.mask_decoder import mask_losses
from askmask.models.mask_generator import MaskGenerator, Sources
from askmask.models.system import Asked, Pictures, Reply, System, Truth
from askmask.models.trunk import (
    SIZES,
    PixelDecoder,
    Trunk,
    TrunkSize,
    Views,
    plane_positions,
    pool_masks,
)

__all__ = ["Rea2Seg", "Rea2SegOptions"]

_MATCH = 0.5
"""Least IoU of a right candidate."""

_LEAST = 1e-3
"""Least share of attention on a target, so that its logarithm stays finite."""

_MEMORY = 0.98
"""Share of the heads' record that is kept at each step."""


@dataclass(frozen=True)
class Rea2SegOptions(LisaOptions):
    """Choices of the design, besides LISA's.

    Attributes:
        top: candidates of a sentence; 3 is what the paper's results are named after. It may be
            changed after training.
        own_mask: whether LISA's own mask is the first of them.
        heads: whose maps are cut, besides their mean.
        thresholds: shares of a map's largest value at which it is cut.
        overlap: largest IoU of two regions.
        rerank: whether stage two chooses; else the first candidate is the answer. It may be changed
            after training.
        refine_layers: of the generator that makes a mask of a region.
        look_weight: of the loss on where LISA looks, which stands in for its pretraining.
    """

    top: int = 3
    own_mask: bool = True
    heads: int = 3
    thresholds: tuple[float, ...] = (0.3, 0.5, 0.7)
    overlap: float = 0.7
    rerank: bool = True
    refine_layers: int = 2
    look_weight: float = 0.5


class _Seen(NamedTuple):
    """What depends on P pictures alone.

    Attributes:
        lisa: what LISA sees.
        views: the same views, through which nothing is learnt.
        sources: what masks of regions are made from.
        generic: (P, 2, layers, heads, G) attention without a sentence, see `Rea2Seg.evidence`.
        begun: what stage two keeps of the pictures.
    """

    lisa: LisaSeen
    views: Views
    sources: Sources
    generic: Tensor
    begun: Memory


class Candidates(NamedTuple):
    """K candidates for each of S sentences, in the order of stage one.

    Attributes:
        masks: (S, K, h, w) logits.
        there: (S, K) bool.
        regions: those that the masks but LISA's own were made from.
        own: LISA's reply.
    """

    masks: Tensor
    there: Tensor
    regions: Regions
    own: Reply


class _Scorer(nn.Module):
    """Stage two: a language model that reads question and candidates and scores each."""

    def __init__(self, size: TrunkSize) -> None:
        super().__init__()
        width = size.width
        self.place_width = width
        self.picture = nn.Linear(width, width)
        self.words = nn.Linear(width, width)
        self.mask = nn.Sequential(
            nn.LayerNorm(2 * size.pyramid + width + 2),
            nn.Linear(2 * size.pyramid + width + 2, width),
            nn.GELU(),
            nn.Linear(width, width),
        )
        self.language = CausalTransformer(size)
        self.score = nn.Linear(width, 1)

    def tokens(self, views: Views, masks: Tensor) -> Tensor:
        """(S, K, width) tokens of masks (S, K, h, w): what is under them, how large, how sure."""
        probability, inside = masks.sigmoid(), (masks > 0).float()
        area = inside.sum((2, 3))
        sure = (probability * inside).sum((2, 3)) / area.clamp(min=1)
        place = plane_positions(views.middle, self.place_width).expand(len(masks), -1, -1, -1)
        maps = (views.middle, views.coarse, place)
        size = area / (masks.shape[2] * masks.shape[3])
        parts = [pool_masks(each, inside) for each in maps]
        told: Tensor = self.mask(torch.cat([*parts, size[..., None], sure[..., None]], 2))
        return told

    def look(self, tokens: Tensor) -> Memory:
        """Read picture tokens (P, G, width), once for all sentences about these pictures."""
        return self.language.begin(self.picture(tokens))

    def forward(
        self, picture: Memory, words: Tensor, valid: Tensor, masks: Tensor, there: Tensor
    ) -> Tensor:
        """Score candidates.

        Args:
            picture: what `look` keeps of each sentence's picture.
            words: (S, T, width).
            valid: (S, T) bool.
            masks: (S, K, width) tokens of candidates.
            there: (S, K) bool.

        Returns:
            (S, K) logits.
        """
        read, known = [self.words(words), masks, masks], [valid, there, there]
        states, _ = self.language(torch.cat(read, 1), torch.cat(known, 1), picture)
        logits: Tensor = self.score(states[:, -masks.shape[1] :])[..., 0]
        return logits


class Rea2Seg(System):
    """Candidates from the attention of a LISA, ranked by a second language model."""

    name = "rea2seg"

    def __init__(self, size: TrunkSize, options: Rea2SegOptions) -> None:
        super().__init__()
        self._options = options
        self.lisa = Lisa(size, options)
        self.enter = nn.Linear(size.pyramid + size.width, size.width)
        self.typed = nn.Linear(3, size.width)
        self.pixels = PixelDecoder(size)
        self.refine = MaskGenerator(size, options.refine_layers)
        self.scorer = _Scorer(size)
        self.record: Tensor
        self.register_buffer("record", torch.zeros(2, size.layers, size.heads))

    @property
    def trunk(self) -> Trunk:  # type: ignore[override]  # a second name would save it twice
        """LISA's."""
        return self.lisa.trunk

    @classmethod
    def named(cls, size: str, **options: Any) -> Rea2Seg:
        """Build one of a size of `trunk.SIZES`; options are those of `Rea2SegOptions`."""
        for name in ("grid_hw", "thresholds"):
            if name in options:
                options[name] = tuple(options[name])
        return cls(SIZES[size](), Rea2SegOptions(**options))

    def options(self) -> dict[str, Any]:
        """Choices of the design."""
        return dict(vars(self._options))

    def see(self, pictures: Pictures) -> _Seen:
        """What LISA sees, and where it looks when it answers no sentence."""
        lisa = self.lisa.see(pictures)
        views = Views(*(view.detach() for view in lisa.views))
        sources = self.refine.look(views, self.pixels(views.fine, views.middle))
        nothing = lisa.tokens[:, :0]
        generic = self._attention(lisa.picture, nothing, nothing[..., 0].bool())
        return _Seen(lisa, views, sources, generic, self.scorer.look(lisa.tokens.detach()))

    def reply(self, seen: _Seen, asked: Asked) -> Reply:
        """A slot for each candidate, of which the best is the answer."""
        found = self.candidates(seen, asked)
        scores = self._score(seen, asked, found)
        ranks = scores if self._options.rerank else -torch.arange(scores.shape[1]).to(scores)
        pick = ranks.masked_fill(~found.there, -torch.inf).argmax(1)
        best = functional.one_hot(pick, scores.shape[1]).bool() & found.there
        # Nothing but the best is answered, however well the others score.
        used = scores.masked_fill(~best, -torch.inf)
        return Reply(found.masks, used, found.own.none, found.own.types)

    def loss(self, seen: _Seen, asked: Asked, truth: Truth) -> dict[str, Tensor]:
        """LISA's losses, those of where it looks, of masks made from regions, and of scores."""
        parts = self.lisa.loss(seen.lisa, asked, truth)
        looks = self._looks(seen, asked)
        visible = (truth.modal & truth.counted[..., None, None]).any(1).float()
        parts["look"] = self._options.look_weight * self._look_loss(looks, visible, truth.none)
        maps = self._less_generic(looks.detach(), seen, asked)
        found = self.candidates(seen, asked, maps)
        self._remember(maps, visible, truth.none)
        cross, dice = self._refinement(found, truth)
        options = self._options
        refine = options.bce_weight * cross + options.dice_weight * dice
        return {**parts, "refine": refine, "score": self._score_loss(seen, asked, found, truth)}

    def figures(self, seen: _Seen, asked: Asked, truth: Truth) -> dict[str, Tensor]:
        """Of sentences with targets, besides LISA's `missing`.

        `first`, `chosen` and `best`: IoU of the first candidate, of the one that stage two ranks
        first, and of the best one. `among`: whether a right candidate is there but not first.
        """
        found = self.candidates(seen, asked)
        scores = self._score(seen, asked, found)
        right = _iou(found.masks > 0, truth.union.bool()).masked_fill(~found.there, 0)
        pick = scores.masked_fill(~found.there, -torch.inf).argmax(1, keepdim=True)
        first, best = right[:, 0], right.amax(1)
        told = {"first": first, "chosen": right.gather(1, pick)[:, 0], "best": best}
        told["among"] = ((first < _MATCH) & (best >= _MATCH)).float()
        targeted = truth.none == 0
        ours = {name: values[targeted] for name, values in told.items()}
        return {**self.lisa.figures(seen.lisa, asked, truth), **ours}

    def evidence(self, seen: _Seen, asked: Asked) -> Tensor:
        """Where LISA looks because of the sentence.

        Returns:
            (S, 2, layers, heads, rows, columns): from the word that [SEG] is said after, which
            decides whether there is something to segment, and from [SEG] itself.
        """
        with torch.no_grad():
            return self._less_generic(self._looks(seen, asked), seen, asked)

    def _looks(self, seen: _Seen, asked: Asked) -> Tensor:
        """(S, 2, layers, heads, G) attention to the picture, whatever type is forced."""
        words, _ = self.trunk.reader(asked.words, asked.valid, torch.zeros_like(asked.forced))
        return self._attention(seen.lisa.picture.of(asked.picture), words, asked.valid)

    def _less_generic(self, looks: Tensor, seen: _Seen, asked: Asked) -> Tensor:
        found = evidence(looks, seen.generic[asked.picture])
        return found.reshape(*found.shape[:-1], *self._options.grid_hw)

    def _look_loss(self, looks: Tensor, visible: Tensor, none: Tensor) -> Tensor:
        """Cross-entropy of attention on targets, of the best head of the last layer."""
        maps = looks[:, :, -1].reshape(len(looks), -1, *self._options.grid_hw)
        share = head_worth(maps, visible).clamp(min=_LEAST)
        each = (-share.log() * (1 - none)[:, None]).sum(0) / (1 - none).sum().clamp(min=1)
        return each.amin()

    def candidates(self, seen: _Seen, asked: Asked, maps: Tensor | None = None) -> Candidates:
        """Stage one; regions are those of the sentence as it is, whatever type is forced.

        Args:
            seen: P pictures.
            asked: S sentences.
            maps: their evidence, where it is known already.
        """
        options = self._options
        with torch.no_grad():
            own = self.lisa.reply(seen.lisa, asked)
            looked = self.evidence(seen, asked) if maps is None else maps
            found = self._regions(looked, options.top - options.own_mask)
        masks = [own.masks[:, :1]] if options.own_mask else []
        there = [found.there.new_ones(len(looked), 1)] if options.own_mask else []
        if found.there.shape[1]:
            masks.append(self._masks(seen, asked, found, own.types))
        return Candidates(torch.cat(masks, 1), torch.cat([*there, found.there], 1), found, own)

    def _attention(self, picture: Memory, words: Tensor, valid: Tensor) -> Tensor:
        """(B, 2, layers, heads, G) attention of "is" and [SEG] in "it is [SEG]" to the picture."""
        speaker = self.lisa.speaker
        spoken = torch.tensor(speaker.ids("it is [SEG]"), device=valid.device)
        answer = speaker.words(spoken).expand(len(words), -1, -1)
        known = torch.cat([valid, valid.new_ones(answer.shape[:2])], 1)
        maps: Tensor = speaker.language.attention_maps(
            torch.cat([words, answer], 1), known, picture
        )
        return maps[:, :, :, -2:, : picture.valid.shape[1]].permute(0, 3, 1, 2, 4)

    def _regions(self, maps: Tensor, count: int) -> Regions:
        """Regions from the best heads and their mean, on a grid twice as fine as theirs."""
        options = self._options
        best = self.record.flatten().topk(min(options.heads, self.record.numel())).indices
        chosen = maps.flatten(1, 3)[:, best]
        chosen = torch.cat([chosen.mean(1, keepdim=True), chosen], 1)
        hw = (2 * options.grid_hw[0], 2 * options.grid_hw[1])
        fine = functional.interpolate(chosen, hw, mode="bilinear", align_corners=False)
        return regions(fine, options.thresholds, count, options.overlap)

    @torch.no_grad()
    def _remember(self, maps: Tensor, visible: Tensor, none: Tensor) -> None:
        """Judge the heads by sentences that were not learnt from yet."""
        targeted = (1 - none)[:, None, None, None]
        worth = (head_worth(maps, visible) * targeted).sum(0) / targeted.sum().clamp(min=1)
        self.record.lerp_(worth.to(self.record.dtype), 1 - _MEMORY)

    def _masks(self, seen: _Seen, asked: Asked, found: Regions, types: Tensor) -> Tensor:
        """(S, K, h, w) logits of masks of regions, in the type that is asked for."""
        views = seen.views.of(asked.picture)
        place = plane_positions(views.middle, self.size.width).expand(len(types), -1, -1, -1)
        inside = functional.interpolate(found.inside.float(), self.size.masks_hw, mode="nearest")
        pooled = [pool_masks(each, inside) for each in (views.middle, place)]
        told = functional.one_hot((asked.forced - 1).clamp(min=0), 3).to(types.dtype)
        kind = torch.where((asked.forced > 0)[:, None], told, types.detach().softmax(1))
        tokens = self.enter(torch.cat(pooled, 2)) + self.typed(kind)[:, None]
        # Each region by itself: a mask must not hang on what else was found.
        alone = tokens.flatten(0, 1)[:, None]
        picture = asked.picture.repeat_interleave(tokens.shape[1])
        masks: Tensor = self.refine(alone, seen.sources, picture)[-1].masks
        return masks.reshape(*tokens.shape[:2], *masks.shape[2:])

    def _refinement(self, found: Candidates, truth: Truth) -> tuple[Tensor, Tensor]:
        """Losses of masks of regions that lie on a target, against that target."""
        own = int(self._options.own_mask)
        masks, inside = found.masks[:, own:], found.regions.inside.flatten(2).float()
        if not masks.shape[1]:
            return masks.sum(), masks.sum()
        visible = truth.modal & truth.counted[..., None, None]
        rows, columns = found.regions.inside.shape[2:]
        grid = functional.adaptive_avg_pool2d(visible.float(), (rows, columns))
        on = inside @ grid.flatten(2).mT / inside.sum(2, keepdim=True).clamp(min=1)  # (S, K, N)
        share, target = on.max(2)
        each = torch.arange(len(masks), device=masks.device)[:, None]
        wanted = truth.masks[each, target].float()
        counted = ((share > _MATCH) & found.regions.there).float()
        return mask_losses(masks.flatten(0, 1), wanted.flatten(0, 1), counted.flatten())

    def _score(self, seen: _Seen, asked: Asked, found: Candidates) -> Tensor:
        """Stage two; nothing that it learns changes stage one."""
        with torch.no_grad():
            words, _ = self.trunk.reader(asked.words, asked.valid, asked.forced)
        picture = seen.begun.of(asked.picture)
        masks = self.scorer.tokens(seen.views.of(asked.picture), found.masks.detach())
        scores: Tensor = self.scorer(picture, words, asked.valid, masks, found.there)
        return scores

    def _score_loss(self, seen: _Seen, asked: Asked, found: Candidates, truth: Truth) -> Tensor:
        """Cross-entropy of scores and IoUs."""
        right = _iou(found.masks.detach() > 0, truth.union.bool())
        each = functional.binary_cross_entropy_with_logits(
            self._score(seen, asked, found), right, reduction="none"
        )
        # Where nothing fits, there is nothing to rank.
        counted = found.there & truth.counted.any(1, keepdim=True)
        return (each * counted).sum() / counted.sum().clamp(min=1)


def _iou(masks: Tensor, wanted: Tensor) -> Tensor:
    """(S, K) float IoU of (S, K, h, w) bool masks with (S, h, w); 0 for empty ones."""
    shared = (masks & wanted[:, None]).sum((2, 3))
    either = (masks | wanted[:, None]).sum((2, 3))
    return shared / either.clamp(min=1)
