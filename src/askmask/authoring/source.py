"""The pictures of annotation files of any kind, ready to be asked about."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

from askmask.authoring.picture import AnnotatedPicture
from askmask.datasets.coco_amodal import read_coco_amodal
from askmask.datasets.cocoa import is_cocoa, read_cocoa
from askmask.errors import DataError
from askmask.formats.askmask import EntityRecord, read_entities

__all__ = ["Format", "Source"]

Format: TypeAlias = Literal["auto", "askmask", "cocoa", "coco"]
"""Kinds of annotation files; "coco" are COCOA-cls, D2SA, KINS, MUVA and what else looks so."""


@dataclass(frozen=True)
class Source:
    """Annotation files and the folder of their pictures. Iterating reads the files anew.

    Attributes:
        files: the annotation files.
        images: folder that the pictures' names start from; None: beside an askmask file, and
            unknown for the others.
        kind: format of the files; "auto" looks into them.
        out: folder of the files that will be written, to which paths will be relative.
        limit: pictures at most, or None for all.
    """

    files: tuple[Path, ...]
    out: Path
    images: Path | None = None
    kind: Format = "auto"
    limit: int | None = None

    def __iter__(self) -> Iterator[AnnotatedPicture]:
        """Read the pictures in the order of the files.

        Raises:
            DataError: naming file and place; also when a picture comes twice.
        """
        names: set[str] = set()
        seen: dict[str, Path] = {}
        for file in self.files:
            for record in self._records(file):
                if self.limit is not None and len(seen) >= self.limit:
                    return
                if record.image in seen:
                    raise DataError(
                        f"{file}: picture {record.image!r} is already in {seen[record.image]}"
                    )
                seen[record.image] = file
                yield self._picture(file, record, names)

    def _records(self, file: Path) -> Iterator[EntityRecord]:
        kind = self.kind if self.kind != "auto" else _kind_of(file)
        if kind == "askmask":
            return read_entities(file)
        return read_cocoa(file) if kind == "cocoa" else read_coco_amodal(file)

    def _picture(self, file: Path, record: EntityRecord, names: set[str]) -> AnnotatedPicture:
        """Give a record its name and the path of its picture."""
        bare = str(PurePosixPath(record.image.removeprefix("images/")).with_suffix(""))
        name = record.image if bare in names else bare
        names.add(name)
        folder = self.images or (file.parent if file.suffix == ".jsonl" else None)
        if folder is None:
            return AnnotatedPicture(name, record)
        path = folder / record.image
        relative = Path(os.path.relpath(path, self.out)).as_posix()
        return AnnotatedPicture(name, replace(record, image=relative), path)


def _kind_of(file: Path) -> Format:
    if file.suffix == ".jsonl":
        return "askmask"
    return "cocoa" if is_cocoa(file) else "coco"
