"""Whole models of tiny random parts in folders, by name, as a user asks for them."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_chats
import tiny_clips
import tiny_proposers

from askmask.errors import WeightsError
from askmask.models.pipeline import Pipeline
from askmask.models.registry import load
from askmask.models.segmenter import PictureKeeper, PointReference
from askmask.types import MaskType, Query

IMAGE = tiny_proposers.picture()


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {
        "sam2": tiny_proposers.sam2,
        "siglip": tiny_clips.siglip,
        "qwen": lambda folder: tiny_chats.save_tiny("qwen3_vl", folder),
    }
    folders = {name: tmp_path_factory.mktemp(name) for name in made}
    for name, save in made.items():
        save(folders[name])
    return folders


@pytest.mark.parametrize("selector", ["siglip2-base={siglip}", "qwen3-vl-2b={qwen},crops=true"])
def test_a_composed_model_answers(selector: str, folders: dict[str, Path]) -> None:
    # Random models are sure of nothing, so nothing may be asked of their masks.
    proposer = "sam2-tiny={sam2},grid=4,least_iou=-9,least_stability=0"
    name = f"hub:{proposer}+convex-hull+hub:{selector}".format(**folders)
    with pytest.warns(UserWarning, match="about 12 s a picture"):
        model = load(name, device="cpu", dtype="float32")
    assert isinstance(model, Pipeline)
    assert isinstance(model, PictureKeeper)
    assert isinstance(model, PointReference)
    model.set_image(IMAGE)
    answer = model.answer(Query("the red mug", mask_type=MaskType.AMODAL))
    assert answer.masks.size_hw == IMAGE.shape[:2]
    assert answer.mask_type is MaskType.AMODAL
    assert not (answer.modal.dense() & ~answer.amodal.dense()).any()
    assert len(model.candidates) > 1
    assert model.model_id == name


def test_a_folder_of_another_kind_is_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(WeightsError, match="not a folder that this class can load"):
        load(f"embedded-v1+none+hub:clip-base={folders['sam2'].parent}", device="cpu")
