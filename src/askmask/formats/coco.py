"""COCO's json, with what it has no key for in keys that its tools skip.

An object's complete shape is `segmentation` where it is known, and its visible part then is
`visible_mask`, as in COCOA-cls and D2SA; `mask_type` says which the former is. Of queries, each is
an "image" of its own, with the query's id: then COCO's evaluation takes it as its unit, as R2SM.
The key `askmask` holds the rest of a record, so that it comes back whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from askmask import rle
from askmask.errors import DataError
from askmask.formats.askmask import Entity, EntityRecord, QueryRecord
from askmask.formats.collection import Collection, Losses, OnBad, Options, Split, stop
from askmask.formats.files import read_json
from askmask.formats.foreign import write_foreign_json
from askmask.formats.picture_files import relative_to
from askmask.formats.segmentation import read_segmentation
from askmask.geometry import edge_polygons
from askmask.rle import RLE

__all__ = [
    "bbox_xywh",
    "categories_of",
    "objects_as_coco",
    "query_units",
    "read_coco",
    "write_coco",
    "write_coco_polygons",
]

_NAMELESS = "object"
"""Category of what has none."""

_Json = dict[str, Any]


def bbox_xywh(code: RLE) -> list[float]:
    """COCO's box of a mask; all zeros for an empty one."""
    x0, y0, x1, y1 = rle.box_xyxy(code) or (0, 0, 0, 0)
    return [float(x0), float(y0), float(x1 - x0), float(y1 - y0)]


def categories_of(names: Iterable[str]) -> dict[str, int]:
    """Number categories from 1, in order of the alphabet."""
    return {name: number for number, name in enumerate(sorted(set(names)), 1)}


def _without(record: _Json, *keys: str) -> _Json:
    return {key: value for key, value in record.items() if key not in keys}


def _annotation(number: int, image: int | str, category: int, code: RLE, polygons: bool) -> _Json:
    """COCO's own keys of one mask."""
    segmentation: Any = code
    if polygons:
        segmentation = [one.ravel().tolist() for one in edge_polygons(rle.decode(code))]
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "segmentation": segmentation,
        "area": rle.area(code),
        "bbox": bbox_xywh(code),
        "iscrowd": 0,
    }


def _of_entity(entity: Entity, options: Options, losses: Losses) -> tuple[RLE, _Json]:
    """The mask of an object, and the keys that COCO does not know."""
    whole, modal = entity.amodal, entity.modal
    if whole is not None and options.mask_type == "modal":
        losses.add("amodal masks", 1, "--mask-type modal leaves them out")
        whole = None
    seen = entity.extra.get("mask_type", "modal")
    keys: _Json = {"mask_type": seen if whole is None else "amodal"}
    if "score" in entity.extra:
        keys["score"] = entity.extra["score"]
    if whole is not None and options.mask_type != "amodal":
        keys["visible_mask"] = modal
    elif whole is not None:
        losses.add("modal masks", 1, "--mask-type amodal leaves them out")
    if entity.occlusion_rate is not None:
        keys["occlude_rate"] = entity.occlusion_rate
    if entity.depth_order is not None:
        keys["occl_depth"] = entity.depth_order
    if entity.extra.get("iscrowd"):
        keys["iscrowd"] = 1
    return whole or modal, {**keys, "askmask": _without(entity.to_json(), "modal", "amodal")}


def _entities_json(split: Split, options: Options, losses: Losses, polygons: bool) -> _Json:
    names = (entity.category for record in split.entities for entity in record.entities)
    categories = categories_of(names)
    images: list[_Json] = []
    annotations: list[_Json] = []
    for image, record in enumerate(split.entities, 1):
        images.append(_image(image, record, split, dict(record.extra)))
        for entity in record.entities:
            code, keys = _of_entity(entity, options, losses)
            category = categories[entity.category]
            one = _annotation(len(annotations) + 1, image, category, code, polygons)
            annotations.append({**one, **keys})
    return {"images": images, "annotations": annotations, "categories": categories}


def _image(
    number: int | str, record: EntityRecord | QueryRecord, split: Split, rest: _Json
) -> _Json:
    return {
        "id": number,
        "file_name": record.image,
        "height": record.height,
        "width": record.width,
        **({"askmask": rest} if rest else {}),
    }


def query_units(queries: Iterable[QueryRecord]) -> dict[str, int | str]:
    """What stands for each query in the place of an image's id: its own id, as a number if it is.

    COCO's tools take both, but not mixed.
    """
    ids = [query.id for query in queries]
    numbers = [int(id) if id.isdecimal() and id.isascii() else 0 for id in ids]
    whole = all(str(number) == id for number, id in zip(numbers, ids, strict=True))
    return dict(zip(ids, numbers if whole else ids, strict=True))


def _queries_json(split: Split, polygons: bool) -> _Json:
    targets = [target for query in split.queries for target in query.targets]
    categories = categories_of(target.category or _NAMELESS for target in targets)
    images: list[_Json] = []
    annotations: list[_Json] = []
    units = query_units(split.queries)
    for query in split.queries:
        number = units[query.id]
        rest = _without(query.to_json(), "image", "height", "width", "targets")
        image = _image(number, query, split, rest)
        images.append({**image, "caption": query.text, "mask_type": query.mask_type})
        for target in query.targets:
            category = categories[target.category or _NAMELESS]
            place = len(annotations) + 1
            one = _annotation(place, number, category, target.segmentation, polygons)
            keys: _Json = {"mask_type": query.mask_type}
            if target.modal is not None:
                keys["visible_mask"] = target.modal
            keys["askmask"] = _without(target.to_json(), "segmentation", "modal")
            annotations.append({**one, **keys})
    return {"images": images, "annotations": annotations, "categories": categories}


def _write(
    collection: Collection, out: Path, options: Options, losses: Losses, polygons: bool
) -> None:
    split = collection.only()
    kind = split.kind(options.records)
    if kind == "predictions":
        kind = "queries"
        losses.add("predictions", len(split.predictions), "--to coco-results writes these")
    if kind == "entities":
        losses.add("queries", len(split.queries), "one kind a file; --records queries writes these")
        content = _entities_json(split, options, losses, polygons)
    else:
        losses.add("pictures with objects", len(split.entities), "--records entities writes these")
        content = _queries_json(split, polygons)
    for image in content["images"]:
        image["file_name"] = relative_to(out.parent, image["file_name"], split.images)
    content["categories"] = _category_rows(content["categories"])
    info = {
        "description": collection.name,
        "license": collection.license,
        "source": collection.source,
        "askmask": kind,
    }
    write_foreign_json(out, {"info": info, "licenses": [], **content})


def _category_rows(categories: Mapping[str, int]) -> list[_Json]:
    return [{"id": number, "name": name} for name, number in categories.items()]


def objects_as_coco(records: Iterable[EntityRecord]) -> dict[str, Any]:
    """Return the objects of pictures as COCO's json, with run-length codes."""
    content = _entities_json(Split(tuple(records)), Options(), Losses(), polygons=False)
    categories = _category_rows(content["categories"])
    return {"info": {}, "licenses": [], **content, "categories": categories}


def write_coco(collection: Collection, out: Path, options: Options, losses: Losses) -> None:
    """Write COCO's json with run-length codes: objects, or queries with their targets.

    Raises:
        ConfigError: when the collection has several splits, or no records of the asked kind.
    """
    _write(collection, out, options, losses, polygons=False)


def write_coco_polygons(
    collection: Collection, out: Path, options: Options, losses: Losses
) -> None:
    """As `write_coco`, with polygons, which COCO's rasteriser fills to the same pixels."""
    _write(collection, out, options, losses, polygons=True)


def _list_of(content: Any, key: str, path: Path) -> list[_Json]:
    rows = content.get(key) if isinstance(content, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path}, key {key!r}: expected a list of objects as in COCO's files")
    return rows


def _rest(row: _Json) -> _Json:
    rest = row.get("askmask")
    return rest if isinstance(rest, dict) else {}


def _entity_json(row: _Json, name: str, size_hw: tuple[int, int], where: str) -> _Json:
    """An annotation as an object of an entity line."""
    whole = read_segmentation(row.get("segmentation"), size_hw, f"{where}, key 'segmentation'")
    visible = row.get("visible_mask")
    if visible is not None:
        visible = read_segmentation(visible, size_hw, f"{where}, key 'visible_mask'")
    crowd = {"iscrowd": True} if row.get("iscrowd") else {}
    rest = _rest(row) or {"id": row.get("id"), "category": name, **crowd}
    return {**rest, "modal": visible or whole, "amodal": None if visible is None else whole}


def _target_json(row: _Json, size_hw: tuple[int, int], where: str) -> _Json:
    """An annotation as a target of a query line."""
    mask = read_segmentation(row.get("segmentation"), size_hw, f"{where}, key 'segmentation'")
    visible = row.get("visible_mask")
    modal = {} if visible is None else {"modal": read_segmentation(visible, size_hw, where)}
    return {**_rest(row), "segmentation": mask, **modal}


def _name(value: object) -> str:
    return value if isinstance(value, str) and value else _NAMELESS


def _side(image: _Json, key: str, where: str) -> int:
    value = image.get(key)
    if type(value) is not int or value < 1:
        raise DataError(f"{where}, key {key!r}: expected a number of pixels, got {value!r}")
    return value


def _base(image: _Json, where: str) -> _Json:
    size = {key: _side(image, key, where) for key in ("height", "width")}
    if size["height"] * size["width"] > rle.MAX_PIXELS:
        raise DataError(f"{where}: expected at most {rle.MAX_PIXELS:,} pixels, got {size}")
    return {**_rest(image), "image": image.get("file_name"), **size}


def read_coco(path: str | Path, options: Options, bad: OnBad = stop) -> Collection:
    """Read COCO's json, with everything that `write_coco` keeps.

    Raises:
        DataError: when the file as a whole cannot be read; for a picture, through `bad`.
    """
    path = Path(path)
    content = read_json(path)
    images = _list_of(content, "images", path)
    names = {repr(row.get("id")): row.get("name") for row in _list_of(content, "categories", path)}
    rows: Mapping[str, list[_Json]] = defaultdict(list)
    for row in _list_of(content, "annotations", path):
        rows[repr(row.get("image_id"))].append(row)
    info = content.get("info") if isinstance(content.get("info"), dict) else {}
    entities: list[EntityRecord] = []
    queries: list[QueryRecord] = []
    for image in images:
        where = f"{path}, image {image.get('id')!r}"
        try:
            base = _base(image, where)
            size_hw = base["height"], base["width"]
            own = [
                (f"{where} annotation {row.get('id')!r}", row)
                for row in rows[repr(image.get("id"))]
            ]
            if info.get("askmask") == "queries":
                base["targets"] = [_target_json(row, size_hw, place) for place, row in own]
                queries.append(QueryRecord.from_json(base, where))
            else:
                base["entities"] = [
                    _entity_json(
                        row, _name(names.get(repr(row.get("category_id")))), size_hw, place
                    )
                    for place, row in own
                ]
                entities.append(EntityRecord.from_json(base, where))
        except DataError as error:
            bad(where, error)
    split = Split(tuple(entities), tuple(queries), images=options.images or path.parent)
    name, license = info.get("description") or path.stem, info.get("license") or "as its source"
    return Collection({"all": split}, str(name), str(license), str(info.get("source") or path.name))
