"""Recipes with other values, as `--set KEY=VALUE` asks for them."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from askmask.errors import ConfigError

__all__ = ["overridden"]

T = TypeVar("T")


def overridden(recipe: T, settings: Sequence[str]) -> T:
    """Return a dataclass with some fields replaced, also those of dataclasses in it.

    Args:
        recipe: the dataclass; it stays as it is.
        settings: e.g. "selector.loop.average=0.99"; values are JSON.

    Raises:
        ConfigError: for a setting without a value, of an unknown field, or of another type.
    """
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            raise ConfigError(f"--set: expected KEY=VALUE, got {setting!r}")
        recipe = _with(recipe, key.strip().split("."), text.strip(), setting)
    return recipe


def _with(inside: T, keys: Sequence[str], text: str, setting: str) -> T:
    names = [field.name for field in fields(inside)] if is_dataclass(inside) else []
    if keys[0] not in names:
        near = difflib.get_close_matches(keys[0], names, 1)
        hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names) or 'none'}"
        raise ConfigError(
            f"--set {setting}: no setting {keys[0]!r} in {type(inside).__name__}{hint}"
        )
    old = getattr(inside, keys[0])
    new = _with(old, keys[1:], text, setting) if keys[1:] else _value(old, text, setting)
    changed: T = replace(inside, **{keys[0]: new})  # type: ignore[type-var]
    return changed


def _value(old: object, text: str, setting: str) -> Any:
    """Read JSON of the type that is there already."""
    try:
        new = json.loads(text)
    except ValueError:
        new = text
    if isinstance(old, float) and type(new) is int:
        return float(new)
    if isinstance(old, tuple) and isinstance(new, list):
        return tuple(new)
    if type(new) is not type(old):
        expected = (
            "a group of settings" if is_dataclass(old) else f"{type(old).__name__}, as {old!r}"
        )
        raise ConfigError(f"--set {setting}: expected {expected}; got {text!r}")
    return new
