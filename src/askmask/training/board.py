"""The log of a training as TensorBoard shows it; nothing where that is not installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["Board"]

_ABOUT = ("step", "seconds", "evaluation")
"""Keys of a log line that say what the others are about."""


class Board:
    """Event files in a folder, opened with the first line that is shown.

    What a killed process showed after its last checkpoint is taken back when the step comes again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: Any = None

    def show(self, values: Mapping[str, float | int | str]) -> None:
        """Show one line of `metrics.jsonl`."""
        step = int(values["step"])
        if self._writer is None and (opened := _writer(self._folder, step)) is None:
            return
        self._writer = self._writer or opened
        part = "held out" if "evaluation" in values else "training"
        for name, value in values.items():
            if name not in _ABOUT:
                self._writer.add_scalar(f"{part}/{name}", value, step)
        self._writer.flush()

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _writer(folder: Path, first_step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=first_step)
