"""Everything mode: which masks of a grid of points stay."""

import numpy as np
import pytest
import tiny_proposers as tiny
import torch

from askmask.models.hub import everything
from askmask.models.hub.everything import EverythingProposer, grid_points, stability
from askmask.models.hub.loading import Where
from askmask.models.hub.preprocessing import SAM2
from askmask.models.hub.sam import Decoded

IMAGE = tiny.picture()
CPU = Where("cpu")


class Scene:
    """Stands for SAM: a point gives the block that it lies in, at three sizes of known worth."""

    on_cpu = True
    BLOCKS = ((0, 0, 16, 16), (16, 0, 32, 16), (0, 16, 32, 32))

    def __init__(self, iou=(0.9, 0.5, 0.95), slope=10.0):
        self.iou, self.slope, self.batches = iou, slope, []

    def placement(self, image):
        return SAM2.placement(image.shape[:2], 32)

    def decode(self, image, prompts, *, several):
        assert several
        points = prompts.points_xy[:, 0] * 32 / np.array(image.shape[1::-1])
        for some in np.array_split(points, 5):
            self.batches.append(len(some))
            masks = torch.full((len(some), 3, 32, 32), -self.slope)
            for row, (x, y) in enumerate(some):
                for x0, y0, x1, y1 in self.BLOCKS:
                    if x0 <= x < x1 and y0 <= y < y1:
                        masks[row, 0, y0:y1, x0:x1] = self.slope  # the block
                        masks[row, 1, y0 : y0 + 4, x0 : x0 + 4] = self.slope  # a part, unsure
                        masks[row, 2, y0:y1, x0 : x1 - 1] = self.slope  # nearly the block, surer
            yield Decoded(masks, torch.tensor([self.iou] * len(some)))


def test_grid_points_are_centres_of_cells():
    points = grid_points(2, (40, 80))
    assert points.tolist() == [[20, 10], [60, 10], [20, 30], [60, 30]]
    assert grid_points(32, (45, 60)).shape == (1024, 2)


def test_stability_is_the_share_that_a_tighter_cut_keeps():
    logits = torch.full((3, 4, 4), -5.0)
    logits[0, :2] = 5.0  # sharp
    logits[1, :2], logits[1, 2:] = 5.0, 0.0  # half of it near the threshold
    assert stability(logits).tolist() == [1.0, 0.5, 0.0]


def test_each_block_is_found_once_and_the_surer_variant_stays():
    scene = Scene()
    found = EverythingProposer(scene, grid=8).propose(np.zeros((32, 32, 3), np.uint8))
    assert sum(scene.batches) == 64
    assert len(found) == 3
    assert found.score == pytest.approx([0.95] * 3)
    assert sorted(found.modal.areas.tolist()) == [16 * 15, 16 * 15, 16 * 31]


@pytest.mark.parametrize(("on_cpu", "points"), [(True, 256), (False, 1024)])
def test_the_grid_suits_the_device(on_cpu, points):
    scene = Scene()
    scene.on_cpu = on_cpu
    EverythingProposer(scene).propose(np.zeros((32, 32, 3), np.uint8))
    assert sum(scene.batches) == points


def test_thresholds_drop_what_is_unsure_or_unstable():
    black = np.zeros((32, 32, 3), np.uint8)
    assert len(EverythingProposer(Scene(), grid=8, least_iou=0.96).propose(black)) == 0
    assert len(EverythingProposer(Scene(), grid=8, least_iou=0.4).propose(black)) == 6
    assert len(EverythingProposer(Scene(slope=0.5), grid=8).propose(black)) == 0
    loose = EverythingProposer(Scene(slope=0.5), grid=8, least_stability=0.0)
    assert len(loose.propose(black)) == 3
    doubles = EverythingProposer(Scene(), grid=8, most_overlap=1.0, least_iou=0.8).propose(black)
    assert len(doubles) == 2 * 64  # of the two sure masks of each point, none suppresses another


def test_only_the_surest_are_kept_in_memory(monkeypatch):
    monkeypatch.setattr(everything, "_MOST", 5)
    found = EverythingProposer(Scene(), grid=8, most_overlap=1.0).propose(
        np.zeros((32, 32, 3), np.uint8)
    )
    assert found.score == pytest.approx([0.95] * 5)


@pytest.mark.parametrize("name", ["sam1", "sam2", "sam3_tracker"])
def test_runs_on_every_generation(name, tmp_path):
    options = {"grid": 4, "least_iou": -9.0, "least_stability": 0.0}
    folder = getattr(tiny, name)(tmp_path)
    found = EverythingProposer.load(folder, CPU, batch=7, **options).propose(IMAGE)
    alone = EverythingProposer.load(folder, CPU, batch=1, **options).propose(IMAGE)
    assert 1 < len(found) <= 48
    assert found.modal.size_hw == IMAGE.shape[:2]
    assert (np.diff(found.score) <= 0).all()
    assert found.score.dtype == np.float32
    assert found.modal.areas.min() > 0
    assert len(alone) == len(found)
    assert alone.score == pytest.approx(found.score, abs=1e-4)
