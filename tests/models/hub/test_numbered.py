import numpy as np
import pytest

from askmask.errors import ShapeError
from askmask.models.hub.numbered import numbered_picture
from askmask.overlay.palette import colour_of
from askmask.types import Masks

IMAGE = np.full((240, 320, 3), 90, np.uint8)


def squares(*corners_xy, side=40):
    masks = np.zeros((len(corners_xy), 240, 320), bool)
    for mask, (x, y) in zip(masks, corners_xy, strict=True):
        mask[y : y + side, x : x + side] = True
    return Masks.from_dense(masks)


def has(picture, colour):
    return bool((picture == np.array(colour, np.uint8)).all(2).any())


@pytest.mark.parametrize("marks", ["box", "outline"])
def test_each_candidate_has_its_colour_and_words_name_it(marks):
    shown = numbered_picture(IMAGE, squares((20, 20), (150, 100)), labels="AB", marks=marks)
    (picture,) = shown.pictures
    assert shown.labels == ("A", "B")
    assert has(picture, colour_of(0))
    assert has(picture, colour_of(1))
    assert not has(picture, colour_of(2))
    assert "A blue, B orange" in shown.words
    assert "white" not in shown.words
    assert (IMAGE == 90).all(), "the picture that was given stays as it is"


def test_references_are_white_and_said_to_be():
    shown = numbered_picture(IMAGE, squares((20, 20)), squares((200, 60), (200, 150)))
    assert "[1] and [2] is outlined in white" in shown.words
    assert has(shown.pictures[0][60:100, 190:240], (255, 255, 255))
    plain = numbered_picture(IMAGE, squares((20, 20)))
    assert not has(plain.pictures[0][60:100, 190:240], (255, 255, 255))


def test_crops_show_a_candidate_as_it_is_and_outlined():
    image = np.random.default_rng(0).integers(0, 255, IMAGE.shape, dtype=np.uint8)
    shown = numbered_picture(image, squares((20, 20), (150, 100)), crops=True)
    assert len(shown.pictures) == 3
    plain, outlined = np.split(shown.pictures[2], 2, axis=1)
    factor = len(plain) // 60  # 40 pixels and a margin of a quarter on both sides
    np.testing.assert_array_equal(plain[::factor, ::factor], image[90:150, 140:200])
    assert has(outlined, colour_of(1))
    assert "candidates 1, 2 follow" in shown.words


def test_labels_of_equal_boxes_do_not_cover_each_other():
    (picture,) = numbered_picture(IMAGE, squares((100, 100), (100, 100))).pictures
    first, second = picture[90:106, 90:106], picture[90:106, 132:148]
    for corner, index in ((first, 0), (second, 1)):
        near = np.abs(corner.astype(int) - colour_of(index)).max(2) < 40
        assert near.sum() > 20, f"the label of candidate {index} is not there"


def test_no_candidates_and_an_empty_one():
    (picture,) = numbered_picture(IMAGE, Masks.empty((240, 320))).pictures
    np.testing.assert_array_equal(picture[::2, ::2] if len(picture) > 240 else picture, IMAGE)
    nothing = Masks.from_dense(np.zeros((1, 240, 320), bool))
    shown = numbered_picture(IMAGE, nothing, crops=True)
    np.testing.assert_array_equal(shown.pictures[0], IMAGE)
    assert len(shown.pictures) == 2


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="do not fit a picture"):
        numbered_picture(IMAGE[:100], squares((20, 20)))
    with pytest.raises(ShapeError, match="2 different labels, got A, A"):
        numbered_picture(IMAGE, squares((20, 20), (100, 20)), labels="AA")
