"""Dense outputs of the proposer network -> candidates with modal and amodal mask logits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from askmask.models.embedded.config import EmbeddedConfig

__all__ = ["Proposals", "decode_proposals", "mask_logits"]

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Proposals:
    """Candidates of one picture in the network's frame, best first.

    Attributes:
        logits: (N, 2, h, w) float32, modal and amodal mask at 1/4 of the input; the amodal mask
            holds the modal one.
        score: (N,) float32 in [0, 1].
        appearance: (D, H/8, W/8) float32, the map that mask tokens are pooled from.
    """

    logits: Floats
    score: Floats
    appearance: Floats

    @property
    def modal(self) -> NDArray[np.bool_]:
        """(N, h, w) bool."""
        return self.logits[:, 0] > 0

    @property
    def amodal(self) -> NDArray[np.bool_]:
        """(N, h, w) bool."""
        return self.logits[:, 1] > 0


def mask_logits(
    config: EmbeddedConfig, masks: Floats, parameters: Floats, cells_yx: NDArray[np.int64]
) -> Floats:
    """Run the dynamic mask head of P candidates; the NumPy twin of `proposer_net.dynamic_masks`.

    Args:
        config: sizes of the head.
        masks: (K, h, w) mask features of one picture.
        parameters: (P, n) parameters of each candidate's head.
        cells_yx: (P, 2) its cell at 1/8.

    Returns:
        (P, 2, h, w) logits of the modal and the amodal mask.
    """
    count = len(cells_yx)
    height, width = masks.shape[-2:]
    rows, columns = np.mgrid[:height, :width].astype(np.float32) * 4 + 2
    grid = np.stack([columns, rows]).reshape(1, 2, -1)
    centre = (cells_yx[:, ::-1].astype(np.float32) * 8 + 4)[:, :, None]
    shared = np.repeat(masks.reshape(1, len(masks), -1), count, 0)
    x = np.concatenate([shared, (grid - centre) / 64], 1)
    start = 0
    for layer, (inputs, outputs) in enumerate(config.dynamic_sizes):
        weight = parameters[:, start : start + inputs * outputs].reshape(count, outputs, inputs)
        start += inputs * outputs
        bias = parameters[:, start : start + outputs, None]
        start += outputs
        x = weight @ x + bias
        if layer + 1 < len(config.dynamic_sizes):
            x = np.maximum(x, 0)
    return x.reshape(count, 2, height, width)


def decode_proposals(
    config: EmbeddedConfig,
    centre: Floats,
    parameters: Floats,
    masks: Floats,
    appearance: Floats,
) -> Proposals:
    """Pick centres, run their mask heads and drop doubles.

    Args:
        config: sizes and thresholds.
        centre: (H/8, W/8) centre logits of one picture.
        parameters: (n, H/8, W/8) mask head of each cell.
        masks: (K, h, w) mask features.
        appearance: (D, H/8, W/8).

    Returns:
        At most `config.max_candidates` proposals; none when no centre reaches the threshold.
    """
    cells, score = _peaks(centre, config)
    logits = mask_logits(config, masks, parameters[:, cells[:, 0], cells[:, 1]].T, cells)
    logits[:, 1] = logits.max(1)  # what is seen belongs to the complete shape
    keep = _distinct(logits[:, 0] > 0, config.overlap_threshold)[: config.max_candidates]
    return Proposals(logits[keep], score[keep], appearance)


def _peaks(centre: Floats, config: EmbeddedConfig) -> tuple[NDArray[np.int64], Floats]:
    """Return cells (P, 2) that are the best of their 3x3 neighbourhood, and their scores."""
    score = 1 / (1 + np.exp(-centre))
    padded = np.pad(score, 1, constant_values=0)
    height, width = score.shape
    shifted = [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    peak = (score >= np.maximum.reduce(shifted)) & (score >= config.centre_threshold)
    cells = np.argwhere(peak)
    found = score[peak]
    order = np.argsort(-found, kind="stable")[: 2 * config.max_candidates]
    return cells[order], found[order].astype(np.float32)


def _distinct(modal: NDArray[np.bool_], threshold: float) -> list[int]:
    """Greedy suppression by mask IoU, best first; masks without pixels go too."""
    flat = modal.reshape(len(modal), modal.shape[1] * modal.shape[2]).astype(np.float32)
    shared = flat @ flat.T
    area = flat.sum(1)
    overlap = shared / np.maximum(area[:, None] + area[None] - shared, 1)
    keep: list[int] = []
    for index in range(len(modal)):
        if area[index] >= 3 and not (overlap[index, keep] > threshold).any():
            keep.append(index)
    return keep
