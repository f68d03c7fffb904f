"""The weights that were best on held-out data, kept beside the last ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from askmask.errors import ConfigError

__all__ = ["BestWeights"]


class BestWeights:
    """`best.pt` in a training's folder: the weights of the evaluation with the highest measure.

    Args:
        folder: of the run; a file that is there, of the part before an interruption, stays.
        measure: name of the measure, e.g. "gIoU"; "" keeps nothing.
    """

    def __init__(self, folder: Path, measure: str) -> None:
        self._path = folder / "best.pt"
        self._measure = measure

    def offer(self, model: nn.Module, measured: Mapping[str, float], step: int) -> None:
        """Keep the weights of `model` if none before were as good.

        Raises:
            ConfigError: when there is no such measure.
        """
        if not self._measure:
            return
        if self._measure not in measured:
            raise ConfigError(
                f"loop.best_by: expected one of {', '.join(measured)}, got {self._measure!r}"
            )
        kept = self._kept()
        if kept is not None and kept["measured"][self._measure] >= measured[self._measure]:
            return
        draft = self._path.with_suffix(".tmp")
        torch.save({"model": model.state_dict(), "measured": dict(measured), "step": step}, draft)
        draft.replace(self._path)

    def put_back(self, model: nn.Module) -> dict[str, float] | None:
        """Give `model` the best weights; returns their evaluation, or None when none are kept."""
        kept = self._kept() if self._measure else None
        if kept is None:
            return None
        model.load_state_dict(kept["model"])
        measured: dict[str, float] = kept["measured"]
        return {**measured, "best_step": kept["step"]}

    def _kept(self) -> dict[str, Any] | None:
        if not self._path.exists():
            return None
        kept: dict[str, Any] = torch.load(self._path, map_location="cpu", weights_only=True)
        return kept
