"""Counts in a folder, on their way from one process to another: plain arrays, a file a column."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from askmask.metrics.counts import Counts
from askmask.metrics.instances import Instances

__all__ = ["read_counts", "write_counts"]

_INSTANCES = "instances"


def _write(folder: Path, record: Counts | Instances) -> None:
    """Write each column that there is under its name."""
    folder.mkdir()
    for field in fields(record):
        column = getattr(record, field.name)
        if isinstance(column, np.ndarray):
            np.save(folder / f"{field.name}.npy", column, allow_pickle=False)


def _read(folder: Path) -> dict[str, Any]:
    """Map the columns of a folder by name."""
    return {path.stem: _column(path) for path in folder.glob("*.npy")}


def _column(path: Path) -> Any:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:  # nothing can be mapped of an empty one
        return np.load(path, allow_pickle=False)


def write_counts(folder: Path, counts: Counts) -> None:
    """Write counts to a new folder."""
    _write(folder, counts)
    if counts.instances is not None:
        _write(folder / _INSTANCES, counts.instances)


def read_counts(folder: Path) -> Counts:
    """Return the counts of a folder; their columns are mapped, so it must stay meanwhile."""
    masks = _read(folder / _INSTANCES)
    return Counts(**_read(folder), instances=Instances(**masks) if masks else None)
