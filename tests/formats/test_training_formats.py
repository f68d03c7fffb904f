"""What other people's code makes of what we write for it: LISA, R2SM, FiftyOne, COCO's tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from random_records import MASKS, SIZE_HW, alone

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
from askmask.images import write_png
from askmask.types import MaskType

SQUARE = np.zeros(SIZE_HW, bool)
SQUARE[2:7, 2:8] = True
HOLE = SQUARE.copy()
HOLE[4, 4:6] = False
CORNER = np.zeros(SIZE_HW, bool)
CORNER[6:9, 7:11] = True


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    write_png(folder / "a.png", np.full((*SIZE_HW, 3), 90, np.uint8))
    return folder


def query(*masks: np.ndarray, **more: Any) -> QueryRecord:
    targets = tuple(
        Target(rle.encode(mask), number, "mug", rle.encode(mask & SQUARE))
        for number, mask in enumerate(masks, 1)
    )
    fields = {"id": "a#0", "text": "the mugs", "mask_type": MaskType.AMODAL, **more}
    return QueryRecord(image="a.png", height=9, width=11, targets=targets, **fields)


def written(name: str, split: Split, out: Path, **options: Any) -> tuple[Any, Losses]:
    losses = Losses()
    FORMATS[name].write()(alone(split), out, Options(**options), losses)
    return (json.loads(out.read_text(encoding="utf-8")) if out.is_file() else None), losses


def as_lisa_fills(content: dict[str, Any]) -> np.ndarray:
    """The mask that LISA trains on: 1 target, 255 ignored; larger shapes lie below smaller ones."""
    cv2 = pytest.importorskip("cv2")
    layers = []
    for shape in content["shapes"]:
        points = [np.array([shape["points"]], np.int32)]
        area = np.zeros(SIZE_HW, np.uint8)
        cv2.polylines(area, points, True, 1, 1)
        cv2.fillPoly(area, points, 1)
        layers.append((int(area.sum()), area, 255 if "ignore" in shape["label"] else 1))
    mask = np.zeros(SIZE_HW, np.uint8)
    for _, area, value in sorted(layers, key=lambda layer: -layer[0]):
        mask[area > 0] = value
    return mask


@given(MASKS, MASKS)
@settings(max_examples=8)
def test_lisa_fills_the_same_pixels(pictures: Path, mask: np.ndarray, ignore: np.ndarray) -> None:
    from tempfile import TemporaryDirectory

    split = Split(queries=(query(mask, ignore=rle.encode(ignore)),), images=pictures)
    with TemporaryDirectory() as folder:
        _, losses = written("reasonseg", split, Path(folder) / "out")
        (path,) = (Path(folder) / "out" / "all").glob("*.json")
        content = json.loads(path.read_text(encoding="utf-8"))
        assert path.with_suffix(".jpg").is_file()
    assert (content["text"], content["is_sentence"]) == (["the mugs"], False)
    assert losses.counts["pictures as they were"] == 1
    filled = as_lisa_fills(content)
    assert ((filled == 1) == (mask & ~ignore)).all()
    assert ((filled == 255) == ignore).all()


def test_r2sm_answer_and_union(tmp_path: Path) -> None:
    split = Split(queries=(query(SQUARE, CORNER), query(SQUARE, id="b", mask_type="hidden")))
    (row,), losses = written("r2sm", split, tmp_path / "x.json")
    assert row["answer"] == (
        "<Q>the mugs</Q><A>instance id is 1, class name is mug; "
        "instance id is 2, class name is mug</A>"
    )
    assert (rle.decode(row["mask"]) == (SQUARE | CORNER)).all()
    assert row["instances"][0]["segmentation"] == rle.encode(SQUARE)
    assert losses.counts == {"queries for hidden parts": 1}


def entities() -> Split:
    box = Entity(7, "box", rle.encode(HOLE), rle.encode(SQUARE), {"colour": "red"}, 0.1)
    mug = Entity(9, "mug", rle.encode(CORNER), extra={"asset": "cup"})
    return Split(entities=(EntityRecord("a.png", *SIZE_HW, (box, mug)),))


# pycocotools decodes in a way that NumPy 2 warns of.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("name", ["coco", "coco-polygons"])
def test_pycocotools_reads_masks(name: str, tmp_path: Path, capsys: Any) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    content, _ = written(name, entities(), tmp_path / "x.json")
    api = coco.COCO(str(tmp_path / "x.json"))
    box, mug = api.loadAnns(api.getAnnIds(imgIds=[1]))
    assert (api.annToMask(box) == SQUARE).all()
    assert (api.annToMask(mug) == CORNER).all()
    assert (box["mask_type"], mug["mask_type"]) == ("amodal", "modal")
    assert (coco.maskUtils.decode(box["visible_mask"]) == HOLE).all()
    assert box["bbox"] == [2, 2, 6, 5]
    assert box["area"] == SQUARE.sum()
    assert [one["name"] for one in api.loadCats(api.getCatIds())] == ["box", "mug"]
    assert content["annotations"][0]["askmask"]["attributes"] == {"colour": "red"}


def test_pycocotools_scores_results_with_the_query_as_unit(tmp_path: Path, capsys: Any) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    asked = (query(SQUARE), query(CORNER, id="b"))
    masks = [(SQUARE, 0.9), (CORNER, 0.8)]
    answers = tuple(
        Prediction(one.id, masks=(PredictedMask(rle.encode(mask), score),))
        for one, (mask, score) in zip(asked, masks, strict=True)
    )
    written("coco", Split(queries=asked), tmp_path / "truth.json")
    rows, losses = written("coco-results", Split((), asked, answers), tmp_path / "found.json")
    assert [row["image_id"] for row in rows] == ["a#0", "b"]
    assert losses.lines() == []
    truth = coco.COCO(str(tmp_path / "truth.json"))
    scores = evaluation.COCOeval(truth, truth.loadRes(str(tmp_path / "found.json")), "segm")
    scores.params.useCats = 0
    scores.evaluate()
    scores.accumulate()
    scores.summarize()
    assert scores.stats[0] == pytest.approx(1)


def test_fiftyone_folder(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    split = Split(entities=entities().entities, images=pictures)
    _, losses = written("fiftyone", split, out)
    content = json.loads((out / "labels.json").read_text(encoding="utf-8"))
    assert (out / "data" / content["images"][0]["file_name"]).is_file()
    kinds = [(one["mask_type"], one["object"]) for one in content["annotations"]]
    assert kinds == [("modal", 7), ("amodal", 7), ("modal", 9)]
    assert content["annotations"][2]["asset"] == "cup"
    assert losses.counts == {"keys of objects with lists and mappings": 2}


def test_labelme_mask_shapes_have_the_size_of_their_box(tmp_path: Path) -> None:
    written("labelme", entities(), tmp_path / "out")
    content = json.loads((tmp_path / "out" / "a.json").read_text(encoding="utf-8"))
    kinds = [shape["shape_type"] for shape in content["shapes"]]
    assert kinds == ["mask", "polygon", "polygon"]
    assert content["shapes"][0]["points"] == [[2.0, 2.0], [7.0, 6.0]]
    assert content["imageData"] is None


def test_several_splits_need_a_choice(tmp_path: Path) -> None:
    from askmask.errors import ConfigError

    two = Collection({"train": entities(), "val": entities()})
    with pytest.raises(ConfigError, match="has train, val: choose one with --split"):
        FORMATS["coco"].write()(two, tmp_path / "x", Options(), Losses())
