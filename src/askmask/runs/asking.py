"""Queries made for a run: every sentence asked about every picture of folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from askmask.errors import AskmaskError, DataError, ImageError, QueryError
from askmask.formats.askmask import QueryRecord
from askmask.images import picture_size_hw
from askmask.types import MaskType, Query, check_sentence

__all__ = ["AskedFolder", "ask_pictures", "find_pictures", "read_sentences"]

_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".webp"))

_MAX_SENTENCES = 10_000
"""Most lines of a file of sentences."""


@dataclass(frozen=True)
class AskedFolder:
    """What is asked about pictures.

    Attributes:
        queries: each sentence about each picture, picture by picture.
        unreadable: pictures that cannot be opened, so that nothing is asked about them -> why.
    """

    queries: tuple[QueryRecord, ...]
    unreadable: Mapping[str, str]


def find_pictures(paths: Sequence[Path], out: Path) -> dict[str, Path]:
    """Find pictures in folders, and in the folders in them.

    In folders, files named .png, .jpg, .jpeg and .webp are pictures, but hidden ones; `out` and
    run folders of before are left out, since their overlays and masks are no pictures to ask about.
    A file is taken whatever its name is.

    Args:
        paths: folders and files.
        out: folder that is written to.

    Returns:
        Name of each picture, its path from the folder that holds all of `paths`, in order -> file.

    Raises:
        ImageError: when a path is not there, or there is no picture.
    """
    found: dict[str, None] = {}
    roots = []
    for path in paths:
        if not path.exists():
            raise ImageError(f"{path}: does not exist; expected a picture or a folder of pictures")
        inside = _pictures_in(path, _absolute(out)) if path.is_dir() else (path,)
        found.update(dict.fromkeys(_absolute(one) for one in inside))
        roots.append(_absolute(path if path.is_dir() else path.parent))
    if not found:
        where = ", ".join(map(str, paths[:3]))
        raise ImageError(f"{where}: expected pictures in it (PNG, JPEG or WebP), found none")
    root = os.path.commonpath(roots)
    names = {Path(os.path.relpath(path, root)).as_posix(): Path(path) for path in found}
    return {name: names[name] for name in sorted(names)}


def _absolute(path: Path) -> str:
    """Return the path without "..", so that one file has one; links stay what they are."""
    return os.path.abspath(path)  # noqa: PTH100


def _pictures_in(folder: Path, out: str) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        here = Path(where)
        folders[:] = [name for name in folders if _is_asked(here / name, out)]
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in _SUFFIXES:
                yield here / name


def _is_asked(folder: Path, out: str) -> bool:
    ours = _absolute(folder) == out or (folder / "run.json").is_file()
    return not (ours or folder.name.startswith("."))


def read_sentences(path: Path) -> list[str]:
    """Read sentences, one a line; blank lines are skipped.

    Raises:
        DataError: when the file cannot be read or has no sentences, or too many.
        QueryError: when one cannot be asked.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    sentences = [
        check_sentence(line.decode("utf-8", "surrogateescape").strip(), f"{path}:{number}")
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    if not 1 <= len(sentences) <= _MAX_SENTENCES:
        raise DataError(
            f"{path}: expected 1 to {_MAX_SENTENCES:,} sentences, one a line, got "
            f"{len(sentences):,}"
        )
    return sentences


def ask_pictures(
    pictures: Mapping[str, Path],
    texts: Sequence[str],
    folder: Path,
    mask_type: MaskType | None = None,
) -> AskedFolder:
    """Make a query of every sentence about every picture, NAME#1, NAME#2, ….

    Only the headers of the pictures are read. The same pictures and sentences make the same
    queries.

    Args:
        pictures: name -> file.
        texts: sentences, without references.
        folder: where the queries file will lie; paths lead from there.
        mask_type: the type that is asked for; None lets each sentence decide.

    Raises:
        QueryError: when a sentence cannot be asked, or comes twice.
    """
    for number, text in enumerate(texts):
        Query(text)
        if text in texts[:number]:
            raise QueryError(f"the sentence {text!r} comes twice: ask it once")
    queries: list[QueryRecord] = []
    unreadable: dict[str, str] = {}
    for name, path in pictures.items():
        image = _utf8(Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix())
        try:
            if _utf8(name) != name:
                raise ImageError(f"{_utf8(name)}: the file's name is not UTF-8; rename it")
            height, width = picture_size_hw(path)
        except AskmaskError as error:
            unreadable[image] = _utf8(str(error))
            continue
        queries += (
            QueryRecord(f"{name}#{number}", image, height, width, text, (), mask_type=mask_type)
            for number, text in enumerate(texts, 1)
        )
    return AskedFolder(tuple(queries), unreadable)


def _utf8(text: str) -> str:
    """Return `text` with the bytes that are not UTF-8 spelled out."""
    return text.encode("utf-8", "backslashreplace").decode()
