"""RAS on a multimodal language model: it reads candidates as tokens and marks all that belong.

Cao et al., "Refer to Any Segmentation Mask Group With Vision-Language Prompts", ICCV 2025 (arXiv
2506.05342); `models/ras.py` is the same design from scratch. What is read is

    [picture] [(pool, candidate) x N] [text with (ref, reference) inside] [(pool, candidate) x N]

inside the model's chat template: the first candidates follow the picture, the second ones stand
where its answer would begin. Features are those that the model's own vision part gives, not an
ensemble of four encoders. What learns is `MaskTokens`, and adapters in the language model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from askmask.errors import WeightsError
from askmask.models.deciding import calibrated, decide
from askmask.models.hub.calibration import Calibration
from askmask.models.hub.chat import Chat, Pictures
from askmask.models.hub.loading import Where, out_of_memory
from askmask.models.hub.lora import LoraSettings, add_lora, load_lora, save_lora
from askmask.models.hub.mask_tokens import MaskTokens, MaskTokensConfig, coverage
from askmask.models.hub.remembered import Remembered
from askmask.models.hub.saved import save_options, saved_options
from askmask.models.registry import load_mask_typer
from askmask.models.segmenter import MaskTyper
from askmask.types import Answer, Candidates, Masks, Query

__all__ = ["RasSelector"]

_FILE = "ras.json"

_REFERENCE = re.compile(r"(\[\d{1,3}\])")


class _Prompt(NamedTuple):
    """Tokens of what is read, and where masks stand among them.

    Attributes:
        ids: T tokens; those of masks are of no meaning.
        first: place of the first candidates, 2 N of them in a row.
        references: places of the R references in the order of the text, 2 in a row each.
        order: (R,) the number of each of them, from 0.
        again: place of the second candidates.
    """

    ids: list[int]
    first: int
    references: list[int]
    order: list[int]
    again: int


class RasSelector:
    """`Selector` that reads masks as tokens.

    Attributes:
        tokens: the part that is not the language model's.
        model_id: folder that it was loaded from, or the language model it is made on.
    """

    def __init__(
        self,
        chat: Chat,
        tokens: MaskTokens,
        adapted: Any | None = None,
        *,
        model_id: str = "ras",
        calibration: Calibration | None = None,
        typer: MaskTyper | None = None,
    ) -> None:
        """Compose parts that are loaded; prefer `load`, or `new` to train one.

        Args:
            chat: the language model, with adapters in it if `adapted` is given.
            tokens: the part that is not the language model's.
            adapted: what `add_lora` returned.
            model_id: name.
            calibration: what turns logits into decisions.
            typer: who reads the mask type from the sentence; None for the embedded text head.
        """
        self.tokens = tokens.to(chat.model.device)
        self.model_id = model_id
        self._chat, self._adapted = chat, adapted
        self._calibration = calibration or Calibration()
        self._typer = typer or load_mask_typer()
        self._seen = Remembered(lambda image: chat.see([image]))

    @classmethod
    def new(cls, base: str, where: Where, lora: LoraSettings) -> RasSelector:
        """Make one that has learnt nothing, on a published language model.

        Only `tokens` and the adapters require gradients.

        Raises:
            ConfigError, WeightsError: see `Chat.load` and `add_lora`.
        """
        chat = Chat.load(base, where, shared=False)
        chat.model.requires_grad_(False)
        adapted = add_lora(chat.model, lora) if lora.rank else None
        width = chat.model.get_input_embeddings().embedding_dim
        return cls(chat, MaskTokens(MaskTokensConfig(width)), adapted, model_id=base)

    @classmethod
    def load(cls, source: str, where: Where) -> RasSelector:
        """Open what `save_pretrained` wrote, and the language model that it names.

        Raises:
            WeightsError: when files are missing, gated, broken or too large for the memory.
            DataError: when `ras.json` is not what was written.
        """
        folder = Path(source)
        if not (folder / _FILE).is_file():
            raise WeightsError(
                f"{folder / _FILE} is missing; give the folder that `askmask train hub:ras` wrote"
            )
        base, calibration = saved_options(source, _FILE, Calibration)
        chat = Chat.load(base, where, shared=False)
        adapters = folder / "adapter"
        adapted = load_lora(chat.model, adapters) if adapters.is_dir() else None
        tokens = MaskTokens.from_pretrained(folder / "tokens")
        return cls(chat, tokens, adapted, model_id=source, calibration=calibration)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write what was learnt into `folder`; the language model is only named there.

        `tokens/` holds config and safetensors, `adapter/` what peft writes.

        Raises:
            OutputError: when it cannot be written.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.tokens.save_pretrained(folder / "tokens")
        if self._adapted is not None:
            save_lora(self._adapted, folder / "adapter")
        save_options(folder, _FILE, self._chat.source, self._calibration)

    @property
    def network(self) -> nn.Module:
        """Everything that computes."""
        return nn.ModuleDict({"language": self._chat.model, "tokens": self.tokens})

    def select(self, image: NDArray[np.uint8], candidates: Candidates, query: Query) -> Answer:
        """Choose the group and its mask type; nothing fits where no candidate belongs."""
        with torch.inference_mode():
            told = self.logits(image, candidates.modal, query)
        select = calibrated(self._calibration, told.double().cpu().numpy())
        none = -float(select.max()) if len(select) else 0.0
        types = self._typer.mask_types([query.text])[0]
        return decide(candidates, query, select, none, types, self._calibration)

    def logits(self, image: NDArray[np.uint8], candidates: Masks, query: Query) -> Tensor:
        """Logits of belonging, in one pass.

        Args:
            image: (H, W, 3) uint8 RGB; the last one is not encoded again.
            candidates: N visible masks in the picture's size.
            query: the sentence, and the references that it names.

        Returns:
            (N,) float32, with gradients where they are on.

        Raises:
            WeightsError: when the memory of the device is too small.
        """
        model = self._chat.model
        if not len(candidates):
            return torch.zeros(0, device=model.device)
        seen = self._seen(image)
        references = query.references if query.references is not None else candidates[:0]
        prompt = self._prompt(query.text, len(candidates), len(references), seen)
        fed = self.tokens.candidates(self._tokens(candidates, seen))
        pointed = self.tokens.references(self._tokens(references[prompt.order], seen))
        embed = model.get_input_embeddings()
        read = embed(torch.tensor(prompt.ids, device=model.device))
        spots = [(prompt.first, fed), (prompt.again, fed)]
        spots += [(at, pointed[2 * i :][:2]) for i, at in enumerate(prompt.references)]
        for at, masks in spots:
            read = torch.cat([read[:at], masks.to(read.dtype), read[at + len(masks) :]])
        with out_of_memory(self._chat.source):
            states = model.model(
                inputs_embeds=read[None],
                position_ids=self._chat.positions(prompt.ids, seen).to(model.device),
                mm_encoder_outputs={"image": seen.encoded},
                use_cache=False,
            ).last_hidden_state[0]
        # The state at a candidate, not at its prefix.
        last = states[prompt.again + 1 : prompt.again + len(fed) : 2]
        logits: Tensor = self.tokens.select(last.float())[:, 0]
        return logits

    def _tokens(self, masks: Masks, seen: Pictures) -> Tensor:
        """(N, width) tokens of masks."""
        device = self._chat.model.device
        if not len(masks):
            return torch.zeros(0, self.tokens.config.width, device=device)
        grid = seen.grids[0]
        rows, columns = grid.hw
        shown = seen.encoded.pooler_output[0][grid.first : grid.first + rows * columns]
        shares = [coverage(torch.from_numpy(mask), grid) for mask in masks]
        tokens: Tensor = self.tokens(shown, torch.stack(shares).to(device))
        return tokens

    def _prompt(self, text: str, candidates: int, references: int, seen: Pictures) -> _Prompt:
        before, after = self._frame(seen)
        blank = after[:1]
        pool = 2 * candidates * blank
        ids = [*before, *pool]
        places: list[int] = []
        order: list[int] = []
        for piece in _REFERENCE.split(text):
            if _REFERENCE.fullmatch(piece) and 0 < int(piece[1:-1]) <= references:
                places.append(len(ids))
                order.append(int(piece[1:-1]) - 1)
                ids += 2 * blank
            elif piece.strip():
                ids += self._chat.prompt(piece, seen)[len(before) : -len(after)]
        for left_out in sorted({*range(references)} - {*order}):
            places.append(len(ids))
            order.append(left_out)
            ids += 2 * blank
        ids += after
        return _Prompt([*ids, *pool], len(before), places, order, len(ids))

    def _frame(self, seen: Pictures) -> tuple[list[int], list[int]]:
        """Tokens of the chat template before and after what is asked."""
        several = [self._chat.prompt(word, seen) for word in ("find", "mask", "what")]
        return _alike(several), _alike([each[::-1] for each in several])[::-1]


def _alike(several: Sequence[Sequence[int]]) -> list[int]:
    """What all of them begin with."""
    columns = zip(*several, strict=False)
    return [column[0] for column in takewhile(lambda column: len({*column}) == 1, columns)]
