"""Outlines: filled again they are the mask, by our fillers and by those of the tools."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageDraw

from askmask import rle
from askmask.errors import ShapeError
from askmask.geometry import (
    centre_polygons,
    count_holes,
    edge_polygons,
    fill_centres,
    join_parts,
)
from askmask.polygons import fill_polygons

MASKS = hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 14)))
RING = np.pad(np.zeros((2, 3), bool), 2, constant_values=True)
RING = np.pad(RING, 1)


def blobs(seed: int, size_hw: tuple[int, int] = (60, 80)) -> np.ndarray:
    """A mask of several parts with holes."""
    noise = np.random.default_rng(seed).normal(size=size_hw)
    for axis in (0, 1):
        for _ in range(3):
            noise = sum(np.roll(noise, by, axis) for by in (-2, -1, 0, 1, 2))
    return np.asarray(noise > np.quantile(noise, 0.4))


@given(MASKS)
def test_edges_fill_as_coco_fills(mask: np.ndarray) -> None:
    flat = [polygon.ravel().tolist() for polygon in edge_polygons(mask)]
    assert fill_polygons(flat, mask.shape) == rle.encode(mask)


@given(MASKS)
def test_centres_fill_again(mask: np.ndarray) -> None:
    assert (fill_centres(centre_polygons(mask), mask.shape) == mask).all()


@pytest.mark.parametrize("seed", range(4))
def test_tools_fill_the_same(seed: int) -> None:
    cv2 = pytest.importorskip("cv2")
    coco = pytest.importorskip("pycocotools.mask")
    mask = blobs(seed)
    assert count_holes(mask) > 1
    polygons = centre_polygons(mask)
    assert len(polygons) > 1
    by_opencv = np.zeros(mask.shape, np.uint8)
    by_pillow = Image.new("1", mask.shape[::-1])
    for polygon in polygons:
        cv2.fillPoly(by_opencv, [polygon.astype(np.int32)], 1)
        ImageDraw.Draw(by_pillow).polygon([tuple(xy) for xy in polygon.tolist()], 1, 1)
    assert (by_opencv == mask).all()
    assert (np.asarray(by_pillow) == mask).all()
    flat = [polygon.ravel().tolist() for polygon in edge_polygons(mask)]
    coded = coco.merge(coco.frPyObjects(flat, *mask.shape))
    assert coded["counts"].decode() == rle.encode(mask)["counts"]


def test_a_square_has_four_corners() -> None:
    mask = np.zeros((6, 8), bool)
    mask[1:4, 2:7] = True
    assert sorted(edge_polygons(mask)[0].tolist()) == [[2, 1], [2, 4], [7, 1], [7, 4]]
    assert sorted(centre_polygons(mask)[0].tolist()) == [[2, 1], [2, 3], [6, 1], [6, 3]]


def test_empty_and_single_pixels() -> None:
    empty = np.zeros((3, 4), bool)
    assert edge_polygons(empty) == centre_polygons(empty) == []
    assert not fill_centres([], (3, 4)).any()
    empty[1, 2] = True
    assert [one.tolist() for one in centre_polygons(empty)] == [[[2, 1]] * 3]


def test_holes_are_counted() -> None:
    assert count_holes(RING) == 1
    assert count_holes(~RING) == 1  # the ring itself; what it surrounds is a part of its own
    assert count_holes(np.ones((3, 3), bool)) == 0


def test_fill_cuts_off_what_is_outside() -> None:
    polygon = np.array([[-5, -5], [20, -5], [20, 2], [-5, 2]])
    expected = np.zeros((6, 8), bool)
    expected[:3] = True
    assert (fill_centres([polygon], (6, 8)) == expected).all()
    assert not fill_centres([polygon - 30], (6, 8)).any()


@given(MASKS.filter(np.any))
def test_one_polygon_covers_all_parts(mask: np.ndarray) -> None:
    parts = centre_polygons(mask)
    joined = fill_centres([join_parts(parts)], mask.shape)
    if len(parts) == 1:
        assert (joined == mask).all()
    border = {tuple(xy) for part in parts for xy in part.tolist()}
    assert all(joined[y, x] for x, y in border)


def test_wrong_arrays_are_refused() -> None:
    with pytest.raises(ShapeError, match="bool"):
        edge_polygons(np.zeros((3, 3)))
