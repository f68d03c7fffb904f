"""How data sets of COCO-style files lie on disk: which file holds which split, how to know them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from askmask.datasets.frame import BadRecords, Card, Counts, DatasetFormat, peek
from askmask.datasets.split_files import of_split
from askmask.errors import DataError
from askmask.formats.askmask import EntityRecord

__all__ = ["CocoLayout"]

_FOLDERS = ("", "annotations")
"""Where annotation files lie in the folder of a data set."""

_Reader = Callable[[Path, Path | None, BadRecords], Iterator[EntityRecord]]


@dataclass(frozen=True)
class CocoLayout:
    """Names of the files of a data set, and by which keys one knows them.

    Attributes:
        patterns: split -> file names, as a shell would match them in any case; {} for data sets
            without a layout of their own, which are read file by file.
        marks: keys, as they stand in the file, of which one must be at either end of it.
        names: what the name of a file, or of its folder, must contain, as a pattern.
        without: keys that speak against it.
    """

    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    marks: tuple[bytes, ...] = ()
    names: str = ""
    without: tuple[bytes, ...] = ()

    def files(self, path: Path) -> dict[str, tuple[Path, ...]]:
        """Split -> files; a file that is none of the patterns is the split "all"."""
        if not path.is_dir():
            return {self._split_of(path): (path,)}
        found: dict[str, tuple[Path, ...]] = {}
        candidates = [
            file
            for folder in _FOLDERS
            if (path / folder).is_dir()
            for file in sorted((path / folder).glob("*.json"))
        ]
        for file in candidates:
            split = self._split_of(file)
            if split != "all" or self._matches(file, "all"):
                found[split] = (*found.get(split, ()), file)
        return {split: found[split] for split in self.patterns if split in found}

    def files_of(self, path: Path, split: str) -> tuple[Path, ...]:
        """The files of a split.

        Raises:
            ConfigError: when there is no such split.
            DataError: when there is no file at all.
        """
        files = self.files(path)
        if not files:
            names = ", ".join(name for group in self.patterns.values() for name in group)
            raise DataError(f"{path}: expected a file {names}, found none; name the file itself")
        return of_split(files, split, path)

    def looks_right(self, path: Path) -> bool:
        """Whether a file, or the first one of a folder, looks like this."""
        files = [file for group in self.files(path).values() for file in group][:1]
        return any(self._is_marked(file) for file in files)

    def _is_marked(self, file: Path) -> bool:
        named = re.search(self.names, f"{file.parent.name}/{file.name}", re.IGNORECASE)
        if named is None or file.suffix.lower() != ".json":
            return False
        ends = peek(file)
        marked = any(mark in ends for mark in self.marks)
        return marked and not any(mark in ends for mark in self.without)

    def _split_of(self, file: Path) -> str:
        return next((split for split in self.patterns if self._matches(file, split)), "all")

    def _matches(self, file: Path, split: str) -> bool:
        return any(
            fnmatch(file.name.lower(), pattern.lower()) for pattern in self.patterns.get(split, ())
        )

    def format(
        self,
        name: str,
        card: Card,
        read: _Reader,
        count: Callable[[Path, BadRecords], tuple[int, int]],
        *,
        claims: Callable[[Path, str, Path | None], Iterator[str]] | None = None,
        mapped: Callable[[Mapping[str, str]], DatasetFormat] | None = None,
    ) -> DatasetFormat:
        """The data set, read file by file.

        Args:
            name: as the command line calls it.
            card: what to expect.
            read: reads one file, given the folder of its pictures if that is known.
            count: images and instances of one file.
            claims: see `DatasetFormat`.
            mapped: see `DatasetFormat`.
        """

        def entities(
            path: Path, split: str, images: Path | None, bad: BadRecords
        ) -> Iterator[EntityRecord]:
            for file in self.files_of(path, split):
                yield from read(file, images, bad)

        def counts(path: Path, bad: BadRecords) -> Counts:
            found = {}
            for split, files in self.files(path).items():
                images, instances = zip(*(count(file, bad) for file in files), strict=True)
                found[split] = {"images": sum(images), "instances": sum(instances)}
            return found

        return DatasetFormat(
            name,
            card,
            self.looks_right,
            lambda path: [*self.files(path)],
            entities=entities,
            counts=counts,
            claims=claims,
            mapped=mapped,
        )
