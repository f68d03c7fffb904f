"""Batches made by processes beside the training, the same whatever their number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar

import cv2
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from askmask.cores import cores

__all__ = ["fed", "windowed", "workers_for"]

T = TypeVar("T")

Make = Callable[[range], Iterator[T]]
"""Makes the batches of these numbers."""


def workers_for(window: int) -> int:
    """Most processes that leave a core to the training and divide `window` evenly.

    What batch n keeps for batch n + window is then found by the same process.
    """
    return max(n for n in range(1, max(2, cores())) if window % n == 0)


class _Shares(IterableDataset[T]):
    """Each process makes every so manieth batch."""

    def __init__(self, make: Make[T], numbers: range) -> None:
        self.make, self.numbers = make, numbers

    def __iter__(self) -> Iterator[T]:
        cv2.setNumThreads(1)
        worker = get_worker_info()
        if worker is None:
            return self.make(self.numbers)
        return self.make(self.numbers[worker.id :: worker.num_workers])


def _as_it_is(batch: T) -> T:
    return batch


def fed(make: Make[T], numbers: range, workers: int) -> Iterator[T]:
    """Batches of `numbers` in order.

    Args:
        make: a function that can be pickled, or a partial one; what it makes depends on the
            numbers only.
        numbers: of the batches.
        workers: processes; 0 to make the batches when they are asked for.
    """
    loader: DataLoader[T] = DataLoader(
        _Shares(make, numbers),
        batch_size=None,
        collate_fn=_as_it_is,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        multiprocessing_context="spawn" if workers else None,
    )
    batches: Any = iter(loader)
    try:
        yield from batches
    finally:
        # A process that is stopped while it makes a batch may abort, which harms nobody. Torch
        # would stop them when it is collected, and complain of that wherever it then is.
        if workers:
            with suppress(RuntimeError):
                batches._shutdown_workers()


def windowed(
    numbers: range, *, window: int, looks: int, scenes: int
) -> Iterator[tuple[int, range, dict[int, Any]]]:
    """Let each scene come again `looks` times, `window` batches later, so that it is made once.

    Args:
        numbers: of the batches.
        window: batches of new scenes before the first of them come again.
        looks: how often each scene comes.
        scenes: of a batch.

    Yields:
        Number of a batch, numbers of its scenes, and a dict to keep these in, which is emptied
        when none of them comes again.
    """
    known: dict[int, Any] = {}
    at = -1
    for number in numbers:
        group, position = divmod(number, looks * window)
        if group != at:
            at = group
            known.clear()
        first = (group * window + position % window) * scenes
        yield number, range(first, first + scenes), known
