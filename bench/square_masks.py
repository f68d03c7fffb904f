"""How far gIoU and cIoU move when masks are compared at 480 x 480, as ReLA's evaluator does.

    python bench/square_masks.py [--queries 2000]

The same made masks of 640 x 480 pixels are compared in their own size, and after both prediction
and target were resized to a square, nearest pixel, the aspect lost.
"""

from __future__ import annotations

import argparse

import numpy as np
from evaluate import codes_of, make

from askmask import rle

SIDE = 480


def fused(codes: list) -> np.ndarray:
    """Union of masks, (H, W) bool."""
    return np.any([rle.decode(code) for code in codes], axis=0)


def squared(mask: np.ndarray) -> np.ndarray:
    """Nearest pixels of a mask at SIDE x SIDE."""
    rows, columns = (((np.arange(SIDE) + 0.5) * n / SIDE).astype(int) for n in mask.shape)
    return mask[rows[:, None], columns]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=500)
    areas = []
    for pair in zip(*make(parser.parse_args().queries), strict=True):
        target, answer = (fused(codes) for codes in codes_of(*pair))
        small = squared(answer), squared(target)
        for p, t in ((answer, target), small):
            areas.append(((p & t).sum(), (p | t).sum()))
    common, either = np.array(areas).reshape(-1, 2, 2).transpose(2, 1, 0)
    ratio = common / np.maximum(either, 1)
    print(f"{'':12}{'own size':>12}{'480 x 480':>12}{'difference':>12}")
    for name, (own, square) in (
        ("gIoU", ratio.mean(axis=1)),
        ("cIoU", common.sum(axis=1) / either.sum(axis=1)),
    ):
        print(f"{name:12}{own:12.6f}{square:12.6f}{square - own:12.6f}")
    print(f"largest difference of a query's IoU {np.abs(ratio[1] - ratio[0]).max():.4f}")


if __name__ == "__main__":
    main()
