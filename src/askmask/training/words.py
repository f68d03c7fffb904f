"""Sentences as the frozen text tower sees them, kept on disk.

The tower costs more than all that is trained on top of it, and it always says the same of the same
sentence; so it is asked once.
"""

from __future__ import annotations

import hashlib
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
from askmask.training.placement import Placement

__all__ = ["Words", "cache_words", "pad_ids", "tokenizer"]

Words: TypeAlias = NDArray[np.float16]
"""(T, 768) states of one sentence."""

_BATCH = 256


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


def cache_words(
    tower: TextTower,
    texts: Sequence[str],
    path: Path,
    max_words: int,
    place: Placement | None = None,
) -> list[Words]:
    """States of each sentence; read from `path` when it was made from these sentences.

    Args:
        tower: the frozen tower.
        texts: the sentences, in the order of the result.
        path: `.npy` file, written atomically; beside it another one with the ends of the sentences
            and their hash, so that they need not be cut into word pieces again.
        max_words: longest sentence in word pieces.
        place: where to compute, the CPU if None.
    """
    beside = path.with_suffix(".ends.npy")
    digest = _digest(texts, max_words)
    ends = _read_ends(beside, digest) if path.exists() else None
    if ends is None:
        encoded = [one.ids for one in tokenizer(max_words).encode_batch(list(texts))]
        ends = np.cumsum([len(ids) for ids in encoded])
        made_before = path.exists() and not beside.exists()  # by a version that kept no hashes
        if not made_before or len(np.load(path, mmap_mode="r")) != ends[-1]:
            _write(path, _encode(tower, encoded, place or Placement()))
        _write(beside, np.concatenate([digest, ends]))
    states = np.asarray(np.load(path, mmap_mode="r"))  # a plain view splits quicker
    return np.split(states, ends[:-1])


def _digest(texts: Sequence[str], max_words: int) -> NDArray[np.int64]:
    """Hash of sentences as four numbers."""
    hashed = hashlib.sha256("\n".join([str(max_words), *texts]).encode())
    return np.frombuffer(hashed.digest(), np.int64)


def _read_ends(path: Path, digest: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Where each sentence ends, unless `path` is of others."""
    if not path.exists():
        return None
    kept: NDArray[np.int64] = np.load(path)
    return kept[4:] if np.array_equal(kept[:4], digest) else None


def _encode(tower: TextTower, encoded: Sequence[Sequence[int]], place: Placement) -> Words:
    net = WordsNet(tower).to(place.device)  # weights moved in inference mode could not be trained
    states: list[Words] = [np.zeros((0, 0), np.float16)] * len(encoded)
    order = sorted(range(len(encoded)), key=lambda index: len(encoded[index]))
    with torch.inference_mode():
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            ids, valid = place.put(pad_ids([encoded[index] for index in chosen]))
            found = net(ids, valid).upper.half().to("cpu").numpy()
            for index, row in zip(chosen, found, strict=True):
                states[index] = row[: len(encoded[index])]
    tower.to("cpu")
    return np.concatenate(states)


def _write(path: Path, states: NDArray[Any]) -> None:
    temporary = path.with_suffix(".tmp.npy")
    np.save(temporary, states)
    temporary.replace(path)
