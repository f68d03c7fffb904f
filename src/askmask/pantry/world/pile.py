"""Piles: things dropped onto each other by MuJoCo's physics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from askmask.errors import MissingExtraError
from askmask.pantry.objects.asset import Asset
from askmask.pantry.world.layout import Layout, Placed, about_z

__all__ = ["drop"]

_STEP = 0.004
_SECONDS = (1.2, 0.8)
"""How long things fall inside the frame, and settle after it was taken away."""

_MARGIN = 0.03
"""Metres between the ground where things fall and the frame around it."""

_TUMBLED = 0.4
"""Share of the things that fall in any orientation rather than upright."""

_TALLEST = 2.5
"""A thing this many times higher than wide is laid on its side: it would not stay upright."""


def drop(things: Sequence[Asset], rng: np.random.Generator) -> Layout:
    """Drop things into a frame, then take it away; what rolls far off is left out.

    Things collide as their convex hulls, so nothing falls into a bowl.

    Raises:
        MissingExtraError: when mujoco is not installed.
    """
    try:
        import mujoco
    except ImportError as error:
        raise MissingExtraError.of("mujoco", "render", "dropping things onto piles") from error
    ground = sum(asset.size_m[0] * asset.size_m[1] for asset in things)
    side = float(np.sqrt(ground / rng.uniform(1.0, 2.0))) / 2
    stretch = rng.uniform(1.0, 1.4) ** 0.5
    # No narrower than the largest thing, which would otherwise stick in the frame.
    largest = max(max(asset.size_m[:2]) for asset in things)
    half = (max(side / stretch, 0.55 * largest), max(side * stretch, 0.55 * largest))
    spec = mujoco.MjSpec()
    spec.option.timestep = _STEP
    spec.option.iterations = 30
    _frame(mujoco, spec, half)
    bodies = _bodies(mujoco, spec, things, half, rng)
    model = spec.compile()
    data = mujoco.MjData(model)
    falling, settling = (int(seconds / _STEP) for seconds in _SECONDS)
    with _without_log(mujoco):
        mujoco.mj_step(model, data, nstep=falling)
        # What got stuck in the frame, which is not seen, would seem to float.
        for number in range(4):
            model.geom(f"frame{number}").contype = model.geom(f"frame{number}").conaffinity = 0
        mujoco.mj_step(model, data, nstep=settling)
    placed = []
    for asset, (name, rotation) in zip(things, bodies, strict=True):
        body = model.body(name).id
        turned = data.xmat[body].reshape(3, 3) @ rotation
        item = Placed(asset, turned, data.xpos[body].copy())
        if _rests(item, half):
            placed.append(item)
    return Layout("pile", tuple(placed), half)


@contextmanager
def _without_log(mujoco: Any) -> Iterator[None]:
    """Keep warnings out of a log file in the working folder: `_rests` sorts out what flew away."""
    before = mujoco.get_mju_user_warning()
    mujoco.set_mju_user_warning(lambda text: None)
    try:
        yield
    finally:
        mujoco.set_mju_user_warning(before)


def _rests(item: Placed, half: tuple[float, float]) -> bool:
    low, high = item.points.min(0), item.points.max(0)
    inside = bool((np.abs(item.position[:2]) < np.array(half) + 0.5).all())
    return inside and low[2] > -0.01 and high[2] < 1.0 and bool(np.isfinite(item.points).all())


def _frame(mujoco: Any, spec: Any, half: tuple[float, float]) -> None:
    """Ground, and a frame around where things fall."""
    world = spec.worldbody
    friction = [0.9, 0.01, 0.001]
    world.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, size=[3, 3, 0.1], friction=friction)
    x, y = half[0] + _MARGIN, half[1] + _MARGIN
    sides = (
        ((0.01, y, 1.0), (x, 0.0)),
        ((0.01, y, 1.0), (-x, 0.0)),
        ((x, 0.01, 1.0), (0.0, y)),
        ((x, 0.01, 1.0), (0.0, -y)),
    )
    for number, (size, at) in enumerate(sides):
        world.add_geom(
            name=f"frame{number}",
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=list(size),
            pos=[*at, 1.0],
        )


def _bodies(
    mujoco: Any,
    spec: Any,
    things: Sequence[Asset],
    half: tuple[float, float],
    rng: np.random.Generator,
) -> list[tuple[str, NDArray[np.float64]]]:
    """Add a falling body for each thing; its name, and the turn that its mesh already has."""
    bodies = []
    z = 0.02
    for number, asset in enumerate(things):
        rotation = _orientation(asset, rng)
        points = asset.hull @ rotation.T
        mesh = spec.add_mesh(name=f"mesh{number}")
        mesh.uservert = points.astype(np.float32).reshape(-1).tolist()
        # Sheets have too little volume to weigh anything else.
        mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL
        spot = [rng.uniform(-0.8, 0.8) * half[0], rng.uniform(-0.8, 0.8) * half[1]]
        body = spec.worldbody.add_body(
            name=f"body{number}", pos=[*spot, z - float(points[:, 2].min())]
        )
        body.add_freejoint()
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname=f"mesh{number}",
            density=10,
            friction=[0.8, 0.01, 0.002],
        )
        bodies.append((f"body{number}", rotation))
        z += 0.05 + 0.6 * float(np.ptp(points[:, 2])) * rng.random()
    return bodies


def _orientation(asset: Asset, rng: np.random.Generator) -> NDArray[np.float64]:
    """(3, 3) rotation in which a thing begins to fall."""
    from scipy.spatial.transform import Rotation

    upright = about_z(rng.uniform(0, 2 * np.pi))
    if rng.random() < _TUMBLED:
        random: NDArray[np.float64] = Rotation.from_quat(rng.normal(size=4)).as_matrix()
        return random
    width, depth, height = asset.size_m
    if height > _TALLEST * min(width, depth) and rng.random() < 0.7:
        lying: NDArray[np.float64] = upright @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
        return lying
    return upright
