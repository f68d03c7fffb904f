"""Multimodal language models: pictures and a question become tokens, hidden states become logits.

Qwen2.5-VL, Qwen3-VL and LLaVA classes of transformers. Their processors want torchvision, so inputs
are built here: Pillow's image processor, the chat template, and as many placeholders as the model
itself says that a picture has tokens. `Reader` reads what is built here.
"""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askmask.errors import ConfigError, WeightsError
from askmask.models.hub.attention import register_rows
from askmask.models.hub.loading import Where, load_file, load_part, out_of_memory, transformers

__all__ = ["KINDS", "Chat", "Grid", "Pictures"]

KINDS = ("qwen2_5_vl", "qwen3_vl", "llava", "llava_next", "llava_onevision")
"""Values of `model_type` that can be loaded."""

_MOST_TOKENS = 1280
"""Tokens of a picture, where the model lets us choose."""

_GREY = 122
"""What pictures are padded with, near the mean of photographs."""

_LONGEST = 100
"""Longer side of a picture over its shorter one; longer pictures are padded."""


class Grid(NamedTuple):
    """Where the tokens of a picture look.

    Attributes:
        first: place of the first of them among the picture's tokens.
        hw: rows and columns; they follow row by row.
        box_xyxy: what they cover, in pixels of the picture; beyond it where that was padded.
    """

    first: int
    hw: tuple[int, int]
    box_xyxy: tuple[int, int, int, int]


class Pictures(NamedTuple):
    """Pictures that the vision part of a model has seen.

    Attributes:
        encoded: what the model made of them.
        counts: tokens of each.
        grids: where these look.
        thw: (P, 3) long, grids before tokens were merged, or None for models without.
    """

    encoded: Any
    counts: tuple[int, ...]
    grids: tuple[Grid, ...]
    thw: Tensor | None


class Chat:
    """A multimodal language model.

    Attributes:
        source: folder or hub repository that it is from.
        model: the class of transformers with a language head.
    """

    def __init__(self, model: Any, tokenizer: Any, processor: Any, source: str) -> None:
        """Wrap parts that are loaded; prefer `load`."""
        self.source = source
        self.model = model
        self._tokenizer, self._processor = tokenizer, processor

    @classmethod
    def load(cls, source: str, where: Where, *, shared: bool = True) -> Chat:
        """Load from a folder or a hub repository; stages that use the same model share it.

        Args:
            source: folder or hub repository.
            where: device and precision.
            shared: False for a stage that changes the model, e.g. puts adapters into it.

        Raises:
            ConfigError: when the model is of another kind, or transformers is too old.
            WeightsError: when files are missing, gated, broken or too large for the memory.
        """
        if shared and (loaded := _LOADED.get((source, where))) is not None:
            return loaded
        kind = load_part("AutoConfig", source).model_type
        if kind not in KINDS:
            raise ConfigError(f"{source}: expected a model of {', '.join(KINDS)}, got {kind}")
        attention = {"text_config": register_rows(), "vision_config": "sdpa"}
        model = load_part(
            "AutoModelForImageTextToText", source, where, attn_implementation=attention
        )
        if "mm_encoder_outputs" not in inspect.signature(model.forward).parameters:
            raise ConfigError(
                f"transformers {transformers().__version__} cannot take encoded pictures: "
                "pip install -U transformers"
            )
        # The other backend needs torchvision; answers must not depend on whether it is there.
        processor = load_part("AutoImageProcessor", source, backend="pil")
        chat = cls(model, _tokenizer(source), processor, source)
        if shared:
            _LOADED[source, where] = chat
        return chat

    @property
    def image_token(self) -> int:
        """Token that stands for a token of a picture."""
        return int(self.model.config.image_token_id)

    @property
    def ends(self) -> set[int]:
        """Tokens that end what the model says."""
        own = self.model.generation_config.eos_token_id
        return set(own if isinstance(own, list) else [own]) | {self._tokenizer.eos_token_id}

    @torch.inference_mode()
    def see(self, images: Sequence[NDArray[np.uint8]]) -> Pictures:
        """Encode pictures once for all prompts that begin with them.

        Args:
            images: (H, W, 3) uint8 RGB each, at least one.

        Raises:
            WeightsError: when the memory of the device is too small.
        """
        square = self.model.config.model_type == "llava"
        shown, boxes = zip(*(_padded(image, square=square) for image in images), strict=True)
        made = self._processor(images=list(shown), return_tensors="pt", **self._limits())
        encode = self.model.model.get_image_features
        given = {name: made[name] for name in made if name in inspect.signature(encode).parameters}
        given["pixel_values"] = made["pixel_values"].to(self.model.device, self.model.dtype)
        with out_of_memory(self.source):
            encoded = encode(**given, return_dict=True)
        counts = tuple(len(tokens) for tokens in encoded.pooler_output)
        thw = given.get("image_grid_thw")
        grids = tuple(
            self._grid(count, None if thw is None else thw[i].tolist(), boxes[i])
            for i, count in enumerate(counts)
        )
        return Pictures(encoded, counts, grids, thw)

    def prompt(self, text: str, pictures: Pictures | None = None) -> list[int]:
        """Tokens of a question after its pictures, up to where the answer begins.

        Args:
            text: the question; what is a special token of the model is left out of it.
            pictures: what comes before it; None for none.

        Raises:
            WeightsError: when the model's chat template does not place the pictures.
        """
        counts = pictures.counts if pictures is not None else ()
        for special in self._tokenizer.get_added_vocab():
            text = text.replace(special, "")
        content = [{"type": "image"}] * len(counts) + [{"type": "text", "text": text}]
        written = self._tokenizer.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
        )
        start = self._tokenizer.bos_token
        ids = self._ids(written, whole=not (start and written.startswith(start)))
        if ids.count(self.image_token) != len(counts):
            raise WeightsError(
                f"{self.source}: its chat template placed {ids.count(self.image_token)} of "
                f"{len(counts)} pictures; get the newest files of the repository"
            )
        sizes = iter(counts)
        repeats = [next(sizes) if each == self.image_token else 1 for each in ids]
        return [each for each, count in zip(ids, repeats, strict=True) for _ in range(count)]

    def said(self, text: str) -> list[int]:
        """Tokens of a piece of an answer."""
        return self._ids(text, whole=False)

    def text(self, ids: Sequence[int]) -> str:
        """What tokens say, without special ones."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True)).strip()

    def label_ids(self, labels: Sequence[str]) -> list[list[int]]:
        """Tokens that say each label as the next word: after a blank or not, capital or not.

        Raises:
            ConfigError: when a label takes more than one token, or two labels share one.
        """
        found = []
        for label in labels:
            words = (label, label.capitalize())
            forms = [self.said(blank + word) for blank in ("", " ") for word in words]
            found.append(sorted({form[0] for form in forms if len(form) == 1}))
            if not found[-1]:
                raise ConfigError(f"{self.source}: the label {label!r} is not a single token")
        if len({each for ids in found for each in ids}) != sum(map(len, found)):
            raise ConfigError(f"{self.source}: two of the labels {', '.join(labels)} share a token")
        return found

    @torch.inference_mode()
    def label_logits(self, hidden: Tensor, labels: Sequence[str]) -> NDArray[np.float64]:
        """Logits of L labels as the next word, (K, L) of hidden states (K, width)."""
        logits = self.model.get_output_embeddings()(hidden).double()
        each = [logits[:, ids].logsumexp(1) for ids in self.label_ids(labels)]
        told: NDArray[np.float64] = torch.stack(each, 1).cpu().numpy()
        return told

    def positions(self, ids: Sequence[int], pictures: Pictures | None) -> Tensor:
        """Positions of tokens as the model counts them, (1, T) or (3, 1, T) long."""
        whole = torch.tensor([ids])
        if not hasattr(self.model.model, "get_rope_index"):
            return torch.arange(len(ids))[None]
        found: Tensor
        found, _ = self.model.model.get_rope_index(
            whole,
            mm_token_type_ids=(whole == self.image_token).int(),
            image_grid_thw=None if pictures is None else pictures.thw,
        )
        return found

    def _ids(self, text: str, *, whole: bool) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=whole)["input_ids"])

    def _limits(self) -> dict[str, Any]:
        """Bounds on the tokens of a picture, where the image processor knows such."""
        if not hasattr(self._processor, "merge_size"):
            return {}
        own = self._processor.size
        token = (self._processor.patch_size * self._processor.merge_size) ** 2
        most = min(own["longest_edge"], _MOST_TOKENS * token)
        return {"size": {"shortest_edge": min(own["shortest_edge"], most), "longest_edge": most}}

    def _grid(
        self, count: int, thw: Sequence[int] | None, box_xyxy: tuple[int, int, int, int]
    ) -> Grid:
        """Grid of a picture of `count` tokens; of a LLaVA's crops only the whole picture's."""
        if thw is not None:
            merge = self._processor.merge_size
            return Grid(0, (thw[1] // merge, thw[2] // merge), box_xyxy)
        vision = self.model.config.vision_config
        side = vision.image_size // vision.patch_size
        first = count - side**2 if self.model.config.model_type == "llava" else 0
        return Grid(first, (side, side), box_xyxy)


_LOADED: WeakValueDictionary[tuple[str, Where], Chat] = WeakValueDictionary()


def _tokenizer(source: str) -> Any:
    """The tokenizer with its chat template, which may lie in the processor's file."""
    tokenizer = load_part("AutoTokenizer", source)
    if tokenizer.chat_template is None:
        beside = load_file(source, "chat_template.json")
        if beside is None:
            raise WeightsError(
                f"{source}: it has no chat template; choose a model that was trained to chat"
            )
        tokenizer.chat_template = json.loads(beside.read_text())["chat_template"]
    return tokenizer


def _padded(
    image: NDArray[np.uint8], *, square: bool
) -> tuple[NDArray[np.uint8], tuple[int, int, int, int]]:
    """Pad with grey to a square, or until it is not too long; and say what box that covers."""
    height, width = image.shape[:2]
    least = max(height, width) if square else math.ceil(max(height, width) / _LONGEST)
    rows, columns = max(0, least - height), max(0, least - width)
    top, left = rows // 2, columns // 2
    box = (-left, -top, width + columns - left, height + rows - top)
    around = ((top, rows - top), (left, columns - left), (0, 0))
    return np.pad(image, around, constant_values=_GREY), box
