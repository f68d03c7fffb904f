"""Result folders that appear whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from askmask.errors import OutputError

__all__ = ["staged_folder"]


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
