"""The light selector, with tiny random CLIP and SigLIP models from a folder."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import tiny_clips
import torch
from tiny_proposers import picture

from askmask.errors import ConfigError
from askmask.models.hub.clip import ClipConfig, ClipSelector, crop_alone
from askmask.models.hub.loading import Where, transformers
from askmask.types import Candidates, Masks, MaskType, Query

CPU = Where("cpu")
KINDS = ("clip", "siglip")
IMAGE = picture(90, 120)


class Amodal:
    """Takes every sentence for one that asks for complete shapes."""

    def mask_types(self, texts: list[str]) -> list[dict[MaskType, float]]:
        return [{kind: float(kind is MaskType.AMODAL) for kind in MaskType} for _ in texts]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    made = {kind: tmp_path_factory.mktemp(kind) for kind in KINDS}
    return {kind: getattr(tiny_clips, kind)(folder) for kind, folder in made.items()}


@pytest.fixture(params=KINDS)
def source(request: pytest.FixtureRequest, folders: dict[str, str]) -> str:
    return folders[request.param]


def selector(source: str, **options: object) -> ClipSelector:
    return ClipSelector.load(source, CPU, typer=Amodal(), **options)


def candidates(count: int = 5) -> Candidates:
    rng = np.random.default_rng(1)
    modal = np.zeros((count, *IMAGE.shape[:2]), bool)
    for mask in modal:
        y, x = rng.integers(0, 60, 2)
        mask[y : y + rng.integers(5, 40), x : x + rng.integers(5, 40)] = True
    amodal = modal.copy()
    amodal[:, :, :2] = True
    score = np.full(count, 0.5, np.float32)
    return Candidates(Masks.from_dense(modal), Masks.from_dense(amodal), score)


def test_torchvision_is_not_there() -> None:
    assert importlib.util.find_spec("torchvision") is None


def test_similarity_is_that_of_the_official_forward(source: str) -> None:
    chosen, found = selector(source, background="keep", margin=0.0), candidates()
    inputs = chosen._processor(
        [crop_alone(IMAGE, mask, chosen.config) for mask in found.modal], return_tensors="pt"
    )
    words = chosen._tokenizer(
        "the red mug", padding="max_length", max_length=12, return_tensors="pt"
    )
    with torch.no_grad():
        expected = chosen._model(
            input_ids=words["input_ids"], pixel_values=inputs["pixel_values"]
        ).logits_per_image[:, 0]
    alike = chosen._crops(IMAGE, found) @ chosen._sentence("the red mug")
    bias = getattr(chosen._model, "logit_bias", torch.zeros(1))
    logits = chosen._scale * alike + bias.detach()
    np.testing.assert_allclose(logits.numpy(), expected.numpy(), atol=1e-5)


def test_the_most_alike_is_chosen_and_a_higher_threshold_leaves_nothing(source: str) -> None:
    found, query = candidates(), Query("the red mug")
    model = selector(source)
    alike = (model._crops(IMAGE, found) @ model._sentence(query.text)).numpy()
    low = selector(source, threshold=float(alike.max()) - 1.0, select_threshold=0.99)
    answer = low.select(IMAGE, found, query)
    assert answer.amodal.rles == (found.amodal.rles[int(alike.argmax())],)
    assert answer.mask_type is MaskType.AMODAL
    assert answer.no_target_probability is not None
    assert answer.no_target_probability < 0.01
    high = selector(source, threshold=float(alike.max()) + 1.0).select(IMAGE, found, query)
    assert len(high) == 0
    assert high.no_target_probability is not None
    assert high.no_target_probability > 0.99


def test_what_is_nearly_as_alike_joins_the_group(source: str) -> None:
    found = candidates()
    twice = Candidates(
        *(Masks.from_dense(np.repeat(m.dense()[:1], 2, 0)) for m in (found.modal, found.amodal)),
        found.score[:2],
    )
    answer = selector(source, threshold=-1.0).select(IMAGE, twice, Query("the red mug"))
    assert len(answer) == 2


def test_crops_are_encoded_once_a_picture(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model, found, calls = selector(source), candidates(40), []
    encode = model._model.get_image_features
    monkeypatch.setattr(
        model._model, "get_image_features", lambda p: calls.append(len(p)) or encode(p)
    )
    for text in ("the red mug", "the green box"):
        model.select(IMAGE, found, Query(text))
    assert calls == [32, 8]
    model.select(IMAGE, candidates(3), Query("the red mug"))
    assert calls == [32, 8, 3]


def test_references_are_not_looked_at_and_this_is_said(source: str) -> None:
    query = Query("right of [1]", Masks.from_dense(np.ones((1, *IMAGE.shape[:2]), bool)))
    answer = selector(source).select(IMAGE, candidates(), query)
    assert answer.unsure == "this selector does not look at references"


def test_no_candidates_no_answer_and_long_sentences_are_cut(source: str) -> None:
    none = Masks.empty((90, 120))
    empty = Candidates(none, none, np.zeros(0, np.float32))
    assert len(selector(source).select(IMAGE, empty, Query("the red mug"))) == 0
    selector(source).select(IMAGE, candidates(), Query("the red mug " * 100))


def test_options_are_saved_and_others_go_before(source: str, tmp_path: Path) -> None:
    selector(source, threshold=0.125, background="grey").save(tmp_path)
    assert json.loads((tmp_path / "clip.json").read_text())["source"] == source
    again = selector(str(tmp_path), background="blur")
    assert again.config == ClipConfig(threshold=0.125, background="blur")


def test_other_models_and_options_are_refused(tmp_path: Path, folders: dict[str, str]) -> None:
    transformers().CLIPVisionConfig().save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match="kind clip, siglip, got 'clip_vision_model'"):
        selector(str(tmp_path))
    with pytest.raises(ConfigError, match="background: expected one of blur, grey, keep"):
        selector(folders["clip"], background="black")


class TestCrops:
    MASK = np.zeros((90, 120), bool)
    MASK[10:30, 100:118] = True
    MASK[10:20, 100:109] = False

    def test_a_crop_is_a_square_with_a_margin_and_grey_outside_the_picture(self) -> None:
        crop = np.asarray(crop_alone(IMAGE, self.MASK, ClipConfig("keep", margin=0.25)))
        assert crop.shape == (30, 30, 3)
        # From row 5 and column 94; the picture ends after 26 columns.
        np.testing.assert_array_equal(crop[:, :26], IMAGE[5:35, 94:120])
        assert (crop[:, 26:] == (124, 116, 104)).all()

    @pytest.mark.parametrize("background", ["blur", "grey"])
    def test_only_the_candidate_stays_as_it_is(self, background: str) -> None:
        config = ClipConfig(background, margin=0.25)  # type: ignore[arg-type]
        crop = np.asarray(crop_alone(IMAGE, self.MASK, config))[:, :26]
        inside, original = self.MASK[5:35, 94:120], IMAGE[5:35, 94:120]
        np.testing.assert_array_equal(crop[inside], original[inside])
        assert (crop[~inside] != original[~inside]).any(1).mean() > 0.9
        if background == "grey":
            assert (crop[~inside] == (124, 116, 104)).all()

    def test_an_empty_mask_gives_the_whole_picture(self) -> None:
        crop = np.asarray(crop_alone(IMAGE, np.zeros((90, 120), bool), ClipConfig(margin=0.0)))
        np.testing.assert_array_equal(crop[15:105], IMAGE)
