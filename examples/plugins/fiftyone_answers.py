"""Answers of askmask as instance masks in FiftyOne.

    import fiftyone.zoo as foz
    from fiftyone_answers import add_answers

    dataset = foz.load_zoo_dataset("quickstart", max_samples=20)
    add_answers(dataset, "the whole dog, also where something covers it")

Every sample gets three fields, ask_modal, ask_amodal and ask_hidden: the visible parts, complete
shapes and hidden parts of what fits. So one can be shown over the other, whatever type the sentence
asks for; that one is in `mask_type` of each detection.
"""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import numpy as np
from numpy.typing import NDArray

import askmask


def add_answers(samples: Any, text: str, field: str = "ask", model: str = "embedded-v1") -> None:
    """Ask one sentence about every sample.

    Args:
        samples: a dataset or view of pictures.
        text: the sentence.
        field: beginning of the fields' names.
        model: name of the model.
    """
    segmenter = askmask.load(model)
    for sample in samples.iter_samples(autosave=True, progress=True):
        segmenter.set_image(askmask.read_image(sample.filepath))
        answer = segmenter.answer(text)
        modal, amodal = answer.modal.dense(), answer.amodal.dense()
        for part, masks in (("modal", modal), ("amodal", amodal), ("hidden", amodal & ~modal)):
            sample[f"{field}_{part}"] = fo.Detections(
                detections=[
                    _detection(mask, text, confidence=float(score), mask_type=str(answer.mask_type))
                    for mask, score in zip(masks, answer.scores, strict=True)
                    if mask.any()
                ]
            )


def _detection(mask: NDArray[np.bool_], label: str, **more: Any) -> fo.Detection:
    """A detection whose mask fills its box."""
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    box = [x0 / width, y0 / height, (x1 - x0) / width, (y1 - y0) / height]
    return fo.Detection(
        label=label, bounding_box=[float(one) for one in box], mask=mask[y0:y1, x0:x1], **more
    )
