from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from toy_annotations import SIZE_HW, kitchen, picture

from askmask import rle
from askmask.authoring.marks import draw_marks, marked_jpeg
from askmask.authoring.picture import AnnotatedPicture
from askmask.errors import ImageError


def test_every_instance_gets_marks_inside_and_the_picture_stays() -> None:
    pixels = np.full((*SIZE_HW, 3), 127, np.uint8)
    drawn = draw_marks(pixels, picture(kitchen()))
    assert drawn.shape == pixels.shape
    assert (pixels == 127).all()
    changed = (drawn != pixels).any(axis=2)
    for entity in kitchen().entities:
        assert changed[rle.decode(entity.modal)].mean() > 0.1
    assert not changed[85:, :60].any()


def test_large_pictures_are_scaled_down(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (2_000, 1_000)).save(path)
    one = AnnotatedPicture(
        "large", replace(kitchen(), height=1_000, width=2_000, entities=()), path
    )
    assert Image.open(io.BytesIO(marked_jpeg(one))).size == (1_568, 784)


def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "small.png"
    Image.new("RGB", (20, 10)).save(path)
    with pytest.raises(ImageError, match="96 x 128 pixels as annotated, got 10 x 20"):
        marked_jpeg(AnnotatedPicture("small", kitchen(), path))
