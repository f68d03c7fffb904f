"""Parts of files of lines, which several processes can read side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

__all__ = ["WHOLE", "Span", "cut"]

_BLOCK_BYTES = 2_000_000


class Span(NamedTuple):
    """Whole lines of a file.

    Attributes:
        start: first byte.
        stop: byte behind the last one, or None for the end of the file.
        number: of the first line, from 1.
    """

    start: int = 0
    stop: int | None = None
    number: int = 1


WHOLE = Span()
"""All lines."""


def _lines_before(stream: BinaryIO, place: int) -> int:
    """Count the line ends among the first `place` bytes."""
    number = 0
    while block := stream.read(min(_BLOCK_BYTES, place - stream.tell())):
        number += block.count(b"\n")
    return number


def _behind(stream: BinaryIO, lines: int) -> int:
    """Return the byte behind so many lines, at least one; the file's size when it has fewer."""
    start = 0
    while block := stream.read(_BLOCK_BYTES):
        number = block.count(b"\n")
        if number >= lines:
            ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
            return start + int(ends[lines - 1]) + 1
        lines -= number
        start += len(block)
    return start


def cut(paths: Sequence[Path], share: float) -> list[tuple[Span, Span]]:
    """Cut files in two behind the same number of lines.

    Args:
        paths: of the files.
        share: of the bytes of the first file that the first part has, about.

    Returns:
        For each file its two parts; the first one is empty when it is less than a line.

    Raises:
        OSError: when a file cannot be read.
    """
    with paths[0].open("rb") as stream:
        lines = _lines_before(stream, int(share * paths[0].stat().st_size))
    parts = []
    for path in paths:
        with path.open("rb") as stream:
            place = _behind(stream, lines) if lines else 0
        parts.append((Span(0, place), Span(place, None, lines + 1)))
    return parts
