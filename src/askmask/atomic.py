"""Files and folders that are there whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from askmask.errors import OutputError

__all__ = ["atomic_write", "remove_drafts", "staged", "staged_folder"]


def _draft_beside(target: Path) -> Path:
    """Return a new hidden name in the same folder."""
    return target.parent / f".askmask-{secrets.token_hex(6)}.tmp"


def remove_drafts(folder: Path) -> None:
    """Remove what killed processes have left of files in a folder, and in the folders in it.

    Nobody else may be writing there.
    """
    for draft in folder.rglob(".askmask-*.tmp"):
        with suppress(OSError):
            draft.unlink()


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
    draft = _draft_beside(target)
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
    draft = _draft_beside(target)
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


@contextmanager
def staged_folder(out: Path, ours: str) -> Iterator[Path]:
    """Give a folder to write into, whose files move to `out` when the block ends well.

    Whether `out` can be written is known before the block runs, so that no long work is lost. After
    a failure `out` is what it was before. Files in `out` that match `ours` and were not written
    again are results of an earlier run and go away; all others stay.

    Args:
        out: folder for the results; made with its parents when missing.
        ours: regular expression of the file names that only this program writes.

    Raises:
        OutputError: when `out` is no folder or cannot be written.
    """
    made: list[Path] = []
    try:
        with _reported(out):
            made = [path for path in (out, *out.parents) if not path.exists()]
            out.mkdir(parents=True, exist_ok=True)
            staging = TemporaryDirectory(prefix=".askmask-", dir=out, ignore_cleanup_errors=True)
        with staging as folder:
            yield Path(folder)
            with _reported(out):
                _publish(Path(folder), out, ours)
        made = []
    finally:
        for path in made:  # innermost first
            with suppress(OSError):
                path.rmdir()


@contextmanager
def _reported(out: Path) -> Iterator[None]:
    """Turn what the file system says into one line about `out`."""
    try:
        yield
    except (FileExistsError, NotADirectoryError):
        blocking = next((p for p in (out, *out.parents) if p.exists() and not p.is_dir()), out)
        raise OutputError(
            f"cannot write to {out}: expected a folder, but {blocking} is a file; choose another"
            " with --out"
        ) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"cannot write to {out}: {reason}; choose another with --out") from None


def _publish(staging: Path, out: Path, ours: str) -> None:
    """Move what is in `staging` to `out` and remove our older files there."""
    written = {path.name for path in staging.iterdir()}
    for name in sorted(written):
        if (out / name).is_dir():
            raise IsADirectoryError(21, f"{name} is a folder there")
    for name in sorted(written):
        (staging / name).replace(out / name)
    for path in sorted(out.iterdir()):
        if path.name not in written and re.fullmatch(ours, path.name) and path.is_file():
            path.unlink()
