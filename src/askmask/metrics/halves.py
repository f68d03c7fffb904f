"""Long files that two processes score, one half each.

Reading makes Python objects, for which the threads of a process would only wait for each other.
What is counted of a query hangs on that query alone, so both halves together are to the last bit
what one process counts. That needs files in the same order, and nothing wrong in them: whatever
else comes makes an end to the halves, and one process reads all and says what is wrong.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import numpy as np

from askmask.cores import cores
from askmask.errors import AskmaskError
from askmask.formats.askmask import read_predictions, read_queries
from askmask.formats.files import iter_lines
from askmask.formats.names import Names
from askmask.formats.spans import Span, cut
from askmask.metrics.figures import wanted_by
from askmask.metrics.ids import Ids
from askmask.metrics.protocols import load_protocol
from askmask.metrics.scoring import Scoring
from askmask.metrics.stored_counts import read_counts, write_counts

__all__ = ["score_halves", "score_second_half"]

_WORTH_BYTES = 30_000_000
"""Bytes of both files from which on a second process pays."""

_START_BYTES = 7_000_000
"""Bytes that are scored while a second process starts: its part is so much shorter."""

_CODE = "from askmask.metrics.halves import score_second_half; score_second_half()"

_Part = tuple[Path, Span]


def _first_id(path: Path, span: Span) -> object:
    """Return the id of the first line of a part; None when it has none."""
    with path.open("rb") as stream:
        stream.seek(span.start)
        _, line = next(iter_lines(stream, path, span.number), (0, {}))
    return line.get("id")


def _halves(queries: Path, predictions: Path, protocol: str) -> list[tuple[_Part, _Part]]:
    """Cut both files: queries and predictions of the first part, and of the second.

    Returns:
        [] where one process is as quick, or needs to see all queries.
    """
    chosen = load_protocol(protocol)
    together = wanted_by(chosen.metrics, chosen.rules).twins
    if together or cores() < 2 or not sys.executable:
        return []
    paths = (queries, predictions)
    try:
        size = sum(path.stat().st_size for path in paths)
        if size < _WORTH_BYTES:
            return []
        spans = cut(paths, (1 + _START_BYTES / size) / 2)
        first, second = ([*zip(paths, parts, strict=True)] for parts in zip(*spans, strict=True))
        if _first_id(*second[0]) != _first_id(*second[1]):
            return []  # another order is mostly seen here, before anything is counted
    except (AskmaskError, OSError):
        return []
    return [(first[0], first[1]), (second[0], second[1])]


def _score(
    queries: _Part, predictions: _Part, protocol: str, data: str | None = None
) -> tuple[Scoring, Ids]:
    """Score parts of two files; also ids of the queries."""
    scoring = Scoring(load_protocol(protocol), threads=0, data=data)
    pairing = scoring.add_all(read_queries(*queries), read_predictions(*predictions))
    return scoring, pairing.ids


@contextmanager
def _second_process(
    queries: _Part, predictions: _Part, protocol: str, folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that scores parts into a folder; it ends with this one at the latest."""
    job = [[str(path), *span] for path, span in (queries, predictions)]
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _CODE, json.dumps([*job, protocol, str(folder)])],
        stdin=subprocess.PIPE,  # open as long as this process lives
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


def score_second_half() -> None:
    """Do what `_second_process` asks for."""
    Thread(target=_end_with_parent, daemon=True).start()
    queries, predictions, protocol, to = json.loads(sys.argv[1])
    parts = [(Path(path), Span(*span)) for path, *span in (queries, predictions)]
    scoring, ids = _score(parts[0], parts[1], protocol)
    folder = Path(to)
    write_counts(folder / "counts", scoring.counter.counts())
    names: list[tuple[str, str]] = []
    for family, name, rows in scoring.slices.rows():
        np.save(folder / f"slice-{len(names)}.npy", rows, allow_pickle=False)
        names.append((family, name))
    (folder / "slices.json").write_text(json.dumps(names), "utf-8")
    with (folder / "ids.jsonl").open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(block) + "\n" for block in ids.blocks())


def _take_over(folder: Path, scoring: Scoring, ids: Ids) -> bool:
    """Add what the second process has scored, unless one of its ids may have come before."""
    seen = Names()
    for block in ids.blocks():
        seen.update(block)
    first = len(ids)
    with (folder / "ids.jsonl").open(encoding="utf-8") as stream:
        for line in stream:
            block = json.loads(line)
            if seen.may_hold(block):
                return False
            for name in block:
                ids.append(name)
    scoring.counter.extend(read_counts(folder / "counts"))
    names = json.loads((folder / "slices.json").read_text("utf-8"))
    for number, (family, name) in enumerate(names):
        rows = np.load(folder / f"slice-{number}.npy", allow_pickle=False)
        scoring.slices.extend(family, name, rows + first)
    return True


def score_halves(
    queries: Path, predictions: Path, protocol: str, *, data: str | None = None
) -> tuple[Scoring, Ids] | None:
    """Score two files in two processes; None when one had better do it.

    Args:
        queries: queries file.
        predictions: file of our own lines.
        protocol: a preset's name, with options or without.
        data: hash of the queries for the signatures, or None to leave it out.

    Returns:
        What was scored, and the ids of the queries.
    """
    halves = _halves(queries, predictions, protocol)
    if not halves:
        return None
    ours, theirs = halves
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        _second_process(*theirs, protocol, Path(folder)) as process,
    ):
        try:
            scoring, ids = _score(*ours, protocol, data)
        except AskmaskError:
            return None
        if process.wait() or not _take_over(Path(folder), scoring, ids):
            return None
    return scoring, ids
