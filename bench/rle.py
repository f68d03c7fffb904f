"""Time run-length codes against pycocotools, side by side in one run."""

from __future__ import annotations

import timeit
from collections.abc import Callable

import numpy as np
from pycocotools import mask as coco

from askmask import rle

SIZE_HW = (480, 640)


def blobs(count: int) -> np.ndarray:
    """Return (count, H, W) bool: ellipses with a hole and a ragged edge, as objects have."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    masks = []
    for _ in range(count):
        cy, cx = rng.uniform(0.2, 0.8, 2) * SIZE_HW
        ry, rx = rng.uniform(30, 120, 2)
        angle = np.arctan2(y - cy, x - cx)
        radius = np.hypot((y - cy) / ry, (x - cx) / rx) + 0.05 * np.sin(9 * angle)
        masks.append((radius < 1) & (radius > 0.3))
    return np.stack(masks)


def best_us(function: Callable[[], object]) -> float:
    """Return the best time of one call, in microseconds."""
    number = max(1, int(0.02 / timeit.timeit(function, number=1)))
    return min(timeit.repeat(function, number=number, repeat=7)) / number * 1e6


def main() -> None:
    """Print one row an operation: ours, theirs, and how many times faster ours is."""
    masks = blobs(40)
    fortran = [np.asfortranarray(mask.astype(np.uint8)) for mask in masks]
    codes = [rle.encode(mask) for mask in masks]
    one, size_hw = codes[0], SIZE_HW
    rows: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "encode, from C order": (
            lambda: rle.encode(masks[0]),
            lambda: coco.encode(np.asfortranarray(masks[0].view(np.uint8))),
        ),
        "encode, from Fortran order": (
            lambda: rle.encode(fortran[0].view(bool)),
            lambda: coco.encode(fortran[0]),
        ),
        "decode, to C order": (
            lambda: rle.decode(one),
            lambda: np.ascontiguousarray(coco.decode(one)),
        ),
        "area": (lambda: rle.area(one), lambda: coco.area(one)),
        "box": (lambda: rle.box_xyxy(one), lambda: coco.toBbox(one)),
        "union of 40": (lambda: rle.union(codes, size_hw), lambda: coco.merge(codes)),
        "IoU of a pair": (lambda: rle.iou(one, codes[1]), lambda: coco.iou([one], [codes[1]], [0])),
        "IoU of 40 x 40": (
            lambda: rle.iou_matrix(codes, codes),
            lambda: coco.iou(codes, codes, [0] * 40),
        ),
    }
    print(f"{'640 x 480 pixels':28}{'askmask us':>12}{'pycocotools us':>16}{'ratio':>8}")
    for name, (ours, theirs) in rows.items():
        mine, their = best_us(ours), best_us(theirs)
        print(f"{name:28}{mine:12.1f}{their:16.1f}{their / mine:8.2f}")


if __name__ == "__main__":
    main()
