"""askmask: say which mask you mean.

model = askmask.load()
model.set_image("kitchen.png")
answer = model.answer("the whole mug, also the part behind [1]")

Everything public is named here and loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from askmask.answers import PicturedAnswer
    from askmask.errors import (
        AskmaskError,
        AskmaskWarning,
        ConfigError,
        DataError,
        ImageError,
        LLMError,
        MissingExtraError,
        NoRoomError,
        OutputError,
        QueryError,
        RefusedError,
        RLEError,
        ShapeError,
        TornLineError,
        WeightsError,
    )
    from askmask.images import read_image
    from askmask.models.ask import ask
    from askmask.models.completion import Completion, load_completer
    from askmask.models.registry import load
    from askmask.models.segmenter import Segmenter
    from askmask.overlay import draw_answer
    from askmask.rle import RLE
    from askmask.types import Answer, Candidates, Masks, MaskType, Query

__all__ = [
    "RLE",
    "Answer",
    "AskmaskError",
    "AskmaskWarning",
    "Candidates",
    "Completion",
    "ConfigError",
    "DataError",
    "ImageError",
    "LLMError",
    "MaskType",
    "Masks",
    "MissingExtraError",
    "NoRoomError",
    "OutputError",
    "PicturedAnswer",
    "Query",
    "QueryError",
    "RLEError",
    "RefusedError",
    "Segmenter",
    "ShapeError",
    "TornLineError",
    "WeightsError",
    "ask",
    "draw_answer",
    "load",
    "load_completer",
    "read_image",
]

_HOMES = {
    "askmask.answers": ("PicturedAnswer",),
    "askmask.images": ("read_image",),
    "askmask.models.ask": ("ask",),
    "askmask.models.completion": ("Completion", "load_completer"),
    "askmask.models.registry": ("load",),
    "askmask.models.segmenter": ("Segmenter",),
    "askmask.overlay": ("draw_answer",),
    "askmask.rle": ("RLE",),
    "askmask.types": ("Answer", "Candidates", "MaskType", "Masks", "Query"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("askmask")
    if name not in __all__:
        raise AttributeError(f"module 'askmask' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF.get(name, "askmask.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
