"""The files of an embedded model: where they are, and that they are the ones that were shipped."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path

from askmask.errors import WeightsError
from askmask.models.embedded.config import EmbeddedConfig
from askmask.models.weight_files import WeightFiles

__all__ = ["FILES", "EmbeddedWeights"]

FILES = (
    "image.onnx",
    "words.onnx",
    "words.bin",
    "mask_type.onnx",
    "selector.onnx",
    "tokenizer.json",
    "config.json",
)
"""Everything that the model reads, in the order in which it is hashed."""


class EmbeddedWeights(WeightFiles):
    """A folder with exported weights, shipped under a name or given by path."""

    kind = "model"
    shipped = Path(__file__).parent / "weights"
    files = FILES

    @cached_property
    def folder(self) -> Path:
        """Folder that holds the files.

        Raises:
            WeightsError: when there is none.
        """
        folder = self.named
        if not (folder / "config.json").is_file():
            raise WeightsError(
                f"model {self.name}: {folder} holds no exported weights; reinstall askmask or give "
                "the folder that `askmask train` exported"
            )
        return folder

    @cached_property
    def config(self) -> EmbeddedConfig:
        """Sizes and thresholds."""
        return EmbeddedConfig.from_json(json.loads(self.path("config.json").read_text()))
