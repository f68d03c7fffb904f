from __future__ import annotations

import numpy as np
import pytest

from askmask.pantry import textures
from askmask.pantry.textures import FLOORS, KINDS, WALLS, texture


@pytest.mark.parametrize("kind", KINDS)
def test_texture_has_its_shape_and_is_not_flat(kind: str) -> None:
    surface = texture(kind, 0, 128)
    assert surface.shape == (128, 128, 3)
    assert surface.dtype == np.uint8
    assert surface.std() > 1


def test_texture_depends_on_kind_and_variant_only() -> None:
    first = texture("wood", 3, 64).copy()
    textures._reduced.cache_clear()
    assert np.array_equal(texture("wood", 3, 64), first)
    assert not np.array_equal(texture("wood", 4, 64), first)
    assert not np.array_equal(texture("marble", 3, 64), first)


def test_texture_is_shared_and_read_only() -> None:
    surface = texture("tile", 1, 64)
    assert texture("tile", 1, 64) is surface
    with pytest.raises(ValueError, match="read-only"):
        surface[0] = 0


@pytest.mark.parametrize("kind", ["plaster", "marble", "cloth", "wood"])
def test_texture_repeats_without_a_seam(kind: str) -> None:
    surface = texture(kind, 2, 256).astype(float)
    for axis in (0, 1):
        steps = np.abs(np.diff(surface, axis=axis)).mean((1 - axis, 2))
        seam = np.abs(surface.take(0, axis) - surface.take(-1, axis)).mean()
        assert seam <= steps.max() * 1.5


def test_floors_and_walls_are_known_kinds() -> None:
    assert set(FLOORS) | set(WALLS) == set(KINDS)
