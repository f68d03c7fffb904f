"""Prediction records of the askmask/1 format: what a model answered to a query, checked when read.

Keys that the format does not know are kept in `extra` and written again. An optional key that is
missing is the same as null. `place` says where a record was read, for later messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, ClassVar

from askmask.formats.fields import Fields
from askmask.formats.records import MASK_TYPES, Extra, Line, check_group, present
from askmask.rle import RLE
from askmask.types import Answer, MaskType

__all__ = ["PredictedMask", "Prediction", "prediction_from_answer", "sums_to_one"]

_SUM_TOLERANCE = 1e-3
"""How far probabilities that other tools rounded may be from summing to 1."""


@dataclass(frozen=True, slots=True)
class PredictedMask:
    """One mask of a prediction.

    Attributes:
        segmentation: mask of the type that the model chose.
        score: how sure the model is, in [0, 1].
        modal: visible part, or None.
        amodal: complete shape, or None.
        label: what the model calls it, or None.
        extra: keys that the format does not know.
    """

    segmentation: RLE
    score: float
    modal: RLE | None = None
    amodal: RLE | None = None
    label: str | None = None
    extra: Extra = field(default_factory=dict)

    KEYS: ClassVar[AbstractSet[str]] = frozenset(
        ("segmentation", "score", "modal", "amodal", "label")
    )

    @classmethod
    def from_fields(cls, fields: Fields, size_hw: tuple[int, int] | None) -> PredictedMask:
        """Read and check one object of a prediction line; None takes any size."""
        segmentation = fields.code("segmentation", size_hw)
        if size_hw is None:
            size_hw = (segmentation["size"][0], segmentation["size"][1])
        if len(fields) == 2:  # most masks have no more, and there are many
            return cls(segmentation, fields.share("score"))
        return cls(
            segmentation,
            fields.share("score"),
            fields.optional_code("modal", size_hw),
            fields.optional_code("amodal", size_hw),
            fields.optional("label", fields.text),
            fields.extra,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the object as it is written."""
        optional = present(modal=self.modal, amodal=self.amodal, label=self.label)
        return {
            "segmentation": self.segmentation,
            "score": self.score,
            **optional,
            **self.extra,
        }


@dataclass(frozen=True, slots=True)
class Prediction(Line):
    """A line of a predictions file: what a model answered to one query.

    Attributes:
        id: the query's id.
        mask_type: the type that the model chose, or None.
        mask_type_probability: probability of each type, summing to 1, or None.
        masks: the group; () = no target.
        fused: for models that give one mask only, or None.
        no_target_probability: in [0, 1], or None.
        rationale: why these, or None.
        seconds: model time for this query, or None.
        error: set instead of masks when the query failed.
        unsure: why the answer may well be wrong, or None; written only when it is set.
        extra: keys that the format does not know.
        place: where it was read, e.g. "predictions.jsonl:7"; "" when made in Python.
    """

    id: str
    mask_type: MaskType | None = None
    mask_type_probability: Mapping[MaskType, float] | None = None
    masks: tuple[PredictedMask, ...] = ()
    fused: RLE | None = None
    no_target_probability: float | None = None
    rationale: str | None = None
    seconds: float | None = None
    error: str | None = None
    unsure: str | None = None
    extra: Extra = field(default_factory=dict)
    place: str = field(default="", compare=False, repr=False)

    KEYS: ClassVar[AbstractSet[str]] = frozenset(
        (
            *("id", "mask_type", "mask_type_probability", "masks", "fused"),
            *("no_target_probability", "rationale", "seconds", "error", "unsure"),
        )
    )

    @classmethod
    def from_fields(cls, fields: Fields) -> Prediction:
        """Read and check one line but for its run-length codes, whose check waits."""
        mask_type = fields.choice("mask_type", MASK_TYPES)
        masks, size_hw = _group(fields, mask_type)
        fused = fields.optional_code("fused", size_hw)
        error = fields.optional("error", fields.text)
        if error is not None and (masks or fused is not None):
            raise fields.error("error", "expected null beside masks: a query failed or it did not")
        return cls(
            id=fields.name("id"),
            mask_type=mask_type,
            mask_type_probability=_mask_type_probability(fields),
            masks=masks,
            fused=fused,
            no_target_probability=fields.optional("no_target_probability", fields.share),
            rationale=fields.optional("rationale", fields.text),
            seconds=fields.optional("seconds", lambda key: fields.number(key, 0)),
            error=error,
            unsure=fields.optional("unsure", fields.text),
            extra=fields.extra,
            place=fields.where,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the line as it is written."""
        probability = self.mask_type_probability
        return {
            "id": self.id,
            "mask_type": self.mask_type,
            "mask_type_probability": None if probability is None else dict(probability),
            "masks": [mask.to_json() for mask in self.masks],
            "fused": self.fused,
            "no_target_probability": self.no_target_probability,
            "rationale": self.rationale,
            "seconds": self.seconds,
            "error": self.error,
            **present(unsure=self.unsure),
            **self.extra,
        }


def _group(
    fields: Fields, mask_type: MaskType | None
) -> tuple[tuple[PredictedMask, ...], tuple[int, int] | None]:
    """Read the masks of a line, all of one size and type, and their size, None for no masks."""
    if not fields.has("masks"):
        return (), None
    masks: list[PredictedMask] = []
    size_hw: tuple[int, int] | None = None
    items = fields.objects("masks", PredictedMask.KEYS)
    for item in items:
        mask = PredictedMask.from_fields(item, size_hw)
        size_hw = size_hw or (mask.segmentation["size"][0], mask.segmentation["size"][1])
        masks.append(mask)
    check_group(mask_type, items)
    return tuple(masks), size_hw


def _mask_type_probability(fields: Fields) -> dict[MaskType, float] | None:
    key = "mask_type_probability"
    if not fields.has(key):
        return None
    probability = fields.shares(key, MASK_TYPES)
    if not sums_to_one(probability.values()):
        total = sum(probability.values())
        raise fields.error(key, f"expected probabilities that sum to 1, got {total:.4g}")
    return probability


def sums_to_one(probabilities: Iterable[float]) -> bool:
    """Whether probabilities sum to 1, but for what other tools round."""
    return abs(sum(probabilities) - 1) <= _SUM_TOLERANCE


def prediction_from_answer(id: str, answer: Answer) -> Prediction:
    """Record what a model answered to the query `id`."""
    masks = zip(
        *(answer.masks.rles, answer.scores.tolist(), answer.modal.rles, answer.amodal.rles),
        strict=True,
    )
    return Prediction(
        id=id,
        mask_type=answer.mask_type,
        mask_type_probability={
            kind: float(answer.mask_type_probability.get(kind, 0.0)) for kind in MaskType
        },
        masks=tuple(PredictedMask(*mask) for mask in masks),
        no_target_probability=answer.no_target_probability,
        rationale=answer.rationale,
        seconds=answer.seconds,
        unsure=answer.unsure,
    )
