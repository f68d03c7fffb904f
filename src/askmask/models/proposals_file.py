"""Proposals that another tool has made: COCO's json beside the pictures, as a proposer.

A proposer sees pixels and no file name, so a picture is recognised by its pixels among those that
the file lists. They are read in the file's order and only until the asked one is found; asked in
that order, as a run over a data set does, each is read once.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askmask.datasets.values import as_number, id_of, is_name, listed, whole
from askmask.errors import DataError
from askmask.formats.files import read_json
from askmask.formats.segmentation import read_segmentation
from askmask.images import read_image
from askmask.models.visible import visible_candidates
from askmask.types import Candidates

__all__ = ["FileProposer"]

_Row = dict[str, Any]


class FileProposer:
    """`Proposer` of the masks in a file: `{"images": […], "annotations": […]}`.

    An image has `id`, `file_name`, `height` and `width`; an annotation `image_id`, `segmentation`
    (run lengths or polygons) and `score` in [0, 1].
    """

    def __init__(self, path: Path, pictures: Path, images: list[_Row], rows: list[_Row]) -> None:
        """Take the checked content of `path`, whose pictures lie in `pictures`."""
        self._path = path
        self._pictures = pictures
        self._images: dict[object, _Row] = {image["id"]: image for image in images}
        self._ids = {image["file_name"]: image["id"] for image in images}
        self._rows: dict[object, list[tuple[int, _Row]]] = defaultdict(list)
        for number, row in enumerate(rows):
            self._rows[id_of(row["image_id"])].append((number, row))
        self._seen: dict[bytes, int | str] = {}
        self._unseen: dict[tuple[int, int], Iterator[_Row]] = {}

    @classmethod
    def load(cls, source: str, where: object = None, *, images: str | None = None) -> FileProposer:
        """Read a file of proposals.

        Args:
            source: the file.
            where: not used; every proposer takes it.
            images: folder that the file names are relative to; None for the folder of the file.

        Raises:
            DataError: when the file is no COCO json, an image has no id, name or size or shares one
                with another, or an annotation belongs to no image.
        """
        path = Path(source)
        content = read_json(path)
        pictures = [
            _checked_image(row, f"{path}: images[{number}]")
            for number, row in enumerate(_list_of(content, "images", path))
        ]
        for key in ("id", "file_name"):
            named: dict[object, int] = {}
            for number, image in enumerate(pictures):
                if named.setdefault(image[key], number) != number:
                    raise DataError(
                        f"{path}: images[{number}] has the {key} {image[key]!r} of "
                        f"images[{named[image[key]]}]: expected different ones"
                    )
        known = {image["id"] for image in pictures}
        rows = _list_of(content, "annotations", path)
        for number, row in enumerate(rows):
            if id_of(row.get("image_id")) not in known:
                raise DataError(
                    f"{path}: annotations[{number}] is of image {row.get('image_id')!r}, which "
                    "images does not list"
                )
        return cls(path, path.parent if images is None else Path(images), pictures, rows)

    def of(self, picture: int | str) -> Candidates:
        """Candidates of one picture, the surest first; there may be none.

        Args:
            picture: its id or its file name.

        Raises:
            DataError: when the file lists no such picture, or a proposal of it has no mask of the
                picture's size or no score.
        """
        known = self._ids.get(str(picture), id_of(picture))
        if known not in self._images:
            near = get_close_matches(str(picture), self._ids, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {listed(self._ids)}"
            raise DataError(f"{self._path}: no picture {picture!r}: {hint}")
        image = self._images[known]
        size_hw = image["height"], image["width"]
        found = [
            self._proposal(row, size_hw, f"{self._path}: annotations[{number}]")
            for number, row in self._rows[known]
        ]
        found.sort(key=lambda pair: -pair[1])
        return visible_candidates(
            [code for code, _ in found], [score for _, score in found], size_hw
        )

    def propose(self, image: NDArray[np.uint8]) -> Candidates:
        """Candidates of the listed picture with these pixels, (H, W, 3) uint8 RGB.

        Raises:
            DataError: when no listed picture has these pixels, or one has another size than the
                file says.
            ImageError: when a listed picture of this size cannot be read.
        """
        size_hw = image.shape[0], image.shape[1]
        wanted = _digest(image)
        if wanted not in self._seen:
            unseen = self._unseen.setdefault(size_hw, self._of_size(size_hw))
            for row in unseen:
                digest = self._read(row, size_hw)
                self._seen.setdefault(digest, row["id"])
                if digest == wanted:
                    break
            else:
                raise DataError(
                    f"{self._path}: lists no picture of {size_hw[1]} x {size_hw[0]} pixels like "
                    f"this one; was it made for the pictures in {self._pictures}?"
                )
        return self.of(self._seen[wanted])

    def _of_size(self, size_hw: tuple[int, int]) -> Iterator[_Row]:
        return (row for row in self._images.values() if (row["height"], row["width"]) == size_hw)

    def _read(self, row: _Row, size_hw: tuple[int, int]) -> bytes:
        """Digest of a listed picture."""
        pixels = read_image(self._pictures / row["file_name"])
        if pixels.shape[:2] != size_hw:
            raise DataError(
                f"{self._path}: image {row['id']!r} should be {size_hw[1]} x {size_hw[0]} pixels, "
                f"{row['file_name']} is {pixels.shape[1]} x {pixels.shape[0]}"
            )
        return _digest(pixels)

    @staticmethod
    def _proposal(row: _Row, size_hw: tuple[int, int], where: str) -> tuple[Any, float]:
        score = as_number(row.get("score"))
        if score is None or not 0 <= score <= 1:
            raise DataError(
                f"{where}: expected a score in [0, 1], got {row.get('score')!r}; proposals need one"
            )
        return read_segmentation(row.get("segmentation"), size_hw, where), score


def _digest(image: NDArray[np.uint8]) -> bytes:
    return hashlib.blake2b(image.tobytes()).digest()


def _list_of(content: object, key: str, path: Path) -> list[_Row]:
    rows = content.get(key) if isinstance(content, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(
            f'{path}: expected COCO\'s {{"images": […], "annotations": […]}}, found no list of '
            f"objects {key!r}; a bare list of results does not name its pictures"
        )
    return rows


def _length(value: object) -> int | None:
    pixels = whole(value)
    return pixels if pixels is not None and pixels > 0 else None


def _checked_image(row: _Row, where: str) -> _Row:
    checked = {
        "id": id_of(row.get("id")),
        "file_name": row.get("file_name") if is_name(row.get("file_name")) else None,
        "height": _length(row.get("height")),
        "width": _length(row.get("width")),
    }
    for key, value in checked.items():
        if value is None:
            raise DataError(f"{where}: expected {key}, got {row.get(key)!r}")
    return checked
