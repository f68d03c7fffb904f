"""The nouns of askmask: masks, queries, candidates and answers. NumPy only, checked when made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from askmask import rle as rle_codec
from askmask.errors import QueryError, ShapeError
from askmask.rle import RLE

__all__ = ["MAX_TEXT", "Answer", "Candidates", "MaskType", "Masks", "Query", "check_sentence"]

MAX_TEXT = 2_000
"""Longest sentence that is accepted, in characters."""

_REFERENCE = re.compile(r"\[(\d{1,3})\]")


def check_sentence(text: str, where: str | None = None) -> str:
    """Return `text`, or refuse what no model should see.

    Args:
        text: a sentence of 1 to 2,000 characters, not only blanks.
        where: where it came from, for the message, e.g. "standard input, line 3".

    Raises:
        QueryError: when the sentence is empty, too long or not Unicode.
    """
    subject = "the sentence" if where is None else f"{where}: the sentence"
    if not text.strip():
        raise QueryError(f"{subject} is empty: say what to segment, e.g. 'the red mug'")
    if len(text) > MAX_TEXT:
        raise QueryError(
            f"{subject} has {len(text):,} characters, at most {MAX_TEXT:,} are accepted: shorten it"
        )
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise QueryError(f"{subject} is not valid UTF-8: write it again")
    return text


class MaskType(StrEnum):
    """Which pixels of an object the user wants."""

    MODAL = "modal"
    AMODAL = "amodal"
    HIDDEN = "hidden"


class Masks:
    """A stack of N instance masks of one picture, dense or run-length coded underneath.

    The representation it was made with is kept; the other one is computed when first asked for.
    Indexing with an integer gives one (H, W) bool array, with a slice or an index array another
    stack. A stack may be empty; its size is known all the same.
    """

    __slots__ = ("_dense", "_rles", "size_hw")

    def __init__(
        self,
        size_hw: tuple[int, int],
        *,
        dense: NDArray[np.bool_] | None = None,
        rles: Sequence[RLE] | None = None,
    ) -> None:
        """Make a stack; prefer `from_dense`, `from_rles` and `empty`.

        Args:
            size_hw: height and width of the picture, in pixels.
            dense: (N, H, W) bool, or None when `rles` is given.
            rles: N validated COCO compressed run-length codes of that size.

        Raises:
            ShapeError: when shape or dtype differ from the above.
            RLEError: when a code is malformed.
        """
        if dense is None and rles is None:
            raise ShapeError("Masks: expected dense masks or RLEs, got neither; use Masks.empty")
        if dense is not None and (dense.ndim != 3 or dense.shape[1:] != tuple(size_hw)):
            raise ShapeError(
                f"Masks: expected (N, {size_hw[0]}, {size_hw[1]}) bool, got {dense.shape}"
            )
        if dense is not None and dense.dtype != np.bool_:
            raise ShapeError(f"Masks: expected dtype bool, got {dense.dtype}; use mask > 0")
        for code in rles or ():
            rle_codec.validate(code, size_hw)
        self.size_hw = (int(size_hw[0]), int(size_hw[1]))
        self._dense = dense
        self._rles = tuple(rles) if rles is not None else None

    @classmethod
    def from_dense(cls, masks: NDArray[np.bool_]) -> Masks:
        """Stack of `masks`, (N, H, W) bool; N may be 0."""
        if masks.ndim != 3:
            raise ShapeError(
                f"Masks: expected (N, H, W) bool, got {masks.shape}; one mask needs masks[None]"
            )
        return cls((masks.shape[1], masks.shape[2]), dense=masks)

    @classmethod
    def from_rles(cls, rles: Sequence[RLE], size_hw: tuple[int, int]) -> Masks:
        """Stack of COCO compressed run-length codes, all of `size_hw`."""
        return cls(size_hw, rles=rles)

    @classmethod
    def empty(cls, size_hw: tuple[int, int]) -> Masks:
        """Stack without masks for a picture of `size_hw`."""
        return cls(size_hw, rles=())

    def __len__(self) -> int:
        return len(self._rles) if self._rles is not None else len(self.dense())

    def __iter__(self) -> Iterator[NDArray[np.bool_]]:
        return (self[i] for i in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> NDArray[np.bool_]: ...

    @overload
    def __getitem__(self, index: slice | Sequence[int] | NDArray[np.integer]) -> Masks: ...

    def __getitem__(
        self, index: int | slice | Sequence[int] | NDArray[np.integer]
    ) -> NDArray[np.bool_] | Masks:
        if isinstance(index, int | np.integer):
            if self._dense is not None:
                one: NDArray[np.bool_] = self._dense[index]
                return one
            return rle_codec.decode(self.rles[index])
        chosen = np.arange(len(self))[index]
        return Masks(
            self.size_hw,
            dense=None if self._dense is None else self._dense[chosen],
            rles=None if self._rles is None else [self._rles[i] for i in chosen],
        )

    def __repr__(self) -> str:
        height, width = self.size_hw
        return f"Masks(n={len(self)}, height={height}, width={width})"

    def dense(self) -> NDArray[np.bool_]:
        """Return (N, H, W) bool."""
        if self._dense is None:
            decoded = [rle_codec.decode(code) for code in self.rles]
            self._dense = np.stack(decoded) if decoded else np.zeros((0, *self.size_hw), bool)
        return self._dense

    @property
    def rles(self) -> tuple[RLE, ...]:
        """N COCO compressed run-length codes."""
        if self._rles is None:
            self._rles = tuple(rle_codec.encode(mask) for mask in self.dense())
        return self._rles

    @property
    def areas(self) -> NDArray[np.int64]:
        """(N,) int64, pixels of each mask."""
        if self._rles is None:
            counts: NDArray[np.int64] = self.dense().sum((1, 2), dtype=np.int64)
            return counts
        return np.array([rle_codec.area(code) for code in self._rles], np.int64)

    def union(self) -> RLE:
        """Run-length code of all masks together; all background when there are none."""
        return rle_codec.union(self.rles, self.size_hw)


@dataclass(frozen=True)
class Query:
    """A sentence about one picture, with the masks that its `[1]`, `[2]`, … point at.

    Attributes:
        text: the sentence, 1 to 2,000 characters, not only blanks.
        references: reference masks in the picture's size, or None for none.
        mask_type: the type that the user forces; None lets the sentence decide.
    """

    text: str
    references: Masks | None = None
    mask_type: MaskType | None = None

    def __post_init__(self) -> None:
        check_sentence(self.text)
        given = len(self.references) if self.references is not None else 0
        named = [int(number) for number in _REFERENCE.findall(self.text)]
        if named and (max(named) > given or min(named) < 1):
            wrong = next(number for number in named if not 1 <= number <= given)
            raise QueryError(
                f"the sentence says [{wrong}], but {given} reference mask"
                f"{'s were' if given != 1 else ' was'} given: add references or correct the number"
            )


@dataclass(frozen=True)
class Candidates:
    """What a proposer (and a completer) found in one picture.

    Attributes:
        modal: N visible masks.
        amodal: N complete masks, in the same order.
        score: (N,) float32 in [0, 1], how sure the proposer is of each.
        features: arrays with first axis N that a selector of the same family understands.
        context: arrays about the whole picture for that selector, e.g. feature maps.
    """

    modal: Masks
    amodal: Masks
    score: NDArray[np.float32]
    features: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    context: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counts = {len(self.modal), len(self.amodal), len(self.score)}
        counts |= {len(values) for values in self.features.values()}
        if len(counts) != 1 or self.modal.size_hw != self.amodal.size_hw:
            raise ShapeError(
                f"Candidates: modal {self.modal}, amodal {self.amodal}, scores {len(self.score)} "
                "and features must agree in number and size"
            )

    def __len__(self) -> int:
        return len(self.modal)


@dataclass(frozen=True)
class Answer:
    """The mask group that a sentence asks for.

    Attributes:
        mask_type: the type of `masks`.
        mask_type_probability: probability of each type; sums to 1.
        masks: the group, of type `mask_type`, best first; empty when nothing fits.
        scores: (N,) float32 in [0, 1], one a mask.
        modal: visible part of each mask in the group.
        amodal: complete shape of each mask in the group.
        no_target_probability: in [0, 1], or None when the model cannot say.
        rationale: why these, in words, or None.
        seconds: model time for this sentence, or None.
        unsure: why the answer may well be wrong, in words; None when the model is sure or cannot
            say.
        candidate_scores: (C,) float32 in [0, 1], how well each candidate of the picture fits the
            sentence, in their order; None when the model cannot say.
    """

    mask_type: MaskType
    mask_type_probability: Mapping[MaskType, float]
    masks: Masks
    scores: NDArray[np.float32]
    modal: Masks
    amodal: Masks
    no_target_probability: float | None = None
    rationale: str | None = None
    seconds: float | None = None
    unsure: str | None = None
    candidate_scores: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        counts = {len(self.masks), len(self.scores), len(self.modal), len(self.amodal)}
        if len(counts) != 1:
            raise ShapeError(
                f"Answer: masks {len(self.masks)}, scores {len(self.scores)}, modal "
                f"{len(self.modal)} and amodal {len(self.amodal)} must have the same number"
            )

    def __len__(self) -> int:
        return len(self.masks)
