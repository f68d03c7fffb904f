"""Write the page: one picture a query with its masks drawn in, the plain pictures, and the list.

Everything lies flat in one folder and the page asks for nothing else, so it opens from a disk, an
archive or any web server. The list is a script and not JSON because browsers do not let a page that
was opened from a disk fetch its neighbours.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from askmask import rle
from askmask.errors import DataError
from askmask.formats.askmask import QueryRecord, Target
from askmask.formats.files import atomic_write
from askmask.images import read_image
from askmask.overlay import draw_masks
from askmask.rle import RLE
from askmask.types import Masks, MaskType

__all__ = ["FILES", "choose", "write_page"]

FILES = r"index\.html|page\.(css|js)|queries\.js|(query|picture)-\d{5}\.jpg"
"""Regular expression of the names that are written."""

_STATIC = ("index.html", "page.css", "page.js")

_LONGEST_SIDE = 1024
"""Larger pictures are scaled down to this, in pixels."""

_QUALITY = 85


def choose(
    queries: Sequence[QueryRecord], count: int | None, seed: int = 0
) -> Sequence[QueryRecord]:
    """Draw `count` queries, in the order of the file; all of them for None or a large number."""
    if count is None or count >= len(queries):
        return queries
    chosen = np.random.default_rng(seed).choice(len(queries), count, replace=False)
    return [queries[int(one)] for one in sorted(chosen)]


def write_page(
    out: Path,
    name: str,
    splits: Sequence[tuple[str, Path, Sequence[QueryRecord]]],
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write the page into a folder.

    Args:
        out: an existing folder.
        name: of the benchmark, for the title.
        splits: name, folder that pictures are relative to, and queries of each split.
        progress: called with the number of finished queries after each of them.

    Raises:
        ImageError: when a picture is missing or broken.
        DataError: when a picture has another size than its query says.
        OutputError: when a file cannot be written.
    """
    for file in _STATIC:
        with atomic_write(out / file) as stream:
            stream.write((resources.files(__package__) / "static" / file).read_bytes())
    rows = []
    for row in _rows(out, splits):
        rows.append(row)
        if progress is not None:
            progress(len(rows))
    text = json.dumps({"name": name, "queries": rows}, ensure_ascii=False, separators=(",", ":"))
    with atomic_write(out / "queries.js") as stream:
        stream.write(f"const BENCHMARK = {text};\n".encode())


def _rows(
    out: Path, splits: Sequence[tuple[str, Path, Sequence[QueryRecord]]]
) -> Iterator[dict[str, Any]]:
    """Draw each query, picture by picture as the file has them, and describe it for the page."""
    plain: dict[Path, str] = {}
    path, image = None, np.zeros((1, 1, 3), np.uint8)
    number = 0
    for split, folder, queries in splits:
        for query in queries:
            number += 1
            if path != folder / query.image:
                path = folder / query.image
                image = _read(path, query)
            if path not in plain:
                plain[path] = f"picture-{len(plain) + 1:05d}.jpg"
                _write_jpeg(out / plain[path], image)
            drawn = f"query-{number:05d}.jpg"
            _write_jpeg(out / drawn, _draw(image, query))
            yield {
                "id": query.id,
                "split": split,
                "text": query.text,
                "type": str(query.mask_type or ""),
                "tags": list(query.tags),
                "targets": [target.category or "" for target in query.targets],
                "references": len(query.references),
                "drawn": drawn,
                "plain": plain[path],
            }


def _read(path: Path, query: QueryRecord) -> NDArray[np.uint8]:
    image = read_image(path)
    if image.shape[:2] != (query.height, query.width):
        raise DataError(
            f"{path}: expected {query.height} x {query.width} pixels as in query {query.id}, "
            f"got {image.shape[0]} x {image.shape[1]}"
        )
    return image


def _draw(image: NDArray[np.uint8], query: QueryRecord) -> NDArray[np.uint8]:
    size_hw = query.height, query.width
    masks = Masks.from_rles([target.segmentation for target in query.targets], size_hw)
    modal = Masks.from_rles([_visible(query, target) for target in query.targets], size_hw)
    return draw_masks(image, masks, modal, Masks.from_rles(query.references, size_hw))


def _visible(query: QueryRecord, target: Target) -> RLE:
    """Visible part of a target; where an amodal one does not tell, all of it."""
    if query.mask_type == MaskType.HIDDEN:
        return rle.union([], (query.height, query.width))
    if query.mask_type == MaskType.AMODAL and target.modal is not None:
        return target.modal
    return target.segmentation


def _write_jpeg(path: Path, pixels: NDArray[np.uint8]) -> None:
    picture = Image.fromarray(pixels)
    picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    with atomic_write(path) as stream:
        picture.save(stream, "JPEG", quality=_QUALITY, subsampling=0)
