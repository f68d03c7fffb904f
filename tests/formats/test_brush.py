"""Label Studio's brush code and CVAT's points: there and back, and broken."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from askmask.errors import DataError, ShapeError
from askmask.formats.brush import decode_brush, encode_brush
from askmask.formats.cvat import decode_points, encode_points

MASKS = hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 14)))


@given(MASKS)
def test_brush_comes_back(mask: np.ndarray) -> None:
    assert (decode_brush(encode_brush(mask), mask.shape) == mask).all()


def test_brush_of_long_runs_comes_back() -> None:
    mask = np.zeros((300, 400), bool)
    mask[100:250] = True
    code = encode_brush(mask)
    assert len(code) < 60
    assert (decode_brush(code, mask.shape) == mask).all()


def test_brush_is_the_stream_that_its_definition_gives() -> None:
    # 8 values; words of 8 bits; lengths of 3, 4, 8, 16 bits; a run of 4 zeros, a run of 4 x 255.
    header = f"{8:032b}" + f"{7:05b}" + "".join(f"{bits - 1:04b}" for bits in (3, 4, 8, 16))
    blocks = "1" + "00" + f"{3:03b}" + f"{0:08b}" + "1" + "00" + f"{3:03b}" + f"{255:08b}"
    bits = header + blocks
    bits += "0" * (-len(bits) % 8)
    expected = [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]
    assert encode_brush(np.array([[False, True]])) == expected


def test_brush_with_single_values_is_read() -> None:
    header = f"{4:032b}" + f"{7:05b}" + "".join(f"{bits - 1:04b}" for bits in (3, 4, 8, 16))
    values = (9, 9, 9, 200)
    bits = header + "0" + "00" + f"{3:03b}" + "".join(f"{value:08b}" for value in values)
    bits += "0" * (-len(bits) % 8)
    code = [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]
    assert decode_brush(code, (1, 1)).tolist() == [[True]]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ([], "truncated"),
        ([0] * 10, "expected 2 x 3 x 4 = 24 values, got 0"),
        ([300], "from 0 to 255"),
        ("abc", "from 0 to 255"),
        (encode_brush(np.ones((2, 3), bool))[:-1], "truncated"),
        (encode_brush(np.ones((2, 4), bool)), "got 32"),
    ],
)
def test_broken_brush_is_refused(code: list[int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        decode_brush(code, (2, 3))


@given(st.lists(st.integers(0, 255), max_size=40))
def test_any_bytes_give_a_mask_or_an_error(code: list[int]) -> None:
    valid = encode_brush(np.eye(3, dtype=bool))
    for stream in (code, valid[:7] + code):
        with suppress(DataError):
            assert decode_brush(stream, (3, 3)).shape == (3, 3)


def test_no_mask_is_refused() -> None:
    with pytest.raises(ShapeError, match="bool"):
        encode_brush(np.zeros((2, 2)))


@given(MASKS)
def test_points_come_back(mask: np.ndarray) -> None:
    assert (decode_points(encode_points(mask), mask.shape) == mask).all()


def test_points_are_runs_of_the_box_and_the_box() -> None:
    mask = np.zeros((5, 6), bool)
    mask[1:3, 2:5] = True
    mask[1, 2] = False
    assert encode_points(mask) == [1, 5, 2, 1, 4, 2]


@pytest.mark.parametrize(
    "points", [[], [1, 2], [4, 0, 0, 1, 1.5], [-1, 5, 0, 0, 1, 1], [4, 0, 0, 9, 1], [3, 0, 0, 1, 1]]
)
def test_broken_points_are_refused(points: list[float]) -> None:
    with pytest.raises(DataError, match="mask: expected"):
        decode_points(points, (4, 4))
