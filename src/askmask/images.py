"""Pictures in and out: PNG, JPEG and WebP as RGB arrays, masks as PNG."""

from __future__ import annotations

import os
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from askmask.atomic import atomic_write
from askmask.errors import ImageError, ShapeError

__all__ = [
    "MAX_IMAGE_BYTES",
    "MAX_IMAGE_PIXELS",
    "ImageLike",
    "as_rgb",
    "decode_image",
    "decode_mask",
    "picture_size_hw",
    "read_image",
    "read_labels",
    "read_mask",
    "write_png",
]

MAX_IMAGE_PIXELS = 50_000_000
"""Largest picture that is decoded, in pixels."""

MAX_IMAGE_BYTES = 500_000_000
"""Largest picture file that is opened, in bytes."""

ImageLike: TypeAlias = NDArray[np.uint8] | Image.Image | str | Path
"""A picture: (H, W, 3) uint8 RGB, or what becomes that."""

_KINDS = ("PNG", "JPEG", "WEBP")


def _check_file(path: Path) -> None:
    """Refuse what is no file, is empty or is too large to be opened."""
    try:
        if not path.is_file():
            state = "is a folder" if path.is_dir() else "does not exist or is no file"
            raise ImageError(f"{path}: {state}; expected a PNG, JPEG or WebP file")
        size = path.stat().st_size
    except (OSError, ValueError) as error:  # a name that the system cannot hold
        raise ImageError(f"{path}: cannot be opened ({error})") from error
    if not 0 < size <= MAX_IMAGE_BYTES:
        raise ImageError(f"{path}: expected 1 to {MAX_IMAGE_BYTES:,} bytes, got {size:,}")


def _check_pixels(image: Image.Image, name: str, most: int | None = None) -> None:
    width, height = image.size
    most = MAX_IMAGE_PIXELS if most is None else most
    if width * height > most:
        raise ImageError(
            f"{name}: expected at most {most:,} pixels, got {width} x {height}; scale it down"
        )


@contextmanager
def _opened(path: Path, kinds: tuple[str, ...]) -> Iterator[Image.Image]:
    """Open a picture file."""
    _check_file(path)
    with _headed(path, str(path), kinds) as image:
        yield image


@contextmanager
def _headed(
    source: Path | BytesIO, name: str, kinds: tuple[str, ...], most: int | None = None
) -> Iterator[Image.Image]:
    """Open a picture; its size is checked from the header, before pixels are made."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own limit; ours below is lower
            image = Image.open(source, formats=kinds)
        with image:
            _check_pixels(image, name, most)
            yield image
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(
            f"{name}: expected a picture of kind {', '.join(kinds)}, got another kind or a "
            "broken header"
        ) from error
    except Exception as error:  # decoders raise nearly anything on broken files
        raise ImageError(f"{name}: cannot be decoded ({' '.join(str(error).split())})") from error


def _load(path: Path, kinds: tuple[str, ...]) -> Image.Image:
    with _opened(path, kinds) as image:
        image.load()
    return image


def _upright(image: Image.Image) -> Image.Image:
    """Turn a picture as its EXIF orientation says; unreadable EXIF counts as none."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # the EXIF block of a file may hold anything
        return image


def _to_rgb(image: Image.Image) -> NDArray[np.uint8]:
    """Convert any mode to (H, W, 3) uint8 RGB; transparent parts become white."""
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip and not scale
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.array(image.convert("RGB"))


def read_image(path: str | Path) -> NDArray[np.uint8]:
    """Read a PNG, JPEG or WebP file, turned upright as its EXIF says.

    Grey, palette and 16-bit pictures become RGB, transparent parts become white, and of a moving
    picture the first frame counts.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ImageError: when the file is missing, empty, of another kind, broken or too large.
    """
    return _to_rgb(_upright(_load(Path(path), _KINDS)))


def decode_image(
    data: bytes, name: str = "image", max_pixels: int | None = None
) -> NDArray[np.uint8]:
    """Read a PNG, JPEG or WebP file that is in memory, as `read_image` does.

    Args:
        data: the file.
        name: what messages call it.
        max_pixels: larger pictures are refused by their header, before pixels are made; None for
            `MAX_IMAGE_PIXELS`.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ImageError: when the file is of another kind, broken or too large.
    """
    with _headed(BytesIO(data), name, _KINDS, max_pixels) as image:
        image.load()
    return _to_rgb(_upright(image))


def picture_size_hw(path: str | Path) -> tuple[int, int]:
    """Read height and width of a PNG, JPEG or WebP file, turned upright, from its header.

    Raises:
        ImageError: when the file is missing, empty, of another kind, broken or too large.
    """
    with _opened(Path(path), _KINDS) as image:
        width, height = image.size
        return (width, height) if _lies_on_side(image, Path(path)) else (height, width)


def _lies_on_side(image: Image.Image, path: Path) -> bool:
    """Whether `_upright` would turn a picture by a quarter."""
    try:
        if image.format == "PNG" and not _has_late_exif(path):
            # A PNG's own method decodes all pixels, as EXIF may come after them.
            exif = Image.Image.getexif(image)
        else:
            exif = image.getexif()
    except Exception:  # as in _upright
        return False
    return exif.get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)


def _has_late_exif(path: Path) -> bool:
    """Whether a PNG file may hold EXIF after its pixels; only the heads of chunks are read."""
    pixels_seen = False
    with path.open("rb") as stream:
        stream.seek(8)
        while len(head := stream.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            pixels_seen |= kind == b"IDAT"
            if pixels_seen and kind in (b"eXIf", b"tEXt", b"zTXt", b"iTXt"):
                return True
            stream.seek(length + 4, os.SEEK_CUR)
    return False


def read_labels(path: str | Path) -> NDArray[np.int32]:
    """Read the value of each pixel of a PNG file, as files of instance numbers have them.

    Returns:
        (H, W) int32: the index in a palette PNG, the grey value, or 65536 red + 256 green + blue;
        0 where a pixel is fully transparent.

    Raises:
        ImageError: when the file is missing, empty, no PNG, broken or too large.
    """
    return _labels(_load(Path(path), ("PNG",)))


def _labels(image: Image.Image) -> NDArray[np.int32]:
    pixels = np.atleast_3d(np.asarray(image)).astype(np.int32)  # (H, W, bands)
    shows = np.ones(pixels.shape[:2], bool)
    if pixels.shape[2] in (2, 4):
        shows = pixels[..., -1] > 0
        pixels = pixels[..., :-1]
    labels = np.zeros(pixels.shape[:2], np.int32)
    for band in range(pixels.shape[2]):
        labels = labels * 256 + pixels[..., band]
    return np.where(shows, labels, 0)


def read_mask(path: str | Path) -> NDArray[np.bool_]:
    """Read a mask from a PNG file: every pixel that is not 0 belongs to it.

    In a palette PNG the indices count, in a coloured one any channel; fully transparent pixels do
    not belong to the mask.

    Returns:
        (H, W) bool.

    Raises:
        ImageError: when the file is missing, empty, no PNG, broken or too large.
    """
    mask: NDArray[np.bool_] = read_labels(path) != 0
    return mask


def decode_mask(
    data: bytes, name: str = "mask", max_pixels: int | None = None
) -> NDArray[np.bool_]:
    """Read a mask from a PNG file that is in memory, as `read_mask` does.

    Raises:
        ImageError: when the file is no PNG, broken or too large.
    """
    with _headed(BytesIO(data), name, ("PNG",), max_pixels) as image:
        image.load()
    mask: NDArray[np.bool_] = _labels(image) != 0
    return mask


def as_rgb(image: ImageLike) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 RGB from an array of that form, a Pillow picture or a path.

    Raises:
        ImageError: when the picture cannot be read or is too large.
        ShapeError: when an array has another shape or dtype.
    """
    if isinstance(image, str | Path):
        return read_image(image)
    if isinstance(image, Image.Image):
        _check_pixels(image, "image")
        return _to_rgb(_upright(image))
    if not isinstance(image, np.ndarray):
        raise ShapeError(f"image: expected an array, a picture or a path, got {type(image)}")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ShapeError(
            f"image: expected (H, W, 3) uint8 RGB with pixels, got {image.shape} {image.dtype}"
        )
    if image.shape[0] * image.shape[1] > MAX_IMAGE_PIXELS:
        raise ImageError(
            f"image: expected at most {MAX_IMAGE_PIXELS:,} pixels, got {image.shape[:2]}"
        )
    return image


def write_png(
    path: str | Path, array: NDArray[np.uint8] | NDArray[np.bool_], *, quickly: bool = False
) -> None:
    """Write a PNG file; the old one stays when this fails.

    Args:
        path: file to make or to replace; its folder must exist.
        array: (H, W, 3) uint8 RGB, (H, W, 4) uint8 RGBA, (H, W) uint8 grey, or (H, W) bool, which
            becomes 0 and 255.
        quickly: whether a third of the time is worth a file that is a tenth larger, as it is where
            somebody waits for a drawing.

    Raises:
        ShapeError: when `array` is none of these.
        OutputError: when the file cannot be written.
    """
    colours = array.ndim == 3 and array.shape[2] in (3, 4) and array.dtype == np.uint8
    flat = array.ndim == 2 and array.dtype in (np.uint8, np.bool_)
    if not array.size or not (colours or flat):
        raise ShapeError(
            "picture: expected (H, W) bool or uint8, or (H, W, 3 or 4) uint8, "
            f"got {array.shape} {array.dtype}"
        )
    pixels = array.astype(np.uint8) * 255 if array.dtype == np.bool_ else array
    with atomic_write(path) as stream:
        Image.fromarray(pixels).save(stream, "PNG", compress_level=3 if quickly else 6)
