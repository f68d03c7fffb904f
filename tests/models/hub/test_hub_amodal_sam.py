"""A SAM that completes keeps what is seen, survives saving, and differs from one that cannot."""

import numpy as np
import pytest
from tiny_proposers import picture, sam1, sam2

from askmask.errors import WeightsError
from askmask.models.completion import load_completer
from askmask.models.hub.amodal_sam import AmodalSam
from askmask.models.hub.loading import Where
from askmask.models.hub.sam import Sam


def masks():
    modal = np.zeros((3, 45, 60), bool)
    modal[0, 10:20, 15:30] = True
    modal[2, 22:45, 30:45] = True
    return modal


@pytest.fixture(scope="module", params=[sam1, sam2])
def completer(request, tmp_path_factory):
    base = request.param(tmp_path_factory.mktemp("base"))
    return AmodalSam(Sam.load(base, Where("cpu")), "tiny")


def test_whole_shapes_hold_what_is_seen_and_empty_masks_stay_empty(completer):
    done = completer.complete_masks(picture(), masks())
    amodal = done.amodal.dense()
    assert (amodal & masks() == masks()).all()
    assert not amodal[1].any()
    assert done.confidence[1] == 0
    assert (done.confidence >= 0).all()
    assert (done.confidence <= 1).all()
    assert len(completer.complete_masks(picture(), masks()[:0])) == 0


def test_a_picture_is_encoded_once_for_all_its_masks(completer, monkeypatch):
    calls = []
    encode = completer.sam.model.get_image_embeddings
    monkeypatch.setattr(
        completer.sam.model,
        "get_image_embeddings",
        lambda pixels: calls.append(1) or encode(pixels),
    )
    image = picture(44, 60)
    for _ in range(2):
        completer.complete_masks(image, masks()[:, :44])
    assert len(calls) == 1


def test_saved_and_loaded_it_answers_the_same(completer, tmp_path):
    completer.save_pretrained(tmp_path)
    again = load_completer(str(tmp_path))
    assert isinstance(again, AmodalSam)
    for one, other in zip(
        completer.complete_masks(picture(), masks()).amodal,
        again.complete_masks(picture(), masks()).amodal,
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_a_published_sam_is_no_completer(tmp_path):
    with pytest.raises(WeightsError, match="draws what is seen, not whole shapes; train one"):
        AmodalSam.load(sam1(tmp_path))
