"""One picture, one sentence, one line."""

from __future__ import annotations

from functools import lru_cache

from askmask.answers import PicturedAnswer
from askmask.errors import QueryError
from askmask.images import ImageLike, as_rgb
from askmask.models.registry import DEFAULT_MODEL, load
from askmask.models.segmenter import Segmenter
from askmask.types import Masks, MaskType, Query

__all__ = ["ask"]


def ask(
    image: ImageLike,
    text: str,
    *,
    references: Masks | None = None,
    mask_type: MaskType | str | None = None,
    model: str = DEFAULT_MODEL,
) -> PicturedAnswer:
    """Answer one sentence about one picture.

    The model stays loaded, but the picture is encoded anew; for several sentences about one picture
    use `askmask.load`.

    Args:
        image: (H, W, 3) uint8 RGB, a path, or a Pillow picture.
        text: the sentence; `[1]`, `[2]` point into `references`.
        references: masks in the picture's size.
        mask_type: "modal", "amodal" or "hidden"; None lets the sentence decide.
        model: as `askmask.load` takes it.

    Raises:
        ImageError, ShapeError: when the picture cannot be read.
        QueryError: when the sentence cannot be asked.
        ConfigError: for an unknown model.
    """
    known = [kind.value for kind in MaskType]
    if mask_type is not None and mask_type not in known:
        raise QueryError(f"mask_type: expected one of {', '.join(known)}, got {mask_type!r}")
    query = Query(text, references, None if mask_type is None else MaskType(mask_type))
    pixels = as_rgb(image)
    segmenter = _loaded(model)
    segmenter.set_image(pixels)
    return PicturedAnswer.of(segmenter.answer(query), pixels, query)


@lru_cache(maxsize=1)
def _loaded(model_id: str) -> Segmenter:
    return load(model_id)
