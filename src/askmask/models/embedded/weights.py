"""The files of an embedded model: where they are, and that they are the ones that were shipped."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from askmask.errors import WeightsError
from askmask.models.embedded.config import EmbeddedConfig

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

_FOLDER = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class EmbeddedWeights:
    """A folder with exported weights, shipped under a name or given by path.

    Attributes:
        name: name or path, as asked for.
    """

    name: str

    @cached_property
    def folder(self) -> Path:
        """Folder that holds the files.

        Raises:
            WeightsError: when there is none.
        """
        shipped = _FOLDER / self.name
        folder = shipped if shipped.is_dir() else Path(self.name)
        if not (folder / "config.json").is_file():
            raise WeightsError(
                f"model {self.name}: {folder} holds no exported weights; reinstall askmask or give "
                "the folder that `askmask train` exported"
            )
        return folder

    def path(self, file: str) -> Path:
        """Path of one of `FILES`.

        Raises:
            WeightsError: when it is missing.
        """
        path = self.folder / file
        if not path.is_file():
            raise WeightsError(f"model {self.name}: {path} is missing; reinstall askmask")
        return path

    @cached_property
    def config(self) -> EmbeddedConfig:
        """Sizes and thresholds."""
        return EmbeddedConfig.from_json(json.loads(self.path("config.json").read_text()))

    @cached_property
    def written_sha256(self) -> str | None:
        """Hash that the export wrote beside the files, or None; `verify` checks it."""
        written = self.folder / "sha256.txt"
        return written.read_text().strip() if written.is_file() else None

    @cached_property
    def sha256(self) -> str:
        """Hash over all files."""
        digest = hashlib.sha256()
        for file in FILES:
            digest.update(self.path(file).read_bytes())
        return digest.hexdigest()

    def verify(self) -> None:
        """Compare with the hash that was written at export.

        Raises:
            WeightsError: when a file was changed or cut.
        """
        expected = self.written_sha256 or "missing"
        if expected != self.sha256:
            raise WeightsError(
                f"model {self.name}: expected SHA-256 {expected[:16]}…, got {self.sha256[:16]}…; "
                "reinstall askmask"
            )
