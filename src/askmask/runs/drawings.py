"""Pictures of a run's answers, for people and for tools that read PNG files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from askmask.errors import OutputError
from askmask.formats.png import file_stem
from askmask.images import write_png
from askmask.overlay import draw_answer
from askmask.types import Answer, Query

__all__ = ["Drawings"]


@dataclass(frozen=True)
class Drawings:
    """Where the pictures of answers go.

    Attributes:
        overlays: folder for ID.png, the answer drawn over its picture; None for none.
        masks: folder for ID_0.png, ID_1.png, …, 0 and 255, best first, or ID.png, all 0, where
            nothing fits: the layout "png-instances" of `askmask evaluate`. None for none.
    """

    overlays: Path | None = None
    masks: Path | None = None

    def make_folders(self) -> None:
        """Make the folders.

        Raises:
            OutputError: when that cannot be done.
        """
        for folder in (self.overlays, self.masks):
            try:
                if folder is not None:
                    folder.mkdir(exist_ok=True)
            except OSError as error:
                raise OutputError(f"{folder}: cannot be made ({error.strerror})") from error

    def draw(self, id: str, image: NDArray[np.uint8], answer: Answer, query: Query) -> None:
        """Draw one answer.

        Args:
            id: of the query.
            image: (H, W, 3) uint8 RGB.
            answer: what is drawn.
            query: what was asked.

        Raises:
            OutputError: when a file cannot be written.
        """
        stem = file_stem(id)
        if self.overlays is not None:
            write_png(
                self.overlays / f"{stem}.png", draw_answer(image, answer, query), quickly=True
            )
        if self.masks is not None and not len(answer):
            write_png(self.masks / f"{stem}.png", np.zeros(answer.masks.size_hw, bool))
        elif self.masks is not None:
            for number, mask in enumerate(answer.masks):
                write_png(self.masks / f"{stem}_{number}.png", mask)
