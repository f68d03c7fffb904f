"""What a model costs to answer with, and to train, measured in a process of its own.

    python benchmarks/seven/cost.py MODEL QUERIES.jsonl --precision bfloat16

Prints JSON: parameters, milliseconds a picture and a further sentence (medians), peak memory, and
sentences a second of training.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import groupby, islice, repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from askmask.formats.askmask import read_queries
from askmask.images import read_image
from askmask.models import registry
from askmask.models.system_segmenter import SystemSegmenter

__all__ = ["measure"]

_SENTENCES = 5
"""Of each picture; the first is not timed."""


def measure(
    model: str, queries: Path, pictures: int, steps: int = 5, precision: str = "auto"
) -> dict[str, Any]:
    """Answer the first sentences about the first pictures of a queries file.

    Args:
        model: name or folder of weights.
        queries: queries file; pictures are relative to it.
        pictures: how many, after one that is not timed.
        steps: of training that are timed, after one that is not.
        precision: in which they compute.

    Returns:
        `parameters` (without the text tower that all systems share; None where they are not
        known), `picture_ms`, `sentence_ms`, `memory_mib` (of the whole process while it answers,
        Python included), `pictures`, `threads`, `machine`, and `trained_per_second`: sentences in
        steps of training, without the time to compose their pictures; None for other models.
    """
    segmenter = registry.load(model)
    seeing, answering = [], []
    groups = groupby(read_queries(queries), key=lambda record: record.image)
    for image, group in islice(groups, 1 + pictures):
        pixels = read_image(queries.parent / image)
        seeing.append(_milliseconds(partial(segmenter.set_image, pixels)))
        asked = [record.to_query() for record in islice(group, _SENTENCES)]
        spans = [_milliseconds(partial(segmenter.answer, query)) for query in asked]
        answering += spans[1:] if len(seeing) > 1 else []
    answered = {
        "parameters": _parameters(segmenter),
        "picture_ms": _median(seeing[1:]),
        "sentence_ms": _median(answering),
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "pictures": max(0, len(seeing) - 1),
        "threads": _threads(),
        "machine": platform.processor() or platform.machine(),
    }
    return {**answered, "trained_per_second": _trained_per_second(segmenter, steps, precision)}


def _milliseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)


def _median(spans: list[float]) -> float | None:
    return statistics.median(spans) if spans else None


def _parameters(segmenter: object) -> int | None:
    if not isinstance(segmenter, SystemSegmenter):
        return None
    return sum(parameter.numel() for parameter in segmenter.system.parameters())


def _trained_per_second(segmenter: object, steps: int, precision: str) -> float | None:
    if not isinstance(segmenter, SystemSegmenter):
        return None
    from askmask.training.loop import LoopSettings, Training
    from askmask.training.placement import Placement
    from askmask.training.run import TrainingRun
    from askmask.training.system import DAGGER, SystemRecipe, SystemTask

    system = segmenter.system.train()
    task = SystemTask(SystemRecipe(system.name, types=DAGGER, workers=0))
    task.model, task.settings = system, replace(task.settings, size=system.size)
    batch = next(task.batches(range(1), 0.0))
    place = Placement.named("cpu", precision)
    with TemporaryDirectory() as folder:
        training = Training(task, TrainingRun(Path(folder), {}), LoopSettings(), place)
        step = partial(training.take_step, repeat(batch), 0.5)
        spans = [_milliseconds(step) for _ in range(1 + steps)]
    return 1000 * len(batch.picture) / statistics.median(spans[1:])


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("queries", type=Path)
    parser.add_argument("--pictures", type=int, default=20)
    parser.add_argument("--steps", type=int, default=5, help="of training, timed")
    parser.add_argument("--precision", default="auto", help="as of askmask train")
    given = parser.parse_args()
    found = measure(given.model, given.queries, given.pictures, given.steps, given.precision)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
