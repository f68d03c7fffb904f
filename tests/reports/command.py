"""What a run of the command line in this process leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Outcome(NamedTuple):
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that a refused input prints."""
        assert (self.code, self.out, self.err.count("\n")) == (1, "", 1), self
        assert self.err.startswith("askmask: error: "), self
        return self.err.removeprefix("askmask: error: ").rstrip()


Run = Callable[..., Outcome]
