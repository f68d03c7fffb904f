"""Answers that know their picture and sentence: shown in notebooks, saved, given to other tools."""

from __future__ import annotations

import importlib
import io
import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from askmask.atomic import staged_folder
from askmask.errors import MissingExtraError
from askmask.formats.answered_objects import answered_objects
from askmask.formats.askmask import Prediction, QueryRecord, prediction_from_answer
from askmask.formats.coco import objects_as_coco
from askmask.formats.supervision import detections_from
from askmask.images import write_png
from askmask.overlay import draw_answer
from askmask.types import Answer, Query

__all__ = ["ANSWER_FILES", "PicturedAnswer"]

ANSWER_FILES = r"mask-\d+\.png"
"""Names of the files of `PicturedAnswer.write` that another answer may not have."""


@dataclass(frozen=True)
class PicturedAnswer(Answer):
    """An answer with the picture and the query that it is about.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        query: sentence, references and forced type.
    """

    image: NDArray[np.uint8] = field(kw_only=True, repr=False)
    query: Query = field(kw_only=True)

    @classmethod
    def of(cls, answer: Answer, image: NDArray[np.uint8], query: Query) -> PicturedAnswer:
        """Return `answer` with what it is about."""
        said = {one.name: getattr(answer, one.name) for one in fields(Answer)}
        return cls(**said, image=image, query=query)

    def draw(self) -> NDArray[np.uint8]:
        """Draw the answer over the picture with a legend below, (H', W', 3) uint8 RGB."""
        return draw_answer(self.image, self, self.query)

    def record(self, id: str = "answer") -> Prediction:
        """Return the prediction record, under the name `id`."""
        return prediction_from_answer(id, self)

    def save(self, folder: str | Path) -> None:
        """Write overlay.png, mask-1.png, mask-2.png, … and prediction.json, as `askmask segment`.

        Masks of an answer that was saved there before go away; other files stay.

        Raises:
            OutputError: when the folder cannot be made or written; it then is as it was.
        """
        with staged_folder(Path(folder), ours=ANSWER_FILES) as staging:
            self.write(staging, Path(folder).name or "answer")

    def write(self, folder: Path, id: str) -> None:
        """Write the files of `save` into a folder, the record under the name `id`."""
        write_png(folder / "overlay.png", self.draw(), quickly=True)
        for number, mask in enumerate(self.masks, 1):
            write_png(folder / f"mask-{number}.png", mask)
        record = json.dumps(self.record(id).to_json())
        (folder / "prediction.json").write_text(record + "\n", encoding="utf-8")

    def to_coco(self, file_name: str = "image.png") -> dict[str, Any]:
        """Return COCO's json of the picture with the answer's masks as annotations with scores.

        `segmentation` is the mask of the answer's type, run-length coded; the category is the
        sentence.
        """
        height, width = self.image.shape[:2]
        asked = QueryRecord("answer", file_name, height, width, self.query.text, ())
        return objects_as_coco(answered_objects([asked], [self.record()]))

    def to_supervision(self) -> Any:
        """Return `supervision.Detections` with masks, scores and `data["mask_type"]`.

        Raises:
            MissingExtraError: when supervision is not installed.
        """
        try:
            supervision = importlib.import_module("supervision")
        except ImportError as error:
            raise MissingExtraError.of("supervision", "supervision", "to_supervision()") from error
        size_hw = self.image.shape[0], self.image.shape[1]
        return supervision.Detections(**detections_from(self.record(), size_hw))

    def _repr_jpeg_(self) -> tuple[bytes, dict[str, str]]:
        """Show the drawing in notebooks, with a description for who cannot see it.

        As JPEG, because a notebook keeps every picture that it shows.
        """
        stream = io.BytesIO()
        Image.fromarray(self.draw()).save(stream, "JPEG", quality=90)
        found = f"{len(self)} mask{'' if len(self) == 1 else 's'}" if len(self) else "nothing fits"
        return stream.getvalue(), {"alt": f"{self.query.text}: {found}, {self.mask_type}"}
