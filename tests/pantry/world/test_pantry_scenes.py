"""Whole scenes and folders, rendered where a software Vulkan driver is installed."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from things import HOUSE, box

from askmask.errors import ConfigError, DataError, MissingExtraError, OutputError
from askmask.formats.askmask import read_entities
from askmask.images import read_image
from askmask.pantry.build import scene_from_record
from askmask.pantry.objects.groceries import Recipe
from askmask.pantry.objects.store import write_store
from askmask.pantry.render import filament
from askmask.pantry.render.labels import INKS
from askmask.pantry.render.shapes import Part, flat, lathe
from askmask.pantry.splits import SPLITS
from askmask.pantry.world.build import build_pantry
from askmask.pantry.world.splits import surfaces_of, troupe_of

pytest.importorskip("scipy")

needs_driver = pytest.mark.skipif(
    filament.vulkan_driver() is None, reason="no software Vulkan driver"
)
SIZE_HW = (96, 128)


def pin(radius, height, ink):
    profile = [(0, 0), (radius, 0), (radius, height), (0, height)]
    return lambda: [Part(lathe(profile), flat(INKS[ink]))]


@pytest.fixture(scope="module")
def pins(tmp_path_factory):
    """A store of plain pins in eight colours and three sizes, two of them held-out designs."""
    folder = tmp_path_factory.mktemp("pins")
    recipes = [
        Recipe(
            f"{ink}/{size + 1}",
            ink,
            "none",
            "cylinder",
            "plastic",
            pin(0.03 + 0.01 * size, 0.08 + 0.04 * size, ink),
        )
        for ink in list(INKS)[:8]
        for size in range(3)
    ]
    write_store(folder, recipes)
    return folder


def test_training_never_meets_what_is_held_out():
    assets = (
        box("can/0"),
        box("can/3"),
        box("Scopia/vase2", category="vase", source=HOUSE),
        box("Scopia/teapot", category="teapot", source=HOUSE),
        box("Scopia/vase1", category="vase", source=HOUSE),
    )
    seen = {"can/0", "Scopia/vase1"}
    stars = {"test-objects": {"can/3", "Scopia/vase2"}, "test-nouns": {"Scopia/teapot"}}
    for split in SPLITS.values():
        troupe = troupe_of(split, assets)
        mine = stars.get(split.name, set())
        assert {asset.look for asset in troupe.stars} == mine
        assert {asset.look for asset in troupe.members} == seen | mine
    train, held = surfaces_of(SPLITS["train"]), surfaces_of(SPLITS["test-objects"])
    assert held
    assert not set(train) & set(held)


def test_a_split_about_things_that_are_missing_says_so():
    with pytest.raises(DataError, match="test-nouns: expected objects of the held-out categories"):
        troupe_of(SPLITS["test-nouns"], (box("can/0"),))


def test_bad_arguments_are_refused(tmp_path, pins):
    with pytest.raises(ConfigError, match="expected 1 to 1000000 scenes"):
        build_pantry(tmp_path / "a", SPLITS["val"].of_size(0), objects=pins)
    with pytest.raises(ConfigError, match="sides of 64 pixels"):
        build_pantry(tmp_path / "a", SPLITS["val"], objects=pins, size_hw=(8, 8))
    assert not (tmp_path / "a").exists()


def test_a_missing_driver_is_said_before_anything_is_written(tmp_path, pins, monkeypatch):
    pytest.importorskip("mujoco.mjrf")
    monkeypatch.setenv("VK_ICD_FILENAMES", str(tmp_path / "none.json"))
    with pytest.raises(MissingExtraError, match="apt-get install libvulkan1"):
        build_pantry(tmp_path / "a", SPLITS["val"], objects=pins)
    assert not (tmp_path / "a").exists()


@needs_driver
def test_a_folder_is_built_again_byte_for_byte(tmp_path, pins):
    pytest.importorskip("mujoco.mjrf")
    heard = []
    for name, workers in (("one", 1), ("two", 2)):
        build_pantry(
            tmp_path / name,
            SPLITS["val"].of_size(2),
            objects=pins,
            size_hw=SIZE_HW,
            workers=workers,
            progress=heard.append,
        )
    one, two = (
        json.loads((tmp_path / name / "dataset.json").read_text()) for name in ("one", "two")
    )
    assert one == two
    assert heard[-1] == 2
    assert len([name for name in one["sha256"] if name.startswith("images/")]) == 2
    assert not (tmp_path / "one" / "parts").exists()
    # As a kill just before the end leaves it, half a write among the parts.
    (tmp_path / "two" / "entities-val.jsonl").unlink()
    (tmp_path / "two" / "parts").mkdir()
    (tmp_path / "two" / "parts" / ".askmask-0.tmp").touch()
    build_pantry(tmp_path / "two", SPLITS["val"].of_size(2), objects=pins, size_hw=SIZE_HW)
    assert json.loads((tmp_path / "two" / "dataset.json").read_text()) == one
    with pytest.raises(OutputError, match="made from other arguments"):
        build_pantry(tmp_path / "one", SPLITS["val"].of_size(3), objects=pins, size_hw=SIZE_HW)
    for record in read_entities(tmp_path / "one" / "entities-val.jsonl"):
        check(scene_from_record(record, read_image(tmp_path / "one" / record.image)))


def check(scene):
    """What must hold in every scene."""
    height, width = scene.image.shape[:2]
    front = np.zeros((height, width), int)
    for index, item in enumerate(scene.objects):
        assert not (item.modal & ~item.amodal).any()
        assert not (item.modal & (front > 0)).any()
        front[item.modal] = index + 1
        assert item.amodal_area_full >= item.amodal.sum()
        assert item.centre_m[2] > 0
    hidden = [0.05 <= item.occlusion_rate <= 0.8 for item in scene.objects]
    assert sum(hidden) >= 2
    for b, item in enumerate(scene.objects):
        covered = [int((front[item.amodal] == a + 1).sum()) for a in range(len(scene.objects))]
        covered[b] = 0
        assert scene.occlusion[:, b].tolist() == covered


_VIEWS = """
    import os, sys
    from pathlib import Path
    import numpy as np
    from askmask.pantry.objects.store import AssetStore
    from askmask.pantry.world.cast import Troupe
    from askmask.pantry.world.making import WorldSettings, make_views
    from askmask.pantry.world.studio import Studio

    store = AssetStore(Path(sys.argv[1]))
    studio = Studio(store, (96, 128))
    found = {}
    for kind in ("table", "shelf", "pile"):
        settings = WorldSettings(layouts={kind: 1.0})
        views = make_views(studio, Troupe(store.assets), 3, (96, 128), settings, views=2)
        for view, scene in enumerate(views):
            for item in scene.objects:
                found[f"{kind} {view} {item.id} {item.look}"] = np.stack([item.modal, item.amodal])
                # The pins are plain: their main colour is the name of their category.
                found[f"{kind} {view} {item.id} {item.look} colour"] = np.array(
                    item.colours.get(item.category, 0.0)
                )
    np.savez(sys.argv[2], **found)
    sys.stdout.flush()
    os._exit(0)
"""


@needs_driver
def test_two_cameras_see_the_same_things_under_the_same_ids(tmp_path, pins):
    pytest.importorskip("mujoco.mjrf")
    out = tmp_path / "views.npz"
    # In a process of its own: the driver does not survive the interpreter's clean-up.
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(_VIEWS), pins, out],
        check=True,
        capture_output=True,
        timeout=600,
    )
    found = np.load(out)
    for kind in ("table", "shelf", "pile"):
        things = [
            {name.split()[2]: name.split()[3] for name in found.files if name.startswith(prefix)}
            for prefix in (f"{kind} 0", f"{kind} 1")
        ]
        shared = things[0].keys() & things[1].keys()
        assert len(shared) >= 3
        assert all(things[0][key] == things[1][key] for key in shared)
        first = next(name for name in found.files if name.startswith(f"{kind} 0"))
        assert not np.array_equal(found[first], found[first.replace(" 0 ", " 1 ", 1)])
    shares = [float(found[name]) for name in found.files if name.endswith("colour")]
    assert np.median(shares) > 0.5
