"""Published models by short names: where they are, what they do and what they need.

Data only; nothing is imported until a model is asked for. None of the defaults is gated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from askmask.models.spec import Option

__all__ = ["CATALOG", "PRESETS", "Preset", "Published", "smaller_than"]

_BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0}
_FOUR_BIT = 0.6
"""Bytes a parameter, with the scales and what stays in a higher precision."""


@dataclass(frozen=True)
class Published:
    """A published model in the part that it plays.

    Attributes:
        stage: "proposer", "completer" or "selector".
        target: "module:Class"; the class has a method `load(source, where, **options)`.
        repository: on the hub.
        licence: of the weights.
        millions: of parameters.
        does: how it plays its part.
        working_gb: memory beside the weights, about.
        cpu_seconds: about, on two cores, of a picture (proposers) or a sentence (selectors).
        revision: branch, tag or commit of the repository.
        gated: whether its licence must be accepted on its page first.
        exact: whether the weights stay in float32 whatever is asked for.
        speaks: whether it is a language model, which four bits are for.
        smaller: name of the next smaller model of the same stage, or None.
        options: of the class, in this part.
    """

    stage: str
    target: str
    repository: str
    licence: str
    millions: float
    does: str
    working_gb: float
    cpu_seconds: float
    revision: str = "main"
    gated: bool = False
    exact: bool = False
    speaks: bool = False
    smaller: str | None = None
    options: Mapping[str, Option] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """What `load` takes."""
        return f"{self.repository}@{self.revision}"

    def memory_gb(self, dtype: str, *, four_bit: bool = False) -> float:
        """Memory that it needs, about.

        Args:
            dtype: "float32", "bfloat16" or "float16".
            four_bit: whether the weights of language models are held in four bits.
        """
        bytes_each = _BYTES["float32" if self.exact else dtype]
        if four_bit and self.speaks:
            bytes_each = _FOUR_BIT
        return self.millions * bytes_each / 1_000 + self.working_gb


@dataclass(frozen=True)
class Preset:
    """A whole model under one name.

    Attributes:
        parts: what the name stands for, PROPOSER+COMPLETER+SELECTOR.
        does: what it is for.
        smaller: name of the preset to fall back to where the memory is too small, or None.
    """

    parts: str
    does: str
    smaller: str | None = None


_EVERYTHING = "askmask.models.hub.everything:EverythingProposer"
_CLIP = "askmask.models.hub.clip:ClipSelector"
_JUDGE = "askmask.models.hub.judge:Judge"


def _sam(
    repository: str, millions: float, working_gb: float, seconds: float, smaller: str | None
) -> Published:
    does = "all that SAM sees, asked by a grid of points"
    return Published(
        "proposer",
        _EVERYTHING,
        repository,
        "Apache-2.0",
        millions,
        does,
        working_gb,
        seconds,
        exact=True,
        smaller=smaller,
    )


def _clip(
    repository: str, licence: str, millions: float, seconds: float, smaller: str | None = None
) -> Published:
    does = "how alike sentence and crops are"
    return Published(
        "selector", _CLIP, repository, licence, millions, does, 0.6, seconds, smaller=smaller
    )


def _judge(
    repository: str, licence: str, millions: float, seconds: float, smaller: str | None
) -> Published:
    does = "a language model that sees the candidates numbered and scores them"
    return Published(
        "selector",
        _JUDGE,
        repository,
        licence,
        millions,
        does,
        1.5,
        seconds,
        speaks=True,
        smaller=smaller,
    )


CATALOG: dict[str, Published] = {
    "sam2-tiny": _sam("facebook/sam2.1-hiera-tiny", 39, 1.0, 45, None),
    "sam2-small": _sam("facebook/sam2.1-hiera-small", 46, 1.0, 46, "sam2-tiny"),
    "sam2-base": _sam("facebook/sam2.1-hiera-base-plus", 81, 1.2, 48, "sam2-small"),
    "sam2-large": _sam("facebook/sam2.1-hiera-large", 224, 1.8, 55, "sam2-base"),
    "sam-base": _sam("facebook/sam-vit-base", 94, 2.2, 50, "sam2-tiny"),
    "sam-large": _sam("facebook/sam-vit-large", 312, 3.0, 65, "sam-base"),
    "sam-huge": _sam("facebook/sam-vit-huge", 641, 4.0, 90, "sam-large"),
    "clip-base": _clip("openai/clip-vit-base-patch32", "MIT", 151, 1),
    "siglip-base": _clip("google/siglip-base-patch16-224", "Apache-2.0", 203, 3, "clip-base"),
    "siglip2-base": _clip("google/siglip2-base-patch16-224", "Apache-2.0", 375, 3, "siglip-base"),
    "qwen3-vl-2b": _judge("Qwen/Qwen3-VL-2B-Instruct", "Apache-2.0", 2_130, 10, "siglip2-base"),
    "qwen3-vl-4b": _judge("Qwen/Qwen3-VL-4B-Instruct", "Apache-2.0", 4_440, 20, "qwen3-vl-2b"),
    "qwen3-vl-8b": _judge("Qwen/Qwen3-VL-8B-Instruct", "Apache-2.0", 8_770, 40, "qwen3-vl-4b"),
    "qwen2.5-vl-7b": _judge("Qwen/Qwen2.5-VL-7B-Instruct", "Apache-2.0", 8_290, 38, "qwen3-vl-2b"),
    "llava-1.5-7b": _judge(
        "llava-hf/llava-1.5-7b-hf", "Llama 2 Community", 7_060, 34, "qwen3-vl-2b"
    ),
}
"""Name, after hub: -> model."""

PRESETS: dict[str, Preset] = {
    "small": Preset("hub:sam2-tiny,grid=16+completer-v1+hub:siglip2-base", "for a CPU"),
    "medium": Preset("hub:sam2-small+completer-v1+hub:qwen3-vl-2b", "for a GPU of 8 GB", "small"),
    "large": Preset("hub:sam2-large+completer-v1+hub:qwen3-vl-8b", "for a GPU of 24 GB", "medium"),
}
"""Name, after hub: -> whole model."""


def smaller_than(source: str) -> str | None:
    """Name, with hub:, of what to use where the model from `source` is too large or gated.

    Args:
        source: a repository, with or without @REVISION; other sources have none.
    """
    repository = source.partition("@")[0]
    for one in CATALOG.values():
        if one.repository == repository:
            return f"hub:{one.smaller}" if one.smaller else None
    return None
