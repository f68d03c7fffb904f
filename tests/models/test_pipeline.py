"""Three stages as one segmenter: what is computed when, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from askmask.errors import ImageError, QueryError, ShapeError
from askmask.models.pipeline import Pipeline, candidate_at
from askmask.models.segmenter import PointReference, Segmenter
from askmask.types import Answer, Candidates, Masks, MaskType, Query

BLACK = np.zeros((20, 30, 3), np.uint8)


def box(x0: int, y0: int, x1: int, y1: int) -> NDArray[np.bool_]:
    mask = np.zeros((20, 30), bool)
    mask[y0:y1, x0:x1] = True
    return mask


class Stages:
    """Proposer, completer and selector in one, which note what they were called for."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.images: list[NDArray[np.uint8]] = []

    def propose(self, image: NDArray[np.uint8]) -> Candidates:
        self.calls.append("propose")
        self.images.append(image)
        if image.any():
            raise ImageError("only black pictures")
        modal = Masks.from_dense(np.stack([box(0, 0, 10, 10), box(5, 5, 30, 20), box(5, 5, 7, 7)]))
        return Candidates(modal, modal, np.array([0.5, 0.9, 0.9], np.float32))

    def complete(self, image: NDArray[np.uint8], candidates: Candidates) -> Candidates:
        self.calls.append("complete")
        whole = Masks.from_dense(np.ones((3, 20, 30), bool))
        return Candidates(candidates.modal, whole, candidates.score)

    def select(self, image: NDArray[np.uint8], candidates: Candidates, query: Query) -> Answer:
        self.calls.append(f"select {query.text}")
        chosen = candidates.modal[:1], candidates.amodal[:1]
        shares = {MaskType.MODAL: 1.0, MaskType.AMODAL: 0.0, MaskType.HIDDEN: 0.0}
        return Answer(MaskType.MODAL, shares, chosen[0], candidates.score[:1], chosen[0], chosen[1])


@pytest.fixture
def stages() -> Stages:
    return Stages()


@pytest.fixture
def pipeline(stages: Stages) -> Pipeline:
    return Pipeline(stages, stages, stages, model_id="stages", weights_hash="ab")


def test_it_is_a_segmenter_that_takes_points(pipeline: Pipeline) -> None:
    assert isinstance(pipeline, Segmenter)
    assert isinstance(pipeline, PointReference)
    assert (pipeline.model_id, pipeline.weights_hash) == ("stages", "ab")


def test_the_picture_is_encoded_once(pipeline: Pipeline, stages: Stages) -> None:
    pipeline.set_image(BLACK)
    first, second = pipeline.answer("one"), pipeline.answer(Query("two"))
    assert stages.calls == ["propose", "complete", "select one", "select two"]
    assert first.seconds is not None
    assert first.seconds >= 0
    assert second.amodal.areas.tolist() == [600]


def test_without_a_completer_the_proposers_masks_stay(stages: Stages) -> None:
    pipeline = Pipeline(stages, None, stages)
    pipeline.set_image(BLACK)
    assert pipeline.answer("one").amodal.areas.tolist() == [100]


@pytest.mark.parametrize("kind", ["array", "path", "text", "picture"])
def test_every_kind_of_picture_is_taken(
    pipeline: Pipeline, stages: Stages, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "black.png"
    Image.fromarray(BLACK).save(path)
    given = {"array": BLACK, "path": path, "text": str(path), "picture": Image.fromarray(BLACK)}
    pipeline.set_image(given[kind])
    np.testing.assert_array_equal(stages.images[0], BLACK)


def test_arrays_of_another_kind_are_refused(pipeline: Pipeline) -> None:
    with pytest.raises(ShapeError, match="expected"):
        pipeline.set_image(BLACK[..., 0])


def test_no_picture_no_answer(pipeline: Pipeline) -> None:
    for ask in (lambda: pipeline.answer("one"), lambda: pipeline.mask_at(1, 1)):
        with pytest.raises(QueryError, match="no picture is set"):
            ask()


def test_a_failed_picture_does_not_leave_the_one_before(pipeline: Pipeline) -> None:
    pipeline.set_image(BLACK)
    with pytest.raises(ImageError):
        pipeline.set_image(BLACK + 1)
    with pytest.raises(QueryError, match="no picture is set"):
        pipeline.answer("one")


def test_references_of_another_size_are_refused_with_both_sizes(pipeline: Pipeline) -> None:
    pipeline.set_image(BLACK)
    turned = Masks.from_dense(np.ones((1, 30, 20), bool))
    with pytest.raises(QueryError, match="20 x 30 pixels, the picture is 30 x 20"):
        pipeline.answer(Query("left of [1]", turned))


def test_a_point_gives_the_surest_candidate_and_the_smaller_of_equals(pipeline: Pipeline) -> None:
    pipeline.set_image(BLACK)
    for point, area in {(0, 0): 100, (8, 8): 25 * 15, (5, 5): 4, (29, 19): 25 * 15}.items():
        mask = pipeline.mask_at(*point)
        assert mask is not None
        assert mask.sum() == area
    assert pipeline.mask_at(29, 0) is None


@pytest.mark.parametrize("point", [(-1, 0), (0, -1), (30, 0), (0, 20)])
def test_points_outside_are_refused(stages: Stages, point: tuple[int, int]) -> None:
    with pytest.raises(QueryError, match="outside the picture of 30 x 20 pixels"):
        candidate_at(stages.propose(BLACK), *point)
