"""Composed model names: PROPOSER+COMPLETER+SELECTOR, read and checked before anything is loaded.

A part is KIND:NAME, or a name alone for what ships with askmask. After the name of a part of the
hub may stand =SOURCE, a folder or another repository, and after all that ,OPTION=VALUE as often as
wanted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from askmask.errors import ConfigError
from askmask.models.by_name import unknown

__all__ = [
    "KINDS",
    "STAGES",
    "WHOLE",
    "Option",
    "Part",
    "lacking",
    "parse",
    "parse_source",
    "parse_whole",
]

Option: TypeAlias = bool | int | float | str | tuple[str, ...]

STAGES = ("proposer", "completer", "selector")

WHOLE = "segmenter"
"""The stage of a model that is all three in one."""

KINDS: dict[str, tuple[str, ...]] = {
    "": STAGES,
    "hub": (*STAGES, WHOLE),
    "file": ("proposer",),
    "openai": ("selector",),
    "anthropic": ("selector",),
}
"""Kind -> stages that it may stand for; "" is what ships with askmask."""

_UNEXPECTED = re.compile(r"(?:unexpected|multiple values for)(?: keyword)? argument '(\w+)'")

EXAMPLE = "hub:sam2-tiny+completer-v1+hub:qwen3-vl-2b"


@dataclass(frozen=True)
class Part:
    """One part of a composed name.

    Attributes:
        stage: one of `STAGES`, or `WHOLE`.
        kind: one of `KINDS`.
        name: what follows the kind.
        source: what follows the name: after = a folder or repository, after @ a server's URL.
        options: for the class that is loaded.
        place: where it stands, for messages.
    """

    stage: str
    kind: str
    name: str
    source: str | None
    options: Mapping[str, Option]
    place: str

    def wrong(self, problem: str | ConfigError) -> ConfigError:
        """Error that says where the part stands."""
        return ConfigError(f"{self.place}: {problem}")


def parse(text: str) -> tuple[Part, Part, Part]:
    """Read a composed name.

    Raises:
        ConfigError: saying at which character what was expected.
    """
    pieces = text.split("+")
    if len(pieces) != len(STAGES):
        raise ConfigError(
            f"model {text!r}: expected PROPOSER+COMPLETER+SELECTOR, e.g. {EXAMPLE}, got "
            f"{len(pieces)} part{'s' if len(pieces) != 1 else ''}"
        )
    parts, start = [], 1
    for stage, piece in zip(STAGES, pieces, strict=True):
        parts.append(_part(stage, piece, f"model {text!r}, {stage} at character {start}"))
        start += len(piece) + 1
    proposer, completer, selector = parts
    return proposer, completer, selector


def parse_whole(text: str) -> Part:
    """Read the name of a model that is all three parts in one, e.g. hub:lisa-7b=FOLDER.

    Raises:
        ConfigError: saying what was expected.
    """
    return _part(WHOLE, text, f"model {text!r}")


def parse_source(text: str, place: str) -> tuple[str, dict[str, Option]]:
    """Read SOURCE,OPTION=VALUE,…: a folder or repository, and options for the class that opens it.

    Args:
        text: what was written.
        place: where, for messages.

    Raises:
        ConfigError: saying what was expected.
    """
    source, *settings = text.split(",")
    return source, dict(_option(setting, place) for setting in settings)


def lacking(error: TypeError, options: Mapping[str, Option]) -> str | None:
    """Which of the options a class does not take, by the error that calling it raised, if any."""
    found = _UNEXPECTED.search(str(error))
    return found[1] if found is not None and found[1] in options else None


def _part(stage: str, piece: str, place: str) -> Part:
    body, *settings = piece.split(",")
    kind, colon, name = body.partition(":")
    if not colon:
        kind, name = "", body
    if kind not in KINDS:
        raise ConfigError(f"{place}: {unknown('kind', kind, filter(None, KINDS))}")
    if stage not in KINDS[kind]:
        raise ConfigError(f"{place}: {kind}: can be a {' or a '.join(KINDS[kind])} only")
    mark = {"hub": "=", "openai": "@", "anthropic": "@"}.get(kind)
    name, given, source = name.partition(mark) if mark else (name, "", "")
    if not name or (given and not source):
        missing = "a name" if not name else f"something after {mark}"
        raise ConfigError(f"{place}: expected {missing}, got {piece!r}")
    options = dict(_option(setting, place) for setting in settings)
    return Part(stage, kind, name, source or None, options, place)


def _option(setting: str, place: str) -> tuple[str, Option]:
    key, equals, value = setting.partition("=")
    if not (key.isidentifier() and equals and value):
        raise ConfigError(f"{place}: expected OPTION=VALUE after a comma, got {setting!r}")
    return key, _value(value)


def _value(text: str) -> Option:
    """The number, truth value or list (a;b;) that is written, else the text itself."""
    if ";" in text:
        return tuple(filter(None, text.split(";")))
    if text in ("true", "false"):
        return text == "true"
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
