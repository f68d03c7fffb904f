"""The files of a completer: where they are, and that they are the ones that were shipped."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from askmask.errors import ConfigError, DataError, WeightsError
from askmask.formats.files import read_json
from askmask.models.completer.config import CompleterConfig
from askmask.models.weight_files import WeightFiles

__all__ = ["FILES", "CompleterWeights"]

FILES = ("completer.onnx", "config.json")
"""Everything that the completer reads, in the order in which it is hashed."""

_MAX_CONFIG_BYTES = 100_000


class CompleterWeights(WeightFiles):
    """A folder with an exported completer, shipped under a name or given by path."""

    kind = "completer"
    shipped = Path(__file__).parent / "weights"
    files = FILES

    @cached_property
    def folder(self) -> Path:
        """Folder that holds the files.

        Raises:
            WeightsError: when there is none.
        """
        folder = self.named
        missing = [file for file in FILES if not (folder / file).is_file()]
        if missing:
            raise WeightsError(
                f"completer {self.name}: {folder} lacks {' and '.join(missing)}; reinstall askmask "
                "or give the folder that `askmask train completer` exported"
            )
        return folder

    @property
    def graph(self) -> Path:
        """The ONNX graph: "crops" (B, 5, S, S) -> "shape" (B, S, S) and "quality" (B,)."""
        return self.folder / "completer.onnx"

    @cached_property
    def config(self) -> CompleterConfig:
        """Sizes and thresholds.

        Raises:
            WeightsError: when the file does not hold them.
        """
        path = self.folder / "config.json"
        try:
            return CompleterConfig.from_json(read_json(path, _MAX_CONFIG_BYTES))
        except (ConfigError, DataError, TypeError) as error:
            raise WeightsError(f"{path}: is no completer's configuration: {error}") from error
