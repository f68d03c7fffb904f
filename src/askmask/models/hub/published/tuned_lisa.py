"""LISA fine-tuned on sentences that ask for visible, complete and hidden shapes, as R2SM does.

Beside a published checkpoint, which is only named, lie adapters of its language model and what was
learnt of its prompts and of SAM's mask decoder.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from askmask.errors import WeightsError
from askmask.formats.files import read_json, write_json
from askmask.models.hub.loading import Where
from askmask.models.hub.lora import LoraSettings, add_lora, load_lora, save_lora
from askmask.models.hub.preprocessing import Placement
from askmask.models.hub.published.lisa import PublishedLisa
from askmask.models.pretrained import save_state
from askmask.types import Answer, MaskType, Query

__all__ = ["Followed", "TunedLisa"]

_FILE = "lisa.json"
_MAX_BYTES = 100_000

_ANSWER = "[SEG]."


class Followed(NamedTuple):
    """What LISA makes of a sentence when the answer is given.

    Attributes:
        ids: (N,) long, tokens of the answer and its end.
        words: (N, V) logits that they are said by.
        masks: (1, h, w) logits of the mask on a grid over the input.
        placement: where the picture lies in that.
    """

    ids: Tensor
    words: Tensor
    masks: Tensor
    placement: Placement


class TunedLisa(PublishedLisa):
    """LISA that draws what the sentence asks for, be it visible or not; one mask a sentence."""

    def __init__(self, base: str, where: Where, **options: Any) -> None:
        """Load the published checkpoint `base`; prefer `load`, or `new` to train one."""
        super().__init__(base, where, forced=True, **options)
        self.base = base
        sam: Any = self._net["sam"]
        self._heads = nn.ModuleDict(
            {"to_prompt": self._net["to_prompt"], "mask_decoder": sam.mask_decoder}
        )
        # Small steps of learning are lost in half precision.
        self._heads["to_prompt"].float().register_forward_pre_hook(_exact)
        self._adapted: Any | None = None

    @classmethod
    def new(cls, base: str, where: Where, lora: LoraSettings) -> Self:
        """Make one that has learnt nothing yet.

        Only the adapters, the projection of prompts and the mask decoder require gradients.
        """
        made = cls(base, where)
        made._net.requires_grad_(False)
        if lora.rank:
            made._adapted = add_lora(made._net["language"], lora)
        made._heads.requires_grad_(True)
        return made

    @classmethod
    def load(cls, source: str, where: Where | None = None, **options: Any) -> Self:
        """Open what `save_pretrained` wrote, and the checkpoint that it names.

        Raises:
            WeightsError: when files are missing, gated, broken or too large for the memory.
        """
        folder = Path(source)
        if not (folder / _FILE).is_file():
            raise WeightsError(
                f"{folder / _FILE} is missing; give the folder that `askmask train hub:lisa` wrote"
            )
        said = read_json(folder / _FILE, _MAX_BYTES)
        if not isinstance(said, dict) or not isinstance(base := said.get("base"), str):
            raise WeightsError(f"{folder / _FILE}: expected the name of a checkpoint as 'base'")
        made = cls(base, where or Where(), **options)
        made.model_id = source
        if (folder / "adapter").is_dir():
            made._adapted = load_lora(made._net["language"], folder / "adapter")
        path = folder / "heads.safetensors"
        try:
            made._heads.load_state_dict(load_file(path))
        except (OSError, RuntimeError, SafetensorError) as error:
            reason = str(error).partition("\n")[0]
            raise WeightsError(f"{path}: does not fit {made.base} ({reason})") from error
        return made

    def save_pretrained(self, folder: str | Path) -> None:
        """Write what was learnt: `heads.safetensors`, and `adapter/` as peft does.

        Raises:
            OutputError: when it cannot be written.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        save_state(self._heads, folder / "heads.safetensors")
        if self._adapted is not None:
            save_lora(self._adapted, folder / "adapter")
        write_json(folder / _FILE, {"base": self.base})

    @property
    def network(self) -> nn.Module:
        """Everything that computes but CLIP."""
        return self._net

    def answer(self, query: Query | str) -> Answer:
        """Answer one sentence; the mask is of the type that it asks for, and no other is known.

        Raises:
            QueryError: when no picture is set, or a reference has another size than the picture.
        """
        asked = Query(query) if isinstance(query, str) else query
        drawn = super().answer(replace(asked, mask_type=MaskType.MODAL))
        types = drawn.mask_type_probability
        mask_type = asked.mask_type or max(types, key=types.__getitem__)
        return replace(drawn, mask_type=mask_type)

    def follow(self, query: Query) -> Followed:
        """Draw for a sentence about the current picture, with gradients where they are on."""
        seen = self._seen
        ids = [*self._llava.ids(_ANSWER), self._llava.tokenizer.eos_token_id]
        states = self._llava.follow(self._pieces(seen, query), ids)
        language: Any = self._net["language"]
        words = language.lm_head(states)
        prompt = self._net["to_prompt"](states[[ids.index(self._seg)]])
        # The decoder is in float32: half precision blanks or moves masks.
        with torch.autocast(states.device.type, enabled=False):
            masks = self._sam.draw(seen.sam, prompt.float())
        told = torch.tensor(ids, device=states.device)
        return Followed(told, words, masks, seen.sam.placement)


def _exact(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(each.float() for each in inputs)
