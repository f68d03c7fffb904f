"""Pictures and masks that are in memory are read as files are."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from askmask.errors import ImageError
from askmask.images import decode_image, decode_mask, read_image, read_mask

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 14, 4), np.uint8)


def encoded(kind: str, mode: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "RGBA"), ("PNG", "L"), ("PNG", "P"), ("JPEG", "RGB"), ("WEBP", "RGB")],
)
def test_as_from_a_file(tmp_path: Path, kind: str, mode: str) -> None:
    data = encoded(kind, mode)
    path = tmp_path / "picture"
    path.write_bytes(data)
    assert np.array_equal(decode_image(data), read_image(path))
    if kind == "PNG":
        assert np.array_equal(decode_mask(data), read_mask(path))


def test_refused() -> None:
    data = encoded("PNG", "RGB")
    assert decode_image(data, max_pixels=9 * 14).shape == (9, 14, 3)
    with pytest.raises(ImageError, match=r"^photo: expected at most 125 pixels, got 14 x 9"):
        decode_image(data, "photo", 125)
    with pytest.raises(ImageError, match=r"^mask: expected at most 125 pixels"):
        decode_mask(data, max_pixels=125)
    with pytest.raises(ImageError, match=r"^image: expected a picture of kind PNG, JPEG, WEBP"):
        decode_image(b"GIF89a")
    with pytest.raises(ImageError, match=r"^mask: expected a picture of kind PNG, got"):
        decode_mask(encoded("JPEG", "RGB"))
    for decode in (decode_image, decode_mask):
        with pytest.raises(ImageError, match=r"cannot be decoded|broken header"):
            decode(data[:60])
