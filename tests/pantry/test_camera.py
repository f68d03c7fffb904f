from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from askmask.pantry.camera import Camera

CAMERAS = st.builds(
    Camera,
    focal_px=st.floats(200, 2000),
    pitch_deg=st.floats(5, 80),
    height_m=st.floats(0.2, 3),
    centre_px=st.tuples(st.floats(100, 600), st.floats(100, 400)),
)
LEVELS = st.floats(-0.5, 0.15)


@given(CAMERAS, st.floats(-2, 2), LEVELS, st.floats(0.3, 5))
def test_ground_point_undoes_projection(camera: Camera, x: float, y: float, z: float) -> None:
    u, v = camera.project(x, y, z)
    assert camera.ground_point(u, v, y) == pytest.approx((x, z), abs=1e-6)


@given(CAMERAS, st.floats(-2, 2), LEVELS, st.floats(0.3, 5))
def test_homographies_agree_with_projection(camera: Camera, x: float, y: float, z: float) -> None:
    on_level = camera.level_homography(y) @ [x, z, 1]
    on_wall = camera.wall_homography(z) @ [x, y, 1]
    expected = camera.project(x, y, z)
    assert tuple(on_level[:2] / on_level[2]) == pytest.approx(expected, abs=1e-6)
    assert tuple(on_wall[:2] / on_wall[2]) == pytest.approx(expected, abs=1e-6)


@given(CAMERAS, LEVELS, st.floats(0.3, 3), st.floats(0.05, 1))
def test_farther_is_smaller_and_higher_in_the_picture(
    camera: Camera, y: float, z: float, step: float
) -> None:
    assert camera.scale(y, z + step) < camera.scale(y, z)
    assert camera.project(0, y, z + step)[1] < camera.project(0, y, z)[1]
    assert camera.project(0, y, z + step)[1] > camera.horizon_px


def test_optical_axis_meets_ground_at_its_centre() -> None:
    camera = Camera(600, 30, 1.0, (320, 240))
    assert camera.ground_point(320, 240) == pytest.approx((0, np.sqrt(3)))
    assert camera.depth(0, np.sqrt(3)) == pytest.approx(2)
    assert camera.scale(0, np.sqrt(3)) == pytest.approx(300)
