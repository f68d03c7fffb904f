"""Many annotations filled at once give the codes that they give one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from askmask import rle
from askmask.datasets.polygon_batch import fill_batch
from askmask.datasets.polygons import fill_polygons

PLACE = st.floats(-30, 60, allow_nan=False, width=32)
OUTLINE = st.lists(st.tuples(PLACE, PLACE), min_size=3, max_size=7).map(
    lambda corners: np.array(corners, np.float64).ravel()
)
ANNOTATION = st.tuples(
    st.lists(OUTLINE, max_size=3), st.sampled_from([(40, 30), (1, 1), (7, 50), (30, 40)])
)


@settings(max_examples=200, deadline=None)
@given(st.lists(ANNOTATION, max_size=5))
def test_a_batch_gives_what_each_gives(
    annotations: list[tuple[list[np.ndarray], tuple[int, int]]],
) -> None:
    outlines = [polygons for polygons, _ in annotations]
    sizes = [size_hw for _, size_hw in annotations]
    alone = [fill_polygons([one.tolist() for one in group], size) for group, size in annotations]
    assert fill_batch(outlines, sizes) == alone


def test_pictures_of_a_whole_mask_and_of_none() -> None:
    whole = np.array([-9, -9, 99, -9, 99, 99, -9, 99], float)
    full, none, part = fill_batch([[whole], [], [whole / 3]], [(20, 30), (5, 5), (50, 50)])
    assert rle.decode(full).all()
    assert not rle.decode(none).any()
    assert rle.area(part) == 33 * 33


def test_large_pictures_keep_their_places() -> None:
    far = np.array([9_000, 9_000, 9_010, 9_000, 9_010, 9_010, 9_000, 9_010], float)
    first, second = fill_batch([[far], [far]], [(10_000, 10_000), (9_500, 10_000)])
    assert rle.box_xyxy(first) == rle.box_xyxy(second) == (9_000, 9_000, 9_010, 9_010)
