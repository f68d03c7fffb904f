"""Sentences as the frozen text tower sees them, kept on disk.

The tower costs more than all that is trained on top of it, and it always says the same of the same
sentence; so it is asked once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from askmask.models.embedded.text_net import TextTower, minilm_folder
from askmask.models.embedded.words import open_tokenizer
from askmask.models.embedded.words_net import WordsNet

__all__ = ["Words", "cache_words", "pad_ids", "tokenizer"]

Words: TypeAlias = NDArray[np.float16]
"""(T, 768) states of one sentence."""

_BATCH = 64


@cache
def tokenizer(max_words: int) -> Any:
    """The tower's tokenizer, cutting sentences off at `max_words` pieces."""
    return open_tokenizer(minilm_folder() / "tokenizer.json", max_words)


def pad_ids(texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Word pieces of B sentences -> ids (B, T) long, valid (B, T) bool."""
    longest = max(len(ids) for ids in texts)
    padded = np.zeros((len(texts), longest), np.int64)
    valid = np.zeros(padded.shape, bool)
    for row, ids in enumerate(texts):
        padded[row, : len(ids)] = ids
        valid[row, : len(ids)] = True
    return torch.from_numpy(padded), torch.from_numpy(valid)


def cache_words(tower: TextTower, texts: Sequence[str], path: Path, max_words: int) -> list[Words]:
    """States of each sentence; read from `path` when it was made from as many word pieces.

    Args:
        tower: the frozen tower.
        texts: the sentences, in the order of the result.
        path: `.npy` file, written atomically.
        max_words: longest sentence in word pieces.
    """
    encoded = [tokenizer(max_words).encode(text).ids for text in texts]
    ends = np.cumsum([len(ids) for ids in encoded])
    if not path.exists() or len(np.load(path, mmap_mode="r")) != ends[-1]:
        _write(path, _encode(tower, encoded))
    states = np.load(path, mmap_mode="r")
    return np.split(states, ends[:-1])


@torch.inference_mode()
def _encode(tower: TextTower, encoded: Sequence[Sequence[int]]) -> Words:
    net = WordsNet(tower)
    states: list[Words] = [np.zeros((0, 0), np.float16)] * len(encoded)
    order = sorted(range(len(encoded)), key=lambda index: len(encoded[index]))
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        ids, valid = pad_ids([encoded[index] for index in chosen])
        found = net(ids, valid).upper.half().numpy()
        for index, row in zip(chosen, found, strict=True):
            states[index] = row[: len(encoded[index])]
    return np.concatenate(states)


def _write(path: Path, states: Words) -> None:
    temporary = path.with_suffix(".tmp.npy")
    np.save(temporary, states)
    temporary.replace(path)
