"""A deterministic model for the tests of runs; as a script it predicts, slowly, to be killed.

python fake.py QUERIES RUN [WORKERS]
"""

from __future__ import annotations

import os
import signal
import sys
import time
import zlib
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from askmask.runs.predict import Progress, predict
from askmask.types import Answer, Masks, MaskType, Query


class FakeSegmenter:
    """Answers with one row of the picture, chosen by the sentence and the picture's colour."""

    def __init__(self, model_id: str = "fake", seconds: float = 0.0) -> None:
        self.model_id = model_id
        self.weights_hash = None
        self.seconds = seconds
        self.encoded = 0
        self.asked: list[Query] = []
        self._image: NDArray[np.uint8] | None = None

    def set_image(self, image: NDArray[np.uint8]) -> None:
        self.encoded += 1
        self._image = image

    def answer(self, query: Query | str) -> Answer:
        assert self._image is not None
        assert isinstance(query, Query)
        self.asked.append(query)
        if "crash" in query.text:
            raise RuntimeError("no memory\nleft")
        if "interrupt" in query.text:
            raise KeyboardInterrupt
        if "die" in query.text:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self.seconds)
        masks = np.zeros((1, *self._image.shape[:2]), bool)
        masks[0, (zlib.crc32(query.text.encode()) + int(self._image[0, 0, 0])) % masks.shape[1]] = 1
        stack = Masks.from_dense(masks)
        return Answer(
            mask_type=MaskType.MODAL,
            mask_type_probability={MaskType.MODAL: 1.0, MaskType.AMODAL: 0.0, MaskType.HIDDEN: 0.0},
            masks=stack,
            scores=np.array([np.nan if "nan" in query.text else 1.0], np.float32),
            modal=stack,
            amodal=stack,
        )


def load_slow() -> FakeSegmenter:
    """Make the model of a worker process; where told to, leave a file named after its number."""
    if folder := os.environ.get("FAKE_WORKERS"):
        (Path(folder) / str(os.getpid())).touch()
    return FakeSegmenter(seconds=0.01)


def kill_at(lines: int, at: Progress) -> None:
    """End this process as nothing can prevent once the run has so many lines."""
    if at.done >= lines:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    workers, lines = map(int, sys.argv[3:5] or (1, sys.maxsize))
    predict(
        FakeSegmenter(seconds=0.01),
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        resume=True,
        workers=workers,
        load=load_slow,
        progress=partial(kill_at, lines),
    )
