"""Segments of models with a fixed set of classes, as candidates."""

from types import SimpleNamespace

import numpy as np
import pytest
import tiny_proposers as tiny
import torch

from askmask import rle
from askmask.models.hub.loading import Where
from askmask.models.hub.panoptic import PanopticProposer

CPU = Where("cpu")
IMAGE = tiny.picture()


@pytest.fixture(scope="module", params=["mask2former", "eomt"])
def folder(request, tmp_path_factory):
    return getattr(tiny, request.param)(tmp_path_factory.mktemp(request.param))


def test_runs(folder):
    found = PanopticProposer.load(folder, CPU, least_score=0.0).propose(IMAGE)
    assert 0 < len(found) <= 6
    assert found.modal.size_hw == IMAGE.shape[:2]
    assert found.modal.areas.max() > 0
    assert (np.diff(found.score) <= 0).all()
    assert 0 <= found.score.min() <= found.score.max() <= 1
    assert len(PanopticProposer.load(folder, CPU, least_score=1.0).propose(IMAGE)) == 0
    all_of_them = PanopticProposer.load(folder, CPU, least_score=0.0, most_overlap=1.0)
    assert len(all_of_them.propose(IMAGE)) == 6


@pytest.mark.parametrize("picture_hw", [(45, 60), (60, 45), (64, 64)])
def test_segments_lie_where_the_model_saw_them(folder, picture_hw, monkeypatch):
    """A stand-in marks what is red in its input."""
    proposer = PanopticProposer.load(folder, CPU)
    image = np.zeros((*picture_hw, 3), np.uint8)
    image[20:40, 5:30, 0] = 255

    def see(pixel_values):
        red = pixel_values[:, :1] - pixel_values[:, 1:2]
        # The mean of black pixels differs by channel, so "red" is what is far above it.
        logits = (red > red.amin() + 2).float() * 20 - 10
        nothing = torch.full_like(logits, -10.0)
        classes = torch.tensor([[[5.0, 0.0, -5.0], [0.0, 0.0, 8.0]]])
        return SimpleNamespace(
            masks_queries_logits=torch.cat([logits, nothing], 1), class_queries_logits=classes
        )

    monkeypatch.setattr(proposer, "_model", see)
    found = proposer.propose(image)
    assert len(found) == 1
    assert rle.iou(found.modal.rles[0], rle.encode(image[..., 0] > 0)) > 0.9
    assert found.score[0] == pytest.approx(0.9933, abs=1e-3)
