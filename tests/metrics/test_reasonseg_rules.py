"""LISA's rules on real ReasonSeg annotations: painting order, truncation, ignored pixels."""

import json
import re

import numpy as np
import pytest
from records import make_prediction, make_query
from shared_material import SHARED

from askmask.metrics import evaluate

REAL = SHARED / "real"


def _expected() -> dict[str, dict]:
    path = REAL / "EXPECTED.json"
    known = json.loads(path.read_text()) if path.is_file() else {}
    return {name: counts for name, counts in known.items() if name.startswith("reasonseg/")}


def _painted(shapes: list[dict], size_hw: tuple[int, int]) -> np.ndarray:
    """Label of each pixel, (H, W) uint8: 0, 1 or 255, as LISA's get_mask_from_json paints it."""
    cv2 = pytest.importorskip("cv2")
    masks = []
    for shape in shapes:
        if shape["label"].lower() != "flag":
            mask = np.zeros(size_hw, np.uint8)
            points = np.array([shape["points"]], np.int32)  # truncates
            cv2.polylines(mask, points, True, 1, 1)
            cv2.fillPoly(mask, points, 1)
            masks.append((shape["label"].lower(), mask))
    labels = np.zeros(size_hw, np.uint8)
    for i in np.argsort([mask.sum() for _, mask in masks])[::-1]:  # small over large
        name, mask = masks[i]
        labels[mask == 1] = 255 if "ignore" in name else 1
    return labels


@pytest.mark.skipif(not _expected(), reason="ReasonSeg's files are not beside the checkout")
@pytest.mark.parametrize("name", sorted(_expected()))
def test_pixels_that_lisa_counts(name: str) -> None:
    expected = _expected()[name]
    height, width = map(int, re.search(r"(\d+)x(\d+) \(HxW\)", name).groups())
    path = REAL / name.split()[0]
    labels = _painted(json.loads(path.read_text(encoding="utf-8"))["shapes"], (height, width))
    assert (labels == 255).sum() == expected["ignore_px"]
    query = make_query("q", [labels == 1], size_hw=labels.shape, ignore=labels == 255)
    everything = make_prediction("q", fused=np.ones(labels.shape, bool))
    report = evaluate([query], [everything], "reasonseg", resamples=2)
    counts, lisa = report.counts, expected["LISA_all_ones_pred"]
    assert counts.target_area.tolist() == [expected["target_px"]]
    assert (counts.intersection.tolist(), counts.union.tolist()) == ([lisa["I"]], [lisa["U"]])


def _lisa(labels: np.ndarray, predicted: np.ndarray) -> tuple[float, int, int]:
    """LISA's accuracy of the foreground, intersection and union of one mask."""
    g, p = labels.astype(int), predicted.astype(int)
    p[g == 255] = 255
    common = int(((p == 1) & (g == 1)).sum())
    union = int((p == 1).sum() + (g == 1).sum()) - common
    return common / (union + 1e-5) + (union == 0), common, union


def test_digits_of_lisa_with_its_epsilons() -> None:
    rng = np.random.default_rng(0)
    queries, answers, rows = [], [], []
    for i in range(12):
        labels = rng.choice([0, 1, 255], (8, 9), p=[0.5, 0.4, 0.1]).astype(np.uint8)
        labels *= i % 4 > 0  # every fourth query has no target
        predicted = (rng.random((8, 9)) < 0.5) & (i % 3 > 0)
        targets = [labels == 1] if (labels == 1).any() else []
        queries.append(make_query(str(i), targets, size_hw=(8, 9), ignore=labels == 255))
        answers.append(make_prediction(str(i), fused=predicted))
        rows.append(_lisa(labels, predicted))
    accuracy, common, union = (np.array(column) for column in zip(*rows, strict=True))
    lisa = evaluate(queries, answers, "reasonseg:epsilon=lisa", resamples=2).metrics
    assert lisa["gIoU"].value == pytest.approx(accuracy.sum() / (12 + 1e-5), abs=1e-14)
    assert lisa["cIoU"].value == pytest.approx(common.sum() / (union.sum() + 1e-10), abs=1e-14)
    psalm = evaluate(queries, answers, "reasonseg:epsilon=psalm", resamples=2).metrics
    assert psalm["gIoU"].value == pytest.approx(accuracy.mean(), abs=1e-14)
    exact = evaluate(queries, answers, "reasonseg", resamples=2).metrics
    assert 0 < exact["gIoU"].value - lisa["gIoU"].value < 1e-5
