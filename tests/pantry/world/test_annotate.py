"""Cameras, exposure, painting order, and scenes from masks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from things import box, boxes

from askmask.pantry.render.device import Camera
from askmask.pantry.world.annotate import annotate, far_to_near
from askmask.pantry.world.layout import Placed, about_z, put_on_table
from askmask.pantry.world.lighting import expose
from askmask.pantry.world.studio import Masks
from askmask.pantry.world.viewpoint import draw_camera, levelled

pytest.importorskip("scipy")

FROM_THE_FRONT = Camera(np.array([2.0, 0, 1]), np.array([0.0, 0, 0]), 40.0)


def test_levelled_axes_are_right_up_and_away():
    world = np.array([[2.0, 0, 0], [2.0, 1, 0], [0.0, 0, 0.5]])
    assert levelled(world, FROM_THE_FRONT) == pytest.approx(
        np.array([[0, 0, 0], [1, 0, 0], [0, 0.5, 2]])
    )


@given(seed=st.integers(0, 1000))
def test_cameras_look_at_the_things(seed):
    rng = np.random.default_rng(seed)
    layout = put_on_table(boxes(6, rng), rng)
    camera = draw_camera(layout, 4 / 3, rng)
    line = camera.target - camera.position
    forward = line / np.linalg.norm(line)
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    offset = layout.points - camera.position
    depth = offset @ forward
    assert depth.min() > 0.05
    tangent = np.tan(np.radians(camera.field_of_view) / 2)
    inside = (np.abs(offset @ right) < tangent * 4 / 3 * depth) & (
        np.abs(offset @ np.cross(right, forward)) < tangent * depth
    )
    assert inside.mean() > 0.5


def test_exposure_brightens_the_dark_and_keeps_the_range():
    dark = np.full((60, 80, 3), 20, np.uint8)
    assert 20 < expose(dark, 0.5).mean() < 140
    bright = np.full((60, 80, 3), 250, np.uint8)
    assert expose(bright, 0.4).mean() < 250
    medium = np.full((60, 80, 3), 100, np.uint8)
    assert expose(medium, 0.5).mean() == pytest.approx(0.5 * 255, abs=3)


def test_what_hides_is_painted_later_even_when_its_middle_is_farther():
    overlaps = np.array([[0, 50, 0], [0, 0, 0], [0, 7, 0]])
    assert far_to_near(overlaps, np.array([3.0, 2.0, 1.0])) == [1, 0, 2]


def test_without_overlap_depth_decides_and_circles_end():
    assert far_to_near(np.zeros((3, 3), int), np.array([1.0, 3, 2])) == [1, 2, 0]
    circle = np.array([[0, 5, 0], [0, 0, 5], [5, 0, 0]])
    assert sorted(far_to_near(circle, np.array([1.0, 2, 3]))) == [0, 1, 2]


def test_annotates_masks_sizes_and_colours():
    upright, turned = about_z(0.0), about_z(np.pi / 2)
    placed = [
        Placed(box("front/0", 0.2, 0.1, 0.3), upright, np.array([0.5, 0, 0])),
        Placed(box("back/0", 0.2, 0.1, 0.3), turned, np.array([-0.5, 0.1, 0])),
        Placed(box("unseen/0"), upright, np.array([-2.0, 0, 0])),
    ]
    amodal = np.zeros((3, 10, 10), bool)
    amodal[0, 5:, :5] = amodal[1, 3:8, :8] = amodal[2, 6:, :3] = True
    front = np.zeros((10, 10), np.uint8)
    front[amodal[1]] = 2
    front[amodal[0]] = 1
    image = np.zeros((10, 10, 3), np.uint8)
    image[front == 1] = (200, 20, 20)
    masks = Masks(front, amodal, amodal.reshape(3, -1).sum(1) + np.array([0, 3, 0]))
    scene = annotate(image, placed, masks, FROM_THE_FRONT, layout="table", seed=7)
    back, front_most = scene.objects
    assert (back.id, back.category, front_most.id) == (2, "back", 1)
    assert not (back.modal & ~back.amodal).any()
    assert back.modal.sum() == 25
    assert back.amodal_area_full == 43
    assert scene.occlusion.tolist() == [[0, 0], [15, 0]]
    assert front_most.colours == {"red": 1.0}
    assert front_most.size_m == pytest.approx((0.2, 0.1, 0.3))
    assert back.size_m == pytest.approx((0.1, 0.2, 0.3))
    assert back.centre_m == pytest.approx((0.1, 0.15, 2.5))
    assert (scene.layout, scene.seed) == ("table", 7)
