r"""Auto-annotation function for CVAT: what a sentence asks for, as masks or polygons of a label.

    pip install askmask cvat-cli
    cvat-cli --server-host https://cvat.example --auth NAME task auto-annotate 137 \
        --function-file cvat_function.py -p text=str:"the whole mug" -p label=str:mug

The label must be one of the task's. The sentence decides whether the masks are visible parts,
complete shapes or hidden parts.
"""

from __future__ import annotations

import cvat_sdk.auto_annotation as cvataa
import numpy as np
from cvat_sdk.masks import encode_mask
from cvat_sdk.models import LabeledShapeRequest
from numpy.typing import NDArray
from PIL import Image

import askmask
from askmask.geometry import centre_polygons
from askmask.images import as_rgb


class Sentence:
    """A sentence as a detection function."""

    def __init__(self, text: str, label: str, model: str = "embedded-v1") -> None:
        """Load the model.

        Args:
            text: what is asked about every picture.
            label: of the task, for everything that fits.
            model: its name.
        """
        self.spec = cvataa.DetectionFunctionSpec(labels=[cvataa.label_spec(label, 0, type="mask")])
        self._text = text
        self._model = askmask.load(model)

    def detect(
        self, context: cvataa.DetectionFunctionContext, image: Image.Image
    ) -> list[LabeledShapeRequest]:
        """Answer about one picture."""
        self._model.set_image(as_rgb(image))
        answer = self._model.answer(self._text)
        least = context.conf_threshold or 0
        return [
            shape
            for number, (mask, score) in enumerate(zip(answer.masks, answer.scores, strict=True))
            if score >= least
            for shape in _shapes(mask, number, as_polygons=context.conv_mask_to_poly)
        ]


def _shapes(mask: NDArray[np.bool_], group: int, *, as_polygons: bool) -> list[LabeledShapeRequest]:
    """One mask, or a polygon for each of its parts, in one group."""
    if not as_polygons:
        return [cvataa.mask(0, encode_mask(mask))]
    return [
        cvataa.polygon(0, polygon.astype(float).ravel().tolist(), group=group + 1)
        for polygon in centre_polygons(mask)
    ]


create = Sentence
