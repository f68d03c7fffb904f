"""What each of the seven systems is to training and run time: pictures and sentences -> replies.

All tensors lie in the network's frame: a picture of H x W pixels, masks on its grid at 1/4, h x w.
A batch holds P pictures and S sentences about them, so that a picture is looked at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from askmask.models.trunk import Trunk, TrunkSize

__all__ = [
    "Asked",
    "Bars",
    "Pictures",
    "Reply",
    "System",
    "Truth",
    "chosen_slots",
    "dice_loss",
    "moved",
    "type_loss",
]

Batch = TypeVar("Batch", bound="Pictures | Asked | Truth")


class Pictures(NamedTuple):
    """P pictures.

    Attributes:
        images: (P, 3, H, W) float, normalised.
        pool: (P, C, 2, h, w) bool, modal and amodal mask of candidates from outside, for systems
            with `wants_pool`, which want C to be at least 1; C is 0 for the others.
        pooled: (P, C) bool, False where padded.
    """

    images: Tensor
    pool: Tensor
    pooled: Tensor


class Asked(NamedTuple):
    """S sentences about P pictures.

    Attributes:
        picture: (S,) long, which picture each is about.
        words: (S, T, 1152) float, see `trunk.word_states`.
        valid: (S, T) bool, False where padded.
        references: (S, R, h, w) bool, the masks that [1], [2], … point at; R may be 0. A design
            without an input for regions does not look at them.
        spots: (S, R) long, word piece after which the reference stands in the sentence, or -1
            where there is no such reference.
        forced: (S,) long, 0 where the sentence decides the mask type, else 1 + its index.
    """

    picture: Tensor
    words: Tensor
    valid: Tensor
    references: Tensor
    spots: Tensor
    forced: Tensor


class Truth(NamedTuple):
    """What S sentences ask for.

    Attributes:
        masks: (S, N, h, w) bool, each target in the mask type that is asked for; N is at least 1.
        modal: (S, N, h, w) bool, its visible part, by which candidates are told.
        counted: (S, N) bool, False where padded; a row without True asks for nothing that is there.
        types: (S,) long, index of the mask type that is asked for.
    """

    masks: Tensor
    modal: Tensor
    counted: Tensor
    types: Tensor

    @property
    def union(self) -> Tensor:
        """(S, h, w) float, all targets fused."""
        return (self.masks & self.counted[..., None, None]).any(1).float()

    @property
    def none(self) -> Tensor:
        """(S,) float, 1 where nothing fits."""
        return (~self.counted.any(1)).float()


class Bars(NamedTuple):
    """What logits must pass to be believed; 0 is a probability of 0.5.

    Attributes:
        belongs: those of slots.
        none: those of "nothing fits".
        inside: those of the cells of masks.
    """

    belongs: float = 0.0
    none: float = 0.0
    inside: float = 0.0


class Reply(NamedTuple):
    """What a system says to S sentences, with K slots for instances each.

    A design with one fused mask has one slot; mask queries, candidates and several targets are
    slots. Slot k is the same thing in each of a sentence's replies with another forced mask type.

    Attributes:
        masks: (S, K, h, w) logits, each in the mask type that the sentence asks for.
        scores: (S, K) logits of belonging to the answer; -inf for a slot that is not used.
        none: (S,) logits of "nothing fits".
        types: (S, 3) logits of modal, amodal and hidden.
    """

    masks: Tensor
    scores: Tensor
    none: Tensor
    types: Tensor

    def above(self, bars: Bars) -> Reply:
        """The same with logits that are above 0 where they pass the bars."""
        return self._replace(
            masks=self.masks - bars.inside,
            scores=self.scores - bars.belongs,
            none=self.none - bars.none,
        )


def moved(batch: Batch, device: torch.device) -> Batch:
    """The same batch on another device."""
    return type(batch)(*(tensor.to(device, non_blocking=True) for tensor in batch))


def chosen_slots(reply: Reply) -> Tensor:
    """(S, K) bool, the slots of the answer: all likely ones, or the best where something fits."""
    used = reply.scores > -torch.inf
    likely = (reply.scores > 0) & used
    if not used.shape[1]:
        return used
    best = functional.one_hot(reply.scores.argmax(1), used.shape[1]).bool() & used
    chosen = torch.where(likely.any(1, keepdim=True), likely, best)
    return chosen & (reply.none <= 0)[:, None]


class System(nn.Module, ABC):
    """Base of the seven: a trunk and the mechanism of one paper.

    Attributes:
        name: under which it is trained and saved.
        wants_pool: whether `Pictures.pool` must be filled.
        trunk: eyes, pixel decoder and reader.
        bars: what its logits must pass; those who ask it put them under its replies.
    """

    name: ClassVar[str]
    wants_pool: ClassVar[bool] = False
    trunk: Trunk
    bars: Bars = Bars()

    @property
    def size(self) -> TrunkSize:
        """Sizes of the trunk."""
        return self.trunk.size

    def seeing(self) -> list[nn.Module]:
        """Parts that may start from a trained proposer, and learn more slowly then."""
        return [self.trunk.eyes, self.trunk.pixels]

    @classmethod
    @abstractmethod
    def named(cls, size: str, **options: Any) -> System:
        """Build a new one of a size of `trunk.SIZES`, with the design's own options."""

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """The design's own options as plain values, such as `named` takes them."""

    @abstractmethod
    def see(self, pictures: Pictures) -> Any:
        """What depends on the pictures alone; it is kept for every further sentence."""

    @abstractmethod
    def reply(self, seen: Any, asked: Asked) -> Reply:
        """Answer sentences as at run time."""

    @abstractmethod
    def loss(self, seen: Any, asked: Asked, truth: Truth) -> dict[str, Tensor]:
        """Parts of the paper's loss, and `type_loss`; their sum is minimised."""

    def figures(self, seen: Any, asked: Asked, truth: Truth) -> dict[str, Tensor]:
        """Figures of the design's own for the log, e.g. how often [SEG] is missing.

        Returns:
            A value for each sentence that the figure is about, at most (S,), to be averaged.
        """
        del seen, asked, truth
        return {}


def type_loss(types: Tensor, asked: Asked, truth: Truth) -> Tensor:
    """Cross-entropy of the mask type over the sentences that decide it themselves."""
    free = (asked.forced == 0).float()
    each = functional.cross_entropy(types, truth.types, reduction="none", label_smoothing=0.05)
    return (each * free).sum() / free.sum().clamp(min=1)


def dice_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """(…) of (…, h, w) logits and float masks (Milletari et al. 2016)."""
    probability, wanted = logits.sigmoid().flatten(-2), truth.flatten(-2)
    shared = (probability * wanted).sum(-1)
    return 1 - (2 * shared + 1) / (probability.sum(-1) + wanted.sum(-1) + 1)
