"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from askmask.errors import OutputError

__all__ = ["atomic_write"]


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
