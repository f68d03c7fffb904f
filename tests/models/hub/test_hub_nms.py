"""Suppression of all pairs at once, against the rule spelled out."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from askmask.models.hub.nms import box_iou, mask_iou, suppress


def greedy(overlap: np.ndarray, score: np.ndarray, threshold: float) -> list[bool]:
    """Best first, each kept one drops what it overlaps."""
    keep = [True] * len(score)
    for place in sorted(range(len(score)), key=lambda i: -score[i]):
        if keep[place]:
            for other in range(len(score)):
                worse = score[other] < score[place] or (
                    score[other] == score[place] and other > place
                )
                if worse and overlap[place, other] > threshold:
                    keep[other] = False
    return keep


@st.composite
def overlaps(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    count = draw(st.integers(0, 9))
    levels = st.integers(0, 4)
    raw = np.array(draw(st.lists(levels, min_size=count**2, max_size=count**2)), np.float32)
    raw = raw.reshape(count, count) / 4
    score = np.array(draw(st.lists(levels, min_size=count, max_size=count)), np.float32)
    return np.maximum(raw, raw.T), score


@given(st.lists(overlaps(), min_size=1, max_size=3), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_is_the_greedy_rule(pictures, threshold):
    for overlap, score in pictures:
        kept = suppress(torch.from_numpy(overlap), torch.from_numpy(score), threshold)
        assert kept.tolist() == greedy(overlap, score, threshold)


def test_several_pictures_at_once():
    generator = torch.Generator().manual_seed(0)
    raw = torch.rand(5, 40, 40, generator=generator)
    overlap, score = torch.maximum(raw, raw.mT), torch.rand(5, 40, generator=generator)
    together = suppress(overlap, score, 0.9)
    for row in range(5):
        assert torch.equal(together[row], suppress(overlap[row], score[row], 0.9))
    assert 0 < together.sum() < together.numel()


def test_a_chain_of_any_length():
    """Each overlaps the next, so every second one stays."""
    count = 33
    overlap = torch.zeros(count, count)
    overlap[range(count - 1), range(1, count)] = overlap[range(1, count), range(count - 1)] = 1.0
    kept = suppress(overlap, torch.arange(count, 0, -1.0), 0.5)
    assert kept.tolist() == [place % 2 == 0 for place in range(count)]


def test_nothing_stays_nothing():
    assert suppress(torch.zeros(0, 0), torch.zeros(0), 0.5).shape == (0,)
    assert box_iou(torch.zeros(0, 4)).shape == (0, 0)
    assert mask_iou(torch.zeros(0, 3, 3, dtype=torch.bool)).shape == (0, 0)


sides = st.integers(-3, 8)


@given(st.lists(st.tuples(sides, sides, sides, sides), max_size=5))
def test_iou_of_boxes_counts_cells(boxes):
    grid = np.zeros((len(boxes), 12, 12), bool)
    for cells, (x0, y0, x1, y1) in zip(grid, boxes, strict=True):
        cells[y0 + 3 : max(y1, y0) + 3, x0 + 3 : max(x1, x0) + 3] = True
    found = box_iou(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4))
    counted = mask_iou(torch.from_numpy(grid))
    assert found.numpy() == pytest.approx(counted.numpy(), abs=1e-6)


@given(st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_iou_of_masks_counts_pixels(count, seed):
    masks = np.random.default_rng(seed).random((count, 3, 5)) < 0.4
    found = mask_iou(torch.from_numpy(masks))
    for a in range(count):
        for b in range(count):
            common, either = (masks[a] & masks[b]).sum(), (masks[a] | masks[b]).sum()
            assert found[a, b].item() == pytest.approx(common / either if either else 0.0)


def test_large_masks_are_compared_in_parts():
    masks = torch.rand(3, 200, 130, generator=torch.Generator().manual_seed(1)) < 0.5
    flat = masks.flatten(1).double()
    common = flat @ flat.T
    either = flat.sum(1)[:, None] + flat.sum(1) - common
    assert torch.allclose(mask_iou(masks).double(), common / either, atol=1e-6)
