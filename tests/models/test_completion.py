"""Completers used alone: what all of them promise, the simple ones, and how they are found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import askmask
from askmask.errors import ConfigError, ShapeError, WeightsError
from askmask.models.completer.baselines import HullCompleter, NoCompleter, convex_hull
from askmask.models.completion import MaskCompleter, load_completer
from askmask.types import Candidates, Masks

PICTURE = np.zeros((40, 60, 3), np.uint8)


class Shrinking(MaskCompleter):
    """Guesses less than it was given, which no answer may be."""

    model_id = "shrinking"

    def _guess(
        self, image: NDArray[np.uint8], modal: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        guess = np.zeros_like(modal)
        guess[:, :5] = True
        return guess, np.full(len(modal), 0.25, np.float32)


def two_masks() -> NDArray[np.bool_]:
    masks = np.zeros((2, 40, 60), bool)
    masks[0, 10:20, 10:20] = masks[1, 30:, 50:] = True
    return masks


def test_whatever_is_guessed_the_given_mask_belongs_to_it() -> None:
    given_masks = two_masks()
    done = Shrinking().complete_masks(PICTURE, given_masks)
    assert len(done) == 2
    top = np.zeros((40, 60), bool)
    top[:5] = True
    np.testing.assert_array_equal(done.amodal.dense(), given_masks | top)
    np.testing.assert_array_equal(done.hidden.dense(), np.stack([top, top]))
    np.testing.assert_array_equal(done.confidence, np.float32([0.25, 0.25]))


def test_one_mask_run_length_codes_and_no_mask_are_taken() -> None:
    completer = HullCompleter()
    assert len(completer.complete_masks(PICTURE, two_masks()[0])) == 1
    codes = Masks.from_rles(Masks.from_dense(two_masks()).rles, (40, 60))
    assert len(completer.complete_masks(PICTURE, codes)) == 2
    for one in (completer, NoCompleter(), Shrinking()):
        none = one.complete_masks(PICTURE, Masks.empty((40, 60)))
        assert none.amodal.dense().shape == (0, 40, 60)
        assert none.confidence.shape == (0,)


def test_it_is_a_stage_of_a_pipeline_and_keeps_the_scores() -> None:
    masks = Masks.from_dense(two_masks())
    found = Candidates(masks, masks, np.float32([0.9, 0.4]), {"kept": np.arange(2)})
    done = Shrinking().complete(PICTURE, found)
    assert done.score.tolist() == found.score.tolist()
    assert done.features["kept"].tolist() == [0, 1]
    assert done.amodal.dense()[:, :5].all()
    assert done.modal is found.modal


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (np.zeros((1, 60, 40), bool), "the masks are 40 x 60 pixels, the picture is 60 x 40"),
        (np.zeros((40, 60), np.uint8), "expected Masks.*got \\(40, 60\\) uint8; use mask > 0"),
        (np.zeros((1, 1, 40, 60), bool), "got \\(1, 1, 40, 60\\) bool"),
        ([[True]], "got <class 'list'>"),
        (Masks.empty((4, 6)), "the masks are 6 x 4 pixels"),
    ],
)
def test_other_masks_are_refused(masks: object, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        NoCompleter().complete_masks(PICTURE, masks)  # type: ignore[arg-type]


class TestConvexHull:
    def test_known_shapes(self) -> None:
        corner = np.zeros((20, 20), bool)
        corner[2:12, 2:4] = corner[10:12, 2:12] = True
        hull = convex_hull(corner)
        assert hull[6, 5]
        assert not hull[3, 10]
        assert hull[~corner].sum() == pytest.approx(36, abs=10)
        box = np.zeros((20, 20), bool)
        box[3:7, 4:15] = True
        np.testing.assert_array_equal(convex_hull(box), box)

    @given(st.integers(0, 2**32 - 1), st.floats(0.002, 0.4))
    def test_it_holds_the_mask_and_agrees_with_opencv(self, seed: int, share: float) -> None:
        cv2 = pytest.importorskip("cv2")
        rng = np.random.default_rng(seed)
        mask = rng.random(rng.integers(1, 40, 2)) < share
        hull = convex_hull(mask)
        assert hull[mask].all()
        if not mask.any():
            assert not hull.any()
            return
        points = np.argwhere(mask)[:, ::-1].astype(np.int32)
        theirs = np.zeros(mask.shape, np.uint8)
        cv2.fillConvexPoly(theirs, cv2.convexHull(points), 1)
        # They differ by the pixels that a slanted edge only touches.
        assert (hull != theirs.astype(bool)).sum() <= sum(mask.shape)

    def test_a_completer_that_has_no_opinion_says_one_half(self) -> None:
        masks = two_masks()
        masks[1] = False
        done = HullCompleter().complete_masks(PICTURE, masks)
        assert done.confidence.tolist() == [0.5, 0.0]
        assert not done.amodal.dense()[1].any()


class TestLoading:
    def test_by_name(self) -> None:
        assert askmask.load_completer("none").model_id == "none"
        assert load_completer("convex-hull").weights_hash is None

    @pytest.mark.parametrize(
        ("name", "message"),
        [("completer-v2", "did you mean 'completer-v1'"), ("", "known are completer-v1, convex-")],
    )
    def test_unknown_names_get_the_nearest(self, name: str, message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            load_completer(name)

    def test_a_folder_without_weights_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(WeightsError, match=r"lacks completer\.onnx and config.json; reinstall"):
            load_completer(str(tmp_path))

    @pytest.mark.parametrize("content", ['{"cells": 100}', '{"sells": 1}', "[", "[]"])
    def test_a_broken_configuration_is_refused(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "config.json").write_text(content)
        (tmp_path / "completer.onnx").write_bytes(b"")
        with pytest.raises(WeightsError, match="is no completer's configuration"):
            load_completer(str(tmp_path))

    def test_a_broken_graph_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "config.json").write_text("{}")
        (tmp_path / "completer.onnx").write_bytes(b"no graph")
        with pytest.raises(WeightsError, match="cannot be run"):
            load_completer(str(tmp_path))
