"""Shares of a run, one a machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from askmask.errors import ConfigError

__all__ = ["Shard"]

_T = TypeVar("_T")


@dataclass(frozen=True)
class Shard:
    """A share of the pictures: every `count`-th, from the one at `number`.

    Attributes:
        number: which share, from 1.
        count: how many there are.
    """

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read e.g. "2/8".

        Raises:
            ConfigError: when it is something else.
        """
        match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise ConfigError(f"--shards: expected i/n with 1 <= i <= n, e.g. 2/8, got {text!r}")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, items: Sequence[_T]) -> Sequence[_T]:
        """Return the share of `items`; all shares together are all of them, none twice."""
        return items[self.number - 1 :: self.count]
