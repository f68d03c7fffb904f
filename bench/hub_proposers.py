"""What batches are worth in the proposers of the hub.

    python bench/hub_proposers.py [--grid 4] [--batches 1 4 16] [--boxes 1000]

A SAM 2 of the smallest published size with random weights, which cost the same as trained ones,
encodes a picture once and decodes the points of a grid in batches of several sizes; then everything
mode runs as a whole. Suppression of boxes is compared with the loop that visits one after the
other. On a CPU, other processes do not count; on a GPU, the time is that of the clock.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from askmask.models.hub.everything import EverythingProposer, grid_points
from askmask.models.hub.loading import Where, transformers
from askmask.models.hub.nms import box_iou, suppress
from askmask.models.hub.preprocessing import SAM2
from askmask.models.hub.prompts import Prompts
from askmask.models.hub.sam import Sam


def seconds_of(work: Callable[[], Any], times: int = 1) -> tuple[float, Any]:
    """Least seconds of several calls, and the last result."""
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    spans = []
    for _ in range(times):
        start = clock()
        result = work()
        spans.append(clock() - start)
    return min(spans), result


def everything(grid: int, batches: list[int]) -> None:
    """Print what the encoder, points in batches, and the whole mode cost."""
    torch.manual_seed(0)
    library, where = transformers(), Where()
    model = library.Sam2Model(library.Sam2Config()).eval().to(where.torch_device())
    image = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    points = Prompts(points_xy=grid_points(grid, (480, 640))[:, None])
    sam = Sam(model, SAM2, where)
    print(f"the picture is encoded in {seconds_of(lambda: sam.embedding(image))[0]:.2f} s, once")
    for batch in batches:
        sam = Sam(model, SAM2, where, batch=batch)
        sam.embedding(image)

        def decode(sam: Sam = sam) -> float:
            return sum(float(one.iou.sum()) for one in sam.decode(image, points, several=True))

        seconds, _ = seconds_of(decode, 2)
        print(
            f"{len(points)} points, {batch:3} at a time: {1e3 * seconds / len(points):.1f} ms each"
        )
    # Random weights are sure of nothing, and their masks overlap: a low bar keeps a few.
    proposer = EverythingProposer(
        sam, grid=grid, least_iou=0.0, least_stability=0.0, most_overlap=0.1
    )
    seconds, found = seconds_of(lambda: proposer.propose(image))
    print(f"everything mode after encoding: {seconds:.2f} s, {len(found)} candidates")


def loop(boxes: torch.Tensor, score: torch.Tensor, threshold: float) -> torch.Tensor:
    """Suppress one after the other: each kept box drops what it overlaps."""
    keep = torch.zeros(len(score), dtype=torch.bool)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    order = score.argsort(descending=True, stable=True)
    while len(order):
        best, rest = order[0], order[1:]
        keep[best] = True
        low = torch.maximum(boxes[best, :2], boxes[rest, :2])
        high = torch.minimum(boxes[best, 2:], boxes[rest, 2:])
        common = (high - low).clamp(min=0).prod(1)
        order = rest[common / (area[best] + area[rest] - common) <= threshold]
    return keep


def suppression(count: int) -> None:
    """Print the times of the two ways to suppress boxes."""
    generator = torch.Generator().manual_seed(0)
    low = torch.rand(count, 2, generator=generator) * 500
    boxes = torch.cat([low, low + 30 + torch.rand(count, 2, generator=generator) * 100], 1)
    score = torch.rand(count, generator=generator)
    ours, kept = seconds_of(lambda: suppress(box_iou(boxes), score, 0.5), 5)
    theirs, expected = seconds_of(lambda: loop(boxes, score, 0.5), 5)
    assert torch.equal(kept, expected)
    print(
        f"{count} boxes, {int(kept.sum())} kept: all pairs {ours * 1e3:.1f} ms, "
        f"loop {theirs * 1e3:.1f} ms, {theirs / ours:.1f} times as long"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--grid", type=int, default=4)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--boxes", type=int, default=1000)
    options = parser.parse_args()
    for count in (options.boxes // 10, options.boxes):
        suppression(count)
    everything(options.grid, options.batches)


if __name__ == "__main__":
    main()
