"""What every reader of a data set offers: a card, a guess, splits and records; and what is bad.

A reader file ends with `FORMATS`, a tuple of `DatasetFormat`, which `registry.py` collects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

from askmask.errors import DataError
from askmask.formats.askmask import EntityRecord, QueryRecord
from askmask.formats.files import write_jsonl

__all__ = [
    "BadRecords",
    "Card",
    "Counts",
    "DatasetFormat",
    "EntityReader",
    "QueryReader",
    "peek",
]

Counts: TypeAlias = Mapping[str, Mapping[str, int]]
"""Split -> noun -> number, e.g. {"val": {"images": 1500, "queries": 10834}}."""

_PEEK_BYTES = 65_536
"""How much of either end of a file is looked at to guess its format."""


@dataclass(frozen=True)
class Card:
    """What is known about a data set without having it.

    Attributes:
        name: short name, e.g. "refcoco".
        title: what it is, in a line.
        source: paper or home of the data.
        licence: as its authors state it; "not stated" where they do not.
        obtain: how to get it.
        splits: expected counts, of "images", "queries", "instances" or "refs"; {} where unknown.
        notes: quirks that users meet.
    """

    name: str
    title: str
    source: str
    licence: str
    obtain: str
    splits: Counts = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class BadRecords:
    """What happens to records that cannot be read: stop at the first, or list them and go on.

    Attributes:
        skip: whether to go on.
        listed: one {"where", "error"} a bad record, as `errors.jsonl` has them.
    """

    def __init__(self, *, skip: bool = False) -> None:
        self.skip = skip
        self.listed: list[dict[str, str]] = []

    def bad(self, where: str, error: DataError) -> None:
        """Report a bad record at `where` (file and record); returns only when it is skipped.

        Raises:
            DataError: `error`, unless bad records are skipped.
        """
        if not self.skip:
            raise error
        self.listed.append({"where": where, "error": str(error)})

    def write(self, path: str | Path) -> None:
        """Write the list as JSON Lines.

        Raises:
            OutputError: when the file cannot be written.
        """
        write_jsonl(path, self.listed)


class QueryReader(Protocol):
    """Reads the sentences of a split."""

    def __call__(
        self, path: Path, split: str, images: Path | None, bad: BadRecords
    ) -> Iterator[QueryRecord]:
        """Yield one record a sentence.

        A record's `image` is relative to `images`, or for None to the data set's own folder: that
        is the file name as the source has it.

        Args:
            path: file or folder that the format recognised.
            split: one of the format's splits.
            images: folder of the pictures, for sources that do not say their sizes.
            bad: told of every record that cannot be read.

        Raises:
            DataError: when the file as a whole cannot be read; for a record, through `bad`.
        """


class EntityReader(Protocol):
    """Reads the annotated pictures of a split; the arguments are those of `QueryReader`."""

    def __call__(
        self, path: Path, split: str, images: Path | None, bad: BadRecords
    ) -> Iterator[EntityRecord]:
        """Yield one record a picture."""


@dataclass(frozen=True)
class DatasetFormat:
    """One data set as it lies on disk.

    Attributes:
        name: as the command line calls it.
        card: what to expect.
        looks_right: whether a file or folder looks like this, which must be cheap to say.
        splits: names that the readers accept; ["all"] where a file has no splits.
        queries: reader of sentences, or None where there are none.
        entities: reader of annotated pictures, or None where there are none.
        counts: counts without decoding a mask, where that is much quicker than reading.
        claims: problems that only the source's own fields show, one line each, e.g. an area that is
            not that of its mask; None where the source claims nothing.
        mapped: the same format with other names for its keys ({ours: theirs}), where no public
            description fixes them.
    """

    name: str
    card: Card
    looks_right: Callable[[Path], bool]
    splits: Callable[[Path], list[str]]
    queries: QueryReader | None = None
    entities: EntityReader | None = None
    counts: Callable[[Path, BadRecords], Counts] | None = None
    claims: Callable[[Path, str, Path | None], Iterator[str]] | None = None
    mapped: Callable[[Mapping[str, str]], DatasetFormat] | None = None

    def recognises(self, path: Path) -> bool:
        """Whether a file or folder looks like this; not for one that cannot be looked at."""
        try:
            return self.looks_right(path)
        except (OSError, ValueError):  # ValueError: a name that the system cannot hold
            return False


def peek(path: Path) -> bytes:
    """Return both ends of a file, enough to guess what it is; b"" for what cannot be read."""
    try:
        with path.open("rb") as stream:
            start = stream.read(_PEEK_BYTES)
            length = stream.seek(0, 2)
            stream.seek(max(len(start), length - _PEEK_BYTES))
            return start + stream.read(_PEEK_BYTES)
    except (OSError, ValueError):  # ValueError: a name that the system cannot hold
        return b""
