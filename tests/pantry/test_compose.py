from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest
from fake_bank import FakeBank

from askmask.errors import DataError, MissingExtraError
from askmask.pantry.compose import ComposeSettings, compose
from askmask.pantry.scene import Scene, SceneObject

SIZE = (120, 160)
BANK = FakeBank()
PLAIN = ComposeSettings()
TABLE = ComposeSettings(shelf=0.0, crowding=1.0)
SHELF = ComposeSettings(shelf=1.0, objects=(8, 12), crowding=1.0)


def scenes(settings: ComposeSettings, count: int = 12) -> list[Scene]:
    return [compose(BANK, seed, SIZE, settings) for seed in range(count)]


def contents(scene: Scene) -> list[bytes]:
    masks = [mask.tobytes() for item in scene.objects for mask in (item.modal, item.amodal)]
    return [scene.image.tobytes(), scene.occlusion.tobytes(), *masks]


def bottom(item: SceneObject) -> float:
    return item.centre_m[1] - item.size_m[2] / 2


def test_same_seed_gives_the_same_bytes_in_any_order() -> None:
    first = [contents(compose(BANK, seed, SIZE)) for seed in (1, 2)]
    again = [contents(compose(FakeBank(), seed, SIZE)) for seed in (2, 1)]
    assert first == again[::-1]
    assert first[0] != first[1]


@pytest.mark.parametrize("settings", [TABLE, SHELF], ids=["table", "shelf"])
def test_masks_and_occlusion_are_consistent(settings: ComposeSettings) -> None:
    hidden_somewhere = False
    for scene in scenes(settings):
        assert scene.image.shape == (*SIZE, 3)
        seen = np.zeros(SIZE, int)
        for b, item in enumerate(scene.objects):
            assert not (item.modal & ~item.amodal).any()
            assert item.amodal_area_full >= item.amodal.sum()
            hidden = item.amodal & ~item.modal
            assert hidden.sum() == scene.occlusion[:, b].sum()
            for a, other in enumerate(scene.objects):
                covered = (hidden & other.modal).sum() if a != b else 0
                assert scene.occlusion[a, b] == covered
            seen += item.modal
            hidden_somewhere |= bool(hidden.any())
        assert seen.max() <= 1
    assert hidden_somewhere


def test_objects_are_painted_far_to_near() -> None:
    for scene in scenes(PLAIN):
        depths = [item.centre_m[2] for item in scene.objects]
        assert depths == sorted(depths, reverse=True)
        assert not np.triu(scene.occlusion).any()  # what is nearer comes later, and hides
        assert [item.id for item in scene.objects] == list(range(1, len(depths) + 1))


def test_every_object_is_seen_and_their_number_is_kept() -> None:
    least = PLAIN.min_visible * SIZE[0] * SIZE[1] / (480 * 640)
    for scene in scenes(PLAIN, 30):
        assert 4 <= len(scene.objects) <= 12
        for item in scene.objects:
            assert item.modal.sum() >= least
            assert item.occlusion_rate <= PLAIN.max_occlusion


def test_footprints_on_one_level_do_not_meet() -> None:
    for scene in scenes(PLAIN):
        for item in scene.objects:
            for other in scene.objects[: item.id - 1]:
                across, _, along = np.abs(np.subtract(item.centre_m, other.centre_m))
                width, depth, _ = np.add(item.size_m, other.size_m) / 2
                level = abs(bottom(item) - bottom(other)) < 1e-6
                assert not level or across >= width - 1e-9 or along >= depth - 1e-9


def test_pixels_show_the_object_that_owns_them() -> None:
    bank = FakeBank(rgb=(0, 255, 0))
    for seed in range(5):
        scene = compose(bank, seed, SIZE)
        owned = np.any([item.modal for item in scene.objects], axis=0)
        red, green, blue = scene.image[owned].astype(int).T
        assert np.mean((green > red + 60) & (green > blue + 60)) > 0.9


def test_shelf_boards_hide_nothing() -> None:
    for scene in scenes(SHELF):
        assert scene.layout == "shelf"
        bottoms = {round(bottom(item), 6) for item in scene.objects}
        assert len(bottoms) <= 3
        for item in scene.objects:  # a fake sprite is a full box or disc: nothing may be missing
            uncut = item.amodal_area_full == item.amodal.sum()
            assert uncut or item.amodal.sum() > 0.25 * item.amodal_area_full


def test_pairs_are_repeated_when_asked() -> None:
    def share(settings: ComposeSettings) -> float:
        several = [
            len({item.category for item in scene.objects}) < len(scene.objects)
            for scene in scenes(settings, 20)
        ]
        return float(np.mean(several))

    few = ComposeSettings(objects=(4, 5))
    assert share(replace(few, repeats=0.0)) < share(replace(few, repeats=1.0))


def test_refuses_a_bank_that_cannot_fill_a_scene() -> None:
    with pytest.raises(DataError, match="4 objects"):
        compose(BANK, 0, SIZE, ComposeSettings(min_visible=10**9))


def test_says_which_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r"askmask\[scenes\]"):
        compose(BANK, 0, SIZE)
