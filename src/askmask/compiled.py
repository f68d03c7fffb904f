"""Loops in Python that numba compiles, once it is started."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, TypeVar

__all__ = ["compiled"]

_Loop = TypeVar("_Loop", bound=Callable[..., Any])


@contextmanager
def _promised(name: str) -> Iterator[None]:
    """Let an installed module seem loaded, for those who only look whether it can be."""
    stand_in = ModuleType(name)
    if find_spec(name.partition(".")[0]) is not None:
        sys.modules.setdefault(name, stand_in)
    try:
        yield
    finally:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]


@cache
def _numba() -> Any:
    """Load numba. It leaves some 100,000 objects that the collector need not look at again.

    A third of its start is loading scipy's linear algebra, only to see whether it is there.
    """
    numba = import_module("numba")
    with _promised("scipy.linalg.cython_blas"), suppress(ModuleNotFoundError):
        import_module("numba.np.arraymath")
    gc.freeze()
    return numba


@cache
def compiled(loop: _Loop) -> _Loop:
    """Compile a loop, or take what an earlier process has left in the cache on disk."""
    try:
        return _numba().njit(cache=True, nogil=True)(loop)  # type: ignore[no-any-return]
    except RuntimeError:  # no folder for the cache can be written
        return _numba().njit(nogil=True)(loop)  # type: ignore[no-any-return]
