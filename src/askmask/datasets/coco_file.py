"""COCO-style files: images, annotations that name their image, categories; picture by picture.

Only places in the file and the names of categories are kept, so memory stays near the size of the
file; an annotation is parsed when its picture is read.
"""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from askmask.datasets.frame import BadRecords
from askmask.datasets.values import Json, checked_size, id_of, is_name, listed, tidy, whole
from askmask.errors import DataError
from askmask.formats.askmask import Entity, EntityRecord
from askmask.formats.json_stream import Item, JsonItems
from askmask.formats.picture_files import picture_size

__all__ = ["NAMELESS", "CocoFile", "CocoPicture", "ToEntity"]

NAMELESS = "object"
"""Category where a file has none, as class-agnostic copies of COCOA."""

_LISTS = {"images": True, "annotations": True, "categories": False}
"""Lists that are read, and whether a file must have them."""


@dataclass(frozen=True)
class CocoPicture:
    """One image of a file with its annotations.

    Attributes:
        where: file and image, for messages.
        image: its entry in the file.
        annotations: their entries, in the order of the file.
        folder: where the pictures lie, or None.
    """

    where: str
    image: Json
    annotations: Sequence[Json]
    folder: Path | None = None

    def name(self) -> str:
        """File name; LVIS has it only as the end of an address, with the folder before it.

        Raises:
            DataError: when there is none.
        """
        name, url = self.image.get("file_name"), self.image.get("coco_url")
        if not name and isinstance(url, str):
            name = "/".join(url.split("/")[-2:])
        if not is_name(name):
            raise DataError(
                f"{self.where}: expected a file_name, got {reprlib.repr(name)} and the keys "
                f"{listed(self.image)}"
            )
        return name

    def size_hw(self, masks: Sequence[str] = ()) -> tuple[int, int]:
        """Height and width: as the file says, of a run-length code, or of the picture itself.

        Args:
            masks: keys of the annotations that may hold such a code.

        Raises:
            DataError: when none of them says it.
        """
        size: object = [self.image.get("height"), self.image.get("width")]
        if size == [None, None]:
            codes = (one.get(key) for one in self.annotations for key in masks)
            size = next((c["size"] for c in codes if isinstance(c, dict) and "size" in c), size)
        if size == [None, None] and self.folder is not None:
            return picture_size(self.folder / self.name())
        return checked_size(size, self.where)


ToEntity: TypeAlias = Callable[[Json, str, tuple[int, int], str], Entity]
"""Makes an entity of an annotation, given its category, the picture's size and where it stands."""


@dataclass
class CocoFile:
    """Where everything is in a COCO-style file.

    Attributes:
        path: the file.
        bad: told of what cannot be read.
        folder: where the pictures lie, for files that do not say their sizes; or None.
        renamed: theirs -> ours, for files that call their keys differently.
        names: category id -> name; {} where the file has no categories.
        annotations: number of annotations.
        seen: key -> number of annotations in which it holds something.
        forms: key -> form of the masks in it, for keys that hold masks.
    """

    path: Path
    bad: BadRecords
    folder: Path | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    names: dict[int | str, str] = field(default_factory=dict, init=False)
    annotations: int = field(default=0, init=False)
    seen: Counter[str] = field(default_factory=Counter, init=False)
    forms: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Parse the file once.

        Raises:
            DataError: when it is not JSON or lacks a list.
        """
        self._items = JsonItems(self.path)
        self._images: dict[int | str, int] = {}
        self._of_image: dict[int | str, list[int]] = {}
        found: set[str] = set()
        tops: list[str] = []
        for item in self._items:
            key = self.renamed.get(item.key, item.key)
            if item.number is None:
                tops.append(item.key)
                found.update({key} if isinstance(item.value, list) else ())
            elif key in found & _LISTS.keys():
                self._try_to_add(key, item)
        missing = next((key for key, must in _LISTS.items() if must and key not in found), None)
        if missing is not None:
            raise DataError(
                f"{self.path}, key {missing!r}: expected a list of objects as in COCO's files, "
                f"got the keys {listed(key for key in tops if key)}"
            )
        self._drop_lost()

    def count(self) -> tuple[int, int]:
        """Number of images and of annotations."""
        return len(self._images), self.annotations

    def found(self) -> str:
        """The keys of the annotations that hold masks, in words."""
        shares = [
            f"{key} ({self.forms[key]} in {self.seen[key]:,} of {self.annotations:,})"
            for key in self.forms
        ]
        others = [key for key in self.seen if key not in self.forms]
        return f"{listed(shares)}; other keys: {listed(others)}"

    def _ours(self, value: Any) -> Any:
        """An object with our names for its keys."""
        if not self.renamed or not isinstance(value, dict):
            return value
        return {self.renamed.get(key, key): held for key, held in value.items()}

    def _try_to_add(self, key: str, item: Item) -> None:
        where = f"{self.path}, {item.key}[{item.number}]"
        try:
            self._add(key, self._ours(item.value), item.start, where)
        except DataError as error:
            self.bad.bad(where, error)

    def _add(self, kind: str, value: Any, start: int, where: str) -> None:
        """Remember one item of a list."""
        if not isinstance(value, dict):
            raise DataError(f"{where}: expected an object, got {reprlib.repr(value)}")
        name = "image_id" if kind == "annotations" else "id"
        key = id_of(value.get(name))
        if key is None:
            raise DataError(
                f"{where}: expected a number as {name!r}, got {reprlib.repr(value.get(name))}"
            )
        if kind == "annotations":
            self._note(value)
            self._of_image.setdefault(key, []).append(start)
        elif kind == "categories":
            self.names[key] = tidy(value.get("name") or "") or NAMELESS
        elif key in self._images:
            raise DataError(f"{where}: image {key!r} is there twice")
        else:
            self._images[key] = start

    def _note(self, annotation: Json) -> None:
        self.annotations += 1
        for key, held in annotation.items():
            if held is None or held == [] or held == {}:
                continue
            self.seen[key] += 1
            if key not in self.forms and (form := _form_of(held)):
                self.forms[key] = form

    def _drop_lost(self) -> None:
        """Report annotations whose image is not in the file."""
        for key in [key for key in self._of_image if key not in self._images]:
            lost = self._of_image.pop(key)
            where = f"{self.path}, image {key!r}"
            error = DataError(
                f"{where}: expected it in 'images', it is missing and has {len(lost)} annotations"
            )
            self.bad.bad(where, error)

    def pictures(self) -> Iterator[CocoPicture]:
        """Pictures in the order of the file, also those without annotations."""
        for key, start in self._images.items():
            own = [self._ours(self._items.at(place)) for place in self._of_image.get(key, ())]
            image = self._ours(self._items.at(start))
            yield CocoPicture(f"{self.path}, image {key!r}", image, own, self.folder)

    def entities(
        self,
        to_entity: ToEntity,
        masks: Sequence[str] = (),
        about: Callable[[CocoPicture], Json] | None = None,
    ) -> Iterator[EntityRecord]:
        """Annotations as entities, a record a picture; what is bad is told and left out.

        Args:
            to_entity: makes one.
            masks: see `CocoPicture.size_hw`.
            about: what else the record shall say of the picture.
        """
        for picture in self.pictures():
            try:
                name, size_hw = picture.name(), picture.size_hw(masks)
            except DataError as error:
                self.bad.bad(picture.where, error)
                continue
            entities = tuple(one for *_, one in self.annotated(picture, size_hw, to_entity))
            yield EntityRecord(name, *size_hw, entities, about(picture) if about else {})

    def annotated(
        self, picture: CocoPicture, size_hw: tuple[int, int], to_entity: ToEntity
    ) -> Iterator[tuple[str, Json, Entity]]:
        """Annotations of a picture that can be read: where, as in the file, as entity."""
        ids: set[int] = set()
        for annotation in picture.annotations:
            where = f"{picture.where} annotation {reprlib.repr(annotation.get('id'))}"
            try:
                if whole(annotation.get("id")) is None:
                    raise DataError(f"{where}: expected a whole number as id")
                entity = to_entity(annotation, self._category(annotation, where), size_hw, where)
                if entity.id in ids:
                    raise DataError(f"{where}: the picture has this id already")
            except DataError as error:
                self.bad.bad(where, error)
                continue
            ids.add(entity.id)
            yield where, annotation, entity

    def _category(self, annotation: Json, where: str) -> str:
        """Name of an annotation's category."""
        if not self.names:
            return NAMELESS
        category = id_of(annotation.get("category_id"))
        if category is None or category not in self.names:
            got = reprlib.repr(annotation.get("category_id"))
            raise DataError(f"{where}: category {got} is not in the file's categories")
        return self.names[category]


def _form_of(value: object) -> str | None:
    """What a value looks like, if it looks like masks."""
    if isinstance(value, dict) and "counts" in value:
        return "run lengths"
    if isinstance(value, list) and (isinstance(value[0], list) or len(value) > 5):
        return "polygons"
    return None
