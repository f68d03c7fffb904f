"""Options of a stage in a small file, which names the model that they were chosen for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from askmask.atomic import atomic_write
from askmask.errors import DataError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["save_options", "saved_options"]

T = TypeVar("T")


def save_options(folder: str | Path, name: str, source: str, options: DataclassInstance) -> None:
    """Write the file `name` in `folder`; the model stays where it is.

    Raises:
        OutputError: when it cannot be written.
    """
    text = json.dumps({"source": source, "options": asdict(options)}, indent=2) + "\n"
    with atomic_write(Path(folder) / name) as stream:
        stream.write(text.encode())


def saved_options(source: str, name: str, options: Callable[..., T]) -> tuple[str, T]:
    """Read where the model is, and what was saved for it.

    Args:
        source: a folder that `save_options` wrote to; for anything else, that comes back with
            options as they are without being told.
        name: of the file.
        options: makes options of what was saved, given by name.

    Raises:
        DataError: when the file is not what `save_options` writes.
    """
    file = Path(source) / name
    if not file.is_file():
        return source, options()
    try:
        told = json.loads(file.read_text())
        return str(told["source"]), options(**_tuples(told["options"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{file}: expected a source and options as askmask saves them ({error})"
        ) from error


def _tuples(value: Any) -> Any:
    """Lists in a value as tuples, as in options."""
    if isinstance(value, dict):
        return {key: _tuples(each) for key, each in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
