"""What the server does with pictures and sentences, whoever asks in whatever shape."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from askmask import rle
from askmask.errors import AskmaskError, ConfigError
from askmask.formats.askmask import PredictedMask, Prediction, prediction_from_answer
from askmask.images import decode_image
from askmask.models.pipeline import Pipeline
from askmask.models.segmenter import PictureKeeper, Segmenter
from askmask.rle import RLE
from askmask.serve.decoding import file_of, query_of, references_of
from askmask.serve.kept import KeptPicture, KeptPictures, picture_id
from askmask.serve.limits import Limits
from askmask.serve.messages import Batch, BatchItem, Question
from askmask.serve.metrics import Metrics
from askmask.serve.refusals import Refusal
from askmask.serve.worker import Worker
from askmask.types import Masks, MaskType

__all__ = ["Service"]

_PAUSE = 0.05  # seconds after which a batch looks again whether the queue has room


class Service:
    """One model, the thread it works in, and the pictures that stay encoded.

    Attributes:
        model: the model, which itself looks at no picture.
        limits: of this server.
        metrics: of this server.
    """

    def __init__(self, model: Segmenter, limits: Limits | None = None) -> None:
        """Serve `model`.

        Raises:
            ConfigError: when it cannot look at several pictures side by side.
        """
        if not isinstance(model, PictureKeeper):
            raise ConfigError(
                f"model {model.model_id!r} cannot be served: it has no method with_image"
            )
        self.model = model
        self._keeper: PictureKeeper = model
        self.limits = limits or Limits()
        self.metrics = Metrics()
        self._worker = Worker(self.limits.max_queue)
        self._kept = KeptPictures(self.limits)
        gauge = self.metrics.gauge
        gauge("askmask_jobs", "Jobs of the model, waiting or running.", lambda: self._worker.jobs)
        gauge("askmask_kept_pictures", "Pictures that stay encoded.", lambda: len(self._kept))

    async def close(self) -> None:
        """Finish what runs and end the model's thread."""
        await self._worker.close()

    async def keep(self, data: bytes, deadline: float) -> KeptPicture:
        """Encode a picture file, unless it is kept already, and keep it.

        Raises:
            ImageError: when it cannot be read.
            Refusal: when the server is busy.
        """
        id = picture_id(data)
        found = self._kept.get(id)
        if found is None:
            found = await self._worker.run(lambda: self._look(data, id, compact=True), deadline)
            self._kept.put(found)
        return found

    def kept(self, id: str) -> KeptPicture:
        """Return a picture that is kept.

        Raises:
            Refusal: when it is not, or not any more.
        """
        found = self._kept.get(id)
        if found is None:
            raise Refusal(
                404,
                "unknown_image",
                "no picture is kept under this id: one goes after "
                f"{self.limits.kept_seconds / 60:g} minutes without a question, or when newer ones "
                "need its room: send it again to POST /v1/images",
            )
        return found

    def forget(self, id: str) -> None:
        """Forget a picture that is kept; errors as of `kept`."""
        self.kept(id)
        self._kept.drop(id)

    def number_of_candidates(self, picture: KeptPicture) -> int | None:
        """How many objects were found, or None for a model that does not look for any."""
        segmenter = picture.segmenter
        return len(segmenter.candidates) if isinstance(segmenter, Pipeline) else None

    def candidate_records(self, picture: KeptPicture) -> list[dict[str, Any]]:
        """What was found in a picture, as a page draws it.

        Raises:
            ConfigError: when the model looks for no candidates.
        """
        if not isinstance(picture.segmenter, Pipeline):
            raise ConfigError(f"model {self.model.model_id!r} finds no candidates of its own")
        found = picture.segmenter.candidates
        return [
            {
                "id": number,
                "score": round(score, 6),
                "box_xyxy": rle.box_xyxy(modal),
                "modal": modal,
                "amodal": amodal,
            }
            for number, (score, modal, amodal) in enumerate(
                zip(found.score.tolist(), found.modal.rles, found.amodal.rles, strict=True)
            )
        ]

    async def answer(
        self, picture: KeptPicture, question: Question, deadline: float, *, scored: bool = False
    ) -> Prediction:
        """Answer a question about a picture that is kept.

        Args:
            picture: from `keep` or `kept`.
            question: about it.
            deadline: on the monotonic clock.
            scored: whether the record gets the key `candidate_scores`.

        Raises:
            AskmaskError: when it cannot be asked, or the server is busy.
        """
        return await self._worker.run(lambda: self._ask(picture, question, scored), deadline)

    async def pick(self, picture: KeptPicture, question: Question, deadline: float) -> Prediction:
        """Answer with the references themselves, e.g. the objects at points; errors as of `answer`.

        Its sentence is not looked at.
        """
        return await self._worker.run(lambda: self._picked(picture, question), deadline)

    async def segment(self, data: bytes, question: Question, deadline: float) -> Prediction:
        """Answer a question about a picture file, which is not kept; errors as of `answer`."""
        kept = self._kept.get(picture_id(data))

        def job() -> Prediction:
            return self._ask(kept or self._look(data, "", compact=False), question)

        return await self._worker.run(job, deadline)

    async def batch(self, batch: Batch, deadline: float) -> list[Prediction]:
        """Answer questions one after the other; one that cannot be answered has `error` set.

        Raises:
            Refusal: when there is no room in the queue for the first one.
        """
        predictions = []
        for number, item in enumerate(batch.items):
            try:
                prediction = await self._item(item, deadline, wait=number > 0)
            except AskmaskError as error:
                if isinstance(error, Refusal) and error.status == 429:
                    raise
                prediction = Prediction(item.id, error=" ".join(str(error).split()))
            predictions.append(prediction)
        return predictions

    async def _item(self, item: BatchItem, deadline: float, *, wait: bool) -> Prediction:
        """Answer one question of a batch; `wait` until there is room in the queue."""
        if (item.image is None) == (item.image_id is None):
            raise Refusal(422, "invalid_request", "expected one of 'image' and 'image_id'")
        while True:
            try:
                if item.image is not None:
                    return await self.segment(file_of(item.image), item, deadline)
                return await self.answer(self.kept(item.image_id or ""), item, deadline)
            except Refusal as refusal:
                over = time.monotonic() + _PAUSE > deadline
                if refusal.status != 429 or not wait or over:
                    raise
            await asyncio.sleep(_PAUSE)

    def warm_up(self) -> None:
        """Load what the model loads at its first picture and its first sentence."""
        self._keeper.with_image(np.zeros((48, 64, 3), np.uint8)).answer("the red mug")

    def _look(self, data: bytes, id: str, *, compact: bool) -> KeptPicture:
        pixels = decode_image(data, "image", self.limits.max_pixels)
        with self.metrics.step("encode"):
            segmenter = self._keeper.with_image(pixels, compact=compact)
        return KeptPicture(id, (pixels.shape[0], pixels.shape[1]), segmenter)

    def _picked(self, picture: KeptPicture, question: Question) -> Prediction:
        masks = references_of(
            question, picture.segmenter, picture.size_hw, self.limits.max_pixels
        ) or Masks.empty(picture.size_hw)
        return Prediction(
            question.id,
            mask_type=MaskType.MODAL,
            masks=tuple(PredictedMask(code, 1.0, modal=code) for code in _distinct(masks.rles)),
            rationale="the objects that were pointed at",
        )

    def _ask(self, picture: KeptPicture, question: Question, scored: bool = False) -> Prediction:
        query = query_of(question, picture.segmenter, picture.size_hw, self.limits.max_pixels)
        with self.metrics.step("answer"):
            answer = picture.segmenter.answer(query)
        # Run-length codes are made here, in the model's thread, and not in the event loop.
        prediction = prediction_from_answer(question.id, answer)
        if not scored:
            return prediction
        scores = answer.candidate_scores
        shown = None if scores is None else [round(one, 6) for one in scores.tolist()]
        return replace(prediction, extra={"candidate_scores": shown})


def _distinct(codes: Sequence[RLE]) -> list[RLE]:
    """Codes without repetitions, as two clicks may be on one object."""
    return list({code["counts"]: code for code in codes}.values())
