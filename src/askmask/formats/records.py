"""Records of the askmask/1 format that a benchmark holds: entities and queries, checked when read.

Keys that the format does not know are kept in `extra` and written again. An optional key that is
missing is the same as null. `place` says where a record was read, for later messages.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from askmask.formats.codes import CodeChecks
from askmask.formats.fields import Fields
from askmask.rle import RLE
from askmask.types import Masks, MaskType, Query

__all__ = [
    "MASK_TYPES",
    "Entity",
    "EntityRecord",
    "Extra",
    "Line",
    "QueryRecord",
    "Target",
    "check_group",
    "present",
]

MASK_TYPES = {mask_type.value: mask_type for mask_type in MaskType}
"""The types as they are written."""

Extra = Mapping[str, Any]
"""Keys that the format does not know."""


def present(**optional: Any) -> dict[str, Any]:
    """Return the keys whose value is not None."""
    return {key: value for key, value in optional.items() if value is not None}


def check_group(mask_type: MaskType | None, masks: Iterable[Fields]) -> None:
    """Refuse a group whose masks say that they are not all of one type.

    Args:
        mask_type: of the line, or None where it does not say.
        masks: keys of the group's masks; `mask_type` is unknown there, but other tools write it.

    Raises:
        DataError: when a mask says another type than the line, or than a mask before it.
    """
    said: object = mask_type
    for fields in masks:
        own = fields.extra.get("mask_type")
        said = own if said is None else said
        if own is not None and own != said:
            raise fields.error(
                "mask_type", f"expected {str(said)!r} as the rest of the group, got {own!r}"
            )


class Line(ABC):
    """A line of a file of the format."""

    __slots__ = ()

    KEYS: ClassVar[AbstractSet[str]]
    """All keys that the format knows."""

    NAME: ClassVar[str] = "id"
    """The key that no two lines of a file share."""

    @classmethod
    def from_json(cls, record: object, where: str) -> Self:
        """Read and check one line; raises DataError naming `where` and the key."""
        checks = CodeChecks()
        read = cls.from_fields(Fields(record, where, cls.KEYS, checks))
        checks.settle()
        return read

    @classmethod
    @abstractmethod
    def from_fields(cls, fields: Fields) -> Self:
        """Read and check one line but for its run-length codes, whose check waits."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the line as it is written."""


@dataclass(frozen=True, slots=True)
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
    extra: Extra = field(default_factory=dict)

    KEYS: ClassVar[AbstractSet[str]] = frozenset(
        (
            *("id", "category", "modal", "amodal", "attributes"),
            *("occlusion_rate", "occluded_by", "depth_order"),
        )
    )

    @classmethod
    def from_fields(cls, fields: Fields, size_hw: tuple[int, int]) -> Entity:
        """Read and check one object of an entity line."""
        return cls(
            id=fields.integer("id"),
            category=fields.name("category"),
            modal=fields.code("modal", size_hw),
            amodal=fields.optional_code("amodal", size_hw),
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
            **present(attributes=dict(self.attributes) or None),
            "modal": self.modal,
            "amodal": self.amodal,
            "occlusion_rate": self.occlusion_rate,
            "occluded_by": list(self.occluded_by),
            "depth_order": self.depth_order,
            **self.extra,
        }


@dataclass(frozen=True, slots=True)
class EntityRecord(Line):
    """A line of an entities file: one picture with its objects; `image` is relative to the file."""

    image: str
    height: int
    width: int
    entities: tuple[Entity, ...]
    extra: Extra = field(default_factory=dict)

    KEYS: ClassVar[AbstractSet[str]] = frozenset(("image", "height", "width", "entities"))
    NAME: ClassVar[str] = "image"

    @classmethod
    def from_fields(cls, fields: Fields) -> EntityRecord:
        """Read and check one line but for its run-length codes, whose check waits."""
        size_hw = fields.integer("height", 1), fields.integer("width", 1)
        entities = tuple(
            Entity.from_fields(item, size_hw) for item in fields.objects("entities", Entity.KEYS)
        )
        ids = [entity.id for entity in entities]
        double = next((id for index, id in enumerate(ids) if id in ids[:index]), None)
        if double is not None:
            raise fields.error("entities", f"expected different ids, got {double} twice")
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


@dataclass(frozen=True, slots=True)
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
    extra: Extra = field(default_factory=dict)

    KEYS: ClassVar[AbstractSet[str]] = frozenset(("segmentation", "entity", "category", "modal"))

    @classmethod
    def from_fields(cls, fields: Fields, size_hw: tuple[int, int]) -> Target:
        """Read and check one object of a query line."""
        return cls(
            segmentation=fields.code("segmentation", size_hw),
            entity=fields.optional("entity", fields.integer),
            category=fields.optional("category", fields.text),
            modal=fields.optional_code("modal", size_hw),
            extra=fields.extra,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the object as it is written."""
        optional = present(entity=self.entity, category=self.category, modal=self.modal)
        return {"segmentation": self.segmentation, **optional, **self.extra}


@dataclass(frozen=True, slots=True)
class QueryRecord(Line):
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
        place: where it was read, e.g. "queries.jsonl:7"; "" when made in Python.
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
    extra: Extra = field(default_factory=dict)
    place: str = field(default="", compare=False, repr=False)

    KEYS: ClassVar[AbstractSet[str]] = frozenset(
        (
            *("id", "image", "height", "width", "text"),
            *("targets", "references", "mask_type", "ignore", "tags"),
        )
    )

    @classmethod
    def from_fields(cls, fields: Fields) -> QueryRecord:
        """Read and check one line but for its run-length codes, whose check waits."""
        size_hw = fields.integer("height", 1), fields.integer("width", 1)
        mask_type = fields.choice("mask_type", MASK_TYPES)
        items = fields.objects("targets", Target.KEYS)
        targets = tuple(Target.from_fields(item, size_hw) for item in items)
        check_group(mask_type, items)
        return cls(
            id=fields.name("id"),
            image=fields.name("image"),
            height=size_hw[0],
            width=size_hw[1],
            text=fields.text("text"),
            targets=targets,
            references=fields.codes("references", size_hw),
            mask_type=mask_type,
            ignore=fields.optional_code("ignore", size_hw),
            tags=fields.items_of("tags", str, "strings"),
            extra=fields.extra,
            place=fields.where,
        )

    @property
    def twins(self) -> list[str]:
        """Ids after "twin:" in tags: the same targets asked for in another mask type."""
        return [tag.removeprefix("twin:") for tag in self.tags if tag.startswith("twin:")]

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
