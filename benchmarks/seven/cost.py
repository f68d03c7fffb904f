"""What a model costs to answer with, measured in a process of its own.

    python benchmarks/seven/cost.py MODEL QUERIES.jsonl

Prints JSON: parameters, milliseconds a picture and a further sentence (medians), peak memory.
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
from functools import partial
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from askmask.formats.askmask import read_queries
from askmask.images import read_image
from askmask.models import registry
from askmask.models.system_segmenter import SystemSegmenter

__all__ = ["measure"]

_SENTENCES = 5
"""Of each picture; the first is not timed."""


def measure(model: str, queries: Path, pictures: int) -> dict[str, Any]:
    """Answer the first sentences about the first pictures of a queries file.

    Args:
        model: name or folder of weights.
        queries: queries file; pictures are relative to it.
        pictures: how many, after one that is not timed.

    Returns:
        `parameters` (without the text tower that all systems share; None where they are not
        known), `picture_ms`, `sentence_ms`, `memory_mib` (of the whole process, Python included),
        `pictures`, `threads` and `machine`.
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
    return {
        "parameters": _parameters(segmenter),
        "picture_ms": _median(seeing[1:]),
        "sentence_ms": _median(answering),
        "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "pictures": max(0, len(seeing) - 1),
        "threads": _threads(),
        "machine": platform.processor() or platform.machine(),
    }


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


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("queries", type=Path)
    parser.add_argument("--pictures", type=int, default=20)
    given = parser.parse_args()
    found = measure(given.model, given.queries, given.pictures)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
