"""Crops around masks and back, with stand-ins for the network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from askmask.errors import ConfigError
from askmask.models.completer.config import CHANNELS, CompleterConfig
from askmask.models.completer.crop_completer import CropCompleter
from askmask.models.completer.window import window_around

CONFIG = CompleterConfig(cells=64)

Floats = NDArray[np.float32]


def as_given(crops: Floats) -> tuple[Floats, Floats]:
    """Answer with the mask that was given."""
    return (crops[:, 3] - 0.5) * 20, np.zeros(len(crops), np.float32)


def everything(crops: Floats) -> tuple[Floats, Floats]:
    return np.full((len(crops), 64, 64), 9, np.float32), np.full(len(crops), 2, np.float32)


def nothing(crops: Floats) -> tuple[Floats, Floats]:
    return np.full((len(crops), 64, 64), -9, np.float32), np.full(len(crops), -2, np.float32)


def box(size_hw: tuple[int, int], rows: slice, columns: slice) -> NDArray[np.bool_]:
    mask = np.zeros(size_hw, bool)
    mask[rows, columns] = True
    return mask


def around(mask: NDArray[np.bool_], reach: float = 2.4, least: float = 32):  # type: ignore[no-untyped-def]
    return window_around(mask, reach=reach, least_side=least, cells=64)


class TestWindow:
    def test_it_is_centred_and_as_wide_as_asked(self) -> None:
        window = around(box((200, 300), slice(80, 100), slice(100, 150)))
        assert window.side == pytest.approx(120)
        assert window.top + window.side / 2 == pytest.approx(90)
        assert window.left + window.side / 2 == pytest.approx(125)
        assert window.inside == (slice(0, 64), slice(0, 64))

    def test_a_tiny_mask_gets_surroundings(self) -> None:
        assert around(box((200, 300), slice(8, 9), slice(7, 9))).side == 32

    def test_it_stays_in_the_picture_where_it_fits(self) -> None:
        corner = around(box((200, 300), slice(0, 20), slice(280, 300)))
        assert (corner.top, corner.left, corner.side) == (0, 252, 48)
        large = around(box((200, 300), slice(0, 150), slice(0, 150)))
        assert (large.top, large.left, large.side) == (-50, 0, 300)

    def test_beyond_the_picture_is_marked_and_without_colour(self) -> None:
        mask = box((50, 100), slice(0, 40), slice(60, 100))
        window = around(mask)
        crop = window.crop(np.full((50, 100, 3), 200, np.uint8), mask)
        assert crop.shape == (CHANNELS, 64, 64)
        outside = crop[4] == 0
        assert outside[[0, 14, 49, 63]].all()
        assert not outside[15:49].any()
        assert (crop[:4, outside] == 0).all()
        np.testing.assert_allclose(crop[0, ~outside], (200 / 255 - 0.45) / 0.25, rtol=1e-5)
        assert crop[3].sum() == pytest.approx(1600 / window.step**2, rel=0.05)

    @given(
        st.integers(1, 120),
        st.integers(1, 120),
        st.integers(1, 60),
        st.integers(1, 60),
        st.floats(1.5, 6),
        st.integers(0, 2**31),
    )
    def test_a_mask_survives_the_way_there_and_back(
        self, height: int, width: int, tall: int, wide: int, reach: float, seed: int
    ) -> None:
        rng = np.random.default_rng(seed)
        tall, wide = min(tall, height), min(wide, width)
        top, left = rng.integers(0, height - tall + 1), rng.integers(0, width - wide + 1)
        mask = box((height, width), slice(top, top + tall), slice(left, left + wide))
        window = around(mask, reach)
        crop = window.crop(np.zeros((height, width, 3), np.uint8), mask)
        back = window.paste(crop[3] - np.float32(0.5), 0.0)
        # Off by a cell all around at most.
        cell = int(np.ceil(window.step)) + 1
        near = box(
            (height, width),
            slice(max(0, top - cell), top + tall + cell),
            slice(max(0, left - cell), left + wide + cell),
        )
        assert not (back & ~near).any()
        if min(tall, wide) > 2 * cell:
            inner = slice(top + cell, top + tall - cell), slice(left + cell, left + wide - cell)
            assert back[inner].all()

    def test_only_borders_within_the_picture_let_a_shape_go_on(self) -> None:
        in_the_middle = around(box((500, 500), slice(240, 260), slice(240, 260)))
        shape = np.zeros((64, 64), bool)
        shape[20:40] = True
        assert in_the_middle.reaches_border(shape)
        shape[:, [0, -1]] = False
        assert not in_the_middle.reaches_border(shape)
        whole = around(box((50, 50), slice(0, 50), slice(0, 50)))
        assert not whole.reaches_border(np.ones((64, 64), bool))
        at_the_left = around(box((500, 500), slice(240, 260), slice(0, 20)))
        shape[20:40, 0] = True
        assert not at_the_left.reaches_border(shape)
        assert in_the_middle.reaches_border(shape)


class TestCropCompleter:
    def test_a_network_that_adds_nothing_changes_little(self) -> None:
        mask = box((240, 320), slice(60, 120), slice(100, 180))
        image = np.zeros((240, 320, 3), np.uint8)
        done = CropCompleter(CONFIG, as_given, "t").complete_masks(image, mask)
        assert done.amodal[0][mask].all()
        assert done.hidden.areas[0] < 0.1 * mask.sum()

    @pytest.mark.parametrize("judge", [nothing, everything, as_given])
    @pytest.mark.parametrize(
        "mask",
        [
            box((48, 64), slice(0, 48), slice(0, 64)),  # the whole picture
            box((48, 64), slice(5, 6), slice(7, 8)),  # a pixel
            box((48, 64), slice(0, 10), slice(0, 64)),  # along the border
            box((48, 64), slice(47, 48), slice(63, 64)),  # a pixel in the corner
            box((1, 1), slice(0, 1), slice(0, 1)),
            box((1, 900), slice(0, 1), slice(3, 890)),
        ],
    )
    def test_the_given_mask_always_belongs_to_the_answer(self, judge, mask) -> None:  # type: ignore[no-untyped-def]
        image = np.full((*mask.shape, 3), 90, np.uint8)
        done = CropCompleter(CONFIG, judge, "t").complete_masks(image, mask)
        assert done.amodal[0][mask].all()
        assert 0 < done.confidence[0] < 1

    def test_an_empty_mask_is_not_looked_at(self) -> None:
        masks = np.stack([np.zeros((48, 64), bool), box((48, 64), slice(9, 20), slice(9, 30))])
        seen = []

        def judge(crops: Floats) -> tuple[Floats, Floats]:
            seen.append(len(crops))
            return as_given(crops)

        image = np.zeros((48, 64, 3), np.uint8)
        done = CropCompleter(CONFIG, judge, "t").complete_masks(image, masks)
        assert seen == [1]
        assert not done.amodal[0].any()
        assert done.confidence.tolist() == [0.0, 0.5]

    def test_a_shape_that_goes_on_is_seen_from_farther_away(self) -> None:
        """A network that fills its crop meets the far window, and the answer reaches as far."""
        mask = box((400, 400), slice(190, 210), slice(190, 210))
        image = np.zeros((400, 400, 3), np.uint8)
        done = CropCompleter(CONFIG, everything, "t").complete_masks(image, mask)
        assert done.amodal.areas[0] == pytest.approx((CONFIG.far_reach * 20) ** 2, rel=0.03)

    def test_many_masks_come_in_batches_and_in_order(self) -> None:
        image = np.zeros((100, 400, 3), np.uint8)
        masks = np.stack(
            [box((100, 400), slice(30, 60), slice(8 * k, 8 * k + 9)) for k in range(40)]
        )
        done = CropCompleter(CONFIG, as_given, "t").complete_masks(image, masks)
        assert (done.amodal.dense() & ~masks).sum((1, 2)).max() < 200
        assert done.amodal.dense()[masks].all()

    def test_threshold_and_confidence_come_from_the_configuration(self) -> None:
        def judge(crops: Floats) -> tuple[Floats, Floats]:
            logits = np.full((len(crops), 64, 64), -9, np.float32)
            logits[:, 16:48, 16:48] = 0.1  # a probability of 0.525
            return logits, np.ones(len(crops), np.float32)

        mask = box((200, 200), slice(95, 105), slice(95, 105))
        image = np.zeros((200, 200, 3), np.uint8)
        low = CompleterConfig(cells=64, confidence_weights=(2.0, -2.0))
        high = CompleterConfig(cells=64, threshold=0.6)
        easy = CropCompleter(low, judge, "t").complete_masks(image, mask)
        strict = CropCompleter(high, judge, "t").complete_masks(image, mask)
        assert easy.amodal.areas[0] > strict.amodal.areas[0] == 100
        assert easy.confidence[0] == pytest.approx(0.5)
        assert strict.confidence[0] == pytest.approx(1 / (1 + np.exp(-1)))


def test_configuration_round_trip_and_refusals() -> None:
    config = CompleterConfig(cells=96, threshold=0.4)
    assert CompleterConfig.from_json(config.to_json()) == config
    for values in ({"cells": 100}, {"threshold": 1.0}, {"sells": 1}):
        with pytest.raises(ConfigError):
            CompleterConfig.from_json(values)
