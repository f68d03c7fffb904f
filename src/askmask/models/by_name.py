"""What every registry does with a name: import what it stands for, or say what is near."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from askmask.errors import ConfigError

__all__ = ["class_at", "unknown"]


def class_at(target: str) -> Any:
    """Import the class that "module:Class" names."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


def unknown(kind: str, name: str, known: Iterable[str]) -> ConfigError:
    """Error for a name that is not known, with the nearest known one, or all of them."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names) or 'none'}"
    return ConfigError(f"{kind} {name!r} is not known: {hint}")
