"""AP and AR against pycocotools: on COCO's own example, and on hard cases made here."""

import contextlib
import io
import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from records import make_query
from shared_material import SHARED

from askmask import rle
from askmask.formats.askmask import PredictedMask, Prediction
from askmask.metrics import evaluate
from askmask.metrics.average_precision import average_precision, average_recall
from askmask.metrics.edges import read_edges
from askmask.metrics.instances import Instances, match_instances

OFFICIAL = SHARED / "real" / "cocoeval"
SIZE_HW = (120, 150)

# What COCO's repository states for its example, and pycocotools gives for it with useCats = 0.
STATED = {
    1: [0.320, 0.562, 0.299, 0.387, 0.310, 0.327, 0.268, 0.415, 0.417, 0.469, 0.377, 0.381],
    0: [0.325, 0.689, 0.252, 0.352, 0.303, 0.334, 0.059, 0.355, 0.482, 0.505, 0.466, 0.451],
}


def _pycocotools(truth: dict, results: list[dict], use_cats: int) -> list[float]:
    """The 12 numbers, NaN where pycocotools has -1."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        run = COCOeval(coco, coco.loadRes(results), "segm")
        run.params.imgIds = sorted({image["id"] for image in truth["images"]})
        run.params.useCats = use_cats
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [value if value > -1 else float("nan") for value in run.stats]


def _twelve(instances: Instances) -> list[float]:
    ap = [average_precision(instances, 0).value]
    ap += [average_precision(instances, 0, slice(i, i + 1)).value for i in (0, 5)]
    ap += [average_precision(instances, area).value for area in (1, 2, 3)]
    ar = [average_recall(instances, 0, most).value for most in (1, 10, 100)]
    return ap + ar + [average_recall(instances, area).value for area in (1, 2, 3)]


def _matched(truth: dict, anns: Sequence[dict], results: Sequence[dict]) -> Instances:
    """Instances with each image of `truth` as a query."""
    row = {image["id"]: i for i, image in enumerate(sorted(truth["images"], key=lambda x: x["id"]))}
    order = sorted(anns, key=lambda ann: (row[ann["image_id"]], ann["category_id"]))
    found = sorted(results, key=lambda one: (row[one["image_id"]], one["category_id"]))
    size = {image["id"]: (image["height"], image["width"]) for image in truth["images"]}
    codes = [one["segmentation"] for one in found]
    codes += [_code(ann["segmentation"], size[ann["image_id"]]) for ann in order]
    d, g = len(found), len(order)
    return match_instances(
        read_edges(codes),
        (
            np.arange(d),
            np.array([row[one["image_id"]] for one in found], np.int64),
            np.array([one["score"] for one in found], np.float64),
        ),
        (
            np.arange(d, d + g),
            np.array([row[ann["image_id"]] for ann in order], np.int64),
            np.array([ann["iscrowd"] for ann in order], bool),
        ),
        len(row),
        np.array([ann["area"] for ann in order]),
    )


def _code(segmentation, size_hw: tuple[int, int]) -> rle.RLE:
    """Code of polygons, of a list of runs, or as it is."""
    if isinstance(segmentation, list):
        segmentation = coco_mask.merge(coco_mask.frPyObjects(segmentation, *size_hw))
    elif isinstance(segmentation["counts"], list):
        return rle.from_counts(segmentation["counts"], size_hw)
    counts = segmentation["counts"]
    return {"size": [*size_hw], "counts": counts if isinstance(counts, str) else counts.decode()}


def _ours(truth: dict, results: list[dict], use_cats: int) -> list[float]:
    """The 12 numbers; with classes, each class is evaluated alone and their mean is taken."""
    anns = truth["annotations"]
    if not use_cats:
        return _twelve(_matched(truth, anns, results))
    values = [
        _twelve(
            _matched(
                truth,
                [ann for ann in anns if ann["category_id"] == category],
                [one for one in results if one["category_id"] == category],
            )
        )
        for category in sorted({ann["category_id"] for ann in anns})
    ]
    defined = [[v for v in column if not np.isnan(v)] for column in zip(*values, strict=True)]
    return [float(np.mean(column)) if column else float("nan") for column in defined]


@pytest.mark.skipif(not OFFICIAL.is_dir(), reason="COCO's example is not beside the checkout")
@pytest.mark.parametrize("use_cats", [1, 0])
def test_the_twelve_numbers_of_cocos_own_example(use_cats: int) -> None:
    truth = json.loads((OFFICIAL / "instances_val2014_100.json").read_text())
    results = json.loads((OFFICIAL / "instances_val2014_fakesegm100_results.json").read_text())
    ours = _ours(truth, results, use_cats)
    assert ours == pytest.approx(_pycocotools(truth, results, use_cats), abs=1e-12)
    assert ours == pytest.approx(STATED[use_cats], abs=5e-4)


def _disc(rng: np.random.Generator, largest: float) -> np.ndarray:
    """Mask of an ellipse, often cut by the border; sometimes one pixel or empty."""
    y, x = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    cy, cx = rng.uniform(0, SIZE_HW)
    ry, rx = rng.uniform(0.3, largest, 2)
    return ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1


def _shifted(rng: np.random.Generator, mask: np.ndarray) -> np.ndarray:
    return np.roll(mask, rng.integers(-4, 5, 2), (0, 1))


def _hard_cases(seed: int) -> tuple[dict, list[dict]]:
    """Crowds, nested and equal targets, equal scores, no targets, no or 120 masks, two classes."""
    rng = np.random.default_rng(seed)
    images = [{"id": i, "height": SIZE_HW[0], "width": SIZE_HW[1]} for i in range(1, 31)]
    anns, results = [], []
    for image in images:
        masks = []
        for _ in range(rng.integers(0, 5)):
            masks.append(_disc(rng, rng.choice([6, 30, 70])))
            if rng.random() < 0.3:
                masks.append(masks[-1] if rng.random() < 0.5 else masks[-1] & _disc(rng, 60))
        for mask in masks:
            code = rle.encode(mask)
            anns.append(
                {
                    "id": len(anns) + 1,
                    "image_id": image["id"],
                    "category_id": int(rng.integers(1, 3)),
                    "iscrowd": int(rng.random() < 0.15),
                    "area": rle.area(code),
                    "bbox": [0, 0, 1, 1],
                    "segmentation": code,
                }
            )
        many = 120 if image["id"] == 7 else rng.integers(0, 7)
        for _ in range(many):
            near = masks and rng.random() < 0.8
            mask = _shifted(rng, masks[rng.integers(len(masks))]) if near else _disc(rng, 40)
            results.append(
                {
                    "image_id": image["id"],
                    "category_id": int(rng.integers(1, 3)),
                    "score": round(float(rng.random()), 1),
                    "segmentation": rle.encode(mask),
                }
            )
    categories = [{"id": 1, "name": "mug"}, {"id": 2, "name": "jar"}]
    return {"images": images, "annotations": anns, "categories": categories}, results


@pytest.mark.parametrize("use_cats", [1, 0])
@pytest.mark.parametrize("seed", range(3))
def test_the_twelve_numbers_of_hard_cases(seed: int, use_cats: int) -> None:
    truth, results = _hard_cases(seed)
    assert _ours(truth, results, use_cats) == pytest.approx(
        _pycocotools(truth, results, use_cats), abs=1e-12, nan_ok=True
    )


def _records(truth: dict, results: list[dict]) -> tuple[list, list]:
    """Each image as a query without classes, crowds marked as readers do."""
    queries, predictions = [], []
    for image in truth["images"]:
        mine = [ann for ann in truth["annotations"] if ann["image_id"] == image["id"]]
        mine.sort(key=lambda ann: ann["category_id"])
        found = [one for one in results if one["image_id"] == image["id"]]
        found.sort(key=lambda one: one["category_id"])
        name = f"query {image['id']:03d}"
        query = make_query(name, [rle.decode(a["segmentation"]) for a in mine], size_hw=SIZE_HW)
        for target, ann in zip(query.targets, mine, strict=True):
            target.extra["iscrowd"] = ann["iscrowd"]
        queries.append(query)
        masks = tuple(PredictedMask(one["segmentation"], one["score"]) for one in found)
        predictions.append(Prediction(id=name, masks=masks))
    return queries, predictions


def test_the_protocol_takes_each_query_as_an_image() -> None:
    truth, results = _hard_cases(5)
    report = evaluate(*_records(truth, results), "r2sm", resamples=2)
    theirs = _pycocotools(truth, results, 0)
    names = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR")
    ours = [report.metrics[name].value for name in names]
    assert ours == pytest.approx([*theirs[:6], theirs[8]], abs=1e-12)


def test_an_ignore_region_is_a_crowd() -> None:
    truth, results = _hard_cases(6)
    queries, predictions = _records(truth, results)
    region = np.zeros(SIZE_HW, bool)
    region[:70] = True
    ignoring = [replace(query, ignore=rle.encode(region)) for query in queries]
    for image in truth["images"]:
        truth["annotations"].append(
            {
                "id": len(truth["annotations"]) + 1,
                "image_id": image["id"],
                "category_id": 2,
                "iscrowd": 1,
                "area": int(region.sum()),
                "bbox": [0, 0, 1, 1],
                "segmentation": rle.encode(region),
            }
        )
    theirs = _pycocotools(truth, results, 0)
    ap = evaluate(ignoring, predictions, "r2sm", resamples=2).metrics["AP"].value
    assert ap == pytest.approx(theirs[0], abs=1e-12)
    assert ap != evaluate(queries, predictions, "r2sm", resamples=2).metrics["AP"].value
