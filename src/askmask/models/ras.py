"""RAS: a language model reads candidates as tokens and marks all that belong, in one pass.

Cao et al., "Refer to Any Segmentation Mask Group With Vision-Language Prompts", ICCV 2025
(arXiv 2506.05342), section 4 and the figure of the architecture. The sequence is

    [picture] [(pool, candidate) x N] [text with (ref, reference) inside] [(pool, candidate) x N]

where `pool` is the learned <mask-pool-pre> and `ref` the learned <mask-ref-pre>. A causal model
sees no text at the first candidates, so they are fed again after it; a linear classifier on the
hidden states there says in or out. One pass, nothing is sampled. The ablation decodes instead
candidate after candidate, as language models write words, until an end token.

What differs from the paper, for every system alike: small eyes instead of an ensemble of four
encoders, a small causal transformer instead of Vicuna-13B, words from the frozen tower. Candidates
come from the embedded model's proposer, with a modal and an amodal mask each; which of the two is
the answer follows the mask type, as the design has no mask decoder. The first of the paper's three
training stages, captions from mask tokens alone, is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.causal import CausalTransformer, Memory, interleaved, last_state
from askmask.models.system import Asked, Pictures, Reply, System, Truth, type_loss
from askmask.models.trunk import (
    SIZES,
    Trunk,
    TrunkSize,
    Views,
    grid_tokens,
    plane_positions,
    pool_masks,
)

__all__ = ["Ras", "RasOptions", "candidate_labels"]

_MATCH = 0.5
"""Least modal IoU of a candidate with the target that it stands for (the paper gives no rule)."""

_SURE = 8.0
"""Logit of what is inside of a candidate's mask."""


@dataclass(frozen=True)
class RasOptions:
    """Choices of the design.

    Attributes:
        grid_hw: rows and columns of the picture's own tokens.
        positive_weight: of candidates that belong, in the binary cross-entropy.
        feed_again: whether candidates come a second time after the text; the ablation classifies
            them where the text is still unknown.
        prefixes: whether candidates and references have their learned prefixes.
        autoregressive: whether candidates are decoded one after the other.
    """

    grid_hw: tuple[int, int] = (6, 8)
    positive_weight: float = 2.0
    feed_again: bool = True
    prefixes: bool = True
    autoregressive: bool = False


class _Seen(NamedTuple):
    """What depends on P pictures alone.

    Attributes:
        views: their views, which references are pooled from.
        read: what the language model keeps of picture and candidates.
        first: (P, C, width) hidden states of the candidates.
        candidates: (P, C, width) their mask tokens.
        pool: (P, C, 2, h, w) bool, see `Pictures`.
        pooled: (P, C) bool.
    """

    views: Views
    read: Memory
    first: Tensor
    candidates: Tensor
    pool: Tensor
    pooled: Tensor


class _Read(NamedTuple):
    """What the language model has read of S sentences, up to their last word.

    Attributes:
        memory: to go on from there.
        first: (S, C, width) hidden states of the candidates before the text.
        last: (S, width) hidden state of the last word.
        tokens: (S, C, width) mask tokens of the candidates.
        pooled: (S, C) bool, False where padded.
        types: (S, 3) logits of the mask type.
    """

    memory: Memory
    first: Tensor
    last: Tensor
    tokens: Tensor
    pooled: Tensor
    types: Tensor


class _MaskTokenizer(nn.Module):
    """Features pooled under a mask, at each scale, side by side, and projected to one token."""

    def __init__(self, size: TrunkSize) -> None:
        super().__init__()
        width = size.pyramid // 2 + 2 * size.pyramid + size.width
        self.position_width = size.width
        self.project = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, size.width),
            nn.GELU(),
            nn.Linear(size.width, size.width),
        )

    def forward(self, views: Views, masks: Tensor) -> Tensor:
        """(B, N, width) tokens of (B, N, h, w) masks; the same for candidates and references."""
        place = plane_positions(views.middle, self.position_width)
        maps = (*views, place.expand(len(masks), -1, -1, -1))
        tokens: Tensor = self.project(torch.cat([pool_masks(each, masks) for each in maps], 2))
        return tokens


def candidate_labels(pool: Tensor, pooled: Tensor, truth: Truth) -> Tensor:
    """Say which candidates belong.

    Args:
        pool: (S, C, 2, h, w) bool, candidates of each sentence's picture.
        pooled: (S, C) bool.
        truth: N targets a sentence.

    Returns:
        (S, C) bool: modal IoU of at least one half with a target.
    """
    ours = pool[:, :, 0].flatten(2).float()
    theirs = (truth.modal & truth.counted[..., None, None]).flatten(2).float()
    shared = ours @ theirs.mT
    either = ours.sum(2)[..., None] + theirs.sum(2)[:, None] - shared
    return ((shared / either.clamp(min=1)) >= _MATCH).any(2) & pooled


class Ras(System):
    """Candidates are tokens of a causal language model, judged all at once after the text."""

    name = "ras"
    wants_pool = True

    def __init__(self, size: TrunkSize, options: RasOptions) -> None:
        super().__init__()
        self._options = options
        width = size.width
        self.trunk = Trunk(size)
        self.picture = nn.Linear(size.pyramid, width)
        self.tokenizer = _MaskTokenizer(size)
        scale = width**-0.5
        self.pool_prefix = nn.Parameter(scale * torch.randn(width))  # <mask-pool-pre>
        self.reference_prefix = nn.Parameter(scale * torch.randn(width))  # <mask-ref-pre>
        self.language = CausalTransformer(size)
        self.select = nn.Linear(width, 1)
        # The autoregressive ablation: an end token, and what a hidden state points at.
        self.end = nn.Parameter(scale * torch.randn(width))
        self.point = nn.Linear(width, width)

    @classmethod
    def named(cls, size: str, **options: Any) -> Ras:
        """Build one of a size of `trunk.SIZES`; options are those of `RasOptions`."""
        if "grid_hw" in options:
            options["grid_hw"] = tuple(options["grid_hw"])
        return cls(SIZES[size](), RasOptions(**options))

    def options(self) -> dict[str, Any]:
        """Choices of the design."""
        return dict(vars(self._options))

    def see(self, pictures: Pictures) -> _Seen:
        """Tokens of the pictures and of their candidates, which the language model has read."""
        views: Views = self.trunk.eyes(pictures.images)
        tokens = grid_tokens(self.picture(views.middle.permute(0, 2, 3, 1)), self._options.grid_hw)
        candidates = self.tokenizer(views, pictures.pool[:, :, 0])
        fed, fed_valid = self._fed(candidates, pictures.pooled)
        known = torch.cat([fed_valid.new_ones(tokens.shape[:2]), fed_valid], 1)
        states, read = self.language(torch.cat([tokens, fed], 1), known)
        first = states[:, tokens.shape[1] :][:, self._stride - 1 :: self._stride]
        return _Seen(views, read, first, candidates, pictures.pool, pictures.pooled)

    def reply(self, seen: _Seen, asked: Asked) -> Reply:
        """A slot for each candidate; nothing fits when none belongs."""
        read = self._read(seen, asked)
        scores = self._decode(read) if self._options.autoregressive else self._judge(read)
        scores = scores.masked_fill(~read.pooled, -torch.inf)
        # A picture without candidates surely holds nothing that fits.
        none = -functional.pad(scores, (0, 1), value=-_SURE).amax(1)
        pool = seen.pool[asked.picture]
        return Reply(_typed(pool, read.types, asked.forced), scores, none, read.types)

    def loss(self, seen: _Seen, asked: Asked, truth: Truth) -> dict[str, Tensor]:
        """Weighted cross-entropy of each candidate, and of the mask type."""
        read = self._read(seen, asked)
        wanted = candidate_labels(seen.pool[asked.picture], read.pooled, truth)
        # Where targets exist but no candidate is one, there is nothing to learn about the pool.
        sound = wanted.any(1) | (truth.none > 0)
        if self._options.autoregressive:
            each = self._pointing_loss(read, wanted)
            select = (each * sound).sum() / sound.sum().clamp(min=1)
        else:
            learnt = read.pooled & sound[:, None]
            each = functional.binary_cross_entropy_with_logits(
                self._judge(read),
                wanted.float(),
                pos_weight=read.tokens.new_tensor(self._options.positive_weight),
                reduction="none",
            )
            select = 3 * (each * learnt).sum() / learnt.sum().clamp(min=1)
        return {"select": select, "type": type_loss(read.types, asked, truth)}

    def _read(self, seen: _Seen, asked: Asked) -> _Read:
        """Read the text, after picture and candidates."""
        words, types = self.trunk.reader(asked.words, asked.valid, asked.forced)
        text, valid = self._with_references(seen, asked, words)
        rows = asked.picture
        states, memory = self.language(text, valid, seen.read.of(rows))
        first, tokens, pooled = seen.first[rows], seen.candidates[rows], seen.pooled[rows]
        return _Read(memory, first, last_state(states, valid), tokens, pooled, types)

    @property
    def _stride(self) -> int:
        """Tokens that are fed for a mask."""
        return 2 if self._options.prefixes else 1

    def _fed(self, tokens: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """(S, C, width) and (S, C) with each candidate after its prefix."""
        if not self._options.prefixes:
            return tokens, valid
        pairs = torch.stack([self.pool_prefix.expand_as(tokens), tokens], 2).flatten(1, 2)
        return pairs, valid.repeat_interleave(2, 1)

    def _with_references(self, seen: _Seen, asked: Asked, words: Tensor) -> tuple[Tensor, Tensor]:
        """The text with (prefix, reference) where the sentence says [1], [2], …, and validity."""
        if not asked.spots.shape[1]:
            return words, asked.valid
        tokens = self.tokenizer(seen.views.of(asked.picture), asked.references)
        prefix = self.reference_prefix.expand_as(tokens)
        behind = [prefix, tokens] if self._options.prefixes else [tokens]
        return interleaved(words, asked.valid, asked.spots, behind)

    def _judge(self, read: _Read) -> Tensor:
        """(S, C) logits of belonging, all at once."""
        states = read.first
        if self._options.feed_again:
            again, _ = self.language(*self._fed(read.tokens, read.pooled), read.memory)
            states = again[:, self._stride - 1 :: self._stride]
        logits: Tensor = self.select(states)[..., 0]
        return logits

    def _pointed(self, state: Tensor, read: _Read, free: Tensor) -> Tensor:
        """Logits (S, …, C + 1) of the next candidate, or the end, from states (S, …, width)."""
        ends = self.end.expand(len(read.tokens), 1, -1)
        targets = torch.cat([read.tokens, ends], 1)
        logits: Tensor = self.point(state) @ targets.mT / targets.shape[2] ** 0.5
        return logits.masked_fill(~functional.pad(free, (0, 1), value=True), -torch.inf)

    def _pointing_loss(self, read: _Read, wanted: Tensor) -> Tensor:
        """(S,) cross-entropies of the wanted candidates in their order, then of the end."""
        count = wanted.shape[1]
        longest = int(wanted.sum(1).max())
        # Wanted candidates first, in their order.
        order = (~wanted).float().argsort(dim=1, stable=True)[:, :longest]
        there = wanted.gather(1, order)
        targets = functional.pad(order.masked_fill(~there, count), (0, 1), value=count)
        states = read.last[:, None]
        if longest:
            fed = read.tokens.gather(1, order[..., None].expand(-1, -1, read.tokens.shape[2]))
            after, _ = self.language(*self._fed(fed, there), read.memory)
            states = torch.cat([states, after[:, self._stride - 1 :: self._stride]], 1)
        chosen = functional.one_hot(targets, count + 1)[..., :count].cumsum(1)
        before = functional.pad(chosen, (0, 0, 1, 0))[:, :-1].bool()
        logits = self._pointed(states, read, read.pooled[:, None] & ~before)
        each = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
        counted = functional.pad(there, (1, 0), value=True)  # as many as wanted, and the end
        return (each.view_as(targets) * counted).sum(1) / counted.sum(1)

    def _decode(self, read: _Read) -> Tensor:
        """(S, C) logits after decoding candidate by candidate, the likeliest each time."""
        count = read.tokens.shape[1]
        free, memory, state = read.pooled.clone(), read.memory, read.last
        going = free.any(1)
        scores = torch.full_like(free, -_SURE, dtype=read.tokens.dtype)
        rows = torch.arange(len(free), device=free.device)
        for _ in range(count):
            logits = self._pointed(state[:, None], read, free[:, None])[:, 0]
            odds = logits.log_softmax(1).exp().clamp(1e-4, 1 - 1e-4).logit()
            best = logits.argmax(1)
            ended = going & (best == count)
            scores = torch.where(ended[:, None] & free, odds[:, :count].clamp(max=-1e-3), scores)
            going = going & ~ended
            if not bool(going.any()):
                break
            pick = best.clamp(max=count - 1)
            chosen = functional.one_hot(pick, count).bool() & going[:, None]
            scores = torch.where(chosen, odds[:, :count].clamp(min=1e-3), scores)
            free = free & ~chosen
            fed = self._fed(read.tokens[rows, pick][:, None], going[:, None])
            states, memory = self.language(*fed, memory)
            state = states[:, -1]
        return scores


def _typed(pool: Tensor, types: Tensor, forced: Tensor) -> Tensor:
    """Logits (S, C, h, w) of each candidate in the mask type that is asked for."""
    kind = torch.where(forced > 0, forced - 1, types.argmax(1))[:, None, None, None]
    modal, amodal = pool[:, :, 0], pool[:, :, 1]
    hidden = amodal & ~modal
    chosen = torch.where(kind == 0, modal, torch.where(kind == 1, amodal, hidden))
    return _SURE * (2.0 * chosen - 1.0)
