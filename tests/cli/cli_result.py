"""What a run of the command line in this process leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that a refused input prints."""
        assert self.code == 1, self
        assert self.out == "", self
        assert self.err.startswith("askmask: error: "), self
        assert self.err.endswith("\n"), self
        assert self.err.count("\n") == 1, self
        return self.err.removeprefix("askmask: error: ").rstrip()


Run = Callable[..., Result]
