"""The hash of every file of a built split, and whether a rebuilt folder has the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from askmask.errors import DataError
from askmask.formats.files import file_sha256, read_json, write_json

__all__ = [
    "CHECKSUMS",
    "digest",
    "is_published",
    "read_checksums",
    "verify_checksums",
    "write_checksums",
]

CHECKSUMS = "checksums.json"
"""Name of the file with the hashes, in the folder that they are of."""

_MAX_BYTES = 100_000_000
_NAMED = 3
"""Files that a message names at most."""


def _hashes(folder: Path) -> dict[str, str]:
    """Path in the folder -> SHA-256, without the list itself; sorted."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != CHECKSUMS)
    return {
        path.relative_to(folder).as_posix(): file_sha256(path)
        for path in sorted(files, key=lambda path: path.relative_to(folder).as_posix())
    }


def write_checksums(folder: Path) -> None:
    """Write the hashes of all files of a folder into its `checksums.json`.

    Raises:
        DataError: when a file cannot be read.
        OutputError: when the list cannot be written.
    """
    write_json(folder / CHECKSUMS, _hashes(folder))


def read_checksums(path: Path) -> Mapping[str, str]:
    """Read a list of hashes.

    Raises:
        DataError: when the file is missing or is not such a list.
    """
    lists = read_json(path, _MAX_BYTES)
    if not isinstance(lists, dict) or not all(isinstance(value, str) for value in lists.values()):
        raise DataError(f"{path}: expected an object of paths and SHA-256 hashes")
    return lists


def verify_checksums(folder: Path, against: Path | None = None) -> int:
    """Check that a folder holds exactly the files of a list.

    Args:
        folder: a built split.
        against: a list, e.g. the published one; None for the folder's own.

    Returns:
        The number of files.

    Raises:
        DataError: naming files that are missing, additional or different.
    """
    path = folder / CHECKSUMS if against is None else against
    wanted, found = read_checksums(path), _hashes(folder)
    problems = [
        f"{word} {', '.join(names[:_NAMED])}{_more(names)}"
        for word, names in (
            ("missing", [name for name in wanted if name not in found]),
            ("not listed", [name for name in found if name not in wanted]),
            ("different", [n for n, value in found.items() if wanted.get(n, value) != value]),
        )
        if names
    ]
    if problems:
        raise DataError(
            f"{folder}: expected the files of {path}, got {'; '.join(problems)}; build it anew"
        )
    return len(found)


def digest(folder: Path) -> str:
    """Return one hash for a built split: the SHA-256 over the names and hashes of its files.

    Raises:
        DataError: when its list of hashes is missing.
    """
    lines = [f"{sha}  {name}\n" for name, sha in sorted(read_checksums(folder / CHECKSUMS).items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def is_published(folder: Path, split: str) -> bool | None:
    """Whether a built split has the published digest; None where none is published.

    Raises:
        DataError: when its list of hashes is missing.
    """
    path = resources.files(__package__) / "data" / "digests.json"
    published = json.loads(path.read_text("utf-8")).get(split)
    return None if published is None else published == digest(folder)


def _more(names: list[str]) -> str:
    return f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
