"""Signatures: what a figure was computed from and how, in one line that fits beside it.

gIoU|protocol:r2sm|empty:1|n:12207|data:3f8a0c9d21b4|v:0.2.0
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version

__all__ = ["signature"]


@cache
def _version() -> str:
    """Version of askmask; looking it up takes longer than all else here."""
    return version("askmask")


def signature(metric: str, settings: Mapping[str, object]) -> str:
    """Join a metric's name, its settings but those that are None, and the version of askmask."""
    parts = [metric, *(f"{key}:{value}" for key, value in settings.items() if value is not None)]
    return "|".join([*parts, f"v:{_version()}"])
