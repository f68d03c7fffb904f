"""Run-length codes whose check waits until many can be checked at once, at a tenth of the cost."""

from __future__ import annotations

from askmask import rle
from askmask.errors import RLEError
from askmask.rle import RLE
from askmask.rle_batch import all_valid

__all__ = ["CodeChecks"]

_BATCH_CHARACTERS = 1 << 17
"""Characters that wait at most, or a little more: the arrays of one pass then fit the cache."""


class CodeChecks:
    """Codes of one file that are read but not yet checked."""

    __slots__ = ("_waiting", "characters")

    def __init__(self) -> None:
        self._waiting: list[tuple[RLE, str, str, str]] = []
        self.characters = 0

    @property
    def full(self) -> bool:
        """Whether it is time to settle."""
        return self.characters > _BATCH_CHARACTERS

    def add(self, code: RLE, where: str, prefix: str, key: str) -> None:
        """Let a code wait.

        Args:
            code: `size` is a list of two ints, `counts` a str; the rest is checked later.
            where: file and line.
            prefix: path of the object that holds the code, e.g. "masks[2].".
            key: its key there.
        """
        self._waiting.append((code, where, prefix, key))
        self.characters += len(code["counts"])

    def settle(self) -> None:
        """Check all that wait.

        Raises:
            RLEError: for the first broken code, naming file, line and key.
        """
        waiting, self._waiting, self.characters = self._waiting, [], 0
        if all_valid([code for code, _, _, _ in waiting]):
            return
        for code, where, prefix, key in waiting:
            try:
                rle.validate(code)
            except RLEError as error:
                raise RLEError(f"{where}, key {prefix + key!r}: {error}") from error
