import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from askmask.errors import ShapeError
from askmask.pantry.colours import COLOURS, colour_shares


def named(*rgb):
    return next(iter(colour_shares(np.array([rgb], np.uint8))))


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((255, 0, 0), "red"),
        ((128, 0, 0), "red"),
        ((255, 140, 0), "orange"),
        ((255, 220, 0), "yellow"),
        ((200, 165, 20), "yellow"),
        ((0, 128, 0), "green"),
        ((128, 128, 0), "green"),
        ((150, 220, 140), "green"),
        ((0, 0, 255), "blue"),
        ((135, 206, 235), "blue"),
        ((75, 0, 130), "purple"),
        ((128, 0, 128), "purple"),
        ((255, 192, 203), "pink"),
        ((255, 105, 180), "pink"),
        ((139, 69, 19), "brown"),
        ((210, 180, 140), "brown"),
        ((70, 40, 20), "brown"),
        ((0, 0, 0), "black"),
        ((40, 38, 36), "black"),
        ((255, 255, 255), "white"),
        ((245, 240, 225), "white"),
        ((128, 128, 128), "grey"),
    ],
)
def test_names_what_people_would_say(rgb, name):
    assert named(*rgb) == name


def test_shares_follow_the_pixels_largest_first():
    pixels = np.array([[255, 0, 0]] * 3 + [[0, 0, 255]], np.uint8)
    assert list(colour_shares(pixels).items()) == [("red", 0.75), ("blue", 0.25)]


def test_no_pixels_have_no_colours():
    assert colour_shares(np.zeros((0, 3), np.uint8)) == {}


@given(arrays(np.uint8, st.tuples(st.integers(1, 40), st.just(3))))
def test_every_pixel_gets_one_known_name(pixels):
    shares = colour_shares(pixels)
    assert set(shares) <= set(COLOURS)
    assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("wrong", [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 3), np.float32)])
def test_refuses_other_shapes_and_types(wrong):
    with pytest.raises(ShapeError, match=r"expected \(N, 3\) uint8"):
        colour_shares(wrong)
