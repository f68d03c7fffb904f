import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from askmask import images
from askmask.errors import ImageError, OutputError, ShapeError
from askmask.images import as_rgb, picture_size_hw, read_image, read_mask, write_png

RGB = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3) * 2


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(width: int, height: int) -> bytes:
    """PNG of any size without its pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_png_and_lossless_webp_come_back_exactly(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", RGB)
    Image.fromarray(RGB).save(tmp_path / "a.webp", lossless=True)
    for name in ("a.png", "a.webp"):
        read = read_image(tmp_path / name)
        assert read.dtype == np.uint8
        assert np.array_equal(read, RGB)


def test_kind_is_found_by_content_not_by_name(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png", "JPEG", quality=100)
    assert np.abs(read_image(str(tmp_path / "a.png")).astype(int) - RGB).mean() < 12


@pytest.mark.parametrize(("orientation", "turns"), [(3, 2), (6, 3), (8, 1)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_exif_orientation_is_applied(
    tmp_path: Path, orientation: int, turns: int, kind: str
) -> None:
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[:16, :16] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "a", kind, exif=exif)
    expected = np.rot90(pixels, turns)
    read = read_image(tmp_path / "a")
    assert read.shape[:2] == expected.shape[:2] == picture_size_hw(tmp_path / "a")
    assert np.abs(read.astype(int) - expected).mean() < 5


def test_broken_exif_counts_as_none(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xffjunk")
    assert np.array_equal(read_image(tmp_path / "a.png"), RGB)
    assert picture_size_hw(tmp_path / "a.png") == RGB.shape[:2]


def test_the_size_of_a_png_is_read_without_its_pixels(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RGB).save(tmp_path / "a.png", exif=exif)
    whole = (tmp_path / "a.png").read_bytes()
    chunk = whole.index(b"eXIf") - 4
    after = chunk + 12 + int.from_bytes(whole[chunk : chunk + 4], "big")
    late = whole[:chunk] + whole[after:-12] + whole[chunk:after] + whole[-12:]
    for data in (whole, late, whole[: whole.index(b"IDAT") + 8]):
        (tmp_path / "a.png").write_bytes(data)
        assert picture_size_hw(tmp_path / "a.png") == RGB.shape[1::-1]
    (tmp_path / "a.png").write_bytes(late)
    assert read_image(tmp_path / "a.png").shape[:2] == RGB.shape[1::-1]


def test_transparent_parts_become_white(tmp_path: Path) -> None:
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0, 0] = 10, 20, 30, 255
    rgba[0, 1] = 0, 0, 0, 128
    write_png(tmp_path / "a.png", rgba)
    read = read_image(tmp_path / "a.png")
    assert read[0, 0].tolist() == [10, 20, 30]
    assert np.abs(read[0, 1].astype(int) - 127).max() <= 1
    assert (read[1] == 255).all()


def test_palette_grey_and_16_bit_become_rgb(tmp_path: Path) -> None:
    grey = np.arange(0, 250, 10, dtype=np.uint8).reshape(5, 5)
    pictures = {
        "grey": Image.fromarray(grey),
        "16 bit": Image.fromarray(grey.astype(np.uint16) << 8),
        "palette": Image.fromarray(grey).convert("P"),
        "grey, alpha": Image.merge("LA", (Image.fromarray(grey), Image.new("L", (5, 5), 255))),
    }
    for name, picture in pictures.items():
        picture.save(tmp_path / "a.png")
        assert np.array_equal(read_image(tmp_path / "a.png"), np.dstack([grey] * 3)), name
    Image.fromarray(grey > 100).save(tmp_path / "a.png")
    assert np.array_equal(read_image(tmp_path / "a.png")[..., 0] > 0, grey > 100)
    Image.new("P", (2, 2)).save(tmp_path / "a.png", transparency=0)
    assert (read_image(tmp_path / "a.png") == 255).all()


def test_cmyk_jpeg_and_moving_webp_are_read(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    red = read_image(tmp_path / "a.jpg")[0, 0]
    assert red[0] > 200
    assert red[1:].max() < 60
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("blue", "red")]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert read_image(tmp_path / "a.webp")[0, 0].tolist() == [0, 0, 255]


def encoded(kind: str) -> bytes:
    stream = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(stream, kind)
    return stream.getvalue()


REFUSED = {
    "empty": (b"", "got 0"),
    "text": (b"hello, I am text", "another kind"),
    "gif": (encoded("GIF"), "another kind"),
    "bmp": (encoded("BMP"), "another kind"),
    "png cut": (encoded("PNG")[:900], "cannot be decoded"),
    "jpeg cut": (encoded("JPEG")[:900], "cannot be decoded"),
    "webp cut": (encoded("WEBP")[:900], "a.img"),
    "png header only": (encoded("PNG")[:20], "a.img"),
    "png without pixels": (png_header(4, 4), "cannot be decoded"),
    "over our limit": (png_header(50_001, 1_000), "at most 50,000,000 pixels"),
    "over Pillow's warning": (png_header(10_000, 10_000), "at most 50,000,000 pixels"),
    "over Pillow's limit": (png_header(60_000, 60_000), "a.img.*pixels"),
}


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_files_are_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.img"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=message) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        read_image(tmp_path / "none.png")
    with pytest.raises(ImageError, match="is a folder"):
        read_image(tmp_path)
    for name in ("a" * 5_000, "a\0b"):
        with pytest.raises(ImageError):
            read_image(tmp_path / name)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["PNG", "JPEG", "WEBP"]), st.data())
def test_damaged_files_are_read_or_refused(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    content = bytearray(encoded(kind))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "a").write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            pixels = read_image(tmp_path / "a")
        except ImageError:
            return
    assert pixels.ndim == 3


def test_mask_is_what_is_not_zero(tmp_path: Path) -> None:
    mask = np.eye(4, 6, dtype=bool)
    grey = mask.astype(np.uint8) * 3
    pictures = {
        "grey": Image.fromarray(grey),
        "one bit": Image.fromarray(mask),
        "16 bit": Image.fromarray(mask.astype(np.uint16) * 40_000),
        "blue": Image.fromarray(np.dstack([grey * 0, grey * 0, grey])),
        "cutout": Image.fromarray(np.dstack([grey + 9, grey, grey, grey])),
        "opaque": Image.fromarray(np.dstack([grey, grey, grey, grey * 0 + 255])),
    }
    palette = Image.fromarray(mask.astype(np.uint8), mode=None).convert("L")
    palette.putpalette([200, 200, 200, 0, 0, 0])  # the index counts, not the colour
    pictures["palette"] = palette
    for name, picture in pictures.items():
        picture.save(tmp_path / "m.png")
        read = read_mask(tmp_path / "m.png")
        assert read.dtype == np.bool_, name
        assert np.array_equal(read, mask), name


def test_mask_must_be_png(tmp_path: Path) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "m.jpg")
    with pytest.raises(ImageError, match="expected a picture of kind PNG"):
        read_mask(tmp_path / "m.jpg")


def test_written_mask_comes_back(tmp_path: Path) -> None:
    mask = np.random.default_rng(1).random((9, 11)) < 0.5
    write_png(tmp_path / "m.png", mask)
    assert np.array_equal(read_mask(tmp_path / "m.png"), mask)
    assert np.array_equal(read_image(tmp_path / "m.png")[..., 0], mask * 255)


@pytest.mark.parametrize("array", [np.zeros((2, 2, 3)), np.zeros((2, 2, 2), np.uint8), RGB[:0]])
def test_write_refuses_other_arrays(tmp_path: Path, array: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="picture: expected"):
        write_png(tmp_path / "a.png", array)
    assert not list(tmp_path.iterdir())


def test_write_into_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_png(tmp_path / "none" / "a.png", RGB)


def test_as_rgb_takes_arrays_pictures_and_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_png(tmp_path / "a.png", RGB)
    for image in (RGB, Image.fromarray(RGB), tmp_path / "a.png", str(tmp_path / "a.png")):
        assert np.array_equal(as_rgb(image), RGB)
    for wrong in (RGB[..., 0], RGB.astype(float), RGB[:0], None, 3):
        with pytest.raises(ShapeError, match="image: expected"):
            as_rgb(wrong)  # type: ignore[arg-type]
    monkeypatch.setattr(images, "MAX_IMAGE_PIXELS", 34)
    for image in (RGB, Image.fromarray(RGB), tmp_path / "a.png"):
        with pytest.raises(ImageError, match="at most 34 pixels"):
            as_rgb(image)
