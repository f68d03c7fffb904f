"""Published models by short names: where they are, what they do and what they need.

Data only; nothing is imported until a model is asked for. None of the defaults is gated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from askmask.models.spec import Option

__all__ = ["CATALOG", "PRESETS", "Preset", "Published", "markdown", "smaller_than"]

_BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0}
_FOUR_BIT = 0.6
"""Bytes a parameter, with the scales and what stays in a higher precision."""


@dataclass(frozen=True)
class Published:
    """A published model in the part that it plays.

    Attributes:
        stage: "proposer", "completer", "selector", or "segmenter" for all in one.
        target: "module:Class"; the class has a method `load(source, where, **options)`.
        repository: on the hub, "" for what is published elsewhere or trained by oneself.
        licence: of the weights.
        millions: of parameters.
        does: how it plays its part.
        working_gb: memory beside the weights, about.
        cpu_seconds: about, on two cores, of a `unit`.
        revision: branch, tag or commit of the repository.
        gated: whether its licence must be accepted on its page first.
        exact: whether the weights stay in float32 whatever is asked for.
        speaks: whether it is a language model, which four bits are for.
        listens: whether it, as a proposer, looks anew for each sentence.
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
    listens: bool = False
    smaller: str | None = None
    options: Mapping[str, Option] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """What `load` takes."""
        return f"{self.repository}@{self.revision}"

    @property
    def unit(self) -> str:
        """What it is asked once for: "picture" or "sentence"."""
        return "sentence" if self.listens or self.stage in ("selector", "segmenter") else "picture"

    @property
    def download_gb(self) -> float:
        """Size of its weights on the hub, where language models are in bfloat16."""
        return self.millions * _BYTES["bfloat16" if self.speaks else "float32"] / 1_000

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
    listens=True,
)
_SEGMENTS = partial(
    Published,
    "proposer",
    "askmask.models.hub.panoptic:PanopticProposer",
    does="segments of the classes of COCO",
    working_gb=1.5,
)
_LOOKS = partial(
    Published,
    "proposer",
    "askmask.models.hub.attention_proposer:AttentionProposer",
    licence="Apache-2.0",
    does="where a language model looks as it reads the sentence, and masks by SAM 2",
    working_gb=2.5,
    speaks=True,
    listens=True,
)
_CLIP = partial(
    Published,
    "selector",
    "askmask.models.hub.clip:ClipSelector",
    does="how alike sentence and crops are",
    working_gb=0.6,
)
_CHAT_JUDGE = "askmask.models.hub.judge:Judge"
_JUDGE = partial(
    Published,
    "selector",
    licence="Apache-2.0",
    does="a language model sees the numbered candidates and scores them",
    working_gb=1.5,
    speaks=True,
)

_SAYS = partial(
    Published,
    "segmenter",
    licence="as of LLaMA",
    does="a language model answers with [SEG], from which masks are drawn",
    working_gb=3.5,
    speaks=True,
    options={"completer": "completer-v1"},
)
_LISA, _GLAMM, _PIXELLM, _PSALM, _RELA = (
    f"askmask.models.hub.published.{name}:Published{name.capitalize()}"
    for name in ("lisa", "glamm", "pixellm", "psalm", "rela")
)

CATALOG: dict[str, Published] = {
    "sam2-tiny": _SAM(
        repository="facebook/sam2.1-hiera-tiny",
        millions=39,
        working_gb=1.0,
        cpu_seconds=12,
    ),
    "sam2-small": _SAM(
        repository="facebook/sam2.1-hiera-small",
        millions=46,
        working_gb=1.0,
        cpu_seconds=13,
        smaller="sam2-tiny",
    ),
    "sam2-base": _SAM(
        repository="facebook/sam2.1-hiera-base-plus",
        millions=81,
        working_gb=1.2,
        cpu_seconds=15,
        smaller="sam2-small",
    ),
    "sam2-large": _SAM(
        repository="facebook/sam2.1-hiera-large",
        millions=224,
        working_gb=1.8,
        cpu_seconds=20,
        smaller="sam2-base",
    ),
    "sam-base": _SAM(
        repository="facebook/sam-vit-base",
        millions=94,
        working_gb=2.2,
        cpu_seconds=18,
        smaller="sam2-tiny",
    ),
    "sam-huge": _SAM(
        repository="facebook/sam-vit-huge",
        millions=641,
        working_gb=4.0,
        cpu_seconds=65,
        smaller="sam-base",
    ),
    "sam3": _SAM(
        repository="facebook/sam3",
        licence="SAM License",
        gated=True,
        millions=840,
        working_gb=2.5,
        cpu_seconds=35,
        smaller="sam2-large",
    ),
    "sam3-words": Published(
        "proposer",
        "askmask.models.hub.concepts:Sam3Concepts",
        repository="facebook/sam3",
        licence="SAM License",
        gated=True,
        does="masks of the things that a sentence names",
        listens=True,
        millions=840,
        working_gb=2.5,
        cpu_seconds=15,
        smaller="grounding-dino-base",
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
    ),
    "eomt-base": _SEGMENTS(
        repository="tue-mps/coco_panoptic_eomt_base_640_2x",
        licence="MIT",
        millions=93,
        cpu_seconds=3,
    ),
    "eomt-large": _SEGMENTS(
        repository="tue-mps/coco_instance_eomt_large_640",
        licence="MIT",
        millions=316,
        cpu_seconds=8,
        smaller="eomt-base",
    ),
    "mask2former-tiny": _SEGMENTS(
        repository="facebook/mask2former-swin-tiny-coco-instance",
        licence="CC BY-NC 4.0",
        millions=47,
        cpu_seconds=4,
    ),
    "qwen3-vl-2b-attention": _LOOKS(
        repository="Qwen/Qwen3-VL-2B-Instruct",
        millions=2_130 + 39,
        cpu_seconds=17,
        smaller="grounding-dino-tiny",
    ),
    "qwen2.5-vl-7b-attention": _LOOKS(
        repository="Qwen/Qwen2.5-VL-7B-Instruct",
        millions=8_290 + 39,
        cpu_seconds=55,
        smaller="qwen3-vl-2b-attention",
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
        _CHAT_JUDGE,
        repository="Qwen/Qwen3-VL-2B-Instruct",
        millions=2_130,
        cpu_seconds=13,
        smaller="siglip2-base",
    ),
    "qwen3-vl-4b": _JUDGE(
        _CHAT_JUDGE,
        repository="Qwen/Qwen3-VL-4B-Instruct",
        millions=4_440,
        cpu_seconds=27,
        smaller="qwen3-vl-2b",
    ),
    "qwen3-vl-8b": _JUDGE(
        _CHAT_JUDGE,
        repository="Qwen/Qwen3-VL-8B-Instruct",
        millions=8_770,
        cpu_seconds=54,
        smaller="qwen3-vl-4b",
    ),
    "qwen2.5-vl-3b": _JUDGE(
        _CHAT_JUDGE,
        repository="Qwen/Qwen2.5-VL-3B-Instruct",
        licence="Qwen Research",
        millions=3_750,
        cpu_seconds=23,
        smaller="qwen3-vl-2b",
    ),
    "qwen2.5-vl-7b": _JUDGE(
        _CHAT_JUDGE,
        repository="Qwen/Qwen2.5-VL-7B-Instruct",
        millions=8_290,
        cpu_seconds=51,
        smaller="qwen3-vl-2b",
    ),
    "llava-1.5-7b": _JUDGE(
        _CHAT_JUDGE,
        repository="llava-hf/llava-1.5-7b-hf",
        licence="Llama 2 Community",
        millions=7_060,
        cpu_seconds=43,
        smaller="qwen3-vl-2b",
    ),
    "ras": _JUDGE(
        "askmask.models.hub.ras:RasSelector",
        repository="",
        licence="as of its base",
        does="a language model reads candidates as tokens, by `askmask train hub:ras`",
        millions=3_750,
        cpu_seconds=25,
    ),
    "amodal-sam": Published(
        "completer",
        "askmask.models.hub.amodal_sam:AmodalSam",
        repository="",
        licence="as of its base",
        does="whole shapes by SAM, by `askmask train hub:amodal-sam`",
        millions=94,
        working_gb=2.2,
        cpu_seconds=10,
        exact=True,
    ),
    "lisa-7b": _SAYS(_LISA, repository="xinlai/LISA-7B-v1", millions=7_700, cpu_seconds=90),
    "lisa-13b": _SAYS(
        _LISA,
        repository="xinlai/LISA-13B-llama2-v1",
        millions=14_000,
        cpu_seconds=160,
        smaller="lisa-7b",
    ),
    "glamm": _SAYS(
        _GLAMM,
        repository="MBZUAI/GLaMM-FullScope",
        millions=8_000,
        cpu_seconds=100,
        smaller="lisa-7b",
    ),
    "glamm-refseg": _SAYS(
        _GLAMM,
        repository="MBZUAI/GLaMM-RefSeg",
        millions=8_000,
        cpu_seconds=100,
        smaller="lisa-7b",
    ),
    "pixellm-7b": _SAYS(
        _PIXELLM, repository="maverickrzw/PixelLM-7B", millions=7_100, cpu_seconds=60
    ),
    "pixellm-13b": _SAYS(
        _PIXELLM,
        repository="maverickrzw/PixelLM-13B",
        millions=13_400,
        cpu_seconds=110,
        smaller="pixellm-7b",
    ),
    "psalm": _SAYS(
        _PSALM,
        repository="EnmingZhang/PSALM",
        licence="as of Phi-1.5",
        does="a language model reads tokens that masks are drawn from",
        millions=1_600,
        cpu_seconds=25,
    ),
    "rela": _SAYS(
        _RELA,
        repository="",
        licence="not stated",
        does="one mask of all that a sentence means",
        millions=200,
        working_gb=1.0,
        cpu_seconds=5,
        exact=True,
        speaks=False,
    ),
}
"""Name, after hub: -> model."""

PRESETS: dict[str, Preset] = {
    "small": Preset("hub:sam2-tiny+completer-v1+hub:siglip2-base", "for a CPU"),
    "medium": Preset("hub:sam2-small+completer-v1+hub:qwen3-vl-2b", "for a GPU of 8 GB", "small"),
    "rea2seg": Preset(
        "hub:qwen3-vl-2b-attention+completer-v1+hub:qwen3-vl-2b",
        "candidates where a language model looks, which it then judges",
        "medium",
    ),
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


def markdown() -> str:
    """The tables of docs/hub-models.md."""
    lines = ["| whole model | parts | for |", "|---|---|---|"]
    lines += [f"| `hub:{name}` | `{one.parts}` | {one.does} |" for name, one in PRESETS.items()]
    titles = ["part", "stage", "repository", "licence", "parameters", "GB in float32 / bfloat16"]
    titles += ["seconds on two cores", "smaller"]
    lines += ["", f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for name, one in CATALOG.items():
        cells = (
            f"`hub:{name}`",
            one.stage,
            one.repository or "a path of yours",
            one.licence + ", gated" * one.gated,
            f"{one.millions:,.0f} M",
            f"{one.memory_gb('float32'):.1f} / {one.memory_gb('bfloat16'):.1f}",
            f"{one.cpu_seconds:.0f} a {one.unit}",
            f"`hub:{one.smaller}`" if one.smaller else "",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
