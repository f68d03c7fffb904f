"""Build the store of all objects: own packages and produce, and the household things."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from itertools import chain
from pathlib import Path

from askmask.errors import MissingExtraError, OutputError
from askmask.pantry.objects.debian import unpack
from askmask.pantry.objects.groceries import groceries
from askmask.pantry.objects.household import household
from askmask.pantry.objects.store import AssetStore, write_store

__all__ = ["build_objects", "default_folder"]


def default_folder() -> Path:
    """Where objects are kept when no folder is named: in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "askmask" / "objects-1"


def build_objects(
    out: Path,
    *,
    deb: Path | None = None,
    with_household: bool = True,
    progress: Callable[[int], None] | None = None,
) -> AssetStore:
    """Make the asset store; takes a few minutes.

    Args:
        out: folder to make, or one in which to replace the files of the same names.
        deb: the Debian package sweethome3d-furniture; None to download it with apt-get.
        with_household: False for own packages and produce only, which need no package.
        progress: called with the number of finished objects after each of them.

    Raises:
        DataError: when the package is not the one that is expected.
        MissingExtraError: when scipy is missing, or the package and a way to get it.
        OutputError: when the folder cannot be written.
    """
    try:
        import scipy  # noqa: F401
    except ImportError as error:
        raise MissingExtraError.of("scipy", "render", "building objects") from error
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: cannot make the folder ({error.strerror})") from error
    if not with_household:
        return write_store(out, groceries(), progress)
    with tempfile.TemporaryDirectory() as scratch:
        sets = unpack(deb, Path(scratch))
        return write_store(out, chain(groceries(), household(sets)), progress)
