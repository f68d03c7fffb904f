"""MUSE, PixelLM's questions about many objects at once: `muse_SPLIT.json`, a list of pictures."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from askmask.datasets.frame import BadRecords, Card, Counts, DatasetFormat, peek
from askmask.datasets.instances import read_mask_of
from askmask.datasets.split_files import of_split
from askmask.datasets.values import checked_text, is_name, tidy
from askmask.errors import DataError
from askmask.formats.askmask import QueryRecord, Target
from askmask.formats.json_stream import iter_array

__all__ = ["FORMATS"]

_NAME = re.compile(r"(?i)muse_(\w+)\.json")
_SPLITS = ("train", "val", "test_less", "test_many")


def _files(path: Path) -> dict[str, Path]:
    """Files by split; one of any other name is "all"."""
    if path.is_file():
        named = _NAME.fullmatch(path.name)
        return {named[1] if named else "all": path}
    found = {
        named[1]: file for file in path.glob("*.json") if (named := _NAME.fullmatch(file.name))
    }
    order = {split: place for place, split in enumerate(_SPLITS)}
    return dict(sorted(found.items(), key=lambda one: (order.get(one[0], len(order)), one[0])))


def _looks_right(path: Path) -> bool:
    files = [file for file in _files(path).values() if file.suffix == ".json"]
    start = peek(files[0]) if files else b""
    return b'"questions"' in start and b'"answers"' in start


def _list_at(item: dict[str, Any], key: str, where: str) -> list[Any]:
    value = item.get(key)
    if not isinstance(value, list):
        raise DataError(f"{where}, key {key!r}: expected a list, got {reprlib.repr(value)}")
    return value


def _image(item: dict[str, Any], where: str) -> str:
    """Name of the picture: as it stands, or folder and file of its address."""
    name, url = item.get("file_name"), item.get("coco_url")
    if is_name(name):
        return name
    if is_name(url) and PurePosixPath(url).name:
        return "/".join(PurePosixPath(url).parts[-2:])
    raise DataError(f"{where}: expected file_name or coco_url, got {reprlib.repr(name or url)}")


def _size(item: dict[str, Any], where: str) -> tuple[int, int]:
    height, width = item.get("height"), item.get("width")
    if type(height) is not int or type(width) is not int or min(height, width) < 1:
        raise DataError(f"{where}: expected height and width in pixels, got {(height, width)!r}")
    return height, width


def _target(answer: object, size_hw: tuple[int, int], where: str) -> Target:
    if not isinstance(answer, dict):
        raise DataError(f"{where}: expected an object, got {reprlib.repr(answer)}")
    category, name = answer.get("category_name"), answer.get("rephrased_name")
    return Target(
        segmentation=read_mask_of(answer.get("segmentation"), size_hw, where),
        entity=answer["id"] if type(answer.get("id")) is int else None,
        category=tidy(category) if isinstance(category, str) else None,
        extra={"name": tidy(name)} if isinstance(name, str) else {},
    )


def _of_picture(item: object, number: int, where: str) -> Iterator[QueryRecord]:
    """One query a question of a picture."""
    if not isinstance(item, dict):
        raise DataError(f"{where}: expected an object, got {reprlib.repr(item)}")
    image, size_hw = _image(item, where), _size(item, where)
    questions, answers = _list_at(item, "questions", where), _list_at(item, "answers", where)
    if len(questions) != len(answers):
        raise DataError(f"{where}: expected as many answers as the {len(questions)} questions")
    said = item.get("text_answers")
    for place, (question, answer) in enumerate(zip(questions, answers, strict=True)):
        here = f"{where}, question {place + 1}"
        if not isinstance(answer, list):
            raise DataError(f"{here}: expected a list of answers, got {reprlib.repr(answer)}")
        targets = tuple(_target(one, size_hw, here) for one in answer)
        text = said[place] if isinstance(said, list) and place < len(said) else None
        yield QueryRecord(
            id=f"{number}-{place}",
            image=image,
            height=size_hw[0],
            width=size_hw[1],
            text=checked_text(question, here),
            targets=targets,
            tags=("dataset:muse",) if targets else ("dataset:muse", "no-target"),
            extra={"answer": checked_text(text, here)} if text else {},
        )


def _queries(path: Path, split: str, images: Path | None, bad: BadRecords) -> Iterator[QueryRecord]:
    """Read the questions of a split, picture by picture as the file comes in."""
    file = of_split(_files(path), split, path)
    for number, item in enumerate(iter_array(file), 1):
        where = f"{file}, item {number}"
        try:
            yield from list(_of_picture(item, number, where))
        except DataError as error:
            bad.bad(where, error)


def _counts(path: Path, bad: BadRecords) -> Counts:
    """Count pictures, questions, answers and questions without one; masks are not decoded."""
    counts = {}
    for split, file in _files(path).items():
        images: set[str] = set()
        answers: list[int] = []
        for number, item in enumerate(iter_array(file), 1):
            where = f"{file}, item {number}"
            try:
                if not isinstance(item, dict):
                    raise DataError(f"{where}: expected an object, got {reprlib.repr(item)}")
                found = _list_at(item, "answers", where)
                images.add(_image(item, where))
                answers += (len(one) if isinstance(one, list) else 0 for one in found)
            except DataError as error:
                bad.bad(where, error)
        counts[split] = {
            "images": len(images),
            "queries": len(answers),
            "targets": sum(answers),
            "no_target": answers.count(0),
        }
    return counts


_CARD = Card(
    name="muse",
    title="MUSE: questions whose answers name and segment many objects and parts",
    source="Ren et al., PixelLM: Pixel Reasoning with Large Multimodal Model, CVPR 2024",
    licence="not stated for the annotations; LVIS masks CC BY 4.0; pictures: terms of Flickr",
    obtain="links in github.com/MaverickRen/PixelLM. Pictures: COCO 2017, cocodataset.org",
    notes=(
        "the paper counts 246k questions with 910k masks; exact counts of the splits are not known",
        "words of an answer stand in text_answers, with {seg} for each mask: kept as `answer`",
    ),
)

FORMATS = (
    DatasetFormat(
        name="muse",
        card=_CARD,
        looks_right=_looks_right,
        splits=lambda path: [*_files(path)],
        queries=_queries,
        counts=_counts,
    ),
)
