"""Pictures into squares and masks back, against what the official processors made."""

import importlib.util

import numpy as np
import pytest
import torch
from record_preprocessing import EVERY, FILE, SMALL, pictures

from askmask import rle
from askmask.models.hub.preprocessing import SAM1, SAM2, SAM3, Placement

RECORDED = np.load(FILE)


@pytest.mark.parametrize("name", RECORDED.files)
def test_equals_the_official_processors(name):
    family, side, picture = name.split("-")
    wanted = {"sam1": SAM1, "sam2": SAM2, "sam3": SAM3}[family]
    step = 1 if int(side) == SMALL else EVERY
    made = wanted.pixels(pictures()[picture], int(side))
    assert made.shape == (1, 3, int(side), int(side))
    assert np.abs(made[0].numpy()[:, ::step, ::step] - RECORDED[name]).max() <= 1e-6


def test_needs_no_torchvision():
    """What the product must do without is not there to help by accident."""
    assert importlib.util.find_spec("torchvision") is None


def test_a_picture_that_is_a_view_of_another():
    picture = pictures()["tall"]
    assert torch.equal(
        SAM2.pixels(picture[::-1, :, ::-1], SMALL),
        SAM2.pixels(picture[::-1, :, ::-1].copy(), SMALL),
    )


@pytest.mark.parametrize("wanted", [SAM1, SAM2])
def test_points_move_with_the_picture(wanted):
    """A bright dot of the picture lies in the input where its point does."""
    picture = np.zeros((60, 100, 3), np.uint8)
    picture[38:42, 78:82] = 255
    side = 200
    x, y = wanted.placement((60, 100), side).points(torch.tensor([80.0, 40.0])).tolist()
    bright = wanted.pixels(picture, side)[0, 0]
    row, column = divmod(int(bright.argmax()), side)
    assert abs(row - y) <= 8
    assert abs(column - x) <= 8
    assert bright[int(y), int(x)] == bright.max()


@pytest.mark.parametrize("wanted", [SAM1, SAM2])
def test_masks_come_back_where_they_were(wanted):
    mask = np.zeros((60, 100), bool)
    mask[12:36, 40:90] = True
    placement = wanted.placement((60, 100), 128)
    share = placement.grids(torch.from_numpy(mask)[None].float(), (32, 32))
    assert share.shape == (1, 32, 32)
    back = rle.decode(placement.rles(share * 2 - 1)[0])
    assert (back & mask).sum() / (back | mask).sum() > 0.9


def test_what_lies_beside_the_picture_is_not_used():
    placement = SAM1.placement((30, 60), 64)
    logits = torch.full((1, 16, 16), -1.0)
    logits[:, 8:] = 5.0  # below the picture, which covers the upper half
    assert not (placement.used(logits) > 0).any()
    assert placement.used(logits).shape == (1, 8, 16)
    full = Placement((30, 60), (64, 64))
    assert (full.used(logits) > 0).any()


def test_many_masks_are_coded_in_order():
    logits = torch.full((19, 4, 4), -1.0)
    for number in range(19):
        logits[number].view(-1)[: number % 16 + 1] = 1.0
    codes = SAM2.placement((8, 8), 16).rles(logits)
    areas = [rle.area(code) for code in codes]
    assert areas[:16] == sorted(areas[:16])
    assert areas[16:] == areas[:3]
    assert SAM2.placement((8, 8), 16).rles(logits[:0]) == []


def test_a_very_long_picture_keeps_a_row():
    assert SAM1.placement((2, 5000), 64).used_hw == (1, 64)
    assert SAM1.pixels(np.zeros((2, 5000, 3), np.uint8), 64).shape == (1, 3, 64, 64)
