"""Every figure on random small pictures against its definition, written out in `oracle`."""

import numpy as np
import oracle
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from records import make_query

from askmask import rle
from askmask.formats.askmask import PredictedMask, Prediction
from askmask.metrics import evaluate
from askmask.metrics.assigned_iou import assigned_ciou, assigned_giou
from askmask.metrics.counts import count
from askmask.metrics.rims import rim, rim_width

SIZE_HW = (6, 9)
SCORES = (0.2, 0.5, 0.5, 0.9)  # equal scores are likely


def _boxes(boxes: list[tuple[int, int, int, int]]) -> np.ndarray:
    """Stack of boxes y, x, height, width: cut by the border, nested, equal or empty."""
    stack = np.zeros((len(boxes), *SIZE_HW), bool)
    for mask, (y, x, h, w) in zip(stack, boxes, strict=True):
        mask[y : y + h, x : x + w] = True
    return stack


box = st.tuples(st.integers(0, 5), st.integers(0, 8), st.integers(0, 6), st.integers(0, 9))
stacks = st.lists(box, max_size=3).map(_boxes)
scores = st.lists(st.sampled_from(SCORES), min_size=3, max_size=3)
samples = st.lists(st.tuples(stacks, stacks, scores), min_size=1, max_size=4)

ONE_PIXEL = _boxes([(5, 8, 1, 1)])
WHOLE = _boxes([(0, 0, 6, 9)])
NESTED = _boxes([(0, 0, 4, 4), (1, 1, 2, 2), (0, 0, 4, 4)])
NOTHING = _boxes([])
HARD = [
    (ONE_PIXEL, ONE_PIXEL, [0.5] * 3),
    (WHOLE, NESTED, [0.5, 0.9, 0.5]),
    (NESTED, NESTED[::-1], [0.5] * 3),
    (NOTHING, NOTHING, []),
    (NOTHING, WHOLE, [0.9]),
    (_boxes([(2, 2, 0, 0)]), NOTHING, []),
]


def _records(drawn) -> tuple[list, list]:
    queries, predictions = [], []
    for i, (targets, masks, said) in enumerate(drawn):
        queries.append(make_query(str(i), targets, size_hw=SIZE_HW))
        found = (PredictedMask(rle.encode(m), s) for m, s in zip(masks, said, strict=False))
        predictions.append(Prediction(id=str(i), masks=tuple(found)))
    return queries, predictions


@settings(max_examples=60, deadline=None)
@example(HARD)
@given(samples)
def test_ap_family_f1_and_rims(drawn) -> None:
    report = evaluate(*_records(drawn), resamples=1)
    ours = {name: figure.value for name, figure in report.metrics.items()}
    cocos = [(targets, masks, said) for targets, masks, said in drawn]
    thresholds = np.linspace(0.5, 0.95, 10)
    ap, ar = oracle.average_precision(cocos, thresholds)
    expected = {
        "AP": ap,
        "AR": ar,
        "AP50": oracle.average_precision(cocos, thresholds[:1])[0],
        "AP75": oracle.average_precision(cocos, thresholds[5:6])[0],
        "APs": oracle.average_precision(cocos, thresholds, "s")[0],
        "APl": oracle.average_precision(cocos, thresholds, "l")[0],
        "F1@0.5": np.mean([oracle.matched_f1(masks, targets) for targets, masks, _ in drawn]),
        "boundary-IoU": np.mean([_rim_iou(masks, targets) for targets, masks, _ in drawn]),
        "selection-brier": _brier(drawn),
    }
    found = {name: ours[name] for name in expected}
    assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)


def _rim_iou(masks: np.ndarray, targets: np.ndarray) -> float:
    a, b = (oracle.rim(stack.any(axis=0), 1) for stack in (masks, targets))
    return oracle.iou(a, b) if (a | b).any() else 1.0


def _brier(drawn) -> float:
    """Equal IoUs leave open which mask is the hit, so the best of all choices is not unique."""
    squares = []
    for targets, masks, said in drawn:
        hits = {m for m, _ in oracle.best_pairs(masks, targets, 0.5)}
        squares += [(said[m] - (m in hits)) ** 2 for m in range(len(masks))]
    return float(np.mean(squares)) if squares else float("nan")


@settings(max_examples=60, deadline=None)
@example(HARD)
@given(samples)
def test_iou_of_assigned_instances(drawn) -> None:
    counts = count(*_records(drawn))
    total, common, either, larger = 0.0, 0, 0, 0
    for targets, masks, _ in drawn:
        pairs = oracle.best_pairs(masks, targets, 0.0)
        total += sum(oracle.iou(masks[m], targets[t]) for m, t in pairs)
        larger += max(len(masks), len(targets))
    assert assigned_giou(counts).value == pytest.approx(
        total / larger if larger else float("nan"), nan_ok=True
    )
    common, either = counts.pairs[:, 1].sum(), counts.pairs[:, 2].sum()
    area = sum(int(targets.sum() + masks.sum()) for targets, masks, _ in drawn)
    assert common + either == area
    value = assigned_ciou(counts).value
    assert np.isnan(value) if not larger or not area else 0 <= value <= 1


@settings(max_examples=60, deadline=None)
@given(arrays(bool, (7, 11)), st.integers(1, 4))
def test_rim_is_what_is_near_the_outside(mask: np.ndarray, distance: int) -> None:
    assert np.array_equal(rim(mask, distance), oracle.rim(mask, distance))


def test_width_of_the_rim_is_two_percent_of_the_diagonal() -> None:
    assert [rim_width(size) for size in [(480, 640), (10, 10), (30, 40), (60, 63)]] == [16, 1, 1, 2]


def test_more_than_a_hundred_masks_count_up_to_the_hundredth() -> None:
    targets = _boxes([(0, 0, 2, 2)])
    masks = np.concatenate([_boxes([(4, 4, 1, 1)] * 100), targets])
    for last, ap in [(0.4, 0.0), (0.6, 1.0)]:
        found = (PredictedMask(rle.encode(m), 0.5) for m in masks[:-1])
        best = PredictedMask(rle.encode(masks[-1]), last)
        report = evaluate(
            [make_query("a", targets, size_hw=SIZE_HW)],
            [Prediction(id="a", masks=(*found, best))],
            resamples=1,
        )
        assert report.metrics["AP"].value == ap
        assert report.metrics["F1@0.5"].value == pytest.approx(2 / 102)
