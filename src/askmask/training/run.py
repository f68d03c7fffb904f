"""A training's folder: what was asked, how it went, and where to go on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from askmask.errors import ConfigError, OutputError
from askmask.formats.files import read_json, write_json
from askmask.formats.versions import versions
from askmask.training.board import Board
from askmask.training.processes import Processes

__all__ = ["TrainingRun", "load_model"]

_MAX_RUN_JSON = 1_000_000
"""Largest run.json that is read, in bytes."""


class TrainingRun:
    """`run.json`, `metrics.jsonl` and `checkpoint.pt` in one folder, `tensorboard/` if installed.

    Of several processes that train together, only the first writes.

    A folder that already holds a run is only continued with `resume`, and only with the same
    recipe; the log keeps exactly the lines up to the checkpoint that is continued from.
    """

    def __init__(self, folder: Path, recipe: Mapping[str, Any], *, resume: bool = False) -> None:
        self.folder = folder
        self._checkpoint = folder / "checkpoint.pt"
        self._metrics = folder / "metrics.jsonl"
        self._board = Board(folder / "tensorboard")
        self._writes = Processes().first
        if not self._writes:
            return
        described = folder / "run.json"
        recipe = json.loads(json.dumps(dict(recipe)))
        if described.exists():
            if not resume:
                raise OutputError(f"{folder} holds a run already: add --resume or choose another")
            before = read_json(described, _MAX_RUN_JSON)["recipe"]
            if before != recipe:
                changed = sorted(
                    key for key in {*before, *recipe} if before.get(key) != recipe.get(key)
                )
                raise ConfigError(f"{described}: was made with other values of {changed}")
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be made ({error.strerror})") from error
        write_json(described, {"recipe": recipe, "versions": versions("askmask", "torch", "numpy")})

    def log(self, values: Mapping[str, float | int | str]) -> None:
        """Append one line to `metrics.jsonl`."""
        with self._metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(dict(values)) + "\n")
        self._board.show(values)

    def close(self) -> None:
        """No more lines will come."""
        self._board.close()

    def save(self, state: Mapping[str, Any]) -> None:
        """Replace the checkpoint atomically; `state` holds tensors and plain values only."""
        logged = self._metrics.stat().st_size if self._metrics.exists() else 0
        temporary = self._checkpoint.with_suffix(".tmp")
        torch.save({**state, "metrics_bytes": logged}, temporary)
        temporary.replace(self._checkpoint)

    def load(self) -> dict[str, Any] | None:
        """Return the last checkpoint, or None at the start."""
        if not self._checkpoint.exists():
            if self._writes:
                self._metrics.unlink(missing_ok=True)
            return None
        state: dict[str, Any] = torch.load(self._checkpoint, map_location="cpu", weights_only=True)
        if self._writes and self._metrics.exists():
            os.truncate(self._metrics, state.pop("metrics_bytes"))
        return state


def load_model(model: nn.Module, folder: Path) -> None:
    """Give `model` the parameters in the checkpoint of another run's folder.

    Raises:
        ConfigError: without a checkpoint there, or one that is not of such a model.
    """
    path = folder / "checkpoint.pt"
    if not path.is_file():
        raise ConfigError(f"{path}: no such checkpoint; name the --out folder of another training")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        model.load_state_dict(state["model"])
    except (RuntimeError, KeyError, TypeError, UnpicklingError, EOFError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ConfigError(
            f"{path}: expected a checkpoint of the same recipe ({reason}); name another run"
        ) from error
