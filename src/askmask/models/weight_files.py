"""A folder of exported weights, and whether its files are those that were shipped."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from askmask.errors import WeightsError

__all__ = ["WeightFiles", "files_sha256"]


def files_sha256(folder: Path, files: Sequence[str]) -> str:
    """SHA-256 over the bytes of `files`, in their order."""
    digest = hashlib.sha256()
    for file in files:
        digest.update((folder / file).read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class WeightFiles:
    """A folder with exported weights, shipped under a name or given by path.

    Attributes:
        kind: of what is exported, for messages.
        shipped: folder of the folders that ship in the package.
        files: everything that is read, in the order in which it is hashed.
        name: name or path, as asked for.
    """

    kind: ClassVar[str]
    shipped: ClassVar[Path]
    files: ClassVar[tuple[str, ...]]

    name: str

    @property
    def named(self) -> Path:
        """Folder of that name, whatever it holds: the shipped one goes before a path."""
        shipped = self.shipped / self.name
        return shipped if shipped.is_dir() else Path(self.name)

    @cached_property
    def folder(self) -> Path:
        """Folder that holds the files.

        Raises:
            WeightsError: when there is none.
        """
        raise NotImplementedError

    def path(self, file: str) -> Path:
        """Path of one of the files.

        Raises:
            WeightsError: when it is missing.
        """
        path = self.folder / file
        if not path.is_file():
            raise WeightsError(f"{self.kind} {self.name}: {path} is missing; reinstall askmask")
        return path

    @cached_property
    def written_sha256(self) -> str | None:
        """Hash that the export wrote beside the files, or None; `verify` checks it."""
        written = self.folder / "sha256.txt"
        return written.read_text().strip() if written.is_file() else None

    @cached_property
    def sha256(self) -> str:
        """Hash over all files.

        Raises:
            WeightsError: when one is missing.
        """
        for file in self.files:
            self.path(file)
        return files_sha256(self.folder, self.files)

    def seal(self) -> str:
        """Write the hash over all files beside them, as an export ends; return it."""
        digest = files_sha256(self.folder, self.files)
        (self.folder / "sha256.txt").write_text(digest + "\n", "utf-8")
        return digest

    def verify(self) -> None:
        """Compare with the hash that was written at export.

        Raises:
            WeightsError: when a file was changed or cut.
        """
        expected = self.written_sha256 or "missing"
        if expected != self.sha256:
            raise WeightsError(
                f"{self.kind} {self.name}: expected SHA-256 {expected[:16]}…, got "
                f"{self.sha256[:16]}…; reinstall askmask"
            )
