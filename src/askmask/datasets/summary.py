"""What a data set holds, and how that differs from what its card expects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from askmask.datasets.frame import BadRecords, Counts, DatasetFormat

__all__ = ["Summary", "summarise"]


@dataclass(frozen=True)
class Summary:
    """Counts of a data set.

    Attributes:
        format: its format.
        splits: counts by split.
        differences: one line where a count is not that of the card.
        problems: records that could not be read, as {"where", "error"}.
    """

    format: DatasetFormat
    splits: Counts
    differences: tuple[str, ...]
    problems: tuple[dict[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """Return the summary as it is printed."""
        card = self.format.card
        return {
            "format": self.format.name,
            "title": card.title,
            "source": card.source,
            "licence": card.licence,
            "obtain": card.obtain,
            "notes": list(card.notes),
            "splits": {split: dict(counts) for split, counts in self.splits.items()},
            "expected": {split: dict(counts) for split, counts in card.splits.items()},
            "differences": list(self.differences),
            "problems": list(self.problems),
        }


def _count(
    one: DatasetFormat, path: Path, split: str, images: Path | None, bad: BadRecords
) -> dict[str, int]:
    """Count by reading."""
    counts: dict[str, int] = {}
    names: set[str] = set()
    if one.entities is not None:
        counts |= {"images": 0, "instances": 0}
        for picture in one.entities(path, split, images, bad):
            names.add(picture.image)
            counts["instances"] += len(picture.entities)
    if one.queries is not None:
        counts |= {"images": 0, "queries": 0, "targets": 0, "no_target": 0}
        for query in one.queries(path, split, images, bad):
            names.add(query.image)
            counts["queries"] += 1
            counts["targets"] += len(query.targets)
            counts["no_target"] += not query.targets
    return counts | {"images": len(names)}


def _differences(found: Counts, expected: Counts) -> Iterator[str]:
    """Lines about splits of the card; nothing is compared when none of them is there."""
    if not set(found) & set(expected):
        return
    for split, counts in expected.items():
        if split not in found:
            yield f"{split}: not there"
            continue
        for noun, number in counts.items():
            got = found[split].get(noun)
            if got is not None and got != number:
                yield f"{split}: {got:,} {noun.replace('_', ' ')}, expected {number:,}"


def summarise(one: DatasetFormat, path: Path, images: Path | None = None) -> Summary:
    """Count what is in a data set; bad records are listed, not fatal.

    Args:
        one: format of the data set.
        path: where it lies.
        images: folder of the pictures, for formats that need it.

    Raises:
        DataError: when a file as a whole cannot be read.
    """
    bad = BadRecords(skip=True)
    if one.counts is not None:
        splits = one.counts(path, bad)
    else:
        splits = {split: _count(one, path, split, images, bad) for split in one.splits(path)}
    return Summary(one, splits, tuple(_differences(splits, one.card.splits)), tuple(bad.listed))
