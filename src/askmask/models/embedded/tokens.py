"""Mask tokens: what the selector knows about each candidate and each reference mask.

A mask becomes its appearance, pooled under the mask (RAS, mask tokenizer), a geometry vector, and
a vector for each pair of masks. The same functions serve training and runtime. NumPy only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["GEOMETRY", "PAIR", "STEPS", "MaskTokens", "make_tokens"]

GEOMETRY = 17
"""Length of a geometry vector."""
PAIR = 14
"""Length of a pair vector."""
STEPS = ("named", "anchors", "compared")
"""What the selector learns to tell of each mask on the way to its answer, see `Judgement.steps`."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class MaskTokens:
    """Inputs of the selector for M masks.

    Attributes:
        appearance: (M, 2D) float32, pooled under the modal and under the amodal mask.
        geometry: (M, GEOMETRY) float32.
        pairs: (M, M, PAIR) float32; row i, column j tells how j stands to i.
    """

    appearance: Floats
    geometry: Floats
    pairs: Floats


def make_tokens(
    appearance: Floats,
    modal: NDArray[np.bool_],
    amodal: NDArray[np.bool_],
    used_hw: tuple[float, float],
) -> MaskTokens:
    """Describe M masks of one picture.

    Args:
        appearance: (D, h/2, w/2) float32, the proposer's map.
        modal: (M, h, w) bool, visible parts on the mask grid.
        amodal: (M, h, w) bool, complete shapes; a reference mask stands for both.
        used_hw: rows and columns of the mask grid that the picture covers.
    """
    pooled = np.concatenate([_pool(appearance, modal), _pool(appearance, amodal)], 1)
    seen, whole = _Extent.of(modal, used_hw), _Extent.of(amodal, used_hw)
    return MaskTokens(
        appearance=pooled,
        geometry=_geometry(seen, whole),
        pairs=_pairs(seen, whole, modal, amodal, pooled[:, : len(appearance)]),
    )


def _pool(appearance: Floats, masks: NDArray[np.bool_]) -> Floats:
    """Average the map under each mask; zero for an empty mask."""
    count, height, width = masks.shape
    cells = masks.reshape(count, height // 2, 2, width // 2, 2).mean((2, 4), dtype=np.float32)
    weights = cells.reshape(count, height * width // 4)
    weights /= np.maximum(weights.sum(1, keepdims=True), 1e-3)
    pooled: Floats = weights @ appearance.reshape(len(appearance), -1).T
    return pooled


@dataclass(frozen=True)
class _Extent:
    """Boxes, centroids and areas of M masks, as fractions of the picture; zeros when empty."""

    left: Floats
    top: Floats
    right: Floats
    bottom: Floats
    x: Floats
    y: Floats
    area: Floats

    @classmethod
    def of(cls, masks: NDArray[np.bool_], used_hw: tuple[float, float]) -> _Extent:
        height, width = masks.shape[1:]
        columns = masks.sum(1, dtype=np.float32)  # (M, w)
        rows = masks.sum(2, dtype=np.float32)  # (M, h)
        area = rows.sum(1)
        safe = np.maximum(area, 1)
        some = (area > 0).astype(np.float32)
        return cls(
            left=some * (columns > 0).argmax(1) / used_hw[1],
            top=some * (rows > 0).argmax(1) / used_hw[0],
            right=some * (width - (columns[:, ::-1] > 0).argmax(1)) / used_hw[1],
            bottom=some * (height - (rows[:, ::-1] > 0).argmax(1)) / used_hw[0],
            x=some * ((columns @ (np.arange(width, dtype=np.float32) + 0.5)) / safe) / used_hw[1],
            y=some * ((rows @ (np.arange(height, dtype=np.float32) + 0.5)) / safe) / used_hw[0],
            area=area / (used_hw[0] * used_hw[1]),
        )

    @property
    def middle(self) -> Floats:
        return (self.left + self.right) * np.float32(0.5)

    @property
    def width(self) -> Floats:
        return self.right - self.left

    @property
    def height(self) -> Floats:
        return self.bottom - self.top


def _geometry(seen: _Extent, whole: _Extent) -> Floats:
    edge = 0.02
    hidden = 1 - seen.area / np.maximum(whole.area, 1e-6)
    values = [
        seen.x,
        seen.y,
        seen.width,
        seen.height,
        np.sqrt(seen.area),
        whole.middle,
        (whole.top + whole.bottom) / 2,
        whole.width,
        whole.height,
        np.sqrt(whole.area),
        whole.bottom,
        hidden,
        np.log((whole.height + 0.01) / (whole.width + 0.01)),
        seen.left < edge,
        seen.right > 1 - edge,
        seen.top < edge,
        seen.bottom > 1 - edge,
    ]
    return np.stack(values, 1).astype(np.float32)


def _pairs(
    seen: _Extent,
    whole: _Extent,
    modal: NDArray[np.bool_],
    amodal: NDArray[np.bool_],
    appearance: Floats,
) -> Floats:
    def gap(values: Floats) -> Floats:
        return values[None] - values[:, None]

    def ratio(values: Floats) -> Floats:
        return np.log((values[None] + 0.01) / (values[:, None] + 0.01))

    def common(low: Floats, high: Floats) -> Floats:
        shared = np.minimum(high[None], high[:, None]) - np.maximum(low[None], low[:, None])
        size = np.minimum((high - low)[None], (high - low)[:, None])
        result: Floats = np.clip(shared / np.maximum(size, 1e-3), -1, 1)
        return result

    flat = (len(modal), modal.shape[1] * modal.shape[2])
    flat_modal = modal.reshape(flat).astype(np.float32)
    flat_amodal = amodal.reshape(flat).astype(np.float32)
    area_modal, area_amodal = flat_modal.sum(1), flat_amodal.sum(1)
    covered = (flat_amodal @ flat_modal.T) / np.maximum(area_amodal[:, None], 1)  # j lies on i
    same = flat_modal @ flat_modal.T
    overlap = same / np.maximum(area_modal[:, None] + area_modal[None] - same, 1)
    unit = appearance / np.maximum(np.linalg.norm(appearance, axis=1, keepdims=True), 1e-6)
    values = [
        gap(seen.x),
        gap(seen.y),
        gap(whole.bottom),
        gap(whole.middle),
        ratio(whole.width),
        ratio(whole.height),
        0.5 * ratio(whole.area),
        0.5 * ratio(seen.area),
        common(whole.left, whole.right),
        common(whole.top, whole.bottom),
        covered,
        covered.T,
        overlap,
        unit @ unit.T,
    ]
    return np.stack(values, 2).astype(np.float32)
