"""Pictures with labelled masks: what annotation tools know of records, and records made of it.

A shape is one mask. An object of which the visible part and the complete shape differ is two
shapes, which say so and share the object's number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast, get_args

from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import Entity, EntityRecord, Prediction, QueryRecord, Target
from askmask.formats.collection import Losses, OnBad, Options, Split
from askmask.formats.foreign import fields_of
from askmask.rle import RLE

__all__ = [
    "Shape",
    "ShapePicture",
    "entity_record",
    "one_mask_each",
    "pictures_of",
    "shape_from_says",
]

_Kind = Literal["modal", "amodal", "hidden", "both"]

_ENTITY_KEYS = ("attributes", "occlusion_rate", "occluded_by", "depth_order")


@dataclass(frozen=True)
class Shape:
    """One labelled mask.

    Attributes:
        label: what the tool calls it: the category, or the sentence where there is none.
        mask: its pixels.
        mask_type: which pixels of the object these are; "both" where nothing is hidden, None where
            nobody says.
        object: number of the object in its picture.
        score: how sure a model was, or None.
        text: the sentence that asked for it, or None.
        details: what else the record says, by its keys.
    """

    label: str
    mask: RLE
    mask_type: _Kind | None = None
    object: int | None = None
    score: float | None = None
    text: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def says(self) -> dict[str, Any]:
        """What a tool should keep beside label and mask, as JSON; without what is not known."""
        known = {
            "mask_type": self.mask_type,
            "object": self.object,
            "score": self.score,
            "text": self.text,
            "details": dict(self.details) or None,
        }
        return {key: value for key, value in known.items() if value is not None}


def shape_from_says(label: str, mask: RLE, says: object, where: str) -> Shape:
    """Make a shape of what a tool kept of it; `says` is null for shapes drawn by hand.

    Raises:
        DataError: when `says` is not what `Shape.says` gave.
    """
    if says is None:
        return Shape(label, mask)
    known = ("mask_type", "object", "score", "text", "details")
    fields = fields_of(says, f"{where}, key 'askmask'", known)
    kind = fields.optional("mask_type", fields.text)
    if kind not in (None, *get_args(_Kind)):
        raise DataError(f"{where}, key 'askmask.mask_type': unknown type {kind!r}")
    return Shape(
        label,
        mask,
        _as_kind(kind),
        fields.optional("object", fields.integer),
        fields.optional("score", fields.number),
        fields.optional("text", fields.text),
        fields.optional("details", fields.mapping) or {},
    )


def _as_kind(value: str | None) -> _Kind | None:
    return None if value is None else cast(_Kind, str(value))


@dataclass(frozen=True)
class ShapePicture:
    """A picture with its shapes.

    Attributes:
        image: its path, relative to the split's folder of pictures.
        height, width: its size in pixels.
        shapes: what is drawn on it.
        query: id of the only query that the shapes answer, or None.
    """

    image: str
    height: int
    width: int
    shapes: tuple[Shape, ...]
    query: str | None = None

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.height, self.width


def pictures_of(split: Split, options: Options, losses: Losses) -> list[ShapePicture]:
    """Return the pictures of a split with its objects, its queries' targets or its answers.

    Raises:
        ConfigError: when the split has no such records.
    """
    kind = split.kind(options.records)
    others = {"entities": len(split.entities), "queries": len(split.queries)}
    for other, count in others.items():
        if other != kind and not (kind == "predictions" and other == "queries"):
            losses.add(other, count, f"only {kind} are written; --records {other} writes these")
    if kind == "entities":
        return [_of_entities(record, options, losses) for record in split.entities]
    asked = split.queries
    if kind == "queries":
        _count_lost_of_queries(asked, losses)
        return _by_picture((query, list(_of_targets(query))) for query in asked)
    return _by_picture(_answered(split, losses))


def _of_entities(record: EntityRecord, options: Options, losses: Losses) -> ShapePicture:
    losses.add("further keys of pictures", len(record.extra), "the format has no place for them")
    shapes = (shape for one in record.entities for shape in _of_entity(one, options, losses))
    return ShapePicture(record.image, record.height, record.width, tuple(shapes))


def _of_entity(entity: Entity, options: Options, losses: Losses) -> Iterator[Shape]:
    says = entity.to_json()
    known = {key: says.get(key) for key in _ENTITY_KEYS}
    details = {key: value for key, value in known.items() if value not in (None, [])}
    details |= entity.extra
    same = entity.amodal is not None and entity.amodal["counts"] == entity.modal["counts"]
    if options.mask_type != "amodal" or entity.amodal is None:
        kind: _Kind = "both" if same else "modal"
        yield Shape(entity.category, entity.modal, kind, entity.id, details=details)
    if entity.amodal is None or same:
        return
    if options.mask_type == "modal":
        losses.add("amodal masks", 1, "--mask-type modal leaves them out")
        return
    if options.mask_type == "amodal":
        losses.add("modal masks", 1, "--mask-type amodal leaves them out")
    yield Shape(entity.category, entity.amodal, "amodal", entity.id, details=details)


def _count_lost_of_queries(queries: Iterable[QueryRecord], losses: Losses) -> None:
    for query in queries:
        why = "the format knows masks only"
        losses.add("queries without target", not query.targets, why)
        losses.add("reference masks", len(query.references), why)
        losses.add("ignored regions", query.ignore is not None, why)
        losses.add("tags", len(query.tags), why)
        losses.add("further keys of queries", len(query.extra), why)
        modal = sum(
            one.modal is not None and one.modal != one.segmentation for one in query.targets
        )
        losses.add("visible masks of targets", modal, "a shape has the asked mask")


def _of_targets(query: QueryRecord) -> Iterator[Shape]:
    for target in query.targets:
        yield Shape(
            _label(target, query.text),
            target.segmentation,
            _as_kind(query.mask_type),
            target.entity,
            text=query.text,
            details={"query": query.id, **target.extra},
        )


def _label(target: Target, text: str) -> str:
    return target.category or " ".join(text.split())


def _answered(split: Split, losses: Losses) -> Iterator[tuple[QueryRecord, list[Shape]]]:
    asked = {query.id: query for query in split.queries}
    for prediction in split.predictions:
        if prediction.id not in asked:
            raise ConfigError(
                f"prediction {prediction.id!r}: no such query, so nothing says which picture it is "
                "about: name the queries file with --queries"
            )
        query = asked[prediction.id]
        _count_lost_of_answer(prediction, losses)
        yield query, list(_of_answer(prediction, query))


def _count_lost_of_answer(prediction: Prediction, losses: Losses) -> None:
    nothing = not prediction.masks and prediction.fused is None and prediction.error is None
    losses.add("answers that nothing fits", nothing, "there is nothing to draw")
    losses.add("failed queries", prediction.error is not None, "they have no masks")
    both = prediction.fused is not None and bool(prediction.masks)
    losses.add("fused masks", both, "the instances are written")
    why = "a shape has one mask with its score"
    for kind in ("modal", "amodal"):
        other = [getattr(mask, kind) for mask in prediction.masks if prediction.mask_type != kind]
        losses.add(f"{kind} masks", sum(code is not None for code in other), why)
    losses.add("mask type probabilities", prediction.mask_type_probability is not None, why)
    losses.add("no-target probabilities", prediction.no_target_probability is not None, why)
    losses.add("rationales", prediction.rationale is not None, why)


def _of_answer(prediction: Prediction, query: QueryRecord) -> Iterator[Shape]:
    kind = _as_kind(prediction.mask_type)
    details = {"query": query.id}
    for mask in prediction.masks:
        label = mask.label or " ".join(query.text.split())
        yield Shape(label, mask.segmentation, kind, None, mask.score, query.text, details)
    if prediction.fused is not None and not prediction.masks:
        label = " ".join(query.text.split())
        yield Shape(label, prediction.fused, kind, None, None, query.text, details)


def _by_picture(rows: Iterable[tuple[QueryRecord, list[Shape]]]) -> list[ShapePicture]:
    """Gather the shapes of all queries about one picture, in the order of the first."""
    size: dict[str, tuple[int, int]] = {}
    shapes: dict[str, list[Shape]] = {}
    for query, found in rows:
        size_hw = size.setdefault(query.image, (query.height, query.width))
        for shape in found:
            if tuple(shape.mask["size"]) != size_hw:
                raise DataError(
                    f"query {query.id!r}: expected masks of {list(size_hw)} as its picture, "
                    f"got {shape.mask['size']}"
                )
        shapes.setdefault(query.image, []).extend(found)
    return [ShapePicture(image, *size[image], tuple(shapes[image])) for image in size]


def one_mask_each(options: Options) -> Options:
    """Options for a format in which an object has one mask: the modal one, unless asked."""
    return replace(options, mask_type=options.mask_type or "modal")


def entity_record(
    image: str, size_hw: tuple[int, int], shapes: Iterable[tuple[str, Shape]], bad: OnBad
) -> EntityRecord:
    """Make the record of a picture from what a tool kept of its shapes.

    Args:
        image: path of the picture.
        size_hw: its height and width.
        shapes: where each stands, and the shape. Two of one object are its modal and amodal mask.
        bad: told of shapes that no object can be made of.
    """
    groups: dict[int, dict[_Kind | None, Shape]] = {}
    places: dict[int, str] = {}
    alone = []
    for where, shape in shapes:
        number = shape.object
        # Of two shapes alike a tool's user has made a second object by copying the first.
        if number is None or shape.mask_type in groups.get(number, ()):
            alone.append((where, shape))
        else:
            groups.setdefault(number, {})[shape.mask_type] = shape
            places.setdefault(number, where)
    free = max(groups, default=0)
    for number, (where, shape) in enumerate(alone, max(free, 0) + 1):
        groups[number], places[number] = {shape.mask_type: shape}, where
    entities: list[Entity] = []
    for number, group in groups.items():
        try:
            entities.append(_entity(number, group, size_hw, places[number]))
        except DataError as error:
            bad(places[number], error)
    return EntityRecord(image, *size_hw, tuple(entities))


def _entity(
    number: int, shapes: Mapping[_Kind | None, Shape], size_hw: tuple[int, int], where: str
) -> Entity:
    """One object from its shapes; a complete shape alone counts as visible, and says so."""
    first = next(iter(shapes.values()))
    whole = shapes.get("amodal") or shapes.get("both")
    seen = shapes.get("both") or shapes.get("modal") or shapes.get(None)
    entity = {
        **first.details,
        **({} if seen else {"mask_type": first.mask_type}),
        "id": number,
        "category": first.label,
        "modal": (seen or first).mask,
        "amodal": whole.mask if whole else None,
    }
    height, width = size_hw
    picture = {"image": "x", "height": height, "width": width, "entities": [entity]}
    return EntityRecord.from_json(picture, where).entities[0]
