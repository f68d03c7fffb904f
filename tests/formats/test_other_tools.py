"""What other tools' own readers make of files that we write; skipped where they are missing.

pip install supervision labelme label-studio-converter datasets
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from askmask import rle
from askmask.formats.askmask import (
    Entity,
    EntityRecord,
    PredictedMask,
    Prediction,
    QueryRecord,
    Target,
)
from askmask.formats.collection import Collection, Losses, Options, Split
from askmask.formats.converters import FORMATS
from askmask.formats.supervision import (
    detections_from,
    entities_from_detections,
    prediction_from_detections,
)
from askmask.images import write_png
from askmask.types import MaskType

# Other tools' warnings are not ours; some come while they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")

SIZE_HW = (90, 110)


def blob(seed: int) -> np.ndarray:
    """Three ellipses, which may be apart, and a hole."""
    rng = np.random.default_rng(seed)
    y, x = np.ogrid[: SIZE_HW[0], : SIZE_HW[1]]
    mask = np.zeros(SIZE_HW, bool)
    for _ in range(3):
        at_y, at_x, tall, wide = rng.integers((10, 10, 4, 4), (80, 100, 25, 30))
        mask |= ((y - at_y) / tall) ** 2 + ((x - at_x) / wide) ** 2 < 1
    mask[at_y - 1 : at_y + 2, at_x - 2 : at_x + 2] = False
    return mask


BLOBS = [blob(seed) for seed in range(6)]


@pytest.fixture
def split(tmp_path: Path) -> Split:
    write_png(tmp_path / "a.png", np.full((*SIZE_HW, 3), 90, np.uint8))
    entities = tuple(
        Entity(number, ("mug", "box")[number % 2], rle.encode(mask))
        for number, mask in enumerate(BLOBS, 1)
    )
    targets = tuple(Target(one.modal, one.id, one.category) for one in entities)
    query = QueryRecord("q", "a.png", *SIZE_HW, "mugs", targets, mask_type=MaskType.MODAL)
    return Split((EntityRecord("a.png", *SIZE_HW, entities),), (query,), images=tmp_path)


def written(name: str, split: Split, out: Path) -> Path:
    FORMATS[name].write()(Collection({"val": split}), out, Options(), Losses())
    return out


def test_supervision_keeps_answers_and_objects(split: Split) -> None:
    sv = pytest.importorskip("supervision")
    masks = tuple(
        PredictedMask(rle.encode(mask), share / 8, label=f"name {share}")
        for share, mask in enumerate(BLOBS)
    )
    for found in (Prediction("q", MaskType.AMODAL, masks=masks), Prediction("q")):
        detections = sv.Detections(**detections_from(found, SIZE_HW))
        assert len(detections) == len(found.masks)
        assert prediction_from_detections("q", detections) == found
    (record,) = split.entities
    detections = sv.Detections(**detections_from(record, SIZE_HW))
    assert detections.area.tolist() == [mask.sum() for mask in BLOBS]
    assert entities_from_detections("a.png", detections) == record
    half = detections[detections.data["class_name"] == "mug"]
    assert [one.category for one in entities_from_detections("a.png", half).entities] == ["mug"] * 3


def test_supervision_opens_yolo_and_coco(split: Split, tmp_path: Path) -> None:
    sv = pytest.importorskip("supervision")
    yolo = written("yolo", split, tmp_path / "yolo")
    read = FORMATS["yolo"].read()(yolo, Options()).splits["val"].entities[0].entities
    places = (yolo / "images" / "val", yolo / "labels" / "val", yolo / "data.yaml")
    ours = sv.DetectionDataset.from_yolo(*map(str, places), force_masks=True)
    ((_, _, found),) = list(ours)
    assert [ours.classes[number] for number in found.class_id] == [one.category for one in read]
    assert all(
        (mask == rle.decode(one.modal)).all() for mask, one in zip(found.mask, read, strict=True)
    )
    path = written("coco", split, tmp_path / "coco.json")
    ((_, _, found),) = list(
        sv.DetectionDataset.from_coco(str(tmp_path), str(path), force_masks=True)
    )
    assert (found.mask == BLOBS).all()


def painted(shape: Any) -> np.ndarray:
    """The pixels of a shape that labelme has read."""
    from labelme.utils import shape_to_mask

    if shape["mask"] is None:
        return np.asarray(shape_to_mask(SIZE_HW, shape["points"], shape["shape_type"]))
    mask = np.zeros(SIZE_HW, bool)
    (x0, y0), (x1, y1) = np.array(shape["points"], int)
    mask[y0 : y1 + 1, x0 : x1 + 1] = shape["mask"]
    return mask


@pytest.mark.parametrize("name", ["labelme", "labelme-masks"])
def test_labelme_opens_its_files(name: str, split: Split, tmp_path: Path) -> None:
    labelme = pytest.importorskip("labelme")
    file = labelme.LabelFile(str(written(name, split, tmp_path / "out") / "a.json"))
    masks = [np.zeros(SIZE_HW, bool) for _ in BLOBS]
    for shape in file.shapes:
        masks[shape["group_id"] - 1] |= painted(shape)
    assert [(mask != blob).sum() for mask, blob in zip(masks, BLOBS, strict=True)] == [0] * 6
    assert {shape["label"] for shape in file.shapes} == {"mug", "box"}


def test_label_studios_converter_decodes_brushes(split: Split, tmp_path: Path) -> None:
    brush = pytest.importorskip("label_studio_converter.brush")
    path = written("label-studio", split, tmp_path / "tasks.json")
    (task,) = json.loads(path.read_text(encoding="utf-8"))
    results = task["annotations"][0]["result"]
    for result, mask in zip(results, BLOBS, strict=True):
        pixels = brush.decode_rle(result["value"]["rle"]).reshape(*SIZE_HW, 4)
        assert ((pixels[:, :, 3] > 0) == mask).all()
        result["value"]["rle"] = brush.mask2rle(mask.astype(np.uint8) * 255)
    path.write_text(json.dumps([task]), encoding="utf-8")
    back = FORMATS["label-studio"].read()(path, Options()).only().entities[0].entities
    assert [one.modal for one in back] == [rle.encode(mask) for mask in BLOBS]


def test_datasets_loads_parquet(split: Split, tmp_path: Path) -> None:
    pytest.importorskip("datasets.load")  # "datasets" alone may be our own folder of tests
    datasets = pytest.importorskip("datasets")
    pytest.importorskip("pyarrow")
    folder = written("parquet", split, tmp_path / "parquet")
    kept = {"cache_dir": str(tmp_path / "cache")}
    (row,) = datasets.load_dataset(str(folder), "queries", split="val", **kept)
    assert (row["id"], row["text"], row["image"].size) == ("q", "mugs", (110, 90))
    masks = [rle.decode(one["segmentation"]) for one in row["targets"]]
    assert [(mask != blob).sum() for mask, blob in zip(masks, BLOBS, strict=True)] == [0] * 6
    (row,) = datasets.load_dataset(str(folder), "entities", split="val", **kept)
    assert [one["category"] for one in row["entities"]] == ["box", "mug"] * 3
