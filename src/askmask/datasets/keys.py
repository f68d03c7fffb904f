"""Records whose keys no public description fixes: tried in turn, named by the user, or reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from askmask.datasets.values import listed
from askmask.errors import ConfigError, DataError

__all__ = ["KeyMap"]


@dataclass(frozen=True)
class KeyMap:
    """Our names for what a record holds, each with the keys that may hold it.

    Attributes:
        candidates: name -> keys, tried in turn.
    """

    candidates: Mapping[str, tuple[str, ...]]

    def mapped(self, given: Mapping[str, str]) -> KeyMap:
        """The same with the keys that the user names, which are then the only ones.

        Raises:
            ConfigError: when a name is not one of ours.
        """
        unknown = next((name for name in given if name not in self.candidates), None)
        if unknown is not None:
            raise ConfigError(f"--map {unknown}: expected one of {', '.join(self.candidates)}")
        return KeyMap({**self.candidates, **{name: (key,) for name, key in given.items()}})

    def key(self, record: Mapping[str, Any], name: str) -> str | None:
        """The key of `record` that holds `name`: the first that is there and not null."""
        return next((key for key in self.candidates[name] if record.get(key) is not None), None)

    def get(self, record: Mapping[str, Any], name: str) -> Any:
        """What a record holds for `name`, or None."""
        key = self.key(record, name)
        return None if key is None else record[key]

    def need(self, record: Mapping[str, Any], name: str, where: str) -> Any:
        """What a record holds for `name`.

        Raises:
            DataError: with the keys that were tried and those that the record has.
        """
        key = self.key(record, name)
        if key is None:
            raise DataError(
                f"{where}: expected {name} under one of the keys "
                f"{', '.join(self.candidates[name])}, found the keys {listed(record)}; "
                f"say --map {name}=KEY"
            )
        return record[key]
