"""COCOA's own files ("Semantic Amodal Segmentation"): regions drawn front to back by annotators.

A file is COCO-shaped, with all regions of a picture that one annotator drew in one annotation, or
it is such an annotation alone. A region has one flat polygon, its complete shape, and an `order`,
1 in front; occluded ones carry a visible mask. Where it was left out it follows from the order:
what the regions in front do not cover.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from askmask import rle
from askmask.datasets.coco_file import NAMELESS, CocoFile, CocoPicture
from askmask.datasets.coco_layout import CocoLayout
from askmask.datasets.frame import BadRecords, Card
from askmask.datasets.values import Json, as_number, tidy, whole
from askmask.errors import DataError
from askmask.formats.askmask import Entity, EntityRecord
from askmask.formats.json_stream import iter_items
from askmask.formats.segmentation import read_segmentation
from askmask.rle import RLE

__all__ = ["FORMATS", "is_cocoa", "read_cocoa"]

_MIN_COVER = 0.02
"""Smallest share of an object's complete shape that something in front must cover to be named."""

_MASKS = ("visible_mask", "invisible_mask", "segmentation")

_RATE_TOLERANCE = 0.005
"""How far an occlusion rate that the file says may be from that of its masks."""


@dataclass(frozen=True)
class _Region:
    """A region whose polygon could be read; `number` is its place in the file, from 1."""

    number: int
    where: str
    content: Json
    amodal: RLE
    order: int


def _read_regions(
    content: Sequence[Any], size_hw: tuple[int, int], where: str, bad: BadRecords
) -> Iterator[_Region]:
    for number, region in enumerate(content, 1):
        place = f"{where} region {number}"
        try:
            if not isinstance(region, dict):
                raise DataError(f"{place}: expected an object")
            if not region.get("segmentation"):
                raise DataError(f"{place}, key 'segmentation': expected a polygon, got none")
            amodal = read_segmentation(region["segmentation"], size_hw, place)
        except DataError as error:
            bad.bad(place, error)
            continue
        order = whole(region.get("order"))
        yield _Region(number, place, region, amodal, number if order is None else order)


def _modal(region: _Region, regions: Sequence[_Region], size_hw: tuple[int, int]) -> RLE:
    """The visible mask of a region, as the file has it or from the order."""
    visible = region.content.get("visible_mask")
    if visible:
        return read_segmentation(visible, size_hw, region.where)
    in_front = [one.amodal for one in regions if one.order < region.order]
    if not in_front:
        return region.amodal
    return rle.subtract(region.amodal, rle.union(in_front, size_hw))


def _occluders(
    region: _Region, modal: RLE, regions: Sequence[_Region], size_hw: tuple[int, int]
) -> list[int]:
    """Numbers of the regions in front that cover a part of `region`, largest part first."""
    hidden = rle.subtract(region.amodal, modal)
    if not rle.area(hidden):
        return []
    least = _MIN_COVER * rle.area(region.amodal)
    found = []
    for other in regions:
        if other.order < region.order:
            part = rle.area(rle.intersection((other.amodal, hidden), size_hw))
            if part and part >= least:
                found.append((-part, other.number))
    return [number for _, number in sorted(found)]


def _entities(
    content: Sequence[Any], size_hw: tuple[int, int], where: str, bad: BadRecords
) -> Iterator[tuple[_Region, Entity]]:
    """Regions as entities, numbered as they stand in the file."""
    regions = list(_read_regions(content, size_hw, where, bad))
    for region in regions:
        try:
            modal = _modal(region, regions, size_hw)
        except DataError as error:
            bad.bad(region.where, error)
            continue
        area = rle.area(region.amodal)
        yield (
            region,
            Entity(
                id=region.number,
                category=tidy(region.content.get("name") or "") or NAMELESS,
                modal=modal,
                amodal=region.amodal,
                occlusion_rate=rle.area(rle.subtract(region.amodal, modal)) / area if area else 0.0,
                occluded_by=tuple(_occluders(region, modal, regions, size_hw)),
                depth_order=region.order - 1,
                extra={"is_stuff": True} if region.content.get("isStuff") else {},
            ),
        )


def _alone(path: Path) -> Json | None:
    """The annotation in a file that is nothing else."""
    found: dict[str, Any] = {}
    for item in iter_items(path):
        if item.key in ("annotations", "images"):
            return None
        if item.number is None:
            found[item.key] = item.value
        else:
            found[item.key].append(item.value)
    return found if "regions" in found else None


def _pictures(path: Path, bad: BadRecords, images: Path | None = None) -> Iterator[CocoPicture]:
    """Images with the annotations of all their annotators; images without any are left out."""
    annotation = _alone(path)
    if annotation is not None:
        where = f"{path}, image {annotation.get('image_id')!r}"
        name = str(annotation.get("url") or "").rpartition("/")[2] or f"{path.stem}.jpg"
        yield CocoPicture(where, {"file_name": name}, [annotation], images)
        return
    for picture in CocoFile(path, bad, images).pictures():
        if picture.annotations:
            yield picture


def _regions_of(picture: CocoPicture, annotator: int) -> tuple[Sequence[Any], tuple[int, int]]:
    """The regions that one annotator drew, and the size of the picture."""
    regions = picture.annotations[annotator].get("regions")
    if not isinstance(regions, list):
        raise DataError(f"{picture.where}: expected a list of 'regions'")
    drawn = [one for one in regions if isinstance(one, dict)]
    return regions, replace(picture, annotations=drawn).size_hw(_MASKS)


def read_cocoa(
    path: str | Path,
    bad: BadRecords | None = None,
    *,
    images: Path | None = None,
    annotator: int = 0,
) -> Iterator[EntityRecord]:
    """Read a file of COCOA, picture by picture.

    A record says the `author`, the number of `annotators` where there are several, and the
    `depth_constraint`, e.g. "1-2,1-3": pairs of orders, the one in front first.

    Args:
        path: the file.
        bad: told of what cannot be read; None stops at the first.
        images: folder of the pictures, for files that do not say their sizes.
        annotator: which of several annotations of a picture; 0 is the first, as COCOA's own
            evaluation has it. Pictures with fewer are left out.

    Raises:
        DataError: naming file, picture and region.
    """
    bad = BadRecords() if bad is None else bad
    for picture in _pictures(Path(path), bad, images):
        if annotator >= len(picture.annotations):
            continue
        try:
            name = picture.name()
            regions, size_hw = _regions_of(picture, annotator)
        except DataError as error:
            bad.bad(picture.where, error)
            continue
        entities = tuple(one for _, one in _entities(regions, size_hw, picture.where, bad))
        yield EntityRecord(name, *size_hw, entities, _about(picture, annotator))


def _about(picture: CocoPicture, annotator: int) -> Mapping[str, Any]:
    annotation, several = picture.annotations[annotator], len(picture.annotations)
    said = {
        key: tidy(annotation[key])
        for key in ("author", "depth_constraint")
        if isinstance(annotation.get(key), str)
    }
    return {**said, "annotators": several} if several > 1 else said


def _count(path: Path, bad: BadRecords) -> tuple[int, int]:
    images = regions = 0
    for picture in _pictures(path, bad):
        drawn = picture.annotations[0].get("regions")
        images, regions = images + 1, regions + (len(drawn) if isinstance(drawn, list) else 0)
    return images, regions


def _claims(path: Path, split: str, images: Path | None) -> Iterator[str]:
    """Areas and occlusion rates that the masks do not have."""
    for file in _LAYOUT.files_of(path, split):
        quiet = BadRecords(skip=True)
        for picture in _pictures(file, quiet, images):
            try:
                regions, size_hw = _regions_of(picture, 0)
            except DataError:
                continue
            for region, entity in _entities(regions, size_hw, picture.where, quiet):
                yield from _claims_of(region, entity)


def _claims_of(region: _Region, entity: Entity) -> Iterator[str]:
    said, pixels = as_number(region.content.get("area")), rle.area(region.amodal)
    if said is not None and said != pixels:
        yield f"{region.where}: area says {said:g}, its polygon fills {pixels} pixels"
    rate, found = as_number(region.content.get("occlude_rate")), entity.occlusion_rate or 0.0
    if rate is not None and not abs(rate - found) <= _RATE_TOLERANCE:
        yield f"{region.where}: occlude_rate says {rate:.3f}, its masks give {found:.3f}"


_LAYOUT = CocoLayout(
    patterns={
        **{split: (f"COCO_amodal_{split}2014.json",) for split in ("train", "val", "test")},
        **{f"bsds-{split}": (f"BSDS_amodal_{split}.json",) for split in ("train", "val", "test")},
        "all": ("[0-9]*.json",),
    },
    marks=(b'"regions"', b'"isStuff"'),
)

FORMATS = (
    _LAYOUT.format(
        "cocoa",
        Card(
            name="cocoa",
            title="COCOA, Semantic Amodal Segmentation: things and stuff drawn front to back",
            source="Zhu et al., Semantic Amodal Segmentation, CVPR 2017 (arXiv 1509.01329)",
            licence="not stated; pictures of COCO and BSDS under their own terms",
            obtain="github.com/Wakeupbuddy/amodalAPI: COCO_amodal_{train,val,test}2014.json",
            splits={
                "train": {"images": 2_500},
                "val": {"images": 1_323},
                "test": {"images": 1_250},
            },
            notes=(
                "Some pictures have several annotators; the first one counts.",
                "Names are free text; regions that are stuff have is_stuff.",
            ),
        ),
        lambda path, images, bad: read_cocoa(path, bad, images=images),
        _count,
        claims=_claims,
    ),
)

is_cocoa = FORMATS[0].recognises
