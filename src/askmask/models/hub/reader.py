"""Reading prompts about the same pictures, nothing twice.

Of prompts that begin alike, the beginning is read once and kept. Several endings are read in one
pass, side by side: each sees the beginning and itself, at the positions that it would have alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from askmask.models.hub.attention import RowsAsked, attention_rows
from askmask.models.hub.chat import Chat, Pictures
from askmask.models.hub.loading import out_of_memory, transformers

__all__ = ["Reader"]

_SIDE_BY_SIDE = 64
"""Endings that are read in one pass."""


class Reader:
    """What a model has read of prompts about the same pictures; not for several threads."""

    def __init__(self, chat: Chat, pictures: Pictures | None = None) -> None:
        """Begin with nothing read.

        Args:
            chat: the model.
            pictures: that all prompts begin with; None for prompts of words only.
        """
        self.chat, self.pictures = chat, pictures
        self._forget()

    @torch.inference_mode()
    def read(self, prompts: Sequence[Sequence[int]]) -> Tensor:
        """Read prompts, each as if it were alone.

        Args:
            prompts: K of them, from `Chat.prompt` with these pictures; at least one.

        Returns:
            (K, width) hidden state after the last token of each.

        Raises:
            WeightsError: when the memory of the device is too small.
        """
        if len(prompts) == 1:
            self._keep(prompts[0][:-1])
            return self._read_on(prompts[0])[-1:]
        shared = prompts[0][: min(_alike(prompts), min(map(len, prompts)) - 1)]
        self._keep(shared)
        if len(shared) > len(self._ids):
            self._read_on(shared)
        several = range(0, len(prompts), _SIDE_BY_SIDE)
        return torch.cat([self._endings(prompts[i : i + _SIDE_BY_SIDE]) for i in several])

    def speak(self, prompt: Sequence[int], most: int) -> list[int]:
        """Continue a prompt by the likeliest tokens, up to `most` or where the model ends."""
        ids, ends = list(prompt), self.chat.ends
        head = self.chat.model.get_output_embeddings()
        while len(ids) < len(prompt) + most:
            with torch.inference_mode():
                token = int(head(self.read([ids])).argmax())
            if token in ends:
                break
            ids.append(token)
        return ids[len(prompt) :]

    @torch.inference_mode()
    def look(self, prompt: Sequence[int], tokens: int = 1) -> Tensor:
        """Attention of the last tokens of a prompt to the first picture.

        Args:
            prompt: from `Chat.prompt` with these pictures, perhaps continued.
            tokens: how many.

        Returns:
            (layers, heads, tokens, rows, columns) float32 shares of attention.
        """
        assert self.pictures is not None
        model, grid = self.chat.model, self.pictures.grids[0]
        rows, columns = grid.hw
        picture = [at for at, each in enumerate(prompt) if each == self.chat.image_token]
        layers = range(model.config.get_text_config().num_hidden_layers)
        asked = RowsAsked(
            torch.arange(-tokens, 0, device=model.device),
            torch.tensor(picture[grid.first : grid.first + rows * columns], device=model.device),
            frozenset(layers),
        )
        self._keep(prompt[:-tokens])
        with attention_rows(asked):
            self._read_on(prompt)
        found = torch.stack([asked.found[layer] for layer in layers])
        return found.reshape(*found.shape[:-1], rows, columns)

    def _forget(self) -> None:
        config = self.chat.model.config.get_text_config()
        self._ids: list[int] = []
        self._cache = transformers().DynamicCache(config=config)

    def _keep(self, ids: Sequence[int]) -> None:
        """Forget what does not begin `ids`; of pictures, which are seen together, all or none."""
        kept = _alike([self._ids, ids])
        if self.chat.image_token in self._ids[kept:]:
            kept = 0
        if kept:
            self._cache.crop(kept - len(self._ids))
            del self._ids[kept:]
        else:
            self._forget()

    def _read_on(self, ids: Sequence[int]) -> Tensor:
        """Read `ids`, which begin with what was read; hidden states (T, width) of the rest."""
        start = len(self._ids)
        hidden = self._pass(ids[start:], self.chat.positions(ids, self.pictures)[..., start:], None)
        self._ids = list(ids)
        return hidden

    def _endings(self, prompts: Sequence[Sequence[int]]) -> Tensor:
        """Hidden state after each of prompts that begin with what was read; nothing is kept."""
        start = len(self._ids)
        lengths = torch.tensor([len(each) - start for each in prompts])
        owner = torch.arange(len(prompts)).repeat_interleave(lengths)
        own = (owner[:, None] == owner).tril()
        mask = torch.cat([own.new_ones(len(owner), start), own], 1)
        positions = [self.chat.positions(each, self.pictures)[..., start:] for each in prompts]
        ids = [token for each in prompts for token in each[start:]]
        hidden = self._pass(ids, torch.cat(positions, -1), mask[None, None])
        self._cache.crop(-len(owner))
        return hidden[lengths.cumsum(0) - 1]

    def _pass(self, ids: Sequence[int], positions: Tensor, mask: Tensor | None) -> Tensor:
        """Hidden states, (T, width), of T tokens after what was read, which they are added to."""
        model = self.chat.model
        given = {}
        if self.pictures is not None and self.chat.image_token in ids:
            given["mm_encoder_outputs"] = {"image": self.pictures.encoded}
        try:
            with out_of_memory(self.chat.source):
                read = model.model(
                    input_ids=torch.tensor([ids], device=model.device),
                    attention_mask=None if mask is None else mask.to(model.device),
                    position_ids=positions.to(model.device),
                    past_key_values=self._cache,
                    use_cache=True,
                    **given,
                )
        except BaseException:
            self._forget()  # some layers have read on, others not
            raise
        hidden: Tensor = read.last_hidden_state[0]
        return hidden


def _alike(several: Sequence[Sequence[int]]) -> int:
    """With how many tokens all of them begin."""
    for at, tokens in enumerate(zip(*several, strict=False)):
        if len(set(tokens)) > 1:
            return at
    return min(map(len, several))
