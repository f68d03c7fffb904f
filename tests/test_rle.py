"""RLE against pycocotools, against dense masks, and against malformed input."""

import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco

from askmask import rle
from askmask.errors import RLEError, ShapeError

SHAPES = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24)
MASKS = SHAPES.flatmap(lambda shape: arrays(bool, shape))


@st.composite
def stacks(draw, max_masks=4):
    """Draw (N, H, W) bool with N from 0 on."""
    shape = draw(SHAPES)
    return draw(arrays(bool, (draw(st.integers(0, max_masks)), *shape)))


def coco_string(mask):
    return coco.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()


def ring(height, width):
    y, x = np.mgrid[:height, :width]
    square = (y - height / 2) ** 2 + (x - width / 2) ** 2
    return (square < (height / 2.5) ** 2) & (square > (height / 8) ** 2)


CASES = {
    "empty": np.zeros((7, 5), bool),
    "full": np.ones((7, 5), bool),
    "one pixel off": np.zeros((1, 1), bool),
    "one pixel on": np.ones((1, 1), bool),
    "row": np.arange(40)[None] % 7 < 3,
    "column": np.arange(40)[:, None] % 7 < 3,
    "first pixel": np.eye(5, dtype=bool)[:1].repeat(4, 0),
    "hole": ring(48, 64),
    "large": ring(480, 640),
    "chessboard": np.indices((31, 17)).sum(0) % 2 == 1,
    "long runs": np.arange(3000 * 4000).reshape(3000, 4000) >= 11_999_999,
}


@pytest.mark.parametrize("mask", CASES.values(), ids=CASES.keys())
def test_same_string_as_pycocotools(mask):
    code = rle.encode(mask)
    assert code == {"size": list(mask.shape), "counts": coco_string(mask)}
    assert np.array_equal(rle.decode(code), mask)


@given(MASKS)
def test_any_mask_has_the_string_of_pycocotools_and_comes_back(mask):
    code = rle.encode(mask)
    assert code["counts"] == coco_string(mask)
    assert np.array_equal(rle.decode(code), mask)
    assert rle.area(code) == mask.sum()
    assert np.array_equal(rle.decode(rle.encode(np.asfortranarray(mask))), mask)


@given(MASKS)
def test_box_covers_the_mask_exactly(mask):
    box = rle.box_xyxy(rle.encode(mask))
    if not mask.any():
        assert box is None
        return
    y, x = np.nonzero(mask)
    assert box == (x.min(), y.min(), x.max() + 1, y.max() + 1)


@given(stacks())
def test_set_operations_agree_with_dense_masks(masks):
    size_hw = masks.shape[1:]
    codes = [rle.encode(mask) for mask in masks]
    assert rle.union(codes, size_hw) == rle.encode(masks.any(0))
    everywhere = masks.all(0) if len(masks) else np.zeros(size_hw, bool)
    assert rle.intersection(codes, size_hw) == rle.encode(everywhere)
    if len(masks) >= 2:
        assert rle.subtract(codes[0], codes[1]) == rle.encode(masks[0] & ~masks[1])


@given(stacks(), st.integers(0, 4))
def test_iou_matrix_agrees_with_pycocotools(masks, split):
    a, b = ([rle.encode(m) for m in part] for part in (masks[:split], masks[split:]))
    ours = rle.iou_matrix(a, b)
    assert ours.shape == (len(a), len(b))
    if a and b:
        theirs = coco.iou(a, b, [0] * len(b))  # 0.0 where both are empty, as ours
        np.testing.assert_array_equal(ours, theirs)
        assert rle.iou(a[0], b[0]) == ours[0, 0] == rle.iou(b[0], a[0])


def test_iou_of_two_empty_masks_is_zero():
    nothing = rle.encode(np.zeros((3, 4), bool))
    assert rle.iou(nothing, nothing) == 0.0
    assert rle.iou(rle.encode(np.ones((3, 4), bool)), nothing) == 0.0


@given(st.data())
def test_runs_of_no_pixels_are_read_and_become_canonical(data):
    runs = data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=30))
    height, width = 1, sum(runs)
    if not width:
        return
    mask = np.repeat(np.arange(len(runs)) % 2 == 1, runs)[None]
    loose = {"size": [height, width], "counts": rle._pack(np.array(runs, np.int64))}
    if len(loose["counts"]) > 2 * width + 2:
        with pytest.raises(RLEError, match="at most"):
            rle.validate(loose)
        return
    assert np.array_equal(rle.decode(loose), mask)
    assert rle.union([loose], (height, width)) == rle.encode(mask)
    assert rle.area(loose) == mask.sum()
    assert rle.iou(loose, rle.encode(mask)) == float(mask.any())
    assert rle.from_counts(runs, (height, width)) == rle.encode(mask)


GOOD = rle.encode(ring(6, 8))

MALFORMED = {
    "no mapping": (None, "got None"),
    "a list": ([1, 2], 'expected {"size"'),
    "no counts": ({"size": [2, 2]}, 'expected {"size"'),
    "no size": ({"counts": "4"}, 'expected {"size"'),
    "size text": ({"size": "2x2", "counts": "4"}, "got '2x2'"),
    "size of three": ({"size": [2, 2, 1], "counts": "4"}, r"expected \[height, width\]"),
    "size float": ({"size": [2.0, 2], "counts": "4"}, "whole pixels"),
    "size bool": ({"size": [True, 2], "counts": "2"}, "whole pixels"),
    "size null": ({"size": [None, 2], "counts": "2"}, "whole pixels"),
    "size negative": ({"size": [-2, -2], "counts": "4"}, r"got \[-2, -2\]"),
    "size zero": ({"size": [0, 2], "counts": "0"}, r"got \[0, 2\]"),
    "size huge": ({"size": [10**9, 10**9], "counts": "4"}, "100,000,000"),
    "size unprintable": ({"size": [10**9000, 1], "counts": "4"}, "too long to print"),
    "counts bytes": ({"size": [2, 2], "counts": b"4"}, "decode the bytes"),
    "counts list": ({"size": [2, 2], "counts": [4]}, "from_counts"),
    "counts null": ({"size": [2, 2], "counts": None}, "expected a string, got None"),
    "counts empty": ({"size": [2, 2], "counts": ""}, "got ''"),
    "wrong character": ({"size": [2, 2], "counts": "4p"}, "got 'p'"),
    "not ascii": ({"size": [2, 2], "counts": "é4"}, "got 'é'"),
    "beyond latin": ({"size": [2, 2], "counts": "4猫"}, "got '猫'"),
    "lone surrogate": ({"size": [2, 2], "counts": "4\ud800"}, "from '0' to 'o'"),
    "truncated": ({"size": [2, 2], "counts": "4Q"}, "truncated"),
    "long number": ({"size": [9, 9], "counts": "PPPPPP0"}, "got one of 7"),
    "negative run": ({"size": [2, 2], "counts": "5O"}, "0 or more, got -1"),
    "wrong sum": ({"size": [2, 2], "counts": "3"}, r"2 x 2 = 4 pixels, got 3"),
    "too long": ({"size": [2, 2], "counts": "0" * 99}, "at most 10 characters"),
}


@pytest.mark.parametrize(("code", "message"), MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_code_is_refused_in_one_line(code, message):
    with pytest.raises(RLEError, match=message) as caught:
        rle.validate(code)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    JSON
    | st.fixed_dictionaries({"size": JSON, "counts": JSON})
    | st.fixed_dictionaries(
        {
            "size": st.lists(st.integers(1, 9), min_size=2, max_size=2),
            "counts": st.text(st.characters(min_codepoint=46, max_codepoint=113)),
        }
    )
)
def test_garbage_is_refused_or_is_a_mask(garbage):
    try:
        rle.validate(garbage)
    except RLEError:
        return
    assert rle.decode(garbage).shape == tuple(garbage["size"])


def test_validate_compares_the_size():
    rle.validate(GOOD, (6, 8))
    with pytest.raises(RLEError, match=r"expected \[8, 6\], got \[6, 8\]"):
        rle.validate(GOOD, (8, 6))
    other = rle.encode(np.ones((8, 6), bool))
    for call in (
        lambda: rle.union([GOOD, other], (6, 8)),
        lambda: rle.intersection([other], (6, 8)),
        lambda: rle.subtract(GOOD, other),
        lambda: rle.iou(GOOD, other),
    ):
        with pytest.raises(RLEError, match="RLE size"):
            call()


def test_refusing_a_long_text_costs_no_memory():
    code = {"size": [9_999, 9_999], "counts": "1" * (rle.MAX_COUNTS + 1)}
    tracemalloc.start()
    with pytest.raises(RLEError, match="at most"):
        rle.validate(code)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.zeros((2, 2), np.uint8), "mask > 0"),
        (np.zeros((1, 2, 2), bool), r"got \(1, 2, 2\) bool"),
        (np.zeros((0, 2), bool), r"got \(0, 2\) bool"),
    ],
)
def test_encode_refuses_other_arrays(mask, message):
    with pytest.raises(ShapeError, match=message):
        rle.encode(mask)


@pytest.mark.parametrize("counts", [[], [1.5, 2.5], ["4"], [5, -1], [3], [10**12, 4], [True, 3]])
def test_from_counts_refuses_what_does_not_fill_the_picture(counts):
    with pytest.raises(RLEError, match="RLE counts"):
        rle.from_counts(counts, (2, 2))


def test_code_survives_json():
    assert json.loads(json.dumps(GOOD)) == GOOD
