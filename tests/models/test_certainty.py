"""When an answer of the embedded model says that it is unsure, by thresholds of its weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from askmask.models.embedded.certainty import doubts, group_certainty
from askmask.models.embedded.segmenter import EmbeddedSegmenter
from askmask.models.embedded.weights import EmbeddedWeights
from askmask.types import Answer, MaskType, Query

pytest.importorskip("cv2")

from askmask.pantry.compose import compose
from askmask.pantry.sprites import SpriteBank

SCORE = np.array([0.9, 0.7, 0.2])


@pytest.mark.parametrize(
    ("chosen", "no_target", "certainty"),
    [
        ([True, True, False], 0.05, 0.7),
        ([True, False, False], 0.05, 0.3),  # the second is left out at 0.7
        ([True, True, False], 0.38, 0.62),
        ([False, False, False], 0.55, 0.55),
    ],
)
def test_certainty_is_that_of_the_least_sure_decision(
    chosen: list[bool], no_target: float, certainty: float
) -> None:
    assert group_certainty(SCORE, np.array(chosen), no_target) == pytest.approx(certainty)


@pytest.mark.parametrize(
    ("chosen", "no_target", "share", "said"),
    [
        ([True, True, False], 0.05, 0.95, None),
        ([True, True, False], 0.05, 0.5, "modal has 0.50"),
        ([True, False, False], 0.05, 0.95, "the best one left out has 0.70"),
        ([True, True, True], 0.05, 0.95, "the weakest mask has 0.20"),
        ([True, True, False], 0.45, 0.95, "that nothing fits has 0.45"),
        ([False, False, False], 0.45, 0.95, "that nothing fits has 0.45"),
        ([False, False, False], 0.75, 0.95, None),
        ([True, True, True], 0.45, 0.5, "modal has 0.50, that nothing fits has 0.45, "
                                        "the weakest mask has 0.20"),
    ],
)  # fmt: skip
def test_each_doubt_is_named(
    chosen: list[bool], no_target: float, share: float, said: str | None
) -> None:
    assert doubts(SCORE, np.array(chosen), no_target, ("modal", share), 0.6) == said


def test_no_candidates_is_no_doubt() -> None:
    assert doubts(np.zeros(0), np.zeros(0, bool), 1.0, ("modal", 0.9), 0.6) is None


def answer_with(folder: Path, query: Query, **thresholds: float) -> Answer:
    """Answer of the shipped weights with other thresholds in their configuration."""
    shipped = EmbeddedWeights("embedded-v1").folder
    for path in shipped.iterdir():
        (folder / path.name).unlink(missing_ok=True)
        (folder / path.name).symlink_to(path)
    config = json.loads((shipped / "config.json").read_text())
    (folder / "config.json").unlink()
    (folder / "config.json").write_text(json.dumps({**config, **thresholds}))
    model = EmbeddedSegmenter.load(str(folder))
    model.set_image(compose(SpriteBank.load(), 700_000).image)
    return model.answer(query)


def test_thresholds_are_those_of_the_weights(tmp_path: Path) -> None:
    everything = Query("everything on the left")
    assert len(answer_with(tmp_path, everything, no_target_threshold=0.0)) == 0
    few = answer_with(tmp_path, everything, no_target_threshold=1.1, select_threshold=0.999)
    many = answer_with(tmp_path, everything, no_target_threshold=1.1, select_threshold=0.0)
    assert len(few) < len(many)
    assert answer_with(tmp_path, everything, sure_threshold=0.0).unsure is None
    never_sure = answer_with(tmp_path, everything, sure_threshold=1.0).unsure
    assert never_sure is not None
    assert never_sure.startswith("modal has 0.")
    forced = Query("everything on the left", mask_type=MaskType.MODAL)
    unsure = answer_with(tmp_path, forced, sure_threshold=1.0).unsure
    assert unsure is not None
    assert "modal" not in unsure  # the user said it
