"""A folder that FiftyOne imports as `COCODetectionDataset`: pictures in data/, labels.json.

What COCO has no key for stands in keys of the annotations, which FiftyOne makes fields of its
detections when it is asked to: `fo.Dataset.from_dir(DIR, fo.types.COCODetectionDataset,
label_types="segmentations", extra_attrs=True)`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from askmask import rle
from askmask.formats.coco import bbox_xywh, categories_of
from askmask.formats.collection import Collection, Losses, Options
from askmask.formats.foreign import write_foreign_json
from askmask.formats.picture_files import copy_pictures, unique_stems
from askmask.formats.shapes import Shape, pictures_of

__all__ = ["write_fiftyone"]


def _annotation(number: int, image: int, category: int, shape: Shape, losses: Losses) -> Any:
    keys = shape.says()
    details = keys.pop("details", {})
    plain = {key: one for key, one in details.items() if isinstance(one, str | int | float)}
    why = "FiftyOne's importer takes numbers and words"
    losses.add("keys of objects with lists and mappings", len(details) - len(plain), why)
    return {
        **plain,
        **keys,
        "id": number,
        "image_id": image,
        "category_id": category,
        "bbox": bbox_xywh(shape.mask),
        "area": rle.area(shape.mask),
        "iscrowd": 0,
        "segmentation": shape.mask,
    }


def write_fiftyone(collection: Collection, out: Path, options: Options, losses: Losses) -> None:
    """Write the folder.

    Raises:
        ConfigError: when the collection has several splits, or no records of the asked kind.
        DataError: when a picture is missing; they are copied.
    """
    split = collection.only()
    pictures = pictures_of(split, options, losses)
    stems = unique_stems(picture.image for picture in pictures)
    classes = categories_of(shape.label for one in pictures for shape in one.shapes)
    copy_pictures(stems, split.images, out / "data")
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image, picture in enumerate(pictures, 1):
        images.append(
            {
                "id": image,
                "file_name": stems[picture.image] + Path(picture.image).suffix,
                "height": picture.height,
                "width": picture.width,
            }
        )
        for shape in picture.shapes:
            if rle.area(shape.mask):
                place = len(annotations) + 1
                one = _annotation(place, image, classes[shape.label], shape, losses)
                annotations.append(one)
            else:
                losses.add("empty masks", 1, "a detection has a box")
    content = {
        "info": {"description": collection.name},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": [{"id": number, "name": name} for name, number in classes.items()],
    }
    write_foreign_json(out / "labels.json", content)
