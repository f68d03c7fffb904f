"""The light selector: how alike CLIP or SigLIP find a sentence and the crop of each candidate.

Such models know what things are called, and little of comparisons, relations and references.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor

from askmask.errors import ConfigError
from askmask.models.deciding import decide
from askmask.models.hub.calibration import Calibration
from askmask.models.hub.loading import Where, load_part, out_of_memory
from askmask.models.hub.saved import save_options, saved_options
from askmask.models.registry import load_mask_typer
from askmask.models.segmenter import MaskTyper
from askmask.overlay.strokes import window
from askmask.types import Answer, Candidates, Query

__all__ = ["Background", "ClipConfig", "ClipSelector", "crop_alone"]

Background: TypeAlias = Literal["blur", "grey", "keep"]
"""What becomes of the pixels around a candidate in its crop."""

_FILE = "clip.json"
_GREY = (124, 116, 104)  # the mean of photographs
_CLIP_THRESHOLD = 0.23
_BATCH = 32


@dataclass(frozen=True)
class ClipConfig:
    """How crops are made, and what is alike enough.

    Attributes:
        background: of a crop.
        margin: around the box of a mask, as a share of its longer side.
        threshold: cosine similarity at which a crop fits as likely as not; None takes SigLIP's own,
            or 0.23 for CLIP, which has none.
        select_threshold: least probability of a candidate of the group.
        no_target_threshold: probability of "nothing fits" from which the answer is empty.
    """

    background: Background = "blur"
    margin: float = 0.15
    threshold: float | None = None
    select_threshold: float = 0.4
    no_target_threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.background not in get_args(Background):
            raise ConfigError(
                f"background: expected one of {', '.join(get_args(Background))}, "
                f"got {self.background!r}"
            )


class ClipSelector:
    """`Selector` by similarity of crops and sentence; the crops of a picture are encoded once.

    Attributes:
        config: how crops are made, and what is alike enough.
    """

    def __init__(
        self, model: Any, tokenizer: Any, processor: Any, config: ClipConfig, typer: MaskTyper
    ) -> None:
        """Compose a selector.

        Args:
            model: `CLIPModel` or `SiglipModel`.
            tokenizer: its tokenizer.
            processor: its image processor.
            config: how crops are made.
            typer: says which mask type a sentence asks for.
        """
        self.config = config
        self._model = model
        self._tokenizer = tokenizer
        self._processor = processor
        self._typer = typer
        self._seen: tuple[Candidates, Tensor] | None = None

    @classmethod
    def load(
        cls,
        source: str,
        where: Where | None = None,
        *,
        typer: MaskTyper | None = None,
        **options: Any,
    ) -> ClipSelector:
        """Load a model from a folder or a repository.

        Args:
            source: folder or repository of the model, or a folder that `save` wrote.
            where: device and precision; four bits are for language models.
            typer: None takes the embedded one.
            options: fields of `ClipConfig`; they go before saved ones.

        Raises:
            ConfigError: for a model of another kind, or an option that has no such value.
            WeightsError: when the files are missing, gated, broken or too large for the memory.
        """
        source, saved = saved_options(source, _FILE, ClipConfig)
        config = replace(saved, **options)
        kind = load_part("AutoConfig", source).model_type
        if kind not in ("clip", "siglip"):
            raise ConfigError(f"{source}: expected a model of kind clip, siglip, got {kind!r}")
        exact = replace(where or Where(), four_bit=False)
        return cls(
            load_part("AutoModel", source, exact),
            load_part("AutoTokenizer", source),
            load_part("AutoImageProcessor", source, backend="pil"),
            config,
            typer or load_mask_typer(),
        )

    def save(self, folder: str | Path) -> None:
        """Write the options to `clip.json` in `folder`; the model stays where it is."""
        save_options(folder, _FILE, self._model.name_or_path, self.config)

    def select(self, image: NDArray[np.uint8], candidates: Candidates, query: Query) -> Answer:
        """Choose the group: what is alike enough, and nearly as alike as the best.

        Args:
            image: (H, W, 3) uint8 RGB.
            candidates: found in it; there may be none.
            query: the sentence; references are not looked at.
        """
        types = self._typer.mask_types([query.text])[0]
        calibration = Calibration(
            no_target_threshold=self.config.no_target_threshold,
            select_threshold=self.config.select_threshold,
        )
        if not len(candidates):
            return decide(candidates, query, np.zeros(0), 0.0, types, calibration)
        alike = self._crops(image, candidates) @ self._sentence(query.text)
        logits = self._scale * (alike - self._threshold).double().cpu().numpy()
        # Of the probability that anything fits, each has the share that it has of the best one's.
        likely = np.exp(logits - logits.max()) / (1 + np.exp(-logits.max()))
        select = np.log(likely) - np.log1p(-likely)
        answer = decide(candidates, query, select, -float(logits.max()), types, calibration)
        if query.references is not None and len(query.references):
            return replace(answer, unsure="this selector does not look at references")
        return answer

    @property
    def _scale(self) -> float:
        return float(self._model.logit_scale.detach().exp())

    @property
    def _threshold(self) -> float:
        """Cosine similarity at which a crop fits as likely as not."""
        if self.config.threshold is not None:
            return self.config.threshold
        bias = getattr(self._model, "logit_bias", None)
        return _CLIP_THRESHOLD if bias is None else -float(bias.detach()) / self._scale

    def _crops(self, image: NDArray[np.uint8], candidates: Candidates) -> Tensor:
        """Directions (N, D) of the candidates' crops; those of the last picture are kept."""
        if self._seen is None or self._seen[0] is not candidates:
            parts = [
                self._encoded(image, candidates.modal[start : start + _BATCH].dense())
                for start in range(0, len(candidates), _BATCH)
            ]
            self._seen = candidates, torch.cat(parts)
        return self._seen[1]

    def _encoded(self, image: NDArray[np.uint8], masks: NDArray[np.bool_]) -> Tensor:
        crops = [crop_alone(image, mask, self.config) for mask in masks]
        pixels = self._processor(crops, return_tensors="pt")["pixel_values"]
        with torch.inference_mode(), out_of_memory("the selector"):
            found = self._model.get_image_features(pixels.to(self._model.device, self._model.dtype))
        return _directions(found)

    def _sentence(self, text: str) -> Tensor:
        """Direction (D,) of a sentence; what is too long is cut off."""
        # SigLIP has learnt on padded sentences without a mask, CLIP reads up to the last word.
        padding = "max_length" if hasattr(self._model, "logit_bias") else False
        longest = self._model.config.text_config.max_position_embeddings
        words = self._tokenizer(
            text, padding=padding, truncation=True, max_length=longest, return_tensors="pt"
        )
        with torch.inference_mode(), out_of_memory("the selector"):
            found = self._model.get_text_features(words["input_ids"].to(self._model.device))
        return _directions(found)[0]


def crop_alone(
    image: NDArray[np.uint8], mask: NDArray[np.bool_], config: ClipConfig
) -> Image.Image:
    """Crop a square around a mask, its background as `config` says; outside the picture is grey.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: (H, W) bool; an empty one gives the whole picture.
        config: background and margin.
    """
    rows, columns = window(mask, 0) or (slice(0, mask.shape[0]), slice(0, mask.shape[1]))
    side = max(rows.stop - rows.start, columns.stop - columns.start)
    side = max(1, round(side * (1 + 2 * config.margin)))
    left = (columns.start + columns.stop - side) // 2
    top = (rows.start + rows.stop - side) // 2
    picture = Image.fromarray(image)
    box = (max(left, 0), max(top, 0), left + side, top + side)
    box = (*box[:2], min(box[2], picture.width), min(box[3], picture.height))
    crop = picture.crop(box)
    if config.background != "keep" and mask.any():
        around = Image.new("RGB", crop.size, _GREY)
        if config.background == "blur":
            around = crop.filter(ImageFilter.GaussianBlur(max(1.0, side / 20)))
        crop = Image.composite(crop, around, Image.fromarray(mask).crop(box))
    square = Image.new("RGB", (side, side), _GREY)
    square.paste(crop, (box[0] - left, box[1] - top))
    return square


def _directions(found: Any) -> Tensor:
    """Vectors (N, D) float32 of length 1."""
    vectors = getattr(found, "pooler_output", found)  # before transformers 5 it was they themselves
    return torch.nn.functional.normalize(vectors.float(), dim=-1)
