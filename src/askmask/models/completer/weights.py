"""The files of a completer: where they are, and that they are the ones that were shipped."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from askmask.errors import ConfigError, DataError, WeightsError
from askmask.formats.files import read_json
from askmask.models.completer.config import CompleterConfig

__all__ = ["FILES", "CompleterWeights"]

FILES = ("completer.onnx", "config.json")
"""Everything that the completer reads, in the order in which it is hashed."""

_FOLDER = Path(__file__).parent / "weights"
_MAX_CONFIG_BYTES = 100_000


@dataclass(frozen=True)
class CompleterWeights:
    """A folder with an exported completer, shipped under a name or given by path.

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
        missing = [file for file in FILES if not (folder / file).is_file()]
        if missing:
            raise WeightsError(
                f"completer {self.name}: {folder} lacks {' and '.join(missing)}; reinstall askmask "
                "or give the folder that `askmask train completer-v1` exported"
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
            digest.update((self.folder / file).read_bytes())
        return digest.hexdigest()

    def verify(self) -> None:
        """Compare with the hash that was written at export.

        Raises:
            WeightsError: when a file was changed or cut.
        """
        expected = self.written_sha256 or "missing"
        if expected != self.sha256:
            raise WeightsError(
                f"completer {self.name}: expected SHA-256 {expected[:16]}…, got "
                f"{self.sha256[:16]}…; reinstall askmask"
            )
