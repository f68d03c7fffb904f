from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askmask import rle
from askmask.errors import DataError
from askmask.polygons import fill_polygons

CORNERS = st.floats(-20, 60, allow_nan=False, width=32)


@settings(max_examples=300)
@given(st.lists(st.lists(st.tuples(CORNERS, CORNERS), min_size=3, max_size=9), max_size=3))
def test_fills_the_same_pixels_as_pycocotools(polygons: list[list[tuple[float, float]]]) -> None:
    peer = pytest.importorskip("pycocotools.mask")
    flat = [[value for corner in polygon for value in corner] for polygon in polygons]
    ours = rle.decode(fill_polygons(flat, (40, 30)))
    if not flat:
        assert not ours.any()
        return
    counts = peer.merge(peer.frPyObjects(flat, 40, 30))["counts"].decode()
    np.testing.assert_array_equal(ours, rle.decode({"size": [40, 30], "counts": counts}))


def test_a_square_covers_its_pixels() -> None:
    mask = rle.decode(fill_polygons([[2, 3, 7, 3, 7, 8, 2, 8]], (20, 20)))
    assert mask[3:8, 2:7].all()
    assert mask.sum() == 25


@pytest.mark.parametrize(
    "polygon",
    [[1, 2, 3, 4], [1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, "x"], [0, 0, 1, 1, 2, 1e999], 3],
)
def test_what_is_no_polygon_is_refused(polygon: object) -> None:
    with pytest.raises(DataError, match="image 3: expected polygons"):
        fill_polygons([polygon], (20, 20), "image 3")  # type: ignore[list-item]
