"""Records of the askmask/1 format: entities, queries and predictions, checked when read.

Keys that the format does not know are kept in `extra` and written again. An optional key that is
missing is the same as null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from askmask.errors import DataError
from askmask.formats.fields import Fields
from askmask.rle import RLE
from askmask.types import Answer, Masks, MaskType, Query

__all__ = [
    "Entity",
    "EntityRecord",
    "PredictedMask",
    "Prediction",
    "QueryRecord",
    "Target",
    "prediction_from_answer",
]

_TYPES = tuple(mask_type.value for mask_type in MaskType)

_SUM_TOLERANCE = 1e-3
"""How far probabilities that other tools rounded may be from summing to 1."""

_Extra = Mapping[str, Any]


def _present(**optional: Any) -> dict[str, Any]:
    """Return the keys whose value is not None."""
    return {key: value for key, value in optional.items() if value is not None}


@dataclass(frozen=True)
class Entity:
    """One annotated object of a picture.

    Attributes:
        id: number, unique in the picture.
        category: noun, e.g. "cereal box".
        modal: visible pixels.
        amodal: complete shape inside the picture, or None where the source has none.
        attributes: e.g. {"colour": "red"}.
        occlusion_rate: hidden share of the amodal mask, in [0, 1].
        occluded_by: ids of the objects in front.
        depth_order: 0 is the nearest.
        extra: keys that the format does not know.
    """

    id: int
    category: str
    modal: RLE
    amodal: RLE | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    occlusion_rate: float | None = None
    occluded_by: tuple[int, ...] = ()
    depth_order: int | None = None
    extra: _Extra = field(default_factory=dict)

    KEYS = (
        *("id", "category", "modal", "amodal", "attributes"),
        *("occlusion_rate", "occluded_by", "depth_order"),
    )

    @classmethod
    def from_fields(cls, fields: Fields, size_hw: tuple[int, int]) -> Entity:
        """Read and check one object of an entity line."""
        return cls(
            id=fields.integer("id"),
            category=fields.name("category"),
            modal=fields.code("modal", size_hw),
            amodal=fields.optional("amodal", lambda key: fields.code(key, size_hw)),
            attributes=fields.optional("attributes", fields.mapping) or {},
            occlusion_rate=fields.optional("occlusion_rate", fields.share),
            occluded_by=fields.items_of("occluded_by", int, "entity ids"),
            depth_order=fields.optional("depth_order", fields.integer),
            extra=fields.extra,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the object as it is written."""
        return {
            "id": self.id,
            "category": self.category,
            **_present(attributes=dict(self.attributes) or None),
            "modal": self.modal,
            "amodal": self.amodal,
            "occlusion_rate": self.occlusion_rate,
            "occluded_by": list(self.occluded_by),
            "depth_order": self.depth_order,
            **self.extra,
        }


@dataclass(frozen=True)
class EntityRecord:
    """A line of an entities file: one picture with its objects; `image` is relative to the file."""

    image: str
    height: int
    width: int
    entities: tuple[Entity, ...]
    extra: _Extra = field(default_factory=dict)

    KEYS = ("image", "height", "width", "entities")

    @classmethod
    def from_json(cls, record: object, where: str) -> EntityRecord:
        """Read and check one line; raises DataError naming `where` and the key."""
        fields = Fields(record, where, cls.KEYS)
        size_hw = fields.integer("height", 1), fields.integer("width", 1)
        entities = tuple(
            Entity.from_fields(item, size_hw) for item in fields.objects("entities", Entity.KEYS)
        )
        ids = [entity.id for entity in entities]
        double = next((id for index, id in enumerate(ids) if id in ids[:index]), None)
        if double is not None:
            raise DataError(f"{where}, key 'entities': expected different ids, got {double} twice")
        return cls(fields.name("image"), *size_hw, entities, fields.extra)

    def to_json(self) -> dict[str, Any]:
        """Return the line as it is written."""
        return {
            "image": self.image,
            "height": self.height,
            "width": self.width,
            **self.extra,
            "entities": [entity.to_json() for entity in self.entities],
        }


@dataclass(frozen=True)
class Target:
    """One instance that a query asks for.

    Attributes:
        segmentation: mask of the asked type.
        entity: id of the object in the entities file, or None.
        category: noun, or None.
        modal: visible pixels, or None.
        extra: keys that the format does not know.
    """

    segmentation: RLE
    entity: int | None = None
    category: str | None = None
    modal: RLE | None = None
    extra: _Extra = field(default_factory=dict)

    KEYS = ("segmentation", "entity", "category", "modal")

    @classmethod
    def from_fields(cls, fields: Fields, size_hw: tuple[int, int]) -> Target:
        """Read and check one object of a query line."""
        return cls(
            segmentation=fields.code("segmentation", size_hw),
            entity=fields.optional("entity", fields.integer),
            category=fields.optional("category", fields.text),
            modal=fields.optional("modal", lambda key: fields.code(key, size_hw)),
            extra=fields.extra,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the object as it is written."""
        optional = _present(entity=self.entity, category=self.category, modal=self.modal)
        return {"segmentation": self.segmentation, **optional, **self.extra}


@dataclass(frozen=True)
class QueryRecord:
    """A line of a queries file: a sentence about a picture and the masks it asks for.

    Attributes:
        id: unique in the file.
        image: path of the picture, relative to the file.
        height, width: size of the picture in pixels.
        text: the sentence; `[1]`, `[2]` point into `references`.
        targets: instance masks of the asked type; () = no target.
        references: reference masks.
        mask_type: the asked type, or None where the source does not say.
        ignore: pixels that are not scored, or None.
        tags: e.g. "reasoning:spatial", "twin:000123#4".
        extra: keys that the format does not know.
    """

    id: str
    image: str
    height: int
    width: int
    text: str
    targets: tuple[Target, ...]
    references: tuple[RLE, ...] = ()
    mask_type: MaskType | None = None
    ignore: RLE | None = None
    tags: tuple[str, ...] = ()
    extra: _Extra = field(default_factory=dict)

    KEYS = (
        *("id", "image", "height", "width", "text"),
        *("targets", "references", "mask_type", "ignore", "tags"),
    )

    @classmethod
    def from_json(cls, record: object, where: str) -> QueryRecord:
        """Read and check one line; raises DataError naming `where` and the key."""
        fields = Fields(record, where, cls.KEYS)
        size_hw = fields.integer("height", 1), fields.integer("width", 1)
        return cls(
            id=fields.name("id"),
            image=fields.name("image"),
            height=size_hw[0],
            width=size_hw[1],
            text=fields.text("text"),
            targets=tuple(
                Target.from_fields(item, size_hw) for item in fields.objects("targets", Target.KEYS)
            ),
            references=fields.codes("references", size_hw),
            mask_type=_mask_type(fields),
            ignore=fields.optional("ignore", lambda key: fields.code(key, size_hw)),
            tags=fields.items_of("tags", str, "strings"),
            extra=fields.extra,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the line as it is written."""
        return {
            "id": self.id,
            "image": self.image,
            "height": self.height,
            "width": self.width,
            "text": self.text,
            "references": list(self.references),
            "mask_type": self.mask_type,
            "targets": [target.to_json() for target in self.targets],
            "ignore": self.ignore,
            "tags": list(self.tags),
            **self.extra,
        }

    def to_query(self) -> Query:
        """Return what a model may know: the sentence and its references, not the asked type.

        Raises:
            QueryError: when the sentence cannot be asked.
        """
        size_hw = (self.height, self.width)
        return Query(self.text, Masks.from_rles(self.references, size_hw))


@dataclass(frozen=True)
class PredictedMask:
    """One mask of a prediction.

    Attributes:
        segmentation: mask of the type that the model chose.
        score: how sure the model is; higher is surer.
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
    extra: _Extra = field(default_factory=dict)

    KEYS = ("segmentation", "score", "modal", "amodal", "label")

    @classmethod
    def from_fields(cls, fields: Fields) -> PredictedMask:
        """Read and check one object of a prediction line."""
        segmentation = fields.code("segmentation", None)
        height, width = segmentation["size"]
        return cls(
            segmentation=segmentation,
            score=fields.number("score"),
            modal=fields.optional("modal", lambda key: fields.code(key, (height, width))),
            amodal=fields.optional("amodal", lambda key: fields.code(key, (height, width))),
            label=fields.optional("label", fields.text),
            extra=fields.extra,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the object as it is written."""
        optional = _present(modal=self.modal, amodal=self.amodal, label=self.label)
        return {
            "segmentation": self.segmentation,
            "score": self.score,
            **optional,
            **self.extra,
        }


@dataclass(frozen=True)
class Prediction:
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
        extra: keys that the format does not know.
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
    extra: _Extra = field(default_factory=dict)

    KEYS = (
        *("id", "mask_type", "mask_type_probability", "masks", "fused"),
        *("no_target_probability", "rationale", "seconds", "error"),
    )

    @classmethod
    def from_json(cls, record: object, where: str) -> Prediction:
        """Read and check one line; raises DataError naming `where` and the key."""
        fields = Fields(record, where, cls.KEYS)
        masks = fields.objects("masks", PredictedMask.KEYS) if fields.has("masks") else []
        return cls(
            id=fields.name("id"),
            mask_type=_mask_type(fields),
            mask_type_probability=_mask_type_probability(fields),
            masks=tuple(PredictedMask.from_fields(item) for item in masks),
            fused=fields.optional("fused", lambda key: fields.code(key, None)),
            no_target_probability=fields.optional("no_target_probability", fields.share),
            rationale=fields.optional("rationale", fields.text),
            seconds=fields.optional("seconds", lambda key: fields.number(key, 0)),
            error=fields.optional("error", fields.text),
            extra=fields.extra,
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
            **self.extra,
        }


def _mask_type(fields: Fields) -> MaskType | None:
    return fields.optional("mask_type", lambda key: fields.choice(key, MaskType, _TYPES))


def _mask_type_probability(fields: Fields) -> dict[MaskType, float] | None:
    key = "mask_type_probability"
    if not fields.has(key):
        return None
    inner = Fields(fields.mapping(key), fields.where, _TYPES, f"{key}.")
    if inner.extra:
        raise DataError(
            f"{fields.where}, key {key!r}: expected the keys {', '.join(_TYPES)}, "
            f"got {next(iter(inner.extra))!r}"
        )
    probability = {mask_type: inner.share(mask_type.value) for mask_type in MaskType}
    total = sum(probability.values())
    if abs(total - 1) > _SUM_TOLERANCE:
        raise DataError(
            f"{fields.where}, key {key!r}: expected probabilities that sum to 1, got {total:.4g}"
        )
    return probability


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
    )
