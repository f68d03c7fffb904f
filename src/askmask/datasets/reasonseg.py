"""ReasonSeg, LISA's questions that need reasoning: a JSON file beside each picture.

A file has polygons called "target", "ignore" and "flag" and one or more ways to ask. The masks are
painted as LISA's own evaluation paints them, so that pixels and scores agree with published ones.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from askmask import rle
from askmask.datasets.drawn_polygons import draw_polygon
from askmask.datasets.frame import BadRecords, Card, Counts, DatasetFormat, peek
from askmask.datasets.split_files import of_split
from askmask.datasets.values import checked_text
from askmask.errors import DataError
from askmask.formats.askmask import QueryRecord, Target
from askmask.formats.picture_files import picture_size

__all__ = ["FORMATS", "read_reasonseg_file"]

_MAX_BYTES = 20_000_000
"""Largest file of one picture; real ones have some ten thousand bytes."""

_SPLITS = ("train", "val", "test")
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_TARGET, _IGNORE = 1, 255


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _load(path: Path) -> dict[str, Any]:
    """Parse a file: UTF-8, or cp1252 where it is not, as some files are."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    if len(raw) > _MAX_BYTES:
        raise DataError(f"{path}: expected at most {_MAX_BYTES:,} bytes, got more")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("cp1252")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}: expected UTF-8 or cp1252, got byte 0x{raw[error.start]:02x}"
            ) from error
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: expected JSON, {error}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected an object, got {type(content).__name__}")
    return content


def _shapes(content: dict[str, Any], path: Path) -> list[tuple[int, Any, str]]:
    """Value, points and place of each polygon; flags mark a picture and are no shapes."""
    rows = content.get("shapes")
    if not isinstance(rows, list):
        raise DataError(f"{path}, key 'shapes': expected a list, got {reprlib.repr(rows)}")
    found = []
    for number, row in enumerate(rows, 1):
        where = f"{path}, shape {number}"
        if not isinstance(row, dict) or not isinstance(row.get("label"), str):
            raise DataError(f"{where}: expected an object with a label, got {reprlib.repr(row)}")
        label = row["label"].lower()
        if label != "flag":
            found.append((_IGNORE if "ignore" in label else _TARGET, row.get("points"), where))
    return found


def _paint(
    shapes: list[tuple[int, Any, str]], size_hw: tuple[int, int]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Target and ignored pixels, (H, W) bool each: small shapes lie over large ones.

    Of two shapes with as many pixels the first one lies on top.
    """
    codes = []  # run lengths, as a file may claim many shapes on a large picture
    for value, points, where in shapes:
        drawn = draw_polygon(points, size_hw, where)
        codes.append((int(drawn.sum()), value, rle.encode(drawn)))
    canvas = np.zeros(size_hw, np.uint8)
    for place in sorted(range(len(codes)), key=lambda place: (-codes[place][0], -place)):
        _, value, code = codes[place]
        canvas[rle.decode(code)] = value
    return canvas == _TARGET, canvas == _IGNORE


def _sentences(content: dict[str, Any], path: Path) -> list[str]:
    given = content.get("text")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts:
        raise DataError(f"{path}, key 'text': expected sentences, got {reprlib.repr(given)}")
    return [checked_text(text, f"{path}, text {place}") for place, text in enumerate(texts, 1)]


def _said_size(content: dict[str, Any]) -> tuple[int, int] | None:
    """Size that some copies note, under labelme's keys or COCO's."""
    for keys in (("imageHeight", "imageWidth"), ("height", "width")):
        size = tuple(content.get(key) for key in keys)
        if all(type(side) is int and 0 < side < rle.MAX_PIXELS for side in size):
            return size  # type: ignore[return-value]
    return None


def _picture_of(path: Path, images: Path | None) -> Path | None:
    """Picture of a file: in `images`, there in the folder of the split, or beside the file."""
    folders = [path.parent] if images is None else [images / path.parent.name, images]
    files = (folder / f"{path.stem}{suffix}" for folder in folders for suffix in _SUFFIXES)
    return next((file for file in files if file.is_file()), None)


def read_reasonseg_file(
    path: Path, *, root: Path, images: Path | None = None
) -> Iterator[QueryRecord]:
    """Read one file: a query for every way to ask, the first one being that of the benchmark.

    All target pixels together are one target, as nothing tells whose a polygon is.

    Args:
        path: the file.
        root: folder that the picture's name starts from, unless `images` is given.
        images: folder of the pictures, or None when they lie beside the files.

    Raises:
        DataError: naming file and shape; also when neither picture nor file tells the size.
    """
    content = _load(path)
    shapes, texts = _shapes(content, path), _sentences(content, path)
    picture = _picture_of(path, images)
    size_hw = picture_size(picture) if picture is not None else _said_size(content)
    if size_hw is None or size_hw[0] * size_hw[1] > rle.MAX_PIXELS:
        raise DataError(
            f"{path}: the file does not say the picture's size and {path.stem}.jpg is not there; "
            "name the folder of the pictures with --images"
        )
    target, ignore = _paint(shapes, size_hw)
    name = (picture or path.with_suffix(".jpg")).relative_to(
        images if images is not None and picture is not None else root
    )
    sentence = content.get("is_sentence")
    kind = () if sentence is None else ("query:long" if sentence else "query:short",)
    for place, text in enumerate(texts):
        yield QueryRecord(
            id=f"{path.stem}-{place}",
            image=name.as_posix(),
            height=size_hw[0],
            width=size_hw[1],
            text=text,
            targets=(Target(rle.encode(target)),) if target.any() else (),
            ignore=rle.encode(ignore) if ignore.any() else None,
            tags=("dataset:reasonseg", *kind, *(("paraphrase",) if place else ())),
        )


def _files(path: Path) -> dict[str, list[Path]]:
    """Files by split: of the folders train, val and test, or of the path itself."""
    if path.is_file():
        return {"all": [path]}
    found = {split: sorted((path / split).glob("*.json")) for split in _SPLITS}
    found = {split: files for split, files in found.items() if files}
    own = path.name if path.name in _SPLITS else "all"
    return found or {own: sorted(path.glob("*.json"))}


def _looks_right(path: Path) -> bool:
    files = [file for group in _files(path).values() for file in group[:1]]
    start = peek(files[0]) if files and files[0].suffix == ".json" else b""
    return b'"shapes"' in start and b'"is_sentence"' in start


def _counts(path: Path, bad: BadRecords) -> Counts:
    """Count files and ways to ask; needs no pictures."""
    counts = {}
    for split, files in _files(path).items():
        images = queries = 0
        for file in files:
            try:
                content = _load(file)
                _shapes(content, file)
                queries += len(_sentences(content, file))
                images += 1
            except DataError as error:
                bad.bad(str(file), error)
        counts[split] = {"images": images, "queries": queries}
    return counts


def _queries(path: Path, split: str, images: Path | None, bad: BadRecords) -> Iterator[QueryRecord]:
    """Read the files of a split by name; a picture's size is read from it unless the file says."""
    root = path if path.is_dir() else path.parent
    for file in of_split(_files(path), split, path):
        try:
            yield from list(read_reasonseg_file(file, root=root, images=images))
        except DataError as error:
            bad.bad(str(file), error)


_CARD = Card(
    name="reasonseg",
    title="ReasonSeg: long questions and phrases that need reasoning or knowledge of the world",
    source="Lai et al., LISA: Reasoning Segmentation via Large Language Model, CVPR 2024",
    licence="not stated for the annotations; pictures of OpenImages (CC BY 2.0) and ScanNet",
    obtain="links in github.com/JIA-Lab-research/LISA; pictures come with the annotations",
    splits={"train": {"images": 239}, "val": {"images": 200}, "test": {"images": 779}},
    notes=(
        "files do not say the size of their picture: keep the pictures, or name them with --images",
        "only the first way to ask counts in the benchmark; others have the tag paraphrase",
        "polygons called flag mark a picture and are no target; ignored pixels are not scored",
        "some copies treat ignored pixels as target, which changes scores",
    ),
)

FORMATS = (
    DatasetFormat(
        name="reasonseg",
        card=_CARD,
        looks_right=_looks_right,
        splits=lambda path: [*_files(path)],
        queries=_queries,
        counts=_counts,
    ),
)
