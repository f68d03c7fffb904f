"""Checked access to the keys of objects in other tools' files."""

from __future__ import annotations

from collections.abc import Sequence

from askmask.formats.fields import Fields

__all__ = ["fields_of"]


def fields_of(record: object, where: str, known: Sequence[str], prefix: str = "") -> Fields:
    """Return the keys of an object; see `Fields` for the arguments and errors."""
    return Fields(record, where, known, prefix)
