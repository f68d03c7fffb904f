"""The same pixels as OpenCV's polylines and fillPoly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askmask.datasets.drawn_polygons import draw_polygon
from askmask.errors import DataError

SIZE_HW = (40, 30)


def peer(points: list[tuple[float, float]]) -> np.ndarray:
    cv2 = pytest.importorskip("cv2")
    mask = np.zeros(SIZE_HW, np.uint8)
    corners = np.array([points], np.int32)
    cv2.polylines(mask, corners, True, 1, 1)
    cv2.fillPoly(mask, corners, 1)
    return mask > 0


def corners(low: float, high: float) -> st.SearchStrategy[list[tuple[float, float]]]:
    place = st.floats(low, high, allow_nan=False, width=32)
    return st.lists(st.tuples(place, place), min_size=1, max_size=10)


@settings(max_examples=300, deadline=None)
@given(corners(0, 29.5))
def test_inside_the_picture(points: list[tuple[float, float]]) -> None:
    np.testing.assert_array_equal(draw_polygon(points, SIZE_HW), peer(points))


@settings(max_examples=300, deadline=None)
@given(corners(-60, 90))
def test_over_the_border(points: list[tuple[float, float]]) -> None:
    np.testing.assert_array_equal(draw_polygon(points, SIZE_HW), peer(points))


def test_a_square_has_its_outline() -> None:
    mask = draw_polygon([[2.9, 3.2], [7.1, 3.9], [7.5, 8.9], [2.1, 8.0]], SIZE_HW)
    assert mask[3:9, 2:8].all()
    assert mask.sum() == 36


@pytest.mark.parametrize(
    "points", [[], [[1]], [[1, "x"]], [[1, 2, 3]], [1, 2], None, [[0, 1e999]], [[0, 1e7]]]
)
def test_what_is_no_polygon_is_refused(points: object) -> None:
    with pytest.raises(DataError, match="shape 3: expected points"):
        draw_polygon(points, SIZE_HW, "shape 3")  # type: ignore[arg-type]
