"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from askmask.errors import OutputError

__all__ = ["atomic_write", "staged"]


@contextmanager
def atomic_write(path: str | Path) -> Iterator[BinaryIO]:
    """Write a file so that a reader, or an interruption, finds the old content or the new one.

    The bytes go to a hidden file beside `path`, which takes its place when the block ends and is
    removed when the block fails.

    Args:
        path: file to make or to replace; its folder must exist.

    Yields:
        A stream for bytes.

    Raises:
        OutputError: when the file cannot be written.
    """
    target = Path(path)
    draft = target.parent / f".askmask-{secrets.token_hex(6)}.tmp"
    try:
        try:
            with draft.open("xb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)  # already moved when all went well
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(
            f"{target}: cannot be written ({reason}); choose a file in an existing folder "
            "that you may write to"
        ) from error


@contextmanager
def staged(path: str | Path) -> Iterator[Path]:
    """Give a path for a new file or folder, which takes the place of `path` when the block ends.

    The path is in the same folder, so that relative paths from both are the same. When the block
    fails, everything is as before. A file is replaced; a folder may only take an empty one's place.

    Args:
        path: file or folder to make; missing parents are made.

    Raises:
        OutputError: when `path` is a folder with files in it, or cannot be written.
    """
    target = Path(path)
    draft = target.parent / f".askmask-{secrets.token_hex(6)}.tmp"
    made: list[Path] = []
    try:
        _check_free(target)
        made = [parent for parent in target.parents if not parent.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        draft.replace(target)
        made = []
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{target}: cannot be written ({reason}); choose another") from error
    finally:
        if draft.is_dir():
            shutil.rmtree(draft, ignore_errors=True)
        with suppress(OSError):
            draft.unlink()
        for parent in made:  # innermost first; one that others have used stays
            with suppress(OSError):
                parent.rmdir()


def _check_free(target: Path) -> None:
    if target.is_dir() and any(target.iterdir()):
        raise OutputError(
            f"{target}: is a folder with files in it, which would mix with the new ones; choose "
            "another or remove it"
        )
