"""COCO compressed run-length code, in plain NumPy: the one form in which masks are kept and sent.

Pixels are counted down the columns, so pixel (y, x) of an (H, W) mask has position x * H + y.
`counts` holds the lengths of the runs, background first, each written in groups of five bits.
Inside this file a mask is its *edges*: the positions, strictly increasing and in [0, H * W), at
which the value changes. Areas, unions and IoU are computed on edges, so nothing is decoded.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from askmask.errors import RLEError, ShapeError

__all__ = [
    "MAX_COUNTS",
    "MAX_PIXELS",
    "RLE",
    "area",
    "box_xyxy",
    "decode",
    "encode",
    "from_counts",
    "intersection",
    "iou",
    "iou_matrix",
    "subtract",
    "union",
    "validate",
]

MAX_PIXELS = 100_000_000
"""Largest mask that is accepted, in pixels."""

MAX_COUNTS = 10_000_000
"""Longest `counts` that is accepted, in characters; bounds the memory that a file can claim."""

_MAX_GROUPS = 6
"""Groups of five bits that hold any difference of two runs of at most MAX_PIXELS."""

_GROUP_LIMITS = 1 << (5 * np.arange(1, _MAX_GROUPS, dtype=np.int64) - 1)
"""Smallest magnitudes that need one group more: 16, 512, 16,384, …"""

_Edges = NDArray[np.int64]


class RLE(TypedDict):
    """A mask: `size` is [height, width], `counts` the run lengths in COCO's characters."""

    size: list[int]
    counts: str


def _checked_size(size: object) -> tuple[int, int]:
    """Return (height, width), or raise RLEError."""
    if not isinstance(size, list | tuple) or len(size) != 2 or {type(n) for n in size} != {int}:
        raise RLEError(f"RLE size: expected [height, width] in whole pixels, got {_short(size)}")
    height, width = size
    if height < 1 or width < 1 or height * width > MAX_PIXELS:
        raise RLEError(
            f"RLE size: expected [height, width] of 1 to {MAX_PIXELS:,} pixels in all, "
            f"got {_short(size)}"
        )
    return height, width


def _short(value: object) -> str:
    """Return `value` as it stands in a message, cut to a readable length."""
    try:
        return reprlib.repr(value)
    except ValueError:  # Python refuses to print whole numbers of thousands of digits
        return f"{type(value).__name__} too long to print"


def _pack(runs: NDArray[np.int64]) -> str:
    """Write run lengths as characters, the inverse of `_unpack`."""
    numbers = runs.copy()
    numbers[3:] -= runs[1:-2]  # from the fourth run on: the difference to the run two before
    magnitude = numbers ^ (numbers >> 63)
    last = np.searchsorted(_GROUP_LIMITS, magnitude, side="right")[:, None]
    group = np.arange(_MAX_GROUPS)
    digits = (numbers[:, None] >> (5 * group)) & 0x1F
    characters = (digits | ((group < last) << 5)) + 48
    return characters[group <= last].astype(np.uint8).tobytes().decode("ascii")


def _unpack(counts: str) -> NDArray[np.int64]:
    """Read characters into run lengths, which may still be negative or of a wrong sum."""
    codes = np.frombuffer(counts.encode("utf-8", "surrogatepass"), np.uint8)
    if not len(codes) or codes.min() < 48 or codes.max() > 111:
        wrong = next((c for c in counts if not "0" <= c <= "o"), "")
        raise RLEError(f"RLE counts: expected characters from '0' to 'o', got {wrong!r}")
    bits = codes - 48
    last = np.flatnonzero(bits < 32)
    if not len(last) or last[-1] != len(bits) - 1:
        raise RLEError(f"RLE counts: truncated, the last character {counts[-1]!r} asks for another")
    first = np.concatenate(([0], last[:-1] + 1))
    length = last - first + 1
    if length.max() > _MAX_GROUPS:
        raise RLEError(
            f"RLE counts: expected numbers of at most {_MAX_GROUPS} characters, "
            f"got one of {length.max()}"
        )
    place = np.arange(len(bits)) - np.repeat(first, length)
    numbers = np.add.reduceat((bits & 0x1F).astype(np.int64) << (5 * place), first)
    numbers -= np.where(bits[last] & 0x10, np.int64(1) << (5 * length), 0)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def _checked_runs(runs: NDArray[np.int64], height: int, width: int) -> NDArray[np.int64]:
    """Return `runs`, or raise RLEError unless they fill height x width pixels."""
    if runs.min() < 0:
        raise RLEError(f"RLE counts: expected run lengths of 0 or more, got {runs.min()}")
    total = int(runs.sum())
    if total != height * width:
        raise RLEError(
            f"RLE counts: expected runs that sum to {height} x {width} = {height * width:,} "
            f"pixels, got {total:,}"
        )
    return runs


def _runs(rle: Any) -> tuple[NDArray[np.int64], int, int]:
    """Read and check a code: run lengths, height, width. Every public function enters here."""
    if not isinstance(rle, dict) or "size" not in rle or "counts" not in rle:
        raise RLEError(f'RLE: expected {{"size": [H, W], "counts": "…"}}, got {_short(rle)}')
    height, width = _checked_size(rle["size"])
    counts = rle["counts"]
    if not isinstance(counts, str):
        hint = "; decode the bytes with .decode('ascii')" if isinstance(counts, bytes) else ""
        hint = "; convert the list with rle.from_counts" if isinstance(counts, list) else hint
        raise RLEError(f"RLE counts: expected a string, got {_short(counts)}{hint}")
    limit = min(2 * height * width + 2, MAX_COUNTS)
    if len(counts) > limit:
        raise RLEError(
            f"RLE counts: expected at most {limit:,} characters for {height} x {width} pixels, "
            f"got {len(counts):,}"
        )
    return _checked_runs(_unpack(counts), height, width), height, width


def _edges(rle: RLE) -> tuple[_Edges, int, int]:
    """Read and check a code: edges, height, width."""
    runs, height, width = _runs(rle)
    ends = np.cumsum(runs)[:-1]
    if not runs[1:].all():  # other tools may write runs of no pixels: their edges cancel
        ends, times = np.unique(ends, return_counts=True)
        ends = ends[(times % 2 == 1) & (ends < height * width)]
    return ends, height, width


def _from_edges(edges: _Edges, height: int, width: int) -> RLE:
    """Write a code from edges."""
    runs = np.diff(edges, prepend=0, append=height * width)
    counts = _pack(runs)
    if len(counts) > MAX_COUNTS:
        raise RLEError(
            f"RLE: expected a mask that fits {MAX_COUNTS:,} characters, got {len(counts):,}; "
            "is it noise?"
        )
    return {"size": [height, width], "counts": counts}


def _closed(edges: _Edges, end: int) -> _Edges:
    """Append `end` to an odd number of edges, so that they pair up as [start, stop)."""
    return np.append(edges, end) if len(edges) % 2 else edges


def _combine(
    rles: Sequence[RLE],
    size_hw: tuple[int, int],
    weights: Sequence[int],
    inside: Callable[[NDArray[np.int64]], NDArray[np.bool_]],
) -> RLE:
    """Keep the pixels where `inside` holds for the sum of the weights of the masks there."""
    height, width = _checked_size(tuple(size_hw))
    positions, steps = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for rle, weight in zip(rles, weights, strict=True):
        edges = _edges_of_size(rle, (height, width))
        positions.append(edges)
        steps.append(np.where(np.arange(len(edges)) % 2, -weight, weight))
    position = np.concatenate(positions)
    order = np.argsort(position, kind="stable")
    position = position[order]
    depth = np.cumsum(np.concatenate(steps)[order])
    settled = np.flatnonzero(np.diff(position, append=-1))  # last of the edges at one position
    value = inside(depth[settled])
    changed = np.diff(value, prepend=False)
    return _from_edges(position[settled][changed], height, width)


def _edges_of_size(rle: RLE, size_hw: tuple[int, int]) -> _Edges:
    """Return the edges of a code that must have the size `size_hw`."""
    edges, height, width = _edges(rle)
    if (height, width) != size_hw:
        raise RLEError(f"RLE size: expected {list(size_hw)}, got {[height, width]}")
    return edges


def _covered(edges: _Edges, end: int, position: NDArray[np.int64]) -> NDArray[np.float64]:
    """Count the mask's pixels before each `position`; whole numbers, exact in float64."""
    knots = _closed(edges, end)
    if not len(knots):
        return np.zeros(len(position))
    lengths = np.diff(knots)
    lengths[1::2] = 0
    before = np.concatenate(([0], np.cumsum(lengths)))
    return np.interp(position, knots, before).astype(np.float64, copy=False)


def encode(mask: NDArray[np.bool_]) -> RLE:
    """Code a mask, (H, W) bool, as the same string that pycocotools writes.

    Raises:
        ShapeError: when `mask` is not a two-dimensional bool array with at least one pixel.
        RLEError: when it has more than MAX_PIXELS pixels or needs more than MAX_COUNTS characters.
    """
    if mask.ndim != 2 or mask.dtype != np.bool_ or not mask.size:
        raise ShapeError(
            f"mask: expected (H, W) bool with H, W of 1 or more, got {mask.shape} {mask.dtype}"
            f"{'; use mask > 0' if mask.ndim == 2 and mask.size else ''}"
        )
    height, width = _checked_size(mask.shape)
    # Comparing rows and sorting the few edges beats walking down the columns of a C-order array.
    row, column = np.divmod(np.flatnonzero(mask[1:] != mask[:-1]), width)
    between_columns = np.flatnonzero(mask[0, 1:] != mask[-1, :-1]) + 1
    start = [0] if mask[0, 0] else []
    edges = np.concatenate((start, column * height + row + 1, between_columns * height))
    edges = edges.astype(np.int64)
    edges.sort()
    return _from_edges(edges, height, width)


def decode(rle: RLE) -> NDArray[np.bool_]:
    """Return the mask, (H, W) bool, C order.

    Raises:
        RLEError: when `rle` is malformed.
    """
    runs, height, width = _runs(rle)
    values = np.arange(len(runs)) % 2 == 1
    return np.ascontiguousarray(np.repeat(values, runs).reshape(width, height).T)


def validate(rle: object, size_hw: tuple[int, int] | None = None) -> None:
    """Check that `rle` is a well-formed code, and of `size_hw` when that is given.

    Raises:
        RLEError: naming what was expected and what came.
    """
    _, height, width = _runs(rle)
    if size_hw is not None and (height, width) != tuple(size_hw):
        raise RLEError(f"RLE size: expected {list(size_hw)}, got {[height, width]}")


def from_counts(counts: Sequence[int], size_hw: tuple[int, int]) -> RLE:
    """Convert COCO's uncompressed list of run lengths, background first.

    Raises:
        RLEError: when the runs are not whole numbers that fill `size_hw`.
    """
    height, width = _checked_size(tuple(size_hw))
    if len(counts) > MAX_COUNTS or not counts or {type(n) for n in counts} != {int}:
        raise RLEError(f"RLE counts: expected a list of whole numbers, got {_short(counts)}")
    if max(counts) > MAX_PIXELS or min(counts) < 0:
        raise RLEError(f"RLE counts: expected run lengths of 0 to {MAX_PIXELS:,} pixels")
    runs = _checked_runs(np.array(counts, np.int64), height, width)
    edges, _, _ = _edges({"size": [height, width], "counts": _pack(runs)})
    return _from_edges(edges, height, width)


def area(rle: RLE) -> int:
    """Count the pixels of the mask."""
    runs, _, _ = _runs(rle)
    return int(runs[1::2].sum())


def box_xyxy(rle: RLE) -> tuple[int, int, int, int] | None:
    """Return the smallest box x0, y0, x1, y1 in pixels, x1 and y1 exclusive; None when empty."""
    edges, height, width = _edges(rle)
    if not len(edges):
        return None
    pairs = _closed(edges, height * width)
    start, last = pairs[0::2], pairs[1::2] - 1
    x0, x1 = int(start[0] // height), int(last[-1] // height) + 1
    if (start // height != last // height).any():  # a run over two columns touches both borders
        return x0, 0, x1, height
    return x0, int((start % height).min()), x1, int((last % height).max()) + 1


def union(rles: Sequence[RLE], size_hw: tuple[int, int]) -> RLE:
    """Return the pixels of any mask; all background for no masks.

    Raises:
        RLEError: when a code is malformed or not of `size_hw`.
    """
    return _combine(rles, size_hw, [1] * len(rles), lambda depth: depth > 0)


def intersection(rles: Sequence[RLE], size_hw: tuple[int, int]) -> RLE:
    """Return the pixels of all masks; all background for no masks.

    Raises:
        RLEError: when a code is malformed or not of `size_hw`.
    """
    return _combine(rles, size_hw, [1] * len(rles), lambda depth: depth == len(rles))


def subtract(a: RLE, b: RLE) -> RLE:
    """Return the pixels of `a` that are not in `b`.

    Raises:
        RLEError: when a code is malformed or the sizes differ.
    """
    _, height, width = _edges(a)
    return _combine((a, b), (height, width), (1, 2), lambda depth: depth == 1)


def iou(a: RLE, b: RLE) -> float:
    """Return intersection over union in [0, 1]; 0.0 when both masks are empty.

    Raises:
        RLEError: when a code is malformed or the sizes differ.
    """
    return float(iou_matrix((a,), (b,))[0, 0])


def iou_matrix(list_a: Sequence[RLE], list_b: Sequence[RLE]) -> NDArray[np.float64]:
    """Return (A, B) float64, the IoU of each pair; 0.0 where both masks are empty.

    Raises:
        RLEError: when a code is malformed or the sizes differ.
    """
    if not list_a or not list_b:
        return np.zeros((len(list_a), len(list_b)))
    first, height, width = _edges(list_a[0])
    end = height * width
    edges_a = [first, *(_edges_of_size(code, (height, width)) for code in list_a[1:])]
    edges_b = [_edges_of_size(code, (height, width)) for code in list_b]
    pairs_a = [_closed(edges, end) for edges in edges_a]
    owner = np.repeat(np.arange(len(list_a)), [len(pairs) // 2 for pairs in pairs_a])
    position = np.concatenate(pairs_a)

    def per_mask(weight: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(owner, weight[1::2] - weight[0::2], len(list_a)).astype(np.float64)

    area_a = per_mask(position.astype(np.float64))
    area_b = np.array([_covered(edges, end, np.array([end]))[0] for edges in edges_b])
    common = np.stack([per_mask(_covered(edges, end, position)) for edges in edges_b], axis=1)
    either = area_a[:, None] + area_b - common
    ratio: NDArray[np.float64] = common / np.maximum(either, 1)
    return ratio
