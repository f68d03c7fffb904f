"""Picture files of a data set: found, measured and copied beside what is written."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from PIL import Image

from askmask.errors import DataError, ImageError, OutputError
from askmask.images import picture_size_hw, read_image

__all__ = ["copy_pictures", "find_picture", "picture_size", "relative_to", "unique_stems"]

_JPEG_QUALITY = 95


def find_picture(image: str, folder: Path | None) -> Path:
    """Return the file of a picture.

    Raises:
        DataError: when it is not there.
    """
    path = (folder or Path()) / image
    if not path.is_file():
        raise DataError(f"{path}: the picture is missing; name its folder with --images")
    return path


def picture_size(path: Path) -> tuple[int, int]:
    """Return height and width of a picture, turned upright as its EXIF says.

    Raises:
        DataError: when the file is missing, no picture or too large: the record that names it, or
            lies beside it, is bad.
    """
    try:
        return picture_size_hw(path)
    except ImageError as error:
        raise DataError(str(error)) from error


def relative_to(folder: Path, image: str, images: Path | None) -> str:
    """Return the path of a picture from `folder`; unchanged when nobody knows where it lies."""
    if images is None:
        return image
    return PurePosixPath(Path(os.path.relpath(images / image, folder))).as_posix()


def unique_stems(images: Iterable[str]) -> dict[str, str]:
    """Name files after pictures: image -> its stem, with folders in it where stems come twice."""
    images = list(dict.fromkeys(images))
    times = Counter(PurePosixPath(image).stem for image in images)
    named: dict[str, str] = {}
    taken: set[str] = set()
    for image in images:
        path = PurePosixPath(image)
        parts = path.with_suffix("").parts if times[path.stem] > 1 else (path.stem,)
        stem = "__".join(part for part in parts if part not in ("..", ".", "/")) or "picture"
        name, number = stem, 2
        while name in taken:
            name, number = f"{stem}-{number}", number + 1
        taken.add(name)
        named[image] = name
    return named


def copy_pictures(
    names: Mapping[str, str], images: Path | None, out: Path, *, jpeg: bool = False
) -> int:
    """Copy picture files.

    Args:
        names: image -> stem of the file to make.
        images: folder that they are in.
        out: folder to copy to; made when missing.
        jpeg: write files that are not JPEG as such, in high quality.

    Returns:
        How many were written anew, and so changed.

    Raises:
        DataError: when a picture is missing.
        OutputError: when a file cannot be written.
    """
    changed = 0
    try:
        out.mkdir(parents=True, exist_ok=True)
        for image, stem in names.items():
            path = find_picture(image, images)
            suffix = path.suffix.lower()
            if jpeg and suffix not in (".jpg", ".jpeg"):
                pixels = Image.fromarray(read_image(path))
                pixels.save(out / f"{stem}.jpg", quality=_JPEG_QUALITY, subsampling=0)
                changed += 1
            else:
                shutil.copyfile(path, out / f"{stem}{'.jpg' if jpeg else path.suffix}")
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror or error})") from error
    return changed
