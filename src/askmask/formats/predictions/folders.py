"""Folders in which other codes leave one file a mask or one file a picture."""

from __future__ import annotations

from pathlib import Path

from askmask.errors import DataError

__all__ = ["files_in"]


def files_in(folder: Path, suffix: str) -> list[Path]:
    """Return all files of a folder and its subfolders, sorted; hidden ones do not count.

    Raises:
        DataError: when there is no such folder, or a file with another suffix: nothing that may be
            a result is passed over in silence.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder of {suffix} files, got none")
    files = sorted(path for path in folder.rglob("[!.]*") if path.is_file())
    other = next((path for path in files if path.suffix.lower() != suffix), None)
    if other is not None:
        raise DataError(f"{other}: expected only {suffix} files in {folder}; move others away")
    return files
