"""JSON of other tools: checked access to its keys, and files that they read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from askmask.atomic import atomic_write
from askmask.formats.codes import CodeChecks
from askmask.formats.fields import Fields

__all__ = ["fields_of", "write_foreign_json"]


def fields_of(record: object, where: str, known: Sequence[str], prefix: str = "") -> Fields:
    """Return the keys of an object without run-length codes; see `Fields` for the rest."""
    return Fields(record, where, frozenset(known), CodeChecks(), prefix)


def write_foreign_json(path: Path, value: object) -> None:
    """Write a JSON value without blanks, as such files are large; the old one stays on failure.

    Raises:
        OutputError: when the file cannot be written.
    """
    with atomic_write(path) as stream:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        stream.write(text.encode() + b"\n")
