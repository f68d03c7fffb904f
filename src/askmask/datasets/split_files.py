"""Files of a data set by split."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from askmask.errors import ConfigError

__all__ = ["of_split", "split_files"]

_Files = TypeVar("_Files")


def split_files(
    path: Path, looks_right: Callable[[Path], bool], split_of: Callable[[Path], str]
) -> dict[str, Path]:
    """Find the files of a data set that has one a split.

    Args:
        path: a file, or the folder of them.
        looks_right: whether a file is one of them.
        split_of: split of a file, by its name.

    Returns:
        Split -> file; a second file of a split is a split of its own, called like the file.
    """
    found: dict[str, Path] = {}
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        if looks_right(file):
            split = split_of(file)
            found[file.name if split in found else split] = file
    return found


def of_split(files: Mapping[str, _Files], split: str, path: Path) -> _Files:
    """Return what a data set at `path` has of a split.

    Raises:
        ConfigError: when there is no such split.
    """
    if split not in files:
        there = ", ".join(files) or "a file of this format"
        raise ConfigError(f"{path}: split {split!r} is not there; expected {there}")
    return files[split]
