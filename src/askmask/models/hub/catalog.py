"""Published models by short names: where they are, what they do and what they need.

Data only; nothing is imported until a model is asked for. None of the defaults is gated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

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


_SAM = partial(
    Published,
    "proposer",
    "askmask.models.hub.everything:EverythingProposer",
    licence="Apache-2.0",
    does="all that SAM sees, asked by a grid of points",
    exact=True,
)
_WORDS = partial(
    Published,
    "proposer",
    licence="Apache-2.0",
    does="boxes of what a sentence names, and masks of them by SAM 2",
    working_gb=2.5,
    exact=True,
)
_CLIP = partial(
    Published,
    "selector",
    "askmask.models.hub.clip:ClipSelector",
    does="how alike sentence and crops are",
    working_gb=0.6,
)
_JUDGE = partial(
    Published,
    "selector",
    "askmask.models.hub.judge:MllmJudge",
    licence="Apache-2.0",
    does="a language model sees the numbered candidates and scores them",
    working_gb=1.5,
    speaks=True,
)

CATALOG: dict[str, Published] = {
    "sam2-tiny": _SAM(
        repository="facebook/sam2.1-hiera-tiny",
        millions=39,
        working_gb=1.0,
        cpu_seconds=45,
    ),
    "sam2-small": _SAM(
        repository="facebook/sam2.1-hiera-small",
        millions=46,
        working_gb=1.0,
        cpu_seconds=46,
        smaller="sam2-tiny",
    ),
    "sam2-base": _SAM(
        repository="facebook/sam2.1-hiera-base-plus",
        millions=81,
        working_gb=1.2,
        cpu_seconds=48,
        smaller="sam2-small",
    ),
    "sam2-large": _SAM(
        repository="facebook/sam2.1-hiera-large",
        millions=224,
        working_gb=1.8,
        cpu_seconds=55,
        smaller="sam2-base",
    ),
    "sam-base": _SAM(
        repository="facebook/sam-vit-base",
        millions=94,
        working_gb=2.2,
        cpu_seconds=50,
        smaller="sam2-tiny",
    ),
    "sam-huge": _SAM(
        repository="facebook/sam-vit-huge",
        millions=641,
        working_gb=4.0,
        cpu_seconds=90,
        smaller="sam-base",
    ),
    "sam3": _SAM(
        repository="facebook/sam3",
        licence="SAM License",
        gated=True,
        millions=840,
        working_gb=2.5,
        cpu_seconds=70,
        smaller="sam2-large",
    ),
    "grounding-dino-tiny": _WORDS(
        "askmask.models.hub.grounding:GroundingDino",
        repository="IDEA-Research/grounding-dino-tiny",
        millions=172 + 39,
        cpu_seconds=11,
    ),
    "grounding-dino-base": _WORDS(
        "askmask.models.hub.grounding:GroundingDino",
        repository="IDEA-Research/grounding-dino-base",
        millions=233 + 39,
        cpu_seconds=16,
        smaller="grounding-dino-tiny",
    ),
    "owlv2-base": _WORDS(
        "askmask.models.hub.grounding:Owlv2",
        repository="google/owlv2-base-patch16-ensemble",
        millions=155 + 39,
        cpu_seconds=12,
        smaller="grounding-dino-tiny",
    ),
    "eomt-large": Published(
        "proposer",
        "askmask.models.hub.panoptic:PanopticProposer",
        repository="tue-mps/coco_instance_eomt_large_640",
        licence="MIT",
        does="segments of the 80 classes of COCO",
        millions=316,
        working_gb=1.5,
        cpu_seconds=8,
        smaller="mask2former-tiny",
    ),
    "mask2former-tiny": Published(
        "proposer",
        "askmask.models.hub.panoptic:PanopticProposer",
        repository="facebook/mask2former-swin-tiny-coco-instance",
        licence="MIT",
        does="segments of the 80 classes of COCO",
        millions=47,
        working_gb=1.5,
        cpu_seconds=4,
    ),
    "clip-base": _CLIP(
        repository="openai/clip-vit-base-patch32",
        licence="MIT",
        millions=151,
        cpu_seconds=1,
    ),
    "siglip-base": _CLIP(
        repository="google/siglip-base-patch16-224",
        licence="Apache-2.0",
        millions=203,
        cpu_seconds=3,
        smaller="clip-base",
    ),
    "siglip2-base": _CLIP(
        repository="google/siglip2-base-patch16-224",
        licence="Apache-2.0",
        millions=375,
        cpu_seconds=3,
        smaller="siglip-base",
    ),
    "qwen3-vl-2b": _JUDGE(
        repository="Qwen/Qwen3-VL-2B-Instruct",
        millions=2_130,
        cpu_seconds=13,
        smaller="siglip2-base",
    ),
    "qwen3-vl-4b": _JUDGE(
        repository="Qwen/Qwen3-VL-4B-Instruct",
        millions=4_440,
        cpu_seconds=27,
        smaller="qwen3-vl-2b",
    ),
    "qwen3-vl-8b": _JUDGE(
        repository="Qwen/Qwen3-VL-8B-Instruct",
        millions=8_770,
        cpu_seconds=54,
        smaller="qwen3-vl-4b",
    ),
    "qwen2.5-vl-3b": _JUDGE(
        repository="Qwen/Qwen2.5-VL-3B-Instruct",
        licence="Qwen Research",
        millions=3_750,
        cpu_seconds=23,
        smaller="qwen3-vl-2b",
    ),
    "qwen2.5-vl-7b": _JUDGE(
        repository="Qwen/Qwen2.5-VL-7B-Instruct",
        millions=8_290,
        cpu_seconds=51,
        smaller="qwen3-vl-2b",
    ),
    "llava-1.5-7b": _JUDGE(
        repository="llava-hf/llava-1.5-7b-hf",
        licence="Llama 2 Community",
        millions=7_060,
        cpu_seconds=43,
        smaller="qwen3-vl-2b",
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
