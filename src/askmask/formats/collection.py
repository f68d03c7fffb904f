"""What flows between formats: splits of records, what cannot be read, and what gets lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import EntityRecord, Prediction, QueryRecord

__all__ = ["Collection", "Losses", "OnBad", "Options", "Records", "Split", "stop"]

OnBad: TypeAlias = Callable[[str, DataError], None]
"""Told of a record that cannot be read: where, and why. It raises, or returns to skip it."""

Records: TypeAlias = Literal["entities", "queries", "predictions"]


def stop(where: str, error: DataError) -> None:
    """Raise `error`: the first bad record ends the reading."""
    raise error


@dataclass(frozen=True)
class Split:
    """Records of one split.

    Attributes:
        entities: pictures with their objects.
        queries: sentences about pictures.
        predictions: answers; the queries are those that were asked.
        images: folder that the records' paths start from, or None when nobody knows.
    """

    entities: tuple[EntityRecord, ...] = ()
    queries: tuple[QueryRecord, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    images: Path | None = None

    def kind(self, wanted: Records | None) -> Records:
        """Which records a format that holds one kind takes: the asked one, or the first there is.

        Raises:
            ConfigError: when there are none of the asked kind.
        """
        found: list[Records] = [
            kind for kind in ("predictions", "entities", "queries") if getattr(self, kind)
        ]
        if wanted is not None and wanted not in found:
            there = f"only {' and '.join(found)}" if found else "no records"
            raise ConfigError(f"--records {wanted}: the source has {there}")
        return wanted or (found[0] if found else "entities")


@dataclass(frozen=True)
class Collection:
    """A data set on its way from one format to another.

    Attributes:
        splits: by name; "all" where the source has no splits.
        name: what the data set is called.
        license: as the source states it.
        source: where it comes from.
        temporary: whether the pictures lie in `Options.workspace`, and must be copied to last.
    """

    splits: Mapping[str, Split]
    name: str = "converted"
    license: str = "as its source"
    source: str = ""
    temporary: bool = False

    def only(self) -> Split:
        """Return the one split, for a format without splits.

        Raises:
            ConfigError: when there are several.
        """
        if len(self.splits) != 1:
            raise ConfigError(
                f"the format holds one split, the source has {', '.join(self.splits) or 'none'}: "
                "choose one with --split"
            )
        return next(iter(self.splits.values()))


@dataclass(frozen=True)
class Options:
    """What the user can say about a conversion.

    Attributes:
        images: folder of the pictures; None for the source's own.
        queries: queries file that predictions answer; None where they lie together.
        split: the only split to convert, or None for all.
        records: kind of records, for formats that hold one; None for the first there is.
        mask_type: the only masks of objects to write, for formats that hold one an object, or None
            for all that the format can hold.
    """

    images: Path | None = None
    queries: Path | None = None
    split: str | None = None
    records: Records | None = None
    mask_type: Literal["modal", "amodal"] | None = None
    workspace: Path | None = None


@dataclass
class Losses:
    """What a format could not hold.

    Attributes:
        counts: noun in the plural -> how many.
        reasons: noun -> why, and what to do about it.
        ious: IoU of each mask with what the format made of it, where that is not the same.
    """

    counts: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, str] = field(default_factory=dict)
    ious: list[float] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.lines())

    def add(self, what: str, count: int, why: str) -> None:
        """Count `count` more of `what`, which are lost because of `why`; none is no loss."""
        if count:
            self.counts[what] += count
            self.reasons[what] = why

    def lines(self) -> list[str]:
        """One line a kind of loss, e.g. "lost: 12 tags (YOLO has none)"."""
        lines = [
            f"lost: {count:,} {what} ({self.reasons[what]})" for what, count in self.counts.items()
        ]
        if self.ious:
            mean = sum(self.ious) / len(self.ious)
            lines.append(
                f"changed: {len(self.ious):,} masks as polygons, IoU {mean:.4f} on average, "
                f"{min(self.ious):.4f} at worst"
            )
        return lines
