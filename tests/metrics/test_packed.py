"""Counts on packed bits: equal to those on bools."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from askmask.errors import ShapeError
from askmask.metrics import packed
from askmask.metrics.packed import fused_areas, iou_matrix, pack, pair_areas

SIZE_HW = (9, 17)
stacks = st.integers(0, 4).flatmap(lambda n: arrays(bool, (n, *SIZE_HW)))


@given(stacks, stacks, stacks)
def test_equal_to_bools(predicted, target, ignored) -> None:
    common, predicted_area, target_area = pair_areas(pack(predicted), pack(target))
    assert common.tolist() == [[(p & t).sum() for t in target] for p in predicted]
    assert predicted_area.tolist() == predicted.sum((1, 2)).tolist()
    assert target_area.tolist() == target.sum((1, 2)).tolist()
    p, t = predicted.any(axis=0), target.any(axis=0)
    assert fused_areas(pack(predicted), pack(target)) == ((p & t).sum(), (p | t).sum())
    scored = ~ignored.any(axis=0)
    assert fused_areas(pack(predicted), pack(target), pack(ignored) if len(ignored) else None) == (
        (p & t & scored).sum(),
        ((p | t) & scored).sum(),
    )


def test_iou_of_pairs() -> None:
    masks = np.zeros((3, 4, 4), bool)
    masks[0, :2], masks[1, 1:3] = True, True
    third = 1 / 3
    assert iou_matrix(pack(masks), pack(masks)) == pytest.approx(
        np.array([[1, third, 0], [third, 1, 0], [0, 0, 0]])
    )


def test_without_the_counter_of_new_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    words = np.random.default_rng(0).integers(0, 2**64, 300, np.uint64, endpoint=False)
    words[:2] = 0, 2**64 - 1
    expected = [int(word).bit_count() for word in words]
    assert packed._bits_set(words).tolist() == expected
    monkeypatch.delattr(np, "bitwise_count", raising=False)
    assert packed._bits_set(words).tolist() == expected


def test_wrong_arrays_are_named() -> None:
    with pytest.raises(ShapeError, match=r"expected \(N, H, W\) bool, got \(4, 4\) bool"):
        pack(np.zeros((4, 4), bool))
    with pytest.raises(ShapeError, match="use masks > 0"):
        pack(np.zeros((1, 4, 4), np.uint8))
    with pytest.raises(ShapeError, match="one size of picture"):
        iou_matrix(pack(np.zeros((1, 4, 4), bool)), pack(np.zeros((1, 40, 40), bool)))
