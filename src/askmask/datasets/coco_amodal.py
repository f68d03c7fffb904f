"""COCO-style annotation files with amodal masks: COCOA-cls, D2SA, KINS, MUVA and their copies.

They agree on images, annotations and categories and differ in the names of the two masks, which are
tried in turn. What only some files have (occlusion rates, depths) is taken when it is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from askmask import rle
from askmask.datasets.coco_file import CocoFile
from askmask.datasets.coco_layout import CocoLayout
from askmask.datasets.frame import BadRecords, Card, DatasetFormat
from askmask.datasets.values import Json, as_number, listed, whole
from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import Entity, EntityRecord
from askmask.formats.segmentation import read_segmentation
from askmask.rle import RLE

__all__ = ["FORMATS", "MARKS", "amodal_format", "claims_of", "read_coco_amodal"]

_AMODAL = ("amodal", "a_segm", "segmentation")
_MODAL = ("modal", "visible_mask", "inmodal_seg", "i_segm", "inmodal_segm", "visible_segm")
_HIDDEN = ("hidden", "invisible_mask")
_DEPTH = ("depth", "occl_depth")

_NAMES = (
    *("amodal", "modal", "hidden", "depth", "id", "image_id", "category_id", "iscrowd"),
    *("images", "annotations", "categories", "file_name", "height", "width", "name"),
)
"""What `--map` can name: masks and depth of an annotation, and COCO's own keys."""

_KEPT = ("oco_id", "ico_id")
"""Keys that go into the record as they are: KINS' clusters of occlusion and the order in them."""

MARKS = tuple(f'"{key}"'.encode() for key in (*_MODAL[1:], *_HIDDEN[1:]))
"""Keys by any of which one knows such a file."""

_AREA_TOLERANCE, _RATE_TOLERANCE = 0.5, 0.005
"""How far a file's own figures may be from those of its masks."""


def _first(annotation: Json, keys: Sequence[str]) -> Any:
    """Value of the first of `keys` that is there and not empty, or None."""
    return next((annotation[key] for key in keys if annotation.get(key)), None)


def _masks(annotation: Json, size_hw: tuple[int, int], where: str) -> tuple[RLE, RLE]:
    """Modal and amodal mask of one annotation; they are one where nothing says that parts hide."""
    complete = _first(annotation, _AMODAL)
    if complete is None:
        raise DataError(
            f"{where}: expected one of the keys {', '.join(_AMODAL)}, got {listed(annotation)}"
        )
    amodal = read_segmentation(complete, size_hw, where)
    visible, hidden = _first(annotation, _MODAL), _first(annotation, _HIDDEN)
    if visible is not None:
        return read_segmentation(visible, size_hw, where), amodal
    if hidden is not None:
        return rle.subtract(amodal, read_segmentation(hidden, size_hw, where)), amodal
    return amodal, amodal


def _to_entity(annotation: Json, category: str, size_hw: tuple[int, int], where: str) -> Entity:
    modal, amodal = _masks(annotation, size_hw, where)
    area, depth = rle.area(amodal), whole(_first(annotation, _DEPTH) or 0)
    says_depth = any(annotation.get(key) is not None for key in _DEPTH)
    kept = {key: annotation[key] for key in _KEPT if type(annotation.get(key)) is int}
    return Entity(
        id=whole(annotation.get("id")) or 0,
        category=category,
        modal=modal,
        amodal=amodal,
        occlusion_rate=rle.area(rle.subtract(amodal, modal)) / area if area else 0.0,
        depth_order=depth if says_depth else None,
        extra={**({"iscrowd": True} if annotation.get("iscrowd") else {}), **kept},
    )


def _open(
    path: Path, bad: BadRecords, keys: Mapping[str, str] | None, images: Path | None = None
) -> CocoFile:
    """Index a file and see to it that something tells what is hidden."""
    renamed = {theirs: ours for ours, theirs in (keys or {}).items()}
    file = CocoFile(path, bad, images, renamed)
    if file.annotations and not any(file.seen[key] for key in (*_MODAL, *_HIDDEN)):
        raise DataError(
            f"{path}: no annotation has a visible mask ({', '.join(_MODAL[1:])}), so nothing tells "
            f"what is hidden; found {file.found()}; name its key with --map modal=KEY, or read "
            "'segmentation' as the visible mask with --from coco"
        )
    return file


def read_coco_amodal(
    path: str | Path,
    bad: BadRecords | None = None,
    *,
    images: Path | None = None,
    keys: Mapping[str, str] | None = None,
) -> Iterator[EntityRecord]:
    """Read a COCO-style file, picture by picture in the order of the file.

    Pictures without annotations are records without entities.

    Args:
        path: the file. `segmentation` in it is the amodal mask; files in which it is the visible
            one look the same and need `read_coco`.
        bad: told of what cannot be read; None stops at the first.
        images: folder of the pictures, for files that do not say their sizes.
        keys: ours -> theirs for files that call things differently, e.g. {"modal": "seen"}.

    Raises:
        DataError: naming file, picture and annotation.
    """
    file = _open(Path(path), BadRecords() if bad is None else bad, keys, images)
    yield from file.entities(_to_entity, (*_MODAL, *_HIDDEN, *_AMODAL))


def claims_of(
    path: Path, images: Path | None = None, keys: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Problems that areas and occlusion rates of the file show, one line each."""
    file = _open(path, BadRecords(skip=True), keys, images)
    for picture in file.pictures():
        try:
            size_hw = picture.size_hw((*_MODAL, *_HIDDEN, *_AMODAL))
        except DataError:
            continue
        for where, annotation, entity in file.annotated(picture, size_hw, _to_entity):
            yield from _claims(where, annotation, entity)


def _claims(where: str, annotation: Json, entity: Entity) -> Iterator[str]:
    area, pixels = as_number(annotation.get("area")), rle.area(entity.amodal or entity.modal)
    # The areas of polygons are those of geometry, not of pixels.
    of_runs = isinstance(_first(annotation, _AMODAL), dict)
    if of_runs and area is not None and not abs(area - pixels) <= _AREA_TOLERANCE:
        yield f"{where}: area says {area:g}, its amodal mask has {pixels} pixels"
    rate, found = as_number(annotation.get("occlude_rate")), entity.occlusion_rate or 0.0
    if rate is not None and not abs(rate - found) <= _RATE_TOLERANCE:
        yield f"{where}: occlude_rate says {rate:.3f}, its masks give {found:.3f}"


def amodal_format(
    name: str, card: Card, layout: CocoLayout, keys: Mapping[str, str] | None = None
) -> DatasetFormat:
    """A data set of such files.

    Args:
        name: as the command line calls it.
        card: what to expect.
        layout: which files there are.
        keys: see `read_coco_amodal`.
    """

    def mapped(given: Mapping[str, str]) -> DatasetFormat:
        unknown = next((ours for ours in given if ours not in _NAMES), None)
        if unknown is not None:
            raise ConfigError(f"--map {unknown}: expected one of {', '.join(_NAMES)}")
        return amodal_format(name, card, layout, {**(keys or {}), **given})

    def claims(path: Path, split: str, images: Path | None) -> Iterator[str]:
        for file in layout.files_of(path, split):
            yield from claims_of(file, images, keys)

    return layout.format(
        name,
        card,
        lambda path, images, bad: read_coco_amodal(path, bad, images=images, keys=keys),
        lambda path, bad: _open(path, bad, keys).count(),
        claims=claims,
        mapped=mapped,
    )


FORMATS = (
    amodal_format(
        "coco-amodal",
        Card(
            name="coco-amodal",
            title="Any COCO-style file with an amodal and a visible mask for each object",
            source="copies and conversions of COCOA-cls, D2SA, KINS and others",
            licence="not stated",
            obtain="the file that you have",
            notes=(
                "segmentation or a_segm is the amodal mask; the visible one is the first of "
                f"{', '.join(_MODAL[1:])}; --map names other keys.",
            ),
        ),
        CocoLayout(marks=MARKS, without=(b'"query"', b'"questions"')),
    ),
)
