"""Python's cycle collector, kept from looking through records again and again.

Records have no cycles, but are made in such numbers that looking takes as long as reading them.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["seldom_collected", "uncollected"]

_SELDOM = 500_000
"""New objects that are kept, net of those that are let go, from which on cycles are looked for."""


@contextmanager
def uncollected() -> Iterator[None]:
    """Make objects without cycles in peace; for short times, as no cycle is collected meanwhile."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Make objects in peace for any time: cycles are looked for only when objects pile up."""
    thresholds = gc.get_threshold()
    gc.set_threshold(max(_SELDOM, thresholds[0]), *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
